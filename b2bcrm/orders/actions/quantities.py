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
from b2bcrm.orders.actions.life import close
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine


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

    Shipped pieces are published; an order whose every line is delivered in full is closed.
    """
    by_line = {change.order_line_id: change for change in changes}
    query = (
        sa.select(Order)
        .where(Order.id.in_(sa.select(OrderLine.order_id).where(OrderLine.id.in_(by_line))))
        .options(selectinload(Order.lines))
        .order_by(Order.id)
    )
    changed: set[int] = set()
    for order in work.session.scalars(query):
        for line in order.lines:
            change = by_line.get(line.id)
            if change is not None and _apply(work, order, line, change):
                changed.add(order.id)
        if order.id in changed:
            order.changed_at, order.changed_by = work.now, "ERP"
            work.bump(f"order:{order.id}")
            open_lines = [ln for ln in order.lines if not ln.cancelled]
            done = all(ln.delivered_qty >= ln.ordered_qty for ln in open_lines)
            if done and open_lines and order.state is OrderState.CONFIRMED:
                close(work, order)
    return changed


def _apply(work: Work, order: Order, line: OrderLine, change: LineQuantities) -> bool:
    before = line.shipped_qty
    changed = False
    for name in ("produced_qty", "shipped_qty", "delivered_qty", "invoiced_qty"):
        value = getattr(change, name)
        if value is not None and value != getattr(line, name):
            setattr(line, name, value)
            changed = True
    if line.shipped_qty > before:
        work.publish(
            events.LineShipped(
                subject_id=order.id,
                order_id=order.id,
                account_id=order.account_id,
                no=order.no,
                line_no=line.line_no,
                qty=show_decimal(line.shipped_qty - before),
                unit=line.unit,
            )
        )
    return changed
