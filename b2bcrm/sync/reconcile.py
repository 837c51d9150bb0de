"""Reconciliation: every night all keys and versions, every week all records by content.

What is missing here is asked for, what differs is read again, and what is missing there becomes
a tombstone, but only when two complete reconciliations agree and the guard has no question.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Act, Entity
from b2bcrm.sync import guard, leases, parking, quarantine, refs
from b2bcrm.sync.applying import apply_chunk
from b2bcrm.sync.asking import fetch
from b2bcrm.sync.digests import total
from b2bcrm.sync.leases import Claim
from b2bcrm.sync.models import DriftReport, ErpRef, RunOutcome, Threat
from b2bcrm.sync.runs import ROUNDS, Ending, Pairs, chunks, delta
from b2bcrm.sync.source import Source
from b2bcrm.sync.tombstones import gone

FETCH_AT_MOST = 500  # records asked for one by one; beyond that the book is read in full
SAMPLE = 20


@dataclass(frozen=True)
class Compared:
    """Their book against ours. ``theirs`` maps erp_id to its mark (version, or digest)."""

    theirs: Mapping[str, str]
    ours: Mapping[str, str]
    waiting: frozenset[str]  # parked or quarantined: known, but not applied

    @property
    def missing_here(self) -> list[str]:
        """In the ERP, and nothing here knows of it."""
        return [key for key in self.theirs if key not in self.ours and key not in self.waiting]

    @property
    def missing_there(self) -> list[str]:
        """Applied here, and the ERP does not list it."""
        return [key for key in self.ours if key not in self.theirs]

    @property
    def differing(self) -> list[str]:
        """On both sides with another mark. An ERP without versions has empty marks."""
        theirs = self.theirs
        return [
            key
            for key, mark in self.ours.items()
            if key in theirs and theirs[key] and theirs[key] != mark and key not in self.waiting
        ]


def by_keys(claim: Claim) -> Ending:
    """The nightly comparison of keys and versions."""
    source = claim.source
    if Act.LIST_KEYS not in source.capability(claim.entity).acts:
        return by_content(claim)
    keys = _all_keys(claim)
    if keys is None:
        text = Message("The ERP's list of keys is not complete.")
        return RunOutcome.PARTIAL, text
    with source.office.open(read_only=True) as work:
        compared = _against_ours(work, claim, keys, by_content=False)
    wanted = [*compared.missing_here, *compared.differing]
    if len(wanted) > FETCH_AT_MOST or Act.GET not in source.capability(claim.entity).acts:
        if wanted:
            return by_content(claim)
    else:
        fetch(claim, wanted)
    return _conclude(claim, compared, by_content=False)


def by_content(claim: Claim) -> Ending:
    """The weekly comparison of every record with what was applied; differences are applied."""
    with claim.source.office.open(read_only=True) as work:
        before = {row.erp_id: row.digest for row in _ours(work, claim)}
    (outcome, error), reading = delta(claim, whole_book=True)
    if reading is None:
        return outcome, error
    with claim.source.office.open(read_only=True) as work:
        waiting = _waiting(work, claim)
    theirs = {erp_id: mark for erp_id, (mark, _version) in reading.marks.items()}
    theirs |= {one.erp_id: "" for one in reading.drift if one.erp_id}
    return _conclude(claim, Compared(theirs, before, waiting), by_content=True)


def count_keys(source: Source, entity: Entity) -> int:
    """How many records the ERP lists."""
    size = min(source.capability(entity).max_page, source.page_size)
    keys: set[str] = set()
    cursor = None
    while True:
        page = source.erp.list_keys(entity, cursor=cursor, page_size=size)
        keys |= page.keys.keys()
        if page.next_cursor is None or page.next_cursor == cursor:
            return len(keys)
        cursor = page.next_cursor


def _all_keys(claim: Claim) -> dict[str, str] | None:
    """All keys with versions as two agreeing rounds (or one consistent) give them, or None."""
    capability = claim.source.capability(claim.entity)
    before: dict[str, str] | None = None
    for _round in range(ROUNDS):
        keys, pages, whole = _read_keys(claim, min(capability.max_page, claim.source.page_size))
        if not whole:
            return None
        if pages == 1 or capability.consistent_paging or before == keys:
            return keys
        before = keys
    return None


def _read_keys(claim: Claim, page_size: int) -> tuple[dict[str, str], int, bool]:
    keys: dict[str, str] = {}
    cursor, pages, whole = None, 0, True
    while True:
        page = claim.source.erp.list_keys(claim.entity, cursor=cursor, page_size=page_size)
        keys |= page.keys
        pages += 1
        stuck = page.next_cursor is not None and page.next_cursor == cursor
        whole = whole and page.complete and not stuck
        cursor = page.next_cursor
        if cursor is None or stuck:
            return keys, pages, whole
        with claim.source.office.open(read_only=True) as work:
            tick = work.tick
        leases.keep(claim, tick)


def _ours(work: Work, claim: Claim) -> list[sa.Row[str, str, str]]:
    return list(refs.every(work, claim.source.connection, claim.entity))


def _waiting(work: Work, claim: Claim) -> frozenset[str]:
    connection, entity = claim.source.connection, claim.entity
    return frozenset(
        parking.parked_ids(work, connection, entity) | quarantine.held_ids(work, connection, entity)
    )


def _against_ours(
    work: Work, claim: Claim, theirs: Mapping[str, str], *, by_content: bool
) -> Compared:
    ours = {row.erp_id: row.digest if by_content else row.version for row in _ours(work, claim)}
    return Compared(theirs, ours, _waiting(work, claim))


def _conclude(claim: Claim, compared: Compared, *, by_content: bool) -> Ending:
    """Tombstones for what two complete reconciliations miss, and the report."""
    lost = compared.missing_there
    with claim.source.office.open() as work:
        feed, run = leases.hold(work, claim)
        allowed = guard.allowance(work, claim, Threat.REMOVAL)
        stopped = not allowed.covers(len(lost), 0)
        report = _report(work, claim, compared, by_content=by_content)
        if stopped:
            guard.stop(work, claim, Threat.REMOVAL, lost)
        else:
            _found_again(work, claim, lost)
        run.rows_read = max(run.rows_read, len(compared.theirs))
        if by_content:
            feed.compared_at = work.tick
        report_id = report.id
    if stopped:
        text = Message(
            "It would remove %(count)s of %(known)s records and waits for a yes.",
            count=len(lost),
            known=len(compared.ours),
        )
        return RunOutcome.HELD, text
    for chunk in chunks(_twice_missed(claim, lost), claim.source.page_size):
        apply_chunk(claim, chunk)
    with claim.source.office.open() as work:
        _feed, run = leases.hold(work, claim)
        work.session.get_one(DriftReport, report_id).removed = run.rows_removed
        guard.use_up(work, claim.feed_id, Threat.REMOVAL)
    return RunOutcome.COMPLETE, None


def _report(work: Work, claim: Claim, compared: Compared, *, by_content: bool) -> DriftReport:
    findings = {
        "missing_here": compared.missing_here,
        "missing_there": compared.missing_there,
        "differing": compared.differing,
    }
    theirs = {key: mark for key, mark in compared.theirs.items() if key not in compared.waiting}
    report = DriftReport(
        feed_id=claim.feed_id,
        run_id=claim.run_id,
        at=work.tick,
        whole=True,
        by_content=by_content,
        erp_rows=len(compared.theirs),
        our_rows=len(compared.ours),
        erp_total=total(theirs.items()),
        our_total=total(compared.ours.items()),
        sample={name: ids[:SAMPLE] for name, ids in findings.items()},
        **{name: len(ids) for name, ids in findings.items()},
    )
    work.session.add(report)
    work.session.flush()  # flush: its id is needed in the Work that ends the run
    return report


def _found_again(work: Work, claim: Claim, lost: Collection[str]) -> None:
    """Records that were missed once and are listed again are missed no more."""
    missed = _rows(claim).where(ErpRef.missed_at.is_not(None))
    again = [row.erp_id for row in work.session.execute(missed) if row.erp_id not in set(lost)]
    refs.set_missed(work, claim.source.connection, claim.entity, again, None)


def _twice_missed(claim: Claim, lost: Collection[str]) -> Pairs:
    """Tombstones of what an earlier complete run missed too; the rest is noted as missed."""
    source, entity = claim.source, claim.entity
    with source.office.open() as work:
        leases.hold(work, claim)
        found: Pairs = {}
        once: list[str] = []
        missing = set(lost)
        for row in work.session.execute(_rows(claim)):
            if row.erp_id not in missing:
                continue
            if row.missed_at is None:
                once.append(row.erp_id)
            else:
                found[row.erp_id] = gone(entity, row.erp_id, row.company, row.facts), ""
        refs.set_missed(work, source.connection, entity, once, work.tick)
    return found


def _rows(claim: Claim) -> sa.Select[str, str, dict[str, str] | None, dt.datetime | None]:
    return sa.select(ErpRef.erp_id, ErpRef.company, ErpRef.facts, ErpRef.missed_at).where(
        ErpRef.connection_code == claim.source.connection,
        ErpRef.entity == claim.entity.value,
        ErpRef.tombstoned_at.is_(None),
    )
