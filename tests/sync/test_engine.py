"""Pulling: nothing lost when a run breaks, nothing doubled when rows come twice."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm import bootstrap
from b2bcrm.catalog.models import Item
from b2bcrm.kernel.clock import Clock
from b2bcrm.kernel.words import Message
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import Entity, ErpRefused, ErpUnavailable, Page
from b2bcrm.sync import engine as sync
from b2bcrm.sync.engine import FEEDS, Puller
from b2bcrm.sync.models import ErpConnection, Feed, ParkedRow, RunOutcome, SyncRun
from connectors.erp.twin.faults import Fault
from tests.conftest import NOW
from tests.pulled import found_company

pytestmark = pytest.mark.db


class Watch:
    """Machine time that the test moves."""

    def __init__(self):
        self.at = NOW

    def __call__(self):
        return self.at


@pytest.fixture
def watch(office):
    watch = Watch()
    object.__setattr__(office, "clock", Clock(read=watch))
    return watch


@pytest.fixture
def puller(office, twin, watch):
    with office.open() as work:
        found_company(work)
    made = Puller(office, twin.gateway, "main", bootstrap.APPLIERS)
    made.ensure_feeds()
    return made


def one(office, query):
    with office.open(read_only=True) as work:
        found = work.session.scalars(query).first()
        work.session.expunge_all()
        return found


def feed(office, entity):
    return one(office, sa.select(Feed).where(Feed.entity == entity.value))


def count(office, model):
    return one(office, sa.select(sa.func.count()).select_from(model))


def test_a_first_load_brings_everything_parents_first(office, puller, twin):
    assert puller.pull_due() == len(FEEDS)
    assert count(office, Item) == len(twin.world.list(Entity.ITEM, page_size=10**6).records)
    assert count(office, Order) == len(twin.world.list(Entity.SALES_ORDER, page_size=10**6).records)
    assert count(office, ParkedRow) == 0
    assert feed(office, Entity.ITEM).watermark is not None


def test_nothing_is_due_before_its_time_and_a_delta_over_unchanged_data_changes_nothing(
    office, puller, watch
):
    puller.pull_due()
    assert puller.pull_due() == 0
    watch.at += dt.timedelta(hours=1)
    puller.pull_due()
    last = one(office, sa.select(SyncRun).order_by(SyncRun.id.desc()))
    assert (last.outcome, last.rows_changed) == (RunOutcome.COMPLETE, 0)


def test_a_run_that_breaks_off_goes_on_at_its_cursor_and_keeps_the_watermark(
    office, puller, twin, monkeypatch
):
    monkeypatch.setattr(sync, "PAGE_SIZE", 20)
    real, calls = twin.gateway.list, []

    def flaky(entity, **page):
        calls.append(page["cursor"])
        if len(calls) == 3:
            raise ErpUnavailable(Message("The ERP does not answer."))
        return real(entity, **page)

    monkeypatch.setattr(twin.gateway, "list", flaky)
    assert puller.pull(Entity.ITEM) is RunOutcome.FAILED
    broken = feed(office, Entity.ITEM)
    assert broken.watermark is None
    assert broken.cursor is not None
    assert count(office, Item) == 40
    assert puller.pull(Entity.ITEM) is RunOutcome.COMPLETE
    assert calls[3] == calls[2]
    assert count(office, Item) == len(twin.world.list(Entity.ITEM, page_size=10**6).records)


def test_a_cursor_that_the_erp_refuses_is_forgotten_and_the_feed_is_read_anew(
    office, puller, twin, monkeypatch
):
    monkeypatch.setattr(sync, "PAGE_SIZE", 20)
    real = twin.gateway.list

    def strict(entity, **page):
        if page["cursor"] is not None:
            raise ErpRefused(Message("The ERP refused it."))
        return real(entity, **page)

    monkeypatch.setattr(twin.gateway, "list", strict)
    assert puller.pull(Entity.ITEM) is RunOutcome.FAILED
    assert (feed(office, Entity.ITEM).cursor, feed(office, Entity.ITEM).watermark) == (None, None)
    monkeypatch.setattr(twin.gateway, "list", real)
    assert puller.pull(Entity.ITEM) is RunOutcome.COMPLETE


def test_a_defect_ends_the_run_with_its_kind_and_frees_the_feed(office, puller, twin, monkeypatch):
    monkeypatch.setattr(twin.gateway, "list", lambda _entity, **_page: {}["oops"])
    with pytest.raises(KeyError):
        puller.pull(Entity.ITEM)
    run = one(office, sa.select(SyncRun))
    assert (run.outcome, str(run.error)) == (RunOutcome.FAILED, "Internal error: KeyError")
    assert feed(office, Entity.ITEM).leased_until is None


def test_an_answer_that_announces_more_than_it_holds_does_not_move_the_watermark(
    office, puller, twin, monkeypatch
):
    real = twin.gateway.list

    def short(entity, **page) -> Page:
        return dataclasses.replace(real(entity, **page), complete=False)

    monkeypatch.setattr(twin.gateway, "list", short)
    assert puller.pull(Entity.CUSTOMER) is RunOutcome.PARTIAL
    assert feed(office, Entity.CUSTOMER).watermark is None


def test_an_orphan_is_parked_with_its_reason_and_fetched_when_its_parent_has_come(office, puller):
    puller.pull(Entity.SALES_ORDER)
    assert count(office, Order) == 0
    parked = one(office, sa.select(ParkedRow))
    assert "is not known yet" in str(parked.reason)
    puller.pull(Entity.CUSTOMER)
    puller.pull(Entity.ITEM)
    before = count(office, ParkedRow)
    puller.pull(Entity.SALES_ORDER)
    assert count(office, ParkedRow) < before
    assert count(office, Order) > 0


def test_an_erp_that_is_down_opens_the_breaker_and_a_good_run_closes_it(
    office, puller, twin, watch
):
    for _ in range(sync.BREAK_AFTER):
        twin.faults["ListItems"] = Fault.DOWN_503
        assert puller.pull(Entity.ITEM) is RunOutcome.FAILED
    watch.at += dt.timedelta(seconds=30)
    assert puller.pull_due() == 0
    watch.at += sync.BREAK_FOR
    assert puller.pull_due() > 0
    assert one(office, sa.select(ErpConnection)).failures == 0


def test_a_feed_that_another_worker_pulls_is_left_alone(office, puller):
    with office.open() as work:
        work.session.execute(
            sa.update(Feed).values(leased_until=work.tick + dt.timedelta(minutes=1))
        )
    assert puller.pull(Entity.ITEM) is None


def test_what_changes_in_the_erp_arrives_with_the_next_delta(office, puller, twin, watch):
    puller.pull_due()
    before = feed(office, Entity.WORK_ORDER).rows_total
    twin.advance(days=2)
    watch.at = twin.at
    puller.pull_due()
    run = one(office, sa.select(SyncRun).order_by(SyncRun.rows_changed.desc()))
    assert run.rows_changed > 0
    assert feed(office, Entity.WORK_ORDER).rows_total > before
    assert feed(office, Entity.WORK_ORDER).data_as_of == twin.at
