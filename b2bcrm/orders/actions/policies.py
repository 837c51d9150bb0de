"""How a line may leave: with which others, in which parts, how late at most.

No ERP has such fields, so none is told. The order's projection follows at once, the plan soon.
"""

from __future__ import annotations

from decimal import Decimal

from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid, not_found
from b2bcrm.kernel.quantity import check_qty
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events
from b2bcrm.orders.actions.life import load, touch
from b2bcrm.orders.lifecycle import Act
from b2bcrm.orders.models import MAX_LABEL, Order, OrderLine, policy_words
from b2bcrm.ports.promise import Promising

MOST_DAYS = 999


def set_policy(
    work: Work,
    order_id: int,
    line_no: int,
    *,
    expected_version: int | None,
    promises: Promising,
    leaves_with: str = "",
    least_shipment: Decimal | None = None,
    max_late_days: int | None = None,
) -> Order:
    """Settle how a line of an open order may leave; what is not said is as ever.

    Raises Invalid at the field that cannot be, or where nothing changes.
    """
    work.actor.must(Right.ORDER)
    order = load(work, order_id, expected_version)
    line = order.line(line_no)
    if line is None or line.cancelled:
        raise not_found(Message("This order line"))
    order.move(Act.AMEND)
    wanted = (leaves_with.strip(), _least(line, least_shipment), _days(max_late_days))
    if len(wanted[0]) > MAX_LABEL:
        raise _wrong("leaves_with", Message("At most %(n)s characters.", n=MAX_LABEL))
    if wanted == (line.leaves_with, line.least_shipment, line.max_late_days):
        raise Invalid(Message("Nothing was changed."))
    line.leaves_with, line.least_shipment, line.max_late_days = wanted
    touch(work, order)
    label, least, most = wanted
    what = policy_words(label, order.leaving_with(line), least, line.unit, most)
    what = what or Message("leaves alone, whole, on any day")
    work.publish(
        events.LinePolicySet(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            what=Message("Line %(line)s: %(what)s", line=line_no, what=what),
        )
    )
    promises.record([order.id], kind="amended", reason=what)
    return order


def _least(line: OrderLine, least: Decimal | None) -> Decimal | None:
    if least is None:
        return None
    try:
        least = check_qty(least, line.unit)
    except Invalid as error:  # the rule of the unit knows no form
        raise _wrong("least_shipment", error.message) from None
    if least > line.due_qty:
        text = Message("The line has no more than %(qty)s.", qty=line.due_qty)
        raise _wrong("least_shipment", text)
    return least


def _days(days: int | None) -> int | None:
    if days is not None and not 0 <= days <= MOST_DAYS:
        raise _wrong("max_late_days", Message("Between 0 and %(n)s days.", n=MOST_DAYS))
    return days


def _wrong(field: str, text: Message) -> Invalid:
    return Invalid(text, fields={field: text})
