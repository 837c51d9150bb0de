"""Which lines are alike, from one delivery term down to one supplier and work centre. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from b2bcrm.fulfillment.planning.sureness import EARLIEST, WIDTH, day_of

LEADS = (25, 45)  # days from the promise to its day: short, usual, long
ENOUGH_ORDERS = 40.0  # of the family under the line's terms; with fewer no number is given
FAMILY_LEVEL = 1


@dataclass(frozen=True)
class Kind:
    """What is known of a line when it is promised. ``way`` names supplier and work centre."""

    incoterm: str
    whole: bool
    family: str
    lead_days: int
    way: str

    def paths(self) -> tuple[str, ...]:
        """Its groups, coarse to fine; each begins with the one before."""
        lead = sum(self.lead_days > border for border in LEADS)
        parts = (f"{self.incoterm}{'=' if self.whole else '+'}", self.family, str(lead), self.way)
        return tuple("/".join(parts[: n + 1]) for n in range(len(parts)))


@dataclass(frozen=True)
class Curve:
    """A stored curve."""

    orders: int
    shares: Sequence[Sequence[float]]


@dataclass(frozen=True)
class Sure:
    """Days by which half, 80 and 95 of 100 such lines come; None is later than any one seen."""

    days: tuple[dt.date | None, ...]
    orders: int


def sure(
    kind: Kind,
    curves: Mapping[str, Curve],
    levels: Mapping[str, Sequence[float]],
    *,
    promised_on: dt.date,
    not_by: dt.date,
) -> Sure | None:
    """How sure ``promised_on`` is, ``not_by`` being a day by which it is known not to come.

    None where the history is too short to say.
    """
    paths = kind.paths()
    known = curves.get(paths[FAMILY_LEVEL])
    if known is None or known.orders < ENOUGH_ORDERS or kind.family not in levels:
        return None
    curve = next(curves[path] for path in reversed(paths) if path in curves)
    row = [0.0] * WIDTH
    for error, share in curve.shares:
        row[int(error) - EARLIEST] = share
    after = weekdays_between(promised_on, not_by)
    found = [day_of(row, level, after) for level in levels[kind.family]]
    days = tuple(None if n is None else weekday_after(promised_on, n) for n in found)
    return None if days[0] is None else Sure(days, known.orders)


def before(promised_on: dt.date, projected_on: dt.date | None, today: dt.date) -> dt.date:
    """The last day by which an open line is known not to come.

    That is yesterday, and for a line that its documents show late the day before they say it comes.
    """
    late = projected_on is not None and projected_on > promised_on
    first = max(today, projected_on) if late and projected_on else today
    return first - dt.timedelta(days=1)


def weekdays_between(first: dt.date, last: dt.date) -> int:
    """Weekdays from ``first`` to ``last``; negative when that lies before."""
    return _weekday_number(last) - _weekday_number(first)


def weekday_after(day: dt.date, number: int) -> dt.date:
    """The weekday so many weekdays from ``day``; a weekend counts as its Monday."""
    weeks, rest = divmod(_weekday_number(day) + number, 5)
    return dt.date.fromordinal(1 + weeks * 7 + rest)


def _weekday_number(day: dt.date) -> int:
    """Weekdays before ``day`` since 1 January of the year 1, a Monday."""
    weeks, rest = divmod(day.toordinal() - 1, 7)
    return weeks * 5 + min(rest, 5)
