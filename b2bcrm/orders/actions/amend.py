"""Changes to a living order: amend a line, hold, release, the customer's PO number."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import reduce

from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, Invalid, Refused, not_found
from b2bcrm.kernel.quantity import check_qty
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events
from b2bcrm.orders.actions.life import load, seal, touch, wait_for_erp
from b2bcrm.orders.lifecycle import FINAL, Act, OrderState
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.queries import PUSH
from b2bcrm.ports.promise import AskLine, PromiseMoved, Promising, date_moved

MAX_REASON = 300


def amend_line(
    work: Work,
    order_id: int,
    line_no: int,
    *,
    expected_version: int | None,
    promises: Promising,
    qty: Decimal | None = None,
    requested_on: dt.date | None = None,
    promised_on: dt.date | None = None,
) -> Order:
    """Change a line's quantity or wished date.

    On a confirmed order this is an amendment: numbered, sealed, sent to the ERP under its own
    reference. The quantity may not fall below what has shipped. Added pieces are reserved until
    the ERP has planned them. ``promised_on`` is the latest date that was shown for them, else
    the line's own promise: raises DateMoved, changing nothing, where they come later than that.
    """
    work.actor.must(Right.ORDER)
    order = load(work, order_id, expected_version)
    line = order.line(line_no)
    if line is None or line.cancelled:
        raise not_found(Message("This order line"))
    if line.short_qty > 0:
        raise Conflict(Message("The rest of this line was closed in the ERP."))
    order.move(Act.AMEND)
    more = qty - line.ordered_qty if qty is not None else Decimal(0)
    changes = _take_over(line, qty, requested_on)
    if not changes:
        raise Invalid(Message("Nothing was changed."))
    if more > 0:
        changes += promise_added(order, line, more, promises, shown_on=promised_on)
    elif more < 0:
        promises.reduce(order.no, str(line_no), -more)
    order.add_up()
    touch(work, order)
    work.bump(f"order:{order.id}")
    if order.state is OrderState.CONFIRMED:
        amended(work, order, changes, promises)
    return order


def amended(work: Work, order: Order, changes: list[Message], promises: Promising) -> None:
    """Number and seal what changed on a confirmed order; the ERP and the customer are told."""
    what = reduce(lambda a, b: Message("%(first)s, %(second)s", first=a, second=b), changes)
    order.amendment_no += 1
    _send_anew(work, order)
    seal(work, order, reason=str(what)[:MAX_REASON])
    work.publish(
        events.OrderAmended(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            amendment_no=order.amendment_no,
            what=what,
        )
    )
    promises.record([order.id], kind="amended", reason=what)


def _take_over(line: OrderLine, qty: Decimal | None, requested_on: dt.date | None) -> list[Message]:
    """Write what is new on the line; answers what changed, in words."""
    changes: list[Message] = []
    if qty is not None and qty != line.ordered_qty:
        check_qty(qty, line.unit)
        if qty < line.shipped_qty:
            text = Message("%(qty)s have already shipped.", qty=line.shipped_qty)
            raise Invalid(text, fields={"qty": text})
        changes.append(
            Message(
                "line %(line)s quantity %(old)s to %(new)s",
                line=line.line_no,
                old=line.ordered_qty,
                new=qty,
            )
        )
        line.ordered_qty = qty
    if requested_on is not None and requested_on != line.requested_on:
        changes.append(
            Message(
                "line %(line)s wanted %(old)s, now %(new)s",
                line=line.line_no,
                old=line.requested_on,
                new=requested_on,
            )
        )
        line.requested_on = requested_on
    return changes


def promise_added(
    order: Order, line: OrderLine, more: Decimal, promises: Promising, *, shown_on: dt.date | None
) -> list[Message]:
    """Reserve the added pieces; the line's promise moves where a later date was shown for them.

    A line that nothing was promised for yet gets its first promise, for all of it.
    """
    promised_on = line.promised_on
    wish = AskLine(
        ref=str(line.line_no),
        item_id=line.item_id,
        qty=line.ordered_qty if promised_on is None else more,
        wanted_on=promised_on or line.requested_on,
        site_id=order.site_id,
        account_id=order.account_id,
    )
    at_worst = max((day for day in (promised_on, shown_on) if day), default=None)
    try:
        answer = promises.extend(order.no, wish, at_worst=at_worst)
    except PromiseMoved as moved:
        shown = {wish.ref: at_worst} if at_worst else {}
        raise date_moved(moved.answers, shown) from None
    if answer.full_on is None or (promised_on and answer.full_on <= promised_on):
        return []
    line.promised_on = answer.full_on
    return [Message("line %(line)s promised for %(day)s", line=line.line_no, day=answer.full_on)]


def repromise(
    work: Work, order_id: int, line_no: int, *, expected_version: int | None, promised_on: dt.date
) -> Order:
    """Write a line's new promise on a confirmed order: an amendment that the ERP is told.

    The first promise stays. Who may do this, why, and the history are fulfillment's.
    """
    order = load(work, order_id, expected_version)
    line = order.line(line_no)
    if line is None or line.cancelled:
        raise not_found(Message("This order line"))
    if order.state is not OrderState.CONFIRMED:
        raise Conflict(Message("Only a confirmed order's promises can be changed."))
    order.move(Act.AMEND)
    line.promised_on = promised_on
    touch(work, order)
    order.amendment_no += 1
    _send_anew(work, order)
    what = Message("line %(line)s promised for %(day)s", line=line_no, day=promised_on)
    seal(work, order, reason=str(what))
    work.publish(
        events.OrderRepromised(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            amendment_no=order.amendment_no,
            what=what,
        )
    )
    return order


def hold(work: Work, order_id: int, *, expected_version: int | None, reason: str) -> Order:
    """Stop work on the order. Its state stays: releasing returns to where it was."""
    work.actor.must(Right.ORDER)
    order = load(work, order_id, expected_version)
    if order.state in FINAL:
        raise Conflict(Message("The order is closed."))
    if not reason.strip():
        text = Message("Say why.")
        raise Invalid(text, fields={"reason": text})
    order.hold_reason, order.held_at = reason.strip(), work.now
    touch(work, order)
    work.publish(
        events.OrderHeld(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            reason=reason,
        )
    )
    return order


def release(work: Work, order_id: int, *, expected_version: int | None) -> Order:
    """End the hold."""
    work.actor.must(Right.ORDER)
    order = load(work, order_id, expected_version)
    if order.hold_reason is None:
        raise Refused(Message("The order is not on hold."), code="not_held")
    reason, order.hold_reason, order.held_at = order.hold_reason, None, None
    touch(work, order)
    work.publish(
        events.OrderReleased(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            reason=reason,
        )
    )
    return order


def link_customer_po(
    work: Work, order_id: int, *, expected_version: int | None, customer_po: str
) -> Order:
    """Write the customer's own order number on a submitted order."""
    work.actor.must(Right.ORDER)
    order = load(work, order_id, expected_version)
    if order.state is not OrderState.SUBMITTED:
        raise Conflict(Message("The order is already confirmed."))
    order.customer_po = customer_po.strip()
    touch(work, order)
    work.bump(f"order:{order.id}")
    return order


def _send_anew(work: Work, order: Order) -> None:
    """What the ERP refused before is out of date: the whole order goes again as it is now."""
    wait_for_erp(work, order)
    outbox.unpark(work.session, [f"order:{order.id}"], PUSH, work.tick)
