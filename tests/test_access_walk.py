"""Every route, every role: who opens what, and what nobody may see who must not.

``VALUES`` says what to put into an address; a route with an argument that is not there fails.
That the table and the routes agree is held by tests/web/test_access.py.
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

from b2bcrm.kernel.actor import PORTAL_ROLES, RIGHTS, STAFF_ROLES, Right, Role
from b2bcrm.users import actions as users
from b2bcrm.users.models import User
from b2bcrm.web import access
from tests import worlds
from tests.clients import Client, make_user, sign_in
from tests.worlds import CAUSE, COST_FIGURES, FOREIGN, NOTE, SUPPLIER, Side, World

pytestmark = pytest.mark.db

STAFF = sorted(STAFF_ROLES)
PORTAL = sorted(PORTAL_ROLES)
WITHOUT_COST = [role for role in STAFF if Right.SEE_COST not in RIGHTS[role]]
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
    "act": lambda _w, _s, _p: ["hold", "confirm", "release", "cancel", "customer-po", "send-again"],
    "contact_id": lambda _w, s, _p: [s.contact],
    "delivery_id": lambda w, _s, _p: [w.delivery],
    "envelope_id": lambda w, _s, _p: [w.envelope],
    "feed_id": lambda w, _s, _p: [w.feed],
    "file_id": _files,
    "filename": lambda _w, _s, _p: ["components.css"],
    "inquiry_id": lambda _w, s, _p: [n for n, _no in s.inquiries.values()],
    "item_no": lambda _w, s, _p: [s.item],
    "key": lambda w, _s, _p: [w.mail_key],
    "line_id": lambda _w, s, _p: [s.line],
    "line_no": lambda _w, _s, _p: [10],
    "number": lambda _w, _s, _p: [0],
    "quote_id": _quote_ids,
    "run_id": lambda w, _s, _p: [w.run],
    "secret": lambda _w, _s, p: [p.secret],
    "session_id": lambda _w, _s, p: [p.session_id],
    "shipment_id": lambda _w, s, _p: [s.unconfirmed],
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
# What a portal's reader himself is named by: another account has no session of his.
HIS_OWN = {"session_id", "token_id"}


def values(name: str, rule: Rule, world: World, side: Side, person: Person) -> list[Any]:
    """What can stand for the argument ``name`` of ``rule``."""
    blueprint = rule.endpoint.partition(".")[0]
    found = NUMBERS.get(blueprint) if name == "no" else VALUES.get(name)
    if found is None:
        pytest.fail(f"{rule.rule}: say in tests/test_access_walk.py what <{name}> can be")
    return found(world, side, person)


@pytest.fixture(scope="module")
def walk(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Both accounts, seeded once for this file; no test here changes them."""
    with worlds.real_office(server_url, f"walk_{tmp_path_factory.getbasetemp().name}") as office:
        world = worlds.two_accounts(office, tmp_path_factory.mktemp("walk"))
        made = Walk(world, world.app())
        made.stranger = made.app.test_client()
        yield made


# ---------------------------------------------------------------------------- who opens what


def _opened(walk: Walk, person: Person) -> Iterator[tuple[str, str]]:
    for rule in walk.rules("GET"):
        side = walk.world.a
        url = walk.addresses(rule, side, person)[0]
        answer = person.ask("GET", url)
        allowed = access.allows(rule.endpoint, person.role)
        wrong = ""
        if allowed:
            wrong = "" if answer.status_code == OK else str(answer.status_code)
            if answer.status_code == SEE_OTHER and rule.endpoint in SENT_ON:
                wrong = "to the sign-in" if "/login" in answer.location else ""
        elif answer.status_code not in {403, 404}:
            wrong = f"{answer.status_code} for {person.role}"
        if wrong:
            yield url, wrong
        answer.close()


@pytest.mark.parametrize("role", [*STAFF, *PORTAL])
def test_a_page_opens_for_exactly_the_roles_of_the_table(walk, role):
    assert not dict(_opened(walk, walk.person(role)))


def test_a_stranger_is_asked_to_sign_in_everywhere(walk):
    wrong = {}
    admin = walk.person(Role.ADMIN)
    for rule in walk.rules("GET", "POST", "PATCH"):
        if access.ACCESS[rule.endpoint] == access.ANYONE:
            continue
        method = next(m for m in ("GET", "POST", "PATCH") if m in rule.methods)
        url = walk.addresses(rule, walk.world.a, admin)[0]
        token = {"csrf_token": walk.stranger.csrf_token()} if method == "POST" else {}
        if url.startswith(API):
            answer = walk.stranger.open(url, method=method, json=BODIES.get(rule.endpoint, {}))
            ok = answer.status_code == 401
        else:
            answer = walk.stranger.open(url, method=method, data=token)
            ok = answer.status_code == SEE_OTHER and answer.location.startswith("/login")
        if not ok:
            wrong[f"{method} {url}"] = answer.status_code
    assert not wrong


@pytest.mark.parametrize("role", [*STAFF, *PORTAL])
def test_a_form_is_closed_to_a_role_that_the_table_does_not_name(walk, role):
    wrong, person = {}, walk.person(role)
    for rule in walk.rules("POST", "PATCH"):
        if access.allows(rule.endpoint, role):
            continue
        method = "POST" if "POST" in rule.methods else "PATCH"
        url = walk.addresses(rule, walk.world.a, walk.person(Role.ADMIN))[0]
        given = {"json": BODIES.get(rule.endpoint, {})} if url.startswith(API) else {}
        answer = person.ask(method, url, **(given or {"data": FIELDS}))
        if answer.status_code not in {403, 404}:
            wrong[url] = answer.status_code
    assert not wrong


@pytest.mark.parametrize("role", [Role.ADMIN, Role.BUYER_ADMIN])
def test_a_form_without_its_token_is_refused(walk, role):
    wrong, person = {}, walk.person(role)
    for rule in walk.rules("POST"):
        if rule.rule.startswith(API) or not access.allows(rule.endpoint, role):
            continue
        url = walk.addresses(rule, walk.world.a, person)[0]
        answer = person.client.post(url, data=FIELDS)
        if answer.status_code != 400 or "too old" not in answer.text:
            wrong[url] = answer.status_code
    assert not wrong


def test_a_browsers_cookie_does_not_open_the_api(walk):
    assert walk.person(Role.ADMIN).client.get("/api/v1/orders").status_code == 401


# ------------------------------------------------------------------- the other account's things


@pytest.mark.parametrize("role", PORTAL)
def test_another_accounts_thing_is_not_found(walk, role):
    wrong, person = {}, walk.person(role)
    him = walk._sign_in(role, walk.world.b)
    for rule in walk.rules("GET", "POST", "PATCH"):
        if not rule.arguments or access.ACCESS[rule.endpoint] == access.ANYONE:
            continue
        method = next(m for m in ("GET", "POST", "PATCH") if m in rule.methods)
        given: dict[str, Any] = {"data": FIELDS} if method == "POST" else {}
        if rule.rule.startswith(API) and method != "GET":
            given = {"json": BODIES.get(rule.endpoint, {})}
        for url in walk.addresses(rule, walk.world.b, him):
            answer = person.ask(method, url, **given)
            if answer.status_code != 404 or FOREIGN in f"{answer.headers}{answer.text}".replace(
                url, ""
            ):
                wrong[f"{method} {url}"] = answer.status_code
    assert not wrong


@pytest.mark.parametrize("role", PORTAL)
def test_an_internal_file_and_a_draft_are_not_found_by_the_customer_himself(walk, role):
    person, side = walk.person(role), walk.world.a
    inside = [n for key, n in side.files.items() if key.endswith("-inside")]
    draft_id, draft_no = side.quotes["draft"]
    urls = [f"/portal/files/{n}" for n in inside]
    urls += [f"/portal/quotes/{draft_no}", f"/portal/quotes/{draft_id}/pdf"]
    urls += [f"/api/v1/quotes/{draft_id}"]
    assert {url: person.ask("GET", url).status_code for url in urls} == dict.fromkeys(urls, 404)


# --------------------------------------------------------------------- everything a role can read

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


@pytest.mark.parametrize("role", [*PORTAL, Role.PLANNER])
def test_no_page_links_to_what_its_reader_cannot_open(walk, role):
    wrong = {
        url: text[:3]
        for url, text in everything(walk, role).items()
        if not text.startswith(("200", "303", "304"))
    }
    assert not wrong


@pytest.mark.parametrize("role", PORTAL)
def test_nothing_that_a_customer_reads_is_of_another_customer(walk, role):
    words = [FOREIGN, FOREIGN.lower(), *walk.world.b.numbers]
    assert not _where(everything(walk, role), words)


@pytest.mark.parametrize("role", PORTAL)
def test_nothing_that_a_customer_reads_is_internal(walk, role):
    found = everything(walk, role)
    assert not _where(found, [NOTE, SUPPLIER, CAUSE, "Installation or use"])
    assert not [url for url, text in found.items() if COST_FIGURES.search(text)]


def _where(found: dict[str, str], words: list[str]) -> dict[str, list[str]]:
    """Addresses that say one of ``words``, and which; the demo's own pages left out."""
    hits = {url: [w for w in words if w in text] for url, text in found.items()}
    return {url: hit for url, hit in hits.items() if hit and not url.startswith("/demo/")}


@pytest.mark.parametrize("role", WITHOUT_COST)
def test_costs_are_seen_by_nobody_without_the_right(walk, role):
    found = everything(walk, role)
    assert not [url for url, text in found.items() if COST_FIGURES.search(text)]


def test_the_words_that_others_must_not_see_are_there_for_staff(walk):
    found = everything(walk, Role.ADMIN)
    a = walk.world.a
    case, order = found[f"/service/{a.cases['open']}"], found[f"/orders/{a.orders['late']}"]
    quote = found[f"/quotes/{a.quotes['sent'][1]}"]
    assert NOTE in case
    assert SUPPLIER in order
    assert CAUSE in order
    assert COST_FIGURES.search(quote)
    assert FOREIGN in found["/orders"]
    assert any("spreadsheetml" in text for text in found.values())
    assert any("application/pdf" in text[:400] for text in found.values())
