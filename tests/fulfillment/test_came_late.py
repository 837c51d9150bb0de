"""Where days were lost is kept when a line has come late, and settled after a week."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.fulfillment.actions import project
from b2bcrm.fulfillment.models import LineProjection, PurchaseLine, Shipment, ShipmentLine
from b2bcrm.orders.lifecycle import OrderState, Status
from tests.factories import make_item, make_line, make_order
from tests.fulfillment.conftest import day

D = Decimal


def row_of(work, order):
    return work.session.get_one(LineProjection, order.lines[0].id)


def deliver(work, order, left, there=None):
    """All of the order's line left on one day, and arrived on another."""
    line = order.lines[0]
    part = ShipmentLine(order_line_id=line.id, qty=line.ordered_qty)
    shipment = Shipment(
        no=f"DN-{order.no}",
        account_id=order.account_id,
        shipped_on=day(left),
        delivered_on=day(there) if there else None,
        lines=[part],
    )
    work.session.add(shipment)
    line.shipped_qty = line.ordered_qty
    line.delivered_qty = line.ordered_qty if there else D(0)
    return shipment


@pytest.fixture
def late_order(work, plant):
    """Promised for 6 November, its blanks two working days late, delivered on the 12th."""
    item = make_item(work, no="SW-25", family="SW")
    line = make_line(work, item, ordered_qty=D(60), first_promised_on=day("11-06"),
                     promised_on=day("11-06"))  # fmt: skip
    order = make_order(work, incoterm="DAP", lines=[line])
    made = plant.make("WO-2", "SW-25", 60, "11-02", "11-03", ref=f"{order.erp_no}/10",
                      status="done", done=60)  # fmt: skip
    made.actual_end_on = day("11-05")
    plant.buy("PO-1", "RB-25", 60, "11-02", first="10-29", received=60, ref="WO-2",
              received_on=day("11-02"))  # fmt: skip
    deliver(work, order, "11-09", "11-12")
    return order


def lost_of(line):
    return {share["kind"]: share["days"] for share in line.lost or ()}


def test_a_line_that_came_late_keeps_where_its_days_were_lost(work, late_order):
    project(work, [late_order.id])
    line = row_of(work, late_order)
    assert (line.status, line.projected_on, line.came_on) == (
        Status.DONE,
        day("11-12"),
        day("11-12"),
    )
    assert sum(lost_of(line).values()) == 4
    told = lost_of(line)
    late_order.state = OrderState.CLOSED
    for _ in range(2):
        project(work, [late_order.id])
        assert (line.came_on, lost_of(line), line.chain) == (day("11-12"), told, [])


def test_where_days_were_lost_is_first_told_for_an_order_that_is_closed_already(work, late_order):
    late_order.state = OrderState.CLOSED
    project(work, [late_order.id])
    assert sum(lost_of(row_of(work, late_order)).values()) == 4


@pytest.mark.parametrize(("came", "kept"), [("11-10", False), ("11-09", True)])
def test_what_the_erp_books_in_the_week_after_counts_and_nothing_later_does(
    work, late_order, came, kept
):
    """Today is 17 November."""
    late_order.state = OrderState.CLOSED
    work.session.scalars(sa.select(Shipment)).one().delivered_on = day(came)
    project(work, [late_order.id])
    told = lost_of(row_of(work, late_order))
    work.session.scalars(sa.select(PurchaseLine)).one().status = "cancelled"
    project(work, [late_order.id])
    assert "supplier" in told
    assert (lost_of(row_of(work, late_order)) == told) is kept


def test_a_line_that_came_in_time_or_was_taken_back_keeps_nothing(work, late_order):
    line = late_order.lines[0]
    line.promised_on = line.first_promised_on = day("11-12")
    project(work, [late_order.id])
    row = row_of(work, late_order)
    assert (row.came_on, row.lost) == (None, None)
    line.promised_on = line.first_promised_on = day("11-06")
    project(work, [late_order.id])
    assert row.came_on is not None
    line.delivered_qty = D(0)
    project(work, [late_order.id])
    assert row.came_on is None
