"""Queries of the monitor beyond feeds and outbox: questions, drift, reconciliations, progress."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.kernel.work import Work
from b2bcrm.sync.models import (
    DriftNotice,
    DriftReport,
    ErpRef,
    Feed,
    GuardState,
    GuardStop,
    QuarantinedRow,
    UnknownElement,
)

SHOWN = 50
LONG_ENOUGH_S = 1.0


def questions(work: Work) -> Sequence[tuple[GuardStop, Feed]]:
    """What the guard asks, the oldest first, each with its feed."""
    query = (
        sa.select(GuardStop, Feed)
        .join(Feed, Feed.id == GuardStop.feed_id)
        .where(GuardStop.state == GuardState.OPEN)
        .order_by(GuardStop.id)
    )
    return [(stop, feed) for stop, feed in work.session.execute(query)]


def open_notices(work: Work) -> Sequence[DriftNotice]:
    """Drift that nobody has closed, the newest first."""
    query = sa.select(DriftNotice).where(DriftNotice.closed_at.is_(None))
    return work.session.scalars(query.order_by(DriftNotice.last_at.desc()).limit(SHOWN)).all()


def quarantined(work: Work) -> tuple[Sequence[QuarantinedRow], int]:
    """Records held back, the newest try first, and how many there are."""
    total = sa.select(sa.func.count()).select_from(QuarantinedRow)
    query = sa.select(QuarantinedRow).order_by(QuarantinedRow.last_at.desc(), QuarantinedRow.id)
    return work.session.scalars(query.limit(SHOWN)).all(), work.session.scalar(total) or 0


def unknown_elements(work: Work, days: int = 7) -> Sequence[UnknownElement]:
    """What the ERP sent and the profile does not name, over the last days."""
    since = work.today - dt.timedelta(days=days)
    query = sa.select(UnknownElement).where(UnknownElement.day > since)
    return work.session.scalars(
        query.order_by(UnknownElement.day.desc(), UnknownElement.count.desc()).limit(SHOWN)
    ).all()


def reports(work: Work, feed_id: int | None = None) -> Sequence[tuple[DriftReport, Feed]]:
    """Reconciliations, the newest first, each with its feed."""
    query = sa.select(DriftReport, Feed).join(Feed, Feed.id == DriftReport.feed_id)
    if feed_id is not None:
        query = query.where(DriftReport.feed_id == feed_id)
    rows = work.session.execute(query.order_by(DriftReport.id.desc()).limit(SHOWN))
    return [(report, feed) for report, feed in rows]


@dataclass(frozen=True)
class Progress:
    """A first load: rows so far, of how many (None: the ERP does not say), and how fast."""

    feed_id: int
    connection: str
    entity: str
    rows: int
    announced: int | None
    elapsed: dt.timedelta
    running: bool

    @property
    def per_second(self) -> float:
        """Rows per second since it began."""
        return self.rows / max(LONG_ENOUGH_S, self.elapsed.total_seconds())

    @property
    def percent(self) -> int | None:
        """How far it is, where that is known."""
        if not self.announced:
            return None
        return min(100, 100 * self.rows // self.announced)

    @property
    def left(self) -> dt.timedelta | None:
        """How long it will still take at this speed, where that is known."""
        if not self.announced or not self.rows:
            return None
        missing = max(0, self.announced - self.rows)
        return dt.timedelta(seconds=round(missing / self.per_second))


def loads(work: Work, feeds: Iterable[Feed]) -> list[Progress]:
    """Which of the feeds are in their first load, and how far they are."""
    return [
        Progress(
            feed_id=feed.id,
            connection=feed.connection_code,
            entity=feed.entity,
            rows=feed.load_rows,
            announced=feed.announced,
            elapsed=work.tick - feed.load_started_at,
            running=feed.leased_until is not None and feed.leased_until > work.tick,
        )
        for feed in feeds
        if feed.loaded_at is None and feed.load_started_at is not None
    ]


def reference(work: Work, entity: str, crm_id: int) -> Sequence[ErpRef]:
    """Which records of which ERPs stand for one of our rows."""
    query = sa.select(ErpRef).where(
        ErpRef.entity == entity, ErpRef.crm_id == crm_id, ErpRef.tombstoned_at.is_(None)
    )
    return work.session.scalars(query.order_by(ErpRef.connection_code, ErpRef.erp_id)).all()
