"""The fulfilment board: what will be late, why, what it is worth, and what to do next.

Every filter is in the URL. Figures come from the stored projections; nothing is computed here
but sums. What-if scenarios are not part of this page.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.fulfillment.planning.explain import CAUSE_WORDS
from b2bcrm.fulfillment.planning.progress import word_of
from b2bcrm.fulfillment.queries import board, performance
from b2bcrm.fulfillment.queries.board import BoardFilter, BoardRow
from b2bcrm.fulfillment.queries.choices import Choices, choices
from b2bcrm.fulfillment.queries.load import LoadWeek, center, load
from b2bcrm.fulfillment.queries.shortages import short_parts
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import Status
from b2bcrm.web.export import Column, export
from b2bcrm.web.live import version_response
from b2bcrm.web.locale import current_locale, say
from b2bcrm.web.paging import Asked, Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_fulfillment", __name__, template_folder="templates")

HORIZONS = ("4", "12", "26")
FILTERS = ("site", "family", "weeks", "cause", "week", "center", "parts")
OTIF_TARGET = 95  # percent; the house's goal, shown beside the figure
FEW_PARTS, ALL_PARTS = 6, 200
CAUSE_ICONS = {
    "material": "packages",
    "capacity": "gauge",
    "quality": "shield-exclamation",
    "credit": "credit-card",
    "customer": "user-question",
    "shipping": "truck",
    "data": "database",
}
COLUMNS: tuple[Column[BoardRow], ...] = (
    Column(Message("Order"), lambda r: r.no),
    Column(Message("Customer"), lambda r: r.account),
    Column(Message("Country"), lambda r: r.country),
    Column(Message("Class"), lambda r: r.customer_class),
    Column(Message("Status"), lambda r: r.reason),
    Column(Message("Line"), lambda r: r.line_no),
    Column(Message("Stage"), lambda r: r.stage_word),
    Column(Message("Promised"), lambda r: r.promised_on),
    Column(Message("Projected"), lambda r: r.projected_on),
    Column(Message("Working days late"), lambda r: -r.days if r.days and r.days < 0 else None),
    Column(Message("Open value"), lambda r: r.value),
    Column(Message("Currency"), lambda r: r.currency),
    Column(Message("Open value in base currency"), lambda r: r.open_base),
    Column(Message("Base currency"), lambda r: r.base_currency),
    Column(Message("Cause"), lambda r: CAUSE_WORDS.get(r.cause_kind)),
    Column(Message("Why"), lambda r: r.cause),
    Column(Message("Next step"), lambda r: r.next_step),
)


def _filter(wish: Asked) -> BoardFilter:
    site, weeks = wish.get("site"), wish.get("weeks")
    try:
        week = dt.date.fromisoformat(wish.get("week"))
    except ValueError:
        week = None
    return BoardFilter(
        site_id=int(site) if site.isascii() and site.isdigit() and len(site) < 10 else None,  # noqa: PLR2004 - digits of an id
        family=wish.get("family"),
        weeks=int(weeks) if weeks in HORIZONS else 12,
        cause=wish.get("cause") if wish.get("cause") in CAUSE_WORDS else "",
        week=board.monday(week) if week else None,
    )


@bp.get("/fulfillment")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue | After:
    """The board, or its orders as a download."""
    wish = asked(sorts=tuple(board.SORTS), default="rank", filters=FILTERS)
    found = _filter(wish)
    rows, total = board.rows(
        work,
        found,
        sort=wish.sort,
        descending=wish.descending,
        offset=wish.offset,
        limit=wish.limit,
    )
    if wish.format:
        return export(rows, COLUMNS, wish.format, "fulfilment")
    totals = board.totals(work, found)
    offered = choices(work)
    where = center(work, code=wish.get("center"), site_code=offered.site_code(found.site_id))
    weeks = load(work, where, min(found.weeks, 12)) if where else []
    limit = ALL_PARTS if wish.get("parts") else FEW_PARTS
    parts, part_count, held_up = short_parts(work, found, limit=limit)
    return render_template(
        "desk/fulfillment.html",
        asked=wish,
        found=found,
        listing=Listing(rows, total, wish),
        totals=totals,
        otif=performance.otif(work, found),
        otif_target=OTIF_TARGET,
        heat=board.heat(work, found),
        choices=offered,
        family_name=lambda code: offered.family_name(code, current_locale()),
        causes=board.causes_in_order(tuple(CAUSE_WORDS), totals.causes),
        cause_words=CAUSE_WORDS,
        cause_icons=CAUSE_ICONS,
        center=where,
        center_name=say(word_of(where.name)) if where else "",
        centers=_centers(offered, found.site_id),
        weeks=weeks,
        chart=_chart(weeks),
        peak=max(weeks, key=lambda week: week.over, default=None),
        parts=parts,
        part_count=part_count,
        held_up=held_up,
        may_change=work.actor.may(Right.CHANGE_PROMISE),
        statuses=Status,
    )


@bp.get("/fulfillment/version")
@in_work(read_only=True)
def version(work: Work) -> Response:
    """Grows with each projection that changed."""
    return version_response(work, "board")


def _centers(offered: Choices, site_id: int | None) -> list[tuple[str, str]]:
    code = offered.site_code(site_id)
    return [
        (key, say(word_of(name))) for key, name, site in offered.centers if not code or site == code
    ]


def _chart(weeks: list[LoadWeek]) -> dict[str, Any] | None:
    """Load that fits, load that does not, and capacity as a line; None without any load."""
    if not any(week.load for week in weeks):
        return None

    def hours(value: Decimal) -> float:
        return float(round(value))

    series: list[dict[str, Any]] = [
        {
            "name": say(Message("Open operations")),
            "kind": "bar",
            "stack": "h",
            "color": "data-2",
            "data": [hours(week.within) for week in weeks],
        },
        {
            "name": say(Message("Over capacity")),
            "kind": "bar",
            "stack": "h",
            "color": "late",
            "data": [hours(week.over) for week in weeks],
        },
        {
            "name": say(Message("Capacity")),
            "kind": "step",
            "color": "ink",
            "data": [hours(week.capacity) for week in weeks],
        },
    ]
    return {
        "categories": [f"W{week.week.isocalendar().week}" for week in weeks],
        "series": series,
    }
