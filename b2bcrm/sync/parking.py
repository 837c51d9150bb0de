"""Records that cannot be applied yet: kept with their reason, asked for again with each run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa

from b2bcrm.kernel.database import insert_for
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.models import ParkedRow


def park(
    work: Work, connection: str, entity: Entity, parked: Iterable[tuple[str, Message]]
) -> None:
    """Keep each with its newest reason."""
    for erp_id, reason in parked:
        row = insert_for(work.session, ParkedRow).values(
            connection_code=connection,
            entity=entity.value,
            erp_id=erp_id,
            reason=reason,
            first_at=work.tick,
            last_at=work.tick,
            tries=1,
        )
        work.session.execute(
            row.on_conflict_do_update(
                index_elements=["connection_code", "entity", "erp_id"],
                set_={
                    "reason": row.excluded.reason,
                    "last_at": row.excluded.last_at,
                    "tries": ParkedRow.tries + 1,
                },
            )
        )


def parked_ids(work: Work, connection: str, entity: Entity) -> set[str]:
    """All parked records of a feed."""
    query = sa.select(ParkedRow.erp_id).where(
        ParkedRow.connection_code == connection, ParkedRow.entity == entity.value
    )
    return set(work.session.scalars(query))


def waiting(work: Work, connection: str, entity: Entity, limit: int) -> Sequence[str]:
    """Ids to ask for again, the longest unasked first."""
    return work.session.scalars(
        sa.select(ParkedRow.erp_id)
        .where(ParkedRow.connection_code == connection, ParkedRow.entity == entity.value)
        .order_by(ParkedRow.last_at, ParkedRow.id)
        .limit(limit)
    ).all()


def unpark(work: Work, connection: str, entity: Entity, ids: Collection[str]) -> None:
    """These were applied, or are gone."""
    work.session.execute(
        sa.delete(ParkedRow).where(
            ParkedRow.connection_code == connection,
            ParkedRow.entity == entity.value,
            ParkedRow.erp_id.in_(ids),
        )
    )
