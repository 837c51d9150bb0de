"""What people and jobs do with promises, projections, figures and deliveries."""

from __future__ import annotations

from b2bcrm.fulfillment.actions.approvals import ask_for_approval, decide_request, waiting_request
from b2bcrm.fulfillment.actions.care import take_care
from b2bcrm.fulfillment.actions.figures import keep_figures, sum_figures
from b2bcrm.fulfillment.actions.firming import firm_supply, free_supplies, may_firm, release_peg
from b2bcrm.fulfillment.actions.mornings import morning_due, send_morning
from b2bcrm.fulfillment.actions.notices import answer_notice, settle_notice
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
    asks_customer,
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
    "answer_notice",
    "ask_for_approval",
    "asks_customer",
    "change_promise",
    "confirm_receipt",
    "decide_request",
    "firm_supply",
    "free_supplies",
    "keep_figures",
    "keep_learned",
    "learn",
    "mark_open_stale",
    "mark_stale",
    "may_firm",
    "morning_due",
    "needs_approval",
    "not_firm",
    "project",
    "project_all",
    "project_due",
    "projections_due",
    "read_promises",
    "release_peg",
    "send_morning",
    "settle_notice",
    "sum_figures",
    "take_care",
    "waiting_request",
]
