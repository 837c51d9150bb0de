"""Pulling: nothing lost when a run breaks, nothing doubled when rows come twice."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.kernel import outbox
from b2bcrm.kernel.words import Message
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import Entity, ErpRefused, ErpThrottled, ErpUnavailable, Page
from b2bcrm.sync import breaker
from b2bcrm.sync.engine import FEEDS
from b2bcrm.sync.events import FeedStale
from b2bcrm.sync.models import ErpConnection, Feed, ParkedRow, RunOutcome, SyncRun
from connectors.erp.twin.faults import Fault

pytestmark = pytest.mark.db


def test_a_first_load_brings_everything_parents_first(puller, twin, feed, count):
    assert puller.pull_due() == len(FEEDS)
    assert count(Item) == len(twin.world.list(Entity.ITEM, page_size=10**6).records)
    assert count(Order) == len(twin.world.list(Entity.SALES_ORDER, page_size=10**6).records)
    assert count(ParkedRow) == 0
    assert feed(Entity.ITEM).watermark is not None


def test_nothing_is_due_before_its_time_and_a_delta_over_unchanged_data_changes_nothing(
    puller, watch, look
):
    puller.pull_due()
    assert puller.pull_due() == 0
    watch.at += dt.timedelta(hours=1)
    puller.pull_due()
    last = look(sa.select(SyncRun).order_by(SyncRun.id.desc()))
    assert (last.outcome, last.rows_changed) == (RunOutcome.COMPLETE, 0)


def test_a_run_that_breaks_off_goes_on_at_its_cursor_and_keeps_the_watermark(
    puller, twin, monkeypatch, feed, count
):
    puller = dataclasses.replace(puller, page_size=20)
    real, calls = twin.gateway.list, []

    def flaky(entity, **page):
        calls.append(page["cursor"])
        if len(calls) == 3:
            raise ErpUnavailable(Message("The ERP does not answer."))
        return real(entity, **page)

    monkeypatch.setattr(twin.gateway, "list", flaky)
    assert puller.pull(Entity.ITEM) is RunOutcome.FAILED
    broken = feed(Entity.ITEM)
    assert broken.watermark is None
    assert broken.cursor is not None
    assert count(Item) == 40
    assert puller.pull(Entity.ITEM) is RunOutcome.COMPLETE
    assert calls[3] == calls[2]
    assert count(Item) == len(twin.world.list(Entity.ITEM, page_size=10**6).records)


def test_a_cursor_that_the_erp_refuses_is_forgotten_and_the_feed_is_read_anew(
    puller, twin, monkeypatch, feed
):
    puller = dataclasses.replace(puller, page_size=20)
    real = twin.gateway.list

    def strict(entity, **page):
        if page["cursor"] is not None:
            raise ErpRefused(Message("The ERP refused it."))
        return real(entity, **page)

    monkeypatch.setattr(twin.gateway, "list", strict)
    assert puller.pull(Entity.ITEM) is RunOutcome.FAILED
    assert (feed(Entity.ITEM).cursor, feed(Entity.ITEM).watermark) == (None, None)
    monkeypatch.setattr(twin.gateway, "list", real)
    assert puller.pull(Entity.ITEM) is RunOutcome.COMPLETE


def test_a_defect_ends_the_run_with_its_kind_and_frees_the_feed(
    puller, twin, monkeypatch, feed, look
):
    monkeypatch.setattr(twin.gateway, "list", lambda _entity, **_page: {}["oops"])
    with pytest.raises(KeyError):
        puller.pull(Entity.ITEM)
    run = look(sa.select(SyncRun))
    assert (run.outcome, str(run.error)) == (RunOutcome.FAILED, "Internal error: KeyError")
    assert feed(Entity.ITEM).leased_until is None


def test_an_answer_that_announces_more_than_it_holds_does_not_move_the_watermark(
    puller, twin, monkeypatch, feed
):
    real = twin.gateway.list

    def short(entity, **page) -> Page:
        return dataclasses.replace(real(entity, **page), complete=False)

    monkeypatch.setattr(twin.gateway, "list", short)
    assert puller.pull(Entity.CUSTOMER) is RunOutcome.PARTIAL
    assert feed(Entity.CUSTOMER).watermark is None


def test_an_orphan_is_parked_with_its_reason_and_fetched_when_its_parent_has_come(
    puller, count, look
):
    puller.pull(Entity.SALES_ORDER)
    assert count(Order) == 0
    parked = look(sa.select(ParkedRow))
    assert "is not known yet" in str(parked.reason)
    puller.pull(Entity.CUSTOMER)
    puller.pull(Entity.ITEM)
    before = count(ParkedRow)
    puller.pull(Entity.SALES_ORDER)
    assert count(ParkedRow) < before
    assert count(Order) > 0


def test_an_erp_that_is_down_opens_the_breaker_and_a_good_run_closes_it(puller, twin, watch, look):
    for _ in range(breaker.BREAK_AFTER):
        twin.faults["ListItems"] = Fault.DOWN_503
        assert puller.pull(Entity.ITEM) is RunOutcome.FAILED
    watch.at += dt.timedelta(seconds=30)
    with puller.office.open() as work:
        event = FeedStale(subject_id=1, feed=Message("Items"), connection="main", limit_minutes=1)
        row = outbox.enqueue(work.session, event, "test", work.tick + dt.timedelta(hours=1))
        row.code, row.target = ErpThrottled.code, "main"
        other = outbox.enqueue(work.session, event, "test", work.tick + dt.timedelta(hours=1))
        other.code, other.target = ErpThrottled.code, "cn"
    assert puller.pull_due() == 0
    watch.at += breaker.BREAK_FOR
    assert puller.pull_due() > 0
    assert look(sa.select(ErpConnection)).failures == 0
    due = {
        target: look(sa.select(outbox.Delivery).where(outbox.Delivery.target == target)).next_at
        for target in ("main", "cn")
    }
    assert due["main"] == watch.at
    assert due["cn"] > watch.at  # another ERP's, which may be down still


def test_a_feed_that_another_worker_pulls_is_left_alone(office, puller):
    with office.open() as work:
        work.session.execute(
            sa.update(Feed).values(leased_until=work.tick + dt.timedelta(minutes=1))
        )
    assert puller.pull(Entity.ITEM) is None


def test_what_changes_in_the_erp_arrives_with_the_next_delta(puller, twin, watch, feed, look):
    puller.pull_due()
    before = feed(Entity.WORK_ORDER).rows_total
    twin.advance(days=2)
    watch.at = twin.at
    puller.pull_due()
    run = look(sa.select(SyncRun).order_by(SyncRun.rows_changed.desc()))
    assert run.rows_changed > 0
    assert feed(Entity.WORK_ORDER).rows_total > before
    assert feed(Entity.WORK_ORDER).data_as_of == twin.at
