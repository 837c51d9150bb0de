"""Our order and the ERP's copy differ: nobody is overwritten, a person decides, both hear of it."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.orders import actions, queries
from b2bcrm.orders.intake import apply_sales_orders
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.orders.models import OrderRevision
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.conflicts import ConflictState, ErpConflict, Found
from b2bcrm.sync.ownership import Owner
from tests.factories import D, staff
from tests.orders.pushing import (
    CLERK,
    OtherErp,
    change_there,
    courier_over,
    due_again,
    in_erp,
    order,
    pull_order,
    with_lines,
)

pytestmark = pytest.mark.db


@pytest.fixture
def erp_no(office, courier, order_id):
    """The ERP's number of an order that it has accepted."""
    courier.deliver_one()
    return order(office, order_id).erp_no


def deliver_all(office, courier):
    due_again(office)
    while courier.deliver_one():
        pass


def amend(office, order_id, promises, **changes):
    with office.open(CLERK) as work:
        actions.amend_line(work, order_id, 10, expected_version=None, promises=promises, **changes)


def decide(office, act, order_id, row, **more):
    with office.open(CLERK) as work:
        getattr(actions, act)(work, order_id, row.id, expected_version=None, **more)


def names(office, order_id):
    with office.open(read_only=True) as work:
        query = sa.select(TimelineEntry.name).where(TimelineEntry.order_id == order_id)
        return list(work.session.scalars(query))


def test_our_own_write_coming_back_changes_nothing_and_opens_nothing(
    office, twin, erp_no, order_id, promises
):
    before = order(office, order_id)
    pull_order(office, twin, erp_no, promises)
    found, rows = with_lines(office, order_id)
    assert rows == []
    assert pull_order(office, twin, erp_no, promises) == 0
    assert order(office, order_id).version == found.version
    assert found.total == before.total


def test_a_quantity_changed_in_the_erp_waits_for_sales_with_both_values(
    office, twin, erp_no, order_id, promises
):
    change_there(twin, erp_no, lines={10: {"qty": D(6)}})
    pull_order(office, twin, erp_no, promises)
    found, (row,) = with_lines(office, order_id)
    assert found.lines[0].ordered_qty == D(5)
    assert (row.field, row.base, row.ours, row.theirs) == ("10.qty", "5", "5", "6")
    assert (row.owner, row.found, row.state) == (
        Owner.AGREED,
        Found.CHANGED_THERE,
        ConflictState.OPEN,
    )
    pull_order(office, twin, erp_no, promises)
    assert len(with_lines(office, order_id)[1]) == 1
    assert names(office, order_id).count("order.erp_changed") == 1


def test_taking_theirs_is_a_real_amendment_that_reaches_everybody(
    office, twin, courier, erp_no, order_id, promises
):
    change_there(twin, erp_no, lines={10: {"qty": D(6), "unit_price": D("11.5")}})
    pull_order(office, twin, erp_no, promises)
    _found, rows = with_lines(office, order_id)
    assert {row.field for row in rows} == {"10.qty", "10.unit_price"}
    promises.recorded.clear()
    for row in rows:
        decide(office, "take_theirs", order_id, row, promises=promises)
    found, rows = with_lines(office, order_id)
    line = found.lines[0]
    assert (line.ordered_qty, line.unit_price, rows) == (D(6), D("11.5"), [])
    assert found.total == D(69)
    assert found.amendment_no == 2
    assert [(ask.qty, ask.ref) for ask in promises.asked] == [(D(1), "10")]
    assert {kind for _ids, kind in promises.recorded} == {"amended"}
    with office.open(read_only=True) as work:
        sealed = work.session.scalars(
            sa.select(OrderRevision.amendment_no).where(OrderRevision.order_id == order_id)
        )
        assert sorted(sealed) == [0, 1, 2]
    assert names(office, order_id).count("order.amended") == 2
    deliver_all(office, courier)
    (theirs,) = in_erp(twin, found.no)
    assert theirs.reference == f"{found.no}/2"
    assert order(office, order_id).erp_sync is ErpSync.ACCEPTED


def test_keeping_ours_tells_the_erp_again_and_ends_the_difference(
    office, twin, courier, erp_no, order_id, promises
):
    change_there(twin, erp_no, lines={10: {"qty": D(6)}})
    pull_order(office, twin, erp_no, promises)
    _found, (row,) = with_lines(office, order_id)
    decide(office, "keep_ours", order_id, row)
    assert order(office, order_id).erp_sync is ErpSync.WAITING
    assert with_lines(office, order_id)[1][0].state is ConflictState.SENT_BACK
    pull_order(office, twin, erp_no, promises)  # before the ERP has heard it
    assert with_lines(office, order_id)[1][0].state is ConflictState.SENT_BACK
    deliver_all(office, courier)
    assert in_erp(twin, order(office, order_id).no)[0].lines[0].qty == D(5)
    assert with_lines(office, order_id)[1] == []
    with office.open(read_only=True) as work:
        assert work.session.get_one(ErpConflict, row.id).state is ConflictState.KEPT
    assert order(office, order_id).amendment_no == 0


def test_an_erp_that_refuses_ours_leaves_the_difference_visible(
    office, twin, courier, erp_no, order_id, promises
):
    change_there(twin, erp_no, lines={10: {"qty": D(6)}})
    pull_order(office, twin, erp_no, promises)
    _found, (row,) = with_lines(office, order_id)
    decide(office, "keep_ours", order_id, row)
    twin.world.cancel(erp_no, reference="", reason="stopped there")
    deliver_all(office, courier)
    _found, rows = with_lines(office, order_id)
    assert [row.field for row in rows if row.state is ConflictState.OPEN]


def test_an_amendment_never_overwrites_what_was_changed_in_the_erp_meanwhile(
    office, twin, courier, erp_no, order_id, promises
):
    change_there(twin, erp_no, lines={10: {"unit_price": D("11.5")}})
    amend(office, order_id, promises, qty=D(7))
    deliver_all(office, courier)
    assert in_erp(twin, order(office, order_id).no)[0].lines[0].unit_price == D("11.5")
    found, (row,) = with_lines(office, order_id)
    assert (row.field, row.theirs) == ("10.unit_price", "11.5")
    assert found.erp_sync is ErpSync.WAITING
    assert "decides" in str(found.erp_reason)
    decide(office, "take_theirs", order_id, row, promises=promises)
    deliver_all(office, courier)
    theirs = in_erp(twin, found.no)[0]
    assert (theirs.lines[0].qty, theirs.lines[0].unit_price) == (D(7), D("11.5"))
    assert order(office, order_id).erp_sync is ErpSync.ACCEPTED
    assert with_lines(office, order_id)[1] == []


def test_no_push_goes_out_while_a_difference_waits(
    office, twin, courier, erp_no, order_id, promises
):
    change_there(twin, erp_no, lines={10: {"qty": D(6)}})
    pull_order(office, twin, erp_no, promises)
    amend(office, order_id, promises, requested_on=dt.date(2027, 3, 1))
    deliver_all(office, courier)
    assert in_erp(twin, order(office, order_id).no)[0].lines[0].qty == D(6)
    with office.open(read_only=True) as work:
        codes = set(
            work.session.scalars(
                sa.select(Delivery.code).where(Delivery.state == DeliveryState.PARKED)
            )
        )
    assert codes == {"erp_conflict"}


def test_both_changed_the_same_field_and_the_older_write_coming_back_is_no_change(
    office, twin, courier, erp_no, order_id, promises
):
    amend(office, order_id, promises, qty=D(7))
    pull_order(office, twin, erp_no, promises)
    assert with_lines(office, order_id)[1] == []
    change_there(twin, erp_no, lines={10: {"qty": D(9)}})
    pull_order(office, twin, erp_no, promises)
    _found, (row,) = with_lines(office, order_id)
    assert (row.base, row.ours, row.theirs) == ("5", "7", "9")


def test_a_promise_moved_by_the_erps_planner_is_his_plan_and_not_our_word(
    office, twin, erp_no, order_id, promises
):
    later = dt.date(2027, 2, 20)
    change_there(twin, erp_no, lines={10: {"promised_on": later}})
    pull_order(office, twin, erp_no, promises)
    found, rows = with_lines(office, order_id)
    assert rows == []
    assert found.lines[0].promised_on == dt.date(2027, 2, 1)
    assert found.lines[0].planned_on >= later
    assert pull_order(office, twin, erp_no, promises) == 0


def test_an_order_cancelled_in_the_erp_is_a_difference_that_sales_may_take(
    office, twin, courier, erp_no, order_id, promises
):
    twin.world.cancel(erp_no, reference="", reason="stopped there")
    pull_order(office, twin, erp_no, promises)
    found, (row,) = with_lines(office, order_id)
    assert (found.state, row.field) == (OrderState.CONFIRMED, "status")
    decide(office, "take_theirs", order_id, row, promises=promises)
    assert order(office, order_id).state is OrderState.CANCELLED
    assert promises.released
    deliver_all(office, courier)
    assert order(office, order_id).erp_sync is ErpSync.ACCEPTED


def test_a_line_that_was_added_in_the_erp_may_be_taken_over(
    office, twin, erp_no, order_id, promises
):
    record = twin.gateway.get(Entity.SALES_ORDER, erp_no)
    added = dataclasses.replace(record.lines[0], line_no=20, qty=D(2))
    with office.open() as work:
        grown = dataclasses.replace(record, lines=(*record.lines, added), version="next")
        apply_sales_orders(work, [grown], promises=promises)
    found, (row,) = with_lines(office, order_id)
    assert (row.field, row.ours, row.theirs) == ("20.line", "", "present")
    assert found.line(20) is None
    decide(office, "take_theirs", order_id, row, promises=promises)
    found, _rows = with_lines(office, order_id)
    assert (found.line(20).ordered_qty, found.amendment_no) == (D(2), 1)


def test_what_the_erp_rounds_when_it_takes_an_order_is_seen_at_once(
    office, twin, order_id, promises
):
    class Rounding(OtherErp):
        def get(self, entity, erp_id):
            record = self.gateway.get(entity, erp_id)
            lines = tuple(
                dataclasses.replace(ln, unit_price=round(ln.unit_price + D("0.4"), 0))
                for ln in record.lines
            )
            return dataclasses.replace(record, lines=lines)

    courier_over(office, Rounding(twin.gateway)).deliver_one()
    found, (row,) = with_lines(office, order_id)
    assert found.erp_sync is ErpSync.ACCEPTED
    assert (row.field, row.found) == ("10.unit_price", Found.READ_BACK)
    assert Decimal(row.ours) == found.lines[0].unit_price != Decimal(row.theirs)


@pytest.mark.parametrize(
    ("damage", "field"),
    [
        (lambda r: dataclasses.replace(r, customer_po=""), "customer_po"),
        (lambda r: dataclasses.replace(r, lines=()), "10.line"),
        (lambda r: dataclasses.replace(r, total=D(1)), "total"),
    ],
)
def test_a_field_the_erp_ignored_or_a_line_it_lost_is_a_difference(
    office, twin, order_id, damage, field
):
    class Forgetful(OtherErp):
        def get(self, entity, erp_id):
            return damage(self.gateway.get(entity, erp_id))

    courier_over(office, Forgetful(twin.gateway)).deliver_one()
    _found, rows = with_lines(office, order_id)
    assert [row.field for row in rows] == [field]


def test_a_price_per_hundred_and_a_total_within_its_rounding_are_no_difference(
    office, twin, order_id
):
    class PerHundred(OtherErp):
        def get(self, entity, erp_id):
            record = self.gateway.get(entity, erp_id)
            (line,) = record.lines
            line = dataclasses.replace(line, unit_price=line.unit_price * 100, price_per=D(100))
            total = order(office, order_id).total + D("0.005")
            return dataclasses.replace(record, lines=(line,), total=total)

    courier_over(office, PerHundred(twin.gateway)).deliver_one()
    assert with_lines(office, order_id)[1] == []


def test_a_difference_in_a_field_of_ours_may_be_left_and_is_not_shown_again(
    office, twin, erp_no, order_id, promises
):
    change_there(twin, erp_no, customer_po="OTHER")
    pull_order(office, twin, erp_no, promises)
    _found, (row,) = with_lines(office, order_id)
    assert row.owner is Owner.CRM
    decide(office, "leave_both", order_id, row)
    pull_order(office, twin, erp_no, promises)
    assert with_lines(office, order_id)[1] == []


def test_what_was_agreed_with_the_customer_cannot_be_left_unsettled(
    office, twin, erp_no, order_id, promises
):
    change_there(twin, erp_no, lines={10: {"qty": D(6)}})
    pull_order(office, twin, erp_no, promises)
    _found, (row,) = with_lines(office, order_id)
    with pytest.raises(Refused):
        decide(office, "leave_both", order_id, row)
    assert with_lines(office, order_id)[1][0].state is ConflictState.OPEN


def test_a_difference_is_decided_once_by_those_who_may_and_of_its_own_order(
    office, twin, erp_no, order_id, promises
):
    change_there(twin, erp_no, lines={10: {"qty": D(6)}})
    pull_order(office, twin, erp_no, promises)
    _found, (row,) = with_lines(office, order_id)
    with office.open(staff(Role.ENGINEER)) as work, pytest.raises(NotAllowed):
        actions.keep_ours(work, order_id, row.id, expected_version=None)
    with office.open(CLERK) as work:
        other = queries.listed(work, state=None, offset=1, limit=1)[0][0]
        with pytest.raises(NotFound):
            actions.keep_ours(work, other.id, row.id, expected_version=None)
    decide(office, "keep_ours", order_id, row)
    with pytest.raises(Conflict):
        decide(office, "take_theirs", order_id, row, promises=promises)


def test_both_sides_agreeing_again_ends_a_difference_by_itself(
    office, twin, erp_no, order_id, promises
):
    change_there(twin, erp_no, lines={10: {"qty": D(6)}})
    pull_order(office, twin, erp_no, promises)
    change_there(twin, erp_no, lines={10: {"qty": D(5)}})
    pull_order(office, twin, erp_no, promises)
    assert with_lines(office, order_id)[1] == []
