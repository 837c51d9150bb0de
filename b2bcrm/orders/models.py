"""Order (the root) and its lines. Lines are changed only through the order's methods."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.hybrid import hybrid_property
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
from b2bcrm.kernel.money import Money, line_net, total
from b2bcrm.kernel.quantity import unit_word
from b2bcrm.kernel.words import Message, show_decimal
from b2bcrm.orders.lifecycle import Act, ErpSync, OrderState, after

MAX_LABEL = 20


class Origin(enum.StrEnum):
    """Where the order was first seen."""

    QUOTE = "quote"
    ERP = "erp"
    STAFF = "staff"


class Order(Base):
    """What a customer bought. ``erp_no`` is the ERP's number once it accepted.

    ``erp_connection`` is the ERP that has the order, or may have it because a write is under way;
    empty while surely none has it (``queries.connection_of``).
    ``reference`` (number/amendment) is what the ERP is sent, so that a repeat is recognised.
    ``rate`` is base currency per unit of ``currency`` on the order's day.
    """

    __tablename__ = "order"
    __table_args__ = (
        sa.Index("ix_order_account", "account_id", "ordered_on"),
        sa.Index("ix_order_account_state", "account_id", "state"),
        sa.Index("ix_order_state", "state", "ordered_on"),
        sa.UniqueConstraint("quote_id"),
        sa.UniqueConstraint("erp_no", "erp_connection"),
    )

    id: Mapped[int] = id_column()
    no: Mapped[str] = mapped_column(sa.String(20), unique=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    erp_customer_id: Mapped[int | None] = mapped_column(sa.ForeignKey("erp_customer.id"))
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id"))
    ship_to_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ship_to.id"))
    quote_id: Mapped[int | None] = mapped_column(sa.ForeignKey("quote.id"))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    origin: Mapped[Origin] = mapped_column(enum_column(Origin))
    state: Mapped[OrderState] = mapped_column(enum_column(OrderState))
    amendment_no: Mapped[int] = mapped_column(default=0)
    customer_po: Mapped[str] = mapped_column(sa.String(60), default="")
    currency: Mapped[str] = mapped_column(sa.String(3))
    rate: Mapped[Decimal] = mapped_column(Rate, default=Decimal(1))
    total: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    incoterm: Mapped[str] = mapped_column(sa.String(3), default="EXW")
    incoterm_place: Mapped[str] = mapped_column(sa.String(80), default="")
    payment_terms: Mapped[str] = mapped_column(sa.String(60), default="")
    partial_delivery: Mapped[bool] = mapped_column(default=True)
    note: Mapped[str] = mapped_column(sa.Text, default="")
    ordered_on: Mapped[dt.date]
    confirmed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    hold_reason: Mapped[str | None] = mapped_column(sa.String(300))
    held_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    erp_sync: Mapped[ErpSync] = mapped_column(enum_column(ErpSync), default=ErpSync.NONE)
    erp_connection: Mapped[str | None] = mapped_column(sa.String(20))
    erp_no: Mapped[str | None] = mapped_column(sa.String(40))
    erp_version: Mapped[str] = mapped_column(sa.String(40), default="")
    erp_reason: Mapped[Message | None] = mapped_column(MessageColumn)
    erp_since: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    changed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(sa.String(120), default="")
    version: Mapped[int] = mapped_column(default=1)

    lines: Mapped[list[OrderLine]] = relationship(
        lazy="raise",
        cascade="all, delete-orphan",
        order_by="OrderLine.line_no",
        back_populates="order",
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form

    @property
    def reference(self) -> str:
        """Order number / amendment number: the key that an ERP write carries."""
        return f"{self.no}/{self.amendment_no}"

    def move(self, act: Act) -> None:
        """Take the lifecycle's next state; raises IllegalAct."""
        self.state = after(self.state, act)

    def add_up(self) -> Money:
        """Recompute the total: the sum of the rounded lines that are not cancelled."""
        for line in self.lines:
            line.net = line_net(
                line.unit_price, line.ordered_qty, line.discount_pct, self.currency
            ).amount
        amounts = (Money(line.net, self.currency) for line in self.lines if not line.cancelled)
        result = total(amounts, self.currency)
        self.total = result.amount
        return result

    def leaving_with(self, line: OrderLine) -> list[int]:
        """Numbers of the other lines that leave with ``line``."""
        same = [ln for ln in self.lines if ln.leaves_with == line.leaves_with and not ln.cancelled]
        return [ln.line_no for ln in same if line.leaves_with and ln is not line]

    def line(self, line_no: int) -> OrderLine | None:
        """The line numbered ``line_no``, or None."""
        return next((ln for ln in self.lines if ln.line_no == line_no), None)

    @property
    def done(self) -> bool:
        """Whether nothing more is to come: every line is delivered, closed short or cancelled."""
        return all(ln.cancelled or ln.delivered_qty >= ln.due_qty for ln in self.lines)


class OrderLine(Base):
    """One item of an order with its exact quantities and its dates.

    ``short_qty`` of the ordered pieces will never come: who closed the line short, and when. Where
    nothing is left of it the line is cancelled too.
    ``first_promised_on`` is set once, at the first confirmation. ``planned_on`` is the ERP's own
    ship date. Projected dates belong to fulfillment.
    Its delivery policy: lines of the order with the same ``leaves_with`` leave on one day, empty:
    it leaves alone; in shipments of ``least_shipment`` or more, None: whole; at most
    ``max_late_days`` days after its promise, None: however late.
    """

    __tablename__ = "order_line"
    __table_args__ = (
        sa.UniqueConstraint("order_id", "line_no"),
        sa.Index("ix_order_line_item", "item_id"),
        sa.Index("ix_order_line_first_promised", "first_promised_on"),
        sa.CheckConstraint("ordered_qty > 0", name="ordered_positive"),
        sa.CheckConstraint(
            "produced_qty >= 0 AND shipped_qty >= 0 AND delivered_qty >= 0 "
            "AND returned_qty >= 0 AND invoiced_qty >= 0",
            name="quantities_not_negative",
        ),
        sa.CheckConstraint("delivered_qty <= shipped_qty", name="delivered_was_shipped"),
        sa.CheckConstraint("short_qty BETWEEN 0 AND ordered_qty", name="short_was_ordered"),
        sa.CheckConstraint("least_shipment > 0", name="least_positive"),
        sa.CheckConstraint("max_late_days >= 0", name="max_late_not_negative"),
    )

    id: Mapped[int] = id_column()
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("order.id"))
    line_no: Mapped[int]
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    description: Mapped[str] = mapped_column(sa.String(300), default="")
    customer_part_no: Mapped[str] = mapped_column(sa.String(60), default="")
    customer_po_line: Mapped[str] = mapped_column(sa.String(20), default="")
    unit: Mapped[str] = mapped_column(sa.String(10))
    ordered_qty: Mapped[Decimal] = mapped_column(Qty)
    produced_qty: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    shipped_qty: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    delivered_qty: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    returned_qty: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    invoiced_qty: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    unit_price: Mapped[Decimal] = mapped_column(Price)
    discount_pct: Mapped[Decimal] = mapped_column(Percent, default=Decimal(0))
    net: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    requested_on: Mapped[dt.date]
    first_promised_on: Mapped[dt.date | None]
    promised_on: Mapped[dt.date | None]
    planned_on: Mapped[dt.date | None]
    cancelled: Mapped[bool] = mapped_column(default=False)
    short_qty: Mapped[Decimal] = mapped_column(Qty, default=Decimal(0))
    short_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    short_by: Mapped[str] = mapped_column(sa.String(120), default="")
    leaves_with: Mapped[str] = mapped_column(sa.String(MAX_LABEL), default="")
    least_shipment: Mapped[Decimal | None] = mapped_column(Qty)
    max_late_days: Mapped[int | None]

    order: Mapped[Order] = relationship(lazy="raise", back_populates="lines")

    @hybrid_property
    def due_qty(self) -> Decimal:
        """What is to come in all: ordered, without what was closed short."""
        return self.ordered_qty - self.short_qty


def policy_words(
    label: str, others: Sequence[int], least: Decimal | None, unit: str, max_late: int | None
) -> Message | None:
    """How a line may leave, in words; ``others`` have its label. None: as ever."""
    found = []
    if others:
        lines = ", ".join(str(no) for no in others)
        found.append(Message("leaves with line %(lines)s", lines=lines))
    elif label:
        found.append(Message("marked %(label)s, as no other line is", label=label))
    if least is not None:
        qty, of = show_decimal(least), unit_word(unit)
        found.append(Message("at least %(qty)s %(unit)s per shipment", qty=qty, unit=of))
    if max_late is not None:
        found.append(Message("not more than %(days)s calendar days late", days=max_late))
    if not found:
        return None
    return reduce(lambda a, b: Message("%(first)s, %(second)s", first=a, second=b), found)


class OrderRevision(Base):
    """What was confirmed, per amendment: an immutable snapshot with its digest."""

    __tablename__ = "order_revision"
    __table_args__ = (sa.UniqueConstraint("order_id", "amendment_no"),)

    id: Mapped[int] = id_column()
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("order.id"))
    amendment_no: Mapped[int]
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    by_name: Mapped[str] = mapped_column(sa.String(120))
    reason: Mapped[str] = mapped_column(sa.String(300), default="")
    snapshot: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    digest: Mapped[str] = mapped_column(sa.String(64))
