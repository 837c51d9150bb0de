"""Feeds, their runs, and records that wait for a parent."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import MessageColumn, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.words import Message


class Feed(Base):
    """One entity of a connection. ``watermark`` is ERP time, moved only by a complete run.

    Until ``loaded_at`` the feed is in its first load: ``cursor`` is where it goes on,
    ``gaps`` counts pages with rows that nobody can name, ``announced`` is how many rows there
    are. ``data_as_of`` is business time of the last complete run: the age shown on pages.
    ``failures`` and ``open_until`` are the feed's own breaker.
    """

    __tablename__ = "feed"
    __table_args__ = (sa.UniqueConstraint("connection_code", "entity"),)

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    entity: Mapped[str] = mapped_column(sa.String(20))
    every_s: Mapped[int] = mapped_column(default=60)
    limit_minutes: Mapped[int] = mapped_column(default=60)
    guard_percent: Mapped[int] = mapped_column(default=20)
    paused: Mapped[bool] = mapped_column(default=False)
    watermark: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    cursor: Mapped[str | None] = mapped_column(sa.String(1000))
    pending_watermark: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    loaded_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    load_started_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    load_rows: Mapped[int] = mapped_column(default=0)
    announced: Mapped[int | None]
    gaps: Mapped[int] = mapped_column(default=0)
    data_as_of: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    last_ok_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    next_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    reconcile_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    compared_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    leased_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None] = mapped_column(sa.String(32))
    failures: Mapped[int] = mapped_column(default=0)
    open_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    alerted_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    rows_total: Mapped[int] = mapped_column(sa.BigInteger, default=0)


class RunKind(enum.StrEnum):
    """Everything at first, what changed, all keys, all records by content, or one record."""

    LOAD = "load"
    DELTA = "delta"
    KEYS = "keys"
    COMPARE = "compare"
    SINGLE = "single"


class RunOutcome(enum.StrEnum):
    """How a run ended. HELD: it would change too much and waits for a person."""

    RUNNING = "running"
    COMPLETE = "complete"
    PARTIAL = "partial"
    HELD = "held"
    FAILED = "failed"


class SyncRun(Base):
    """One run of one feed. ``rounds`` is how often its pages were read until they agreed."""

    __tablename__ = "sync_run"
    __table_args__ = (sa.Index("ix_sync_run_feed", "feed_id", "id"),)

    id: Mapped[int] = id_column()
    feed_id: Mapped[int] = mapped_column(sa.ForeignKey("feed.id"))
    kind: Mapped[RunKind] = mapped_column(enum_column(RunKind), default=RunKind.DELTA)
    started_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[RunOutcome] = mapped_column(enum_column(RunOutcome))
    rows_read: Mapped[int] = mapped_column(default=0)
    rows_changed: Mapped[int] = mapped_column(default=0)
    rows_removed: Mapped[int] = mapped_column(default=0)
    rows_parked: Mapped[int] = mapped_column(default=0)
    rows_quarantined: Mapped[int] = mapped_column(default=0)
    rounds: Mapped[int] = mapped_column(default=1)
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
