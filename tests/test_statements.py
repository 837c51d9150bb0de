"""How many SQL statements a page sends: few, and the same for one row and for thirty.

All of a request is counted: the session's look-up and the business clock as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.customers.models import Account
from b2bcrm.fulfillment import actions as fulfillment
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.fulfillment.models import Shipment, ShipmentLine, Stock
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.work import Office, Work
from b2bcrm.quotes import actions as quotes
from tests import worlds
from tests.clients import Client, client_for, make_app
from tests.factories import (
    make_account,
    make_item,
    make_line,
    make_order,
    make_price,
    make_sureness,
)

pytestmark = pytest.mark.db

D = Decimal
MOST = 12
MANY = 30
BETWEEN = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


@dataclass
class Size:
    """A customer with ``n`` of everything: lines of an order, of a quote, orders in a list."""

    n: int
    account: int = 0
    order: str = ""
    quote: str = ""
    buyer: Client | None = None


@dataclass
class Pages:
    """One database with a small and a large customer, and a person of sales."""

    office: Office
    sales: Client
    one: Size
    many: Size

    def sent(self, client: Client, url: str) -> list[str]:
        """The statements of a second look at ``url``."""
        assert client.get(url).status_code == 200, url
        seen: list[str] = []

        def note(_connection, _cursor, statement, *_rest) -> None:
            if not statement.upper().startswith(BETWEEN):
                seen.append(" ".join(statement.split()))

        sa.event.listen(self.office.engine, "before_cursor_execute", note)
        try:
            assert client.get(url).status_code == 200
        finally:
            sa.event.remove(self.office.engine, "before_cursor_execute", note)
        return seen


def _fill(work: Work, size: Size) -> None:
    account = make_account(work, name=f"Customer of {size.n}")
    items = [make_item(work) for _ in range(size.n)]
    for item in items:
        make_price(work, item)
        work.session.add(
            Stock(item_no=item.no, site_code="TC", on_hand=D(900), allocated=D(0), as_of=work.now)
        )
    lines = [
        make_line(work, item, line_no=10 * n, shipped_qty=D(4), delivered_qty=D(4))
        for n, item in enumerate(items, 1)
    ]
    order = make_order(work, account, lines=lines)
    for n, line in enumerate(order.lines):
        shipment = Shipment(
            no=f"DN-{size.n}-{n}",
            account_id=account.id,
            shipped_on=work.today,
            delivered_on=work.today,
        )
        shipment.lines = [ShipmentLine(order_line_id=line.id, qty=D(4))]
        work.session.add(shipment)
    for item in items[1:]:
        make_order(work, account, lines=[make_line(work, item)])
    late = make_order(work, account, lines=[make_line(work, items[0])])
    late.lines[0].promised_on = work.today - dt.timedelta(days=3)
    size.account, size.order = account.id, order.no
    work.session.flush()
    quote = quotes.new_quote(work, account_id=account.id, promises=Promises(work))
    work.session.flush()
    for item in items:
        quotes.add_line(work, quote.id, part=item.no, qty=D(2), promises=Promises(work))
        work.session.flush()
    size.quote = quote.no
    for _ in items[1:]:
        quotes.new_quote(work, account_id=account.id, promises=Promises(work))
    fulfillment.project_all(work)


@pytest.fixture(scope="module")
def shown(server_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """Both customers, committed for real, so that a request is a request."""
    folder = tmp_path_factory.mktemp("statements")
    with worlds.real_office(server_url, f"statements_{folder.parent.name}") as office:
        worlds.found_company(office)
        app = make_app(office, folder, promises=Promises, files_dir=folder / "files")
        pages = Pages(office, client_for(app, office, Role.SALES), Size(1), Size(MANY))
        with office.open() as work:
            make_sureness(work, incoterm="EXW", shares=[[0, 0.9], [4, 0.1]])
        for size in (pages.one, pages.many):
            with office.open(Actor(name="Grace Wu", role=Role.ADMIN)) as work:
                _fill(work, size)
                account = work.session.get_one(Account, size.account)
            size.buyer = client_for(app, office, Role.BUYER, account)
        yield pages


STAFF_PAGES = {
    "order page": lambda size: f"/orders/{size.order}",
    "account page": lambda size: f"/accounts/{size.account}",
    "quote editor": lambda size: f"/quotes/{size.quote}",
    "order list": lambda size: f"/orders?account={size.account}",
}
PORTAL_PAGES = {
    "portal order page": lambda size: f"/portal/orders/{size.order}",
    "portal order list": lambda _size: "/portal/orders",
    "portal quotes": lambda _size: "/portal/quotes",
    "portal cases": lambda _size: "/portal/cases",
    "portal documents": lambda _size: "/portal/documents",
}


def check(one: list[str], many: list[str]) -> None:
    """At most twelve, and not one more for thirty rows."""
    extra = [statement for statement in many if many.count(statement) > one.count(statement)]
    assert len(many) <= MOST, "\n".join(many)
    assert len(many) == len(one), extra


@pytest.mark.parametrize("name", STAFF_PAGES)
def test_a_staff_page_sends_few_statements_however_long_it_is(shown, name):
    url = STAFF_PAGES[name]
    check(shown.sent(shown.sales, url(shown.one)), shown.sent(shown.sales, url(shown.many)))


@pytest.mark.parametrize("name", PORTAL_PAGES)
def test_a_portal_page_sends_few_statements_however_long_it_is(shown, name):
    url, one, many = PORTAL_PAGES[name], shown.one, shown.many
    check(shown.sent(one.buyer, url(one)), shown.sent(many.buyer, url(many)))


@pytest.mark.parametrize(
    "url",
    ["/orders", "/fulfillment", "/quotes", "/inquiries", "/accounts", "/service", "/items", "/erp",
     "/planning", "/search?q=gearbox"],
)  # fmt: skip
def test_a_list_sends_few_statements(shown, url):
    sent = shown.sent(shown.sales, url)
    assert len(sent) <= MOST, "\n".join(sent)


def test_a_look_whether_something_changed_costs_two_statements_and_the_session(shown):
    for url in (f"/orders/{shown.many.order}/version", "/fulfillment/version"):
        assert len(shown.sent(shown.sales, url)) <= 4
