"""A worker may die anywhere: another one takes its feed over, nothing is lost or doubled."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm import bootstrap
from b2bcrm.kernel.clock import Clock
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.engine import Puller
from b2bcrm.sync.leases import LEASE
from b2bcrm.sync.models import DriftReport, Feed, RunOutcome, SyncRun
from tests.conftest import NOW
from tests.processes import exit_code
from tests.pulled import found_company
from tests.sync.killed_pull import KILLED, PAGE, pull_until

pytestmark = pytest.mark.db
LOADING = [("after_claim", 1), ("after_page", 2), ("after_chunk", 2), ("after_end", 1)]
CHANGING = [("after_claim", 1), ("after_reading", 1), ("after_chunk", 1)]


class Survivor:
    """The worker that goes on, on a clock of its own."""

    def __init__(self, database_url, twin, tmp_path):
        self.url, self.twin, self.path = database_url, twin, tmp_path / "twin.sqlite3"
        self.at = NOW
        self.engine = make_engine(database_url)
        self.office = Office(self.engine, Clock(read=lambda: self.at), bootstrap.ROUTES)
        with self.office.open() as work:
            found_company(work)
        self.puller = Puller(
            self.office,
            twin.gateway,
            "main",
            bootstrap.APPLIERS,
            bootstrap.IDENTIFY,
            page_size=PAGE,
        )
        self.puller.ensure_feeds()

    def dies(self, entity, point, times):
        """Let another process die in a run of the feed."""
        arguments = (point, times, self.url, self.path, self.at, entity)
        assert exit_code(pull_until, *arguments) == KILLED

    def goes_on(self, entity):
        """The lease has ended; the feed is pulled, and equal to the ERP by content."""
        self.at += LEASE + dt.timedelta(seconds=1)
        assert self.puller.pull(entity) is RunOutcome.COMPLETE
        assert self.puller.reconcile(entity, by_content=True) is RunOutcome.COMPLETE
        with self.office.open(read_only=True) as work:
            found = work.session.scalars(sa.select(DriftReport)).one()
            assert (found.missing_here, found.missing_there, found.differing) == (0, 0, 0)
            assert found.erp_total == found.our_total
            running = sa.select(SyncRun).where(SyncRun.outcome == RunOutcome.RUNNING)
            assert work.session.scalars(running).all() == []


@pytest.fixture
def survivor(database_url, twin, tmp_path):
    made = Survivor(database_url, twin, tmp_path)
    yield made
    made.engine.dispose()


@pytest.mark.parametrize(("point", "times"), LOADING)
def test_a_first_load_goes_on_after_any_death(survivor, point, times):
    survivor.puller.pull(Entity.CUSTOMER)
    survivor.dies(Entity.ITEM, point, times)
    survivor.goes_on(Entity.ITEM)


@pytest.mark.parametrize(("point", "times"), CHANGING)
def test_a_delta_starts_over_after_any_death(survivor, point, times):
    for entity in (Entity.CUSTOMER, Entity.ITEM, Entity.STOCK):
        survivor.puller.pull(entity)
    survivor.twin.advance(days=3)
    survivor.at = survivor.twin.at
    survivor.dies(Entity.STOCK, point, times)
    survivor.goes_on(Entity.STOCK)


def test_a_worker_that_lost_its_lease_writes_no_more(survivor):
    def stolen(point):
        if point == "after_page":
            with survivor.office.open() as work:
                work.session.execute(sa.update(Feed).values(lease_token="another"))

    slow = Puller(
        survivor.office, survivor.twin.gateway, "main", bootstrap.APPLIERS, {}, stolen, PAGE
    )
    assert slow.pull(Entity.ITEM) is None
    with survivor.office.open(read_only=True) as work:
        row = work.session.scalars(sa.select(Feed).where(Feed.entity == "item")).one()
        assert (row.load_rows, row.lease_token, row.loaded_at) == (PAGE, "another", None)
