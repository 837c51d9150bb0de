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

from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid, Refused, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions, queries
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.schemas import (
    AmendLineSchema,
    CorrectSchema,
    CustomerPoSchema,
    DecisionSchema,
    ErpNoSchema,
    PolicySchema,
    ReasonSchema,
    VersionSchema,
)
from b2bcrm.ports.promise import DateMoved, Promising
from b2bcrm.sync import conflicts
from b2bcrm.sync.ownership import FIELD_WORDS, WHY
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


def _leave_out(work: Work, order: Order, form: Form) -> Message:
    actions.leave_out(
        work, order.id, expected_version=form.data["version"], reason=form.data["reason"]
    )
    return Message("%(no)s is not sent to the ERP any more.", no=order.no)


def _is_there(work: Work, order: Order, form: Form) -> Message:
    erp_no = form.data["erp_no"]
    actions.it_is_there(work, order.id, expected_version=form.data["version"], erp_no=erp_no)
    return Message("%(no)s is linked to %(erp_no)s in the ERP.", no=order.no, erp_no=erp_no)


def _is_not_there(work: Work, order: Order, form: Form) -> Message:
    actions.it_is_not_there(work, order.id, expected_version=form.data["version"])
    return Message("%(no)s will be sent to the ERP again.", no=order.no)


def _correct(work: Work, order: Order, form: Form) -> Message:
    changes = {name: value for name, value in form.data.items() if name != "version"}
    actions.correct(work, order.id, expected_version=form.data["version"], changes=changes)
    return Message("%(no)s is corrected and will be sent to the ERP again.", no=order.no)


ACTS: dict[str, _Act] = {
    "confirm": _Act(VersionSchema, _confirm),
    "hold": _Act(ReasonSchema, _hold),
    "release": _Act(VersionSchema, _release),
    "cancel": _Act(ReasonSchema, _cancel),
    "customer-po": _Act(CustomerPoSchema, _customer_po),
    "send-again": _Act(VersionSchema, _send_again),
    "correct": _Act(CorrectSchema, _correct),
    "leave-out": _Act(ReasonSchema, _leave_out),
    "is-there": _Act(ErpNoSchema, _is_there),
    "is-not-there": _Act(VersionSchema, _is_not_there),
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
        except Refused as error:
            if error.code != "stale_feeds":
                raise
            form.add(error)  # the dialog says why no date can be given
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


@bp.get("/<no>/lines/<int:line_no>/policy")
@in_work(read_only=True)
def policy_form(work: Work, no: str, line_no: int) -> ResponseReturnValue:
    """The form that settles how a line may leave, for the page's dialog."""
    order = queries.by_no(work, no)
    return _policy_page(order, _line(order, line_no), None)


@bp.post("/<no>/lines/<int:line_no>/policy")
@in_work()
def policy_send(work: Work, no: str, line_no: int) -> ResponseReturnValue:
    """Settle how a line may leave."""
    order = queries.by_no(work, no)
    line = _line(order, line_no)
    form = read_form(PolicySchema())
    if form.ok:
        with form.catching():
            actions.set_policy(
                work,
                order.id,
                line_no,
                expected_version=form.data["version"],
                promises=_promises(work),
                leaves_with=form.data["leaves_with"],
                least_shipment=form.data["least_shipment"],
                max_late_days=form.data["max_late_days"],
            )
            done = Message("How line %(line)s leaves is settled.", line=line_no)
            return see_other(f"{_page(order)}?line={line_no}", done)
    return _policy_page(order, line, form), 422


def _policy_page(order: Order, line: OrderLine, form: Form | None) -> str:
    labels = sorted({one.leaves_with for one in order.lines if one.leaves_with})
    return render_template("orders/policy.html", order=order, line=line, form=form, labels=labels)


def _line(order: Order, line_no: int) -> OrderLine:
    line = order.line(line_no)
    if line is None or line.cancelled:
        raise not_found(Message("This order line"))
    return line


@bp.get("/<no>/differences")
@in_work(read_only=True)
def differences(work: Work, no: str) -> ResponseReturnValue:
    """What the ERP holds otherwise, with both values and the decision to take: a fragment."""
    order = queries.by_no(work, no)
    return _differences(work, order, None)


@bp.post("/<no>/differences/<int:difference_id>")
@in_work()
def difference_send(work: Work, no: str, difference_id: int) -> ResponseReturnValue:
    """Take the ERP's value, keep ours, or leave both as they are."""
    order = queries.by_no(work, no)
    form = read_form(DecisionSchema())
    if form.ok:
        try:
            return see_other(_page(order), _decide(work, order, difference_id, form))
        except DateMoved as moved:
            form.values["promised_on"] = moved.on.isoformat() if moved.on else ""
            form.values["row"] = str(difference_id)
            form.add(moved)
        except Invalid as error:
            form.add(error)
        except Refused as error:
            if error.code != "stale_feeds":
                raise
            form.add(error)
    return _differences(work, order, form), 422


def _decide(work: Work, order: Order, row_id: int, form: Form) -> Message:
    version = form.data["version"]
    if form.data["how"] == "take":
        actions.take_theirs(
            work,
            order.id,
            row_id,
            expected_version=version,
            promises=_promises(work),
            promised_on=form.data["promised_on"],
        )
        return Message("%(no)s is amended as in the ERP.", no=order.no)
    act = actions.keep_ours if form.data["how"] == "keep" else actions.leave_both
    act(work, order.id, row_id, expected_version=version)
    if form.data["how"] == "keep":
        return Message("Ours stays; the ERP is told again.")
    return Message("Both stay as they are.")


def _differences(work: Work, order: Order, form: Form | None) -> str:
    return render_template(
        "orders/differences.html",
        order=order,
        rows=conflicts.of_order(work.session, order.id),
        words=FIELD_WORDS,
        why=WHY,
        may=work.actor.may(Right.ORDER),
        form=form,
    )


@bp.get("/<no>/revisions")
@in_work(read_only=True)
def revisions(work: Work, no: str) -> ResponseReturnValue:
    """What was confirmed, per amendment: a fragment."""
    order = queries.by_no(work, no)
    rows = queries.revisions(work.session, order.id)
    return render_template("orders/revisions.html", order=order, revisions=rows)
