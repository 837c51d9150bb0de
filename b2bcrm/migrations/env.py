"""Alembic's entry: the engine comes from ``b2bcrm.cli``; limits keep a migration from blocking."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context

import b2bcrm.bootstrap  # noqa: F401 - every table must be known
from b2bcrm.kernel.database import Base

connection: sa.Connection = context.config.attributes["connection"]
if connection.dialect.name == "postgresql":
    connection.exec_driver_sql("SET lock_timeout = '4s'")
    connection.exec_driver_sql("SET statement_timeout = '60s'")
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
