"""A small twin on a pinned business morning."""

from __future__ import annotations

import shutil

import pytest

from connectors.erp.twin.world import TwinWorld
from tests.connectors.erp.twin.scene import TODAY, Clock


@pytest.fixture(scope="session")
def small_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("twin") / "small.db"
    TwinWorld.generate(path, size="small", seed=7, today=TODAY)
    return path


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def open_world(small_file, tmp_path):
    """Opens copies of the small twin; all are closed at the end."""
    opened = []

    def make(clock, name="twin.db", source=small_file):
        path = tmp_path / name
        shutil.copy(source, path)
        opened.append(TwinWorld(path, now=clock))
        return opened[-1]

    yield make
    for world in opened:
        world.close()


@pytest.fixture
def world(open_world, clock):
    return open_world(clock)
