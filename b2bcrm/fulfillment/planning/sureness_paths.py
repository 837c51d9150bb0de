"""Which lines are alike, from one delivery term down to one supplier and work centre. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from b2bcrm.fulfillment.planning.sureness import EARLIEST, LEVELS, WIDTH, day_of
from b2bcrm.kernel.words import Message

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
class Told:
    """A promise about which is asked: made on ``told_on`` that the goods come on ``promised_on``.

    ``whole``: the order goes out in one delivery.
    """

    incoterm: str
    whole: bool
    family: str
    item_no: str
    told_on: dt.date
    promised_on: dt.date

    def kind(self, way: str) -> Kind:
        """Which lines are like it."""
        lead = (self.promised_on - self.told_on).days
        return Kind(self.incoterm, self.whole, self.family, lead, way)


@dataclass(frozen=True)
class Sure:
    """Days by which half, 80 and 95 of 100 such lines come; None is later than any one seen.

    ``chance`` of 100 come on the promised day or before; None once it is known not to.
    """

    days: tuple[dt.date | None, ...]
    orders: int
    chance: int | None = None

    def short(self) -> Message | None:
        """The chance in three words."""
        if self.chance is None:
            return None
        return Message("%(pct)s %% sure", pct=self.chance)

    def sentence(self) -> Message:
        """The days in words."""
        half, most, nearly_all = self.days
        facts = {"orders": self.orders, "half": half, "most": most, "all": nearly_all}
        if nearly_all is not None:
            return Message(
                "Of such lines 50 %% come by %(half)s, 80 %% by %(most)s and 95 %% by %(all)s"
                " (from %(orders)s orders).",
                **facts,
            )
        if most is not None:
            return Message(
                "Of such lines 50 %% come by %(half)s and 80 %% by %(most)s"
                " (from %(orders)s orders).",
                **facts,
            )
        return Message("Of such lines 50 %% come by %(half)s (from %(orders)s orders).", **facts)


TOO_FEW = Message("Too few promises like this one are known to say how sure the date is.")


def sure(
    told: Told,
    way: str,
    curves: Mapping[str, Curve],
    levels: Mapping[str, Sequence[float]],
    *,
    not_by: dt.date,
) -> Sure | None:
    """How sure a promise is, ``not_by`` being a day by which it is known not to come.

    None where the history is too short to say.
    """
    paths = told.kind(way).paths()
    known = curves.get(paths[FAMILY_LEVEL])
    if known is None or known.orders < ENOUGH_ORDERS or told.family not in levels:
        return None
    curve = next(curves[path] for path in reversed(paths) if path in curves)
    row = [0.0] * WIDTH
    for error, share in curve.shares:
        row[int(error) - EARLIEST] = share
    after = weekdays_between(told.promised_on, not_by)
    mine = levels[told.family]
    found = [day_of(row, level, after) for level in mine]
    days = tuple(None if n is None else weekday_after(told.promised_on, n) for n in found)
    if days[0] is None:
        return None
    return Sure(days, known.orders, None if after >= 0 else _chance(row, after, mine))


def _chance(row: Sequence[float], after: int, levels: Sequence[float]) -> int:
    """Of 100 lines that come after ``after``, those that come by the promised day, rounded down.

    Between the three levels that are set right the share of the curve is interpolated.
    """
    left = row[max(0, after + 1 - EARLIEST) :]
    early = sum(row[max(0, after + 1 - EARLIEST) : 1 - EARLIEST])
    share = early / sum(left)
    return min(99, int(100 * np.interp(share, (0.0, *levels, 1.0), (0.0, *LEVELS, 1.0))))


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
