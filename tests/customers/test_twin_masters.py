"""The ERP twin's master data through our intakes: all of it fits, twice changes nothing."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.bootstrap import APPLIERS
from b2bcrm.catalog import queries as catalog
from b2bcrm.catalog.models import BomRow, Item, PriceBreak, WorkCenter
from b2bcrm.customers.models import Account, Contact, CustomerPart, ShipTo
from b2bcrm.demo.firm import found
from b2bcrm.ports.erp import Entity
from connectors.erp.twin.world import TwinWorld

MASTERS = (Entity.CUSTOMER, Entity.ITEM, Entity.BOM, Entity.WORK_CENTER, Entity.PRICE)
NOW = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    path = tmp_path_factory.mktemp("twin") / "twin.sqlite3"
    TwinWorld.generate(path, size="small", seed=3, today=NOW.date())
    world = TwinWorld(path, now=lambda: NOW)
    pages: dict[Entity, list] = {}
    for entity in MASTERS:
        cursor, rows = None, []
        while True:
            page = world.list(entity, cursor=cursor, page_size=100)
            rows.append(page.records)
            cursor = page.next_cursor
            if cursor is None:
                break
        pages[entity] = rows
    world.close()
    return pages


def pull(work, records) -> tuple[int, list]:
    changed, parked = 0, []
    for entity in MASTERS:
        for page in records[entity]:
            for apply in APPLIERS[entity]:
                result = apply(work, page)
                changed += result.changed
                parked += result.parked
    return changed, parked


@pytest.mark.slow
@pytest.mark.db
def test_every_master_record_is_taken_in_once(work, records):
    found(work, 1)
    changed, parked = pull(work, records)
    assert not parked
    assert changed > 0
    assert pull(work, records) == (0, [])
    for model, entity in ((Account, Entity.CUSTOMER), (Item, Entity.ITEM)):
        stored = work.session.scalar(sa.select(sa.func.count(model.id)))
        assert stored == sum(map(len, records[entity]))
    for model in (Contact, ShipTo, CustomerPart, BomRow, WorkCenter, PriceBreak):
        assert work.session.scalar(sa.select(sa.func.count(model.id)))
    customers = {r.erp_id: r for page in records[Entity.CUSTOMER] for r in page}
    for account in work.session.scalars(sa.select(Account)):
        record = customers[account.erp_id]
        assert (account.name, account.credit_used) == (record.name, record.credit_used)
        assert account.credit_as_of == work.now


@pytest.mark.slow
def test_every_item_that_is_sold_has_a_price_in_each_accounts_list(work, records):
    found(work, 1)
    pull(work, records)
    sold = work.session.scalars(sa.select(Item.no).where(Item.sellable)).all()
    terms = work.session.execute(sa.select(Account.price_list, Account.currency).distinct()).all()
    assert sold
    assert terms
    for number in sold:
        for price_list, currency in terms:
            assert catalog.price_ladder(
                work.session, number, price_list, currency, work.today
            ).steps, (number, price_list, currency)
