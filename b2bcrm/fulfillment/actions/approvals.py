"""A later day for a customer of class A is asked of a sales manager before the customer is told."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from b2bcrm.fulfillment.actions.promises import REASONS, change_promise, line_to_move
from b2bcrm.fulfillment.events import PromiseAsked, PromiseDeclined
from b2bcrm.fulfillment.models import PromiseRequest, RequestState
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries
from b2bcrm.orders.models import Order


def ask_for_approval(
    work: Work, line_id: int, *, promised_on: dt.date, reason_code: str, text: str = ""
) -> PromiseRequest:
    """Ask for a new date of a line instead of what was asked for it before.

    Raises as ``promises.line_to_move`` does.
    """
    line = line_to_move(work, line_id, promised_on=promised_on, reason_code=reason_code)
    assert line.promised_on is not None  # noqa: S101 - only what is promised needs approval
    work.session.execute(
        sa.update(PromiseRequest)
        .where(PromiseRequest.order_line_id == line.id, PromiseRequest.state == RequestState.OPEN)
        .values(state=RequestState.REPLACED)
    )
    row = PromiseRequest(
        order_line_id=line.id,
        promised_on=promised_on,
        previous_on=line.promised_on,
        reason_code=reason_code,
        text=text.strip(),
        state=RequestState.OPEN,
        asked_by=work.actor.name,
        asked_at=work.now,
    )
    work.session.add(row)
    work.session.flush()  # flush: the fact names its id
    order = line.order
    work.publish(
        PromiseAsked(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            request_id=row.id,
            order_no=order.no,
            line_no=line.line_no,
            previous_on=line.promised_on,
            promised_on=promised_on,
            reason=REASONS[reason_code],
            by=work.actor.name,
        )
    )
    return row


def decide_request(work: Work, request_id: int, *, approved: bool) -> Order:
    """Approve or decline what was asked; approved, the promise moves and the customer is told.

    Raises Conflict where somebody decided before, or the promise has moved since it was asked.
    """
    work.actor.must(Right.APPROVE_PROMISE)
    query = sa.select(PromiseRequest).where(PromiseRequest.id == request_id)
    row = work.session.scalars(query.with_for_update()).one_or_none()
    if row is None:
        raise not_found(Message("This request"))
    if row.state is not RequestState.OPEN:
        raise Conflict(Message("This was decided before."))
    row.state = RequestState.APPROVED if approved else RequestState.DECLINED
    row.decided_by, row.decided_at = work.actor.name, work.now
    line = queries.line_by_id(work, row.order_line_id)
    if not approved:
        work.publish(
            PromiseDeclined(
                subject_id=line.order_id,
                order_id=line.order_id,
                account_id=line.order.account_id,
                line_no=line.line_no,
                promised_on=row.promised_on,
                asked_by=row.asked_by,
            )
        )
        return line.order
    if line.promised_on != row.previous_on:
        raise Conflict(Message("The promise has moved since this was asked."))
    return change_promise(
        work,
        line.id,
        expected_version=None,
        promised_on=row.promised_on,
        reason_code=row.reason_code,
        text=row.text,
    )
