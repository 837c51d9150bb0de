"""What a person must see: drift, records held back, runs that ask first, reconciliations."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column


class QuarantinedRow(Base):
    """A record that does not fit the profile: ``path`` is the field of ours, ``reason`` why.

    It is asked for again with each run. One that a person chose to ignore is not, until its
    feed is read in full again.
    """

    __tablename__ = "quarantined_row"
    __table_args__ = (sa.UniqueConstraint("connection_code", "entity", "erp_id"),)

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    entity: Mapped[str] = mapped_column(sa.String(20))
    erp_id: Mapped[str] = mapped_column(sa.String(120))
    path: Mapped[str] = mapped_column(sa.String(120))
    reason: Mapped[str] = mapped_column(sa.String(300))
    first_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(default=1)
    ignored_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class DriftNotice(Base):
    """One notice per connection, entity, path and kind of reason, however many records.

    ``sample`` is the newest reason in full, ``erp_id`` its record.
    """

    __tablename__ = "drift_notice"
    __table_args__ = (sa.UniqueConstraint("connection_code", "entity", "path", "kind"),)

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    entity: Mapped[str] = mapped_column(sa.String(20))
    path: Mapped[str] = mapped_column(sa.String(120))
    kind: Mapped[str] = mapped_column(sa.String(200))
    sample: Mapped[str] = mapped_column(sa.String(300))
    erp_id: Mapped[str] = mapped_column(sa.String(120), default="")
    count: Mapped[int] = mapped_column(default=1)
    first_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    last_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    closed_by: Mapped[str] = mapped_column(sa.String(120), default="")


class UnknownElement(Base):
    """How often the ERP sent an element that the profile does not name, on one day."""

    __tablename__ = "unknown_element"

    connection_code: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    entity: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    path: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    day: Mapped[dt.date] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(sa.BigInteger, default=0)


class Threat(enum.StrEnum):
    """What the guard stops."""

    CHANGE = "change"
    REMOVAL = "removal"


class GuardState(enum.StrEnum):
    """An approval is used up by the run that it lets pass."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"
    USED = "used"


class GuardStop(Base):
    """A run that would change or remove ``count`` of ``known`` records and asks a person."""

    __tablename__ = "guard_stop"
    __table_args__ = (sa.Index("ix_guard_stop_feed", "feed_id", "state"),)

    id: Mapped[int] = id_column()
    feed_id: Mapped[int] = mapped_column(sa.ForeignKey("feed.id"))
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sync_run.id"))
    threat: Mapped[Threat] = mapped_column(enum_column(Threat))
    count: Mapped[int]
    known: Mapped[int]
    sample: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    asked_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    state: Mapped[GuardState] = mapped_column(enum_column(GuardState), default=GuardState.OPEN)
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[str] = mapped_column(sa.String(120), default="")


class DriftReport(Base):
    """What a reconciliation found. Totals are order-free sums of digests: equal means equal.

    ``sample`` holds a few ids per finding: missing_here, missing_there, differing.
    """

    __tablename__ = "drift_report"
    __table_args__ = (sa.Index("ix_drift_report_feed", "feed_id", "id"),)

    id: Mapped[int] = id_column()
    feed_id: Mapped[int] = mapped_column(sa.ForeignKey("feed.id"))
    run_id: Mapped[int | None] = mapped_column(sa.ForeignKey("sync_run.id"))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    whole: Mapped[bool]
    by_content: Mapped[bool]
    erp_rows: Mapped[int]
    our_rows: Mapped[int]
    missing_here: Mapped[int]
    missing_there: Mapped[int]
    differing: Mapped[int]
    removed: Mapped[int] = mapped_column(default=0)
    erp_total: Mapped[str] = mapped_column(sa.String(32))
    our_total: Mapped[str] = mapped_column(sa.String(32))
    sample: Mapped[dict[str, Any]] = mapped_column(sa.JSON, default=dict)
