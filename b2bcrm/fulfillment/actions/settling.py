"""What a customer asked in answer to a later day is done, or declined: he waits no more."""

from __future__ import annotations

import sqlalchemy as sa

from b2bcrm.fulfillment.actions.projecting import project
from b2bcrm.fulfillment.events import NoticeSettled
from b2bcrm.fulfillment.models import PromiseNotice, TaskState
from b2bcrm.kernel.quantity import unit_word
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries


def settle(work: Work, notice_id: int, state: TaskState = TaskState.DONE) -> None:
    """Write down that ``state`` was decided; open again, the customer waits as before."""
    row = work.session.get_one(PromiseNotice, notice_id)
    line = queries.line_by_id(work, row.order_line_id)
    order = queries.by_id(work, line.order_id, for_update=True)
    undecided = state is TaskState.OPEN
    row.settled_by = "" if undecided else work.actor.name
    row.settled_at = None if undecided else work.now
    if not undecided:
        said, told = _words(work, row, line.line_no, line.unit, state)
        work.publish(
            NoticeSettled(
                subject_id=order.id,
                order_id=order.id,
                account_id=order.account_id,
                notice_id=notice_id,
                said=said,
                told=told,
            )
        )
    project(work, [order.id])


def settle_proposed(work: Work, proposal_id: int, state: TaskState) -> None:
    """The same where the proposal that was decided is a customer's."""
    query = sa.select(PromiseNotice.id).where(PromiseNotice.proposal_id == proposal_id)
    for notice_id in work.session.scalars(query).all():
        settle(work, notice_id, state)


def _words(
    work: Work, row: PromiseNotice, line_no: int, unit: str, state: TaskState
) -> tuple[Message, Message | None]:
    """For us, and for the customer."""
    if row.qty is None:
        said = "%(by)s has answered the customer about line %(line)s"
        return Message(said, by=work.actor.name, line=line_no), None
    facts = {"qty": row.qty, "unit": unit_word(unit), "line": line_no}
    if state is TaskState.DONE:
        told = Message("%(qty)s %(unit)s of line %(line)s are sent ahead", **facts)
    else:
        told = Message("%(qty)s %(unit)s of line %(line)s cannot be sent ahead", **facts)
    return told, told
