"""One function per act on a case, and the two jobs that run by the clock."""

from __future__ import annotations

from b2bcrm.service.actions.conversation import answer, ask_customer, customer_writes, note
from b2bcrm.service.actions.opening import hand_over, open_case, take
from b2bcrm.service.actions.outcome import check_clocks, close, close_solved, reopen, solve

__all__ = [
    "answer",
    "ask_customer",
    "check_clocks",
    "close",
    "close_solved",
    "customer_writes",
    "hand_over",
    "note",
    "open_case",
    "reopen",
    "solve",
    "take",
]
