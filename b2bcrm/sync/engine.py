"""Pulls one feed: page by page, each page its own short Work, the network between them.

The watermark moves only when a run has read everything; an interrupted run goes on at its
cursor. Records whose parent is missing are parked and asked for again with each run.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.kernel.errors import CrmError, Unavailable
from b2bcrm.kernel.outbox import delay
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Office, Work
from b2bcrm.ports.erp import Entity, ErpGateway, Page, Record
from b2bcrm.sync.appliers import Applied, Applier
from b2bcrm.sync.models import ErpConnection, Feed, ParkedRow, RunOutcome, SyncRun

OVERLAP = dt.timedelta(minutes=2)  # rows stamped just before their commit are read twice, not lost
LEASE = dt.timedelta(minutes=5)
PAGE_SIZE = 200
BREAK_AFTER = 5
BREAK_FOR = dt.timedelta(seconds=60)
PARKED_PER_RUN = 50

# Parents before children. Seconds between pulls, minutes after which a page calls the data old.
FEEDS: dict[Entity, tuple[int, int]] = {
    Entity.CUSTOMER: (120, 240),
    Entity.ITEM: (300, 1440),
    Entity.BOM: (600, 1440),
    Entity.WORK_CENTER: (600, 1440),
    Entity.PRICE: (600, 1440),
    Entity.STOCK: (15, 30),
    Entity.SALES_ORDER: (10, 30),
    Entity.PURCHASE_ORDER: (15, 30),
    Entity.WORK_ORDER: (15, 30),
    Entity.SHIPMENT: (15, 30),
    Entity.INVOICE: (60, 240),
}


@dataclass(frozen=True)
class Puller:
    """Knows the ERP, where Works are opened, and which appliers take which entity."""

    office: Office
    erp: ErpGateway
    connection: str
    appliers: Mapping[Entity, Sequence[Applier]]

    def ensure_feeds(self) -> None:
        """Make the rows of all feeds that are applied."""
        with self.office.open() as work:
            query = sa.select(Feed.entity).where(Feed.connection_code == self.connection)
            have = set(work.session.scalars(query))
            for entity in self.appliers:
                if entity.value not in have:
                    every_s, limit = FEEDS[entity]
                    work.session.add(
                        Feed(
                            connection_code=self.connection,
                            entity=entity.value,
                            every_s=every_s,
                            limit_minutes=limit,
                            next_at=work.tick,
                        )
                    )
            known = sa.select(ErpConnection).where(ErpConnection.code == self.connection)
            if work.session.scalar(known) is None:
                work.session.add(ErpConnection(code=self.connection))

    def pull_due(self) -> int:
        """Pull every feed whose time has come, parents first; answers how many were run."""
        with self.office.open(read_only=True) as work:
            connection = work.session.scalar(
                sa.select(ErpConnection).where(ErpConnection.code == self.connection)
            )
            if connection and connection.open_until and connection.open_until > work.tick:
                return 0
            due = set(
                work.session.scalars(
                    sa.select(Feed.entity).where(
                        Feed.connection_code == self.connection, Feed.next_at <= work.tick
                    )
                )
            )
        done = 0
        for entity in FEEDS:
            if entity.value in due and self.pull(entity) is not None:
                done += 1
        return done

    def pull(self, entity: Entity) -> RunOutcome | None:
        """One run of one feed; None if another worker has it."""
        claimed = self._claim(entity)
        if claimed is None:
            return None
        feed_id, run_id, since, cursor = claimed
        whole, unread = True, ""
        try:
            while True:
                page = self.erp.list(entity, since=since, cursor=cursor, page_size=PAGE_SIZE)
                whole = whole and page.complete
                unread = unread or next((f"{d.reason} ({d.erp_id})" for d in page.drift), "")
                cursor = self._take(feed_id, run_id, entity, page)
                if cursor is None:
                    break
            if not whole:
                text = Message("The ERP announced more rows than it sent.")
                if unread:
                    text = Message("A record could not be read: %(what)s", what=unread)
                return self._end(feed_id, run_id, RunOutcome.PARTIAL, text)
            self._ask_parked_again(entity)
            return self._end(feed_id, run_id, RunOutcome.COMPLETE, None)
        except CrmError as error:
            # A cursor that the ERP refuses would be refused for ever; an outage goes on at it.
            outage = isinstance(error, Unavailable)
            return self._end(
                feed_id, run_id, RunOutcome.FAILED, error.message, start_over=not outage
            )
        except Exception as error:
            text = Message("Internal error: %(kind)s", kind=type(error).__name__)
            self._end(feed_id, run_id, RunOutcome.FAILED, text)
            raise

    def _claim(self, entity: Entity) -> tuple[int, int, dt.datetime | None, str | None] | None:
        with self.office.open() as work:
            free = sa.or_(Feed.leased_until.is_(None), Feed.leased_until < work.tick)
            feed_id = work.session.scalar(
                sa.update(Feed)
                .where(Feed.connection_code == self.connection, Feed.entity == entity.value, free)
                .values(leased_until=work.tick + LEASE)
                .returning(Feed.id)
            )
            if feed_id is None:
                return None
            feed = work.session.get_one(Feed, feed_id)
            run = SyncRun(feed_id=feed_id, started_at=work.tick, outcome=RunOutcome.RUNNING)
            work.session.add(run)
            work.session.flush()  # flush: the run's id is needed outside
            since = feed.watermark - OVERLAP if feed.watermark else None
            return feed_id, run.id, since, feed.cursor

    def _take(self, feed_id: int, run_id: int, entity: Entity, page: Page) -> str | None:
        """Apply one page and remember where to go on, in one transaction."""
        with self.office.open() as work:
            feed = work.session.get_one(Feed, feed_id)
            run = work.session.get_one(SyncRun, run_id)
            applied = apply_all(work, self.appliers[entity], page.records)
            run.rows_read += len(page.records)
            run.rows_changed += applied.changed
            run.rows_parked += len(applied.parked)
            for erp_id, reason in applied.parked:
                _park(work, self.connection, entity, erp_id, reason)
            if feed.pending_watermark is None:
                feed.pending_watermark = page.high_watermark
            feed.cursor = page.next_cursor
            feed.leased_until = work.tick + LEASE
            return page.next_cursor

    def _ask_parked_again(self, entity: Entity) -> None:
        with self.office.open(read_only=True) as work:
            query = (
                sa.select(ParkedRow.erp_id)
                .where(
                    ParkedRow.connection_code == self.connection, ParkedRow.entity == entity.value
                )
                .order_by(ParkedRow.last_at)
                .limit(PARKED_PER_RUN)
            )
            waiting = list(work.session.scalars(query))
        for erp_id in waiting:
            record = self.erp.get(entity, erp_id)
            with self.office.open() as work:
                again: Applied = Applied()
                if record is not None:
                    again = apply_all(work, self.appliers[entity], [record])
                if again.parked:
                    _park(work, self.connection, entity, erp_id, again.parked[0][1])
                else:
                    work.session.execute(
                        sa.delete(ParkedRow).where(
                            ParkedRow.connection_code == self.connection,
                            ParkedRow.entity == entity.value,
                            ParkedRow.erp_id == erp_id,
                        )
                    )

    def _end(
        self,
        feed_id: int,
        run_id: int,
        outcome: RunOutcome,
        error: Message | None,
        *,
        start_over: bool = False,
    ) -> RunOutcome:
        with self.office.open() as work:
            feed = work.session.get_one(Feed, feed_id)
            run = work.session.get_one(SyncRun, run_id)
            connection = work.session.scalars(
                sa.select(ErpConnection).where(ErpConnection.code == self.connection)
            ).one()
            run.outcome, run.error, run.finished_at = outcome, error, work.tick
            feed.leased_until = None
            wait = dt.timedelta(seconds=feed.every_s)
            if outcome is RunOutcome.COMPLETE:
                feed.watermark = feed.pending_watermark or feed.watermark
                feed.pending_watermark, feed.cursor = None, None
                feed.data_as_of, feed.last_ok_at = work.now, work.tick
                feed.rows_total += run.rows_read
                connection.failures, connection.last_ok_at = 0, work.tick
                connection.open_until = None
            else:
                connection.failures += 1
                connection.last_error, connection.last_error_at = error, work.tick
                if connection.failures >= BREAK_AFTER:
                    connection.open_until = work.tick + BREAK_FOR
                if start_over or outcome is RunOutcome.PARTIAL:
                    feed.pending_watermark, feed.cursor = None, None
                wait = max(wait, delay(connection.failures))
            feed.next_at = work.tick + wait
            work.bump("erp")
            return outcome


def apply_all(work: Work, appliers: Sequence[Applier], records: Sequence[Record]) -> Applied:
    """Give the records to each applier in turn; parked rows and changes add up."""
    changed, parked = 0, {}
    for applier in appliers:
        result = applier(work, records)
        changed += result.changed
        parked.update(dict(result.parked))
    return Applied(changed=changed, parked=tuple(parked.items()))


def _park(work: Work, connection: str, entity: Entity, erp_id: str, reason: Message) -> None:
    query = sa.select(ParkedRow).where(
        ParkedRow.connection_code == connection,
        ParkedRow.entity == entity.value,
        ParkedRow.erp_id == erp_id,
    )
    row = work.session.scalar(query)
    if row is None:
        work.session.add(
            ParkedRow(
                connection_code=connection,
                entity=entity.value,
                erp_id=erp_id,
                reason=reason,
                first_at=work.tick,
                last_at=work.tick,
            )
        )
    else:
        row.reason, row.last_at, row.tries = reason, work.tick, row.tries + 1
