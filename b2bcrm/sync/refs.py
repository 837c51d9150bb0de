"""Cross references: look up what was applied, remember it, follow renumbering.

One row per record and connection. A record that another connection already brought is never
mixed with it: see ``foreign``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Entity, Record
from b2bcrm.sync.models import ErpConnection, ErpRef, ErpRefChange
from b2bcrm.sync.tombstones import facts_of

MANY = 5000  # rows fetched at once where all of them are looked at
KEY = ("connection_code", "entity", "erp_id")


@dataclass(frozen=True)
class Mark:
    """What of a record was applied last. ``gone``: it stands as a tombstone."""

    digest: str
    version: str
    gone: bool
    crm_id: int | None = None


def marks(work: Work, connection: str, entity: Entity, ids: Collection[str]) -> dict[str, Mark]:
    """The marks of the named records, those that are known."""
    if not ids:
        return {}
    query = sa.select(
        ErpRef.erp_id, ErpRef.digest, ErpRef.version, ErpRef.tombstoned_at, ErpRef.crm_id
    ).where(
        ErpRef.connection_code == connection,
        ErpRef.entity == entity.value,
        ErpRef.erp_id.in_(ids),
    )
    return {
        erp_id: Mark(mark, version, gone_at is not None, crm_id)
        for erp_id, mark, version, gone_at, crm_id in work.session.execute(query)
    }


def differs(record: Record, content: str, known: Mark | None) -> bool:
    """Whether the record is not what was applied last; a deleted one we never had is not."""
    if record.deleted:
        return known is not None and not known.gone
    return known is None or known.gone or (known.digest, known.version) != (content, record.version)


def known_rows(work: Work, connection: str, entity: Entity) -> int:
    """How many living records of the feed are applied."""
    query = sa.select(sa.func.count()).where(
        ErpRef.connection_code == connection,
        ErpRef.entity == entity.value,
        ErpRef.tombstoned_at.is_(None),
    )
    return int(work.session.scalar(query) or 0)


def every(work: Work, connection: str, entity: Entity) -> Iterator[sa.Row[str, str, str]]:
    """(erp_id, version, digest) of all living records of a feed."""
    query = (
        sa.select(ErpRef.erp_id, ErpRef.version, ErpRef.digest)
        .where(
            ErpRef.connection_code == connection,
            ErpRef.entity == entity.value,
            ErpRef.tombstoned_at.is_(None),
        )
        .execution_options(yield_per=MANY)
    )
    yield from work.session.execute(query)


def remember(
    work: Work,
    connection: str,
    entity: Entity,
    records: Mapping[str, tuple[Record, str]],
    *,
    known: Mapping[str, Mark],
    crm_ids: Mapping[str, int],
    run_id: int | None,
) -> None:
    """Write down what was applied: erp_id -> (record, its digest); keeps history of moved ids."""
    new, old = [], []
    for erp_id, (record, content) in records.items():
        before = known.get(erp_id)
        crm_id = crm_ids.get(erp_id, before.crm_id if before else None)
        row = {
            "connection_code": connection,
            "entity": entity.value,
            "erp_id": erp_id,
            "company": record.company,
            "version": record.version,
            "digest": content,
            "crm_id": crm_id,
            "facts": facts_of(entity, record),
            "run_id": run_id,
            "missed_at": None,
            "tombstoned_at": None,
        }
        if before is None:
            new.append(row)
            continue
        old.append({f"new_{name}": value for name, value in row.items()})
        if before.crm_id is not None and before.crm_id != crm_id:
            _note_change(work, (connection, entity, erp_id), before.crm_id, crm_id)
    if new:
        work.session.execute(sa.insert(ErpRef.__table__), new)  # type: ignore[arg-type]
    if old:
        table = ErpRef.__table__.c
        changed = {
            column.name: sa.bindparam(f"new_{column.name}", type_=column.type)
            for column in table
            if column.name not in KEY
        }
        work.session.execute(
            sa.update(ErpRef.__table__)  # type: ignore[arg-type]
            .where(*(table[name] == sa.bindparam(f"new_{name}") for name in KEY))
            .values(changed),
            old,
        )


def bury(
    work: Work, connection: str, entity: Entity, ids: Collection[str], run_id: int | None
) -> None:
    """Make the named records tombstones: the ERP does not have them any more."""
    work.session.execute(
        sa.update(ErpRef)
        .where(
            ErpRef.connection_code == connection,
            ErpRef.entity == entity.value,
            ErpRef.erp_id.in_(ids),
        )
        .values(tombstoned_at=work.tick, run_id=run_id)
        .execution_options(synchronize_session=False)
    )


def set_missed(
    work: Work,
    connection: str,
    entity: Entity,
    ids: Collection[str],
    at: dt.datetime | None,
) -> None:
    """A complete reconciliation missed these records, or (None) found them again."""
    rest = list(ids)
    for start in range(0, len(rest), MANY):
        work.session.execute(
            sa.update(ErpRef)
            .where(
                ErpRef.connection_code == connection,
                ErpRef.entity == entity.value,
                ErpRef.erp_id.in_(rest[start : start + MANY]),
            )
            .values(missed_at=at)
            .execution_options(synchronize_session=False)
        )


def _note_change(
    work: Work,
    key: tuple[str, Entity, str],
    was_id: int | None,
    is_id: int | None,
) -> None:
    connection, entity, erp_id = key
    work.session.add(
        ErpRefChange(
            connection_code=connection,
            entity=entity.value,
            erp_id=erp_id,
            at=work.tick,
            was_id=was_id,
            is_id=is_id,
            by=work.actor.name,
        )
    )


def foreign(work: Work, connection: str, entity: Entity, ids: Collection[str]) -> dict[str, str]:
    """Records of these ids that another connection brought: erp_id -> its connection.

    Of customers and sales orders none: their numbers are kept per connection, so two ERPs may use
    the same ones.
    """
    if entity in {Entity.CUSTOMER, Entity.SALES_ORDER}:
        return {}
    others = work.session.scalars(
        sa.select(ErpConnection.code).where(ErpConnection.code != connection)
    ).all()
    if not others:
        return {}
    query = sa.select(ErpRef.erp_id, ErpRef.connection_code).where(
        ErpRef.connection_code.in_(others),
        ErpRef.entity == entity.value,
        ErpRef.erp_id.in_(ids),
        ErpRef.tombstoned_at.is_(None),
    )
    return {row.erp_id: row.connection_code for row in work.session.execute(query)}
