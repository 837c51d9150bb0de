"""Quotes for programs: list, one, draft, send, accept, lose. The rules are the pages' own."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import marshmallow as ma
from flask import Response, jsonify
from flask_smorest import Blueprint

from b2bcrm.kernel.quantity import QTY_PLACES
from b2bcrm.kernel.work import Work
from b2bcrm.quotes import actions, queries
from b2bcrm.quotes.lifecycle import LossReason, QuoteState
from b2bcrm.quotes.models import Quote
from b2bcrm.web.api import PROBLEM, MoneyField
from b2bcrm.web.api_parts import PageQuery, expected_version, part, with_etag
from b2bcrm.web.auth import must_scope
from b2bcrm.web.work import in_work, supply

bp = Blueprint("api_quotes", __name__, url_prefix="/quotes", description="Quotes")
READ, WRITE = "quotes:read", "quotes:write"
MAX_ID = 2**53
MAX_LINES = 200
_text = ma.validate.Length


class QuoteLineOut(ma.Schema):
    """One offered line with its promise."""

    line_no = ma.fields.Integer(required=True)
    item_id = ma.fields.Integer(required=True)
    description = ma.fields.String()
    customer_part_no = ma.fields.String()
    unit = ma.fields.String()
    qty = MoneyField()
    list_price = MoneyField(scale=6)
    discount_pct = MoneyField()
    net = MoneyField()
    wanted_on = ma.fields.Date()
    promised_on = ma.fields.Date(allow_none=True)


class QuoteOut(ma.Schema):
    """One revision. ``seal`` is what an acceptance must repeat; no cost and no margin."""

    id = ma.fields.Integer(required=True)
    no = ma.fields.String(required=True)
    revision = ma.fields.String(attribute="letter")
    version = ma.fields.Integer(required=True)
    state = ma.fields.Enum(QuoteState, by_value=True)
    account_id = ma.fields.Integer()
    currency = ma.fields.String()
    total = MoneyField()
    incoterm = ma.fields.String()
    incoterm_place = ma.fields.String()
    payment_terms = ma.fields.String()
    valid_until = ma.fields.Date()
    held_until = ma.fields.Date(allow_none=True)
    seal = ma.fields.String()
    lines = ma.fields.List(ma.fields.Nested(QuoteLineOut))


class QuoteRowOut(ma.Schema):
    """A quote in a list."""

    id = ma.fields.Integer(required=True)
    no = ma.fields.String(required=True)
    revision = ma.fields.String(attribute="letter")
    state = ma.fields.Enum(QuoteState, by_value=True)
    account_id = ma.fields.Integer()
    account_name = ma.fields.String()
    currency = ma.fields.String()
    total = MoneyField()
    valid_until = ma.fields.Date()
    ready_on = ma.fields.Date(allow_none=True)


class QuotesOut(ma.Schema):
    """A page of quotes and how many there are in all."""

    total = ma.fields.Integer(required=True)
    quotes = ma.fields.List(ma.fields.Nested(QuoteRowOut), required=True)


class QuotesQuery(PageQuery):
    """Which quotes."""

    state = ma.fields.Enum(QuoteState, by_value=True, load_default=None)


class NewLineIn(ma.Schema):
    """An item by its number or the customer's own."""

    part = ma.fields.String(required=True, validate=_text(min=1, max=200))
    qty = MoneyField(scale=QTY_PLACES, load_default=Decimal(1))
    wanted_on = ma.fields.Date(load_default=None)


class NewQuoteIn(ma.Schema):
    """A draft for an account with its lines; prices and dates are computed."""

    account_id = ma.fields.Integer(required=True, validate=ma.validate.Range(min=1, max=MAX_ID))
    lines = ma.fields.List(
        ma.fields.Nested(NewLineIn), load_default=list, validate=_text(max=MAX_LINES)
    )


class AcceptIn(ma.Schema):
    """A signature on exactly what ``seal`` stands for."""

    seal = ma.fields.String(required=True, validate=_text(min=1, max=64))
    name = ma.fields.String(required=True, validate=_text(min=1, max=120))
    customer_po = ma.fields.String(load_default="", validate=_text(max=60))


class AcceptedOut(ma.Schema):
    """The order that was born."""

    order_no = ma.fields.String(required=True)


class LostIn(ma.Schema):
    """Why it was lost."""

    reason = ma.fields.Enum(LossReason, by_value=True, required=True)
    competitor = ma.fields.String(load_default="", validate=_text(max=80))
    comment = ma.fields.String(load_default="", validate=_text(max=2000))


def _answer(work: Work, quote: Quote) -> Response:
    work.session.flush()  # flush: the answer carries the new version
    return with_etag(jsonify(QuoteOut().dump(quote)), quote.version)


@bp.get("")
@in_work(read_only=True)
@bp.arguments(QuotesQuery, location="query")
@bp.response(200, QuotesOut)
def quotes(work: Work, query: dict[str, Any]) -> dict[str, Any]:
    """Current revisions, newest first."""
    must_scope(READ)
    offset, limit = part(query)
    state = query["state"].value if query["state"] else ""
    rows, total = queries.quote_list(work, state=state, offset=offset, limit=limit)
    return {"total": total, "quotes": rows}


@bp.get("/<int:quote_id>")
@in_work(read_only=True)
@bp.response(200, QuoteOut)
@bp.alt_response(404, description="No such quote, or another account's", **PROBLEM)
def quote(work: Work, quote_id: int) -> Response:
    """One revision; its ETag is its version."""
    must_scope(READ)
    found = queries.by_id(work, quote_id)
    return with_etag(jsonify(QuoteOut().dump(found)), found.version)


@bp.post("")
@in_work()
@bp.arguments(NewQuoteIn)
@bp.response(201, QuoteOut)
@bp.alt_response(404, description="No such account", **PROBLEM)
def create(work: Work, data: dict[str, Any]) -> Response:
    """A draft, priced and promised; nothing is stored if one line is wrong."""
    must_scope(WRITE)
    promises = supply("promises")(work)
    made = actions.new_quote(work, account_id=data["account_id"], promises=promises)
    for line in data["lines"]:
        work.session.flush()  # flush: the next line is added to the stored draft
        actions.add_line(work, made.id, promises=promises, **line)
    response = _answer(work, made)
    response.status_code = 201
    return response


@bp.post("/<int:quote_id>/send")
@in_work()
@bp.response(200, QuoteOut)
@bp.alt_response(409, description="A rule forbids it, or If-Match is an old version", **PROBLEM)
def send(work: Work, quote_id: int) -> Response:
    """Hold the dates, seal, and mail it to the contact."""
    must_scope(WRITE)
    promises = supply("promises")(work)
    sent = actions.send(work, quote_id, promises=promises, expected_version=expected_version())
    return _answer(work, sent)


@bp.post("/<int:quote_id>/accept")
@in_work()
@bp.arguments(AcceptIn)
@bp.response(200, AcceptedOut)
@bp.alt_response(
    409, description="Expired, superseded, another seal, or a date that has moved", **PROBLEM
)
def accept(work: Work, data: dict[str, Any], quote_id: int) -> dict[str, str]:
    """Sign what was offered; exactly one order is born, however often this is sent."""
    must_scope(WRITE)
    order = actions.accept(work, quote_id, promises=supply("promises")(work), **data)
    return {"order_no": order.no}


@bp.post("/<int:quote_id>/lose")
@in_work()
@bp.arguments(LostIn)
@bp.response(200, QuoteOut)
@bp.alt_response(409, description="Its state forbids it", **PROBLEM)
def lose(work: Work, data: dict[str, Any], quote_id: int) -> Response:
    """Note that it was lost, and why."""
    must_scope(WRITE)
    actions.mark_lost(work, quote_id, promises=supply("promises")(work), **data)
    return _answer(work, queries.by_id(work, quote_id))
