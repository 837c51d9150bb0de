"""What each act on an inquiry or a quote does. ``closing.accept`` is where an order is born."""

from __future__ import annotations

from b2bcrm.quotes.actions.closing import accept, decline, expire, mark_lost, mark_opened
from b2bcrm.quotes.actions.drafting import new_quote, quote_from_inquiry, reoffer, revise
from b2bcrm.quotes.actions.editing import (
    PastedRow,
    add_line,
    paste_lines,
    refresh,
    remove_line,
    set_line,
    set_terms,
)
from b2bcrm.quotes.actions.inquiring import (
    Wish,
    create_inquiry,
    decline_inquiry,
)
from b2bcrm.quotes.actions.sending import objections_to, send

__all__ = [
    "PastedRow",
    "Wish",
    "accept",
    "add_line",
    "create_inquiry",
    "decline",
    "decline_inquiry",
    "expire",
    "mark_lost",
    "mark_opened",
    "new_quote",
    "objections_to",
    "paste_lines",
    "quote_from_inquiry",
    "refresh",
    "remove_line",
    "reoffer",
    "revise",
    "send",
    "set_line",
    "set_terms",
]
