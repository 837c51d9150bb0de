"""The schema's steps: from empty to the models and back, without drift, on both databases."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from b2bcrm import migrations
from b2bcrm.kernel.database import make_engine
from tests.conftest import _fresh_database

pytestmark = pytest.mark.db


@pytest.fixture
def empty(server_url):
    engine = make_engine(_fresh_database(server_url, f"empty_{time.time_ns()}"))
    yield engine
    engine.dispose()


def test_an_empty_database_comes_up_to_the_models_and_goes_back_to_nothing(empty):
    assert migrations.current(empty) is None
    assert migrations.upgrade(empty)
    assert migrations.current(empty) == migrations.newest()
    assert migrations.drift(empty) == []
    migrations.downgrade(empty, "base")
    assert set(sa.inspect(empty).get_table_names()) == {"alembic_version"}


def test_a_database_that_is_up_to_date_is_left_alone(empty):
    migrations.upgrade(empty)
    assert not migrations.upgrade(empty)
