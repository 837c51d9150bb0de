"""What no route may do, whatever it is sent: break, store half of it, or take too much.

Cases of one feature stand with that feature; here is what holds for all of them at once.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from b2bcrm.files.models import StoredFile
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.database import Base
from b2bcrm.orders.models import Order
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.service.models import Case
from b2bcrm.web import access
from tests import worlds
from tests.walking import API, BODIES, FIELDS, Walk

TEN_MEGABYTES = "x" * 10_000_000
MULTIPART = "multipart/form-data; boundary=part"
LONG_PART = (
    f'--part\r\nContent-Disposition: form-data; name="text"\r\n\r\n{TEN_MEGABYTES}\r\n--part--'
)
NONSENSE = {
    "a text": "nonsense",
    "nothing": "",
    "a NUL": "a\0b",
    "an endless number": "9" * 400,
    "no number": "NaN",
    "an exponent": "1e999999",
    "a negative": "-1",
    "places without end": "1." + "1" * 60,
    "a day that is none": "2026-02-30",
    "the last day": "9999-12-31",
    "markup": "<script>alert(1)</script>%(x)s{{ 7*7 }}",
    "other scripts": "訂單’;\u202e\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
}
# Every name under which some form or list reads something.
NAMES = """
    version affected_qty agreed amount cause channel comment competitor contact_id country
    currency customer_po date discount_pct doc_language email erp_id family file from
    inbound incoterm kind language lines-0-part lines-0-qty lines-0-wanted_on locale mode
    month name next note owner_id page part part_no password phone promised_on q qty reason
    reason_code requested_on rev role scopes seal ship_to_id show sort state subject
    targets-0-amount text theme unit_price valid_until wanted_on week weeks win_pct wish_no
    with account at item line solution urgent
""".split()  # noqa: SIM905 - shorter to read
ENDS_THE_SESSION = {
    "users.logout",
    "users.session_revoke",
    "users.password",
    "users.api_token_revoke",
}


@pytest.fixture
def walk(office, tmp_path):
    """Both accounts in a database that is thrown away."""
    world = worlds.two_accounts(office, tmp_path)
    return Walk(world, world.app())


@pytest.fixture(scope="module")
def kept(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """Both accounts, once for all tests in which nothing may be stored."""
    folder = tmp_path_factory.mktemp("bad_input")
    with worlds.real_office(server_url, f"bad_input_{folder.parent.name}") as office:
        world = worlds.two_accounts(office, folder)
        yield Walk(world, world.app())


def contents(office, *models: type[Base]) -> list[int]:
    """How many rows there are of each."""
    with office.open() as work:
        return [
            work.session.scalar(sa.select(sa.func.count()).select_from(model)) for model in models
        ]


KEPT = (Order, Quote, Inquiry, Case, StoredFile)


@pytest.mark.slow
@pytest.mark.parametrize("role", [Role.ADMIN, Role.BUYER_ADMIN])
def test_nonsense_in_a_form_is_never_an_error_of_ours(walk, role):
    person, wrong = walk.person(role), {}
    for rule in walk.rules("POST", "PATCH"):
        if not access.allows(rule.endpoint, role) or rule.endpoint in ENDS_THE_SESSION:
            continue
        method = "POST" if "POST" in rule.methods else "PATCH"
        url = walk.addresses(rule, walk.world.a, person)[0]
        for what, value in NONSENSE.items():
            if url.startswith(API):
                body = dict.fromkeys(BODIES.get(rule.endpoint, {"account_id": 0}), value)
                answer = person.ask(method, url, json=body)
            else:
                answer = person.ask(method, url, data=dict.fromkeys(NAMES, value))
            if answer.status_code >= 500:
                wrong[f"{method} {url}: {what}"] = answer.status_code
    assert not wrong


@pytest.mark.slow
@pytest.mark.parametrize("role", [Role.ADMIN, Role.BUYER_ADMIN])
def test_nonsense_in_an_address_is_never_an_error_of_ours(kept, role):
    person, wrong = kept.person(role), {}
    for rule in kept.rules("GET"):
        if not access.allows(rule.endpoint, role) or rule.endpoint.endswith(("pdf", "document")):
            continue
        url = kept.addresses(rule, kept.world.a, person)[0].partition("?")[0]
        for what, value in NONSENSE.items():
            with person.ask("GET", url, query_string=dict.fromkeys(NAMES, value)) as answer:
                if answer.status_code >= 500:
                    wrong[f"{url}: {what}"] = answer.status_code
        with person.ask("GET", url, query_string={"format": "exe"}) as answer:
            if answer.status_code >= 500:
                wrong[f"{url}: format"] = answer.status_code
    assert not wrong


@pytest.mark.parametrize("role", [Role.ADMIN, Role.BUYER_ADMIN])
def test_ten_megabytes_of_text_are_refused_everywhere_and_leave_nothing(kept, role):
    person, wrong = kept.person(role), {}
    before = contents(kept.world.office, *KEPT)
    for rule in kept.rules("POST"):
        if not access.allows(rule.endpoint, role):
            continue
        url = kept.addresses(rule, kept.world.a, person)[0]
        if url.startswith(API):
            answers = [person.ask("POST", url, json={"reason": TEN_MEGABYTES})]
        else:
            answers = [
                person.ask("POST", url, data={**FIELDS, "text": TEN_MEGABYTES}),
                person.client.post(url, data=LONG_PART, content_type=MULTIPART),
            ]
        codes = [answer.status_code for answer in answers]
        if set(codes) != {413}:
            wrong[url] = codes
    assert not wrong
    assert contents(kept.world.office, *KEPT) == before


@pytest.mark.parametrize("qty", ["1.23456", "0", "-3", "1e3000", "NaN", "99999999999999"])
def test_an_impossible_quantity_is_refused_wherever_one_is_typed(kept, qty):
    a, office = kept.world.a, kept.world.office
    admin, buyer = kept.person(Role.ADMIN), kept.person(Role.BUYER_ADMIN)
    before = contents(office, *KEPT)
    draft, late = a.quotes["draft"][0], a.orders["late"]
    with office.open(read_only=True) as work:
        version = work.session.scalar(sa.select(Order.version).where(Order.no == late))
    line = {"lines-0-part": a.item, "lines-0-qty": qty, "subject": "x"}
    answers = {
        "amend": admin.ask(
            "POST", f"/orders/{late}/lines/10/amend", data={"qty": qty, "version": version}
        ),
        "amend api": admin.ask("PATCH", f"/api/v1/orders/{late}/lines/10", json={"qty": qty}),
        "quote": admin.ask("POST", f"/quotes/{draft}/lines", data={"part": a.item, "qty": qty}),
        "quote api": admin.ask(
            "POST",
            "/api/v1/quotes",
            json={"account_id": a.account, "lines": [{"part": a.item, "qty": qty}]},
        ),
        "inquiry": buyer.ask("POST", "/portal/inquiries", data=line),
        "case": buyer.ask(
            "POST",
            f"/portal/cases/new/{a.line}",
            data={"kind": "complaint", "subject": "x", "text": "x", "affected_qty": qty},
        ),
    }
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(
        answers, 422
    )
    assert contents(office, *KEPT) == before


def test_a_file_that_is_not_what_it_says_stores_nothing_wherever_it_is_sent(kept):
    a, office = kept.world.a, kept.world.office
    buyer = kept.person(Role.BUYER_ADMIN)
    before = contents(office, *KEPT)
    complaint = {"kind": "complaint", "subject": "x", "text": "x", "affected_qty": "1"}
    urls = {
        "/portal/inquiries": {"text": "Please offer", "subject": "x"},
        f"/portal/cases/new/{a.line}": complaint,
        f"/portal/cases/{a.cases['open']}/message": {"text": "See the picture", "version": "1"},
    }
    for url, fields in urls.items():
        for name, content in (("drawing.pdf", b"MZ\x90\x00"), ("photo.png", b"<svg/>")):
            sent = {**fields, "files": (io.BytesIO(content), name)}
            assert buyer.ask("POST", url, data=sent).status_code == 422, (url, name)
    assert contents(office, *KEPT) == before


def test_another_accounts_order_number_guessed_is_the_same_as_none_at_all(kept):
    buyer = kept.person(Role.BUYER)
    theirs = buyer.ask("GET", f"/portal/orders/{kept.world.b.orders['late']}")
    none = buyer.ask("GET", "/portal/orders/SO-26-00000")
    assert theirs.status_code == none.status_code == 404
    assert bare(theirs.text, kept.world.b.orders["late"]) == bare(none.text, "SO-26-00000")


def bare(page: str, no: str) -> str:
    """The page without the number that was asked for and without its token."""
    return re.sub(r'content="[\w.-]{40,}"', "", page.replace(no, ""))
