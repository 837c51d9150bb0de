"""What the ERP ends early, or opens again: the rest of a line, and with it perhaps the order."""

from __future__ import annotations

from decimal import Decimal

from b2bcrm.kernel.words import show_decimal
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.ports.promise import Promising

ERP = "ERP"


def close_rest(
    work: Work, order: Order, line: OrderLine, rest: Decimal, *, promises: Promising
) -> None:
    """``rest`` of the ordered pieces will not come; what was promised of them is free again."""
    line.short_qty, line.short_at, line.short_by = rest, work.now, ERP
    line.cancelled = line.due_qty <= 0
    promises.reduce(order.no, str(line.line_no))
    work.publish(_told(events.LineClosedShort, order, line, rest))


def open_rest(work: Work, order: Order, line: OrderLine) -> None:
    """What was closed short comes after all."""
    rest = line.short_qty
    line.short_qty, line.short_at, line.short_by = Decimal(0), None, ""
    line.cancelled = False
    work.publish(_told(events.LineOpenAgain, order, line, rest or line.ordered_qty))


def _told(
    fact: type[events.LineQuantity], order: Order, line: OrderLine, qty: Decimal
) -> events.LineQuantity:
    return fact(
        subject_id=order.id,
        order_id=order.id,
        account_id=order.account_id,
        no=order.no,
        line_no=line.line_no,
        qty=show_decimal(qty),
        unit=line.unit,
    )
