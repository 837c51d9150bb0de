"""Who takes what the ERP sends: entity -> the features' intakes, in order; and their own ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from b2bcrm.catalog import intake as catalog
from b2bcrm.catalog.models import Item
from b2bcrm.customers import intake as customers
from b2bcrm.customers.queries import erp_customers
from b2bcrm.fulfillment import actions as fulfillment
from b2bcrm.fulfillment import intake as supply
from b2bcrm.fulfillment.models import Invoice, Shipment, WorkOrder
from b2bcrm.kernel.work import Work
from b2bcrm.orders import intake as orders
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.appliers import Applier, Identify
from b2bcrm.sync.connections import MAIN


def appliers(connection: str) -> dict[Entity, tuple[Applier, ...]]:
    """Who takes what one connection sends. Customer numbers mean something only within it."""
    return {
        Entity.CUSTOMER: (partial(customers.apply_customers, connection=connection),),
        Entity.ITEM: (
            catalog.apply_items,
            partial(customers.apply_customer_parts, connection=connection),
        ),
        Entity.BOM: (catalog.apply_boms,),
        Entity.WORK_CENTER: (catalog.apply_work_centers,),
        Entity.PRICE: (catalog.apply_prices,),
        Entity.STOCK: (supply.apply_stock,),
        Entity.SALES_ORDER: (
            lambda work, records: orders.apply_sales_orders(
                work, records, promises=fulfillment.Promises(work), connection=connection
            ),
        ),
        Entity.PURCHASE_ORDER: (supply.apply_purchase_orders,),
        Entity.WORK_ORDER: (supply.apply_work_orders,),
        Entity.SHIPMENT: (partial(supply.apply_shipments, connection=connection),),
        Entity.INVOICE: (partial(supply.apply_invoices, connection=connection),),
    }


def _ids(
    number: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    key: InstrumentedAttribute[int],
    *where: sa.ColumnElement[bool],
) -> Identify:
    """Our ids by the column that holds the ERP's number."""

    def identify(work: Work, erp_ids: Sequence[str]) -> Mapping[str, int]:
        rows = work.session.execute(sa.select(number, key).where(number.in_(erp_ids), *where))
        return {no: our_id for no, our_id in rows if no}

    return identify


def identify(connection: str) -> dict[Entity, Identify]:
    """Our ids of what one connection sent."""
    return {
        Entity.CUSTOMER: lambda work, erp_ids: {
            no: row.account_id for no, row in erp_customers(work, connection, erp_ids).items()
        },
        Entity.ITEM: _ids(Item.no, Item.id),
        Entity.SALES_ORDER: _ids(Order.erp_no, Order.id, Order.erp_connection == connection),
        Entity.WORK_ORDER: _ids(WorkOrder.no, WorkOrder.id),
        Entity.SHIPMENT: _ids(Shipment.no, Shipment.id),
        Entity.INVOICE: _ids(Invoice.no, Invoice.id),
    }


APPLIERS, IDENTIFY = appliers(MAIN), identify(MAIN)
"""Those of the first connection."""
