"""What each act on an order does. ``life.py`` holds the acts of the life itself: read it next."""

from __future__ import annotations

from b2bcrm.orders.actions.amend import amend_line, hold, link_customer_po, release, repromise
from b2bcrm.orders.actions.deciding import keep_ours, leave_both, take_theirs
from b2bcrm.orders.actions.erp import (
    accepted_by_erp,
    confirmed_later,
    it_is_not_there,
    it_is_there,
    known_to_erp,
    leave_out,
    not_taken_by_erp,
    send_again,
    unknown_to_erp,
)
from b2bcrm.orders.actions.life import PUSH, cancel, close, confirm, confirm_by_rule, submit
from b2bcrm.orders.actions.opening import OrderDraft, OrderDraftLine, open_order
from b2bcrm.orders.actions.quantities import LineQuantities, record_quantities

__all__ = [
    "PUSH",
    "LineQuantities",
    "OrderDraft",
    "OrderDraftLine",
    "accepted_by_erp",
    "amend_line",
    "cancel",
    "close",
    "confirm",
    "confirm_by_rule",
    "confirmed_later",
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
    "record_quantities",
    "release",
    "repromise",
    "send_again",
    "submit",
    "take_theirs",
    "unknown_to_erp",
]
