"""What forms and the API may say about accounts, checked once."""

from __future__ import annotations

import re

from marshmallow import Schema, ValidationError, fields, pre_load, validate

from b2bcrm.customers.models import TouchKind
from b2bcrm.kernel.words import LOCALES, Message

MAX_TEXT = 20_000
_COUNTRY = re.compile(r"[A-Z]{2}")
_CURRENCY = re.compile(r"[A-Z]{3}")


def _text(length: int, *, needed: bool = False) -> fields.String:
    longest = validate.Length(max=length)
    if needed:
        return fields.String(required=True, validate=[_not_empty, longest])
    return fields.String(load_default="", validate=longest)


def _not_empty(value: str) -> None:
    if not value:
        raise ValidationError([Message("This field is needed.")])


def _country(value: str) -> None:
    if not _COUNTRY.fullmatch(value):
        raise ValidationError([Message("Two capital letters, as in DE.")])


def _currency(value: str) -> None:
    if not _CURRENCY.fullmatch(value):
        raise ValidationError([Message("Three capital letters, as in EUR.")])


class AccountSchema(Schema):
    """The fields of an account that people may fill in while it is a prospect."""

    name = _text(200, needed=True)
    short_name = _text(80)
    tax_id = _text(40)
    country = fields.String(required=True, validate=_country)
    city = _text(80)
    address = _text(300)
    language = fields.String(load_default="en", validate=validate.OneOf(LOCALES))
    currency = fields.String(required=True, validate=_currency)
    price_list = _text(20, needed=True)
    payment_terms = _text(60)
    incoterm = fields.String(load_default="EXW", validate=validate.Length(equal=3))
    incoterm_place = _text(80)
    customer_class = fields.String(load_default="C", validate=validate.OneOf(("A", "B", "C")))


class ProspectSchema(AccountSchema):
    """A new prospect with its first contact."""

    contact_name = _text(120)
    contact_email = fields.Email(load_default="", validate=validate.Length(max=200))


class OwnedSchema(Schema):
    """What people own on every account."""

    version = fields.Integer(required=True, validate=validate.Range(min=1))
    owner_id = fields.Integer(load_default=None, allow_none=True)
    language = fields.String(required=True, validate=validate.OneOf(LOCALES))
    welcomes_early = fields.Boolean(load_default=False)


class ProspectChangeSchema(AccountSchema):
    """A prospect's whole form."""

    version = fields.Integer(required=True, validate=validate.Range(min=1))
    owner_id = fields.Integer(load_default=None, allow_none=True)
    welcomes_early = fields.Boolean(load_default=False)


class VersionSchema(Schema):
    """An act on an account that somebody may have changed meanwhile."""

    version = fields.Integer(required=True, validate=validate.Range(min=1))


class LinkSchema(Schema):
    """The ERP's number of a customer; ``take_over`` what a pull has made of it already."""

    version = fields.Integer(required=True, validate=validate.Range(min=1))
    erp_id = _text(40, needed=True)
    take_over = fields.Boolean(load_default=False)


class ContactSchema(Schema):
    """A person."""

    name = _text(120, needed=True)
    email = fields.Email(load_default="", validate=validate.Length(max=200))
    phone = _text(40)
    role = _text(80)
    language = fields.String(load_default="", validate=validate.OneOf(("", *LOCALES)))


class TouchSchema(Schema):
    """A contact with the customer. ``about`` ties it: ``order:12``, ``quote:3`` or ``case:7``."""

    kind = fields.Enum(TouchKind, by_value=True, required=True)
    subject = _text(200, needed=True)
    text = _text(MAX_TEXT)
    inbound = fields.Boolean(load_default=False)
    on = fields.Date(load_default=None, allow_none=True)
    contact_id = fields.Integer(load_default=None, allow_none=True)
    about = fields.String(
        load_default="", validate=validate.Regexp(r"^((order|quote|case):\d{1,18})?$")
    )

    @pre_load
    def _no_line_breaks(self, data: dict[str, object], **_kwargs: object) -> dict[str, object]:
        subject = data.get("subject")
        if isinstance(subject, str):
            return {**data, "subject": " ".join(subject.split())}
        return data


class PartSchema(Schema):
    """The customer's own number for one of our items; an empty one removes it."""

    item_no = _text(60, needed=True)
    part_no = _text(60)
