"""Price lists: three lists in five currencies, with breaks by quantity. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal

from connectors.erp.twin.parts import Part
from connectors.erp.twin.people import RATES

LISTS = {"STD": Decimal(1), "KEY": Decimal("0.95"), "DST": Decimal("0.90")}
BREAKS = ((1, Decimal(1)), (25, Decimal("0.955")), (50, Decimal("0.944")), (100, Decimal("0.902")),
          (250, Decimal("0.865")))  # fmt: skip
_FROM_1 = {"SW": (1, 50, 100, 250), "PG": (1, 50, 100, 250), "SRV": (1,), "RT": (1, 25)}
_DEFAULT = (1, 25, 50, 100)


def minor(currency: str) -> Decimal:
    """The smallest amount of a currency that is written on a document."""
    return Decimal(1) if currency in {"TWD", "JPY"} else Decimal("0.01")


def rounded(amount: Decimal, currency: str) -> Decimal:
    """Half to even, to the currency's smallest amount."""
    return amount.quantize(minor(currency), ROUND_HALF_EVEN)


def breaks(part: Part, price_list: str, currency: str) -> list[tuple[int, Decimal]]:
    """(from quantity, unit price) of a part, rising quantities."""
    mins = _FROM_1.get(part.family, _DEFAULT)
    factor = LISTS[price_list] * RATES["EUR"] / RATES[currency]
    return [(n, rounded(part.euro * factor * f, currency)) for n, f in BREAKS if n in mins]


def price_for(part: Part, price_list: str, currency: str, qty: int) -> Decimal:
    """Unit price of the break that ``qty`` reaches."""
    return [price for n, price in breaks(part, price_list, currency) if n <= max(qty, 1)][-1]


def sellable(parts: Iterable[Part]) -> list[Part]:
    """The parts that have a price."""
    return [part for part in parts if part.sellable]
