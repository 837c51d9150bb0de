"""Writing: to the customer, by the customer, and notes that stay inside."""

from __future__ import annotations

from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.service import clocks, events, queries
from b2bcrm.service.actions.loading import facts, load, side, touch
from b2bcrm.service.lifecycle import CaseAct, CaseState
from b2bcrm.service.models import Case
from b2bcrm.threads.actions import clean_text, post_message, post_note
from b2bcrm.threads.models import InternalNote, ThreadMessage


def answer(work: Work, case_id: int, text: str, *, expected_version: int | None) -> ThreadMessage:
    """Write to the customer; the first one ends the answer clock. It goes to him by mail."""
    return _write_to_customer(work, case_id, text, expected_version, CaseAct.ANSWER)


def ask_customer(
    work: Work, case_id: int, text: str, *, expected_version: int | None
) -> ThreadMessage:
    """Write to the customer and wait for his reply; the solve clock pauses until then."""
    return _write_to_customer(work, case_id, text, expected_version, CaseAct.ASK_CUSTOMER)


def _write_to_customer(
    work: Work, case_id: int, text: str, expected_version: int | None, act: CaseAct
) -> ThreadMessage:
    work.actor.must(Right.SERVE)
    case = load(work, case_id, expected_version)
    text = clean_text(text)  # complain before anything changes
    case.move(act, side(work))
    message = _message(work, case, text)
    if case.answered_at is None:
        case.answered_at = work.now
    asking = act is CaseAct.ASK_CUSTOMER
    if asking:
        case.stop_clock(work.now)
    if case.owner_id is None:
        case.owner_id = work.actor.user_id
    touch(work, case)
    work.publish(events.CaseAnswered(**facts(case), message_id=message.id, asking=asking))
    return message


def customer_writes(work: Work, case_id: int, text: str) -> ThreadMessage:
    """The customer's message: always taken, so it asks for no version.

    A paused clock runs again; a solved case is open again and its solve clock goes on.
    """
    case = load(work, case_id, None)
    text = clean_text(text)
    reopened = case.state is CaseState.SOLVED
    case.move(CaseAct.WRITE, side(work))
    message = _message(work, case, text)
    resume(work, case)
    touch(work, case)
    work.publish(events.CaseCustomerWrote(**facts(case), message_id=message.id, reopened=reopened))
    return message


def note(work: Work, case_id: int, text: str) -> InternalNote:
    """A note that stays inside. Anybody on the staff may write one; it moves no clock."""
    if work.actor.is_portal:
        raise not_found(Message("The case"))
    case = load(work, case_id, None)
    row = post_note(work, subject="case", subject_id=case.id, text=text)
    work.publish(events.CaseNoted(**facts(case), note_id=row.id))
    return row


def resume(work: Work, case: Case) -> None:
    """We have the ball: the solve clock goes on, what it stood still for does not count."""
    if case.solved_at is not None:  # from the solution to now the clock stood as well
        case.paused_at, case.solved_at = case.solved_at, None
    case.start_clock(work.now)
    calendar = queries.calendar_of_case(work.session, case)
    due = clocks.due_at(calendar, case.opened_at, clocks.SOLVE_WITHIN, case.stretches())
    case.solve_due_at = due or case.solve_due_at


def _message(work: Work, case: Case, text: str) -> ThreadMessage:
    return post_message(
        work, subject="case", subject_id=case.id, account_id=case.account_id, text=text
    )
