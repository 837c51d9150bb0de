"""Every SELECT on inquiries and quotes. A buyer sees his account's only, and never a draft."""

from __future__ import annotations

from b2bcrm.quotes.queries.content import content_of, sealed_content
from b2bcrm.quotes.queries.facts import Facts, facts_of, ladders_of, rates
from b2bcrm.quotes.queries.inquiries import (
    InquiryRow,
    inquiry_by_id,
    inquiry_by_no,
    inquiry_list,
    inquiry_visible_to,
    open_wishes,
    quote_of_inquiry,
)
from b2bcrm.quotes.queries.lists import QuoteRow, counts_by_state, quote_list
from b2bcrm.quotes.queries.opened import Opened, People, opened, people_of
from b2bcrm.quotes.queries.quotes import (
    Change,
    Paid,
    by_id,
    changes,
    current_of,
    due_to_expire,
    paid_before,
    revisions_of,
    visible_to,
)

__all__ = [
    "Change",
    "Facts",
    "InquiryRow",
    "Opened",
    "Paid",
    "People",
    "QuoteRow",
    "by_id",
    "changes",
    "content_of",
    "counts_by_state",
    "current_of",
    "due_to_expire",
    "facts_of",
    "inquiry_by_id",
    "inquiry_by_no",
    "inquiry_list",
    "inquiry_visible_to",
    "ladders_of",
    "open_wishes",
    "opened",
    "paid_before",
    "people_of",
    "quote_list",
    "quote_of_inquiry",
    "rates",
    "revisions_of",
    "sealed_content",
    "visible_to",
]
