"""The worker: one owner per database, each slot of a daily job run once."""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import replace
from functools import partial

import pytest
import sqlalchemy as sa

from b2bcrm import bootstrap, worker
from b2bcrm.fulfillment.models import FigureRun, PlanRun
from b2bcrm.fulfillment.planning.packing import unpack
from b2bcrm.fulfillment.planning.plant import ServeBy
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.courier import Courier
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.settings import Settings
from b2bcrm.sync.engine import Puller
from b2bcrm.sync.envelopes import StoredEnvelopes
from b2bcrm.sync.models import JobSlot
from connectors.mail.folder import FolderMailer
from tests.conftest import NOW
from tests.factories import make_account, make_line, make_order

pytestmark = pytest.mark.db


@pytest.fixture
def house(database_url, twin, tmp_path):
    engine = make_engine(database_url)
    settings = Settings(
        data_dir=tmp_path, database_url=database_url, demo=True, secret_key="k" * 32
    )
    office = Office(engine, pinned(NOW), bootstrap.ROUTES)
    mailer = FolderMailer(tmp_path / "mail", "x@formosa.example")
    made = bootstrap.handlers(
        settings, lambda _work, _code: twin.gateway, mailer, partial(StoredEnvelopes, office)
    )
    yield bootstrap.House(
        settings=settings,
        engine=engine,
        office=office,
        erp=twin.gateway,
        mailer=mailer,
        courier=Courier(office.open, bootstrap.EVENTS, made),
        puller=Puller(office, twin.gateway, "main", bootstrap.APPLIERS),
    )
    engine.dispose()


def test_a_second_worker_does_not_own_the_database_until_the_first_ends(house):
    with worker.ownership(house) as first, worker.ownership(house) as second:
        assert (first, second) == (True, False)
    with worker.ownership(house) as third:
        assert third


def test_many_workers_claim_a_slot_exactly_once(house):
    slot = dt.datetime(2026, 11, 17, tzinfo=dt.UTC)
    won = []

    def claim():
        if worker.claim_slot(house.office, "expire_quotes", slot):
            won.append(1)

    threads = [threading.Thread(target=claim) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [1]


def test_a_slot_whose_process_died_is_taken_again_but_a_finished_one_is_not(house):
    slot = dt.datetime(2026, 11, 17, tzinfo=dt.UTC)
    assert worker.claim_slot(house.office, "expire_quotes", slot)
    assert not worker.claim_slot(house.office, "expire_quotes", slot)
    long_ago = sa.update(JobSlot).values(started_at=slot - dt.timedelta(days=1))
    with house.office.open() as work:
        work.session.execute(long_ago)
    assert worker.claim_slot(house.office, "expire_quotes", slot)
    with house.office.open() as work:
        work.session.execute(long_ago.values(finished_at=slot))
    assert not worker.claim_slot(house.office, "expire_quotes", slot)


def test_the_days_jobs_run_once_per_business_date(house):
    assert worker.daily(house) == len(bootstrap.DAILY)
    assert worker.daily(house) == 0
    tomorrow = pinned(NOW + dt.timedelta(days=1))
    object.__setattr__(house.office, "clock", tomorrow)
    assert worker.daily(house) == len(bootstrap.DAILY)


def test_everything_that_is_due_runs_against_an_empty_database(house):
    worker.run_once(house)
    with house.office.open(read_only=True) as work:
        finished = work.session.scalars(
            sa.select(JobSlot.job).where(JobSlot.finished_at.is_not(None))
        )
        assert set(finished) == set(bootstrap.DAILY)
        names = set(work.session.scalars(sa.select(FigureRun.name)))
        assert names == {"clear", "load", "orders"}


def test_figures_are_summed_once_and_then_only_after_a_change(house):
    assert house.sum_figures() == 3
    assert house.sum_figures() == 0
    with house.office.open() as work:
        work.bump("work_order")
    assert house.sum_figures() == 2


def test_the_worker_plans_by_the_rule_of_service_of_its_settings(house):
    with house.office.open() as work:
        later, sooner = (
            make_order(
                work,
                make_account(work, customer_class=customer_class),
                lines=[make_line(work, first_promised_on=first)],
            ).no
            for customer_class, first in (("A", NOW.date()), ("C", NOW.date() - dt.timedelta(1)))
        )

    def served():
        assert house.plan(anyway=True)
        with house.office.open() as work:
            newest = sa.select(PlanRun.plan).order_by(PlanRun.id.desc()).limit(1)
            packed = unpack(work.session.scalar(newest))
        lines = [packed.names.lines[packed.book.unit_line[unit]] for unit in packed.book.sequence]
        return [line.partition("/")[0] for line in lines]

    assert served() == [later, sooner]
    house = replace(house, settings=replace(house.settings, serve_by=[ServeBy.PROMISE]))
    assert served() == [sooner, later]
