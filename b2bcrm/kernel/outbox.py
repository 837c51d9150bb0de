"""Deliveries that must follow an event: one row per event and handler, made in its transaction.

A row is claimed for a while (a lease); whoever crashes leaves a row whose lease ends. Not here:
how a row is delivered (``courier``).
"""

from __future__ import annotations

import datetime as dt
import enum
import random
import uuid
from collections.abc import Iterable
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
    """Waiting rows are claimed again; parked ones need a person, who may also give them up."""

    WAITING = "waiting"
    DONE = "done"
    PARKED = "parked"
    GIVEN_UP = "given_up"


OVER = (DeliveryState.DONE, DeliveryState.GIVEN_UP)


class Delivery(Base):
    """One thing to do outside because of one event. ``stream`` keeps the order per subject.

    ``reason`` and ``code`` (stable, for programs) say why the last try failed, ``target`` which of
    several outside systems it waits for, where there are several.
    """

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
    code: Mapped[str] = mapped_column(sa.String(40), default="")
    target: Mapped[str] = mapped_column(sa.String(20), default="")
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
                earlier.state.not_in(OVER),
            ),
        )
        .order_by(Delivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer anyway
    )
    token = uuid.uuid4().hex
    row_id = session.scalar(
        sa.update(Delivery)
        # "=", not "in": PostgreSQL may run a subquery of "in" anew for each row and claim several.
        .where(Delivery.id == due.scalar_subquery(), free)
        .values(leased_until=now + LEASE, lease_token=token, attempts=Delivery.attempts + 1)
        .returning(Delivery.id)
        .execution_options(synchronize_session=False)
    )
    return None if row_id is None else session.get(Delivery, row_id, populate_existing=True)


def keep(session: Session, row_id: int, token: str | None, now: dt.datetime) -> None:
    """Renew the lease of a row that is still ours."""
    session.execute(
        sa.update(Delivery)
        .where(Delivery.id == row_id, Delivery.lease_token == token)
        .values(leased_until=now + LEASE)
    )


def delay(attempts: int) -> dt.timedelta:
    """Back-off with full jitter: between half of and the whole of 2, 4, 8 ... 900 s."""
    longest = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(attempts, 12))
    return dt.timedelta(seconds=longest * random.uniform(0.5, 1.0))  # noqa: S311 - not secret


def unpark(
    session: Session, streams: Iterable[str], handler: str, now: dt.datetime, *, code: str = ""
) -> None:
    """Put the subjects' parked rows of ``handler`` back in line, if ``code`` names why they wait
    only those: what was in their way is gone, or a later fact must not wait behind them.
    """
    query = sa.update(Delivery).where(
        Delivery.stream.in_(list(streams)),
        Delivery.handler == handler,
        Delivery.state == DeliveryState.PARKED,
    )
    if code:
        query = query.where(Delivery.code == code)
    session.execute(query.values(state=DeliveryState.WAITING, next_at=now))


def aim(session: Session, stream: str, handler: str, target: str) -> None:
    """Say which outside system a subject's open rows of ``handler`` wait for."""
    session.execute(
        sa.update(Delivery)
        .where(
            Delivery.stream == stream,
            Delivery.handler == handler,
            Delivery.state.not_in(OVER),
            Delivery.target != target,
        )
        .values(target=target)
    )


def hurry(
    session: Session,
    now: dt.datetime,
    *,
    streams: Iterable[str] | None = None,
    codes: Iterable[str] | None = None,
    target: str | None = None,
) -> None:
    """Waiting rows, of some subjects, with such reasons or for one outside system, are due now:
    what they wait for came.
    """
    query = sa.update(Delivery).where(Delivery.state == DeliveryState.WAITING)
    if streams is not None:
        query = query.where(Delivery.stream.in_(list(streams)))
    if codes is not None:
        query = query.where(Delivery.code.in_(list(codes)))
    if target is not None:
        query = query.where(Delivery.target == target)
    session.execute(query.values(next_at=now))


def give_up(session: Session, stream: str, handler: str, reason: Message, now: dt.datetime) -> int:
    """End a subject's open rows undone; answers how many. A row under way is not touched."""
    free = sa.or_(Delivery.leased_until.is_(None), Delivery.leased_until < now)
    result = session.execute(
        sa.update(Delivery)
        .where(
            Delivery.stream == stream,
            Delivery.handler == handler,
            Delivery.state.not_in(OVER),
            free,
        )
        .values(state=DeliveryState.GIVEN_UP, reason=reason, done_at=now)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def take_up(session: Session, stream: str, handler: str, now: dt.datetime) -> int:
    """Put a subject's given-up rows back in line; answers how many."""
    result = session.execute(
        sa.update(Delivery)
        .where(
            Delivery.stream == stream,
            Delivery.handler == handler,
            Delivery.state == DeliveryState.GIVEN_UP,
        )
        .values(state=DeliveryState.WAITING, next_at=now, done_at=None)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def retry(session: Session, row_id: int, now: dt.datetime) -> bool:
    """Put a parked or waiting row back in line at once; False if there is no such row.

    It has all its tries again, but the next one still knows that it is not the first.
    """
    result = session.execute(
        sa.update(Delivery)
        .where(Delivery.id == row_id, Delivery.state.not_in(OVER))
        .values(
            state=DeliveryState.WAITING,
            next_at=now,
            attempts=sa.case((Delivery.attempts > 0, 1), else_=0),
        )
    )
    return bool(result.rowcount)  # type: ignore[attr-defined]
