"""The ERP's whole world into an empty database in one go: the same rows as a pull over SOAP.

Master data go through the features' own intakes; the many documents are written in bulk.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from b2bcrm.bootstrap import APPLIERS, IDENTIFY
from b2bcrm.demo import orders
from b2bcrm.demo.firm import CONNECTION
from b2bcrm.demo.rows import Row, Rows
from b2bcrm.demo.supply import Delays, load_purchases, load_work_orders
from b2bcrm.fulfillment import actions as fulfillment
from b2bcrm.fulfillment.models import OrderProjection
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import FINAL
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import Entity, Record
from b2bcrm.sync.appliers import apply_all
from b2bcrm.sync.digests import digest
from b2bcrm.sync.models import ErpRef
from b2bcrm.sync.tombstones import facts_of
from connectors.erp.twin import bulk

MASTERS = (
    Entity.CUSTOMER,
    Entity.ITEM,
    Entity.BOM,
    Entity.WORK_CENTER,
    Entity.PRICE,
    Entity.STOCK,
)
BATCH = 2000
PROJECT_AT_ONCE = 100


class Source:
    """The records of a twin's file; counts what was read."""

    def __init__(self, path: Path) -> None:
        self._records: Mapping[Entity, Iterator[Record]] = bulk.rows(path)
        self.read: dict[Entity, int] = dict.fromkeys(Entity, 0)
        self.refs: dict[Entity, list[Row]] = {entity: [] for entity in Entity}

    def of(self, entity: Entity) -> Iterator[Any]:
        """All records of one entity, once."""
        for record in self._records[entity]:
            self.read[entity] += 1
            self.refs[entity].append(_ref(entity, record))
            yield record


def _ref(entity: Entity, record: Record) -> Row:
    return {
        "connection_code": CONNECTION,
        "entity": entity.value,
        "erp_id": record.erp_id,
        "company": record.company,
        "version": record.version,
        "digest": digest(record),
        "facts": facts_of(entity, record),
        "crm_id": None,
    }


def remember(work: Work, rows: Rows, source: Source) -> None:
    """What the engine would know after pulling all this: cross references with digests."""
    for entity, refs in source.refs.items():
        identify = IDENTIFY.get(entity)
        for start in range(0, len(refs), BATCH):
            part = refs[start : start + BATCH]
            ids = identify(work, [row["erp_id"] for row in part]) if identify else {}
            for row in part:
                row["crm_id"] = ids.get(row["erp_id"])
            rows.put(ErpRef, part)


def load_masters(work: Work, source: Source) -> None:
    """Customers, items, BOMs, work centres, prices, stock."""
    for entity in MASTERS:
        batch: list[Record] = []
        for record in source.of(entity):
            batch.append(record)
            if len(batch) >= BATCH:
                apply_all(work, APPLIERS[entity], batch)
                batch = []
        if batch:
            apply_all(work, APPLIERS[entity], batch)
        work.session.flush()  # flush: the next entity looks these up
    work.session.expunge_all()


def read_orders(work: Work, rows: Rows, source: Source) -> orders.OrderBook:
    """Sales orders, shipments and invoices, not yet written."""
    return orders.read(
        work,
        rows,
        sales=source.of(Entity.SALES_ORDER),
        shipments=source.of(Entity.SHIPMENT),
        invoices=source.of(Entity.INVOICE),
    )


def load_supply(rows: Rows, source: Source) -> Delays:
    """Purchase orders and work orders."""
    delays = Delays()
    load_purchases(rows, source.of(Entity.PURCHASE_ORDER), delays)
    load_work_orders(rows, source.of(Entity.WORK_ORDER), delays)
    return delays


def project_living(work: Work) -> int:
    """Projections of every order that still lives, or of which something came late; how many."""
    late = sa.exists().where(OrderProjection.order_id == Order.id, OrderProjection.stale)
    lives = sa.or_(Order.state.not_in(FINAL), late)
    query = sa.select(Order.id).where(lives).order_by(Order.id)
    ids = work.session.scalars(query).all()
    for start in range(0, len(ids), PROJECT_AT_ONCE):
        fulfillment.project(work, ids[start : start + PROJECT_AT_ONCE])
        work.session.flush()  # flush: written before it leaves memory
        work.session.expunge_all()
    return len(ids)


def load_world(
    work: Work, path: Path, *, dress: Callable[[orders.OrderBook], None] | None = None
) -> Mapping[Entity, int]:
    """Everything the ERP knows, without anything that it does not; rows read per entity."""
    rows, source = Rows(work.session), Source(path)
    load_masters(work, source)
    book = read_orders(work, rows, source)
    if dress is not None:
        dress(book)
    load_supply(rows, source)
    orders.write(work, rows, book)
    remember(work, rows, source)
    rows.settle_ids()
    project_living(work)
    return source.read
