"""Finding a text a person typed in a column, alike on both databases.

LIKE ignores the case of ASCII letters on SQLite and respects it on PostgreSQL; its own signs in
the text must not act as wildcards. So both sides are lowered and the signs escaped.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

Column = sa.SQLColumnExpression[str] | sa.SQLColumnExpression[str | None] | sa.Column[Any]


def pattern(text: str) -> str:
    """``text`` in lower case, LIKE's own signs escaped by a backslash."""
    lowered = text.strip().lower()
    for sign in ("\\", "%", "_"):
        lowered = lowered.replace(sign, f"\\{sign}")
    return lowered


def starts(column: Column, text: str) -> sa.ColumnElement[bool]:
    """Whether ``column`` begins with ``text``, whatever the case."""
    return sa.func.lower(column).like(f"{pattern(text)}%", escape="\\")


def holds(column: Column, text: str) -> sa.ColumnElement[bool]:
    """Whether ``column`` has ``text`` anywhere, whatever the case."""
    return sa.func.lower(column).like(f"%{pattern(text)}%", escape="\\")
