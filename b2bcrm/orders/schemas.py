"""What forms may say about an order, checked once; the actions hold the rules themselves."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from b2bcrm.kernel.quantity import MAX_QTY
from b2bcrm.kernel.words import Message
from b2bcrm.orders.actions.policies import MOST_DAYS
from b2bcrm.orders.models import MAX_LABEL
from b2bcrm.web.fields import Number

MAX_REASON = 300
MAX_PO = 60


class VersionSchema(Schema):
    """The version of the order that the form was filled in on."""

    version = fields.Integer(required=True, validate=validate.Range(min=1))


class ReasonSchema(VersionSchema):
    """Hold and cancel: nothing stops without a reason."""

    reason = fields.String(
        required=True,
        validate=validate.Length(max=MAX_REASON),
        error_messages={"required": Message("Say why.")},  # type: ignore[dict-item]
    )


class CustomerPoSchema(VersionSchema):
    """The customer's own order number."""

    customer_po = fields.String(load_default="", validate=validate.Length(max=MAX_PO))


class ErpNoSchema(VersionSchema):
    """The number under which a person has found the order in the ERP."""

    erp_no = fields.String(
        required=True,
        validate=validate.Length(min=1, max=40),
        error_messages={"required": Message("Say under which number.")},  # type: ignore[dict-item]
    )


class CorrectSchema(VersionSchema):
    """Codes and texts of the order's head that the ERP has refused; empty ones stay."""

    ship_to = fields.String(validate=validate.Length(max=40))
    payment_terms = fields.String(validate=validate.Length(max=60))
    incoterm = fields.String(validate=validate.Length(max=3))
    incoterm_place = fields.String(validate=validate.Length(max=80))
    customer_po = fields.String(validate=validate.Length(max=MAX_PO))


class DecisionSchema(VersionSchema):
    """What is decided about a difference to the ERP: theirs, ours, or both stay.

    ``promised_on`` is the latest date that was shown for pieces that theirs adds.
    """

    how = fields.String(required=True, validate=validate.OneOf(("take", "keep", "leave")))
    promised_on = fields.Date(load_default=None, allow_none=True)


class AmendLineSchema(VersionSchema):
    """A line's new quantity and wished date; what is left out stays as it is.

    ``promised_on`` is the latest date that the form showed for added pieces.
    """

    qty = fields.Decimal(load_default=None, allow_none=True, validate=validate.Range(max=MAX_QTY))
    requested_on = fields.Date(load_default=None, allow_none=True)
    promised_on = fields.Date(load_default=None, allow_none=True)


class PolicySchema(VersionSchema):
    """How a line may leave; what is left empty is not restricted."""

    leaves_with = fields.String(load_default="", validate=validate.Length(max=MAX_LABEL))
    least_shipment = Number(load_default=None, validate=validate.Range(max=MAX_QTY))
    max_late_days = fields.Integer(load_default=None, validate=validate.Range(min=0, max=MOST_DAYS))
