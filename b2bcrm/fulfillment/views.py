"""Acts on promises and deliveries: a planner moves a date, a customer confirms a receipt.

The form of a promise is a fragment for the page's dialog; it repeats before and after. The pages
themselves live in ``desk`` and ``portal``.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from b2bcrm.fulfillment import actions
from b2bcrm.fulfillment.models import LineProjection
from b2bcrm.fulfillment.schemas import ChangePromiseSchema, DecideRequestSchema
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import queries as orders
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.web.answers import safe_next, see_other
from b2bcrm.web.forms import Form, read_form
from b2bcrm.web.work import in_work

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
                actions.ask_for_approval(work, line.id, **wanted)
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
    form.raise_if_wrong()
    approved = form.data["approved"]
    actions.decide_request(work, request_id, approved=approved)
    told = Message("Approved. The customer is told.") if approved else Message("Declined.")
    return see_other(safe_next(request.form.get("next", ""), f"/orders/{no}"), told)


@bp.post("/portal/shipments/<int:shipment_id>/receipt")
@in_work()
def receipt(work: Work, shipment_id: int) -> ResponseReturnValue:
    """The customer confirms that a delivery reached him."""
    shipment = actions.confirm_receipt(work, shipment_id)
    return see_other(
        safe_next(request.form.get("next", ""), "/portal/orders"),
        Message("Thank you. The receipt of %(no)s is confirmed.", no=shipment.no),
    )
