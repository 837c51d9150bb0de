"""Exact money: amounts with a currency, unit prices with six places, one rounding rule.

Rounding is half up to the currency's minor unit (ISO 4217 digits; TWD is quoted without
decimals, as its users do). A total is the sum of rounded lines (EN 16931, BR-CO-10).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.words import Message

MINOR_DIGITS = {"TWD": 0, "JPY": 0, "KRW": 0, "VND": 0, "CNY": 2, "EUR": 2, "USD": 2, "GBP": 2}
PRICE_PLACES = 6
MAX_AMOUNT = Decimal(10) ** 12


def digits(currency: str) -> int:
    """Decimal places of a currency's amounts; 2 where we know nothing else."""
    return MINOR_DIGITS.get(currency, 2)


def round_to(value: Decimal, places: int) -> Decimal:
    """``value`` rounded half up to ``places`` decimals."""
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, order=False)
class Money:
    """An amount in one currency, already rounded to its minor unit."""

    amount: Decimal
    currency: str

    @classmethod
    def of(cls, value: Decimal, currency: str) -> Money:
        """``value`` rounded to the currency's digits. Raises Invalid beyond 10^12."""
        if not value.is_finite() or abs(value) >= MAX_AMOUNT:
            raise Invalid(Message("The amount is too large."), code="amount_range")
        return cls(round_to(value, digits(currency)), currency)

    @classmethod
    def zero(cls, currency: str) -> Money:
        """Nothing, in ``currency``."""
        return cls.of(Decimal(0), currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise TypeError(f"cannot mix {self.currency} and {other.currency}")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def times(self, factor: Decimal) -> Money:
        """The amount times a factor, rounded once."""
        return Money.of(self.amount * factor, self.currency)

    def to(self, currency: str, rate: Decimal) -> Money:
        """Converted at ``rate`` (units of ``currency`` for one unit of ours)."""
        return Money.of(self.amount * rate, currency)

    def split(self, weights: Sequence[Decimal]) -> list[Money]:
        """Parts in proportion to ``weights`` that always add up to the whole.

        Largest remainder; with no positive weight the parts are equal.
        """
        if not weights:
            return []
        total = sum(weights, Decimal(0))
        shares = list(weights) if total > 0 else [Decimal(1)] * len(weights)
        total = total if total > 0 else Decimal(len(weights))
        unit = Decimal(1).scaleb(-digits(self.currency))
        exact = [self.amount * share / total for share in shares]
        parts = [part.quantize(unit, rounding=ROUND_DOWN) for part in exact]
        left = int((self.amount - sum(parts, Decimal(0))) / unit)
        step = unit if left >= 0 else -unit
        order = sorted(range(len(parts)), key=lambda i: (-abs(exact[i] - parts[i]), i))
        for i in range(abs(left)):
            parts[order[i % len(order)]] += step
        return [Money(part, self.currency) for part in parts]


def total(amounts: Iterable[Money], currency: str) -> Money:
    """The sum of rounded amounts; zero in ``currency`` if there are none."""
    result = Money.zero(currency)
    for amount in amounts:
        result += amount
    return result


def line_net(unit_price: Decimal, qty: Decimal, discount_pct: Decimal, currency: str) -> Money:
    """Net of one line: price x quantity less discount, rounded once at the end."""
    return Money.of(unit_price * qty * (100 - discount_pct) / 100, currency)
