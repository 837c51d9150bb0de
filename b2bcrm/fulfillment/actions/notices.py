"""A customer's answer to a later day: given once per move, and it moves nothing by itself.

What he accepts changes no date, as the promise has moved already. What he wants sent ahead becomes
a proposal for whoever plans, and what he writes goes to the person in charge of his order.
"""

from __future__ import annotations

from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.actions.projecting import project
from b2bcrm.fulfillment.actions.proposals import propose_for
from b2bcrm.fulfillment.actions.settling import settle
from b2bcrm.fulfillment.events import PromiseAnswered
from b2bcrm.fulfillment.models import PromiseNotice
from b2bcrm.fulfillment.planning.measures import Split
from b2bcrm.fulfillment.planning.notices import Ahead, Choice
from b2bcrm.fulfillment.queries.notices import NoticeRow, notice_of, order_of_notice
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, NotAllowed, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries
from b2bcrm.orders.models import Order
from b2bcrm.threads.actions import clean_text


def answer_notice(
    work: Work,
    notice_id: int,
    *,
    choice: Choice,
    part: Ahead | None = None,
    text: str = "",
) -> Order:
    """The customer chooses; ``part`` is what he was shown to be sent ahead.

    Raises NotFound for another account's notice or one whose line has ended, Conflict where
    somebody has answered, the promise has moved since, or other pieces are ready by now, Invalid
    for an empty message.
    """
    if not work.actor.is_portal:
        raise NotAllowed(Message("Only the customer answers."))
    # Two who answer at once follow each other: the second one sees what the first has said.
    order = queries.by_id(work, order_of_notice(work, notice_id), for_update=True)
    notice = _open(work, order, notice_id)
    row = work.session.get_one(PromiseNotice, notice_id)
    if choice is Choice.ACCEPT:
        row.settled_by, row.settled_at = work.actor.name, work.now
    elif choice is Choice.PART:
        _send_ahead(work, order, notice, row, part)
    else:
        row.text = clean_text(text)
    row.choice, row.by_id, row.by_name = choice, work.actor.user_id, work.actor.name
    row.at = work.now
    work.session.flush()  # flush: the answer is read back as all pages will read it
    said = notice_of(work, order.id, notice_id).answer
    assert said is not None  # noqa: S101 - it was just given
    work.publish(
        PromiseAnswered(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            notice_id=notice_id,
            order_no=order.no,
            by_id=work.actor.user_id,
            said=said,
        )
    )
    project(work, [order.id])
    return order


def _open(work: Work, order: Order, notice_id: int) -> NoticeRow:
    """The notice, where it can still be answered."""
    found = notice_of(work, order.id, notice_id)
    if found.answer is not None:
        raise Conflict(Message("This has been answered: %(answer)s", answer=found.answer))
    line = order.line(found.line_no)
    if line is None or line.promised_on != found.promised_on:
        raise Conflict(Message("The day has moved again: please answer the newest notice."))
    if not found.counts:
        raise not_found(Message("This notice"))
    return found


def _send_ahead(
    work: Work, order: Order, notice: NoticeRow, row: PromiseNotice, part: Ahead | None
) -> None:
    """Ask whoever plans; the ERP is told by a person, as with every proposal."""
    if part is None or part != notice.part(work.today):
        raise Conflict(Message("Other pieces are ready by now: please look again."))
    row.qty, row.arrives_on = part.qty, part.on
    line = f"{order.no}/{notice.line_no}"
    account = work.session.get_one(Account, order.account_id)
    row.proposal_id = propose_for(work, f"{line}, {account.name}", [Split(line, part.qty)])


def settle_notice(work: Work, notice_id: int) -> Order:
    """Somebody has talked with the customer: his message waits no more."""
    work.actor.must(Right.CHANGE_PROMISE)
    order = queries.by_id(work, order_of_notice(work, notice_id), for_update=True)
    notice = notice_of(work, order.id, notice_id)
    if notice.choice is not Choice.TALK or notice.settled_at is not None:
        raise Conflict(Message("Nothing waits here any more."))
    settle(work, notice_id)
    return order
