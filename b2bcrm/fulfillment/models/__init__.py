"""All that fulfillment keeps: supply, plans, promises, shipments, figures, sureness, scenarios,
mornings, prices, notices, and what planners settle.
"""

from __future__ import annotations

from b2bcrm.fulfillment.models.allocations import AllocationRule
from b2bcrm.fulfillment.models.boards import BoardMorning, BoardView
from b2bcrm.fulfillment.models.care import FirmPeg, OrderCare
from b2bcrm.fulfillment.models.figures import FigureRun, FigureSheet
from b2bcrm.fulfillment.models.notices import PromiseNotice
from b2bcrm.fulfillment.models.plans import PlanRun
from b2bcrm.fulfillment.models.prices import MeasurePrice
from b2bcrm.fulfillment.models.promises import (
    Hold,
    HoldLine,
    LineProjection,
    OrderProjection,
    Promise,
    PromiseGate,
    PromiseRequest,
    RequestState,
    Reservation,
    ShortPart,
)
from b2bcrm.fulfillment.models.scenarios import (
    Proposal,
    ProposalNotice,
    ProposalTask,
    Scenario,
    TaskState,
)
from b2bcrm.fulfillment.models.supply import (
    OPEN_WORK,
    WAITING_WORK,
    Invoice,
    Operation,
    PurchaseLine,
    Shipment,
    ShipmentLine,
    Stock,
    WorkOrder,
)
from b2bcrm.fulfillment.models.sureness import SurenessCurve, SurenessRun, SurenessWay

__all__ = [
    "OPEN_WORK",
    "WAITING_WORK",
    "AllocationRule",
    "BoardMorning",
    "BoardView",
    "FigureRun",
    "FigureSheet",
    "FirmPeg",
    "Hold",
    "HoldLine",
    "Invoice",
    "LineProjection",
    "MeasurePrice",
    "Operation",
    "OrderCare",
    "OrderProjection",
    "PlanRun",
    "Promise",
    "PromiseGate",
    "PromiseNotice",
    "PromiseRequest",
    "Proposal",
    "ProposalNotice",
    "ProposalTask",
    "PurchaseLine",
    "RequestState",
    "Reservation",
    "Scenario",
    "Shipment",
    "ShipmentLine",
    "ShortPart",
    "Stock",
    "SurenessCurve",
    "SurenessRun",
    "SurenessWay",
    "TaskState",
    "WorkOrder",
]
