"""What each act on an order does. ``life.py`` holds the acts of the life itself: read it next."""

from __future__ import annotations

from b2bcrm.orders.actions.amend import amend_line, hold, link_customer_po, release, repromise
from b2bcrm.orders.actions.correcting import correct
from b2bcrm.orders.actions.deciding import keep_ours, leave_both, take_theirs
from b2bcrm.orders.actions.erp import (
    accepted_by_erp,
    confirmed_later,
    it_is_not_there,
    it_is_there,
    known_to_erp,
    leave_out,
    not_taken_by_erp,
    resume,
    send_again,
    unknown_to_erp,
)
from b2bcrm.orders.actions.life import (
    cancel,
    close_if_done,
    confirm,
    confirm_by_rule,
    reopen_if_undone,
    submit,
)
from b2bcrm.orders.actions.opening import OrderDraft, OrderDraftLine, open_order
from b2bcrm.orders.actions.policies import set_policy
from b2bcrm.orders.actions.quantities import LineQuantities, record_quantities
from b2bcrm.orders.actions.short import close_rest, open_rest
from b2bcrm.orders.queries import PUSH

__all__ = [
    "PUSH",
    "LineQuantities",
    "OrderDraft",
    "OrderDraftLine",
    "accepted_by_erp",
    "amend_line",
    "cancel",
    "close_if_done",
    "close_rest",
    "confirm",
    "confirm_by_rule",
    "confirmed_later",
    "correct",
    "hold",
    "it_is_not_there",
    "it_is_there",
    "keep_ours",
    "known_to_erp",
    "leave_both",
    "leave_out",
    "link_customer_po",
    "not_taken_by_erp",
    "open_order",
    "open_rest",
    "record_quantities",
    "release",
    "reopen_if_undone",
    "repromise",
    "resume",
    "send_again",
    "set_policy",
    "submit",
    "take_theirs",
    "unknown_to_erp",
]
