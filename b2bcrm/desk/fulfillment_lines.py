"""The order lines behind a figure of the board: where its cells and shares lead."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.catalog.queries import family_names
from b2bcrm.desk.fulfillment import site_of, week_of
from b2bcrm.fulfillment.queries.behind import Behind, BehindLine, Missed, lines_behind
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.web.export import Column, export
from b2bcrm.web.locale import current_locale
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_fulfillment_lines", __name__, template_folder="templates")

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
)
TITLES = {
    Missed.PAST: Message("Not on time in the last 4 weeks"),
    Missed.NEXT: Message("Not on time in the next 4 weeks, as projected"),
}


@bp.get("/fulfillment/lines")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue | After:
    """Lines promised in a week, or not on time, with their dates; also as a download."""
    wish = asked(
        sorts=("promised",), default="promised", filters=("site", "family", "week", "otif")
    )
    missed = next((one for one in Missed if one == wish.get("otif")), None)
    wanted = Behind(
        site_id=site_of(wish), family=wish.get("family"), week=week_of(wish), missed=missed
    )
    rows, total = lines_behind(work, wanted, offset=wish.offset, limit=wish.limit)
    if wish.format:
        return export(rows, COLUMNS, wish.format, "lines")
    family = family_names(work.session).get(wanted.family) if wanted.family else None
    return render_template(
        "desk/fulfillment_lines.html",
        listing=Listing(rows, total, wish),
        title=TITLES[missed] if missed else Message("Open lines"),
        family=family.name_in(current_locale()) if family else wanted.family,
        week=None if missed else wanted.week,
    )
