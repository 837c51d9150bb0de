"""The small demo company, built once per process and only looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from b2bcrm import bootstrap
from b2bcrm.demo.build import build
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import Base, make_engine
from b2bcrm.kernel.work import Office, Work
from tests.conftest import NOW

SEED = 7


def empty_office(path: Path) -> Office:
    """A database of its own with the schema, at the pinned instant."""
    engine = make_engine(f"sqlite:///{path}")
    Base.metadata.create_all(engine)
    return Office(engine=engine, clock=pinned(NOW), routes=bootstrap.ROUTES)


def built(folder: Path) -> Office:
    """The small demo in ``folder``."""
    office = empty_office(folder / "crm.sqlite3")
    build(office, folder / "twin.sqlite3", size="small", seed=SEED, files_dir=folder / "files")
    return office


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """The small demo, built."""
    office = built(tmp_path_factory.mktemp("demo"))
    yield office
    office.engine.dispose()


@pytest.fixture
def looking(company: Office) -> Iterator[Work]:
    """A read-only Work in it."""
    with company.open(read_only=True) as work:
        yield work
