"""Whatever happens on the way: after the last complete run our book equals the ERP's, by digest."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random

import pytest
import sqlalchemy as sa

from b2bcrm.ports.erp import Entity
from b2bcrm.sync.breaker import LONGEST
from b2bcrm.sync.digests import digest
from b2bcrm.sync.models import ErpRef, RunOutcome
from connectors.erp.twin.server import Fault
from tests.pulled import everything

pytestmark = pytest.mark.db
BOOK = (Entity.CUSTOMER, Entity.ITEM, Entity.STOCK, Entity.SALES_ORDER, Entity.SHIPMENT)
OPERATIONS = {
    Entity.CUSTOMER: "ListCustomers",
    Entity.ITEM: "ListItems",
    Entity.STOCK: "ListStockLevels",
    Entity.SALES_ORDER: "ListSalesOrders",
    Entity.SHIPMENT: "ListShipments",
}


class History:
    """Random days, faults and pulls; ``settle`` lets everything come right."""

    def __init__(self, puller, twin, watch, seed):
        self.rng = random.Random(seed)
        self.twin, self.watch = twin, watch
        self.puller = dataclasses.replace(puller, page_size=self.rng.choice((25, 60, 200)))

    def step(self):
        self.watch.at = max(self.watch.at, self.twin.at)
        self.rng.choice((self.pull, self.pull, self.fail, self.pass_time, self.compare))()

    def pull(self):
        self.puller.pull(self.rng.choice(BOOK))

    def compare(self):
        self.puller.reconcile(self.rng.choice(BOOK))

    def fail(self):
        entity = self.rng.choice(BOOK)
        self.twin.faults[OPERATIONS[entity]] = self.rng.choice((Fault.DOWN_503, Fault.HTML_200))
        self.puller.pull(entity)
        self.twin.faults.clear()

    def pass_time(self):
        self.twin.advance(days=self.rng.randint(0, 2), minutes=self.rng.randint(1, 600))

    def settle(self):
        self.watch.at = max(self.watch.at, self.twin.at) + LONGEST
        for entity in BOOK:
            assert self.puller.pull(entity) is RunOutcome.COMPLETE


@pytest.mark.parametrize("seed", range(5))
def test_after_the_last_complete_run_our_book_equals_the_erps(puller, twin, watch, office, seed):
    history = History(puller, twin, watch, seed)
    for _ in range(12):
        history.step()
    history.settle()
    for entity in BOOK:
        theirs = {r.erp_id: digest(r) for r in everything(twin.gateway, entity)}
        with office.open(read_only=True) as work:
            query = sa.select(ErpRef.erp_id, ErpRef.digest).where(
                ErpRef.entity == entity.value, ErpRef.tombstoned_at.is_(None)
            )
            ours = {row.erp_id: row.digest for row in work.session.execute(query)}
        assert ours == theirs, entity


def test_the_watermark_never_passes_what_was_not_read(puller, twin, watch, feed):
    puller.pull(Entity.CUSTOMER)
    before = feed(Entity.CUSTOMER).watermark
    twin.advance(days=1)
    watch.at = twin.at + dt.timedelta(minutes=1)
    twin.faults["ListCustomers"] = Fault.DOWN_503
    assert puller.pull(Entity.CUSTOMER) is RunOutcome.FAILED
    assert feed(Entity.CUSTOMER).watermark == before
