"""The fulfilment board: what will be late, why, what it is worth, and what to do next.

Every filter is in the URL. Orders come from the stored projections, figures from their stored
sums; nothing is computed here. The what-if panel fetches itself.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.desk.lost_days import lost_rows
from b2bcrm.documents.mornings import morning_file_name, morning_pdf
from b2bcrm.documents.papers import PDF
from b2bcrm.fulfillment.planning.explain import CAUSE_WORDS
from b2bcrm.fulfillment.planning.figures import Heat, HeatCell, LoadWeek, Period, Totals, monday
from b2bcrm.fulfillment.planning.progress import word_of
from b2bcrm.fulfillment.queries import board
from b2bcrm.fulfillment.queries.board import BoardFilter, BoardRow
from b2bcrm.fulfillment.queries.choices import Choices, choices
from b2bcrm.fulfillment.queries.figures import figures
from b2bcrm.fulfillment.queries.mornings import morning
from b2bcrm.fulfillment.queries.plans import plan_state
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.web.export import Column, export
from b2bcrm.web.files import send_content
from b2bcrm.web.live import version_response
from b2bcrm.web.locale import current_locale, say
from b2bcrm.web.paging import Asked, Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_fulfillment", __name__, template_folder="templates")

HORIZONS = ("4", "12", "26")
FILTERS = ("site", "family", "weeks", "cause", "status", "week", "center", "parts", "panel", "lost")
PASSING = ("week", "panel")  # a view keeps no week, which passes, and no open panel
STATUSES = {status.value: status for status in board.TROUBLED}
OTIF_TARGET = 95  # percent; the house's goal, shown beside the figure
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
    Column(Message("Cause"), lambda r: r.cause_word),
    Column(Message("Why"), lambda r: r.cause),
    Column(Message("Next step"), lambda r: r.next_step),
    Column(Message("In charge"), lambda r: r.in_charge),
)


def site_of(wish: Asked) -> int | None:
    """The plant that is asked for."""
    site = wish.get("site")
    is_id = site.isascii() and site.isdigit() and len(site) < 10  # noqa: PLR2004 - digits of an id
    return (int(site) or None) if is_id else None


def week_of(wish: Asked) -> dt.date | None:
    """The Monday of the week that is asked for."""
    try:
        return monday(dt.date.fromisoformat(wish.get("week")))
    except ValueError:
        return None


def period_of(wish: Asked) -> Period | None:
    """The period of lost days that is asked for."""
    return next((one for one in Period if one == wish.get("lost")), None)


def _filter(wish: Asked) -> BoardFilter:
    weeks = wish.get("weeks")
    return BoardFilter(
        site_id=site_of(wish),
        family=wish.get("family"),
        weeks=int(weeks) if weeks in HORIZONS else 12,
        cause=wish.get("cause") if wish.get("cause") in CAUSE_WORDS else "",
        status=STATUSES.get(wish.get("status")),
        week=week_of(wish),
    )


@bp.get("/fulfillment")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue | After:
    """The board, or its orders as a download."""
    offered = choices(work)  # first: what changes from here on is fetched anew
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
    period = period_of(wish) or Period.COMING
    sums = figures(
        work,
        found,
        center=wish.get("center"),
        all_parts=bool(wish.get("parts")),
        period=period,
    )
    families = _families(offered, sums.heat, found.family)
    centers = _centers(offered, found.site_id)
    return render_template(
        "desk/fulfillment.html",
        seen=offered.seen,
        asked=wish,
        found=found,
        listing=Listing(rows, total, wish),
        **vars(sums) | {"lost": lost_rows(sums.lost)},
        period=period,
        otif_target=OTIF_TARGET,
        sites=tuple((key, name) for key, _code, name in offered.sites),
        families=families,
        heat_rows=_heat_rows(sums.heat, families),
        causes=_causes(sums.totals),
        load=LoadChart(dict(centers).get(sums.center, ""), tuple(sums.weeks)),
        centers=centers,
        views=tuple(offered.views),
        view_query=_kept(wish),
        may_change=work.actor.may(Right.CHANGE_PROMISE),
        plan=plan_state(work),
    )


@bp.get("/fulfillment/morning.pdf")
@in_work(read_only=True)
def morning_report(work: Work) -> After:
    """The morning report as of now, in the reader's language."""
    content = morning(work, current_locale(), request.url_root.rstrip("/"))
    if content is None:
        raise not_found(Message("The morning report"))
    name = morning_file_name(content)
    return After(lambda: send_content(morning_pdf(content), name, PDF, inline=True))


@bp.get("/fulfillment/version")
@in_work(read_only=True)
def version(work: Work) -> Response:
    """Grows with each projection or figure that changed."""
    return version_response(work, "board")


def _kept(wish: Asked) -> str:
    """What a view would keep of the address."""
    kept = {name: value for name, value in wish.filters.items() if name not in PASSING}
    return urlsplit(replace(wish, filters=kept).url()).query


def _centers(offered: Choices, site_id: int | None) -> tuple[tuple[str, str], ...]:
    code = offered.site_code(site_id)
    return tuple(
        (key, say(word_of(name))) for key, name, site in offered.centers if not code or site == code
    )


def _causes(totals: Totals) -> tuple[tuple[str, Message, int], ...]:
    """The causes that occur, their words, and how many orders have them, in the usual order."""
    found = totals.causes
    return tuple((kind, word, found[kind]) for kind, word in CAUSE_WORDS.items() if found.get(kind))


def _families(offered: Choices, heat: Heat, chosen: str) -> tuple[tuple[str, str], ...]:
    """The families in use, and the one that is asked for in any case, with their names."""
    codes = heat.families
    if chosen and chosen not in codes:
        codes = [*codes, chosen]
    return tuple((code, offered.family_name(code, current_locale())) for code in codes)


def _heat_rows(
    heat: Heat, families: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str, tuple[HeatCell | None, ...]], ...]:
    """A family's code, its name, and its cell of each week; a piece of the page needs tuples."""
    in_use = set(heat.families)
    return tuple(
        (code, name, tuple(heat.cells.get((code, week)) for week in heat.weeks))
        for code, name in families
        if code in in_use
    )


class LoadChart(NamedTuple):
    """The name of the work centre shown and its coming weeks; no weeks: there is none."""

    center: str
    weeks: tuple[LoadWeek, ...]

    @property
    def has_load(self) -> bool:
        """Whether there is anything to draw."""
        return any(week.load for week in self.weeks)

    @property
    def peak(self) -> LoadWeek:
        """The week that is most over capacity."""
        return max(self.weeks, key=lambda week: week.over)

    @property
    def spec(self) -> dict[str, Any]:
        """Load that fits, load that does not, and capacity as a line."""
        series: list[dict[str, Any]] = [
            {
                "name": say(Message("Open operations")),
                "kind": "bar",
                "stack": "h",
                "color": "data-2",
                "data": [_hours(week.within) for week in self.weeks],
            },
            {
                "name": say(Message("Over capacity")),
                "kind": "bar",
                "stack": "h",
                "color": "late",
                "data": [_hours(week.over) for week in self.weeks],
            },
            {
                "name": say(Message("Capacity")),
                "kind": "step",
                "color": "ink",
                "data": [_hours(week.capacity) for week in self.weeks],
            },
        ]
        return {
            "categories": [f"W{week.week.isocalendar().week}" for week in self.weeks],
            "series": series,
        }


def _hours(value: Decimal) -> float:
    return float(round(value))
