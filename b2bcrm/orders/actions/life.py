"""The acts of an order's life: submit, confirm, cancel, close, reopen.

Each loads, checks the right and the version, asks ``lifecycle.after`` through ``Order.move``,
changes, and publishes one fact. Nothing here talks to the ERP: that follows from the fact.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sqlalchemy.orm.attributes import flag_modified

from b2bcrm.customers.queries import erp_customer_for
from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.versions import check_version
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events, queries
from b2bcrm.orders.lifecycle import Act, ErpSync, OrderState
from b2bcrm.orders.models import Order, OrderRevision
from b2bcrm.orders.queries import PUSH
from b2bcrm.ports.promise import Promising


def load(work: Work, order_id: int, expected_version: int | None) -> Order:
    """The order to act on; StaleVersion says who changed it meanwhile and when."""
    order = queries.by_id(work, order_id, for_update=True)
    check_version(order, expected_version, now=work.now)
    return order


def touch(work: Work, order: Order) -> None:
    """Remember who changed it last, for the next person's 409; the version counts every change."""
    order.changed_at, order.changed_by = work.now, work.actor.name
    flag_modified(order, "changed_at")  # changes of lines alone would not count


def submit(work: Work, order_id: int, *, expected_version: int | None = None) -> Order:
    """A draft becomes a submitted order."""
    work.actor.must(Right.ORDER)
    order = load(work, order_id, expected_version)
    order.move(Act.SUBMIT)
    touch(work, order)
    work.publish(
        events.OrderSubmitted(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            origin=order.origin.value,
        )
    )
    return order


def obstacle(work: Work, order: Order) -> Message | None:
    """What speaks against confirming without a person, or None."""
    customer = erp_customer_for(
        work,
        order.account_id,
        connection=queries.connection_of(work, order),
        company_id=order.company_id,
        ship_to_id=order.ship_to_id,
    )
    if order.hold_reason is not None:
        return Message("The order is on hold.")
    if customer is None:
        return Message("The account has no ERP number yet.")
    if customer.credit_hold:
        return Message("The account's credit is blocked in the ERP.")
    if any(line.promised_on is None for line in order.lines if not line.cancelled):
        return Message("A line has no promise date.")
    return None


def confirm_by_rule(work: Work, order: Order, *, promises: Promising) -> bool:
    """Confirm at once when nothing speaks against it; answers whether it did."""
    if obstacle(work, order) is not None:
        return False
    _confirm(work, order, promises)
    return True


def confirm(
    work: Work, order_id: int, *, expected_version: int | None, promises: Promising
) -> Order:
    """Give our word: freeze first promises, seal the revision, let the ERP know."""
    work.actor.must(Right.ORDER)
    order = load(work, order_id, expected_version)
    reason = obstacle(work, order)
    if reason is not None:
        raise Refused(reason, code="not_confirmable")
    _confirm(work, order, promises)
    return order


def _confirm(work: Work, order: Order, promises: Promising) -> None:
    order.move(Act.CONFIRM)
    order.confirmed_at = work.now
    for line in order.lines:
        if line.first_promised_on is None:
            line.first_promised_on = line.promised_on
    wait_for_erp(work, order)
    seal(work, order, reason="")
    touch(work, order)
    dates = [line.promised_on for line in order.lines if line.promised_on and not line.cancelled]
    work.publish(
        events.OrderConfirmed(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            amendment_no=order.amendment_no,
            promised_on=max(dates, default=None),
        )
    )
    promises.record([order.id], kind="first", reason=Message("Order confirmed"))


def wait_for_erp(work: Work, order: Order) -> None:
    """The delivery that follows will say accepted, refused or unknown; none follows where a
    person has left the order out.
    """
    if order.erp_sync is ErpSync.LEFT_OUT:
        return
    order.erp_sync, order.erp_since, order.erp_reason = ErpSync.WAITING, work.now, None


def seal(work: Work, order: Order, *, reason: str) -> None:
    """Keep what was confirmed, immutable, with its digest."""
    content = snapshot(order)
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    work.session.add(
        OrderRevision(
            order_id=order.id,
            amendment_no=order.amendment_no,
            at=work.now,
            by_name=work.actor.name,
            reason=reason,
            snapshot=content,
            digest=hashlib.sha256(text.encode()).hexdigest(),
        )
    )


def snapshot(order: Order) -> dict[str, Any]:
    """Everything that was agreed, as plain values."""
    return {
        "no": order.no,
        "customer_po": order.customer_po,
        "currency": order.currency,
        "total": str(order.total),
        "incoterm": f"{order.incoterm} {order.incoterm_place}".strip(),
        "payment_terms": order.payment_terms,
        "lines": [
            {
                "line_no": line.line_no,
                "item_id": line.item_id,
                "qty": str(line.ordered_qty),
                "unit_price": str(line.unit_price),
                "discount_pct": str(line.discount_pct),
                "net": str(line.net),
                "requested_on": line.requested_on.isoformat(),
                "promised_on": line.promised_on.isoformat() if line.promised_on else None,
                "cancelled": line.cancelled,
            }
            for line in order.lines
        ],
    }


def cancel(
    work: Work, order_id: int, *, expected_version: int | None, reason: str, promises: Promising
) -> Order:
    """Stop the order; refused once something has shipped. The ERP is told if it knows it."""
    work.actor.must(Right.ORDER)
    order = load(work, order_id, expected_version)
    if any(line.shipped_qty > 0 for line in order.lines):
        raise Refused(Message("Something has already shipped."), code="already_shipped")
    known = order.state is OrderState.CONFIRMED
    order.move(Act.CANCEL)
    order.closed_at = work.now
    if known:
        order.amendment_no += 1
        wait_for_erp(work, order)
        outbox.unpark(work.session, [f"order:{order.id}"], PUSH, work.tick)
    touch(work, order)
    promises.release(order.no)
    work.publish(
        events.OrderCancelled(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            amendment_no=order.amendment_no,
            reason=reason,
        )
    )
    return order


def close_if_done(work: Work, order: Order) -> None:
    """Nothing more is to come: the order's life ends; service goes on with its lines."""
    if order.state is not OrderState.CONFIRMED or not order.done:
        return
    order.move(Act.CLOSE)
    order.closed_at = work.now
    touch(work, order)
    work.publish(
        events.OrderClosed(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            short=any(line.short_qty > 0 for line in order.lines),
        )
    )


def reopen_if_undone(work: Work, order: Order) -> None:
    """The ERP took back what had closed the order: it goes on where it was."""
    if order.state is not OrderState.CLOSED or order.done:
        return
    order.move(Act.REOPEN)
    order.closed_at = None
    touch(work, order)
    open_lines = (ln for ln in order.lines if not ln.cancelled and ln.delivered_qty < ln.due_qty)
    work.publish(
        events.OrderReopened(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            line_no=next(open_lines).line_no,
        )
    )
