"""Two processes want the last pieces at once: no piece is held twice, none is left."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.fulfillment.actions import replanning
from b2bcrm.fulfillment.models import HoldLine, Reservation, Stock
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.orders.models import OrderLine
from tests.conftest import NOW
from tests.factories import make_account, make_item, make_line, make_order, make_site
from tests.fulfillment.amends_process import amend_all
from tests.fulfillment.holds_process import hold_all
from tests.processes import together

D = Decimal


@pytest.fixture
def office(database_url):
    """A database of this test's own, with a hundred gearboxes in stock."""
    engine = make_engine(database_url)
    office = Office(engine, pinned(NOW))
    with office.open() as work:
        make_site(work)
        make_item(work, no="PG-115", lead_time_days=35)
        work.session.add(
            Stock(item_no="PG-115", site_code="TC", on_hand=D(100), allocated=D(0), as_of=work.now)
        )
    yield office
    engine.dispose()


def item_of(work) -> Item:
    return work.session.scalars(sa.select(Item)).one()


@pytest.mark.db
@pytest.mark.slow
@pytest.mark.parametrize("planned", [False, True], ids=["without a plan", "on a plan"])
def test_two_hundred_holds_on_the_last_hundred_pieces_hold_exactly_a_hundred(
    office, database_url, planned
):
    if planned:
        with office.open() as work:
            due = replanning.plan_due(work)
            assert replanning.publish_plan(work, replanning.make_plan(due))
    with office.open(read_only=True) as work:
        item_id = item_of(work).id
    each = [(database_url, name, item_id, 100) for name in ("one", "two")]
    assert sum(together(hold_all, each)) == 100
    with office.open(read_only=True) as work:
        rows = work.session.scalars(sa.select(HoldLine.qty)).all()
    assert sum(rows) == 100


@pytest.mark.db
@pytest.mark.slow
def test_amendments_of_forty_orders_by_five_get_exactly_the_last_hundred_pieces(
    office, database_url
):
    with office.open() as work:
        account = make_account(work, incoterm="EXW")
        ids = [
            make_order(
                work,
                account,
                incoterm="EXW",
                lines=[make_line(work, item_of(work), promised_on=work.today)],
            ).id
            for _ in range(40)
        ]
    each = [(database_url, "one", ids[::2]), (database_url, "two", ids[1::2])]
    assert sum(together(amend_all, each)) == 20
    with office.open(read_only=True) as work:
        rows = work.session.scalars(sa.select(Reservation.qty)).all()
        lines = work.session.scalars(sa.select(OrderLine.ordered_qty)).all()
    assert (sum(rows), sum(lines)) == (100, 500)
