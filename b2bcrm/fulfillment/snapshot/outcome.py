"""How lines came out: when the last of each had come, and how its promise had moved before."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import sqlalchemy as sa

from b2bcrm.customers.receiving import at_customer
from b2bcrm.fulfillment.models import Promise, Shipment, ShipmentLine
from b2bcrm.fulfillment.planning.facts import Moved
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine

Out = tuple[dt.date, dt.date | None]  # the last day that any of it left, and that any arrived


def ways_out(work: Work, line_ids: Collection[int]) -> dict[int, Out]:
    """The last days of the lines of which anything has left."""
    query = (
        sa.select(
            ShipmentLine.order_line_id,
            sa.func.max(Shipment.shipped_on, type_=Shipment.shipped_on.type),
            sa.func.max(Shipment.delivered_on, type_=Shipment.delivered_on.type),
        )
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ShipmentLine.order_line_id.in_(line_ids))
        .group_by(ShipmentLine.order_line_id)
    )
    return {line_id: (left, there) for line_id, left, there in work.session.execute(query)}


def came_on(order: Order, line: OrderLine, out: Out | None) -> dt.date | None:
    """The day on which all of the line had come, by the order's terms; None while it has not."""
    if out is None:
        return None
    left, there = out
    if at_customer(order.incoterm):
        return there if line.delivered_qty >= line.due_qty else None
    return left if line.shipped_qty >= line.due_qty else None


def moves(work: Work, line_ids: Collection[int]) -> Mapping[int, Sequence[Moved]]:
    """How the promises of the lines moved, oldest first."""
    query = (
        sa.select(
            Promise.order_line_id, Promise.previous_on, Promise.promised_on, Promise.reason_code
        )
        .where(Promise.order_line_id.in_(line_ids), Promise.previous_on.is_not(None))
        .order_by(Promise.id)
    )
    found: dict[int, list[Moved]] = defaultdict(list)
    for line_id, was_on, on, code in work.rows(query):
        found[line_id].append(Moved(was_on, on, code))
    return found


def came_late(work: Work, orders: Sequence[Order]) -> list[Order]:
    """Those of the closed orders of which a line came after a day that it was promised for."""
    closed = [order for order in orders if order.state is OrderState.CLOSED]
    lines = [(o, line) for o in closed for line in o.lines if not line.cancelled]
    if not lines:
        return []
    out = ways_out(work, [line.id for _, line in lines])
    late = {
        order.id
        for order, line in lines
        if (day := came_on(order, line, out.get(line.id)))
        and any(day > on for on in (line.first_promised_on, line.promised_on) if on)
    }
    return [order for order in closed if order.id in late]
