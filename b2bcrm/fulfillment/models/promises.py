"""Our words and what we expect of them: promise history, holds, projections."""

from __future__ import annotations

import datetime as dt
import enum
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from b2bcrm.kernel.columns import Amount, MessageColumn, Qty, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.words import Message
from b2bcrm.orders.lifecycle import Stage, Status


class Promise(Base):
    """One entry of a line's promise history; never updated.

    ``kind``: first, moved, erp_first_seen, amended. ``reason_code`` says why it moved, in one of
    the words of ``actions.REASONS``; empty for a first promise.
    """

    __tablename__ = "promise"
    __table_args__ = (sa.Index("ix_promise_line", "order_line_id", "id"),)

    id: Mapped[int] = id_column()
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_line.id"))
    kind: Mapped[str] = mapped_column(sa.String(20))
    promised_on: Mapped[dt.date]
    previous_on: Mapped[dt.date | None]
    reason_code: Mapped[str] = mapped_column(sa.String(20), default="")
    reason: Mapped[Message] = mapped_column(MessageColumn)
    by_name: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class RequestState(enum.StrEnum):
    """Where a request for a new date stands. ``replaced``: another one was made after it."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"
    REPLACED = "replaced"


class PromiseRequest(Base):
    """A later day for a customer of class A, until a sales manager decides.

    ``answer`` is his reason where he declines.
    """

    __tablename__ = "promise_request"

    id: Mapped[int] = id_column()
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_line.id"), index=True)
    promised_on: Mapped[dt.date]
    previous_on: Mapped[dt.date]
    reason_code: Mapped[str] = mapped_column(sa.String(20))
    text: Mapped[str] = mapped_column(sa.String(300), default="")
    state: Mapped[RequestState] = mapped_column(enum_column(RequestState), index=True)
    asked_by: Mapped[str] = mapped_column(sa.String(120))
    asked_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    asked_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    decided_by: Mapped[str] = mapped_column(sa.String(120), default="")
    answer: Mapped[str] = mapped_column(sa.String(300), default="")
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class PromiseGate(Base):
    """The single row that a hold or promise locks; ``seq`` numbers what was committed."""

    __tablename__ = "promise_gate"

    id: Mapped[int] = id_column()
    seq: Mapped[int] = mapped_column(sa.BigInteger, default=0)


class Hold(Base):
    """What a quote holds until the end of ``until``; ``ended_at``: released or converted."""

    __tablename__ = "hold"
    __table_args__ = (sa.Index("ix_hold_live", "ended_at", "until"),)

    id: Mapped[int] = id_column()
    ref: Mapped[str] = mapped_column(sa.String(40), index=True)
    seq: Mapped[int] = mapped_column(sa.BigInteger)
    until: Mapped[dt.date]
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    lines: Mapped[list[HoldLine]] = relationship(lazy="raise", cascade="all, delete-orphan")


class HoldLine(Base):
    """One held line: so many pieces of an item, from supply ready on ``ready_on``.

    ``customer_class`` is that of the customer when it was held; its allocations are his.
    """

    __tablename__ = "hold_line"
    __table_args__ = (sa.Index("ix_hold_line_item", "item_id"),)

    id: Mapped[int] = id_column()
    hold_id: Mapped[int] = mapped_column(sa.ForeignKey("hold.id"))
    line_ref: Mapped[str] = mapped_column(sa.String(20))
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    qty: Mapped[Decimal] = mapped_column(Qty)
    ready_on: Mapped[dt.date]
    customer_class: Mapped[str] = mapped_column(sa.String(1), default="")
    reason: Mapped[Message] = mapped_column(MessageColumn)
    sources: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)


class Reservation(Base):
    """What an order line was promised from: the witness of its promise; as ``HoldLine``."""

    __tablename__ = "reservation"
    __table_args__ = (
        sa.UniqueConstraint("order_ref", "line_ref"),
        sa.Index("ix_reservation_item", "item_id"),
    )

    id: Mapped[int] = id_column()
    order_ref: Mapped[str] = mapped_column(sa.String(40))
    line_ref: Mapped[str] = mapped_column(sa.String(20))
    seq: Mapped[int] = mapped_column(sa.BigInteger)
    item_id: Mapped[int] = mapped_column(sa.ForeignKey("item.id"))
    site_id: Mapped[int] = mapped_column(sa.ForeignKey("site.id"))
    qty: Mapped[Decimal] = mapped_column(Qty)
    ready_on: Mapped[dt.date]
    customer_class: Mapped[str] = mapped_column(sa.String(1), default="")
    reason: Mapped[Message] = mapped_column(MessageColumn)
    sources: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class LineProjection(Base):
    """What we expect of an open line, computed from the ERP's documents; what came of it later.

    ``chain`` is the supply tree as rows (depth, kind, number, item, quantities, dates,
    critical) for the page; ``cause`` the sentence, ``cause_kind`` material, capacity, quality,
    credit, customer or data; ``*_pct`` whole percents. ``lost`` says where the working days of a
    line after its first promise were lost (kind, number, days, moved; ``planning.lateness``); None
    where it keeps that. ``came_on``: the day on which such a line had come; None before.
    ``ahead`` are pieces that could be there before the rest (``planning.notices``); None: none.
    ``in_two``: the plan sends ``qty`` pieces on day ``on`` and the rest on ``rest_on``; else None.
    ``sure`` has the days of P50, P80 and P95 and how many orders say so; None: too few do.
    """

    __tablename__ = "line_projection"
    __table_args__ = (sa.Index("ix_line_projection_came", "came_on"),)

    order_line_id: Mapped[int] = mapped_column(
        sa.ForeignKey("order_line.id"), primary_key=True, autoincrement=False
    )
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("order.id"), index=True)
    projected_on: Mapped[dt.date | None]
    buffer_days: Mapped[int | None]
    stage: Mapped[Stage] = mapped_column(enum_column(Stage))
    status: Mapped[Status] = mapped_column(enum_column(Status))
    status_reason: Mapped[Message] = mapped_column(MessageColumn)
    material_pct: Mapped[int] = mapped_column(default=0)
    production_pct: Mapped[int] = mapped_column(default=0)
    progress_pct: Mapped[int] = mapped_column(default=0)
    plan_pct: Mapped[int | None]
    now_at: Mapped[Message | None] = mapped_column(MessageColumn)
    cause_kind: Mapped[str] = mapped_column(sa.String(12), default="")
    cause: Mapped[Message | None] = mapped_column(MessageColumn)
    next_step: Mapped[Message | None] = mapped_column(MessageColumn)
    lost: Mapped[list[dict[str, Any]] | None] = mapped_column(sa.JSON(none_as_null=True))
    came_on: Mapped[dt.date | None]
    chain: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, default=list)
    stations: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    sure: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    ahead: Mapped[list[dict[str, str]] | None] = mapped_column(sa.JSON(none_as_null=True))
    in_two: Mapped[dict[str, str] | None] = mapped_column(sa.JSON(none_as_null=True))
    computed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class OrderProjection(Base):
    """The order's own row on lists and boards; value in base currency.

    Line ``deciding_line_no`` gives status and cause: the worst, else the next to come. Delivery
    in parts shows that line's dates too. A complete delivery shows the last date of all its
    lines, and its status, buffer and cause are judged against that date.

    ``stale`` marks rows whose documents changed since; the next job computes them anew.
    """

    __tablename__ = "order_projection"
    __table_args__ = (
        sa.Index("ix_order_projection_status", "status", "promised_on"),
        sa.Index("ix_order_projection_account", "account_id"),
        sa.Index("ix_order_projection_stale", "stale"),
    )

    order_id: Mapped[int] = mapped_column(
        sa.ForeignKey("order.id"), primary_key=True, autoincrement=False
    )
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    requested_on: Mapped[dt.date | None]
    promised_on: Mapped[dt.date | None]
    projected_on: Mapped[dt.date | None]
    buffer_days: Mapped[int | None]
    stage: Mapped[Stage] = mapped_column(enum_column(Stage))
    stage_pct: Mapped[int] = mapped_column(default=0)
    status: Mapped[Status] = mapped_column(enum_column(Status))
    status_reason: Mapped[Message] = mapped_column(MessageColumn)
    deciding_line_no: Mapped[int | None]
    cause_kind: Mapped[str] = mapped_column(sa.String(12), default="")
    cause: Mapped[Message | None] = mapped_column(MessageColumn)
    next_step: Mapped[Message | None] = mapped_column(MessageColumn)
    open_value: Mapped[Decimal] = mapped_column(Amount, default=Decimal(0))
    stages: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
    computed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    stale: Mapped[bool] = mapped_column(default=False)


class ShortPart(Base):
    """A part that comes too late for an open line: what holds up what.

    ``document_no`` is empty where nothing is ordered; ``need_on`` is the day first said or
    wanted, ``supply_on`` the day we now expect; ``slip_days`` working days between them.
    """

    __tablename__ = "short_part"
    __table_args__ = (
        sa.Index("ix_short_part_order", "order_id"),
        sa.Index("ix_short_part_item", "item_no", "document_no"),
    )

    id: Mapped[int] = id_column()
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("order.id"))
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_line.id"))
    item_no: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[str] = mapped_column(sa.String(20))
    document_no: Mapped[str] = mapped_column(sa.String(40), default="")
    qty: Mapped[Decimal] = mapped_column(Qty)
    need_on: Mapped[dt.date]
    supply_on: Mapped[dt.date]
    slip_days: Mapped[int]
    critical: Mapped[bool]
