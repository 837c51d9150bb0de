"""An order's life. Read this first.

Three questions that other systems mix into one status are kept apart:
what did people decide (``OrderState``, stored), how far is it (``stage``, derived from exact
quantities), does the ERP know (``ErpSync``, written by the delivery handler). A hold is a field
with a reason, not a state: releasing it returns to where the order was.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from b2bcrm.kernel.errors import IllegalAct
from b2bcrm.kernel.words import Message


class OrderState(enum.StrEnum):
    """What people decided."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CONFIRMED = "confirmed"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class Act(enum.StrEnum):
    """What people can do to an order."""

    SUBMIT = "submit"
    CONFIRM = "confirm"
    AMEND = "amend"
    CLOSE = "close"
    CANCEL = "cancel"
    REOPEN = "reopen"


class ErpSync(enum.StrEnum):
    """Whether the ERP knows; NONE before confirmation.

    LEFT_OUT: a person has decided that it is not sent any more.
    """

    NONE = "none"
    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    LEFT_OUT = "left_out"


S, C, Y = "sales", "customer", "system"

_D, _B, _F = OrderState.DRAFT, OrderState.SUBMITTED, OrderState.CONFIRMED
TRANSITIONS: tuple[tuple[OrderState, Act, OrderState, frozenset[str]], ...] = (
    (_D, Act.SUBMIT, _B, frozenset({S, C, Y})),
    (_D, Act.AMEND, _D, frozenset({S})),
    (_D, Act.CANCEL, OrderState.CANCELLED, frozenset({S})),
    (_B, Act.CONFIRM, _F, frozenset({S, Y})),
    (_B, Act.AMEND, _B, frozenset({S})),
    (_B, Act.CANCEL, OrderState.CANCELLED, frozenset({S})),
    (_F, Act.AMEND, _F, frozenset({S})),
    (_F, Act.CANCEL, OrderState.CANCELLED, frozenset({S, Y})),
    (_F, Act.CLOSE, OrderState.CLOSED, frozenset({S, Y})),
    (OrderState.CLOSED, Act.REOPEN, _F, frozenset({Y})),
)
# Nothing more is to come. No person leaves these; the system reopens what the ERP takes back.
OPEN_ORDERS = (OrderState.SUBMITTED, OrderState.CONFIRMED)  # with us, and not ended
FINAL = frozenset({OrderState.CLOSED, OrderState.CANCELLED})


def after(state: OrderState, act: Act) -> OrderState:
    """The state that ``act`` leads to; IllegalAct where the table has no such row."""
    for from_state, row_act, to_state, _who in TRANSITIONS:
        if (from_state, row_act) == (state, act):
            return to_state
    raise IllegalAct(
        Message("An order that is %(state)s cannot be changed this way.", state=STATE_WORDS[state])
    )


def acts(state: OrderState, who: str) -> frozenset[Act]:
    """The acts open to ``who`` (sales, customer, system) in ``state``: for buttons."""
    return frozenset(a for s, a, _to, allowed in TRANSITIONS if s == state and who in allowed)


class Stage(enum.StrEnum):
    """The eight stages of the life line."""

    INQUIRY = "inquiry"
    QUOTE = "quote"
    ORDER = "order"
    MATERIAL = "material"
    PRODUCTION = "production"
    SHIPPING = "shipping"
    DELIVERED = "delivered"
    SERVICE = "service"


class Status(enum.StrEnum):
    """Colour and shape of a line or an order."""

    OK = "ok"
    RISK = "risk"
    LATE = "late"
    DONE = "done"


@dataclass(frozen=True)
class LineFacts:
    """What ``stage`` and ``status`` look at. Quantities in the line's unit.

    ``ordered_qty`` is without what was closed short: what is still to come or has come.
    ``material_share`` is 0..1 of the parts on hand; ``buffer_days`` are working days from the
    projected to the promised date; ``waits`` says what else it waits for.
    """

    state: OrderState
    ordered_qty: Decimal
    produced_qty: Decimal = Decimal(0)
    shipped_qty: Decimal = Decimal(0)
    delivered_qty: Decimal = Decimal(0)
    material_share: Decimal = Decimal(0)
    promised_on: dt.date | None = None
    projected_on: dt.date | None = None
    buffer_days: int | None = None
    waits: Message | None = None


RISK_BUFFER_DAYS = 2
ON_HOLD, ASKS = Message("On hold"), Message("The customer asks")


def stage(line: LineFacts) -> Stage:
    """How far the line is, from exact quantities; never from rounded percents."""
    if line.delivered_qty >= line.ordered_qty:
        return Stage.DELIVERED
    if line.produced_qty >= line.ordered_qty or line.shipped_qty > 0:
        return Stage.SHIPPING
    if line.state not in (OrderState.CONFIRMED, OrderState.CLOSED):
        return Stage.ORDER
    if line.produced_qty > 0 or line.material_share >= 1:
        return Stage.PRODUCTION
    return Stage.MATERIAL


def status(line: LineFacts, today: dt.date) -> tuple[Status, Message]:
    """ok, risk, late or done, with the reason in words. The one rule for all pages."""
    if line.state in FINAL or line.delivered_qty >= line.ordered_qty:
        return Status.DONE, Message("Done")
    if line.promised_on is None:
        return Status.RISK, Message("No promise yet")
    if (late := _lateness(line, line.promised_on, today)) is not None:
        return Status.LATE, late
    risk = _risk(line)
    return (Status.OK, Message("On track")) if risk is None else (Status.RISK, risk)


def _lateness(line: LineFacts, promised_on: dt.date, today: dt.date) -> Message | None:
    if line.projected_on is not None and line.projected_on > promised_on:
        days = -(line.buffer_days or 0)
        return Message("Late %(days)s wd", days=days) if days > 0 else Message("Late")
    return Message("Past its date") if promised_on < today else None


def _risk(line: LineFacts) -> Message | None:
    if line.waits or line.buffer_days is None or line.buffer_days >= RISK_BUFFER_DAYS:
        return line.waits
    if line.buffer_days == 0:
        return Message("No buffer")
    return Message("Buffer %(days)s wd", days=line.buffer_days)


def last_of_all(days: Iterable[dt.date | None]) -> dt.date | None:
    """The date of what comes as a whole: the last; None while one of the days is not known."""
    found = list(days)
    known = [day for day in found if day is not None]
    return max(known) if known and len(known) == len(found) else None


STATE_WORDS = {
    OrderState.DRAFT: Message("draft"),
    OrderState.SUBMITTED: Message("submitted"),
    OrderState.CONFIRMED: Message("confirmed"),
    OrderState.CLOSED: Message("closed"),
    OrderState.CANCELLED: Message("cancelled"),
}
STAGE_WORDS = {
    Stage.INQUIRY: Message("Inquiry"),
    Stage.QUOTE: Message("Quote"),
    Stage.ORDER: Message("Order"),
    Stage.MATERIAL: Message("Material"),
    Stage.PRODUCTION: Message("Production"),
    Stage.SHIPPING: Message("Shipping"),
    Stage.DELIVERED: Message("Delivered"),
    Stage.SERVICE: Message("Service"),
}
