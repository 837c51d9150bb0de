"""The one act that moves a promise. Its history is written here and in ``history``."""

from __future__ import annotations

import datetime as dt

from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.actions import projecting
from b2bcrm.fulfillment.actions.history import record_history
from b2bcrm.fulfillment.actions.promising import SUPPLY
from b2bcrm.fulfillment.events import PromiseMoved
from b2bcrm.fulfillment.models import Promise, PromiseNotice
from b2bcrm.fulfillment.planning.facts import ASKED_FOR
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, Invalid, Refused
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions as orders
from b2bcrm.orders import queries
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.sync.freshness import stale_feeds

REASONS: dict[str, Message] = {
    "material": Message("Material is late"),
    "capacity": Message("Capacity is short"),
    "quality": Message("Quality needs time"),
    ASKED_FOR: Message("The customer asked for it"),
    "transport": Message("Transport is delayed"),
    "earlier": Message("We can deliver earlier"),
    "other": Message("Other"),
}
LATEST_YEARS = 3


def change_promise(
    work: Work,
    line_id: int,
    *,
    expected_version: int | None,
    promised_on: dt.date,
    reason_code: str,
    text: str = "",
) -> Order:
    """Give a confirmed line a new date. The first promise stays; customer and ERP are told.

    Raises as ``line_to_move``, and Refused (``needs_approval``) where a second person must agree.
    """
    line = line_to_move(work, line_id, promised_on=promised_on, reason_code=reason_code)
    if needs_approval(work, line.order, line, promised_on):
        text_of_rule = Message("A later day for a customer of class A needs a sales manager.")
        raise Refused(text_of_rule, code="needs_approval")
    record_history(work, [line.order_id], kind="amended")
    before = line.promised_on
    order = orders.repromise(
        work,
        line.order_id,
        line.line_no,
        expected_version=expected_version,
        promised_on=promised_on,
    )
    reason = REASONS[reason_code]
    if text.strip():
        reason = Message("%(reason)s: %(text)s", reason=reason, text=text.strip())
    moved = Promise(
        order_line_id=line.id,
        kind="moved",
        promised_on=promised_on,
        previous_on=before,
        reason_code=reason_code,
        reason=reason,
        by_name=work.actor.name,
        at=work.now,
    )
    work.session.add(moved)
    if asks_customer(before, promised_on, reason_code):
        work.session.flush()  # flush: the notice names the move
        work.session.add(
            PromiseNotice(
                promise_id=moved.id,
                order_line_id=line.id,
                promised_on=promised_on,
                previous_on=before,
            )
        )
    work.publish(
        PromiseMoved(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            order_no=order.no,
            line_no=line.line_no,
            previous_on=before,
            promised_on=promised_on,
            reason_code=reason_code,
            reason=reason,
        )
    )
    projecting.project(work, [order.id])
    return order


def asks_customer(previous_on: dt.date | None, promised_on: dt.date, reason_code: str) -> bool:
    """Whether the customer may choose: a later day that he has not asked for himself."""
    return previous_on is not None and promised_on > previous_on and reason_code != ASKED_FOR


def line_to_move(work: Work, line_id: int, *, promised_on: dt.date, reason_code: str) -> OrderLine:
    """The line, where the new date is one that may be promised.

    Raises Invalid for a date in the past, out of sight or unchanged, an unknown reason, or an
    earlier day that the customer does not want; Refused (``stale_feeds``) while the ERP data under
    it are older than allowed.
    """
    work.actor.must(Right.CHANGE_PROMISE)
    line = queries.line_by_id(work, line_id)
    if line.delivered_qty >= line.due_qty:
        raise Conflict(Message("The line is already delivered."))
    _check(work, line, promised_on, reason_code)
    if (why := not_firm(work, line.order)) is not None:
        raise Refused(why, code="stale_feeds")
    return line


def needs_approval(work: Work, order: Order, line: OrderLine, promised_on: dt.date) -> bool:
    """Whether a sales manager must agree first: a later day for a customer of class A."""
    if line.promised_on is None or promised_on <= line.promised_on:
        return False
    if work.actor.may(Right.APPROVE_PROMISE):
        return False
    return work.session.get_one(Account, order.account_id).customer_class == "A"


def not_firm(work: Work, order: Order) -> Message | None:
    """Why no firm date can be given for the order now: its ERP's feeds are older than allowed."""
    code = queries.connection_of(work, order)
    stale = [feed for feed in stale_feeds(work, SUPPLY) if feed.connection == code]
    if not stale:
        return None
    return Message("No firm date can be given now: %(why)s", why=stale[0].why())


def _check(work: Work, line: OrderLine, promised_on: dt.date, reason_code: str) -> None:
    if reason_code not in REASONS:
        text = Message("Choose a reason.")
        raise Invalid(text, fields={"reason_code": text})
    if promised_on < work.today:
        text = Message("The date is in the past.")
        raise Invalid(text, fields={"promised_on": text})
    if promised_on.year > work.today.year + LATEST_YEARS:
        text = Message("The date is too far away.")
        raise Invalid(text, fields={"promised_on": text})
    if promised_on == line.promised_on:
        text = Message("This is the date already promised.")
        raise Invalid(text, fields={"promised_on": text})
    earlier = line.promised_on is not None and promised_on < line.promised_on
    account = work.session.get_one(Account, line.order.account_id)
    if earlier and reason_code != ASKED_FOR and not account.welcomes_early:
        text = Message("This customer has not asked for earlier deliveries.")
        raise Invalid(text, fields={"promised_on": text})
