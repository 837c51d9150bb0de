"""From records of the ERP to rows of ours: only what differs, one bad record at a time.

What is applied is remembered in the same transaction, so that a page that is applied twice
writes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Record
from b2bcrm.sync import leases, parking, quarantine, refs
from b2bcrm.sync.appliers import apply_all
from b2bcrm.sync.digests import digest
from b2bcrm.sync.leases import Claim, LeaseLost
from b2bcrm.sync.models import Feed, SyncRun

Pairs = Mapping[str, tuple[Record, str]]  # erp_id -> (record, its digest)
Then = Callable[[Work, Feed, SyncRun], None]
BAD_AT_MOST = 10  # records of one chunk that fail alone: more is our defect, not theirs


@dataclass(frozen=True)
class Fresh:
    """Records of a page that differ from what was applied, and the digest of every one.

    ``changed`` are those of them that are known and living, the rest is new.
    """

    records: Pairs
    changed: frozenset[str]
    marks: Mapping[str, tuple[str, str]]  # erp_id -> (digest, version), all of the page


def sift(work: Work, claim: Claim, records: Sequence[Record]) -> Fresh:
    """Compare a page with what was applied; the last of a doubled id counts."""
    by_id = {record.erp_id: (record, digest(record)) for record in records}
    known = refs.marks(work, claim.source.connection, claim.entity, by_id)
    fresh = {
        erp_id: pair
        for erp_id, pair in by_id.items()
        if refs.differs(pair[0], pair[1], known.get(erp_id))
    }
    changed = frozenset(key for key in fresh if key in known and not known[key].gone)
    return Fresh(
        fresh, changed, {key: (mark, record.version) for key, (record, mark) in by_id.items()}
    )


def apply_chunk(claim: Claim, records: Pairs, *, then: Then | None = None) -> None:
    """Apply some records in one Work. Where that fails, each in its own: the bad are parked.

    ``then`` runs in the Work that completes the chunk.
    """
    office = claim.source.office
    try:
        with office.open() as work:
            feed, run = leases.hold(work, claim)
            take(work, claim, feed, run, records)
            if then is not None:
                then(work, feed, run)
        claim.source.at_point("after_chunk")
    except (CrmError, LeaseLost):
        raise
    except Exception as error:  # noqa: BLE001 - raised again unless single records are to blame
        bad = _one_by_one(claim, records, error)
        with office.open() as work:
            feed, run = leases.hold(work, claim)
            parking.park(work, claim.source.connection, claim.entity, bad)
            run.rows_parked += len(bad)
            if then is not None:
                then(work, feed, run)


def _one_by_one(claim: Claim, records: Pairs, first: Exception) -> list[tuple[str, Message]]:
    """Apply each record in its own Work; the bad ones with their reasons."""
    bad: list[tuple[str, Message]] = []
    for erp_id, pair in records.items():
        try:
            with claim.source.office.open() as work:
                feed, run = leases.hold(work, claim)
                take(work, claim, feed, run, {erp_id: pair})
        except (CrmError, LeaseLost):
            raise
        except Exception as error:
            kind = type(error).__name__
            bad.append((erp_id, Message("It could not be stored: %(kind)s", kind=kind)))
            if len(bad) > BAD_AT_MOST:
                raise first from error
    return bad


def take(
    work: Work,
    claim: Claim,
    feed: Feed,
    run: SyncRun,
    records: Pairs,
) -> None:
    """Apply records that differ and remember them, in the caller's transaction."""
    if not records:
        return
    source, entity, connection = claim.source, claim.entity, claim.source.connection
    others = refs.foreign(work, connection, entity, records)
    parked = {
        erp_id: Message("The ERP connection %(other)s already has %(no)s.", other=other, no=erp_id)
        for erp_id, other in others.items()
    }
    ours = [record for erp_id, (record, _mark) in records.items() if erp_id not in others]
    applied = apply_all(work, source.appliers[entity], ours)
    parked |= dict(applied.parked)
    done = {erp_id: pair for erp_id, pair in records.items() if erp_id not in parked}
    living = {erp_id: pair for erp_id, pair in done.items() if not pair[0].deleted}
    gone = [erp_id for erp_id in done if erp_id not in living]
    if living:
        known = refs.marks(work, connection, entity, living)
        identify = source.identify.get(entity)
        if identify is not None:
            work.session.flush()  # flush: our ids are read back
        crm_ids = identify(work, list(living)) if identify else {}
        refs.remember(work, connection, entity, living, known=known, crm_ids=crm_ids, run_id=run.id)
    if gone:
        refs.bury(work, connection, entity, gone, run.id)
    parking.park(work, connection, entity, parked.items())
    parking.unpark(work, connection, entity, done)
    quarantine.release(work, connection, entity, records)
    run.rows_changed += applied.changed
    run.rows_removed += len(gone)
    run.rows_parked += len(parked)
    feed.rows_total += len(living)
