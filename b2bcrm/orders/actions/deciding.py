"""What a person decides about a difference between our order and the ERP's copy of it.

Theirs: a real amendment, numbered, sealed, promised anew, acknowledged to the customer. Ours:
the ERP is told again, and the difference stays visible if it refuses. Leaving both is for fields
that nobody agreed upon with the customer.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, Invalid, Refused, not_found
from b2bcrm.kernel.quantity import check_qty
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events
from b2bcrm.orders.actions import sides
from b2bcrm.orders.actions.amend import amended, promise_added
from b2bcrm.orders.actions.life import cancel, load, touch, wait_for_erp
from b2bcrm.orders.actions.meeting import Book, book_for, difference, take
from b2bcrm.orders.lifecycle import Act, OrderState
from b2bcrm.orders.models import Order
from b2bcrm.orders.queries import PUSH
from b2bcrm.ports.promise import Promising
from b2bcrm.sync import conflicts
from b2bcrm.sync.conflicts import OVERTAKEN, ConflictState, ErpConflict
from b2bcrm.sync.ownership import FIELD_WORDS, REFUSED_LATE, Owner


def take_theirs(
    work: Work,
    order_id: int,
    conflict_id: int,
    *,
    expected_version: int | None,
    promises: Promising,
    promised_on: dt.date | None = None,
) -> Order:
    """Agree to what was changed in the ERP: an amendment of our order.

    For added pieces a date is asked and reserved, as for any amendment: raises DateMoved where
    they come later than the line's promise and ``promised_on``.
    """
    order, row = _load(work, order_id, conflict_id, expected_version)
    if row.name == "status":
        reason = str(Message("Cancelled in the ERP"))
        cancel(work, order.id, expected_version=None, reason=reason, promises=promises)
        _settle(work, order, row, ConflictState.TAKEN)
        _go_on(work, order)
        return order
    if row.name == "total":
        raise Refused(Message("A total is the sum of its lines."), code="not_takable")
    if row.name == REFUSED_LATE:
        raise Refused(
            Message("A refusal is not taken over: correct the order, send it again or leave it."),
            code="not_takable",
        )
    order.move(Act.AMEND)
    changes = _take(order, row, book_for(work, order, row), promises, promised_on)
    order.add_up()
    touch(work, order)
    _settle(work, order, row, ConflictState.TAKEN)
    if order.state is OrderState.CONFIRMED:
        amended(work, order, changes, promises)
    _go_on(work, order)
    return order


def keep_ours(
    work: Work, order_id: int, conflict_id: int, *, expected_version: int | None
) -> Order:
    """Our value stands: it goes to the ERP again, once nothing else waits for a decision."""
    order, row = _load(work, order_id, conflict_id, expected_version)
    _settle(work, order, row, ConflictState.SENT_BACK)
    touch(work, order)
    wait_for_erp(work, order)
    work.publish(
        events.OrderSentBack(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            amendment_no=order.amendment_no,
        )
    )
    _go_on(work, order)
    return order


def leave_both(
    work: Work, order_id: int, conflict_id: int, *, expected_version: int | None
) -> Order:
    """Live with the difference; it is shown again only when the ERP's value changes again."""
    order, row = _load(work, order_id, conflict_id, expected_version)
    if row.owner is Owner.AGREED:
        raise Refused(
            Message("It was agreed with the customer: take theirs over, or keep ours."),
            code="agreed_field",
        )
    _settle(work, order, row, ConflictState.LEFT)
    touch(work, order)
    _go_on(work, order)
    return order


def _load(
    work: Work, order_id: int, conflict_id: int, expected_version: int | None
) -> tuple[Order, ErpConflict]:
    work.actor.must(Right.ORDER)
    order = load(work, order_id, expected_version)
    row = work.session.get(ErpConflict, conflict_id)
    if row is None or row.order_id != order.id:
        raise not_found(Message("This difference"))
    if row.state is not ConflictState.OPEN:
        raise Conflict(Message("Somebody has decided this already."))
    return order, row


def _settle(work: Work, order: Order, row: ErpConflict, how: ConflictState) -> None:
    conflicts.settle(work, row, how)
    work.publish(
        events.OrderDifferenceSettled(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            what=difference(row.field, row.ours, row.theirs),
            how=how.value,
        )
    )


def _go_on(work: Work, order: Order) -> None:
    """With the last decision the pushes that waited for it are due."""
    work.session.flush()  # flush: the decision must be seen by the question
    rows = conflicts.of_order(work.session, order.id)
    if not any(row.state is ConflictState.OPEN for row in rows):
        stream = f"order:{order.id}"
        outbox.unpark(work.session, [stream], PUSH, work.tick, code=OVERTAKEN)


def _take(
    order: Order,
    row: ErpConflict,
    known: Book,
    promises: Promising,
    promised_on: dt.date | None,
) -> list[Message]:
    """Write theirs on our order within our own rules; answers what changed, in words."""
    line = order.line(row.line_no) if row.line_no is not None else None
    if row.name == "qty" and line is not None:
        qty = Decimal(row.theirs)
        if line.short_qty > 0:
            raise Conflict(Message("The rest of this line was closed in the ERP."))
        check_qty(qty, line.unit)
        if qty < line.shipped_qty:
            raise Invalid(Message("%(qty)s have already shipped.", qty=line.shipped_qty))
        more = qty - line.ordered_qty
        line.ordered_qty = qty
        changes = [_words(row)]
        if more > 0:
            changes += promise_added(order, line, more, promises, shown_on=promised_on)
        else:
            promises.reduce(order.no, str(line.line_no), -more)
        return changes
    if row.name == "line" and line is not None and row.theirs == sides.NOT_THERE:
        if line.shipped_qty > 0:
            raise Refused(Message("Something has already shipped."), code="already_shipped")
        promises.reduce(order.no, str(line.line_no))
    try:
        take(order, row.field, row.theirs, known, row.detail)
    except KeyError:
        raise Refused(Message("The item is not known here yet."), code="unknown_item") from None
    return [_words(row)]


def _words(row: ErpConflict) -> Message:
    """The amendment's sentence: the customer may read it."""
    if row.name == "line":
        if row.theirs == sides.THERE:
            return Message("line %(line)s added", line=row.line_no)
        return Message("line %(line)s cancelled", line=row.line_no)
    if row.line_no is None:
        return Message(
            "%(field)s %(old)s to %(new)s",
            field=FIELD_WORDS[row.name],
            old=row.ours or "–",
            new=row.theirs or "–",
        )
    return Message(
        "line %(line)s, %(field)s %(old)s to %(new)s",
        line=row.line_no,
        field=FIELD_WORDS[row.name],
        old=row.ours or "–",
        new=row.theirs or "–",
    )
