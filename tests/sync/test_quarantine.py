"""A record that does not fit is held back alone; the rest goes on, and nothing is forgotten."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Drifted, Entity, ErpDrift, Issue, Page
from b2bcrm.sync import quarantine
from b2bcrm.sync.models import (
    DriftNotice,
    ErpConnection,
    Feed,
    QuarantinedRow,
    RunOutcome,
    SyncRun,
    UnknownElement,
)

pytestmark = pytest.mark.db


class Drifting:
    """A gateway that cannot read some items; ``bad`` maps their ids to the reason."""

    def __init__(self, erp, bad, *, named=True):
        self.erp, self.bad, self.named = erp, bad, named
        self.unknown = {}

    def __getattr__(self, name):
        return getattr(self.erp, name)

    def list(self, entity, **page) -> Page:
        found = self.erp.list(entity, **page)
        good = [r for r in found.records if r.erp_id not in self.bad]
        drift = tuple(
            Drifted(r.erp_id if self.named else "", "kind", self.bad[r.erp_id])
            for r in found.records
            if r.erp_id in self.bad
        )
        return dataclasses.replace(
            found, records=good, drift=drift, complete=not drift, unknown=dict(self.unknown)
        )

    def get(self, entity, erp_id):
        if erp_id in self.bad:
            issue = Issue("drift", self.bad[erp_id], "kind")
            raise ErpDrift(Message("The ERP's answer does not fit."), issues=(issue,))
        return self.erp.get(entity, erp_id)


@pytest.fixture
def drifting(puller):
    ids = [r.erp_id for r in puller.erp.list(Entity.ITEM).records][:30]
    erp = Drifting(puller.erp, {erp_id: f"unknown value '{n}'" for n, erp_id in enumerate(ids)})
    return dataclasses.replace(puller, erp=erp)


def test_the_rest_of_the_page_is_applied_and_the_watermark_moves(drifting, twin, count, feed):
    assert drifting.pull(Entity.ITEM) is RunOutcome.COMPLETE
    all_items = len(twin.world.list(Entity.ITEM, page_size=10**6).records)
    assert count(Item) == all_items - 30
    assert count(QuarantinedRow) == 30
    assert feed(Entity.ITEM).watermark is not None


def test_thirty_records_with_one_kind_of_reason_make_one_notice(drifting, look, count):
    drifting.pull(Entity.ITEM)
    assert count(DriftNotice) == 1
    notice = look(sa.select(DriftNotice))
    assert (notice.path, notice.kind, notice.count) == ("kind", "unknown value …", 60)


def test_a_held_record_comes_in_with_the_run_after_its_reason_is_gone(drifting, watch, look, count):
    drifting.pull(Entity.ITEM)
    before = count(Item)
    healed = next(iter(drifting.erp.bad))
    del drifting.erp.bad[healed]
    watch.at += dt.timedelta(hours=1)
    assert drifting.pull(Entity.ITEM) is RunOutcome.COMPLETE
    assert count(Item) == before + 1
    assert look(sa.select(QuarantinedRow).where(QuarantinedRow.erp_id == healed)) is None


def test_a_drifted_record_that_nobody_can_name_keeps_the_watermark(puller, feed, count):
    first = puller.erp.list(Entity.ITEM).records[0].erp_id
    nameless = Drifting(puller.erp, {first: "unknown value"}, named=False)
    puller = dataclasses.replace(puller, erp=nameless)
    assert puller.pull(Entity.ITEM) is RunOutcome.PARTIAL
    assert feed(Entity.ITEM).watermark is None
    assert count(Item) > 0


def test_elements_that_the_profile_does_not_name_are_counted_per_day(drifting, watch, look, count):
    drifting.erp.unknown = {"Item/NewField": 3}
    drifting.pull(Entity.ITEM)
    drifting.pull(Entity.ITEM)
    first = look(sa.select(UnknownElement.count))
    watch.at += dt.timedelta(days=1)
    drifting.pull(Entity.ITEM)
    assert (first % 3, count(UnknownElement)) == (0, 2)


def test_another_wsdl_than_yesterday_is_told_once(puller, office, look, count):
    with office.open() as work:
        work.session.execute(sa.update(ErpConnection).values(wsdl_digest="of yesterday"))
    puller.ensure_feeds()
    puller.ensure_feeds()
    assert count(DriftNotice) == 1
    assert look(sa.select(DriftNotice)).path == quarantine.WSDL_PATH


def test_a_closed_notice_opens_again_when_the_drift_comes_back(work):
    drift = Drifted("1", "unit", "unknown unit 'BOX'")
    quarantine.tell(work, "main", Entity.ITEM, drift)
    work.session.execute(sa.update(DriftNotice).values(closed_at=work.tick))
    quarantine.tell(work, "main", Entity.ITEM, dataclasses.replace(drift, erp_id="2"))
    notice = work.session.scalars(sa.select(DriftNotice)).one()
    assert (notice.count, notice.closed_at, notice.erp_id) == (2, None, "2")


def test_a_record_that_cannot_be_stored_is_parked_and_the_others_are_not(puller, look, count):
    poison = puller.erp.list(Entity.ITEM).records[3].erp_id
    real = puller.appliers[Entity.ITEM]

    def choke(work, records):
        if any(record.erp_id == poison for record in records):
            raise ValueError("0.00001 has more than 4 decimal places")
        return real[0](work, records)

    puller = dataclasses.replace(puller, appliers={**puller.appliers, Entity.ITEM: (choke,)})
    assert puller.pull(Entity.ITEM) is RunOutcome.COMPLETE
    run = look(sa.select(SyncRun))
    assert run.rows_parked >= 1
    assert look(sa.select(Item).where(Item.no == poison)) is None
    assert count(Item) == len(puller.erp.list(Entity.ITEM).records) - 1


def test_a_defect_that_spoils_every_record_ends_the_run(puller, count):
    def broken(_work, _records):
        raise KeyError("oops")

    puller = dataclasses.replace(puller, appliers={**puller.appliers, Entity.ITEM: (broken,)})
    with pytest.raises(KeyError):
        puller.pull(Entity.ITEM)
    assert (count(Item), count(Feed)) == (0, len(puller.appliers))
