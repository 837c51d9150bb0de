"""Acts on promises and deliveries: a planner moves a date, puts somebody in charge or firms a
supply, a customer answers a later day or confirms a receipt.

Forms are fragments for the page's dialog; that of a promise repeats before and after. The pages
themselves live in ``desk`` and ``portal``.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.catalog.models import Item
from b2bcrm.fulfillment import actions
from b2bcrm.fulfillment.models import LineProjection, OrderCare, OrderProjection
from b2bcrm.fulfillment.planning.firming import Supply
from b2bcrm.fulfillment.planning.notices import Ahead, Choice
from b2bcrm.fulfillment.queries import notices
from b2bcrm.fulfillment.queries.requests import open_requests
from b2bcrm.fulfillment.schemas import (
    AnswerNoticeSchema,
    ChangePromiseSchema,
    DecideRequestSchema,
    FirmSchema,
    TakeCareSchema,
)
from b2bcrm.kernel.actor import STAFF_ROLES, Right
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.quantity import parse_qty
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries as orders
from b2bcrm.orders.lifecycle import Act, S, acts
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.users.queries import users_with_roles
from b2bcrm.web.answers import safe_next, see_other
from b2bcrm.web.forms import Form, read_form
from b2bcrm.web.locale import say
from b2bcrm.web.work import in_work

ANSWERED = {
    Choice.ACCEPT: Message("Thank you. The new day is accepted."),
    Choice.PART: Message("Thank you. We look into it and tell you here."),
    Choice.TALK: Message("Thank you. Your message is on its way."),
}

bp = Blueprint("fulfillment", __name__, template_folder="templates")


def _line(order: Order, line_no: int) -> OrderLine:
    line = order.line(line_no)
    if line is None or line.cancelled:
        raise not_found(Message("This order line"))
    return line


def _form(work: Work, order: Order, line: OrderLine, form: Form | None) -> str:
    projected: dt.date | None = work.session.scalar(
        sa.select(LineProjection.projected_on).where(LineProjection.order_line_id == line.id)
    )
    return render_template(
        "fulfillment/promise.html",
        order=order,
        line=line,
        projected_on=projected,
        suggested_on=_day(request.args.get("on", "")) or projected or line.promised_on,
        not_firm=actions.not_firm(work, order),
        asks=actions.needs_approval(work, order, line, dt.date.max),
        waiting=actions.waiting_request(work, line.id),
        reasons=actions.REASONS,
        form=form,
    )


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


@bp.get("/orders/<no>/lines/<int:line_no>/promise")
@in_work(read_only=True)
def promise_form(work: Work, no: str, line_no: int) -> ResponseReturnValue:
    """The form that gives a line a new date, for the page's dialog."""
    work.actor.must(Right.CHANGE_PROMISE)
    order = orders.by_no(work, no)
    return _form(work, order, _line(order, line_no), None)


@bp.get("/orders/<no>/lines/<int:line_no>/promise/notice")
@in_work(read_only=True)
def promise_notice(work: Work, no: str, line_no: int) -> ResponseReturnValue:
    """What the customer would read, were ``promised_on`` the new date."""
    order = orders.by_no(work, no)
    line = _line(order, line_no)
    day = _day(request.args.get("promised_on", "")) or line.promised_on or work.today
    notice = notices.promise_notice(
        work,
        order,
        line_no,
        promised_on=day,
        previous_on=line.promised_on,
        asks=actions.asks_customer(line.promised_on, day, request.args.get("reason_code", "")),
        base_url=request.url_root.rstrip("/"),
    )
    return render_template("fulfillment/notice.html", notice=notice)


@bp.post("/orders/<no>/lines/<int:line_no>/promise")
@in_work()
def promise_change(work: Work, no: str, line_no: int) -> ResponseReturnValue:
    """Move the promise; the customer is told."""
    work.actor.must(Right.CHANGE_PROMISE)
    order = orders.by_no(work, no)
    line = _line(order, line_no)
    form = read_form(ChangePromiseSchema())
    if form.ok:
        wanted = {name: form.data[name] for name in ("promised_on", "reason_code", "text")}
        back = safe_next(request.args.get("next", ""), f"/orders/{order.no}")
        with form.catching():
            if actions.needs_approval(work, order, line, wanted["promised_on"]):
                replaces = form.data["replaces"]
                actions.ask_for_approval(work, line.id, replaces=replaces, **wanted)
                return see_other(
                    back, Message("A sales manager is asked. Nobody else is told yet.")
                )
            actions.change_promise(work, line.id, expected_version=form.data["version"], **wanted)
            return see_other(
                back,
                Message(
                    "Line %(line)s is promised for %(day)s. The customer is told.",
                    line=line.line_no,
                    day=form.data["promised_on"],
                ),
            )
    return _form(work, order, line, form), 422


@bp.post("/orders/<no>/promise-requests/<int:request_id>")
@in_work()
def promise_decide(work: Work, no: str, request_id: int) -> ResponseReturnValue:
    """A sales manager approves or declines a later day."""
    form = read_form(DecideRequestSchema())
    if form.ok:
        approved = form.data["approved"]
        with form.catching():
            actions.decide_request(work, request_id, approved=approved, text=form.data["text"])
            told = Message("Approved. The customer is told.") if approved else Message("Declined.")
            return see_other(safe_next(request.form.get("next", ""), f"/orders/{no}"), told)
    return _decline(work, no, request_id, form), 422


@bp.get("/orders/<no>/promise-requests/<int:request_id>/decline")
@in_work(read_only=True)
def promise_decline(work: Work, no: str, request_id: int) -> ResponseReturnValue:
    """The form that asks why a later day is declined, for the page's dialog."""
    return _decline(work, no, request_id, None)


def _decline(work: Work, no: str, request_id: int, form: Form | None) -> str:
    waiting = open_requests(work, orders.id_of(work, no))
    row = next((row for row in waiting if row.id == request_id), None)
    if row is None:
        raise not_found(Message("This request"))
    back = safe_next(request.values.get("next", ""), f"/orders/{no}")
    return render_template("fulfillment/decline.html", r=row, next=back, form=form)


@bp.get("/orders/<no>/care")
@in_work(read_only=True)
def care_form(work: Work, no: str) -> ResponseReturnValue:
    """Who is in charge of the order, for the page's dialog."""
    return _care(work, orders.by_no(work, no), None)


@bp.post("/orders/<no>/care")
@in_work()
def care_change(work: Work, no: str) -> ResponseReturnValue:
    """Put somebody in charge, or write a note."""
    order = orders.by_no(work, no)
    form = read_form(TakeCareSchema())
    if form.ok:
        with form.catching():
            actions.take_care(work, no, **form.data)
            back = safe_next(request.args.get("next", ""), f"/orders/{order.no}")
            return see_other(back, Message("Saved."))
    return _care(work, order, form), 422


def _care(work: Work, order: Order, form: Form | None) -> str:
    care = work.session.get(OrderCare, order.id)
    view = work.session.get(OrderProjection, order.id)
    people = [(user.id, user.name) for user in users_with_roles(work.session, list(STAFF_ROLES))]
    return render_template(
        "fulfillment/care.html",
        order=order,
        view=view,
        line=order.line(view.deciding_line_no) if view and view.deciding_line_no else None,
        in_charge=care.user_id if care else None,
        people=[("", say(Message("Nobody"))), *people],
        may_amend=work.actor.may(Right.ORDER) and Act.AMEND in acts(order.state, S),
        form=form,
    )


@bp.get("/orders/<no>/lines/<int:line_no>/firm")
@in_work(read_only=True)
def firm_form(work: Work, no: str, line_no: int) -> ResponseReturnValue:
    """The free supplies that the line may be given, for the page's dialog."""
    order = orders.by_no(work, no)
    return _firm(work, order, _line(order, line_no), None)


@bp.post("/orders/<no>/lines/<int:line_no>/firm")
@in_work()
def firm_supply(work: Work, no: str, line_no: int) -> ResponseReturnValue:
    """Give pieces of a supply to the line."""
    order = orders.by_no(work, no)
    line = _line(order, line_no)
    form = read_form(FirmSchema())
    if form.ok:
        with form.catching():
            kind, number, site = form.data["supply"].split("|")
            actions.firm_supply(
                work,
                line.id,
                kind=kind,
                no=number,
                site=site,
                qty=parse_qty(form.data["qty"], line.unit),
                reason=form.data["reason"],
            )
            return see_other(f"/orders/{order.no}?line={line_no}#why", Message("It is firm."))
    return _firm(work, order, line, form), 422


def _firm(work: Work, order: Order, line: OrderLine, form: Form | None) -> str:
    supplies = [
        (f"{one.spot.kind}|{one.spot.no}|{one.spot.site}", say(_free(one)))
        for one in actions.free_supplies(work, line)
    ]
    return render_template(
        "fulfillment/firm.html",
        order=order,
        line=line,
        item_no=work.session.get_one(Item, line.item_id).no,
        wanted=actions.may_firm(work, order, line),
        supplies=supplies,
        form=form,
    )


def _free(one: Supply) -> Message:
    facts = {"no": one.spot.no, "site": one.spot.site, "qty": one.free, "day": one.on}
    if one.on is None:
        return Message("Stock at %(site)s: %(qty)s free", **facts)
    return Message("%(no)s on %(day)s: %(qty)s free", **facts)


@bp.post("/firm/<int:peg_id>/release")
@in_work()
def firm_release(work: Work, peg_id: int) -> ResponseReturnValue:
    """Take firm pieces back."""
    order = actions.release_peg(work, peg_id)
    back = safe_next(request.form.get("next", ""), f"/orders/{order.no}")
    return see_other(back, Message("Released. The plan may use the pieces again."))


@bp.get("/portal/notices/<int:promise_notice_id>")
@in_work(read_only=True)
def notice_talk(work: Work, promise_notice_id: int) -> ResponseReturnValue:
    """The customer's message about a later day, for the page's dialog."""
    return _talk(work, promise_notice_id, None)


@bp.post("/portal/notices/<int:promise_notice_id>")
@in_work()
def notice_answer(work: Work, promise_notice_id: int) -> ResponseReturnValue:
    """The customer chooses what to do about a later day."""
    form = read_form(AnswerNoticeSchema())
    if form.ok:
        qty, on = form.data["qty"], form.data["on"]
        part = Ahead(qty, on) if qty is not None and on is not None else None
        with form.catching():
            choice, text = form.data["choice"], form.data["text"]
            order = actions.answer_notice(
                work, promise_notice_id, choice=choice, part=part, text=text
            )
            return see_other(f"/portal/orders/{order.no}", ANSWERED[choice])
    return _talk(work, promise_notice_id, form), 422


def _talk(work: Work, notice_id: int, form: Form | None) -> str:
    notice = notices.notice_of(work, notices.order_of_notice(work, notice_id), notice_id)
    return render_template("fulfillment/talk.html", notice=notice, form=form)


@bp.post("/notices/<int:promise_notice_id>/settled")
@in_work()
def notice_settled(work: Work, promise_notice_id: int) -> ResponseReturnValue:
    """Somebody has talked with the customer."""
    order = actions.settle_notice(work, promise_notice_id)
    return see_other(f"/orders/{order.no}", Message("Noted."))


@bp.post("/portal/shipments/<int:shipment_id>/receipt")
@in_work()
def receipt(work: Work, shipment_id: int) -> ResponseReturnValue:
    """The customer confirms that a delivery reached him."""
    shipment = actions.confirm_receipt(work, shipment_id)
    return see_other(
        safe_next(request.form.get("next", ""), "/portal/orders"),
        Message("Thank you. The receipt of %(no)s is confirmed.", no=shipment.no),
    )
