"""Asking for single records by id: those held back, those parked, and those a person names."""

from __future__ import annotations

from collections.abc import Iterable

from b2bcrm.kernel.errors import Unavailable
from b2bcrm.ports.erp import Act, Drifted, ErpDrift, ErpRefused, Record
from b2bcrm.sync import leases, parking, quarantine, refs
from b2bcrm.sync.applying import apply_chunk
from b2bcrm.sync.digests import digest
from b2bcrm.sync.leases import Claim

BATCH = 50
BATCHES = 20  # of records that come in, per run


def ask_waiting(claim: Claim) -> None:
    """Ask again for parked and quarantined records, a batch per run.

    As long as a batch gets records in (their parents have come), the next one follows at once.
    """
    source, entity = claim.source, claim.entity
    if Act.GET not in source.capability(entity).acts:
        return
    for _batch in range(BATCHES):
        with source.office.open(read_only=True) as work:
            ids = [
                *parking.waiting(work, source.connection, entity, BATCH),
                *quarantine.waiting(work, source.connection, entity, BATCH),
            ]
        if not ids:
            return
        fetch(claim, dict.fromkeys(ids))
        with source.office.open(read_only=True) as work:
            still = parking.parked_ids(work, source.connection, entity)
            still |= quarantine.held_ids(work, source.connection, entity)
        if still.issuperset(ids):
            return


def fetch(claim: Claim, ids: Iterable[str]) -> dict[str, Record]:
    """Ask for each record and apply it; one that still drifts is quarantined (again).

    Answers what was got. A record that the ERP does not know is no longer waited for; whether
    it is a tombstone, the reconciliation decides.
    """
    source, entity = claim.source, claim.entity
    got: dict[str, Record] = {}
    for erp_id in ids:
        try:
            record = source.erp.get(entity, erp_id)
        except Unavailable:
            raise
        except ErpDrift as error:
            reason = next((issue.text for issue in error.issues), str(error))
            path = next((issue.field for issue in error.issues if issue.field), "")
            with source.office.open() as work:
                leases.hold(work, claim)
                drift = [Drifted(erp_id, path, reason)]
                quarantine.hold_back(work, source.connection, entity, drift)
            continue
        except ErpRefused:
            continue  # refused for this record: it goes on waiting
        if record is None:
            with source.office.open() as work:
                leases.hold(work, claim)
                parking.unpark(work, source.connection, entity, [erp_id])
                quarantine.release(work, source.connection, entity, [erp_id])
            continue
        got[erp_id] = record
        _store(claim, record)
    return got


def _store(claim: Claim, record: Record) -> None:
    """Apply the record if it differs; it is not waited for any more."""
    source, entity, content = claim.source, claim.entity, digest(record)
    with source.office.open(read_only=True) as work:
        known = refs.marks(work, source.connection, entity, [record.erp_id])
    if refs.differs(record, content, known.get(record.erp_id)):
        apply_chunk(claim, {record.erp_id: (record, content)})
        return
    with source.office.open() as work:
        leases.hold(work, claim)
        parking.unpark(work, source.connection, entity, [record.erp_id])
        quarantine.release(work, source.connection, entity, [record.erp_id])
