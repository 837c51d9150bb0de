"""A case's course as rows: the case, its pauses, its conversation, its notes and its facts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from b2bcrm.demo.facts import Facts
from b2bcrm.demo.numbers import Series
from b2bcrm.demo.orders import LoadedLine, LoadedOrder
from b2bcrm.demo.phrases import Complaint
from b2bcrm.demo.rows import Row, Rows
from b2bcrm.demo.scene import SYSTEM, Customer, Person, Scene, local_day
from b2bcrm.service import events
from b2bcrm.service.clocks import Pause
from b2bcrm.service.lifecycle import CAUSE_WORDS, CaseState
from b2bcrm.service.models import Case, CasePause
from b2bcrm.threads.models import InternalNote, ThreadMessage

_NEVER = dt.datetime.min.replace(tzinfo=dt.UTC)
_NOTE_AFTER = dt.timedelta(hours=2)


@dataclass
class Course:
    """How a case went, or how far it is."""

    customer: Customer
    order: LoadedOrder
    line: LoadedLine
    told: Complaint
    opened_at: dt.datetime
    buyer: Person
    owner: Person | None
    affected_qty: Decimal | None
    serial_nos: str = ""
    state: CaseState = CaseState.OPEN
    urgent: bool = False
    answered_at: dt.datetime | None = None
    asked_at: dt.datetime | None = None
    replied_at: dt.datetime | None = None
    solved_at: dt.datetime | None = None
    closed_at: dt.datetime | None = None
    closed_by_customer: bool = False
    answer_due_at: dt.datetime = _NEVER
    solve_due_at: dt.datetime = _NEVER

    def pauses(self) -> tuple[Pause, ...]:
        """The ended pauses of the solve clock."""
        if self.asked_at is None or self.replied_at is None:
            return ()
        return (Pause(self.asked_at, self.replied_at),)


@dataclass
class CaseBook:
    """Collects cases and writes them."""

    scene: Scene
    rows: Rows
    facts: Facts
    series: Series
    _cases: list[Row] = field(default_factory=list)
    _pauses: list[Row] = field(default_factory=list)
    _messages: list[Row] = field(default_factory=list)
    _notes: list[Row] = field(default_factory=list)

    def enter(self, course: Course, fixed_no: int | None, warned: tuple[str, str]) -> None:
        """Rows and facts of one case."""
        case_id = self.rows.next_id(Case)
        no = self.series.take(local_day(course.opened_at).year, fixed_no)
        order = course.order.row
        last = course.closed_at or course.solved_at or course.asked_at or course.answered_at
        self._cases.append(
            {
                "id": case_id,
                "no": no,
                "company_id": order["company_id"],
                "account_id": order["account_id"],
                "contact_id": course.buyer.contact_id,
                "order_id": order["id"],
                "order_line_id": course.line.row["id"],
                "owner_id": course.owner.user_id if course.owner else None,
                "opened_by_id": course.buyer.user_id,
                "kind": course.told.kind,
                "state": course.state,
                "urgent": course.urgent,
                "subject": course.told.subject,
                "affected_qty": course.affected_qty,
                "serial_nos": course.serial_nos,
                "solution": course.told.solution if course.solved_at else "",
                "cause": course.told.cause.value if course.solved_at else "",
                "opened_at": course.opened_at,
                "answer_due_at": course.answer_due_at,
                "solve_due_at": course.solve_due_at,
                "answered_at": course.answered_at,
                "solved_at": course.solved_at,
                "closed_at": course.closed_at,
                "paused_at": course.asked_at if course.state is CaseState.WAITING else None,
                "answer_warned": warned[0],
                "solve_warned": warned[1],
                "changed_at": last or course.opened_at,
                "changed_by": course.owner.name if course.owner and last else course.buyer.name,
                "version": 1,
            }
        )
        for pause in course.pauses():
            self._pauses.append(
                {
                    "id": self.rows.next_id(CasePause),
                    "case_id": case_id,
                    "from_at": pause.from_at,
                    "to_at": pause.to_at,
                }
            )
        self._talk(case_id, no, course)

    def write(self) -> None:
        """Write what was entered."""
        self.rows.put(Case, self._cases)
        self.rows.put(CasePause, self._pauses)
        self.rows.put(ThreadMessage, self._messages)
        self.rows.put(InternalNote, self._notes)

    def _talk(self, case_id: int, no: str, course: Course) -> None:
        told, buyer = course.told, course.buyer
        owner = course.owner or SYSTEM
        common: dict[str, Any] = {
            "subject_id": case_id,
            "account_id": course.order.row["account_id"],
            "order_id": course.order.row["id"],
            "no": no,
        }
        self._say(case_id, course, buyer, course.opened_at, told.text)
        opened = events.CaseOpened(
            **common, title=told.subject, by_customer=buyer.user_id is not None
        )
        self.facts.add(opened, course.opened_at, buyer)
        if course.answered_at is not None:
            message_id = self._say(case_id, course, owner, course.answered_at, told.answer)
            answered = events.CaseAnswered(**common, message_id=message_id)
            self.facts.add(answered, course.answered_at, owner)
            noted_at = course.answered_at + _NOTE_AFTER
            if told.note and noted_at < (course.solved_at or self.scene.now):
                self._note(case_id, common, noted_at, told.note)
        if course.asked_at is not None:
            message_id = self._say(case_id, course, owner, course.asked_at, told.question)
            asked = events.CaseAnswered(**common, message_id=message_id, asking=True)
            self.facts.add(asked, course.asked_at, owner)
        if course.replied_at is not None:
            message_id = self._say(case_id, course, buyer, course.replied_at, told.reply)
            wrote = events.CaseCustomerWrote(**common, message_id=message_id)
            self.facts.add(wrote, course.replied_at, buyer)
        if course.solved_at is not None:
            message_id = self._say(case_id, course, owner, course.solved_at, told.solution)
            cause = CAUSE_WORDS[told.cause]
            solved = events.CaseSolved(**common, message_id=message_id, cause=cause)
            self.facts.add(solved, course.solved_at, owner)
        if course.closed_at is not None:
            by = "customer" if course.closed_by_customer else "service"
            closed = events.CaseClosed(**common, by=by)
            self.facts.add(closed, course.closed_at, buyer if by == "customer" else owner)

    def _say(self, case_id: int, course: Course, by: Person, moment: dt.datetime, text: str) -> int:
        key = self.rows.next_id(ThreadMessage)
        self._messages.append(
            {
                "id": key,
                "subject": "case",
                "subject_id": case_id,
                "account_id": course.order.row["account_id"],
                "user_id": by.user_id,
                "author": by.name,
                "from_customer": by is course.buyer,
                "at": moment,
                "text": text,
            }
        )
        return key

    def _note(self, case_id: int, common: dict[str, Any], moment: dt.datetime, text: str) -> None:
        by = self.scene.staff["Tsai Yi-Chun"]
        key = self.rows.next_id(InternalNote)
        self._notes.append(
            {
                "id": key,
                "subject": "case",
                "subject_id": case_id,
                "user_id": by.user_id,
                "author": by.name,
                "at": moment,
                "text": text,
            }
        )
        self.facts.add(events.CaseNoted(**common, note_id=key), moment, by)
