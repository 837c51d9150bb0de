"""Who owns which field, and what follows when the two sides differ. Pure; read it first.

A difference is judged from three values: the base (what both sides were last known to agree on),
ours and theirs. Only one side moved: nobody is overwritten. Both moved: a person decides.
Values are canonical texts (``text_of``), so that 5, 5.0 and 5.00 are one value; None means that
a side does not say, which is neither empty nor different.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from decimal import Decimal

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import Entity


class Owner(enum.StrEnum):
    """Whose word counts for a field.

    ERP, CRM: that side's, always. AGREED: ours until the ERP has accepted the order, after that
    it changes only with both sides' consent. PROMISE: our word to the customer; another date in
    the ERP is its plan, never our promise.
    """

    ERP = "erp"
    CRM = "crm"
    AGREED = "agreed"
    PROMISE = "promise"


class Change(enum.StrEnum):
    """Which side moved away from the base."""

    NONE = "none"
    OURS = "ours"
    THEIRS = "theirs"
    BOTH = "both"


class Verdict(enum.StrEnum):
    """What follows: nothing, take theirs over, ask a person, or read their date as their plan."""

    KEEP = "keep"
    TAKE = "take"
    ASK = "ask"
    PLAN = "plan"


REFUSED_LATE = "confirmation"
"""Not a field: the ERP refused what it had said was done."""
WHOLE_RECORD = "*"
"""The owner of every field of an entity that has no row of its own."""

OWNERS: Mapping[Entity, Mapping[str, Owner]] = {
    Entity.CUSTOMER: {WHOLE_RECORD: Owner.ERP},  # addresses, terms, credit
    Entity.ITEM: {WHOLE_RECORD: Owner.ERP},  # costs too
    Entity.BOM: {WHOLE_RECORD: Owner.ERP},
    Entity.WORK_CENTER: {WHOLE_RECORD: Owner.ERP},
    Entity.STOCK: {WHOLE_RECORD: Owner.ERP},
    Entity.PURCHASE_ORDER: {WHOLE_RECORD: Owner.ERP},
    Entity.WORK_ORDER: {WHOLE_RECORD: Owner.ERP},
    Entity.SHIPMENT: {WHOLE_RECORD: Owner.ERP},
    Entity.INVOICE: {WHOLE_RECORD: Owner.ERP},
    Entity.PRICE: {WHOLE_RECORD: Owner.ERP},
    Entity.SALES_ORDER: {
        WHOLE_RECORD: Owner.ERP,  # shipped and invoiced quantities, its own dates
        "status": Owner.AGREED,
        "total": Owner.AGREED,
        "line": Owner.AGREED,  # whether the line is there at all
        "item": Owner.AGREED,
        "qty": Owner.AGREED,
        "uom": Owner.AGREED,
        "unit_price": Owner.AGREED,
        "discount_pct": Owner.AGREED,
        "ship_to": Owner.AGREED,
        "incoterm": Owner.AGREED,
        "incoterm_place": Owner.AGREED,
        "payment_terms": Owner.AGREED,
        "customer_po": Owner.CRM,
        REFUSED_LATE: Owner.CRM,
        "requested_on": Owner.CRM,
        "promised_on": Owner.PROMISE,
    },
}

WHY: Mapping[Owner, Message] = {
    Owner.ERP: Message("The ERP owns this field."),
    Owner.CRM: Message("This field is ours; the ERP only keeps a copy."),
    Owner.AGREED: Message("Agreed with the customer: it changes only by an amendment."),
    Owner.PROMISE: Message("The promise is our word; the ERP's date is its plan."),
}

FIELD_WORDS: Mapping[str, Message] = {
    "status": Message("State"),
    "total": Message("Total"),
    "line": Message("Line"),
    "item": Message("Item"),
    "qty": Message("Quantity"),
    "uom": Message("Unit"),
    "unit_price": Message("Unit price"),
    "discount_pct": Message("Discount"),
    "ship_to": Message("Ship-to"),
    "incoterm": Message("Incoterm"),
    "incoterm_place": Message("Incoterm place"),
    "payment_terms": Message("Payment terms"),
    "customer_po": Message("Customer's order number"),
    "requested_on": Message("Requested date"),
    "promised_on": Message("Promised date"),
    REFUSED_LATE: Message("Refused after it was taken in"),
}


def owner_of(entity: Entity, field: str) -> Owner:
    """Whose word counts for ``field``."""
    rows = OWNERS[entity]
    return rows.get(field, rows[WHOLE_RECORD])


def text_of(value: object) -> str | None:
    """The canonical text of a value: numbers without trailing zeros, dates in ISO form."""
    if value is None:
        return None
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value)


def change(bases: Iterable[str | None], ours: str | None, theirs: str | None) -> Change:
    """Which side moved. ``bases`` are values that the ERP is known to have had from us or shown.

    A side that does not say (None) has not moved. Without any base nobody can tell who moved,
    so both may have.
    """
    if ours == theirs or ours is None or theirs is None:
        return Change.NONE
    known = set(bases)
    if theirs in known:
        return Change.OURS
    return Change.THEIRS if ours in known else Change.BOTH


def verdict(owner: Owner, moved: Change, *, accepted: bool, born_there: bool = False) -> Verdict:
    """What follows from a difference.

    ``accepted``: the ERP has taken the order. ``born_there``: the order began in the ERP, where
    a change that we have not touched is simply the order's course.
    """
    if moved is Change.NONE:
        return Verdict.KEEP
    if owner is Owner.ERP:
        return Verdict.TAKE
    if moved is Change.OURS or (owner is Owner.AGREED and not accepted):
        return Verdict.KEEP
    if owner is Owner.PROMISE:
        return Verdict.PLAN
    return Verdict.TAKE if born_there and moved is Change.THEIRS else Verdict.ASK
