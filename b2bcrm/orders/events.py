"""What can happen to an order, as facts. ``bootstrap.ROUTES`` says what follows from each."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any, ClassVar

from b2bcrm.kernel.events import Event
from b2bcrm.kernel.quantity import unit_word
from b2bcrm.kernel.words import Message


@dataclass(frozen=True, kw_only=True)
class OrderEvent(Event):
    """Common: the order's number; the subject is the order."""

    subject: ClassVar[str] = "order"
    no: str


@dataclass(frozen=True, kw_only=True)
class OrderSubmitted(OrderEvent):
    """An order came to be: from a quote, by staff, or seen in the ERP."""

    name: ClassVar[str] = "order.submitted"
    origin: str
    source_no: str = ""

    def sentence(self) -> Message:
        """Entered, and from what."""
        if self.origin == "quote":
            return Message("Order entered from quote %(no)s", no=self.source_no)
        if self.origin == "erp":
            return Message("Order first seen in the ERP as %(no)s", no=self.source_no)
        return Message("Order entered")

    def portal_sentence(self) -> Message:
        """The customer sees that we have it."""
        return Message("We received your order")


@dataclass(frozen=True, kw_only=True)
class OrderConfirmed(OrderEvent):
    """We gave our word: dates and prices stand. ``amendment_no`` makes the ERP reference."""

    name: ClassVar[str] = "order.confirmed"
    amendment_no: int
    promised_on: dt.date | None = None

    def sentence(self) -> Message:
        """Confirmed, promised when."""
        if self.promised_on is None:
            return Message("Order confirmed")
        return Message("Order confirmed, promised %(day)s", day=self.promised_on)

    def portal_sentence(self) -> Message:
        """The same word to the customer."""
        return self.sentence()


@dataclass(frozen=True, kw_only=True)
class OrderAmended(OrderEvent):
    """A confirmed order changed; the amendment goes to the ERP and to the customer."""

    name: ClassVar[str] = "order.amended"
    amendment_no: int
    what: Message

    def sentence(self) -> Message:
        """What changed."""
        return Message("Amendment %(n)s: %(what)s", n=self.amendment_no, what=self.what)

    def portal_sentence(self) -> Message:
        """The same to the customer."""
        return self.sentence()


@dataclass(frozen=True, kw_only=True)
class OrderRepromised(OrderEvent):
    """A line's promise moved; the ERP is told. The customer's notice is fulfillment's."""

    name: ClassVar[str] = "order.repromised"
    amendment_no: int
    what: Message

    def sentence(self) -> Message:
        """What changed."""
        return Message("Amendment %(n)s: %(what)s", n=self.amendment_no, what=self.what)


@dataclass(frozen=True, kw_only=True)
class OrderCancelled(OrderEvent):
    """Nothing more will be delivered."""

    name: ClassVar[str] = "order.cancelled"
    amendment_no: int
    reason: str

    def sentence(self) -> Message:
        """Cancelled, why."""
        return Message("Order cancelled: %(reason)s", reason=self.reason)

    def portal_sentence(self) -> Message:
        """The customer sees the fact, not our reason."""
        return Message("Order cancelled")


@dataclass(frozen=True, kw_only=True)
class OrderClosed(OrderEvent):
    """Everything was delivered, but for what was closed ``short``."""

    name: ClassVar[str] = "order.closed"
    short: bool = False

    def sentence(self) -> Message:
        """Closed, and whether all of it came."""
        if self.short:
            return Message("Order closed: nothing more will be delivered")
        return Message("Order closed: everything is delivered")

    def portal_sentence(self) -> Message:
        """Closed."""
        return self.sentence()


@dataclass(frozen=True, kw_only=True)
class OrderReopened(OrderEvent):
    """The ERP took something back: a closed order is not done after all."""

    name: ClassVar[str] = "order.reopened"
    line_no: int

    def sentence(self) -> Message:
        """Open again, because of which line."""
        return Message(
            "Order open again: line %(line)s is not delivered in full", line=self.line_no
        )

    def portal_sentence(self) -> Message:
        """The same to the customer."""
        return self.sentence()


@dataclass(frozen=True, kw_only=True)
class OrderHeld(OrderEvent):
    """Work on it stops until somebody releases it."""

    name: ClassVar[str] = "order.held"
    reason: str

    def sentence(self) -> Message:
        """On hold, why."""
        return Message("Put on hold: %(reason)s", reason=self.reason)


@dataclass(frozen=True, kw_only=True)
class OrderReleased(OrderEvent):
    """The hold is over."""

    name: ClassVar[str] = "order.released"
    reason: str

    def sentence(self) -> Message:
        """Released, from what."""
        return Message("Hold released: %(reason)s", reason=self.reason)


@dataclass(frozen=True, kw_only=True)
class OrderAcceptedByErp(OrderEvent):
    """The ERP has it under its own number."""

    name: ClassVar[str] = "order.erp_accepted"
    erp_no: str

    def sentence(self) -> Message:
        """The ERP's number."""
        return Message("ERP accepted it as %(no)s", no=self.erp_no)


@dataclass(frozen=True, kw_only=True)
class OrderRefusedByErp(OrderEvent):
    """The ERP said no; a person must act."""

    name: ClassVar[str] = "order.erp_refused"
    reason: Message

    def sentence(self) -> Message:
        """Why."""
        return Message("ERP refused it: %(reason)s", reason=self.reason)


@dataclass(frozen=True, kw_only=True)
class OrderChangedInErp(OrderEvent):
    """The ERP's copy differs from ours: quantity or price was changed over there."""

    name: ClassVar[str] = "order.erp_changed"
    what: Message

    def sentence(self) -> Message:
        """What differs."""
        return Message("Changed in the ERP: %(what)s", what=self.what)


@dataclass(frozen=True, kw_only=True)
class OrderLeftOut(OrderEvent):
    """Somebody has decided that the ERP is not told any more."""

    name: ClassVar[str] = "order.erp_left_out"
    reason: str

    def sentence(self) -> Message:
        """Why."""
        return Message("Not sent to the ERP any more: %(reason)s", reason=self.reason)


@dataclass(frozen=True, kw_only=True)
class OrderCorrected(OrderEvent):
    """What the ERP could not take was put right; it is sent again under the same reference."""

    name: ClassVar[str] = "order.corrected"
    amendment_no: int
    what: Message

    def sentence(self) -> Message:
        """What was put right."""
        return Message("Corrected for the ERP: %(what)s", what=self.what)


@dataclass(frozen=True, kw_only=True)
class OrderOutcomeSaid(OrderEvent):
    """A person has looked in the ERP: the order is there under a number, or it is not there."""

    name: ClassVar[str] = "order.erp_outcome_said"
    erp_no: str = ""

    def sentence(self) -> Message:
        """What was found."""
        if self.erp_no:
            return Message("Found in the ERP as %(no)s", no=self.erp_no)
        return Message("Not found in the ERP: it is sent again")


SETTLED_WORDS = {
    "taken": Message("the ERP's value was taken over"),
    "sent_back": Message("ours stays, the ERP is told again"),
    "left": Message("both stay as they are"),
}


@dataclass(frozen=True, kw_only=True)
class OrderDifferenceSettled(OrderEvent):
    """Somebody decided about a difference to the ERP. ``how`` is a key of SETTLED_WORDS."""

    name: ClassVar[str] = "order.difference_settled"
    what: Message
    how: str

    def sentence(self) -> Message:
        """Which difference, and the decision."""
        return Message(
            "Difference to the ERP (%(what)s): %(how)s", what=self.what, how=SETTLED_WORDS[self.how]
        )


@dataclass(frozen=True, kw_only=True)
class OrderSentBack(OrderEvent):
    """Our values stand against a change in the ERP, which is told them again."""

    name: ClassVar[str] = "order.sent_back"
    amendment_no: int

    def sentence(self) -> Message:
        """That the ERP is told again."""
        return Message("Our values go to the ERP again")


@dataclass(frozen=True, kw_only=True)
class LineQuantity(OrderEvent):
    """Common: so many pieces of a line."""

    line_no: int
    qty: str
    unit: str

    def _values(self) -> dict[str, Any]:
        return {"line": self.line_no, "qty": self.qty, "unit": unit_word(self.unit)}


@dataclass(frozen=True, kw_only=True)
class LineShipped(LineQuantity):
    """Pieces of a line left the house."""

    name: ClassVar[str] = "order.line_shipped"

    def sentence(self) -> Message:
        """How many of which line."""
        return Message("Line %(line)s: %(qty)s %(unit)s shipped", **self._values())

    def portal_sentence(self) -> Message:
        """The same to the customer."""
        return self.sentence()


@dataclass(frozen=True, kw_only=True)
class LineShippedLess(LineQuantity):
    """The ERP took a shipment back or reduced it."""

    name: ClassVar[str] = "order.line_shipped_less"

    def sentence(self) -> Message:
        """How many fewer of which line."""
        return Message(
            "Line %(line)s: %(qty)s %(unit)s fewer shipped, corrected in the ERP", **self._values()
        )

    def portal_sentence(self) -> Message:
        """The same, without our systems."""
        return Message(
            "Line %(line)s: a shipment was corrected, %(qty)s %(unit)s fewer", **self._values()
        )


@dataclass(frozen=True, kw_only=True)
class LineClosedShort(LineQuantity):
    """The ERP closed the rest of a line: it will not come."""

    name: ClassVar[str] = "order.line_short"

    def sentence(self) -> Message:
        """How many of which line will not come."""
        return Message(
            "Line %(line)s: the remaining %(qty)s %(unit)s were closed in the ERP",
            **self._values(),
        )

    def portal_sentence(self) -> Message:
        """The same in plain words."""
        return Message(
            "Line %(line)s: the remaining %(qty)s %(unit)s will not be delivered", **self._values()
        )


@dataclass(frozen=True, kw_only=True)
class LineOpenAgain(LineQuantity):
    """The ERP opened the rest of a line again."""

    name: ClassVar[str] = "order.line_open_again"

    def sentence(self) -> Message:
        """How many of which line come after all."""
        return Message(
            "Line %(line)s: the remaining %(qty)s %(unit)s are open again in the ERP",
            **self._values(),
        )

    def portal_sentence(self) -> Message:
        """The same in plain words."""
        return Message(
            "Line %(line)s: the remaining %(qty)s %(unit)s will be delivered after all",
            **self._values(),
        )


@dataclass(frozen=True, kw_only=True)
class LinePolicySet(OrderEvent):
    """Somebody has settled how a line may leave."""

    name: ClassVar[str] = "order.line_policy"
    what: Message

    def sentence(self) -> Message:
        """Which line, and how."""
        return self.what


EVENTS: tuple[type[OrderEvent], ...] = (
    OrderSubmitted,
    OrderConfirmed,
    OrderAmended,
    OrderRepromised,
    OrderCancelled,
    OrderClosed,
    OrderReopened,
    OrderHeld,
    OrderReleased,
    OrderAcceptedByErp,
    OrderRefusedByErp,
    OrderChangedInErp,
    OrderDifferenceSettled,
    OrderSentBack,
    OrderLeftOut,
    OrderCorrected,
    OrderOutcomeSaid,
    LineShipped,
    LineShippedLess,
    LineClosedShort,
    LineOpenAgain,
    LinePolicySet,
)
