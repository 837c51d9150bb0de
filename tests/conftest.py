"""Fixtures every test shares: a database, an Office whose Works are undone, a pinned clock.

Each test runs inside one outer transaction that is rolled back; Works are savepoints in it, so
code under test commits as it likes. Tests that need two processes use ``database_url``.
"""

from __future__ import annotations

import atexit
import datetime as dt
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ["TZ"] = "Asia/Shanghai"
time.tzset()
os.environ.setdefault("ENGINE", "python")  # compiled = plain is a test of its own
if "XDG_RUNTIME_DIR" not in os.environ:
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="b2bcrm-run-")
    atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from sqlalchemy.orm import Session

from b2bcrm import bootstrap
from b2bcrm.kernel.actor import SYSTEM, Actor, Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office, Work
from connectors.erp.twin.world import TwinWorld
from tests import databases
from tests.twins import Twin

NOW = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)  # Tue 17 Nov 2026, 09:40 in Taipei

hypothesis_settings.register_profile(
    "house", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
hypothesis_settings.load_profile("house")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only the tests marked ``db`` are asked for."""
    if databases.on_postgresql():
        keep = [item for item in items if item.get_closest_marker("db")]
        config.hook.pytest_deselected(items=[i for i in items if i not in keep])
        items[:] = keep


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Where the databases of this process are made."""
    with databases.serve() as url:
        yield url


@pytest.fixture(scope="session")
def engine(server_url: str) -> Iterator[sa.Engine]:
    """One database with the whole schema, shared by the tests of a process."""
    engine = make_engine(databases.create_with_schema(server_url, "shared"))
    yield engine
    engine.dispose()


@pytest.fixture
def database_url(server_url: str, request: pytest.FixtureRequest) -> str:
    """A database of this test's own, with the schema: for tests with several processes."""
    name = f"own_{abs(hash(request.node.nodeid)):x}_{time.time_ns()}"
    return databases.create_with_schema(server_url, name)


class SavepointOffice(Office):
    """Opens Works as savepoints on one connection, so that a test leaves nothing behind."""

    connection: sa.Connection

    @contextmanager
    def open(self, actor: Actor = SYSTEM, *, read_only: bool = False) -> Iterator[Work]:
        """As Office.open, inside the test's transaction."""
        session = Session(
            self.connection,
            expire_on_commit=False,
            join_transaction_mode="create_savepoint",
        )
        tick = self.clock.tick()
        work = Work(session=session, actor=actor, now=tick, tick=tick, routes=self.routes)
        try:
            yield work
            if read_only:
                session.rollback()
            else:
                work.settle()
                session.commit()
        except BaseException:
            session.rollback()
            raise
        finally:
            session.close()


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """The connection of this test; what it writes is undone at its end.

    A module whose tests start from the same rows has one of its own, with savepoints in it.
    """
    with engine.connect() as connection, undone(connection.begin()):
        yield connection


@contextmanager
def undone(transaction: sa.RootTransaction | sa.NestedTransaction) -> Iterator[None]:
    """Roll back what happens meanwhile."""
    try:
        yield
    finally:
        transaction.rollback()


@pytest.fixture
def office(engine: sa.Engine, connection: sa.Connection) -> SavepointOffice:
    """Where Works are opened in this test."""
    return office_on(engine, connection)


def office_on(engine: sa.Engine, connection: sa.Connection) -> SavepointOffice:
    """An Office whose Works are savepoints on the connection."""
    office = SavepointOffice(engine=engine, clock=pinned(NOW), routes=bootstrap.ROUTES)
    object.__setattr__(office, "connection", connection)
    return office


@pytest.fixture
def work(office: SavepointOffice) -> Iterator[Work]:
    """A Work as an administrator; commit nothing, flush when a query must see it."""
    actor = Actor(name="Grace Wu", role=Role.ADMIN)
    with office.open(actor) as work:
        yield work


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twin's small world, made once per process."""
    path = tmp_path_factory.mktemp("twin") / "small.sqlite3"
    TwinWorld.generate(path, size="small", seed=7, today=NOW.date())
    return path


@pytest.fixture
def twin(small_world: Path, tmp_path: Path) -> Iterator[Twin]:
    """The ERP twin in process, with a world of this test's own."""
    twin = Twin(Path(shutil.copy(small_world, tmp_path / "twin.sqlite3")), NOW)
    yield twin
    twin.world.close()
