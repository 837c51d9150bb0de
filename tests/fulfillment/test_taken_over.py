"""From our reservation to the ERP's own plan: a piece is counted once, by one of the two."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.fulfillment.actions import Promises, project, project_due
from b2bcrm.fulfillment.models import Reservation, Stock
from b2bcrm.kernel.actor import Role
from b2bcrm.orders import actions
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.ports.promise import AskLine, DateMoved, Mode
from b2bcrm.sync.models import Feed
from tests.factories import make_account, make_item, make_line, make_order, staff

D = Decimal
pytestmark = pytest.mark.db
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def item(work, plant):
    """Twenty in stock, 35 working days to get more."""
    item = make_item(work, no="PG-115", lead_time_days=35)
    plant.stock("PG-115", 30, allocated=10)
    return item


@pytest.fixture
def order(work, item):
    """Ten pieces for today, allocated in the ERP long ago."""
    line = make_line(work, item, promised_on=work.today, planned_on=work.today)
    order = make_order(work, make_account(work, incoterm="EXW"), incoterm="EXW", lines=[line])
    project(work, [order.id])
    return order


def amend(work, order, qty):
    actions.amend_line(
        work, order.id, 10, expected_version=None, promises=Promises(work), qty=D(qty)
    )


def stock_read_to(work, moment):
    feed = work.session.scalar(sa.select(Feed).where(Feed.entity == "stock"))
    if feed is None:
        feed = Feed(
            connection_code="main", entity="stock", every_s=15, limit_minutes=30, next_at=work.tick
        )
        work.session.add(feed)
    feed.watermark, feed.data_as_of = moment, work.now
    work.session.flush()


def accepted(work, order):
    order.erp_sync, order.erp_since = ErpSync.ACCEPTED, work.now
    work.session.flush()


def free_today(work, item):
    wish = AskLine("1", item.id, D(500), work.today)
    return Promises(work).ask([wish], Mode.QUOTE)[0].by_wish_qty


def live(work):
    return work.session.scalars(
        sa.select(Reservation.qty).where(Reservation.ended_at.is_(None))
    ).all()


def test_added_pieces_are_ours_until_the_erp_took_the_amendment_and_its_stock_was_read(
    work, item, order
):
    stock_read_to(work, work.now)
    amend(work, order, 15)
    assert (live(work), free_today(work, item)) == ([5], 15)
    work.now += MINUTE
    accepted(work, order)
    project(work, [order.id])
    assert live(work) == [5]
    work.now += MINUTE
    work.session.execute(sa.update(Stock).values(allocated=D(15)))
    stock_read_to(work, work.now)
    assert project_due(work) == 1
    assert (live(work), free_today(work, item)) == ([], 15)
    assert project_due(work) == 0


def test_a_stock_read_before_the_erp_took_the_amendment_ends_nothing(work, item, order):
    amend(work, order, 15)
    work.now += MINUTE
    stock_read_to(work, work.now)
    project(work, [order.id])
    assert live(work) == [5]
    work.now += MINUTE
    accepted(work, order)
    project(work, [order.id])
    assert live(work) == [5]


def test_a_work_order_for_fewer_pieces_than_ordered_leaves_the_added_ones_ours(
    work, plant, item, order
):
    plant.make("WO-2", "PG-115", 10, "11-30", "12-04", ref=f"{order.erp_no}/10")
    amend(work, order, 15)
    accepted(work, order)
    project(work, [order.id])
    assert live(work) == [5]
    plant.make("WO-3", "PG-115", 5, "11-30", "12-04", ref=f"{order.erp_no}/10")
    project(work, [order.id])
    assert live(work) == []


def test_the_same_pieces_are_not_promised_to_two_amendments(work, item, order):
    line = make_line(work, item, promised_on=work.today, planned_on=work.today)
    other = make_order(work, make_account(work, incoterm="EXW"), incoterm="EXW", lines=[line])
    amend(work, order, 25)
    with pytest.raises(DateMoved), work.session.begin_nested():
        amend(work, other, 20)
    amend(work, other, 15)
    assert (sorted(live(work)), free_today(work, item)) == ([5, 15], 0)


def test_pieces_taken_off_an_order_again_are_free_again(work, item, order):
    amend(work, order, 25)
    assert free_today(work, item) == 5
    amend(work, order, 18)
    assert (live(work), free_today(work, item)) == ([8], 12)


def test_a_cancelled_order_frees_what_its_amendment_reserved(work, item, order):
    work.actor = staff(Role.SALES)
    amend(work, order, 25)
    actions.cancel(work, order.id, expected_version=None, reason="x", promises=Promises(work))
    assert (live(work), free_today(work, item)) == ([], 20)
