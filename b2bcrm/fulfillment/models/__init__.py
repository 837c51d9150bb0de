"""Everything fulfillment keeps, by import: supply, plans, promises, shipments, figures."""

from __future__ import annotations

from b2bcrm.fulfillment.models.figures import FigureRun, FigureSheet
from b2bcrm.fulfillment.models.plans import PlanRun
from b2bcrm.fulfillment.models.promises import (
    Hold,
    HoldLine,
    LineProjection,
    OrderProjection,
    Promise,
    PromiseGate,
    Reservation,
    ShortPart,
)
from b2bcrm.fulfillment.models.supply import (
    Invoice,
    Operation,
    PurchaseLine,
    Shipment,
    ShipmentLine,
    Stock,
    WorkOrder,
)

__all__ = [
    "FigureRun",
    "FigureSheet",
    "Hold",
    "HoldLine",
    "Invoice",
    "LineProjection",
    "Operation",
    "OrderProjection",
    "PlanRun",
    "Promise",
    "PromiseGate",
    "PurchaseLine",
    "Reservation",
    "Shipment",
    "ShipmentLine",
    "ShortPart",
    "Stock",
    "WorkOrder",
]
