"""Orders for programs: list, one, and the acts of an order's life. The rules are the pages' own."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, jsonify
from flask_smorest import Blueprint

from b2bcrm.kernel.quantity import QTY_PLACES
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions, queries
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.orders.models import Order, Origin
from b2bcrm.web.api import PROBLEM, MoneyField
from b2bcrm.web.api_parts import PageQuery, expected_version, part, with_etag
from b2bcrm.web.auth import must_scope
from b2bcrm.web.work import in_work, supply

bp = Blueprint("api_orders", __name__, url_prefix="/orders", description="Orders")
READ, WRITE = "orders:read", "orders:write"
MAX_REASON = 300


class LineOut(ma.Schema):
    """One line: exact quantities as strings, its dates."""

    line_no = ma.fields.Integer(required=True)
    item_id = ma.fields.Integer(required=True)
    description = ma.fields.String()
    customer_part_no = ma.fields.String()
    unit = ma.fields.String()
    ordered_qty = MoneyField()
    produced_qty = MoneyField()
    shipped_qty = MoneyField()
    delivered_qty = MoneyField()
    unit_price = MoneyField(scale=6)
    discount_pct = MoneyField()
    net = MoneyField()
    requested_on = ma.fields.Date()
    first_promised_on = ma.fields.Date(allow_none=True)
    promised_on = ma.fields.Date(allow_none=True)
    planned_on = ma.fields.Date(allow_none=True)
    cancelled = ma.fields.Boolean()


class OrderOut(ma.Schema):
    """An order as everybody who may see it sees it; no cost and no margin."""

    no = ma.fields.String(required=True)
    version = ma.fields.Integer(required=True)
    state = ma.fields.Enum(OrderState, by_value=True)
    origin = ma.fields.Enum(Origin, by_value=True)
    erp_sync = ma.fields.Enum(ErpSync, by_value=True)
    erp_no = ma.fields.String(allow_none=True)
    amendment_no = ma.fields.Integer()
    account_id = ma.fields.Integer()
    customer_po = ma.fields.String()
    currency = ma.fields.String()
    total = MoneyField()
    incoterm = ma.fields.String()
    incoterm_place = ma.fields.String()
    payment_terms = ma.fields.String()
    ordered_on = ma.fields.Date()
    lines = ma.fields.List(ma.fields.Nested(LineOut))


class OrdersOut(ma.Schema):
    """A page of orders and how many there are in all."""

    total = ma.fields.Integer(required=True)
    orders = ma.fields.List(ma.fields.Nested(OrderOut), required=True)


class OrdersQuery(PageQuery):
    """Which orders."""

    state = ma.fields.Enum(OrderState, by_value=True, load_default=None)


class ReasonIn(ma.Schema):
    """Why."""

    reason = ma.fields.String(required=True, validate=ma.validate.Length(min=1, max=MAX_REASON))


class LineIn(ma.Schema):
    """What changes on a line; what is left out stays.

    ``promised_on`` is the latest date agreed to for added pieces; without it the line's promise.
    """

    qty = MoneyField(scale=QTY_PLACES, load_default=None)
    requested_on = ma.fields.Date(load_default=None)
    promised_on = ma.fields.Date(load_default=None)


def _answer(order: Order) -> Response:
    return with_etag(jsonify(OrderOut().dump(order)), order.version)


def _after(work: Work, order: Order) -> Response:
    work.session.flush()  # flush: the answer carries the new version
    return _answer(order)


@bp.get("")
@in_work(read_only=True)
@bp.arguments(OrdersQuery, location="query")
@bp.response(200, OrdersOut)
def orders(work: Work, query: dict[str, Any]) -> dict[str, Any]:
    """Orders, newest first."""
    must_scope(READ)
    offset, limit = part(query)
    rows, total = queries.listed(work, state=query["state"], offset=offset, limit=limit)
    return {"total": total, "orders": rows}


@bp.get("/<string:no>")
@in_work(read_only=True)
@bp.response(200, OrderOut)
@bp.alt_response(404, description="No such order, or another account's", **PROBLEM)
def order(work: Work, no: str) -> Response:
    """One order; its ETag is its version."""
    must_scope(READ)
    return _answer(queries.by_no(work, no))


@bp.post("/<string:no>/confirm")
@in_work()
@bp.response(200, OrderOut)
@bp.alt_response(
    409, description="Its state or a rule forbids it, or If-Match is an old version", **PROBLEM
)
def confirm(work: Work, no: str) -> Response:
    """Give our word; the ERP is told by the worker."""
    must_scope(WRITE)
    found = queries.by_no(work, no)
    promises = supply("promises")(work)
    actions.confirm(work, found.id, expected_version=expected_version(), promises=promises)
    return _after(work, found)


@bp.patch("/<string:no>/lines/<int:line_no>")
@in_work()
@bp.arguments(LineIn)
@bp.response(200, OrderOut)
@bp.alt_response(
    409, description="Its state or a rule forbids it, or If-Match is an old version", **PROBLEM
)
def amend(work: Work, data: dict[str, Any], no: str, line_no: int) -> Response:
    """Change a line; on a confirmed order this is an amendment.

    Where added pieces come later than agreed to: 409 ``date_moved`` with the new ``promised_on``.
    """
    must_scope(WRITE)
    found = queries.by_no(work, no)
    actions.amend_line(
        work,
        found.id,
        line_no,
        expected_version=expected_version(),
        promises=supply("promises")(work),
        **data,
    )
    return _after(work, found)


@bp.post("/<string:no>/hold")
@in_work()
@bp.arguments(ReasonIn)
@bp.response(200, OrderOut)
@bp.alt_response(409, description="Its state forbids it, or If-Match is an old version", **PROBLEM)
def hold(work: Work, data: dict[str, Any], no: str) -> Response:
    """Stop work on the order for a reason."""
    must_scope(WRITE)
    found = queries.by_no(work, no)
    actions.hold(work, found.id, expected_version=expected_version(), reason=data["reason"])
    return _after(work, found)


@bp.post("/<string:no>/release")
@in_work()
@bp.response(200, OrderOut)
@bp.alt_response(409, description="It is not on hold, or If-Match is an old version", **PROBLEM)
def release(work: Work, no: str) -> Response:
    """End the hold."""
    must_scope(WRITE)
    found = queries.by_no(work, no)
    actions.release(work, found.id, expected_version=expected_version())
    return _after(work, found)


@bp.post("/<string:no>/cancel")
@in_work()
@bp.arguments(ReasonIn)
@bp.response(200, OrderOut)
@bp.alt_response(409, description="Something has shipped, or If-Match is an old version", **PROBLEM)
def cancel(work: Work, data: dict[str, Any], no: str) -> Response:
    """Stop the order; the ERP is told by the worker."""
    must_scope(WRITE)
    found = queries.by_no(work, no)
    actions.cancel(
        work,
        found.id,
        expected_version=expected_version(),
        reason=data["reason"],
        promises=supply("promises")(work),
    )
    return _after(work, found)
