"""The order lines behind a figure of the board: where its cells and shares lead."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.catalog.queries import family_names
from b2bcrm.desk.fulfillment import period_of, site_of, week_of
from b2bcrm.desk.lost_days import in_words, lost_of
from b2bcrm.fulfillment.planning.figures import Period
from b2bcrm.fulfillment.planning.lateness import SHARE_WORDS
from b2bcrm.fulfillment.queries.behind import Behind, BehindLine, Missed, lines_behind
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.web.export import Column, export
from b2bcrm.web.locale import current_locale
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_fulfillment_lines", __name__, template_folder="templates")


def _days_at(kind: str, row: BehindLine) -> int | None:
    return row.days(kind) or None


COLUMNS: tuple[Column[BehindLine], ...] = (
    Column(Message("Order"), lambda r: r.no),
    Column(Message("Line"), lambda r: r.line_no),
    Column(Message("Customer"), lambda r: r.account),
    Column(Message("Item"), lambda r: r.item_no),
    Column(Message("Item name"), lambda r: r.item_name),
    Column(Message("Qty"), lambda r: r.ordered),
    Column(Message("Delivered"), lambda r: r.delivered),
    Column(Message("First promised"), lambda r: r.first_promised_on),
    Column(Message("Promised"), lambda r: r.promised_on),
    Column(Message("Projected"), lambda r: r.projected_on),
    Column(Message("Status"), lambda r: r.reason),
    Column(Message("Came on"), lambda r: r.came_on),
    Column(Message("Working days after the first promise"), lambda r: r.days() or None),
    Column(Message("Where they were lost"), lambda r: in_words(lost_of(r.lost))),
    *(
        Column[BehindLine](Message("Days lost: %(where)s", where=word), partial(_days_at, kind))
        for kind, word in SHARE_WORDS.items()
    ),
)
TITLES = {
    Missed.PAST: Message("Not on time in the last 4 weeks"),
    Missed.NEXT: Message("Not on time in the next 4 weeks, as projected"),
    Period.COMING: Message("Lines that come after their first promise"),
    Period.MONTH: Message("Lines that came late in the last 4 weeks"),
    Period.YEAR: Message("Lines that came late in the last 12 months"),
}


@bp.get("/fulfillment/lines")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue | After:
    """Lines promised in a week, not on time, or with days lost; also as a download."""
    filters = ("site", "family", "week", "otif", "lost", "kind")
    wish = asked(sorts=("promised",), default="promised", filters=filters)
    missed = next((one for one in Missed if one == wish.get("otif")), None)
    period = period_of(wish)
    shown = missed or period
    wanted = Behind(
        site_id=site_of(wish),
        family=wish.get("family"),
        week=week_of(wish),
        missed=missed,
        period=period,
        kind=wish.get("kind") if wish.get("kind") in SHARE_WORDS else "",
    )
    rows, total = lines_behind(work, wanted, offset=wish.offset, limit=wish.limit)
    if wish.format:
        return export(rows, COLUMNS, wish.format, "lines")
    family = family_names(work.session).get(wanted.family) if wanted.family else None
    return render_template(
        "desk/fulfillment_lines.html",
        listing=Listing(rows, total, wish),
        title=TITLES[shown] if shown else Message("Open lines"),
        period=period,
        place=SHARE_WORDS.get(wanted.kind),
        lost_of=lost_of,
        family=family.name_in(current_locale()) if family else wanted.family,
        week=None if shown else wanted.week,
    )
