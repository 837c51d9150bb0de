"""Deltas: read everything first, read again when the book moves, write only what differs."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.ports.erp import Capability, ConnectorInfo, Entity
from b2bcrm.sync import guard, leases
from b2bcrm.sync.models import ErpRef, GuardState, GuardStop, RunKind, RunOutcome, SyncRun, Threat
from connectors.erp.twin.faults import Fault
from tests.conftest import NOW

pytestmark = pytest.mark.db
OVERLAP = dt.timedelta(days=2)


class Renamed:
    """Every item has another name, or only the ones that ``which`` names."""

    def __init__(self, name, which=None):
        self.name, self.which = name, which

    def __call__(self, record):
        if self.which is None or record.erp_id in self.which:
            return dataclasses.replace(record, name=self.name, version=self.name)
        return record


@pytest.fixture
def loaded(puller):
    puller.pull(Entity.CUSTOMER)
    assert puller.pull(Entity.ITEM) is RunOutcome.COMPLETE
    return puller


def newest(look):
    return look(sa.select(SyncRun).order_by(SyncRun.id.desc()))


def whole_book(puller, watch):
    """The ERP says that everything changed: each delta reads the whole book."""
    watch.at += dt.timedelta(hours=1)
    real = puller.erp.list
    puller.erp.list = lambda entity, **page: real(entity, **{**page, "since": None})


def test_the_overlap_is_that_of_the_connection(loaded, watch, monkeypatch):
    info = loaded.erp.describe()
    wide = dataclasses.replace(info, overlap=OVERLAP)
    monkeypatch.setattr(loaded.erp, "describe", lambda: wide)
    asked = []
    real = loaded.erp.list

    def listen(entity, **page):
        asked.append(page["since"])
        return real(entity, **page)

    monkeypatch.setattr(loaded.erp, "list", listen)
    watch.at += dt.timedelta(hours=1)
    loaded.pull(Entity.ITEM)
    assert asked[0] == NOW - OVERLAP


def test_an_unchanged_book_that_is_read_again_writes_nothing(loaded, tampered, watch, office, look):
    same = tampered(lambda record: record)
    whole_book(same, watch)
    with office.open(read_only=True) as work:
        before = work.session.execute(sa.select(ErpRef.erp_id, ErpRef.run_id)).all()
    assert same.pull(Entity.ITEM) is RunOutcome.COMPLETE
    run = newest(look)
    assert (run.rows_read > 0, run.rows_changed) == (True, 0)
    with office.open(read_only=True) as work:
        assert work.session.execute(sa.select(ErpRef.erp_id, ErpRef.run_id)).all() == before


def test_pages_that_shift_are_read_again_and_in_the_end_every_change_is_in(
    loaded, tampered, watch, look
):
    ids = [r.erp_id for r in loaded.erp.list(Entity.ITEM).records]
    moving = tampered(Renamed("renamed", set(ids[:9])))
    moving = dataclasses.replace(moving, page_size=30)
    whole_book(moving, watch)
    steady, rounds = moving.erp.list, []

    def shift(entity, **page):
        found = steady(entity, **page)
        if page["cursor"] is None:
            rounds.append(found.records)
        elif len(rounds) == 1:  # a row came in above: the last of the page before comes again
            again = rounds[0][-1:]
            found = dataclasses.replace(found, records=[*again, *found.records[:-1]])
        return found

    moving.erp.list = shift
    assert moving.pull(Entity.ITEM) is RunOutcome.COMPLETE
    run = newest(look)
    assert (len(rounds), run.rounds, run.rows_changed) == (2, 2, 9)


def test_a_book_that_never_stands_still_keeps_the_watermark(loaded, tampered, watch, feed, look):
    restless = dataclasses.replace(tampered(lambda record: record), page_size=30)
    whole_book(restless, watch)
    steady = restless.erp.list

    def doubled(entity, **page):
        found = steady(entity, **page)
        return dataclasses.replace(found, records=[*found.records, found.records[0]])

    restless.erp.list = doubled
    before = feed(Entity.ITEM).watermark
    assert restless.pull(Entity.ITEM) is RunOutcome.PARTIAL
    assert "do not agree" in str(newest(look).error)
    assert feed(Entity.ITEM).watermark == before


def test_paging_that_may_miss_rows_is_believed_when_two_rounds_agree(loaded, tampered, watch, look):
    unsure = dataclasses.replace(tampered(lambda record: record), page_size=30)
    info: ConnectorInfo = unsure.erp.describe()
    loose: Capability = dataclasses.replace(info.capabilities[Entity.ITEM], consistent_paging=False)
    capabilities = {**info.capabilities, Entity.ITEM: loose}
    unsure.erp.describe = lambda: dataclasses.replace(info, capabilities=capabilities)
    whole_book(unsure, watch)
    assert unsure.pull(Entity.ITEM) is RunOutcome.COMPLETE
    assert newest(look).rounds == 2


# ------------------------------------------------------------------------------------- the guard


@pytest.fixture
def strange(loaded, tampered, watch, monkeypatch):
    """A book in which every item was renamed, and a guard that asks from five rows on."""
    monkeypatch.setattr(guard, "ALWAYS", 5)
    strange = tampered(Renamed("Test system"))
    whole_book(strange, watch)
    return strange


def test_a_run_that_would_change_too_much_writes_nothing_and_asks(strange, look, feed, count):
    assert strange.pull(Entity.ITEM) is RunOutcome.HELD
    asked = look(sa.select(GuardStop))
    assert (asked.threat, asked.count, asked.known) == (Threat.CHANGE, count(Item), count(Item))
    assert look(sa.select(Item).where(Item.name == "Test system")) is None
    assert feed(Entity.ITEM).watermark == NOW


def test_while_it_asks_the_feed_is_left_alone(strange, watch):
    strange.pull(Entity.ITEM)
    watch.at += dt.timedelta(hours=1)
    assert Entity.ITEM not in strange._due(sa.literal(watch.at))


def test_a_yes_lets_one_run_pass_and_no_more(strange, office, look, count):
    strange.pull(Entity.ITEM)
    with office.open() as work:
        work.session.execute(sa.update(GuardStop).values(state=GuardState.APPROVED))
    assert strange.pull(Entity.ITEM) is RunOutcome.COMPLETE
    renamed = sa.select(sa.func.count()).where(Item.name == "Test system")
    assert look(renamed) == count(Item)
    assert look(sa.select(GuardStop)).state is GuardState.USED
    strange.erp.change = Renamed("Another one")
    assert strange.pull(Entity.ITEM) is RunOutcome.HELD


def test_a_first_load_asks_nobody(puller, look, monkeypatch):
    monkeypatch.setattr(guard, "ALWAYS", 0)
    assert puller.pull(Entity.ITEM) is RunOutcome.COMPLETE
    assert newest(look).kind is RunKind.LOAD


def test_after_three_days_of_outage_three_times_as_much_is_usual(loaded, watch, monkeypatch):
    monkeypatch.setattr(guard, "ALWAYS", 0)
    source = loaded.source
    claim = leases.claim(source, Entity.ITEM)
    with source.office.open(read_only=True) as work:
        today = guard.allowance(work, claim, Threat.CHANGE).rows
    watch.at += dt.timedelta(days=2, hours=1)
    with source.office.open(read_only=True) as work:
        later = guard.allowance(work, claim, Threat.CHANGE).rows
        removals = guard.allowance(work, claim, Threat.REMOVAL).rows
    assert (later // today, removals) == (3, today)


def test_a_clock_that_runs_ahead_does_not_hide_what_changes_meanwhile(loaded, twin, watch, feed):
    before = feed(Entity.ITEM).watermark
    for _ in range(2):  # the twin's clock is off in turn ahead and behind
        twin.faults["ListItems"] = Fault.CLOCK_OFF
        watch.at += dt.timedelta(minutes=10)
        assert loaded.pull(Entity.ITEM) is RunOutcome.COMPLETE
        assert feed(Entity.ITEM).watermark <= max(before, watch.at)
