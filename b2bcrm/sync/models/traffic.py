"""Exchanges with the ERP, and which slot of a scheduled job is taken."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import MessageColumn, UtcDateTime
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.words import Message


class Envelope(Base):
    """One SOAP exchange of a connection, redacted, for the monitor."""

    __tablename__ = "envelope"
    __table_args__ = (
        sa.Index("ix_envelope_at", "at"),
        sa.Index("ix_envelope_reference", "reference"),
    )

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    correlation_id: Mapped[str] = mapped_column(sa.String(40))
    operation: Mapped[str] = mapped_column(sa.String(60))
    reference: Mapped[str] = mapped_column(sa.String(60), default="")
    status: Mapped[int | None]
    seconds_ms: Mapped[int]
    error: Mapped[Message | None] = mapped_column(MessageColumn)
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
