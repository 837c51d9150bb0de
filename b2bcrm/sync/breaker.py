"""The breaker: an ERP that is down is left alone, then tried with one read before anything else.

Per connection, fed by outages of runs and writes; and per feed, for what only one operation
suffers. Pauses double up to a quarter of an hour, and that is the budget of retries.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from b2bcrm.kernel import outbox
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import ErpOutcomeUnknown, ErpThrottled, ErpUnavailable
from b2bcrm.sync.models import ErpConnection, Feed

BREAK_AFTER = 5
BREAK_FOR = dt.timedelta(seconds=60)
LONGEST = dt.timedelta(minutes=15)
PROBE = dt.timedelta(seconds=90)  # how long one worker may take for the trial read
OUTAGE = frozenset({ErpUnavailable.code, ErpThrottled.code, ErpOutcomeUnknown.code})
"""Why a write waits while the ERP is down."""


def of(work: Work, code: str) -> ErpConnection | None:
    """The connection's row."""
    return work.session.scalar(sa.select(ErpConnection).where(ErpConnection.code == code))


def closed(row: ErpConnection) -> bool:
    """Everything may be asked."""
    return row.open_until is None


def open_(row: ErpConnection, tick: dt.datetime) -> bool:
    """Nothing may be asked yet."""
    return row.open_until is not None and row.open_until > tick


def take_probe(work: Work, code: str) -> bool:
    """Whether this worker may make the one trial read of a half-open breaker."""
    taken = work.session.scalar(
        sa.update(ErpConnection)
        .where(
            ErpConnection.code == code,
            ErpConnection.open_until <= work.tick,
            sa.or_(ErpConnection.probe_until.is_(None), ErpConnection.probe_until < work.tick),
        )
        .values(probe_until=work.tick + PROBE)
        .returning(ErpConnection.id)
        .execution_options(synchronize_session=False)
    )
    return taken is not None


def failed(work: Work, code: str, error: Message | None) -> None:
    """The ERP could not be asked once more; opens, or opens for longer."""
    row = of(work, code)
    if row is None:
        return
    row.failures += 1
    row.last_error, row.last_error_at, row.probe_until = error, work.tick, None
    if row.failures >= BREAK_AFTER:
        longer = min(row.failures - BREAK_AFTER, 6)
        row.open_until = work.tick + min(LONGEST, BREAK_FOR * 2**longer)


def locked_out(work: Work, code: str, error: Message | None) -> None:
    """The login is not accepted: trying on would lock the ERP account, so everything waits."""
    row = of(work, code)
    if row is not None:
        row.failures = max(row.failures + 1, BREAK_AFTER)
        row.last_error, row.last_error_at, row.probe_until = error, work.tick, None
        row.open_until = work.tick + LONGEST


def answered(work: Work, code: str) -> None:
    """The ERP answered: everything may be asked again, and what waited for it is due now."""
    row = of(work, code)
    if row is not None:
        if row.open_until is not None:
            outbox.hurry(work.session, work.tick, codes=OUTAGE, target=code)
        row.failures, row.open_until, row.probe_until = 0, None, None
        row.last_ok_at = work.tick


def feed_failed(work: Work, feed: Feed) -> None:
    """One feed failed once more: it waits longer each time, others go on."""
    feed.failures += 1
    wait = max(dt.timedelta(seconds=feed.every_s), outbox.delay(feed.failures))
    feed.next_at = work.tick + wait
    if feed.failures >= BREAK_AFTER:
        feed.open_until = feed.next_at


def feed_answered(feed: Feed) -> None:
    """One feed is well again."""
    feed.failures, feed.open_until = 0, None


def try_now(work: Work, code: str) -> None:
    """A person wants it tried: the trial read of an ERP that is left alone is made at once."""
    waiting = sa.select(ErpConnection.code).where(
        ErpConnection.code == code, ErpConnection.open_until.is_not(None)
    )
    work.session.execute(
        sa.update(Feed).where(Feed.connection_code.in_(waiting)).values(next_at=work.tick)
    )
    work.session.execute(
        sa.update(ErpConnection)
        .where(ErpConnection.code == code, ErpConnection.open_until > work.tick)
        .values(open_until=work.tick, probe_until=None)
    )


def reset(work: Work, code: str) -> None:
    """A person knows that the ERP is back: nothing is waited for."""
    answered(work, code)
    work.session.execute(
        sa.update(Feed)
        .where(Feed.connection_code == code)
        .values(failures=0, open_until=None, next_at=work.tick)
    )
