"""Acts on an order: the form of each, as a fragment for a dialog, and its POST.

A form repeats before and after. A complaint comes back at its field (422) in the same dialog;
an accepted act answers with the order's page. The page itself lives in ``desk``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from b2bcrm.kernel.errors import Invalid, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions, queries
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.schemas import AmendLineSchema, CustomerPoSchema, ReasonSchema, VersionSchema
from b2bcrm.ports.promise import DateMoved, Promising
from b2bcrm.web.answers import see_other
from b2bcrm.web.forms import SHOW_FORM, Form, read_form
from b2bcrm.web.work import in_work, supply

bp = Blueprint("orders", __name__, template_folder="templates", url_prefix="/orders")


def _promises(work: Work) -> Promising:
    found: Promising = supply("promises")(work)
    return found


@dataclass(frozen=True)
class _Act:
    """``carry_out`` does it and answers what to say."""

    schema: type[Schema]
    carry_out: Callable[[Work, Order, Form], Message]


def _confirm(work: Work, order: Order, form: Form) -> Message:
    actions.confirm(work, order.id, expected_version=form.data["version"], promises=_promises(work))
    return Message("%(no)s is confirmed and on its way to the ERP.", no=order.no)


def _hold(work: Work, order: Order, form: Form) -> Message:
    actions.hold(work, order.id, expected_version=form.data["version"], reason=form.data["reason"])
    return Message("%(no)s is on hold.", no=order.no)


def _release(work: Work, order: Order, form: Form) -> Message:
    actions.release(work, order.id, expected_version=form.data["version"])
    return Message("%(no)s is released.", no=order.no)


def _cancel(work: Work, order: Order, form: Form) -> Message:
    actions.cancel(
        work,
        order.id,
        expected_version=form.data["version"],
        reason=form.data["reason"],
        promises=_promises(work),
    )
    return Message("%(no)s is cancelled.", no=order.no)


def _customer_po(work: Work, order: Order, form: Form) -> Message:
    actions.link_customer_po(
        work,
        order.id,
        expected_version=form.data["version"],
        customer_po=form.data["customer_po"],
    )
    return Message("The customer's order number is written on %(no)s.", no=order.no)


def _send_again(work: Work, order: Order, form: Form) -> Message:
    actions.send_again(work, order.id, expected_version=form.data["version"])
    return Message("%(no)s will be sent to the ERP again.", no=order.no)


ACTS: dict[str, _Act] = {
    "confirm": _Act(VersionSchema, _confirm),
    "hold": _Act(ReasonSchema, _hold),
    "release": _Act(VersionSchema, _release),
    "cancel": _Act(ReasonSchema, _cancel),
    "customer-po": _Act(CustomerPoSchema, _customer_po),
    "send-again": _Act(VersionSchema, _send_again),
}


def _act(name: str) -> _Act:
    found = ACTS.get(name)
    if found is None:
        raise not_found(Message("This page"))
    return found


def _page(order: Order) -> str:
    return f"/orders/{order.no}"


@bp.get("/<no>/acts/<act>")
@in_work(read_only=True)
def act_form(work: Work, no: str, act: str) -> ResponseReturnValue:
    """The form of an act, for the page's dialog."""
    _act(act)
    return render_template("orders/act.html", order=queries.by_no(work, no), act=act, form=None)


@bp.post("/<no>/acts/<act>")
@in_work()
def act_send(work: Work, no: str, act: str) -> ResponseReturnValue:
    """Confirm, hold, release, cancel, write the customer's number, send to the ERP again."""
    wanted = _act(act)
    order = queries.by_no(work, no)
    form = read_form(wanted.schema())
    if form.ok:
        with form.catching():
            return see_other(_page(order), wanted.carry_out(work, order, form))
    return render_template("orders/act.html", order=order, act=act, form=form), 422


@bp.get("/<no>/lines/<int:line_no>/amend")
@in_work(read_only=True)
def amend_form(work: Work, no: str, line_no: int) -> ResponseReturnValue:
    """The form that changes one line, for the page's dialog."""
    order = queries.by_no(work, no)
    return _amend_page(order, _line(order, line_no), None)


@bp.post("/<no>/lines/<int:line_no>/amend")
@in_work()
def amend_send(work: Work, no: str, line_no: int) -> ResponseReturnValue:
    """Change a line's quantity or wished date.

    A date that no longer stands comes back in the form (409): sent again, it is agreed to.
    """
    order = queries.by_no(work, no)
    line = _line(order, line_no)
    form = read_form(AmendLineSchema())
    if form.ok:
        try:
            actions.amend_line(
                work,
                order.id,
                line_no,
                expected_version=form.data["version"],
                promises=_promises(work),
                qty=form.data["qty"],
                requested_on=form.data["requested_on"],
                promised_on=form.data["promised_on"],
            )
        except Invalid as error:
            if error.code.startswith("qty_"):  # the rule of the unit knows no form
                form.errors["qty"] = error.message
            else:
                form.add(error)
        except DateMoved as error:
            if error.on is None:
                raise
            form.add(error)
            return _amend_page(order, line, form, shown_on=error.on), 409, SHOW_FORM
        else:
            done = Message("Line %(line)s of %(no)s is changed.", line=line_no, no=order.no)
            return see_other(_page(order), done)
    return _amend_page(order, line, form, shown_on=form.data.get("promised_on")), 422


def _amend_page(
    order: Order, line: OrderLine, form: Form | None, *, shown_on: dt.date | None = None
) -> str:
    """``shown_on``: a later date than the line's promise, to be agreed to by sending again."""
    return render_template(
        "orders/amend.html", order=order, line=line, form=form, shown_on=shown_on
    )


def _line(order: Order, line_no: int) -> OrderLine:
    line = order.line(line_no)
    if line is None or line.cancelled:
        raise not_found(Message("This order line"))
    return line


@bp.get("/<no>/revisions")
@in_work(read_only=True)
def revisions(work: Work, no: str) -> ResponseReturnValue:
    """What was confirmed, per amendment: a fragment."""
    order = queries.by_no(work, no)
    rows = queries.revisions(work.session, order.id)
    return render_template("orders/revisions.html", order=order, revisions=rows)
