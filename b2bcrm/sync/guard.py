"""The guard: a run that would change or remove too much stops before it writes, and asks.

A wrong plant, a test system, a lost company filter and a cut reply all look like a busy day. A
person says yes once, for that much and no more, or no: then the feed stands still.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.kernel.work import Work
from b2bcrm.sync import refs
from b2bcrm.sync.leases import Claim
from b2bcrm.sync.models import Feed, GuardState, GuardStop, Threat

ALWAYS = 50  # rows that nobody is asked about
SAMPLE = 20


@dataclass(frozen=True)
class Allowance:
    """How many records a run may change, or remove, without asking; ``known`` ones there are."""

    rows: int
    known: int

    def covers(self, changed: int, new: int) -> bool:
        """New records count once there are more of them than were known at all."""
        return changed + max(0, new - self.known) <= self.rows


def allowance(work: Work, claim: Claim, threat: Threat) -> Allowance:
    """What this run may do without asking.

    The feed's percentage is per day: after an outage of three days, three times as much is usual.
    """
    feed = work.session.get_one(Feed, claim.feed_id)
    known = refs.known_rows(work, claim.source.connection, claim.entity)
    behind = work.now - (feed.data_as_of or work.now)
    days = 1 if threat is Threat.REMOVAL else 1 + behind // dt.timedelta(days=1)
    usual = max(ALWAYS, known * feed.guard_percent * days // 100)
    if threat is Threat.REMOVAL and known:
        usual = min(usual, known - 1)  # an empty reply must never pass for an empty ERP
    approved = approval(work, claim.feed_id, threat)
    rows = usual if approved is None else max(usual, approved.count + ALWAYS)
    return Allowance(rows, known)


def approval(work: Work, feed_id: int, threat: Threat) -> GuardStop | None:
    """The approval that the next run may use up."""
    return work.session.scalar(
        sa.select(GuardStop)
        .where(
            GuardStop.feed_id == feed_id,
            GuardStop.threat == threat,
            GuardStop.state == GuardState.APPROVED,
        )
        .order_by(GuardStop.id.desc())
        .limit(1)
    )


def stop(work: Work, claim: Claim, threat: Threat, ids: Sequence[str], new: int = 0) -> GuardStop:
    """Write down the question; an older open one of the same kind is replaced by it."""
    work.session.execute(
        sa.delete(GuardStop).where(
            GuardStop.feed_id == claim.feed_id,
            GuardStop.threat == threat,
            GuardStop.state == GuardState.OPEN,
        )
    )
    asked = GuardStop(
        feed_id=claim.feed_id,
        run_id=claim.run_id,
        threat=threat,
        count=len(ids) + new,
        known=refs.known_rows(work, claim.source.connection, claim.entity),
        sample=list(ids[:SAMPLE]),
        asked_at=work.tick,
    )
    work.session.add(asked)
    return asked


def use_up(work: Work, feed_id: int, threat: Threat) -> None:
    """The run that was approved is done."""
    found = approval(work, feed_id, threat)
    if found is not None:
        found.state = GuardState.USED
