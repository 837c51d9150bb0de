"""Alembic's entry: the engine comes from ``b2bcrm.cli``; limits keep a migration from blocking."""

from __future__ import annotations

from typing import Any, Literal

import sqlalchemy as sa
from alembic import context

import b2bcrm.bootstrap  # noqa: F401 - every table must be known
from b2bcrm.kernel.columns import MessageColumn, ScaledDecimal, UtcDateTime
from b2bcrm.kernel.database import Base

PLAIN: dict[type, str] = {
    ScaledDecimal: "sa.BigInteger()",
    UtcDateTime: "sa.DateTime(timezone=True)",
    MessageColumn: "sa.JSON()",
}


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """A revision names plain types: it must not change when our column classes do."""
    if kind == "type" and type(item) in PLAIN:
        return PLAIN[type(item)]
    return False


connection: sa.Connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    connection.exec_driver_sql("SET lock_timeout = '4s'")
    connection.exec_driver_sql("SET statement_timeout = '60s'")
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
