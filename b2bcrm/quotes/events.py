"""What can happen to inquiries and quotes, as facts. ``bootstrap.ROUTES`` says what follows."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message


@dataclass(frozen=True, kw_only=True)
class InquiryReceived(Event):
    """A customer asked, or sales typed what he asked."""

    name: ClassVar[str] = "inquiry.received"
    subject: ClassVar[str] = "inquiry"
    no: str
    channel: str
    line_count: int

    def sentence(self) -> Message:
        """Which inquiry came in."""
        return Message("Inquiry %(no)s received", no=self.no)

    def portal_sentence(self) -> Message:
        """The customer sees that we have it."""
        return Message("We received your inquiry %(no)s", no=self.no)


@dataclass(frozen=True, kw_only=True)
class InquiryDeclined(Event):
    """We cannot offer."""

    name: ClassVar[str] = "inquiry.declined"
    subject: ClassVar[str] = "inquiry"
    no: str
    reason: str

    def sentence(self) -> Message:
        """Declined, and why."""
        return Message("Inquiry %(no)s declined: %(reason)s", no=self.no, reason=self.reason)

    def portal_sentence(self) -> Message:
        """The same to the customer."""
        return Message("We cannot offer your inquiry %(no)s", no=self.no)


@dataclass(frozen=True, kw_only=True)
class QuoteEvent(Event):
    """Common: number and revision; the subject is the revision's row."""

    subject: ClassVar[str] = "quote"
    no: str
    label: str


@dataclass(frozen=True, kw_only=True)
class QuoteDrafted(QuoteEvent):
    """A first revision was begun, from an inquiry or without one."""

    name: ClassVar[str] = "quote.drafted"
    inquiry_no: str = ""

    def sentence(self) -> Message:
        """From what."""
        if self.inquiry_no:
            return Message(
                "Quote %(no)s begun from inquiry %(inquiry)s",
                no=self.label,
                inquiry=self.inquiry_no,
            )
        return Message("Quote %(no)s begun", no=self.label)


@dataclass(frozen=True, kw_only=True)
class QuoteSent(QuoteEvent):
    """Sealed and on its way to the customer; dates held until ``held_until`` inclusive."""

    name: ClassVar[str] = "quote.sent"
    total: Decimal
    currency: str
    valid_until: dt.date
    held_until: dt.date | None = None

    def sentence(self) -> Message:
        """What was sent."""
        return Message(
            "Quote %(no)s sent: %(currency)s %(total)s",
            no=self.label,
            currency=self.currency,
            total=self.total,
        )

    def portal_sentence(self) -> Message:
        """The customer has a new quote."""
        return Message("Quotation %(no)s for you", no=self.label)


@dataclass(frozen=True, kw_only=True)
class QuoteRevised(QuoteEvent):
    """``label`` was superseded by ``by_label``; its dates are free again."""

    name: ClassVar[str] = "quote.revised"
    by_label: str

    def sentence(self) -> Message:
        """Which by which."""
        return Message("Quote %(no)s superseded by %(by)s", no=self.label, by=self.by_label)


@dataclass(frozen=True, kw_only=True)
class QuoteOpened(QuoteEvent):
    """The customer looked at it for the first time."""

    name: ClassVar[str] = "quote.opened"

    def sentence(self) -> Message:
        """Opened."""
        return Message("Quote %(no)s opened by the customer", no=self.label)


@dataclass(frozen=True, kw_only=True)
class QuoteAccepted(QuoteEvent):
    """Signed by ``by_name``; ``order_no`` came of it."""

    name: ClassVar[str] = "quote.accepted"
    by_name: str
    order_no: str
    customer_po: str = ""

    def sentence(self) -> Message:
        """Who accepted."""
        return Message(
            "Quote %(no)s accepted by %(name)s: order %(order)s",
            no=self.label,
            name=self.by_name,
            order=self.order_no,
        )

    def portal_sentence(self) -> Message:
        """The customer sees his own signature."""
        return Message("Quotation %(no)s accepted by %(name)s", no=self.label, name=self.by_name)


@dataclass(frozen=True, kw_only=True)
class QuoteLost(QuoteEvent):
    """Declined by the customer or given up; ``reason`` is a ``lifecycle.LossReason``."""

    name: ClassVar[str] = "quote.lost"
    reason: str
    reason_text: Message
    by_customer: bool = False
    comment: str = ""

    def sentence(self) -> Message:
        """Lost, and why."""
        return Message("Quote %(no)s lost: %(reason)s", no=self.label, reason=self.reason_text)

    def portal_sentence(self) -> Message | None:
        """The customer sees his own act only."""
        if not self.by_customer:
            return None
        return Message("Quotation %(no)s declined", no=self.label)


@dataclass(frozen=True, kw_only=True)
class QuoteExpired(QuoteEvent):
    """The last day of its validity has passed."""

    name: ClassVar[str] = "quote.expired"
    valid_until: dt.date

    def sentence(self) -> Message:
        """Expired when."""
        return Message("Quote %(no)s expired on %(day)s", no=self.label, day=self.valid_until)

    def portal_sentence(self) -> Message:
        """The customer sees the same."""
        return Message("Quotation %(no)s expired on %(day)s", no=self.label, day=self.valid_until)


EVENTS: tuple[type[Event], ...] = (
    InquiryReceived,
    InquiryDeclined,
    QuoteDrafted,
    QuoteSent,
    QuoteRevised,
    QuoteOpened,
    QuoteAccepted,
    QuoteLost,
    QuoteExpired,
)
