"""Reconciliation finds what pulls cannot see, and removes nothing on one word."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import Item, PriceBreak
from b2bcrm.fulfillment.models import (
    Invoice,
    PurchaseLine,
    Shipment,
    ShipmentLine,
    Stock,
    WorkOrder,
)
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine, Origin
from b2bcrm.ports.erp import Entity, KeyPage
from b2bcrm.sync import guard
from b2bcrm.sync.cadence import FEEDS, compares_by_content, next_night
from b2bcrm.sync.models import DriftReport, ErpRef, GuardStop, RunOutcome, Threat
from tests.conftest import NOW, office_on, undone
from tests.pulled import found_company
from tests.sync.conftest import puller_on
from tests.twins import Twin

pytestmark = pytest.mark.db


@pytest.fixture(scope="module")
def book(engine, small_world, tmp_path_factory):
    """A connection on which everything has been pulled once."""
    file = shutil.copy(small_world, tmp_path_factory.mktemp("book") / "twin.sqlite3")
    twin = Twin(Path(file), NOW)
    with engine.connect() as connection, undone(connection.begin()):
        office = office_on(engine, connection)
        with office.open() as work:
            found_company(work)
        puller = puller_on(office, twin)
        puller.ensure_feeds()
        puller.pull_due()
        twin.world.close()
        yield connection


@pytest.fixture
def connection(book):
    with undone(book.begin_nested()):
        yield book


@pytest.fixture
def puller(office, twin, watch):
    return puller_on(office, twin)


@pytest.fixture
def without(puller, tampered):
    """The ERP without some records: ``without({entity: ids})``."""

    def gone(missing):
        ids = {erp_id for some in missing.values() for erp_id in some}
        return tampered(lambda record: None if record.erp_id in ids else record)

    return gone


def report(look):
    return look(sa.select(DriftReport).order_by(DriftReport.id.desc()))


def some(puller, entity, n=1, *, keep=lambda record: True):
    return [r for r in puller.erp.list(entity).records if keep(r)][:n]


def remove(puller, entity):
    """Two complete reconciliations that agree."""
    for _night in range(2):
        assert puller.reconcile(entity, by_content=False) is RunOutcome.COMPLETE


def test_an_equal_book_has_equal_totals_and_nothing_to_do(puller, look):
    for by_content in (False, True):
        assert puller.reconcile(Entity.SALES_ORDER, by_content=by_content) is RunOutcome.COMPLETE
        found = report(look)
        assert (found.missing_here, found.missing_there, found.differing) == (0, 0, 0)
        assert found.erp_total == found.our_total
        assert (found.by_content, found.erp_rows) == (by_content, found.our_rows)


def test_what_a_pull_has_missed_is_found_and_fetched(puller, office, look):
    lost = some(puller, Entity.PRICE)[0].erp_id
    with office.open() as work:
        work.session.execute(sa.delete(PriceBreak).where(PriceBreak.erp_id == lost))
        work.session.execute(sa.delete(ErpRef).where(ErpRef.erp_id == lost))
    assert puller.reconcile(Entity.PRICE, by_content=False) is RunOutcome.COMPLETE
    assert report(look).missing_here == 1
    assert look(sa.select(PriceBreak).where(PriceBreak.erp_id == lost)) is not None


def test_a_change_that_was_never_stamped_is_found_by_content_alone(puller, tampered, look):
    first = some(puller, Entity.ITEM)[0].erp_id
    quiet = tampered(lambda r: dataclasses.replace(r, name="Secretly") if r.erp_id == first else r)
    quiet.reconcile(Entity.ITEM, by_content=False)
    assert report(look).differing == 0
    quiet.reconcile(Entity.ITEM, by_content=True)
    assert report(look).differing == 1
    assert look(sa.select(Item.name).where(Item.no == first)) == "Secretly"


def test_one_run_that_misses_a_record_removes_nothing_two_that_agree_do(without, puller, look):
    lost = some(puller, Entity.PRICE)[0].erp_id
    stored = sa.select(PriceBreak).where(PriceBreak.erp_id == lost)
    there = without({Entity.PRICE: [lost]})
    there.reconcile(Entity.PRICE, by_content=False)
    assert (report(look).missing_there, look(stored) is not None) == (1, True)
    there.reconcile(Entity.PRICE, by_content=False)
    assert (report(look).removed, look(stored)) == (1, None)
    assert look(sa.select(ErpRef).where(ErpRef.erp_id == lost)).tombstoned_at is not None


def test_a_record_that_is_listed_again_in_between_begins_anew(without, puller, look):
    lost = some(puller, Entity.PRICE)[0].erp_id
    there = without({Entity.PRICE: [lost]})
    there.reconcile(Entity.PRICE, by_content=False)
    puller.reconcile(Entity.PRICE, by_content=False)
    there.reconcile(Entity.PRICE, by_content=False)
    assert look(sa.select(PriceBreak).where(PriceBreak.erp_id == lost)) is not None


def test_a_tombstone_that_the_erp_lists_again_lives_again(without, puller, look):
    lost = some(puller, Entity.PRICE)[0].erp_id
    remove(without({Entity.PRICE: [lost]}), Entity.PRICE)
    puller.reconcile(Entity.PRICE, by_content=False)
    assert look(sa.select(PriceBreak).where(PriceBreak.erp_id == lost)) is not None
    assert look(sa.select(ErpRef).where(ErpRef.erp_id == lost)).tombstoned_at is None


def test_an_empty_reply_never_passes_for_an_empty_erp(puller, look, count):
    empty = dataclasses.replace(puller)
    empty.erp.list_keys = lambda _entity, **_page: KeyPage({}, None, True)
    for _night in range(3):
        assert empty.reconcile(Entity.WORK_CENTER, by_content=False) is RunOutcome.HELD
    asked = look(sa.select(GuardStop))
    assert (asked.threat, asked.count) == (Threat.REMOVAL, asked.known)
    assert count(GuardStop) == 1


def test_a_list_of_keys_that_is_not_whole_proves_nothing(puller, look, count):
    puller.erp.list_keys = lambda _entity, **_page: KeyPage({}, None, False)
    assert puller.reconcile(Entity.ITEM, by_content=False) is RunOutcome.PARTIAL
    assert count(DriftReport) == 0


def test_many_missing_records_wait_for_a_person(without, puller, look, monkeypatch):
    monkeypatch.setattr(guard, "ALWAYS", 5)
    lost = [r.erp_id for r in some(puller, Entity.ITEM, 40)]
    there = without({Entity.ITEM: lost})
    assert there.reconcile(Entity.ITEM, by_content=False) is RunOutcome.HELD
    assert (look(sa.select(GuardStop)).threat, look(sa.select(GuardStop)).count) == (
        Threat.REMOVAL,
        40,
    )


class TestWhatARemovalDoes:
    """Each feature's intake gets the tombstone and knows what it means."""

    def test_an_item_becomes_inactive(self, without, puller, look):
        lost = some(puller, Entity.ITEM, keep=lambda r: r.active)[0].erp_id
        remove(without({Entity.ITEM: [lost]}), Entity.ITEM)
        item = look(sa.select(Item).where(Item.no == lost))
        assert (item.active, item.sellable) == (False, False)

    def test_stock_is_none(self, without, puller, look):
        lost = some(puller, Entity.STOCK, keep=lambda r: r.on_hand > 0)[0]
        remove(without({Entity.STOCK: [lost.erp_id]}), Entity.STOCK)
        row = look(sa.select(Stock).where(Stock.item_no == lost.item, Stock.site_code == lost.site))
        assert (row.on_hand, row.allocated) == (0, 0)

    def test_purchase_and_work_orders_are_cancelled_and_keep_what_they_were(
        self, without, puller, look
    ):
        bought = some(puller, Entity.PURCHASE_ORDER)[0].erp_id
        made = some(puller, Entity.WORK_ORDER)[0]
        there = without({Entity.PURCHASE_ORDER: [bought], Entity.WORK_ORDER: [made.erp_id]})
        remove(there, Entity.PURCHASE_ORDER)
        remove(there, Entity.WORK_ORDER)
        line = look(sa.select(PurchaseLine).where(PurchaseLine.po_no == bought))
        order = look(sa.select(WorkOrder).where(WorkOrder.no == made.erp_id))
        assert (line.status, order.status, order.item_no) == ("cancelled", "cancelled", made.item)

    def test_a_shipment_goes_and_the_quantities_follow(self, without, puller, look):
        lost = some(puller, Entity.SHIPMENT)[0]
        line_id = look(
            sa.select(OrderLine.id)
            .join(Order)
            .where(
                Order.erp_no == lost.lines[0].sales_order,
                OrderLine.line_no == lost.lines[0].order_line_no,
            )
        )
        shipped = sa.select(OrderLine.shipped_qty).where(OrderLine.id == line_id)
        before = look(shipped)
        remove(without({Entity.SHIPMENT: [lost.erp_id]}), Entity.SHIPMENT)
        kept = sa.select(ShipmentLine).join(Shipment).where(Shipment.no == lost.erp_id)
        assert look(kept) is None
        assert look(shipped) == before - lost.lines[0].qty

    def test_an_invoice_goes_and_its_pieces_count_no_more(self, without, puller, look):
        lost = some(puller, Entity.INVOICE)[0]
        invoiced = (
            sa.select(sa.func.sum(OrderLine.invoiced_qty, type_=OrderLine.invoiced_qty.type))
            .join(Order)
            .where(Order.erp_no == lost.sales_order)
        )
        before = look(invoiced)
        remove(without({Entity.INVOICE: [lost.erp_id]}), Entity.INVOICE)
        assert look(sa.select(Invoice).where(Invoice.no == lost.erp_id)) is None
        assert look(invoiced) < before

    def test_an_order_typed_in_the_erp_is_cancelled(self, without, puller, look):
        lost = some(
            puller, Entity.SALES_ORDER, keep=lambda r: r.status == "open" and not r.reference
        )[0].erp_id
        remove(without({Entity.SALES_ORDER: [lost]}), Entity.SALES_ORDER)
        order = look(sa.select(Order).where(Order.erp_no == lost))
        assert (order.origin, order.state) == (Origin.ERP, OrderState.CANCELLED)


class TestTheCalendar:
    def test_every_feed_has_its_own_minute_in_the_night(self):
        nights = {next_night(NOW, entity.value) for entity in FEEDS}
        assert len(nights) == len(FEEDS)
        assert all(NOW < night < NOW + dt.timedelta(days=1) for night in nights)

    def test_every_seventh_night_compares_by_content(self):
        week = dt.timedelta(days=7)
        assert compares_by_content(None, NOW)
        assert not compares_by_content(NOW, NOW + week - dt.timedelta(days=1))
        assert compares_by_content(NOW, NOW + week)

    def test_feeds_are_reconciled_in_their_night(self, puller, watch, count):
        assert puller.reconcile_due() == 0
        watch.at += dt.timedelta(days=1)
        assert puller.reconcile_due() == len(FEEDS)
        assert count(DriftReport) == len(FEEDS)
        assert puller.reconcile_due() == 0
