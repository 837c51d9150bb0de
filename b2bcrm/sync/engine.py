"""Runs the feeds of one connection: what is due, parents first, and how each run ended.

Nothing is lost when a worker dies: leases end, a first load goes on at its cursor, a delta
starts over from its watermark. The rules are next door: ``runs`` (load and delta), ``reconcile``,
``guard``, ``quarantine``, ``breaker``, ``leases``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from b2bcrm.kernel.errors import CrmError, Unavailable
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Office, Work
from b2bcrm.ports.erp import Act, Entity, ErpAuth, ErpGateway, ErpThrottled
from b2bcrm.sync import asking, breaker, leases, quarantine, reconcile, runs
from b2bcrm.sync.appliers import Applier, Identify, apply_all
from b2bcrm.sync.cadence import FEEDS, compares_by_content, next_night
from b2bcrm.sync.connections import add_unless_there
from b2bcrm.sync.events import GuardAsked
from b2bcrm.sync.leases import Claim, LeaseLost
from b2bcrm.sync.models import ErpConnection, Feed, GuardState, GuardStop, RunKind, RunOutcome
from b2bcrm.sync.quiet import Allowed, allowed
from b2bcrm.sync.runs import Ending
from b2bcrm.sync.source import PAGE_SIZE, Source, nowhere
from b2bcrm.sync.words import entity_word

__all__ = ["FEEDS", "PAGE_SIZE", "Puller", "apply_all"]

MONITOR = "erp"
"""The topic that the monitor's live page watches."""


@dataclass(frozen=True)
class Puller:
    """Knows the ERP, where Works are opened, and which appliers take which entity."""

    office: Office
    erp: ErpGateway
    connection: str
    appliers: Mapping[Entity, Sequence[Applier]]
    identify: Mapping[Entity, Identify] = field(default_factory=dict)
    at_point: Callable[[str], None] = nowhere
    page_size: int = PAGE_SIZE

    @property
    def source(self) -> Source:
        """What the runs work with."""
        return Source(
            office=self.office,
            erp=self.erp,
            connection=self.connection,
            appliers=self.appliers,
            identify=self.identify,
            at_point=self.at_point,
            page_size=self.page_size,
        )

    def ensure_feeds(self) -> None:
        """Make the rows of all feeds that are applied; a changed WSDL is told.

        Workers that start at the same time do it together.
        """
        info = self.erp.describe()
        with self.office.open() as work:
            for entity in self.appliers:
                if entity not in info.capabilities:
                    continue
                cadence = FEEDS[entity]
                feed = Feed(
                    connection_code=self.connection,
                    entity=entity.value,
                    every_s=cadence.every_s,
                    limit_minutes=cadence.limit_minutes,
                    guard_percent=cadence.guard_percent,
                    next_at=work.tick,
                )
                add_unless_there(work, feed)
            add_unless_there(work, ErpConnection(code=self.connection))
            row = work.session.scalars(
                sa.select(ErpConnection).where(ErpConnection.code == self.connection)
            ).one()
            row.product = row.product or info.product
            if row.wsdl_digest and row.wsdl_digest != info.wsdl_digest:
                quarantine.tell_wsdl(work, self.connection, row.wsdl_digest, info.wsdl_digest)
            row.wsdl_digest, row.profile_digest = info.wsdl_digest, info.profile_digest

    # ------------------------------------------------------------------------------- what is due
    def pull_due(self) -> int:
        """Pull every feed whose time has come, parents first; answers how many were run.

        After an outage one feed is tried first, by one worker; the others follow its success.
        """
        return sum(self.pull(entity) is not None for entity in self._due(Feed.next_at))

    def reconcile_due(self) -> int:
        """Reconcile every feed whose night has come; answers how many."""
        return sum(self.reconcile(entity) is not None for entity in self._due(Feed.reconcile_at))

    def _due(self, at: sa.SQLColumnExpression[Any]) -> list[Entity]:
        with self.office.open(read_only=True) as work:
            row = breaker.of(work, self.connection)
            if row is None or not row.active or breaker.open_(row, work.tick):
                return []
            if allowed(row.quiet, work.tick)[0] is Allowed.NONE:
                return []
            asks = sa.exists().where(
                GuardStop.feed_id == Feed.id, GuardStop.state == GuardState.OPEN
            )
            query = sa.select(Feed.entity).where(
                Feed.connection_code == self.connection,
                at <= work.tick,
                ~Feed.paused,
                leases.free(work.tick),
                ~asks,
            )
            due = set(work.session.scalars(query))
            half_open = not breaker.closed(row)
        found = [entity for entity in FEEDS if entity.value in due]
        if half_open and found:
            with self.office.open() as work:
                if not breaker.take_probe(work, self.connection):
                    return []
            if self.pull(found[0]) is not RunOutcome.COMPLETE:
                return []
            return found[1:]
        return found

    # -------------------------------------------------------------------------------------- runs
    def pull(self, entity: Entity) -> RunOutcome | None:
        """One run of one feed; None if another worker has it, or a person paused it."""
        return self._run(entity, None, self._pull)

    def reconcile(self, entity: Entity, *, by_content: bool | None = None) -> RunOutcome | None:
        """Compare a loaded feed with the ERP; without ``by_content`` as its calendar says."""
        with self.office.open(read_only=True) as work:
            feed = work.session.scalar(
                sa.select(Feed).where(
                    Feed.connection_code == self.connection, Feed.entity == entity.value
                )
            )
            if feed is None or feed.loaded_at is None:
                return None
            if by_content is None:
                by_content = compares_by_content(feed.compared_at, work.tick)
        kind = RunKind.COMPARE if by_content else RunKind.KEYS
        return self._run(entity, kind, reconcile.by_content if by_content else reconcile.by_keys)

    def resync(self, entity: Entity, erp_id: str) -> RunOutcome | None:
        """Read one record again and apply it."""

        def one(claim: Claim) -> Ending:
            asking.fetch(claim, [erp_id])
            return RunOutcome.COMPLETE, None

        return self._run(entity, RunKind.SINGLE, one)

    def count_all(self) -> Iterator[tuple[Entity, int]]:
        """How many records each feed has in the ERP; kept for the estimate of a first load."""
        for entity in FEEDS:
            if Act.LIST_KEYS not in self.source.capability(entity).acts:
                continue
            count = reconcile.count_keys(self.source, entity)
            with self.office.open() as work:
                work.session.execute(
                    sa.update(Feed)
                    .where(Feed.connection_code == self.connection, Feed.entity == entity.value)
                    .values(announced=count)
                )
            yield entity, count

    @staticmethod
    def _pull(claim: Claim) -> Ending:
        if claim.loaded:
            ending, _reading = runs.delta(claim)
        else:
            ending = runs.load(claim)
        if ending[0] is RunOutcome.COMPLETE:
            asking.ask_waiting(claim)
        return ending

    def _run(
        self, entity: Entity, kind: RunKind | None, body: Callable[[Claim], Ending]
    ) -> RunOutcome | None:
        claim = leases.claim(self.source, entity, kind)
        if claim is None:
            return None
        self.at_point("after_claim")
        try:
            outcome, error = body(claim)
            self._end(claim, outcome, error)
        except LeaseLost:
            return None
        except CrmError as failure:
            outcome = RunOutcome.FAILED
            self._end(claim, outcome, failure.message, failure=failure)
        except Exception as failure:
            text = Message("Internal error: %(kind)s", kind=type(failure).__name__)
            self._end(claim, RunOutcome.FAILED, text, failure=failure)
            raise
        self.at_point("after_end")
        return outcome

    def _end(
        self,
        claim: Claim,
        outcome: RunOutcome,
        error: Message | None,
        *,
        failure: Exception | None = None,
    ) -> None:
        """Write down how it ended; only a complete run moves the watermark."""
        with self.office.open() as work:
            feed, run = leases.hold(work, claim)
            run.outcome, run.error, run.finished_at = outcome, error, work.tick
            feed.leased_until, feed.lease_token = None, None
            feed.next_at = work.tick + dt.timedelta(seconds=feed.every_s)
            outage = isinstance(failure, Unavailable)
            if outcome is RunOutcome.COMPLETE:
                _complete(work, feed, claim)
            elif claim.kind is RunKind.LOAD and not outage:
                # A cursor that the ERP refuses would be refused for ever; an outage goes on at it.
                feed.cursor, feed.load_started_at, feed.pending_watermark = None, None, None
            elif claim.kind is not RunKind.LOAD:
                feed.pending_watermark = None
            if outcome is RunOutcome.HELD and error is not None:
                work.publish(
                    GuardAsked(subject_id=feed.id, feed=entity_word(feed.entity), what=error)
                )
            if claim.kind in {RunKind.KEYS, RunKind.COMPARE} and not outage:
                feed.reconcile_at = next_night(work.tick, feed.entity)
            _teach_breakers(work, feed, outcome, error, failure)
            work.bump(MONITOR)


def _teach_breakers(
    work: Work,
    feed: Feed,
    outcome: RunOutcome,
    error: Message | None,
    failure: Exception | None,
) -> None:
    """The feed's own breaker and the connection's learn how the run went."""
    if outcome in {RunOutcome.FAILED, RunOutcome.PARTIAL}:
        breaker.feed_failed(work, feed)
    else:
        breaker.feed_answered(feed)
    if isinstance(failure, ErpThrottled):  # our own limit, or theirs: no outage
        feed.next_at = max(feed.next_at, work.tick + (failure.retry_after or dt.timedelta(0)))
    elif isinstance(failure, ErpAuth):
        breaker.locked_out(work, feed.connection_code, error)
    elif isinstance(failure, Unavailable):
        breaker.failed(work, feed.connection_code, error)
    elif failure is None:
        breaker.answered(work, feed.connection_code)


def _complete(work: Work, feed: Feed, claim: Claim) -> None:
    if claim.kind is RunKind.SINGLE:
        return
    feed.watermark = feed.pending_watermark or feed.watermark
    feed.pending_watermark, feed.cursor, feed.gaps = None, None, 0
    if claim.kind is not RunKind.KEYS:
        feed.data_as_of, feed.last_ok_at = work.now, work.tick
    if claim.kind is RunKind.LOAD:
        feed.loaded_at = work.tick
        # Paging that may miss rows is checked at once, the rest at night.
        sure = claim.source.capability(claim.entity).consistent_paging
        feed.reconcile_at = next_night(work.tick, feed.entity) if sure else work.tick
