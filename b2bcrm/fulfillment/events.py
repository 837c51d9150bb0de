"""What fulfillment tells the rest: promises that moved, projections that turned, receipts."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message


@dataclass(frozen=True, kw_only=True)
class PromiseMoved(Event):
    """We gave a line a new date; the customer is told. The subject is the order."""

    name: ClassVar[str] = "promise.moved"
    subject: ClassVar[str] = "order"
    order_no: str
    line_no: int
    previous_on: dt.date | None
    promised_on: dt.date
    reason_code: str
    reason: Message

    def sentence(self) -> Message:
        """Old and new date, and why."""
        if self.previous_on is None:
            return Message(
                "Line %(line)s promised for %(day)s: %(reason)s",
                line=self.line_no,
                day=self.promised_on,
                reason=self.reason,
            )
        return Message(
            "Line %(line)s promised for %(day)s instead of %(was)s: %(reason)s",
            line=self.line_no,
            day=self.promised_on,
            was=self.previous_on,
            reason=self.reason,
        )

    def portal_sentence(self) -> Message:
        """The new date; the internal reason stays with us."""
        return Message(
            "Line %(line)s is now promised for %(day)s", line=self.line_no, day=self.promised_on
        )


@dataclass(frozen=True, kw_only=True)
class PromiseAsked(Event):
    """A later day for a customer of class A waits for a sales manager. The subject is the order."""

    name: ClassVar[str] = "promise.asked"
    subject: ClassVar[str] = "order"
    request_id: int
    order_no: str
    line_no: int
    previous_on: dt.date
    promised_on: dt.date
    reason: Message
    by: str

    def sentence(self) -> Message:
        """Who asks for which day, and why."""
        return Message(
            "%(by)s asks to promise line %(line)s for %(day)s instead of %(was)s: %(reason)s",
            by=self.by,
            line=self.line_no,
            day=self.promised_on,
            was=self.previous_on,
            reason=self.reason,
        )


@dataclass(frozen=True, kw_only=True)
class PromiseDecided(Event):
    """A sales manager agreed to a later day, or did not, and why. The subject is the order."""

    name: ClassVar[str] = "promise.decided"
    subject: ClassVar[str] = "order"
    request_id: int
    order_no: str
    line_no: int
    promised_on: dt.date
    asked_by: str
    approved: bool
    by: str
    text: str

    def sentence(self) -> Message:
        """Which day it is about, who had asked for it, and why not."""
        facts = {"line": self.line_no, "day": self.promised_on, "who": self.asked_by}
        if self.approved:
            return Message(
                "%(by)s agrees to promise line %(line)s for %(day)s, as %(who)s had asked",
                by=self.by,
                **facts,
            )
        return Message(
            "Line %(line)s is not promised for %(day)s, as %(who)s had asked: %(text)s",
            text=self.text,
            **facts,
        )


@dataclass(frozen=True, kw_only=True)
class PromiseAnswered(Event):
    """A customer chose what to do about a later day. The subject is the order.

    ``said`` has who and what, ``by_id`` is his login.
    """

    name: ClassVar[str] = "promise.answered"
    subject: ClassVar[str] = "order"
    notice_id: int
    order_no: str
    by_id: int | None
    said: Message

    def sentence(self) -> Message:
        """Who answered what."""
        return self.said

    def portal_sentence(self) -> Message:
        """The same to his colleagues."""
        return self.said


@dataclass(frozen=True, kw_only=True)
class NoticeSettled(Event):
    """What a customer asked in answer to a later day is decided. The subject is the order."""

    name: ClassVar[str] = "promise.answer_settled"
    subject: ClassVar[str] = "order"
    notice_id: int
    said: Message
    told: Message | None

    def sentence(self) -> Message:
        """What was decided."""
        return self.said

    def portal_sentence(self) -> Message | None:
        """What the customer reads of it."""
        return self.told


@dataclass(frozen=True, kw_only=True)
class ProjectionMoved(Event):
    """A line's projected date turned late, moved while late, came back or was lost. Internal."""

    name: ClassVar[str] = "projection.moved"
    subject: ClassVar[str] = "order"
    line_no: int
    previous_on: dt.date | None
    projected_on: dt.date | None
    status: str
    cause: Message | None = None

    def sentence(self) -> Message:
        """Where the date went, and the cause."""
        if self.projected_on is None and self.cause is not None:
            return Message(
                "Line %(line)s has no day any more: %(cause)s", line=self.line_no, cause=self.cause
            )
        if self.status != "late":
            return Message(
                "Line %(line)s is back in time: projected %(day)s",
                line=self.line_no,
                day=self.projected_on,
            )
        if self.cause is None:
            return Message(
                "Line %(line)s is late: projected %(day)s",
                line=self.line_no,
                day=self.projected_on,
            )
        return Message(
            "Line %(line)s is late, projected %(day)s: %(cause)s",
            line=self.line_no,
            day=self.projected_on,
            cause=self.cause,
        )


@dataclass(frozen=True, kw_only=True)
class ShipmentReceived(Event):
    """The customer says that a delivery reached him. The subject is the shipment."""

    name: ClassVar[str] = "shipment.received"
    subject: ClassVar[str] = "shipment"
    shipment_no: str
    by: str

    def sentence(self) -> Message:
        """Who received what."""
        return Message("%(by)s confirmed receipt of %(no)s", by=self.by, no=self.shipment_no)

    def portal_sentence(self) -> Message:
        """The same to the customer."""
        return self.sentence()


@dataclass(frozen=True, kw_only=True)
class ScenarioProposed(Event):
    """Somebody asks purchasing and production for changes in the ERP. The subject is the proposal.

    ``tasks`` is how many there are.
    """

    name: ClassVar[str] = "scenario.proposed"
    subject: ClassVar[str] = "proposal"
    proposal: str
    tasks: int

    def sentence(self) -> Message:
        """What it is called, and how much is asked."""
        return Message(
            "Changes in the ERP are proposed: %(name)s (%(tasks)s)",
            name=self.proposal,
            tasks=self.tasks,
        )


@dataclass(frozen=True, kw_only=True)
class MorningCame(Event):
    """The board of a business day is reported to one reader. The subject is the reader."""

    name: ClassVar[str] = "morning.came"
    subject: ClassVar[str] = "user"
    day: dt.date

    def sentence(self) -> Message:
        """Which day's."""
        return Message("The morning report of %(day)s is on its way.", day=self.day)


@dataclass(frozen=True, kw_only=True)
class OrderInCare(Event):
    """``by_id`` put a person in charge of an order; ``user_id`` None: nobody is any more."""

    name: ClassVar[str] = "order.in_care"
    subject: ClassVar[str] = "order"
    order_no: str
    user_id: int | None
    person: str
    by_id: int | None

    def sentence(self) -> Message:
        """Who it is now."""
        if self.user_id is None:
            return Message("Nobody is in charge of %(no)s any more", no=self.order_no)
        return Message("%(person)s is in charge of %(no)s", person=self.person, no=self.order_no)


@dataclass(frozen=True, kw_only=True)
class SupplyFirmed(Event):
    """A planner gave pieces of a supply (of document ``no``, or stock) to a line."""

    name: ClassVar[str] = "peg.firmed"
    subject: ClassVar[str] = "order"
    line_no: int
    qty: Decimal
    no: str
    item: str
    reason: str

    def sentence(self) -> Message:
        """How many, of what, and why."""
        return Message(
            "Line %(line)s: %(qty)s pieces of %(supply)s are firm: %(reason)s",
            line=self.line_no,
            qty=self.qty,
            supply=_supply(self.no, self.item),
            reason=self.reason,
        )


@dataclass(frozen=True, kw_only=True)
class PegReleased(Event):
    """A planner took pieces back that were firm for a line."""

    name: ClassVar[str] = "peg.released"
    subject: ClassVar[str] = "order"
    line_no: int
    qty: Decimal
    no: str
    item: str

    def sentence(self) -> Message:
        """How many, of what."""
        return Message(
            "Line %(line)s: %(qty)s pieces of %(supply)s are firm no more",
            line=self.line_no,
            qty=self.qty,
            supply=_supply(self.no, self.item),
        )


def _supply(no: str, item: str) -> Message | str:
    return no or Message("Stock %(item)s", item=item)


EVENTS: tuple[type[Event], ...] = (
    PromiseMoved,
    PromiseAsked,
    PromiseDecided,
    PromiseAnswered,
    NoticeSettled,
    ProjectionMoved,
    ShipmentReceived,
    ScenarioProposed,
    MorningCame,
    OrderInCare,
    SupplyFirmed,
    PegReleased,
)
