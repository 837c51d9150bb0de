"""What a scenario stands on: today's plan, and what its names mean to people. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from b2bcrm.fulfillment.planning.engine.matching import Planned

REST = " rest"  # of a line that a scenario splits


@dataclass(frozen=True)
class Ground:
    """``lines``: order line of each of the plan's lines, where one is.

    ``values`` and customers' ``classes`` per order line. ``pegged``: documents that are no free
    supply of the plan. ``complete``: order lines that are delivered with their whole order.
    """

    plan: Planned
    made_on: dt.date
    scales: Mapping[str, int]
    lines: Mapping[str, str]
    values: Mapping[str, Decimal]
    pegged: frozenset[str] = frozenset()
    classes: Mapping[str, str] = field(default_factory=dict)
    complete: frozenset[str] = frozenset()

    def day(self, on: dt.date) -> int:
        """The plan's day of a date."""
        return (on - self.made_on).days

    def date(self, day: int | None) -> dt.date | None:
        """The inverse of ``day``."""
        return None if day is None else self.made_on + dt.timedelta(days=day)

    def names_of(self, key: str) -> list[str]:
        """The plan's lines behind an order line."""
        return [name for name, line in self.lines.items() if line == key]

    def key_of(self, name: str) -> str:
        """The order line behind one of the plan's lines, or behind the rest of one; else empty."""
        return self.lines.get(name.removesuffix(REST), "")
