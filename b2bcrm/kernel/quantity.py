"""Exact quantities: four decimal places and a unit of measure, whole units enforced.

Codes follow UN/ECE Recommendation 20 in meaning; people see the short words pcs, set, kg, m.
"""

from __future__ import annotations

from decimal import Decimal

from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.words import Message

QTY_PLACES = 4
MAX_QTY = Decimal(10_000_000)
WHOLE_UNITS = frozenset({"pcs", "set"})


def parse_qty(text: str, unit: str = "pcs") -> Decimal:
    """A positive quantity typed by a person.

    Raises Invalid with a sentence for no number, too many places, zero, or too large.
    """
    cleaned = text.strip().replace(",", "")
    try:
        value = Decimal(cleaned)
    except ArithmeticError:
        raise Invalid(Message("This is not a number."), code="qty_number") from None
    return check_qty(value, unit)


def check_qty(value: Decimal, unit: str = "pcs") -> Decimal:
    """``value`` if it is a quantity one can order in ``unit``; raises Invalid otherwise."""
    if not value.is_finite():
        raise Invalid(Message("This is not a number."), code="qty_number")
    if value <= 0:
        raise Invalid(Message("The quantity must be greater than zero."), code="qty_zero")
    if value > MAX_QTY:
        raise Invalid(Message("The quantity is too large."), code="qty_range")
    places = 0 if unit.lower() in WHOLE_UNITS else QTY_PLACES
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > places:
        if places == 0:
            raise Invalid(Message("Whole pieces only."), code="qty_places")
        raise Invalid(
            Message("At most %(places)s decimal places.", places=places), code="qty_places"
        )
    return value.normalize() + 0 if value == value.to_integral_value() else value


UNIT_WORDS = {
    "pcs": Message("pcs"),
    "set": Message("set"),
    "kg": Message("kg"),
    "m": Message("m"),
    "day": Message("day"),
}


def unit_word(code: str) -> Message | str:
    """The short word of a unit of measure; a code we do not know stands for itself.

    The ERP writes PCS, people pcs.
    """
    return UNIT_WORDS.get(code.lower(), code)
