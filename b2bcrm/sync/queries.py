"""What the ERP monitor shows: feeds with their last runs, outbox, parked rows, envelopes.

Only reading. Ages come in two kinds: lag is machine time since the last good run, data age is
business time since the data were true.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.sync.freshness import ages
from b2bcrm.sync.models import Envelope, ErpConnection, Feed, ParkedRow, RunOutcome, SyncRun
from b2bcrm.sync.words import entity_word

RUNS_SHOWN = 24
OPEN_DELIVERIES = 50
PARKED_SHOWN = 50
OUTCOME_WORDS: dict[RunOutcome, Message] = {
    RunOutcome.RUNNING: Message("Running"),
    RunOutcome.COMPLETE: Message("Complete"),
    RunOutcome.PARTIAL: Message("Incomplete"),
    RunOutcome.HELD: Message("Waits for a yes"),
    RunOutcome.FAILED: Message("Failed"),
}


@dataclass(frozen=True)
class FeedRow:
    """A feed and its newest runs, oldest first, at ``tick`` (machine) and ``now`` (business)."""

    feed: Feed
    runs: tuple[SyncRun, ...]
    tick: dt.datetime
    now: dt.datetime

    @property
    def name(self) -> Message | str:
        """The feed's name for people."""
        return entity_word(self.feed.entity)

    @property
    def last(self) -> SyncRun | None:
        """The newest run."""
        return self.runs[-1] if self.runs else None

    @property
    def ended(self) -> SyncRun | None:
        """The newest run that is over."""
        return next((run for run in reversed(self.runs) if run.outcome != "running"), None)

    @property
    def lag(self) -> dt.timedelta | None:
        """Machine time since the last complete run; None before the first."""
        return None if self.feed.last_ok_at is None else self.tick - self.feed.last_ok_at

    @property
    def data_age(self) -> dt.timedelta | None:
        """Business time since the data were true; None before the first complete run."""
        return None if self.feed.data_as_of is None else self.now - self.feed.data_as_of

    @property
    def too_old(self) -> bool:
        """Whether pages call these data old."""
        age = self.data_age
        return age is not None and age > dt.timedelta(minutes=self.feed.limit_minutes)

    @property
    def failed_in_a_row(self) -> int:
        """How many of the newest runs failed without a good one between."""
        count = 0
        for run in reversed(self.runs):
            if run.outcome is RunOutcome.FAILED:
                count += 1
            elif run.outcome is not RunOutcome.RUNNING:
                break
        return count

    @property
    def failures(self) -> int:
        """How many of the runs shown failed or stayed incomplete."""
        bad = (RunOutcome.FAILED, RunOutcome.PARTIAL)
        return sum(run.outcome in bad for run in self.runs)

    @property
    def trend(self) -> list[tuple[int, str]]:
        """Per run its height (rows read, percent of the most) and its status, empty when good."""
        most = max((run.rows_read for run in self.runs), default=0)
        words = {RunOutcome.FAILED: "late", RunOutcome.PARTIAL: "risk"}
        return [
            (round(100 * run.rows_read / most) if most else 0, words.get(run.outcome, ""))
            for run in self.runs
        ]

    @property
    def status(self) -> tuple[str, Message]:
        """Colour and words: paused, failing, incomplete, asking, old, not run yet, or healthy."""
        ended = self.ended
        if self.feed.paused:
            return "idle", Message("Paused")
        if ended is None:
            return "idle", Message("Not run yet")
        good = "late" if self.too_old else "ok"
        words = Message("Data too old") if self.too_old else Message("Healthy")
        found = {
            RunOutcome.FAILED: ("late", Message("Failing, try %(n)s", n=self.failed_in_a_row)),
            RunOutcome.PARTIAL: ("risk", Message("Incomplete")),
            RunOutcome.HELD: ("risk", OUTCOME_WORDS[RunOutcome.HELD]),
        }
        return found.get(ended.outcome, (good, words))


def connections(session: Session) -> Sequence[ErpConnection]:
    """The ERPs we talk to."""
    return session.scalars(sa.select(ErpConnection).order_by(ErpConnection.code)).all()


def feeds(work: Work) -> list[FeedRow]:
    """All feeds with their newest runs, in two statements."""
    rows = work.session.scalars(sa.select(Feed).order_by(Feed.connection_code, Feed.id)).all()
    runs = _newest_runs(work.session, [feed.id for feed in rows])
    return [FeedRow(feed, tuple(runs[feed.id]), work.tick, work.now) for feed in rows]


def _newest_runs(session: Session, feed_ids: Sequence[int]) -> dict[int, list[SyncRun]]:
    found: dict[int, list[SyncRun]] = defaultdict(list)
    if not feed_ids:
        return found
    newest = [
        sa.select(SyncRun)
        .where(SyncRun.feed_id == feed_id)
        .order_by(SyncRun.id.desc())
        .limit(RUNS_SHOWN)
        .subquery()
        for feed_id in feed_ids
    ]
    together = sa.union_all(*(sa.select(part) for part in newest)).subquery()
    run = aliased(SyncRun, together)
    for row in session.scalars(sa.select(run).order_by(run.id)):
        found[row.feed_id].append(row)
    return found


def run_of(work: Work, run_id: int) -> tuple[SyncRun, FeedRow]:
    """One run with its feed and the runs around it; NotFound if there is none."""
    run = work.session.get(SyncRun, run_id)
    if run is None:
        raise not_found(Message("This run"))
    feed = work.session.get_one(Feed, run.feed_id)
    query = (
        sa.select(SyncRun)
        .where(SyncRun.feed_id == feed.id)
        .order_by(SyncRun.id.desc())
        .limit(2 * RUNS_SHOWN)
    )
    runs = tuple(reversed(work.session.scalars(query).all()))
    return run, FeedRow(feed, runs, work.tick, work.now)


@dataclass(frozen=True)
class DeliveryRow:
    """One delivery that is not done; ``no`` is the number of what it is about, if it has one.

    ``target`` is the ERP connection that it waits for.
    """

    id: int
    handler: str
    target: str
    event: str
    stream: str
    no: str
    state: DeliveryState
    attempts: int
    created_at: dt.datetime
    next_at: dt.datetime
    reason: Message | None

    @property
    def order_no(self) -> str:
        """The order's number, if it is about an order."""
        return self.no if self.stream.startswith("order:") else ""


def open_deliveries(session: Session) -> list[DeliveryRow]:
    """Parked ones first, then those that wait, oldest first."""
    parked_first = sa.case((Delivery.state == DeliveryState.PARKED, 0), else_=1)
    query = (
        sa.select(
            Delivery.id,
            Delivery.handler,
            Delivery.target,
            Delivery.event,
            Delivery.stream,
            Delivery.payload,
            Delivery.state,
            Delivery.attempts,
            Delivery.created_at,
            Delivery.next_at,
            Delivery.reason,
        )
        .where(Delivery.state.in_((DeliveryState.WAITING, DeliveryState.PARKED)))
        .order_by(parked_first, Delivery.id)
        .limit(OPEN_DELIVERIES)
    )
    return [
        DeliveryRow(
            id=row.id,
            handler=row.handler,
            target=row.target,
            event=row.event,
            stream=row.stream,
            no=str(row.payload.get("no") or row.payload.get("order_no") or ""),
            state=row.state,
            attempts=row.attempts,
            created_at=row.created_at,
            next_at=row.next_at,
            reason=row.reason,
        )
        for row in session.execute(query)
    ]


def parked_rows(session: Session) -> tuple[Sequence[ParkedRow], int]:
    """Records that could not be applied, newest try first, and how many there are."""
    total = sa.func.count().over()
    query = sa.select(ParkedRow, total).order_by(ParkedRow.last_at.desc(), ParkedRow.id)
    rows = session.execute(query.limit(PARKED_SHOWN)).all()
    return [row for row, _n in rows], rows[0][1] if rows else 0


@dataclass(frozen=True)
class EnvelopeRow:
    """One exchange without its bodies. ``kept`` says whether there is something to open."""

    id: int
    connection: str
    at: dt.datetime
    operation: str
    reference: str
    correlation_id: str
    status: int | None
    seconds_ms: int
    error: Message | None

    @property
    def order_no(self) -> str:
        """The order's number in the reference, if there is one."""
        return self.reference.split("/")[0] if self.reference.startswith("SO-") else ""


def envelopes(
    session: Session,
    *,
    words: str = "",
    failed: bool = False,
    telling: bool = False,
    offset: int = 0,
    limit: int = 50,
) -> list[EnvelopeRow]:
    """Exchanges, newest first; ``words`` is the beginning of a reference (an order's number).

    ``telling`` leaves out what concerned no order and went well: the pulls of every minute.
    One row more than ``limit`` is fetched by callers that want to know whether there is more.
    """
    query = sa.select(
        Envelope.id,
        Envelope.connection_code,
        Envelope.at,
        Envelope.operation,
        Envelope.reference,
        Envelope.correlation_id,
        Envelope.status,
        Envelope.seconds_ms,
        Envelope.error,
    )
    if words:
        query = query.where(
            sa.or_(
                Envelope.reference.startswith(words, autoescape=True),
                Envelope.correlation_id == words,
            )
        )
    if failed:
        query = query.where(Envelope.error.is_not(None))
    if telling:
        query = query.where(sa.or_(Envelope.reference != "", Envelope.error.is_not(None)))
    query = query.order_by(Envelope.at.desc(), Envelope.id.desc()).offset(offset).limit(limit)
    return [EnvelopeRow(*row) for row in session.execute(query)]


def envelope(session: Session, envelope_id: int) -> Envelope:
    """One exchange with its redacted bodies; NotFound when it is gone."""
    found = session.get(Envelope, envelope_id)
    if found is None:
        raise not_found(Message("This exchange"))
    return found


def freshness(work: Work) -> tuple[dt.datetime, bool] | None:
    """As of when the ERP's data are true as a whole, and whether a feed is past its limit.

    The oldest feed counts; None before every feed has had a complete run.
    """
    found = ages(work)
    known = [one.as_of for one in found if one.as_of is not None]
    if not found or len(known) < len(found):
        return None
    return min(known), any(one.stale for one in found)
