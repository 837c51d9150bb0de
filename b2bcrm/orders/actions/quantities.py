"""The only writer of produced, shipped, delivered and invoiced quantities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.kernel.words import show_decimal
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events
from b2bcrm.orders.actions.life import close_if_done, reopen_if_undone
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.queries import locked


@dataclass(frozen=True, kw_only=True)
class LineQuantities:
    """Exact totals to date of one line (not differences); None leaves a figure as it is."""

    order_line_id: int
    produced_qty: Decimal | None = None
    shipped_qty: Decimal | None = None
    delivered_qty: Decimal | None = None
    invoiced_qty: Decimal | None = None


def record_quantities(work: Work, changes: Sequence[LineQuantities]) -> set[int]:
    """Write what the ERP's documents add up to; answers the ids of orders that changed.

    Shipped pieces are published; an order of which nothing more is to come is closed. Where the
    ERP takes pieces back, a closed order is open again; one first seen closed stays as it was.
    """
    by_line = {change.order_line_id: change for change in changes}
    query = (
        sa.select(Order)
        .where(Order.id.in_(sa.select(OrderLine.order_id).where(OrderLine.id.in_(by_line))))
        .options(selectinload(Order.lines))
    )
    changed: set[int] = set()
    fell: set[int] = set()
    for order in work.session.scalars(locked(query)):
        for line in order.lines:
            change = by_line.get(line.id)
            delivered = line.delivered_qty
            if change is not None and _apply(work, order, line, change):
                changed.add(order.id)
            if line.delivered_qty < delivered:
                fell.add(order.id)
        if order.id in changed:
            order.changed_at, order.changed_by = work.now, "ERP"
            work.bump(f"order:{order.id}")
            close_if_done(work, order)
            if order.id in fell:
                reopen_if_undone(work, order)
    return changed


def _apply(work: Work, order: Order, line: OrderLine, change: LineQuantities) -> bool:
    before = line.shipped_qty
    changed = False
    for name in ("produced_qty", "shipped_qty", "delivered_qty", "invoiced_qty"):
        value = getattr(change, name)
        if value is not None and value != getattr(line, name):
            setattr(line, name, value)
            changed = True
    if line.shipped_qty != before:
        fact = events.LineShipped if line.shipped_qty > before else events.LineShippedLess
        work.publish(
            fact(
                subject_id=order.id,
                order_id=order.id,
                account_id=order.account_id,
                no=order.no,
                line_no=line.line_no,
                qty=show_decimal(abs(line.shipped_qty - before)),
                unit=line.unit,
            )
        )
    return changed
