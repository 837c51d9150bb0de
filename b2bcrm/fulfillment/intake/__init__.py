"""The ERP's stock, purchases, work orders, shipments and invoices become our read copy.

Each applier takes a page of records, looks everything up once, writes only what differs, adds up
exact quantities, and computes the touched orders anew (a few at once, the rest by the job).
"""

from __future__ import annotations

from b2bcrm.fulfillment.intake.deliveries import apply_invoices, apply_shipments
from b2bcrm.fulfillment.intake.supply import (
    apply_purchase_orders,
    apply_stock,
    apply_work_orders,
)

__all__ = [
    "apply_invoices",
    "apply_purchase_orders",
    "apply_shipments",
    "apply_stock",
    "apply_work_orders",
]
