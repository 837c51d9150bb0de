"""Records that do not fit the profile: held back one by one, told of once per kind.

The rest of the page is applied. A held record is asked for again by its id with each run; since
nothing else is missing then, the watermark may move.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from b2bcrm.kernel.database import insert_for
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Drifted, Entity, Page
from b2bcrm.sync.models import DriftNotice, QuarantinedRow, UnknownElement

WSDL_PATH = "wsdl"
KIND_LENGTH, REASON_LENGTH, PATH_LENGTH, UNKNOWN_LENGTH = 200, 300, 120, 200
_VARIES = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


def kind_of(reason: str) -> str:
    """A reason without what differs from record to record: quoted values and numbers."""
    return _VARIES.sub("…", reason)[:KIND_LENGTH]


def gap(page: Page) -> bool:
    """Whether rows are missing that nobody can name, so that they could not be asked for again.

    A drifted record with an id is no such gap: it is quarantined.
    """
    if any(not one.erp_id for one in page.drift):
        return True
    if page.announced is not None and page.drift:
        return page.announced > len(page.records) + len(page.drift)
    return not page.complete and not page.drift


def hold_back(work: Work, connection: str, entity: Entity, drift: Iterable[Drifted]) -> int:
    """Quarantine the drifted records and note the drift; answers how many."""
    count = 0
    for one in drift:
        count += 1
        tell(work, connection, entity, one)
        if one.erp_id:
            _quarantine(work, connection, entity, one)
    return count


def _quarantine(work: Work, connection: str, entity: Entity, one: Drifted) -> None:
    row = insert_for(work.session, QuarantinedRow).values(
        connection_code=connection,
        entity=entity.value,
        erp_id=one.erp_id,
        path=one.path[:PATH_LENGTH],
        reason=one.reason[:REASON_LENGTH],
        first_at=work.tick,
        last_at=work.tick,
        tries=1,
    )
    work.session.execute(
        row.on_conflict_do_update(
            index_elements=["connection_code", "entity", "erp_id"],
            set_={
                "path": row.excluded.path,
                "reason": row.excluded.reason,
                "last_at": row.excluded.last_at,
                "tries": QuarantinedRow.tries + 1,
            },
        )
    )


def tell(work: Work, connection: str, entity: Entity | None, one: Drifted) -> None:
    """Count a drift on its one notice; a closed notice that comes again is open again."""
    row = insert_for(work.session, DriftNotice).values(
        connection_code=connection,
        entity=entity.value if entity else "",
        path=one.path[:PATH_LENGTH],
        kind=kind_of(one.reason),
        sample=one.reason[:REASON_LENGTH],
        erp_id=one.erp_id,
        count=1,
        first_at=work.tick,
        last_at=work.tick,
        closed_by="",
    )
    work.session.execute(
        row.on_conflict_do_update(
            index_elements=["connection_code", "entity", "path", "kind"],
            set_={
                "sample": row.excluded.sample,
                "erp_id": row.excluded.erp_id,
                "last_at": row.excluded.last_at,
                "count": DriftNotice.count + 1,
                "closed_at": None,
            },
        )
    )


def tell_wsdl(work: Work, connection: str, was: str, now: str) -> None:
    """The contract of the ERP is another one than yesterday."""
    reason = f"The WSDL changed from '{was[:16]}' to '{now[:16]}'"
    tell(work, connection, None, Drifted("", WSDL_PATH, reason))


def count_unknown(work: Work, connection: str, entity: Entity, unknown: Mapping[str, int]) -> None:
    """Add to today's counts of elements that the profile does not name."""
    for path, count in unknown.items():
        row = insert_for(work.session, UnknownElement).values(
            connection_code=connection,
            entity=entity.value,
            path=path[:UNKNOWN_LENGTH],
            day=work.today,
            count=count,
        )
        work.session.execute(
            row.on_conflict_do_update(
                index_elements=["connection_code", "entity", "path", "day"],
                set_={"count": UnknownElement.count + count},
            )
        )


def waiting(work: Work, connection: str, entity: Entity, limit: int) -> Sequence[str]:
    """Ids of quarantined records to ask for again, the longest unasked first."""
    return work.session.scalars(
        sa.select(QuarantinedRow.erp_id)
        .where(
            QuarantinedRow.connection_code == connection,
            QuarantinedRow.entity == entity.value,
            QuarantinedRow.ignored_at.is_(None),
        )
        .order_by(QuarantinedRow.last_at, QuarantinedRow.id)
        .limit(limit)
    ).all()


def held_ids(work: Work, connection: str, entity: Entity) -> set[str]:
    """All quarantined records of a feed, also the ignored ones."""
    query = sa.select(QuarantinedRow.erp_id).where(
        QuarantinedRow.connection_code == connection, QuarantinedRow.entity == entity.value
    )
    return set(work.session.scalars(query))


def release(work: Work, connection: str, entity: Entity, ids: Iterable[str]) -> None:
    """These could be read, or are gone: no longer quarantined."""
    work.session.execute(
        sa.delete(QuarantinedRow).where(
            QuarantinedRow.connection_code == connection,
            QuarantinedRow.entity == entity.value,
            QuarantinedRow.erp_id.in_(list(ids)),
        )
    )
