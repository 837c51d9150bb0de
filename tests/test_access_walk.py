"""Every route, every role: who opens what, and what nobody may see who must not.

That the table and the routes agree is held by tests/web/test_access.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from b2bcrm.kernel.actor import PORTAL_ROLES, RIGHTS, STAFF_ROLES, Right, Role
from b2bcrm.web import access
from tests import worlds
from tests.walking import API, BODIES, FIELDS, OK, SEE_OTHER, SENT_ON, Person, Walk, everything
from tests.world_sides import CAUSE, COST_FIGURES, FOREIGN, NOTE, SUPPLIER


def _each(roles: Iterable[Role]) -> list[Any]:
    """Every role; on PostgreSQL one of either side, since roles do not differ there."""
    there = {Role.ADMIN, Role.BUYER}
    return [
        pytest.param(role, marks=[pytest.mark.db] if role in there else [], id=role.value)
        for role in sorted(roles)
    ]


STAFF, PORTAL = _each(STAFF_ROLES), _each(PORTAL_ROLES)
WITHOUT_COST = [role for role in sorted(STAFF_ROLES) if Right.SEE_COST not in RIGHTS[role]]


@pytest.fixture(scope="module")
def walk(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Both accounts, seeded once for this file; no test here changes them."""
    with worlds.real_office(server_url, f"walk_{tmp_path_factory.getbasetemp().name}") as office:
        world = worlds.two_accounts(office, tmp_path_factory.mktemp("walk"))
        yield Walk(world, world.app())


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
    draft = walk.world.a.quotes["draft"][1]
    assert not _where(found, [NOTE, SUPPLIER, CAUSE, "Installation or use", draft])
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
