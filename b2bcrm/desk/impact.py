"""What rests on a purchase order, work order, work centre or item: lines, customers, value."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.desk import links
from b2bcrm.fulfillment.actions.impact import ForwardImpact, Resting, Thing, impact
from b2bcrm.fulfillment.planning.progress import word_of
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import Status
from b2bcrm.web.export import Column, export
from b2bcrm.web.locale import say
from b2bcrm.web.paging import asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_impact", __name__, template_folder="templates")

THINGS = {
    Thing.PURCHASE: Message("Purchase order"),
    Thing.WORK: Message("Work order"),
    Thing.CENTER: Message("Work centre"),
    Thing.ITEM: Message("Item"),
}
COLUMNS: tuple[Column[Resting], ...] = (
    Column(Message("Order"), lambda r: r.line.no),
    Column(Message("Line"), lambda r: r.line.line_no),
    Column(Message("Customer"), lambda r: r.line.account),
    Column(Message("Class"), lambda r: r.line.customer_class),
    Column(Message("Item"), lambda r: r.line.item_no),
    Column(Message("Open quantity"), lambda r: r.line.qty),
    Column(Message("Promised"), lambda r: r.line.promised_on),
    Column(Message("Projected"), lambda r: r.line.projected_on),
    Column(Message("May slip, working days"), lambda r: r.slack),
    Column(Message("Open value in base currency"), lambda r: r.line.value),
    Column(Message("Base currency"), lambda r: r.line.currency),
)


@bp.get("/fulfillment/impact")
@in_work(read_only=True)
def page(work: Work) -> ResponseReturnValue | After:
    """The lines that rest on ``kind`` and ``no``; only the question where nothing is asked."""
    wish = asked(sorts=("promised",), default="promised", filters=("kind", "no"))
    kinds = tuple((kind.value, say(word)) for kind, word in THINGS.items())
    no = wish.get("no").strip()
    kind = Thing(wish.get("kind")) if wish.get("kind") in set(Thing) else Thing.PURCHASE
    found: ForwardImpact | None = impact(work, kind, no) if no else None
    if found is not None and wish.format:
        return export(found.lines, COLUMNS, wish.format, "impact")
    late = [one for one in found.lines if one.line.status is Status.LATE] if found else []
    return render_template(
        "desk/impact.html",
        asked=wish,
        kind=kind,
        no=no,
        kinds=kinds,
        word=THINGS[found.subject.kind if found else kind],
        found=found,
        late=len(late),
        name=say(word_of(found.subject.name)) if found else "",
        base=found.lines[0].line.currency if found and found.lines else "",
        to=links,
    )
