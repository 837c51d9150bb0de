"""What may be posted about cases. Forms of staff and portal use the same schemas."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from b2bcrm.service.lifecycle import CaseCause, CaseKind
from b2bcrm.threads.actions import MAX_TEXT

_TEXT = validate.Length(max=MAX_TEXT)


class NewCase(Schema):
    """A new case on a delivered line. Whether the quantity fits, the action says."""

    kind = fields.Enum(CaseKind, by_value=True, required=True)
    subject = fields.String(required=True, validate=validate.Length(max=200))
    text = fields.String(required=True, validate=_TEXT)
    affected_qty = fields.Decimal(allow_nan=False)
    serial_nos = fields.String(validate=validate.Length(max=300))


class NewCaseByStaff(NewCase):
    """As above; staff also say who asked and whether it is urgent."""

    contact_id = fields.Integer()
    urgent = fields.Boolean()


class Versioned(Schema):
    """An act on the case as the form saw it."""

    version = fields.Integer(required=True)


class Writing(Versioned):
    """A message to the customer or a note."""

    text = fields.String(required=True, validate=_TEXT)


class CustomerWriting(Schema):
    """The customer's message; it is welcome on any version."""

    text = fields.String(required=True, validate=_TEXT)


class Solving(Versioned):
    """What was done, and why it happened."""

    solution = fields.String(required=True, validate=_TEXT)
    cause = fields.Enum(CaseCause, by_value=True, required=True)


class Giving(Versioned):
    """To whom the case goes."""

    owner_id = fields.Integer(required=True)
