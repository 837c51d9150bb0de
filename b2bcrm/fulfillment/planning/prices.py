"""What measures cost, and what lateness costs. Pure; amounts are base currency."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from b2bcrm.fulfillment.planning.measures import Measure, Move, Overtime


@dataclass(frozen=True)
class Prices:
    """``hour`` of overtime; ``day`` by which a purchase order comes earlier, calendar days.

    A line owes ``penalty_pct`` of its open value per working day late, ``penalty_most_pct`` at
    most. None: nobody has said, and nothing is priced with it.
    """

    hour: Decimal | None = None
    day: Decimal | None = None
    penalty_pct: Decimal | None = None
    penalty_most_pct: Decimal | None = None

    def of(
        self,
        measure: Measure,
        due: Mapping[str, dt.date],
        open_days: Callable[[str, dt.date, dt.date], int],
    ) -> Decimal | None:
        """Price of a measure; None where it has none or nobody knows it.

        ``due``: the last day of each open purchase order; ``open_days(centre, first, last)``.
        """
        match measure:
            case Move() if self.day is not None and measure.no in due:
                return self.day * max(0, (due[measure.no] - measure.on).days)
            case Overtime() if self.hour is not None:
                days = open_days(measure.center, measure.first, measure.last)
                return self.hour * measure.hours * days
        return None

    def penalty(self, value: Decimal, days: int) -> Decimal | None:
        """Owed for a line worth ``value`` that comes ``days`` working days late."""
        if self.penalty_pct is None:
            return None
        pct = self.penalty_pct * days
        return (
            value
            * (pct if self.penalty_most_pct is None else min(pct, self.penalty_most_pct))
            / 100
        )


@dataclass(frozen=True)
class Way:
    """One measure that makes the chosen line earlier by ``gained`` days; its price if known."""

    measure: Measure
    gained: int
    price: Decimal | None

    @property
    def price_per_day(self) -> Decimal | None:
        """Price of each day gained."""
        return None if self.price is None else self.price / self.gained
