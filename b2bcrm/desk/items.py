"""Items: the list, and one item with stock, supply and demand, parts, prices and open orders."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from b2bcrm.catalog import queries as catalog
from b2bcrm.catalog.models import ItemKind
from b2bcrm.desk import item_facts as facts
from b2bcrm.desk import links
from b2bcrm.fulfillment.actions.allocating import allocate, end_allocation
from b2bcrm.fulfillment.planning.allocations import CLASSES
from b2bcrm.fulfillment.planning.plant import AllocationKind
from b2bcrm.fulfillment.planning.progress import word_of
from b2bcrm.fulfillment.queries.allocations import rules_of
from b2bcrm.fulfillment.queries.choices import choices
from b2bcrm.fulfillment.schemas import AllocationSchema
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.web.answers import see_other
from b2bcrm.web.export import Column, export
from b2bcrm.web.forms import read_form
from b2bcrm.web.locale import current_locale, say
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import After, in_work

bp = Blueprint("desk_items", __name__, template_folder="templates")

COLUMNS: tuple[Column[facts.ItemRow], ...] = (
    Column(Message("Item"), lambda r: r.item.no),
    Column(Message("Item name"), lambda r: r.item.name_in(current_locale())),
    Column(Message("Specification"), lambda r: r.item.spec),
    Column(Message("Family"), lambda r: r.item.family),
    Column(Message("Kind"), lambda r: catalog.KIND_WORDS[r.item.kind]),
    Column(Message("Unit"), lambda r: r.item.unit),
    Column(Message("Lead time, working days"), lambda r: r.item.lead_time_days),
    Column(Message("On hand"), lambda r: r.on_hand),
    Column(Message("Free"), lambda r: r.free),
    Column(Message("Stock as of"), lambda r: r.as_of),
)
MOVE_WORDS = {
    "order": Message("Order"),
    "use": Message("Used by a work order"),
    "purchase": Message("Purchase order"),
    "work": Message("Work order"),
}

RULE_WORDS = {
    AllocationKind.KEEP: Message("Keep supply for the class"),
    AllocationKind.CAP: Message("The class gets at most"),
}


@bp.get("/items")
@in_work(read_only=True)
def items(work: Work) -> ResponseReturnValue | After:
    """All active items with their stock; filter, sort and download."""
    wish = asked(sorts=facts.SORTS, default="no", filters=facts.FILTERS)
    rows, total = facts.list_items(work, wish)
    if wish.format:
        return export(rows, COLUMNS, wish.format, "items")
    names = catalog.family_names(work.session)
    families = catalog.all_families(work.session)
    locale = current_locale()
    return render_template(
        "desk/items.html",
        listing=Listing(rows, total, wish),
        names=names,
        families=[(f, names[f].name_in(locale) if f in names else f) for f in families],
        kinds=[(kind.value, say(catalog.KIND_WORDS[kind])) for kind in ItemKind],
        kind_words=catalog.KIND_WORDS,
        url=links.item_url,
    )


@bp.get("/items/<path:item_no>")
@in_work(read_only=True)
def item(work: Work, item_no: str) -> ResponseReturnValue:
    """One item."""
    found = catalog.item_by_no(work, item_no)
    session = work.session
    stock, as_of = facts.stock_of(work, found.no)
    on_hand = sum((row.on_hand for row in stock), Decimal(0))
    lines = facts.open_lines(work, found.id)
    return render_template(
        "desk/item.html",
        item=found,
        stock=stock,
        as_of=as_of,
        on_hand=on_hand,
        allocated=sum((row.allocated for row in stock), Decimal(0)),
        lines=lines,
        moves=facts.moves(work, found.no, on_hand, lines),
        move_words=MOVE_WORDS,
        tree=catalog.bom_tree(session, found.no, work.today),
        word_of=word_of,
        routing=catalog.routing(session, found.no),
        parents=catalog.where_used(session, found.no, work.today),
        ladders=catalog.price_ladders(session, found.no, work.today),
        their_numbers=facts.their_numbers(work, found.id),
        sees_cost=work.actor.may(Right.SEE_COST),
        kind_words=catalog.KIND_WORDS,
        to=links,
        **_allocation(work, found.no, [row.site_code for row in stock]),
    )


@bp.post("/items/<path:item_no>/allocations")
@in_work()
def allocate_item(work: Work, item_no: str) -> ResponseReturnValue:
    """Keep supply for a class of customers, or cap what it gets."""
    form, back = read_form(AllocationSchema()), links.item_url(item_no)
    if form.ok:
        with form.catching():
            allocate(work, item_no, **form.data)
            return see_other(back, Message("Kept. The next plan follows it."))
    return see_other(back, next(iter(form.errors.values())), status="late")


@bp.post("/items/<path:item_no>/allocations/<int:rule_id>/end")
@in_work()
def end_item_allocation(work: Work, item_no: str, rule_id: int) -> ResponseReturnValue:
    """The rule counts no more."""
    end_allocation(work, item_no, rule_id)
    return see_other(links.item_url(item_no), Message("Ended. The next plan follows it."))


def _allocation(work: Work, item_no: str, kept_at: Collection[str]) -> dict[str, Any]:
    """The rules of an item, and what a new one may be of: where it is kept, else anywhere."""
    return {
        "rules": rules_of(work, item_no),
        "kinds": [(kind.value, say(word)) for kind, word in RULE_WORDS.items()],
        "classes": [(one, one) for one in CLASSES],
        "sites": [
            (code, name) for _, code, name in choices(work).sites if not kept_at or code in kept_at
        ],
        "may_allocate": work.actor.may(Right.CHANGE_PROMISE),
    }
