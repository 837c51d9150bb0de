"""What people and jobs do with promises, projections, figures and deliveries."""

from __future__ import annotations

from b2bcrm.fulfillment.actions.approvals import ask_for_approval, decide_request
from b2bcrm.fulfillment.actions.figures import keep_figures, sum_figures
from b2bcrm.fulfillment.actions.projecting import (
    mark_open_stale,
    mark_stale,
    project,
    project_all,
    project_due,
    projections_due,
)
from b2bcrm.fulfillment.actions.promises import (
    REASONS,
    change_promise,
    needs_approval,
    not_firm,
)
from b2bcrm.fulfillment.actions.promising import Promises
from b2bcrm.fulfillment.actions.receive import confirm_receipt
from b2bcrm.fulfillment.actions.sureness import keep_learned, learn, read_promises

__all__ = [
    "REASONS",
    "Promises",
    "ask_for_approval",
    "change_promise",
    "confirm_receipt",
    "decide_request",
    "keep_figures",
    "keep_learned",
    "learn",
    "mark_open_stale",
    "mark_stale",
    "needs_approval",
    "not_firm",
    "project",
    "project_all",
    "project_due",
    "projections_due",
    "read_promises",
    "sum_figures",
]
