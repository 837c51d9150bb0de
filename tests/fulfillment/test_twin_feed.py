"""A whole small ERP world through the appliers: every line gets its date, a second pull nothing."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.catalog import intake as catalog
from b2bcrm.customers import intake as customers
from b2bcrm.fulfillment import intake
from b2bcrm.fulfillment.actions import Promises, project_due
from b2bcrm.fulfillment.models import LineProjection, OrderProjection, ShipmentLine
from b2bcrm.kernel.organization import Company, Site
from b2bcrm.orders.intake import apply_sales_orders
from b2bcrm.orders.lifecycle import OrderState, Status
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.ports.erp import Entity
from connectors.erp.twin.parts import SITE_COMPANY
from connectors.erp.twin.world import TwinWorld
from tests.conftest import NOW

APPLIERS = (
    (Entity.CUSTOMER, customers.apply_customers),
    (Entity.ITEM, catalog.apply_items),
    (Entity.BOM, catalog.apply_boms),
    (Entity.WORK_CENTER, catalog.apply_work_centers),
    (Entity.STOCK, intake.apply_stock),
    (Entity.PURCHASE_ORDER, intake.apply_purchase_orders),
    (Entity.WORK_ORDER, intake.apply_work_orders),
    (
        Entity.SALES_ORDER,
        lambda work, records: apply_sales_orders(work, records, promises=Promises(work)),
    ),
    (Entity.SHIPMENT, intake.apply_shipments),
    (Entity.INVOICE, intake.apply_invoices),
)


def feed(world, work) -> int:
    changed = 0
    for entity, apply in APPLIERS:
        cursor = None
        while True:
            page = world.list(entity, cursor=cursor)
            applied = apply(work, page.records)
            assert applied.parked == ()
            changed += applied.changed
            cursor = page.next_cursor
            if cursor is None:
                break
    return changed


@pytest.fixture
def world(work, tmp_path):
    for code, company in SITE_COMPANY.items():
        row = Company(code=company, name=company, currency="TWD", erp_company=company)
        work.session.add(row)
        work.session.flush()
        work.session.add(
            Site(
                company_id=row.id,
                code=code,
                name=code,
                country="TW",
                zone="Asia/Taipei",
                calendar_code="TW",
            )
        )
    path = tmp_path / "world.sqlite3"
    TwinWorld.generate(path, size="small", seed=7, today=dt.date(2026, 11, 17))
    world = TwinWorld(path, now=lambda: NOW)
    yield world
    world.close()


@pytest.mark.slow
def test_every_open_line_of_the_erp_has_a_date_and_every_red_one_a_cause(work, world):
    feed(world, work)
    while project_due(work):
        pass
    session = work.session
    missing = sa.select(sa.func.count(OrderLine.id)).where(
        sa.not_(OrderLine.cancelled),
        OrderLine.id.not_in(sa.select(LineProjection.order_line_id)),
        OrderLine.order_id.in_(sa.select(Order.id).where(Order.state == OrderState.CONFIRMED)),
    )
    assert session.scalar(missing) == 0
    rows = session.scalars(sa.select(LineProjection)).all()
    troubled = [row for row in rows if row.status in {Status.LATE, Status.RISK}]
    assert all(row.cause is not None and row.next_step is not None for row in troubled)
    open_rows = [row for row in rows if row.status is not Status.DONE]
    assert all(row.projected_on is not None for row in open_rows)
    for row in open_rows:
        line = session.get_one(OrderLine, row.order_line_id)
        here = sum(Decimal(cell["qty"]) for cell in row.stations.values())
        assert here + line.shipped_qty == line.ordered_qty
    late = session.scalar(
        sa.select(sa.func.count(OrderProjection.order_id)).where(
            OrderProjection.status == Status.LATE
        )
    )
    assert late < len({row.order_id for row in open_rows})


@pytest.mark.slow
def test_a_second_pull_changes_nothing_and_quantities_add_up(work, world):
    feed(world, work)
    session = work.session
    assert feed(world, work) == 0
    query = sa.select(ShipmentLine.order_line_id, sa.func.sum(ShipmentLine.qty))
    sums = dict(session.execute(query.group_by(ShipmentLine.order_line_id)).all())
    assert sums
    for line in session.scalars(sa.select(OrderLine)):
        assert line.shipped_qty == sums.get(line.id, 0)
        assert line.delivered_qty <= line.shipped_qty <= line.ordered_qty
