"""Runs: the first load, which goes on where it stopped, and the delta, which reads, then writes.

A delta compares every record with what was applied and keeps only what differs; when all pages
are read and agree, and the guard has no question, these are applied in short Works. The
watermark moves when nothing is missing but records that are known to be held back.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Act, Delta, Drifted, Page, Record
from b2bcrm.sync import guard, leases, quarantine
from b2bcrm.sync.applying import Fresh, apply_chunk, sift
from b2bcrm.sync.guard import Allowance
from b2bcrm.sync.leases import Claim
from b2bcrm.sync.models import Feed, RunOutcome, SyncRun, Threat

CLOCKS_APART = dt.timedelta(minutes=5)  # more, and the ERP's clock is not believed
ROUNDS = 4  # a book that moves while it is read is read again, this often at most

Pairs = dict[str, tuple[Record, str]]
Ending = tuple[RunOutcome, Message | None]


def load(claim: Claim) -> Ending:
    """The first load: each page is applied at once and the cursor kept with it."""
    cursor = claim.cursor
    while True:
        page = ask(claim, since=None, cursor=cursor)
        stuck = page.next_cursor is not None and page.next_cursor == cursor
        with claim.source.office.open(read_only=True) as work:
            found = sift(work, claim, page.records)
        step = _Step(claim, page, stuck=stuck)
        apply_chunk(claim, found.records, then=step.note)
        claim.source.at_point("after_page")
        cursor = page.next_cursor
        if cursor is None or stuck:
            return (RunOutcome.PARTIAL, _said(page)) if step.gaps else (RunOutcome.COMPLETE, None)


@dataclass
class _Step:
    """A page of the first load is applied: where to go on, in the same transaction."""

    claim: Claim
    page: Page
    stuck: bool
    gaps: int = 0

    def note(self, work: Work, feed: Feed, run: SyncRun) -> None:
        """Move the cursor and count."""
        page, claim = self.page, self.claim
        run.rows_read += len(page.records)
        run.rows_quarantined += quarantine.hold_back(
            work, claim.source.connection, claim.entity, page.drift
        )
        quarantine.count_unknown(work, claim.source.connection, claim.entity, page.unknown)
        if feed.pending_watermark is None:
            feed.pending_watermark = _until(page, feed.watermark, work.now)
        feed.load_rows += len(page.records)
        feed.gaps += _hole(claim, page) or self.stuck
        feed.cursor = None if self.stuck else page.next_cursor
        self.gaps = feed.gaps
        work.bump("erp")


@dataclass
class Reading:
    """One round over the pages of a delta."""

    fresh: Pairs = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    new: int = 0
    over: bool = False  # the guard must ask: what differs is counted, and no longer kept
    marks: dict[str, tuple[str, str]] = field(default_factory=dict)
    pages: int = 0
    rows: int = 0
    doubled: bool = False
    gap: Message | None = None
    watermark: dt.datetime | None = None
    drift: list[Drifted] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)

    def agrees_with(self, before: Reading | None, *, consistent: bool) -> bool:
        """Whether the book stood still: no id came twice unchanged, nothing came or went.

        Where the ERP's paging may miss rows, two rounds over several pages must be alike.
        """
        if self.doubled:
            return False
        return self.pages == 1 or consistent or (before is not None and before.marks == self.marks)


def delta(claim: Claim, *, whole_book: bool = False) -> tuple[Ending, Reading | None]:
    """Read what changed (with ``whole_book`` everything), then write what differs.

    The Reading is None where nothing may be concluded from it.
    """
    with claim.source.office.open(read_only=True) as work:
        allowed = guard.allowance(work, claim, Threat.CHANGE)
    consistent = claim.source.capability(claim.entity).consistent_paging
    since = None if whole_book else since_of(claim)
    reading, rounds = _read(claim, since, allowed), 1
    before: Reading | None = None
    while not reading.agrees_with(before, consistent=consistent):
        if rounds == ROUNDS:
            moved = Message("The ERP's pages do not agree with each other.")
            return (RunOutcome.PARTIAL, moved), None
        before, reading, rounds = reading, _read(claim, since, allowed), rounds + 1
    claim.source.at_point("after_reading")
    if reading.over:
        return _ask_person(claim, reading), None
    for chunk in chunks(reading.fresh, claim.source.page_size):
        apply_chunk(claim, chunk)
    with claim.source.office.open() as work:
        feed, run = leases.hold(work, claim)
        feed.pending_watermark = reading.watermark
        run.rows_read, run.rounds = reading.rows, rounds
        run.rows_quarantined += quarantine.hold_back(
            work, claim.source.connection, claim.entity, reading.drift
        )
        quarantine.count_unknown(work, claim.source.connection, claim.entity, reading.unknown)
        if reading.gap is None:
            guard.use_up(work, claim.feed_id, Threat.CHANGE)
    if reading.gap is not None:
        return (RunOutcome.PARTIAL, reading.gap), None
    return (RunOutcome.COMPLETE, None), reading


def since_of(claim: Claim) -> dt.datetime | None:
    """From when to read: the watermark less the overlap that this ERP needs."""
    nothing = claim.source.capability(claim.entity).delta is Delta.NONE
    if claim.watermark is None or nothing:
        return None
    return claim.watermark - claim.source.erp.describe().overlap


def ask(claim: Claim, *, since: dt.datetime | None, cursor: str | None) -> Page:
    """One page, at most as long as the ERP allows."""
    size = min(claim.source.page_size, claim.source.capability(claim.entity).max_page)
    return claim.source.erp.list(claim.entity, since=since, cursor=cursor, page_size=size)


def chunks(pairs: Pairs, size: int) -> Iterator[Pairs]:
    """The pairs in parts, in their order."""
    rest = iter(pairs.items())
    while part := dict(islice(rest, size)):
        yield part


def _read(claim: Claim, since: dt.datetime | None, allowed: Allowance) -> Reading:
    reading, cursor = Reading(), None
    while True:
        page = ask(claim, since=since, cursor=cursor)
        with claim.source.office.open(read_only=True) as work:
            found = sift(work, claim, page.records)
            tick, until = work.tick, _until(page, claim.watermark, work.now)
        leases.keep(claim, tick)
        reading.pages += 1
        reading.rows += len(page.records)
        reading.doubled |= len(found.marks) < len(page.records) or any(
            reading.marks.get(erp_id) == mark for erp_id, mark in found.marks.items()
        )
        reading.marks |= found.marks
        _keep(reading, found, allowed)
        newest = [at for at in (reading.watermark, _newest(page)) if at]
        if page.high_watermark is None:
            reading.watermark = max(newest, default=None)
        elif reading.pages == 1:
            reading.watermark = until
        reading.drift += page.drift
        reading.unknown.update(page.unknown)
        stuck = page.next_cursor is not None and page.next_cursor == cursor
        if _hole(claim, page) or stuck:
            reading.gap = reading.gap or _said(page)
        cursor = page.next_cursor
        if cursor is None or stuck:
            return reading


def _keep(reading: Reading, found: Fresh, allowed: Allowance) -> None:
    """Keep what differs as long as the guard allows; beyond that it is only counted."""
    reading.changed |= found.changed
    reading.new += sum(key not in reading.fresh for key in found.records.keys() - found.changed)
    reading.over = reading.over or not allowed.covers(len(reading.changed), reading.new)
    if reading.over:
        reading.fresh.clear()
    else:
        reading.fresh |= found.records


def _ask_person(claim: Claim, reading: Reading) -> Ending:
    with claim.source.office.open() as work:
        _feed, run = leases.hold(work, claim)
        run.rows_read = reading.rows
        asked = guard.stop(work, claim, Threat.CHANGE, sorted(reading.changed), reading.new)
        text = Message(
            "It would change %(count)s of %(known)s records and waits for a yes.",
            count=asked.count,
            known=asked.known,
        )
    return RunOutcome.HELD, text


def _hole(claim: Claim, page: Page) -> bool:
    """Rows are missing that no later run would ask for by their id."""
    cannot_ask = Act.GET not in claim.source.capability(claim.entity).acts
    return quarantine.gap(page) or (cannot_ask and bool(page.drift))


def _said(page: Page) -> Message:
    """What to tell about a page that is not whole."""
    for one in page.drift:
        what = f"{one.reason} ({one.erp_id or one.path})"
        return Message("A record could not be read: %(what)s", what=what)
    return Message("The ERP announced more rows than it sent.")


def _until(page: Page, before: dt.datetime | None, now: dt.datetime) -> dt.datetime | None:
    """Up to when a page is complete: the ERP's time, unless its clock runs ahead of ours.

    A watermark in the future would pass over all that changes until then, so only what the rows
    themselves show is believed.
    """
    told = page.high_watermark
    if told is not None and told <= now + CLOCKS_APART:
        return told
    return max((at for at in (_newest(page), before) if at), default=None)


def _newest(page: Page) -> dt.datetime | None:
    return max((r.updated_at for r in page.records if r.updated_at), default=None)
