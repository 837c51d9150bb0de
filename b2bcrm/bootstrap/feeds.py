"""Who takes what the ERP sends: entity -> the features' intakes, in order."""

from __future__ import annotations

from b2bcrm.catalog import intake as catalog
from b2bcrm.customers import intake as customers
from b2bcrm.fulfillment import actions as fulfillment
from b2bcrm.fulfillment import intake as supply
from b2bcrm.orders import intake as orders
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.appliers import Applier

APPLIERS: dict[Entity, tuple[Applier, ...]] = {
    Entity.CUSTOMER: (customers.apply_customers,),
    Entity.ITEM: (catalog.apply_items, customers.apply_customer_parts),
    Entity.BOM: (catalog.apply_boms,),
    Entity.WORK_CENTER: (catalog.apply_work_centers,),
    Entity.PRICE: (catalog.apply_prices,),
    Entity.STOCK: (supply.apply_stock,),
    Entity.SALES_ORDER: (
        lambda work, records: orders.apply_sales_orders(
            work, records, promises=fulfillment.Promises(work)
        ),
    ),
    Entity.PURCHASE_ORDER: (supply.apply_purchase_orders,),
    Entity.WORK_ORDER: (supply.apply_work_orders,),
    Entity.SHIPMENT: (supply.apply_shipments,),
    Entity.INVOICE: (supply.apply_invoices,),
}
