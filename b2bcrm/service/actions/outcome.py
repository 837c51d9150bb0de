"""How a case ends: solved with a cause, confirmed and closed, or open again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, selectinload

from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.work import Work
from b2bcrm.service import clocks, events, lifecycle, queries
from b2bcrm.service.actions.conversation import resume
from b2bcrm.service.actions.loading import facts, load, side, touch
from b2bcrm.service.lifecycle import CAUSE_WORDS, CaseAct, CaseCause, CaseState
from b2bcrm.service.models import Case
from b2bcrm.threads.actions import clean_text, post_message

BATCH = 500
_QUARTER = clocks.WARN_BELOW
_LONGEST_HOLIDAY = dt.timedelta(days=12)
_Column = InstrumentedAttribute[Any]


def solve(
    work: Work, case_id: int, *, solution: str, cause: CaseCause, expected_version: int | None
) -> Case:
    """Say what was done and why it happened; the customer gets the solution, not the cause."""
    work.actor.must(Right.SERVE)
    case = load(work, case_id, expected_version)
    solution = clean_text(solution, field="solution")  # complain before anything changes
    case.move(CaseAct.SOLVE, side(work))
    message = post_message(
        work,
        subject="case",
        subject_id=case.id,
        account_id=case.account_id,
        text=solution,
    )
    case.start_clock(work.now)
    case.solution, case.cause, case.solved_at = message.text, cause.value, work.now
    if case.answered_at is None:
        case.answered_at = work.now
    if case.owner_id is None:
        case.owner_id = work.actor.user_id
    touch(work, case)
    work.publish(events.CaseSolved(**facts(case), message_id=message.id, cause=CAUSE_WORDS[cause]))
    return case


def reopen(work: Work, case_id: int, *, expected_version: int | None) -> Case:
    """It is not solved after all; the solve clock goes on where it stood."""
    if not work.actor.is_portal:
        work.actor.must(Right.SERVE)
    case = load(work, case_id, expected_version)
    case.move(CaseAct.REOPEN, side(work))
    resume(work, case)
    touch(work, case)
    work.publish(events.CaseReopened(**facts(case), by_customer=work.actor.is_portal))
    return case


def close(work: Work, case_id: int, *, expected_version: int | None) -> Case:
    """The solution stands: confirmed by the customer, or ended by the service."""
    if not work.actor.is_portal:
        work.actor.must(Right.SERVE)
    case = load(work, case_id, expected_version)
    _close(work, case)
    return case


def _close(work: Work, case: Case) -> None:
    case.move(CaseAct.CLOSE, side(work))
    case.closed_at = work.now
    touch(work, case)
    by = {lifecycle.C: "customer", lifecycle.Y: "system"}.get(side(work), "service")
    work.publish(events.CaseClosed(**facts(case), by=by))


def close_solved(work: Work) -> int:
    """Job: close what was solved five working days ago and got no reply; returns how many."""
    earliest = work.now - clocks.CLOSE_AFTER
    query = (
        sa.select(Case)
        .where(Case.state == CaseState.SOLVED, Case.solved_at <= earliest)
        .order_by(Case.solved_at)
        .limit(BATCH)
        .options(selectinload(Case.pauses))
    )
    count = 0
    for case in work.session.scalars(query).all():
        calendar = queries.calendar_of_case(work.session, case)
        if (
            case.solved_at is not None
            and clocks.worked(calendar, case.solved_at, work.now) >= clocks.CLOSE_AFTER
        ):
            _close(work, case)
            count += 1
    return count


def check_clocks(work: Work) -> int:
    """Job: report each clock once when less than a quarter is left and once when it is over.

    The version of the case stays: a form that somebody has open is not made stale by this.
    """
    count = 0
    for case in _running(work):
        calendar = queries.calendar_of_case(work.session, case)
        if case.answered_at is None:
            count += _warn(
                work,
                case,
                clock="answer",
                due_at=case.answer_due_at,
                calendar=calendar,
                budget=clocks.ANSWER_WITHIN,
            )
        count += _warn(
            work,
            case,
            clock="solve",
            due_at=case.solve_due_at,
            calendar=calendar,
            budget=clocks.SOLVE_WITHIN,
        )
    return count


def _running(work: Work) -> list[Case]:
    """Open cases that may have something to report: due soon, counting a long holiday in."""

    def unreported(due: _Column, warned: _Column, budget: dt.timedelta) -> sa.ColumnElement[bool]:
        soon = work.now + budget * _QUARTER + _LONGEST_HOLIDAY
        return sa.or_(sa.and_(warned == "", due <= soon), sa.and_(warned == "risk", due < work.now))

    query = sa.select(Case).where(
        Case.state == CaseState.OPEN,
        sa.or_(
            sa.and_(
                Case.answered_at.is_(None),
                unreported(Case.answer_due_at, Case.answer_warned, clocks.ANSWER_WITHIN),
            ),
            unreported(Case.solve_due_at, Case.solve_warned, clocks.SOLVE_WITHIN),
        ),
    )
    return list(work.session.scalars(query.order_by(Case.solve_due_at, Case.id).limit(BATCH)))


def _warn(
    work: Work,
    case: Case,
    *,
    clock: str,
    due_at: dt.datetime,
    calendar: WorkCalendar,
    budget: dt.timedelta,
) -> int:
    column = Case.answer_warned if clock == "answer" else Case.solve_warned
    reported = case.answer_warned if clock == "answer" else case.solve_warned
    left = clocks.worked(calendar, work.now, due_at)
    level = "late" if work.now > due_at else "risk" if left < budget * _QUARTER else ""
    if not level or reported in {level, "late"}:
        return 0
    work.session.execute(sa.update(Case).where(Case.id == case.id).values({column: level}))
    work.publish(events.CaseClockWarned(**facts(case), clock=clock, level=level, due_at=due_at))
    return 1
