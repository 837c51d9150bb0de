"""Walks over every route: people of each role, what fits an address, what can be read from there.

``VALUES`` says what to put into an address; a route with an argument that is not there fails.
"""

from __future__ import annotations

import io
import itertools
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from pypdf import PdfReader
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from b2bcrm.kernel.actor import PORTAL_ROLES, Role
from b2bcrm.users import actions as users
from b2bcrm.users.models import User
from b2bcrm.web import access
from tests.clients import Client, make_user, sign_in
from tests.world_sides import Side
from tests.worlds import World

API = "/api/"
OK, SEE_OTHER, CLIENT_ERROR = 200, 303, 400


@dataclass
class Person:
    """Somebody signed in with a browser and with a program's token."""

    role: Role
    client: Client
    user: User
    token: str
    session_id: int
    token_id: int
    secret: str

    def ask(self, method: str, url: str, **options: Any) -> TestResponse:
        """Send a request as a browser would, or as a program under /api/."""
        if url.startswith(API):
            headers = {"Authorization": f"Bearer {self.token}"}
            return self.client.open(url, method=method, headers=headers, **options)
        if method != "GET":
            fields = options.pop("data", {})
            options["data"] = {"csrf_token": self.client.csrf_token(), **fields}
        return self.client.open(url, method=method, **options)


@dataclass
class Walk:
    """The world, its application, and the people in it."""

    world: World
    app: Flask
    people: dict[Role, Person] = field(default_factory=dict)
    seen: dict[Role, dict[str, str]] = field(default_factory=dict)
    stranger: Client = field(init=False)

    def __post_init__(self) -> None:
        self.stranger = self.app.test_client()

    def person(self, role: Role, side: Side | None = None) -> Person:
        """The one with ``role``; a buyer belongs to account A."""
        if role not in self.people:
            self.people[role] = self._sign_in(role, side or self.world.a)
        return self.people[role]

    def _sign_in(self, role: Role, side: Side) -> Person:
        office = self.world.office
        account = side.account if role in PORTAL_ROLES else None
        user = make_user(office, role, account_id=account, name=f"Person {side.tag}")
        client = sign_in(self.app.test_client(), office, user)
        with office.open(user.actor()) as work:
            token = users.create_api_token(work, "walk", list(users.SCOPES))
            secret = users.new_reset_link(work, work.session.merge(user)).rpartition("/")[2]
        with office.open() as work:
            session_id = _newest(work, users.UserSession, user.id)
            token_id = _newest(work, users.ApiToken, user.id)
        return Person(role, client, user, token, session_id, token_id, secret)

    def rules(self, *methods: str) -> Iterator[Rule]:
        """The routes that take one of ``methods``."""
        for rule in sorted(self.app.url_map.iter_rules(), key=lambda r: r.rule):
            if set(methods) & (rule.methods or set()):
                yield rule

    def addresses(self, rule: Rule, side: Side, person: Person) -> list[str]:
        """``rule`` with everything of ``side`` that fits; the first is the usual one."""
        arguments = sorted(rule.arguments)
        lists = [values(name, rule, self.world, side, person) for name in arguments]
        url_of = self.app.url_map.bind("localhost").build
        return [
            url_of(rule.endpoint, dict(zip(arguments, chosen, strict=True)))
            + QUERY.get(rule.endpoint, "")
            for chosen in itertools.product(*lists)
        ]


def _newest(work: Any, model: Any, user_id: int) -> int:
    rows = work.session.query(model).filter_by(user_id=user_id).order_by(model.id.desc())
    return int(rows.first().id)


# ------------------------------------------------------------------------ what fits an address

Values = Callable[[World, Side, Person], list[Any]]


def _orders(_world: World, side: Side, _person: Person) -> list[Any]:
    first = side.orders["late"]
    return [first, *(no for no in side.orders.values() if no != first)]


def _quotes(_world: World, side: Side, person: Person) -> list[Any]:
    hidden = {"draft"} if person.role in PORTAL_ROLES else set()
    return [no for key, (_id, no) in _quotes_of(side) if key not in hidden]


def _quote_ids(_world: World, side: Side, person: Person) -> list[Any]:
    hidden = {"draft"} if person.role in PORTAL_ROLES else set()
    return [quote_id for key, (quote_id, _no) in _quotes_of(side) if key not in hidden]


def _quotes_of(side: Side) -> list[tuple[str, tuple[int, str]]]:
    return sorted(side.quotes.items(), key=lambda item: ORDER.get(item[0], len(ORDER)))


def _inquiries(_world: World, side: Side, _person: Person) -> list[Any]:
    return [no for _id, no in side.inquiries.values()]


def _cases(_world: World, side: Side, _person: Person) -> list[Any]:
    return list(side.cases.values())


def _files(_world: World, side: Side, person: Person) -> list[Any]:
    outside = [n for key, n in side.files.items() if not key.endswith("-inside")]
    return outside if person.role in PORTAL_ROLES else list(side.files.values())


ORDER = {"sent": 0, "draft": 1}  # a sent document is kept, a draft's is drawn when asked for


# Numbers by blueprint: an order's, a quote's, an inquiry's and a case's are all called ``no``.
NUMBERS: dict[str, Values] = {
    "api_orders": _orders,
    "desk_inquiries": _inquiries,
    "desk_quote_editor": _quotes,
    "desk_service": _cases,
    "fulfillment": _orders,
    "order": _orders,
    "orders": _orders,
    "portal_cases": _cases,
    "portal_inquiries": _inquiries,
    "portal_orders": _orders,
    "portal_quotes": _quotes,
}
VALUES: dict[str, Values] = {
    "account_id": lambda _w, s, _p: [s.account],
    "act": lambda _w, _s, _p: ["hold", "confirm", "release", "cancel", "leave-out", "is-there"],
    "code": lambda _w, _s, _p: ["main"],
    "connection": lambda _w, _s, _p: ["main"],
    "customer_id": lambda _w, _s, _p: [1],
    "contact_id": lambda _w, s, _p: [s.contact],
    "difference_id": lambda _w, _s, _p: [1],
    "delivery_id": lambda w, _s, _p: [w.delivery],
    "envelope_id": lambda w, _s, _p: [w.envelope],
    "feed_act": lambda _w, _s, _p: ["pause", "resume", "compare", "read_in_full"],
    "feed_id": lambda w, _s, _p: [w.feed],
    "file_id": _files,
    "filename": lambda _w, _s, _p: ["components.css"],
    "held_act": lambda _w, _s, _p: ["reread", "ignore"],
    "inquiry_id": lambda _w, s, _p: [n for n, _no in s.inquiries.values()],
    "item_no": lambda _w, s, _p: [s.item],
    "join_act": lambda _w, _s, _p: ["link", "undo", "main"],
    "step": lambda _w, _s, _p: ["send", "again", "stop"],
    "key": lambda w, _s, _p: [w.mail_key],
    "line_id": lambda _w, s, _p: [s.line],
    "line_no": lambda _w, _s, _p: [10],
    "notice_id": lambda w, _s, _p: [w.notice],
    "promise_notice_id": lambda _w, s, _p: [s.notice],
    "number": lambda _w, _s, _p: [0],
    "peg_id": lambda _w, _s, _p: [1],
    "quote_id": _quote_ids,
    "request_id": lambda _w, s, _p: [s.request],
    "row_id": lambda w, _s, _p: [w.held],
    "rule_id": lambda _w, _s, _p: [1],
    "run_id": lambda w, _s, _p: [w.run],
    "secret": lambda _w, _s, p: [p.secret],
    "session_id": lambda _w, _s, p: [p.session_id],
    "proposal_id": lambda w, _s, _p: [w.proposal],
    "scenario_id": lambda w, _s, _p: [w.scenario],
    "shipment_id": lambda _w, s, _p: [s.unconfirmed],
    "view_id": lambda _w, _s, _p: [1],
    "stop_id": lambda w, _s, _p: [w.question],
    "task_id": lambda w, _s, _p: [w.task],
    "token_id": lambda _w, _s, p: [p.token_id],
}
QUERY = {
    "desk_planning.cell": "?month=2026-12&family=PG",
    "desk_search.results": "?q=gearbox",
    "desk_search.suggest": "?q=gearbox",
}
# What a form carries, so that an answer tells of the address and not of a missing field.
FIELDS = {
    "affected_qty": "1",
    "erp_id": "E9",
    "go_live_on": "2026-11-17",
    "guard_percent": "20",
    "limit_minutes": "30",
    "writes": "off",
    "agreed": "1",
    "comment": "no",
    "kind": "complaint",
    "name": "Jonas",
    "reason": "price",
    "subject": "Noise",
    "text": "Please look.",
    "version": "1",
}
BODIES: dict[str, dict[str, Any]] = {
    "api_orders.amend": {"qty": "3"},
    "api_orders.cancel": {"reason": "no"},
    "api_orders.hold": {"reason": "no"},
    "api_quotes.accept": {"seal": "x", "name": "Jonas"},
    "api_quotes.lose": {"reason": "price"},
}
# Addresses that send a signed-in reader on.
SENT_ON = {"home", "users.login"}


def values(name: str, rule: Rule, world: World, side: Side, person: Person) -> list[Any]:
    """What can stand for the argument ``name`` of ``rule``."""
    blueprint = rule.endpoint.partition(".")[0]
    found = NUMBERS.get(blueprint) if name == "no" else VALUES.get(name)
    if found is None:
        pytest.fail(f"{rule.rule}: say in tests/walking.py what <{name}> can be")
    return found(world, side, person)


ENOUGH_PAPERS = 2  # per role: a document takes a second to draw, and is the same for all
LINK = re.compile(r'(?:href|hx-get|src)="([^"#]+)')


def text_of(answer: TestResponse) -> str:
    """Headers and content as text; archives and documents are opened."""
    head = f"{answer.status_code} {answer.headers}\n"
    data, kind = answer.data, answer.mimetype
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return head + "".join(archive.read(n).decode() for n in archive.namelist())
    if kind == "application/pdf":
        return head + "".join(page.extract_text() for page in PdfReader(io.BytesIO(data)).pages)
    return head + data.decode("utf-8", "replace")


def everything(walk: Walk, role: Role) -> dict[str, str]:
    """Address -> content of all that the role can open, and of all that those pages link to."""
    if role in walk.seen:
        return walk.seen[role]
    person, found = walk.person(role), {}
    waiting: list[str] = []
    papers = 0
    for rule in walk.rules("GET"):
        if access.allows(rule.endpoint, role) and rule.endpoint != "static":
            waiting += walk.addresses(rule, walk.world.a, person)[: None if _thorough(role) else 2]
    for depth in (0, 1):
        links: list[str] = []
        for url in dict.fromkeys(waiting):
            papers += url.endswith("/pdf")
            if (
                url in found
                or url.startswith("/static/")
                or (url.endswith("/pdf") and papers > ENOUGH_PAPERS)
            ):
                continue
            with person.ask("GET", url) as answer:
                found[url] = text_of(answer)
            if answer.mimetype == "text/html":
                links += [link.replace("&amp;", "&") for link in LINK.findall(found[url])]
        here = [link for link in links if link.startswith("/") and depth == 0]
        waiting = [link for link in here if _worth_following(link, role)]
    walk.seen[role] = found
    return found


def _thorough(role: Role) -> bool:
    """Customers, and one of the staff who may do little: everything, and every link."""
    return role in PORTAL_ROLES or role is Role.PLANNER


def _worth_following(link: str, role: Role) -> bool:
    return _thorough(role) or "format=" in link
