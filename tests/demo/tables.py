"""Whole tables as comparable rows: surrogate keys are replaced by what they stand for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from b2bcrm.kernel.database import Base
from b2bcrm.kernel.work import Work

NATURAL = {
    "company": ("code",),
    "site": ("code",),
    "account": ("erp_id", "name"),
    "item": ("no",),
    "order": ("erp_no",),
    "shipment": ("no",),
    "work_order": ("no",),
    "ship_to": ("account_id", "code"),
    "contact": ("account_id", "name"),
    "order_line": ("order_id", "line_no"),
    "user": ("email",),
    "quote": ("no", "rev"),
    "inquiry": ("no",),
    "case": ("no",),
    "hold": ("ref",),
    "feed": ("entity",),
}


def everything(
    work: Work, names: Collection[str], leave_out: Collection[str] = ()
) -> dict[str, list[str]]:
    """Table -> its rows as sorted texts, without ``leave_out`` columns (``table.column``)."""
    tables = Base.metadata.tables
    keys: dict[str, dict[int, Any]] = {}
    for name, columns in NATURAL.items():
        keys[name] = {row.id: row for row in work.session.execute(sa.select(tables[name])).all()}
        for key, row in keys[name].items():
            keys[name][key] = tuple(
                _shown(tables[name].c[column], row._mapping[column], keys) for column in columns
            )
    found = {}
    for name in names:
        table = tables[name]
        shown = [
            column
            for column in table.columns
            if not (column.primary_key and column.name == "id")
            and f"{name}.{column.name}" not in leave_out
            and column.name != "version"
        ]
        rows = work.session.execute(sa.select(*shown)).all()
        found[name] = sorted(
            "|".join(
                f"{column.name}={_shown(column, value, keys)}"
                for column, value in zip(shown, row, strict=True)
            )
            for row in rows
        )
    return found


def _shown(column: Any, value: Any, keys: dict[str, dict[int, Any]]) -> str:
    for foreign in column.foreign_keys:
        target = foreign.column.table.name
        if value is not None and target in keys:
            return str(keys[target][value])
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return str(value.to_json() if hasattr(value, "to_json") else value)
