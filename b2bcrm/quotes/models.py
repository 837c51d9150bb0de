"""Inquiry and quote with their lines. Each revision of a quote is a row; sent ones never change."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from b2bcrm.kernel.columns import (
    Amount,
    MessageColumn,
    Percent,
    Price,
    Qty,
    Rate,
    UtcDateTime,
    enum_column,
)
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.numbering import revision_letter
from b2bcrm.kernel.words import Message
from b2bcrm.quotes.lifecycle import Channel, InquiryState, QuoteState
from b2bcrm.quotes.pricing import PricedLine, Totals, add_up

LINE_STEP = 10


class Inquiry(Base):
    """What a customer asked for, in his words and, where known, as items."""

    __tablename__ = "inquiry"
    __table_args__ = (sa.Index("ix_inquiry_account", "account_id", "received_at"),)

    id: Mapped[int] = id_column()
    no: Mapped[str] = mapped_column(sa.String(20), unique=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id"))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    channel: Mapped[Channel] = mapped_column(enum_column(Channel))
    state: Mapped[InquiryState] = mapped_column(enum_column(InquiryState))
    subject: Mapped[str] = mapped_column(sa.String(200), default="")
    text: Mapped[str] = mapped_column(sa.Text, default="")
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    reply_by_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    replied_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    version: Mapped[int] = mapped_column(default=1)

    lines: Mapped[list[InquiryLine]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="InquiryLine.line_no"
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form


class InquiryLine(Base):
    """A wish: an item, the customer's part number, or only words."""

    __tablename__ = "inquiry_line"
    __table_args__ = (sa.UniqueConstraint("inquiry_id", "line_no"),)

    id: Mapped[int] = id_column()
    inquiry_id: Mapped[int] = mapped_column(sa.ForeignKey("inquiry.id"))
    line_no: Mapped[int]
    item_id: Mapped[int | None] = mapped_column(sa.ForeignKey("item.id"))
    text: Mapped[str] = mapped_column(sa.String(300), default="")
    customer_part_no: Mapped[str] = mapped_column(sa.String(60), default="")
    qty: Mapped[Decimal | None] = mapped_column(Qty)
    wanted_on: Mapped[dt.date | None]


class Quote(Base):
    """One revision of a quote. ``rev`` 0 is A. Exactly one revision per number is current.

    ``valid_until`` (price) and ``held_until`` (date) are inclusive. ``seal`` is the digest of
    ``sealed_content``, exactly what the customer saw; ``accepted_*`` say who accepted it when.
    ``rate`` is base currency per unit of ``currency``, frozen when the revision was begun.
    """

    __tablename__ = "quote"
    __table_args__ = (
        sa.UniqueConstraint("no", "rev"),
        sa.Index("ix_quote_account", "account_id", "created_at"),
        sa.Index("ix_quote_state", "state", "valid_until"),
    )

    id: Mapped[int] = id_column()
    no: Mapped[str] = mapped_column(sa.String(20))
    rev: Mapped[int] = mapped_column(default=0)
    current: Mapped[bool] = mapped_column(default=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id"))
    ship_to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ship_to.id"))
    inquiry_id: Mapped[int | None] = mapped_column(sa.ForeignKey("inquiry.id"))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    state: Mapped[QuoteState] = mapped_column(enum_column(QuoteState))
    currency: Mapped[str] = mapped_column(sa.String(3))
    rate: Mapped[Decimal] = mapped_column(Rate, default=Decimal(1))
    total: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    incoterm: Mapped[str] = mapped_column(sa.String(3), default="EXW")
    incoterm_place: Mapped[str] = mapped_column(sa.String(80), default="")
    payment_terms: Mapped[str] = mapped_column(sa.String(60), default="")
    doc_language: Mapped[str] = mapped_column(sa.String(10), default="en")
    customer_po: Mapped[str] = mapped_column(sa.String(60), default="")
    note: Mapped[str] = mapped_column(sa.Text, default="")
    win_pct: Mapped[int] = mapped_column(default=50)
    decision_on: Mapped[dt.date | None]
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[dt.date]
    held_until: Mapped[dt.date | None]
    sent_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    opened_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    loss_reason: Mapped[str] = mapped_column(sa.String(40), default="")
    competitor: Mapped[str] = mapped_column(sa.String(80), default="")
    loss_comment: Mapped[str] = mapped_column(sa.Text, default="")
    seal: Mapped[str] = mapped_column(sa.String(64), default="")
    sealed_content: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
    accepted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    accepted_by: Mapped[str] = mapped_column(sa.String(120), default="")
    accepted_user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    changed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(sa.String(120), default="")
    version: Mapped[int] = mapped_column(default=1)

    lines: Mapped[list[QuoteLine]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="QuoteLine.line_no"
    )
    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form

    @property
    def letter(self) -> str:
        """The revision as people write it: A."""
        return revision_letter(self.rev)

    @property
    def label(self) -> str:
        """Q-26-2217 rev C, as people write it."""
        return f"{self.no} rev {self.letter}"

    @property
    def hold_ref(self) -> str:
        """The reference under which this revision's dates are held."""
        return f"{self.no}/{self.rev}"

    def line(self, line_no: int) -> QuoteLine | None:
        """The line numbered ``line_no``, or None."""
        return next((ln for ln in self.lines if ln.line_no == line_no), None)

    def next_line_no(self) -> int:
        """Ten after the last line."""
        return max((ln.line_no for ln in self.lines), default=0) + LINE_STEP

    def priced(self) -> list[PricedLine]:
        """The lines as the price rules look at them."""
        return [
            PricedLine(ln.line_no, ln.qty, ln.list_price, ln.discount_pct, ln.unit_cost)
            for ln in self.lines
        ]

    def add_up(self) -> Totals:
        """Recompute each line's net and the total: the sum of the rounded lines."""
        for line, priced in zip(self.lines, self.priced(), strict=True):
            line.net = priced.net(self.currency).amount
        totals = add_up(self.priced(), self.currency, self.rate)
        self.total = totals.net.amount
        return totals

    @property
    def wanted_on(self) -> dt.date | None:
        """The last day on which the customer wants everything."""
        return max((ln.wanted_on for ln in self.lines), default=None)


class QuoteLine(Base):
    """An offered item. ``list_price`` is the break's price, ``unit_cost`` base currency."""

    __tablename__ = "quote_line"
    __table_args__ = (
        sa.UniqueConstraint("quote_id", "line_no"),
        sa.CheckConstraint("qty > 0", name="qty_positive"),
    )

    id: Mapped[int] = id_column()
    quote_id: Mapped[int] = mapped_column(sa.ForeignKey("quote.id"))
    line_no: Mapped[int]
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    description: Mapped[str] = mapped_column(sa.String(300), default="")
    customer_part_no: Mapped[str] = mapped_column(sa.String(60), default="")
    unit: Mapped[str] = mapped_column(sa.String(10))
    qty: Mapped[Decimal] = mapped_column(Qty)
    list_price: Mapped[Decimal] = mapped_column(Price)
    discount_pct: Mapped[Decimal] = mapped_column(Percent, default=Decimal(0))
    net: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    unit_cost: Mapped[Decimal] = mapped_column(Price, default=Decimal(0))
    wanted_on: Mapped[dt.date]
    promised_on: Mapped[dt.date | None]
    promise_reason: Mapped[Message | None] = mapped_column(MessageColumn)
    checked_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
