"""The order page: the spine of the product. Acts on it go to ``orders`` and ``fulfillment``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import NamedTuple

from flask import Blueprint, Response, current_app, render_template, request, url_for
from flask.typing import ResponseReturnValue

from b2bcrm.customers.models import TouchKind
from b2bcrm.desk import order_facts, order_touches, order_view, order_why
from b2bcrm.desk.links import impact_url
from b2bcrm.desk.lost_days import lost_of
from b2bcrm.desk.order_facts import Head, OrderFacts
from b2bcrm.files.kinds import KIND_WORDS
from b2bcrm.fulfillment.actions import REASONS
from b2bcrm.fulfillment.queries.notices import notices_of
from b2bcrm.fulfillment.queries.requests import open_requests
from b2bcrm.kernel.actor import Actor, Right
from b2bcrm.kernel.words import Message, show_date
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries as orders
from b2bcrm.orders.actions.life import obstacle
from b2bcrm.orders.lifecycle import Act, ErpSync, OrderState, S, acts
from b2bcrm.service.lifecycle import STATE_WORDS as CASE_STATES
from b2bcrm.web.live import version_response
from b2bcrm.web.locale import current_locale, say
from b2bcrm.web.work import in_work

bp = Blueprint("order", __name__, template_folder="templates")

MENU: tuple[tuple[str, Message], ...] = (
    ("hold", Message("Put on hold…")),
    ("release", Message("Release the hold…")),
    ("customer-po", Message("Customer's order number…")),
    ("differences", Message("Differences to the ERP…")),
    ("send-again", Message("Send to the ERP again…")),
    ("correct", Message("Correct and send again…")),
    ("is-there", Message("It is in the ERP…")),
    ("is-not-there", Message("It is not in the ERP…")),
    ("leave-out", Message("Send it to the ERP no more…")),
    ("cancel", Message("Cancel order…")),
)
BANNER_ACTS = {
    "confirm": Message("Confirm order…"),
    "release": Message("Release the hold…"),
    "send-again": Message("Send again…"),
    "differences": Message("Decide…"),
}
TOUCH_WORDS = {
    TouchKind.CALL: Message("Call"),
    TouchKind.MAIL: Message("E-mail"),
    TouchKind.VISIT: Message("Visit"),
    TouchKind.NOTE: Message("Note"),
}
PROMISE_FORM = "fulfillment.promise_form"


@bp.get("/orders/<no>")
@in_work(read_only=True)
def page(work: Work, no: str) -> ResponseReturnValue:
    """One order; ``line`` is the one explained, ``touches`` which touches, ``more`` all of them."""
    kind = request.args.get("touches", "")
    kind = kind if kind in order_facts.KINDS else ""
    facts = order_facts.order_facts(
        work,
        no,
        line_no=request.args.get("line", type=int),
        kind=kind,
        more="more" in request.args,
    )
    head, chosen = facts.head, facts.chosen
    short, locale = short_dates(work.today), current_locale()
    stages, current = order_view.lifeline(facts, short)
    may = allowed(work.actor, facts)
    explained = not head.ended or any(line.came_on for line in facts.lines)
    notices = notices_of(work, [head.id]) if head.has_notices else []
    banner = order_view.banner(facts, lambda: obstacle(work, orders.by_id(work, head.id)))
    return render_template(
        "desk/order.html",
        facts=facts,
        head=head,
        chip=order_view.order_chip(head),
        dates=order_view.dates(facts, short),
        stages=tuple(drawn(view, short) for view in stages),
        current=current,
        banner=banner,
        banner_act=BANNER_ACTS.get(banner.act, "") if banner else "",
        rows=order_view.rows(facts, work.today, locale, amend="amend" in may),
        why=order_why.answer(chosen, head, work.today) if chosen and explained else None,
        sure=order_why.how_sure(chosen) if chosen and not head.ended else (),
        lost=lost_of(chosen.lost) if chosen else [],
        in_two=order_view.in_two(chosen) if chosen and not head.ended else None,
        tree=order_why.tree(chosen, work.today, short, say) if chosen else None,
        days=order_touches.touch_days(facts),
        touch_kind=kind,
        touch_kinds=tuple((kind.value, say(word)) for kind, word in TOUCH_WORDS.items()),
        may=may,
        menu=[(act, text) for act, text in MENU if act in may],
        promise_url=promise_url(facts) if "promise" in may else "",
        requests=open_requests(work, head.id) if head.has_requests else [],
        notices=notices,
        answers={notice.promise_id: notice.answer for notice in notices},
        reasons=REASONS,
        may_approve=work.actor.may(Right.APPROVE_PROMISE),
        file_kinds=KIND_WORDS,
        case_states=CASE_STATES,
        invoice_amount=order_view.amount_in,
        impact_url=impact_url,
        has=current_app.view_functions.__contains__,
    )


def short_dates(today: dt.date) -> Callable[[dt.date], str]:
    """Writes dates without weekday, and without this year."""
    locale = current_locale()
    return lambda day: show_date(day, locale, year=day.year != today.year, weekday=False)


class Drawn(NamedTuple):
    """A stage as macro ``lifeline`` takes it."""

    status: str
    p: int | None
    plain: bool
    href: str
    when: str
    slip: str
    note: str


def drawn(view: order_view.StageView, short: Callable[[dt.date], str]) -> Drawn:
    """A stage in the reader's words."""
    when = say(view.when) if view.when else short(order_view.local(view.on)) if view.on else ""
    slip, note = (say(words) if words else "" for words in (view.slip, view.note))
    return Drawn(view.status, view.p, view.plain, view.href, when, slip, note)


def promise_url(facts: OrderFacts) -> str:
    """Where fulfillment asks for a new date of the chosen line."""
    if facts.chosen is None or PROMISE_FORM not in current_app.view_functions:
        return ""
    return url_for(PROMISE_FORM, no=facts.head.no, line_no=facts.chosen.line_no)


def allowed(actor: Actor, facts: OrderFacts) -> frozenset[str]:
    """The acts whose buttons are shown: what the lifecycle and the role's rights allow."""
    head, found = facts.head, set[str]()
    if actor.may(Right.ORDER):
        open_acts = acts(head.state, S)
        shipped = any(line.shipped_qty > 0 for line in facts.lines)
        if Act.CONFIRM in open_acts:
            found.add("confirm")
        if Act.AMEND in open_acts:
            found |= {"amend", "release" if head.hold_reason is not None else "hold"}
        if Act.CANCEL in open_acts and not shipped:
            found.add("cancel")
        if head.state is OrderState.SUBMITTED:
            found.add("customer-po")
    if actor.may(Right.CHANGE_PROMISE) and head.state is OrderState.CONFIRMED:
        found |= {"promise", "care"}
    refused = head.erp_sync is ErpSync.REFUSED and head.state is OrderState.CONFIRMED
    if refused and actor.may(Right.ORDER):
        found.add("correct")
    if head.differences and actor.may(Right.ORDER):
        found.add("differences")
    if actor.may(Right.ORDER) or actor.may(Right.OPERATE_ERP):
        found |= erp_acts(head)
    return frozenset(found)


def erp_acts(head: Head) -> set[str]:
    """What a person may say about the order's way to the ERP."""
    found: set[str] = set()
    on_its_way = {ErpSync.WAITING, ErpSync.REFUSED, ErpSync.UNKNOWN}
    if head.erp_sync in on_its_way:
        found |= {"send-again", "leave-out"}
    if head.erp_sync is ErpSync.LEFT_OUT:
        found.add("send-again")
    if head.erp_sync is ErpSync.UNKNOWN and head.erp_no is None:
        found |= {"is-there", "is-not-there"}
    return found


@bp.get("/orders/<no>/version")
@in_work(read_only=True)
def version(work: Work, no: str) -> Response:
    """For the live page: grows with each change of the order."""
    return version_response(work, f"order:{orders.id_of(work, no)}")
