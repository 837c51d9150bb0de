"""What the sync engine remembers, all in the database so that any worker can go on."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import MessageColumn, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.words import Message


class ErpConnection(Base):
    """One ERP we talk to, and the state of its breaker."""

    __tablename__ = "erp_connection"

    id: Mapped[int] = id_column()
    code: Mapped[str] = mapped_column(sa.String(20), unique=True)
    product: Mapped[str] = mapped_column(sa.String(80), default="")
    failures: Mapped[int] = mapped_column(default=0)
    open_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_ok_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_error_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[Message | None] = mapped_column(MessageColumn)


class Feed(Base):
    """One entity of a connection. ``watermark`` is ERP time, moved only by a complete run.

    ``cursor`` and ``pending_watermark`` let an interrupted run go on where it stopped.
    ``data_as_of`` is business time of the last complete run: the age shown on pages.
    """

    __tablename__ = "feed"
    __table_args__ = (sa.UniqueConstraint("connection_code", "entity"),)

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    entity: Mapped[str] = mapped_column(sa.String(20))
    every_s: Mapped[int] = mapped_column(default=60)
    limit_minutes: Mapped[int] = mapped_column(default=60)
    watermark: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    cursor: Mapped[str | None] = mapped_column(sa.String(200))
    pending_watermark: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    data_as_of: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_ok_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    next_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    rows_total: Mapped[int] = mapped_column(sa.BigInteger, default=0)


class RunOutcome(enum.StrEnum):
    """How a run ended."""

    RUNNING = "running"
    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


class SyncRun(Base):
    """One pull of one feed."""

    __tablename__ = "sync_run"
    __table_args__ = (sa.Index("ix_sync_run_feed", "feed_id", "id"),)

    id: Mapped[int] = id_column()
    feed_id: Mapped[int] = mapped_column(sa.ForeignKey("feed.id"))
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[RunOutcome] = mapped_column(enum_column(RunOutcome))
    rows_read: Mapped[int] = mapped_column(default=0)
    rows_changed: Mapped[int] = mapped_column(default=0)
    rows_parked: Mapped[int] = mapped_column(default=0)
    error: Mapped[Message | None] = mapped_column(MessageColumn)


class ParkedRow(Base):
    """A record that could not be applied (its parent is missing, or it makes no sense yet)."""

    __tablename__ = "parked_row"
    __table_args__ = (sa.UniqueConstraint("connection_code", "entity", "erp_id"),)

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    entity: Mapped[str] = mapped_column(sa.String(20))
    erp_id: Mapped[str] = mapped_column(sa.String(120))
    reason: Mapped[Message] = mapped_column(MessageColumn)
    first_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=1)


class Envelope(Base):
    """One SOAP exchange, redacted, for the monitor."""

    __tablename__ = "envelope"
    __table_args__ = (
        sa.Index("ix_envelope_at", "at"),
        sa.Index("ix_envelope_reference", "reference"),
    )

    id: Mapped[int] = id_column()
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    correlation_id: Mapped[str] = mapped_column(sa.String(40))
    operation: Mapped[str] = mapped_column(sa.String(60))
    reference: Mapped[str] = mapped_column(sa.String(60), default="")
    status: Mapped[int | None]
    seconds_ms: Mapped[int]
    error: Mapped[str] = mapped_column(sa.String(300), default="")
    request: Mapped[str] = mapped_column(sa.Text, default="")
    reply: Mapped[str] = mapped_column(sa.Text, default="")


class JobSlot(Base):
    """A claimed slot of a scheduled job: the primary key lets exactly one process run it."""

    __tablename__ = "job_slot"

    job: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    slot: Mapped[dt.datetime] = mapped_column(UtcDateTime, primary_key=True)
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    note: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON)
