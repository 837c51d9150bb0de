"""What an operator does at the monitor. Nothing here talks to the ERP: the worker does.

Whatever stops, lets pass or forgets data stands on the timeline with who did it.
"""

from __future__ import annotations

import sqlalchemy as sa

from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Entity
from b2bcrm.sync import breaker, events, parking
from b2bcrm.sync.models import (
    DriftNotice,
    ErpConnection,
    Feed,
    GuardState,
    GuardStop,
    QuarantinedRow,
)
from b2bcrm.sync.words import entity_word

MONITOR = "erp"
"""The topic that the monitor's live page watches."""
ASKED_FOR = Message("A person asked for it")


def retry_delivery(work: Work, delivery_id: int) -> None:
    """Put a parked or waiting delivery back in line at once; NotFound if it is done or absent."""
    work.actor.must(Right.OPERATE_ERP)
    if not outbox.retry(work.session, delivery_id, work.tick):
        raise not_found(Message("An open delivery"))
    breaker.try_now(work, work.session.get_one(outbox.Delivery, delivery_id).target)
    work.bump(MONITOR)


def run_now(work: Work, feed_id: int | None = None) -> None:
    """Pull one feed, or all of them, at the worker's next look; an open breaker is closed."""
    work.actor.must(Right.OPERATE_ERP)
    due = sa.update(Feed).values(next_at=work.tick)
    close = sa.update(ErpConnection).values(open_until=None)
    if feed_id is not None:
        feed = _feed(work, feed_id)
        due = due.where(Feed.id == feed.id)
        close = close.where(ErpConnection.code == feed.connection_code)
    work.session.execute(due)
    work.session.execute(close)
    work.bump(MONITOR)


def reconcile_now(work: Work, feed_id: int, *, by_content: bool) -> None:
    """Compare the feed with the ERP at the worker's next look, by keys or whole records."""
    feed = _operate(work, feed_id)
    feed.reconcile_at = work.tick
    if by_content:
        feed.compared_at = None
    _tell(work, feed, Message("Comparison asked for"))


def read_in_full(work: Work, feed_id: int) -> None:
    """Begin the first load anew: everything is read, only what differs is written."""
    feed = _operate(work, feed_id)
    feed.loaded_at = feed.load_started_at = feed.cursor = feed.pending_watermark = None
    feed.next_at = work.tick
    _tell(work, feed, Message("Read in full again"))


def pause(work: Work, feed_id: int, *, paused: bool) -> None:
    """Leave a feed alone, or go on with it; what it missed comes with its next run."""
    feed = _operate(work, feed_id)
    feed.paused, feed.next_at = paused, work.tick
    _tell(work, feed, Message("Paused") if paused else Message("Resumed"))


def set_limits(work: Work, feed_id: int, *, limit_minutes: int, guard_percent: int) -> None:
    """How old a feed may be, and how much of it a run may change without asking."""
    feed = _operate(work, feed_id)
    feed.limit_minutes = max(1, limit_minutes)
    feed.guard_percent = min(max(1, guard_percent), 100)
    _tell(
        work,
        feed,
        Message(
            "Limit %(minutes)s minutes, guard %(percent)s %%",
            minutes=feed.limit_minutes,
            percent=feed.guard_percent,
        ),
    )


def decide(work: Work, stop_id: int, *, approve: bool) -> None:
    """Say yes to one run of this size, or no: then the feed is paused. Conflict if decided."""
    work.actor.must(Right.OPERATE_ERP)
    stop = work.session.get(GuardStop, stop_id, with_for_update=True)
    if stop is None:
        raise not_found(Message("This question"))
    if stop.state is not GuardState.OPEN:
        raise Conflict(Message("This question has been decided already."), code="decided")
    stop.state = GuardState.APPROVED if approve else GuardState.REFUSED
    stop.decided_at, stop.decided_by = work.tick, work.actor.name
    feed = work.session.get_one(Feed, stop.feed_id)
    feed.next_at = work.tick
    if feed.reconcile_at is not None and approve:
        feed.reconcile_at = work.tick
    feed.paused = not approve
    words = (
        Message("%(count)s of %(known)s records may change", count=stop.count, known=stop.known)
        if approve
        else Message(
            "%(count)s of %(known)s records may not change: paused",
            count=stop.count,
            known=stop.known,
        )
    )
    _tell(work, feed, words)


def resync(work: Work, connection: str, entity: Entity, erp_id: str) -> None:
    """Read one record again at the worker's next look, whatever its stamp says."""
    work.actor.must(Right.OPERATE_ERP)
    feed = _feed_of(work, connection, entity)
    parking.park(work, connection, entity, [(erp_id, ASKED_FOR)])
    feed.next_at = work.tick
    work.bump(MONITOR)


def reread(work: Work, row_id: int) -> None:
    """Ask for a quarantined record again at the worker's next look."""
    row, feed = _quarantined(work, row_id)
    row.ignored_at, row.last_at = None, row.first_at  # the longest unasked goes first
    feed.next_at = work.tick
    work.bump(MONITOR)


def ignore(work: Work, row_id: int) -> None:
    """Do not ask for a quarantined record any more."""
    row, feed = _quarantined(work, row_id)
    row.ignored_at = work.tick
    _tell(work, feed, Message("%(no)s is ignored: %(why)s", no=row.erp_id, why=row.reason))


def close_notice(work: Work, notice_id: int) -> None:
    """A drift is dealt with; it opens again when it comes back."""
    work.actor.must(Right.OPERATE_ERP)
    notice = work.session.get(DriftNotice, notice_id)
    if notice is None:
        raise not_found(Message("This drift notice"))
    notice.closed_at, notice.closed_by = work.tick, work.actor.name
    work.bump(MONITOR)


def reset_breaker(work: Work, code: str) -> None:
    """The ERP is back: ask it at once."""
    work.actor.must(Right.OPERATE_ERP)
    if breaker.of(work, code) is None:
        raise not_found(Message("This ERP connection"))
    breaker.reset(work, code)
    work.bump(MONITOR)


def _feed(work: Work, feed_id: int) -> Feed:
    feed = work.session.get(Feed, feed_id)
    if feed is None:
        raise not_found(Message("This feed"))
    return feed


def _operate(work: Work, feed_id: int) -> Feed:
    work.actor.must(Right.OPERATE_ERP)
    return _feed(work, feed_id)


def _feed_of(work: Work, connection: str, entity: str) -> Feed:
    found = work.session.scalar(
        sa.select(Feed).where(Feed.connection_code == connection, Feed.entity == str(entity))
    )
    if found is None:
        raise not_found(Message("This feed"))
    return found


def _quarantined(work: Work, row_id: int) -> tuple[QuarantinedRow, Feed]:
    work.actor.must(Right.OPERATE_ERP)
    row = work.session.get(QuarantinedRow, row_id)
    if row is None:
        raise not_found(Message("This record"))
    return row, _feed_of(work, row.connection_code, row.entity)


def _tell(work: Work, feed: Feed, what: Message) -> None:
    name = entity_word(feed.entity)
    work.publish(events.FeedActed(subject_id=feed.id, feed=name, what=what))
    work.bump(MONITOR)
