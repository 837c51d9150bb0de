"""Rows on their way into tables in bulk: ids are given out here, statements are few.

Values are bound by the columns' own types and handed to the driver as they are: that takes half
the time of the usual way. Nothing here knows what the rows mean.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from b2bcrm.kernel.columns import ScaledDecimal, UtcDateTime
from b2bcrm.kernel.database import Base

Row = dict[str, Any]
Bind = Callable[[Any], Any]
CHUNK = 5000


class Rows:
    """Gives out ids of tables and writes rows in bulk, in one session."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._last: dict[str, int] = {}
        self._binds: dict[str, dict[str, Bind | None]] = {}

    def next_id(self, model: type[Base]) -> int:
        """An id of ``model`` that nobody else has."""
        name = model.__tablename__
        last = self._last.get(name)
        if last is None:
            last = self.session.scalar(sa.select(sa.func.max(_table(model).c.id))) or 0
        self._last[name] = last + 1
        return last + 1

    def put(self, model: type[Base], rows: Sequence[Row]) -> None:
        """Insert ``rows``, all with the same keys; None becomes NULL, also in JSON columns.

        Columns that the rows do not name get their plain defaults.
        """
        if not rows:
            return
        self.session.flush()  # flush: what the rows refer to must be there
        table, dialect = _table(model), self.session.get_bind().dialect
        binds = self._binds.setdefault(table.name, {})
        if not binds:
            binds |= {column.name: _bind(column.type, dialect) for column in table.columns}
        statement = _Insert(table, rows[0], dialect, binds)
        connection = self.session.connection()
        for start in range(0, len(rows), CHUNK):
            for sql, values in statement.values_of(rows[start : start + CHUNK]):
                connection.exec_driver_sql(sql, values)

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


class _Values(dict[Any, Any]):
    """Bound values by what they were; a new one is bound when it is first asked for."""

    def __init__(self, bind: Bind) -> None:
        super().__init__({None: None})
        self._bind = bind

    def __missing__(self, value: Any) -> Any:
        bound = self[value] = self._bind(value)
        return bound


class _Kept:
    """Binds dates, decimals and enums, which come again and again, once each."""

    def __init__(self, bind: Bind) -> None:
        self.values = _Values(bind)

    def __call__(self, value: Any) -> Any:
        return self.values[value]


class _Insert:
    """An INSERT of one table for rows with the keys of ``first``."""

    def __init__(
        self, table: sa.Table, first: Row, dialect: sa.Dialect, binds: dict[str, Bind | None]
    ) -> None:
        self.table, self.dialect, self.binds = table, dialect, binds
        self.defaults = {
            column.name: value
            for column in table.columns
            if column.name not in first and (value := _default(column)) is not None
        }
        self.json = [column.name for column in table.columns if _is_json(column.type)]

    def values_of(self, rows: Sequence[Row]) -> list[tuple[str, list[Any]]]:
        """The statements for ``rows`` with the driver's values: one for each set of JSON
        columns that are filled.
        """
        groups: dict[tuple[str, ...], list[Row]] = defaultdict(list)
        for row in rows:
            groups[tuple(name for name in self.json if row.get(name, self) is None)].append(row)
        return [self._group(empty, group) for empty, group in groups.items()]

    def _group(self, empty: tuple[str, ...], rows: Sequence[Row]) -> tuple[str, list[Any]]:
        names = [name for name in rows[0] if name not in empty]
        every = [name for name in self.defaults if name not in empty]
        compiled = sa.insert(self.table).compile(dialect=self.dialect, column_keys=names + every)
        constants = [self._bound(name, self.defaults[name]) for name in every]
        columns = [self._column(name, rows) for name in names]
        columns += [[constant] * len(rows) for constant in constants]
        if compiled.positional:
            spots = {name: n for n, name in enumerate(names + every)}
            ordered = [columns[spots[name]] for name in compiled.positiontup or ()]
            return str(compiled), list(zip(*ordered, strict=True))
        keys = names + every
        return str(compiled), [
            dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)
        ]

    def _column(self, name: str, rows: Sequence[Row]) -> list[Any]:
        bind = self.binds[name]
        if bind is None:
            return [row[name] for row in rows]
        if isinstance(bind, _Kept):
            values = bind.values
            return [values[row[name]] for row in rows]
        return [None if (value := row[name]) is None else bind(value) for row in rows]

    def _bound(self, name: str, value: Any) -> Any:
        bind = self.binds[name]
        return value if bind is None else bind(value)


def _table(model: type[Base]) -> sa.Table:
    table = model.__table__
    assert isinstance(table, sa.Table)  # noqa: S101 - every model has one table
    return table


def _default(column: sa.Column[Any]) -> Any:
    default: Any = column.default
    if default is None:
        return None
    if default.is_scalar:
        return default.arg
    return default.arg(None) if default.is_callable else None


def _bind(kind: sa.types.TypeEngine[Any], dialect: sa.Dialect) -> Bind | None:
    bind: Bind | None = kind.dialect_impl(dialect).bind_processor(dialect)
    often = isinstance(kind, ScaledDecimal | UtcDateTime | sa.Date | sa.Enum)
    return _Kept(bind) if bind is not None and often else bind


def _is_json(kind: sa.types.TypeEngine[Any]) -> bool:
    if isinstance(kind, sa.TypeDecorator):
        return isinstance(kind.impl_instance, sa.JSON)
    return isinstance(kind, sa.JSON)
