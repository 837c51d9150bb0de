"""What forms may say about a promise; the action holds the rules itself."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from marshmallow import Schema, ValidationError, fields, validate

from b2bcrm.fulfillment.models import TaskState
from b2bcrm.fulfillment.planning.allocations import CLASSES
from b2bcrm.fulfillment.planning.measures import MOST_QTY
from b2bcrm.fulfillment.planning.notices import Choice
from b2bcrm.fulfillment.planning.plant import AllocationKind
from b2bcrm.kernel.words import Message
from b2bcrm.web.fields import Number

MAX_TEXT = 300
MAX_ANSWER = 1000
MAX_NOTE = 200
MAX_NAME = 80
MAX_PRICE = Decimal(10) ** 9
PLACES = 2
MAX_QUERY = 500


class ChangePromiseSchema(Schema):
    """A line's new date and why."""

    version = fields.Integer(required=True, validate=validate.Range(min=1))
    promised_on = fields.Date(required=True)
    reason_code = fields.String(
        required=True,
        error_messages={"required": Message("Choose a reason.")},  # type: ignore[dict-item]
    )
    text = fields.String(load_default="", validate=validate.Length(max=MAX_TEXT))
    replaces = fields.Integer(load_default=None)


class DecideRequestSchema(Schema):
    """Whether a later day is approved, and why not."""

    approved = fields.Boolean(required=True)
    text = fields.String(load_default="", validate=validate.Length(max=MAX_TEXT))


class AnswerNoticeSchema(Schema):
    """What a customer chooses about a later day; ``qty`` and ``on`` as they were shown to him."""

    choice = fields.Enum(Choice, by_value=True, required=True)
    qty = Number(load_default=None)
    on = fields.Date(load_default=None)
    text = fields.String(load_default="", validate=validate.Length(max=MAX_ANSWER))


class TakeCareSchema(Schema):
    """Who is in charge of an order from now on, and a note for colleagues."""

    user_id = fields.Integer(load_default=None, allow_none=True)
    text = fields.String(load_default="", validate=validate.Length(max=MAX_NOTE))


class FirmSchema(Schema):
    """Which supply (kind, number and site with bars between), how many pieces of it, and why."""

    supply = fields.String(required=True, validate=validate.Regexp(r"^[a-z_]+\|[^|]*\|[^|]+$"))
    qty = fields.String(required=True, validate=validate.Length(max=20))
    reason = fields.String(load_default="", validate=validate.Length(max=MAX_TEXT))


class SaveViewSchema(Schema):
    """A view's name, what it shows, and who else may see it."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=MAX_NAME))
    query = fields.String(load_default="", validate=validate.Length(max=MAX_QUERY))
    shared = fields.Boolean(load_default=False, truthy={"yes"}, falsy={""})


class SaveScenarioSchema(Schema):
    """A scenario's name and who else may see it."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=MAX_NAME))
    shared = fields.Boolean(load_default=False, truthy={"yes"}, falsy={""})


def _at_most_two_places(value: Decimal) -> None:
    if value != round(value, PLACES):
        raise ValidationError([Message("At most %(places)s decimal places.", places=PLACES)])


def _number(largest: Decimal) -> Number:
    bounds: list[Callable[[Decimal], object]] = [
        validate.Range(min=0),
        validate.Range(max=largest),
        _at_most_two_places,
    ]
    return Number(load_default=None, validate=bounds)


class PricesSchema(Schema):
    """What measures and lateness cost; what is left empty nobody knows."""

    hour = _number(MAX_PRICE)
    day = _number(MAX_PRICE)
    penalty_pct = _number(Decimal(100))
    penalty_most_pct = _number(Decimal(100))


class AllocationSchema(Schema):
    """Supply kept for a class of customers, or the most that it gets."""

    kind = fields.Enum(AllocationKind, by_value=True, required=True)
    site_code = fields.String(required=True, validate=validate.Length(min=1, max=MAX_NAME))
    customer_class = fields.String(required=True, validate=validate.OneOf(CLASSES))
    qty = Number(required=True, validate=validate.Range(min=0, max=MOST_QTY))
    first_on = fields.Date(required=True)
    last_on = fields.Date(required=True)


class ProposeSchema(Schema):
    """What a proposal is called."""

    name = fields.String(required=True, validate=validate.Length(min=1, max=MAX_NAME))


class DecideTaskSchema(Schema):
    """What became of a proposed measure."""

    state = fields.Enum(TaskState, by_value=True, required=True)
