"""A later day for a customer of class A is asked of a sales manager before the customer is told."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from b2bcrm.fulfillment.actions.promises import REASONS, change_promise, line_to_move
from b2bcrm.fulfillment.events import PromiseAsked, PromiseDecided
from b2bcrm.fulfillment.models import PromiseRequest, RequestState
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, Invalid, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries
from b2bcrm.orders.models import Order


def ask_for_approval(
    work: Work,
    line_id: int,
    *,
    promised_on: dt.date,
    reason_code: str,
    text: str = "",
    replaces: int | None = None,
) -> PromiseRequest:
    """Ask for a new date of a line; ``replaces`` is the request that is taken back by it.

    Raises as ``promises.line_to_move`` does, and Conflict where another request waits.
    """
    # Two who ask at once follow each other: the second one sees what the first has asked.
    queries.by_id(work, queries.line_by_id(work, line_id).order_id, for_update=True)
    line = line_to_move(work, line_id, promised_on=promised_on, reason_code=reason_code)
    assert line.promised_on is not None  # noqa: S101 - only what is promised needs approval
    waiting = waiting_request(work, line.id)
    if waiting is not None and waiting.id != replaces:
        raise Conflict(
            Message(
                "%(by)s has asked for %(day)s meanwhile: look at that first.",
                by=waiting.asked_by,
                day=waiting.promised_on,
            )
        )
    if waiting is not None:
        replaced = sa.update(PromiseRequest).where(*_open(line.id))
        work.session.execute(replaced.values(state=RequestState.REPLACED))
    row = PromiseRequest(
        order_line_id=line.id,
        promised_on=promised_on,
        previous_on=line.promised_on,
        reason_code=reason_code,
        text=text.strip(),
        state=RequestState.OPEN,
        asked_by=work.actor.name,
        asked_by_id=work.actor.user_id,
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


def waiting_request(work: Work, line_id: int) -> PromiseRequest | None:
    """What is asked for a line and not decided yet, the last if there is more."""
    query = sa.select(PromiseRequest).where(*_open(line_id)).order_by(PromiseRequest.id.desc())
    return work.session.scalars(query.execution_options(populate_existing=True)).first()


def _open(line_id: int) -> tuple[sa.ColumnElement[bool], ...]:
    return PromiseRequest.order_line_id == line_id, PromiseRequest.state == RequestState.OPEN


def decide_request(work: Work, request_id: int, *, approved: bool, text: str = "") -> Order:
    """Approve or decline what was asked; who asked is told, with the reason where declined.

    Approved, the promise moves and the customer is told. Raises Conflict where somebody decided
    before, or the promise has moved since it was asked; Invalid for declining without a reason.
    """
    work.actor.must(Right.APPROVE_PROMISE)
    row = work.session.get(PromiseRequest, request_id)
    if row is None:
        raise not_found(Message("This request"))
    order_id = queries.line_by_id(work, row.order_line_id).order_id
    queries.by_id(work, order_id, for_update=True)  # as who asks: the order, then its requests
    work.session.refresh(row)
    line = queries.line_by_id(work, row.order_line_id)
    text = text.strip()
    if row.state is not RequestState.OPEN:
        raise Conflict(Message("This was decided before."))
    if approved and line.promised_on != row.previous_on:
        raise Conflict(Message("The promise has moved since this was asked."))
    if not approved and not text:
        needed = Message("Say why.")
        raise Invalid(needed, fields={"text": needed})
    row.state = RequestState.APPROVED if approved else RequestState.DECLINED
    row.decided_by, row.decided_at, row.answer = work.actor.name, work.now, text
    work.publish(
        PromiseDecided(
            subject_id=order_id,
            order_id=order_id,
            account_id=line.order.account_id,
            request_id=row.id,
            order_no=line.order.no,
            line_no=line.line_no,
            promised_on=row.promised_on,
            asked_by=row.asked_by,
            approved=approved,
            by=work.actor.name,
            text=text,
        )
    )
    if not approved:
        return line.order
    return change_promise(
        work,
        line.id,
        expected_version=None,
        promised_on=row.promised_on,
        reason_code=row.reason_code,
        text=row.text,
    )
