"""One worker per feed: a lease with a token, taken over when its holder is gone.

Whoever has lost the lease stops at his next write, so that two workers never write one run.
"""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.models import Feed, RunKind, RunOutcome, SyncRun
from b2bcrm.sync.source import Source

LEASE = dt.timedelta(minutes=5)
RENEW_AFTER = LEASE / 3


class LeaseLost(Exception):
    """Another worker has taken the feed over."""


@dataclass
class Claim:
    """A feed that is ours until the lease ends. ``renewed_at`` moves with each renewal."""

    source: Source
    entity: Entity
    feed_id: int
    run_id: int
    kind: RunKind
    token: str
    watermark: dt.datetime | None
    cursor: str | None
    loaded: bool
    renewed_at: dt.datetime


def free(tick: dt.datetime) -> sa.ColumnElement[bool]:
    """No worker holds the feed."""
    return sa.or_(Feed.leased_until.is_(None), Feed.leased_until < tick)


def claim(source: Source, entity: Entity, kind: RunKind | None = None) -> Claim | None:
    """Take a feed and begin a run; None if another worker has it, or it is not ours to run.

    Without ``kind`` it is a first load or, after that, a delta. A run that its worker never
    ended is ended here.
    """
    with source.office.open() as work:
        due = (
            sa.select(Feed.id)
            .where(
                Feed.connection_code == source.connection,
                Feed.entity == entity.value,
                ~Feed.paused,
                free(work.tick),
            )
            .with_for_update(skip_locked=True)  # PostgreSQL; SQLite has one writer anyway
        )
        token = uuid.uuid4().hex
        feed_id = work.session.scalar(
            sa.update(Feed)
            .where(Feed.id == due.scalar_subquery(), free(work.tick))
            .values(leased_until=work.tick + LEASE, lease_token=token)
            .returning(Feed.id)
            .execution_options(synchronize_session=False)
        )
        if feed_id is None:
            return None
        feed = work.session.get_one(Feed, feed_id, populate_existing=True)
        _end_abandoned(work, feed_id)
        kind = kind or (RunKind.DELTA if feed.loaded_at else RunKind.LOAD)
        run = SyncRun(feed_id=feed_id, kind=kind, started_at=work.tick, outcome=RunOutcome.RUNNING)
        work.session.add(run)
        if kind is RunKind.LOAD and feed.load_started_at is None:
            feed.load_started_at, feed.load_rows, feed.gaps = work.tick, 0, 0
        work.session.flush()  # flush: the run's id is needed outside
        return Claim(
            source=source,
            entity=entity,
            feed_id=feed_id,
            run_id=run.id,
            kind=kind,
            token=token,
            watermark=feed.watermark,
            cursor=feed.cursor,
            loaded=feed.loaded_at is not None,
            renewed_at=work.tick,
        )


def _end_abandoned(work: Work, feed_id: int) -> None:
    work.session.execute(
        sa.update(SyncRun)
        .where(SyncRun.feed_id == feed_id, SyncRun.outcome == RunOutcome.RUNNING)
        .values(
            outcome=RunOutcome.FAILED,
            finished_at=work.tick,
            error=Message("The worker ended during this run."),
        )
    )


def hold(work: Work, claim: Claim) -> tuple[Feed, SyncRun]:
    """The feed and the run for writing, the lease renewed; LeaseLost if it is no longer ours."""
    feed = work.session.get_one(Feed, claim.feed_id, with_for_update=True, populate_existing=True)
    if feed.lease_token != claim.token:
        raise LeaseLost
    feed.leased_until = work.tick + LEASE
    claim.renewed_at = work.tick
    return feed, work.session.get_one(SyncRun, claim.run_id)


def keep(claim: Claim, tick: dt.datetime) -> None:
    """Renew the lease in a Work of its own once a good part of it is used up."""
    if tick - claim.renewed_at > RENEW_AFTER:
        with claim.source.office.open() as work:
            hold(work, claim)
