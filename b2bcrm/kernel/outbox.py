"""Deliveries that must follow an event: one row per event and handler, made in its transaction.

A row is claimed for a while (a lease); whoever crashes leaves a row whose lease ends. Not here:
how a row is delivered (``courier``).
"""

from __future__ import annotations

import datetime as dt
import enum
import random
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from b2bcrm.kernel.columns import MessageColumn, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message

LEASE = dt.timedelta(seconds=60)
MAX_ATTEMPTS = 200  # two days at the longest delay: an ERP may be down over a weekend night
FIRST_DELAY_S = 2.0
LONGEST_DELAY_S = 900.0


class DeliveryState(enum.StrEnum):
    """Waiting rows are claimed again; parked ones need a person."""

    WAITING = "waiting"
    DONE = "done"
    PARKED = "parked"


class Delivery(Base):
    """One thing to do outside because of one event. ``stream`` keeps the order per subject."""

    __tablename__ = "outbox"
    __table_args__ = (
        sa.Index("ix_outbox_due", "state", "next_at"),
        sa.Index("ix_outbox_stream", "stream", "handler", "id"),
    )

    id: Mapped[int] = id_column()
    event: Mapped[str] = mapped_column(sa.String(60))
    handler: Mapped[str] = mapped_column(sa.String(60))
    stream: Mapped[str] = mapped_column(sa.String(60))
    payload: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    created_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    state: Mapped[DeliveryState] = mapped_column(
        enum_column(DeliveryState), default=DeliveryState.WAITING
    )
    attempts: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    lease_token: Mapped[str | None] = mapped_column(sa.String(32))
    reason: Mapped[Message | None] = mapped_column(MessageColumn)
    done_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


def enqueue(session: Session, event: Event, handler: str, now: dt.datetime) -> Delivery:
    """Add the delivery row of ``event`` for ``handler``."""
    row = Delivery(
        event=event.name,
        handler=handler,
        stream=f"{event.subject}:{event.subject_id}",
        payload=event.to_json(),
        created_at=now,
        next_at=now,
    )
    session.add(row)
    return row


def claim(session: Session, now: dt.datetime) -> Delivery | None:
    """Lease the oldest due row whose stream has nothing earlier open, or None."""
    earlier = sa.orm.aliased(Delivery)
    free = sa.or_(Delivery.leased_until.is_(None), Delivery.leased_until < now)
    due = (
        sa.select(Delivery.id)
        .where(
            Delivery.state == DeliveryState.WAITING,
            Delivery.next_at <= now,
            free,
            ~sa.exists().where(
                earlier.stream == Delivery.stream,
                earlier.handler == Delivery.handler,
                earlier.id < Delivery.id,
                earlier.state != DeliveryState.DONE,
            ),
        )
        .order_by(Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer anyway
    )
    token = uuid.uuid4().hex
    row_id = session.scalar(
        sa.update(Delivery)
        .where(Delivery.id.in_(due.scalar_subquery()), free)
        .values(leased_until=now + LEASE, lease_token=token, attempts=Delivery.attempts + 1)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return None if row_id is None else session.get(Delivery, row_id, populate_existing=True)


def delay(attempts: int) -> dt.timedelta:
    """Back-off with full jitter: between half of and the whole of 2, 4, 8 ... 900 s."""
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(attempts, 12))
    return dt.timedelta(seconds=longest * random.uniform(0.5, 1.0))  # noqa: S311 - not secret


def unpark(session: Session, stream: str, handler: str, now: dt.datetime) -> None:
    """Put a subject's parked rows of ``handler`` back in line: a later fact must not wait there."""
    session.execute(
        sa.update(Delivery)
        .where(
            Delivery.stream == stream,
            Delivery.handler == handler,
            Delivery.state == DeliveryState.PARKED,
        )
        .values(state=DeliveryState.WAITING, next_at=now)
    )


def retry(session: Session, row_id: int, now: dt.datetime) -> bool:
    """Put a parked or waiting row back in line at once; False if there is no such row.

    It has all its tries again, but the next one still knows that it is not the first.
    """
    result = session.execute(
        sa.update(Delivery)
        .where(Delivery.id == row_id, Delivery.state != DeliveryState.DONE)
        .values(
            state=DeliveryState.WAITING,
            next_at=now,
            attempts=sa.case((Delivery.attempts > 0, 1), else_=0),
        )
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]
