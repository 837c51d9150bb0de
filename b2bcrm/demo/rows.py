"""Rows on their way into tables in bulk: ids are given out here, statements are few.

Nothing here knows what the rows mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from b2bcrm.kernel.database import Base

Row = dict[str, Any]
CHUNK = 5000


class Rows:
    """Gives out ids of tables and writes rows in bulk, in one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._last: dict[str, int] = {}

    def next_id(self, model: type[Base]) -> int:
        """An id of ``model`` that nobody else has."""
        table = _table(model)
        if table.name not in self._last:
            self._last[table.name] = self.session.scalar(sa.select(sa.func.max(table.c.id))) or 0
        self._last[table.name] += 1
        return self._last[table.name]

    def put(self, model: type[Base], rows: Sequence[Row]) -> None:
        """Insert ``rows``, all with the same keys; a JSON value of None becomes NULL."""
        table = _table(model)
        json = [column.name for column in table.columns if _is_json(column.type)]
        for start in range(0, len(rows), CHUNK):
            for group in _alike(rows[start : start + CHUNK], json):
                self.session.execute(sa.insert(table), group)

    def settle_ids(self) -> None:
        """PostgreSQL: let its sequences go on after the ids that were given out here."""
        if self.session.get_bind().dialect.name != "postgresql":
            return
        for table in Base.metadata.sorted_tables:
            if "id" not in table.c or not isinstance(table.c.id.type, sa.Integer):
                continue
            name = f'"{table.name}"'
            self.session.execute(
                sa.text(
                    f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), "  # noqa: S608
                    f"greatest((SELECT max(id) FROM {name}), 1))"
                )
            )


def _table(model: type[Base]) -> sa.Table:
    table = model.__table__
    assert isinstance(table, sa.Table)  # noqa: S101 - every model has one table
    return table


def _is_json(kind: sa.types.TypeEngine[Any]) -> bool:
    if isinstance(kind, sa.TypeDecorator):
        return isinstance(kind.impl_instance, sa.JSON)
    return isinstance(kind, sa.JSON)


def _alike(rows: Sequence[Row], json: Sequence[str]) -> list[list[Row]]:
    """The rows in groups whose JSON columns are filled alike; empty ones are left out."""
    if not json:
        return [list(rows)]
    groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        empty = tuple(name for name in json if name in row and row[name] is None)
        if empty:
            groups[empty].append({k: v for k, v in row.items() if k not in empty})
        else:
            groups[()].append(row)
    return list(groups.values())
