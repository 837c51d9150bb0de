"""What can happen to a case, as facts. ``bootstrap.ROUTES`` says what follows from each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import ClassVar

from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message


@dataclass(frozen=True, kw_only=True)
class CaseEvent(Event):
    """Common: the case's number; the subject is the case."""

    subject: ClassVar[str] = "case"
    no: str


@dataclass(frozen=True, kw_only=True)
class CaseOpened(CaseEvent):
    """Something is wrong with a delivered line; both clocks run."""

    name: ClassVar[str] = "case.opened"
    title: str
    by_customer: bool

    def sentence(self) -> Message:
        """Who opened it, about what."""
        if self.by_customer:
            return Message("Customer opened case %(no)s: %(title)s", no=self.no, title=self.title)
        return Message("Case %(no)s opened: %(title)s", no=self.no, title=self.title)

    def portal_sentence(self) -> Message:
        """The same to the customer."""
        return Message("Case %(no)s opened: %(title)s", no=self.no, title=self.title)


@dataclass(frozen=True, kw_only=True)
class CaseAnswered(CaseEvent):
    """We wrote to the customer; ``asking`` means that we now wait for him."""

    name: ClassVar[str] = "case.answered"
    message_id: int
    asking: bool = False

    def sentence(self) -> Message:
        """Answered, or asked something."""
        if self.asking:
            return Message("Case %(no)s: asked the customer, the solve clock pauses", no=self.no)
        return Message("Case %(no)s: answered", no=self.no)

    def portal_sentence(self) -> Message:
        """The customer sees that we wrote."""
        if self.asking:
            return Message("We have a question about case %(no)s", no=self.no)
        return Message("We answered case %(no)s", no=self.no)


@dataclass(frozen=True, kw_only=True)
class CaseCustomerWrote(CaseEvent):
    """The customer wrote; a paused clock runs again, a solved case is open again."""

    name: ClassVar[str] = "case.customer_wrote"
    message_id: int
    reopened: bool = False

    def sentence(self) -> Message:
        """He wrote, and what that did."""
        if self.reopened:
            return Message("Case %(no)s: the customer wrote, it is open again", no=self.no)
        return Message("Case %(no)s: the customer wrote", no=self.no)

    def portal_sentence(self) -> Message:
        """His own message."""
        return Message("Message to case %(no)s received", no=self.no)


@dataclass(frozen=True, kw_only=True)
class CaseNoted(CaseEvent):
    """An internal note; it never leaves the house, so the event does not carry its text."""

    name: ClassVar[str] = "case.noted"
    note_id: int

    def sentence(self) -> Message:
        """That there is one."""
        return Message("Case %(no)s: internal note", no=self.no)


@dataclass(frozen=True, kw_only=True)
class CaseTaken(CaseEvent):
    """Somebody owns it now."""

    name: ClassVar[str] = "case.taken"
    owner: str

    def sentence(self) -> Message:
        """Who."""
        return Message("Case %(no)s: now with %(owner)s", no=self.no, owner=self.owner)


@dataclass(frozen=True, kw_only=True)
class CaseSolved(CaseEvent):
    """We say it is solved; the customer may confirm or reopen."""

    name: ClassVar[str] = "case.solved"
    message_id: int
    cause: Message

    def sentence(self) -> Message:
        """Solved, with the cause that was found."""
        return Message("Case %(no)s solved, cause: %(cause)s", no=self.no, cause=self.cause)

    def portal_sentence(self) -> Message:
        """The fact without the internal cause."""
        return Message("Case %(no)s solved", no=self.no)


@dataclass(frozen=True, kw_only=True)
class CaseReopened(CaseEvent):
    """It was not solved after all; the solve clock goes on where it stood."""

    name: ClassVar[str] = "case.reopened"
    by_customer: bool

    def sentence(self) -> Message:
        """Who reopened it."""
        if self.by_customer:
            return Message("Case %(no)s reopened by the customer", no=self.no)
        return Message("Case %(no)s reopened", no=self.no)

    def portal_sentence(self) -> Message:
        """The fact."""
        return Message("Case %(no)s reopened", no=self.no)


@dataclass(frozen=True, kw_only=True)
class CaseClosed(CaseEvent):
    """The end: ``by`` is customer, service or system (five working days without a word)."""

    name: ClassVar[str] = "case.closed"
    by: str

    def sentence(self) -> Message:
        """Who ended it."""
        if self.by == "customer":
            return Message("Case %(no)s closed: the customer confirmed the solution", no=self.no)
        if self.by == "system":
            return Message(
                "Case %(no)s closed: five working days after the solution without a reply",
                no=self.no,
            )
        return Message("Case %(no)s closed", no=self.no)

    def portal_sentence(self) -> Message:
        """The fact."""
        return Message("Case %(no)s closed", no=self.no)


@dataclass(frozen=True, kw_only=True)
class CaseClockWarned(CaseEvent):
    """A clock has less than a quarter left (``risk``) or is over (``late``); once for each."""

    name: ClassVar[str] = "case.clock_warned"
    clock: str  # answer or solve
    level: str  # risk or late
    due_at: dt.datetime

    def sentence(self) -> Message:
        """Which clock, and how bad."""
        match self.clock, self.level:
            case "answer", "late":
                return Message("Case %(no)s: the 24 h for the first answer are over", no=self.no)
            case "answer", _:
                return Message("Case %(no)s: less than 6 h left for the first answer", no=self.no)
            case _, "late":
                return Message("Case %(no)s: the 72 h for the solution are over", no=self.no)
        return Message("Case %(no)s: less than 18 h left for the solution", no=self.no)


EVENTS: tuple[type[CaseEvent], ...] = (
    CaseOpened,
    CaseAnswered,
    CaseCustomerWrote,
    CaseNoted,
    CaseTaken,
    CaseSolved,
    CaseReopened,
    CaseClosed,
    CaseClockWarned,
)
