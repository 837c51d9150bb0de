"""The order list: every filter, sort and page is in the URL, so a link is a saved filter."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.desk import order_rows
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Origin
from b2bcrm.web.export import Column, export
from b2bcrm.web.locale import say
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("order_list", __name__, template_folder="templates")

ORIGIN_WORDS = {
    Origin.QUOTE: Message("From a quote"),
    Origin.ERP: Message("From the ERP"),
    Origin.STAFF: Message("Entered by staff"),
}
# Saved filters: a name and what it puts into the URL.
SAVED: tuple[tuple[Message, dict[str, str]], ...] = (
    (Message("My late orders"), {"mine": "1", "show": "late"}),
    (Message("To be confirmed"), {"focus": "confirm"}),
    (Message("On hold"), {"focus": "hold"}),
    (Message("Not in the ERP yet"), {"focus": "erp"}),
)
COLUMNS: tuple[Column[order_rows.OrderRow], ...] = (
    Column(Message("Order"), lambda r: r.no),
    Column(Message("Customer"), lambda r: r.account),
    Column(Message("Country"), lambda r: r.country),
    Column(Message("Customer PO"), lambda r: r.customer_po),
    Column(Message("Origin"), lambda r: ORIGIN_WORDS[r.origin]),
    Column(Message("Ordered"), lambda r: r.ordered_on),
    Column(Message("Requested"), lambda r: r.requested_on),
    Column(Message("Promised"), lambda r: r.promised_on),
    Column(Message("Projected"), lambda r: r.projected_on),
    Column(Message("Stage"), lambda r: r.stage_word),
    Column(Message("Status"), lambda r: r.chip[1]),
    Column(Message("Value"), lambda r: r.value),
    Column(Message("Currency"), lambda r: r.currency),
    Column(Message("Value in base currency"), lambda r: r.base_value),
    Column(Message("Base currency"), lambda r: r.base_currency),
    Column(Message("Cause"), lambda r: r.cause),
    Column(Message("Next step"), lambda r: r.next_step),
    Column(Message("ERP number"), lambda r: r.erp_no),
)


@bp.get("/orders")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue | After:
    """The list, or its download."""
    wish = asked(sorts=tuple(order_rows.SORTS), default="promised", filters=order_rows.FILTERS)
    found = order_rows.rows(
        work,
        wish.filters,
        sort=wish.sort,
        descending=wish.descending,
        offset=wish.offset,
        limit=wish.limit,
        full=bool(wish.format),
    )
    if wish.format:
        return export(found, COLUMNS, wish.format, "orders")
    counts = order_rows.counts(work, wish.filters)
    choices = order_rows.choices(work, wish.get("account"))
    return render_template(
        "desk/orders.html",
        listing=Listing(found, counts.shown, wish),
        asked=wish,
        counts=counts,
        choices=choices,
        country_pairs=[(country, country) for country in choices.countries],
        family_pairs=[(family, family) for family in choices.families],
        origin_pairs=[(origin.value, say(word)) for origin, word in ORIGIN_WORDS.items()],
        saved=[(name, f"{wish.path}?{urlencode(query)}", query) for name, query in SAVED],
    )
