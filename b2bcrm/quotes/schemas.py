"""Payloads of quotes and inquiries: the same checks for forms and for the API.

Unknown fields are refused, numbers have ranges, text has lengths. Sentences about business
rules come from the actions.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from marshmallow import Schema, fields, validate

from b2bcrm.kernel.quantity import MAX_QTY
from b2bcrm.kernel.words import LOCALES
from b2bcrm.quotes.actions import Wish
from b2bcrm.quotes.actions.editing import INCOTERMS
from b2bcrm.quotes.actions.inquiring import MAX_TEXT
from b2bcrm.quotes.lifecycle import Channel, LossReason
from b2bcrm.web.fields import Number

FIRST_DAY, LAST_DAY = dt.date(2000, 1, 1), dt.date(2099, 12, 31)
MAX_PASTE = 40_000
MAX_ID = 2**62


def _qty(**options: Any) -> Number:
    return _number(MAX_QTY, **options)


def _number(largest: Decimal, **options: Any) -> Number:
    """Two bounds, each with its own sentence; the action says what is possible within them."""
    bounds = [validate.Range(min=-largest), validate.Range(max=largest)]
    return Number(as_string=True, validate=bounds, **options)


def _day(**options: Any) -> fields.Date:
    bounds = [validate.Range(min=FIRST_DAY), validate.Range(max=LAST_DAY)]
    return fields.Date(validate=bounds, **options)


def _id(**options: Any) -> fields.Integer:
    return fields.Integer(validate=validate.Range(min=1, max=MAX_ID), **options)


def _text(longest: int, **options: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=longest), **options)


class WishSchema(Schema):
    """One line of an inquiry."""

    part = _text(60, load_default="")
    text = _text(300, load_default="")
    qty = _qty(load_default=None, allow_none=True)
    wanted_on = _day(load_default=None, allow_none=True)


class InquirySchema(Schema):
    """A customer's wish: words, lines, or both."""

    subject = _text(200, load_default="")
    text = _text(MAX_TEXT, load_default="")
    lines = fields.List(
        fields.Nested(WishSchema), load_default=list, validate=validate.Length(max=200)
    )


class StaffInquirySchema(InquirySchema):
    """The same typed by sales, who name the account and how it came in."""

    account_id = _id(required=True)
    contact_id = _id(load_default=None, allow_none=True)
    channel = fields.Enum(Channel, by_value=True, load_default=Channel.MAIL)


class NewQuoteSchema(Schema):
    """A quote begun without an inquiry."""

    account_id = _id(required=True)
    contact_id = _id(load_default=None, allow_none=True)
    currency = fields.String(
        validate=validate.Regexp(r"[A-Z]{3}\Z"), load_default=None, allow_none=True
    )


class LineSchema(Schema):
    """Changes of a line; what is absent stays."""

    qty = _qty()
    discount_pct = _number(Decimal(1000))
    unit_price = _number(Decimal(10) ** 9)
    wanted_on = _day()


class NewLineSchema(Schema):
    """An item to add, by its number or the customer's own."""

    part = _text(200, required=True)
    qty = _qty(load_default=Decimal(1))
    wanted_on = _day(load_default=None, allow_none=True)
    wish_no = _id(load_default=None, allow_none=True)


class PasteSchema(Schema):
    """Rows from a spreadsheet."""

    text = _text(MAX_PASTE, load_default="")


class TermsSchema(Schema):
    """Changes of the terms; what is absent stays."""

    incoterm = fields.String(validate=validate.OneOf(INCOTERMS))
    incoterm_place = _text(80)
    payment_terms = _text(60)
    valid_until = _day()
    doc_language = fields.String(validate=validate.OneOf(LOCALES))
    note = _text(4000)
    customer_po = _text(60)
    win_pct = fields.Integer(validate=validate.Range(min=0, max=100))
    decision_on = _day(allow_none=True)
    contact_id = _id(allow_none=True)
    ship_to_id = _id(allow_none=True)


class AcceptSchema(Schema):
    """A signature. ``seal`` is the digest of what was shown; ``agreed`` must be ticked."""

    seal = _text(64, required=True)
    name = _text(120, required=True)
    customer_po = _text(60, load_default="")
    agreed = fields.Boolean(required=True, validate=validate.Equal(True))


class DeclineSchema(Schema):
    """The customer's no."""

    reason = fields.Enum(LossReason, by_value=True, required=True)
    comment = _text(2000, load_default="")


class LostSchema(DeclineSchema):
    """Sales' note of a lost quote."""

    competitor = _text(80, load_default="")


class RefusalSchema(Schema):
    """Why an inquiry is declined."""

    reason = _text(300, load_default="")


def wishes_of(rows: list[dict[str, Any]]) -> list[Wish]:
    """Checked lines as the action takes them; rows without any content are left out."""
    return [Wish(**row) for row in rows if any(row.values())]
