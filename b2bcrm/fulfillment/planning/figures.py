"""What the board shows of all rows together, and how it is read from a sheet of sums. Pure.

A sheet holds what JSON can hold; ``planning.sums`` makes it. Days are ISO dates, money and
quantities whole numbers of ten-thousandths as the database keeps them.

On time, in full: the share of order lines delivered completely by their first promised date. A
line counts in the week of its first promise; a later promise does not move it (FU10). It is on
time when the whole ordered quantity arrived by that day: at the customer for D-terms, handed
over to the carrier for all others. Open lines whose day has passed are not on time.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from b2bcrm.orders.lifecycle import Status

Sheet = dict[str, Any]

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)
PAST_WEEKS = 4
YEAR_WEEKS = 52
SPARK_WEEKS = 8
LOAD_WEEKS = 12
FEWEST_LINES = 5  # received, below which a supplier's reliability is not told
ROUNDS = 200  # drawn for the odds of the coming weeks
PLACES = 4


def monday(day: dt.date) -> dt.date:
    """The first day of the ISO week of ``day``."""
    return day - dt.timedelta(days=day.weekday())


def days_of(week: dt.date, today: dt.date) -> tuple[dt.date, dt.date]:
    """First and last promised day that a cell counts: past ones stand in the current week."""
    first = dt.date.min if week <= monday(today) else week
    return first, week + WEEK - DAY


def _exact(value: int) -> Decimal:
    return Decimal(value).scaleb(-PLACES)


class Period(enum.StrEnum):
    """Which lines' lost days are summed: those still to come, or those that came lately."""

    COMING = "coming"
    MONTH = "month"
    YEAR = "year"

    def since(self, today: dt.date) -> dt.date | None:
        """From which day on lines came; None for those that have not."""
        weeks = {Period.MONTH: PAST_WEEKS, Period.YEAR: YEAR_WEEKS}
        return today - WEEK * weeks[self] if self in weeks else None


class Lost(NamedTuple):
    """Working days after their first promises that ``lines`` lost at one kind of place."""

    kind: str
    days: int
    lines: int


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Open orders in the horizon-free whole; money in base currency. ``causes`` count orders."""

    orders: int
    value: Decimal
    late: int
    risk: int
    troubled_value: Decimal
    causes: dict[str, int] = field(hash=False)


def totals(sheet: Sheet) -> Totals:
    """Counts and values of open orders by status, and the causes of the troubled ones."""
    counts: dict[str, int] = defaultdict(int)
    values: dict[str, int] = defaultdict(int)
    causes: dict[str, int] = defaultdict(int)
    for status, cause, count, value in sheet.get("totals", ()):
        counts[status] += count
        values[status] += value
        if status != Status.OK:
            causes[cause] += count
    return Totals(
        orders=sum(counts.values()),
        value=_exact(sum(values.values())),
        late=counts[Status.LATE],
        risk=counts[Status.RISK],
        troubled_value=_exact(values[Status.LATE] + values[Status.RISK]),
        causes=dict(causes),
    )


def lost(sheet: Sheet, period: Period) -> tuple[Lost, ...]:
    """Where the lines of the period lost their days, most first."""
    return tuple(Lost(*row) for row in sheet.get("lost", {}).get(period, ()))


@dataclass(frozen=True)
class Share:
    """``good`` of ``total`` lines; no lines means no figure, not 100 %."""

    good: int
    total: int

    @property
    def pct(self) -> float | None:
        """In percent, None without lines."""
        return None if self.total == 0 else 100 * self.good / self.total


class Promised(NamedTuple):
    """A line ``<order>/<line>`` first promised for a coming day; ``good``: projected to keep it."""

    line: str
    on: dt.date
    good: bool


class Coming(NamedTuple):
    """Percent of ``lines`` on time: nine, five and one of ten rounds are at least as good."""

    lines: int
    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Otif:
    """The past weeks' share, the one before it, the coming weeks' as projected, one per week.

    ``coming`` are the odds of the coming weeks, where the night could draw them.
    """

    past: Share
    before: Share
    projected: Share
    weekly: tuple[tuple[dt.date, Share], ...]
    coming: Coming | None = None


def otif_window(today: dt.date) -> tuple[dt.date, dt.date]:
    """The first promises that count: from a day on, and before another."""
    return monday(today) - WEEK * SPARK_WEEKS, today + WEEK * PAST_WEEKS


def otif(sheet: Sheet, today: dt.date) -> Otif:
    """The past four weeks up to yesterday, and eight whole weeks for the spark."""
    days = {dt.date.fromisoformat(day): counts for day, *counts in sheet.get("days", ())}
    start, end = otif_window(today)
    edge = today - WEEK * PAST_WEEKS

    def share(first: dt.date, last: dt.date) -> Share:
        wanted = (first + DAY * n for n in range((last - first).days))
        inside = [days[day] for day in wanted if day in days]
        return Share(sum(good for good, _ in inside), sum(count for _, count in inside))

    weeks = (start + WEEK * n for n in range(SPARK_WEEKS))
    return Otif(
        past=share(edge, today),
        before=share(max(start, edge - WEEK * PAST_WEEKS), edge),
        projected=share(today, end),
        weekly=tuple((week, share(week, week + WEEK)) for week in weeks),
        coming=Coming(*odds) if (odds := sheet.get("coming")) else None,
    )


@dataclass(frozen=True)
class HeatCell:
    """Order lines promised in one week: all of them, those at risk, those late."""

    total: int
    risk: int
    late: int

    @property
    def troubled(self) -> int:
        """Late or at risk."""
        return self.risk + self.late

    @property
    def third_late(self) -> bool:
        """Whether a third or more are late."""
        return self.late * 3 >= self.total > 0


@dataclass(frozen=True)
class Heat:
    """Weeks by their Monday, families in use, and the cells that are not empty."""

    weeks: tuple[dt.date, ...]
    families: list[str]
    cells: dict[tuple[str, dt.date], HeatCell]


def heat(sheet: Sheet, today: dt.date, weeks: int) -> Heat:
    """Open lines by the week of their promise and family. Past promises stand in this week."""
    first = monday(today)
    shown = tuple(first + WEEK * n for n in range(weeks))
    sums: dict[tuple[str, dt.date], tuple[int, int, int]] = {}
    for family, day, total, risk, late in sheet.get("weeks", ()):
        week = max(first, dt.date.fromisoformat(day))
        if week <= shown[-1]:
            before = sums.get((family, week), (0, 0, 0))
            sums[family, week] = (before[0] + total, before[1] + risk, before[2] + late)
    return Heat(
        weeks=shown,
        families=sorted({family for family, _week in sums}),
        cells={key: HeatCell(*counts) for key, counts in sums.items()},
    )


@dataclass(frozen=True, kw_only=True)
class ShortRow:
    """A part that holds up orders; ``value`` in base currency."""

    item_no: str
    item_name: str
    document_no: str
    qty: Decimal
    need_on: dt.date
    supply_on: dt.date
    slip_days: int
    orders: int
    value: Decimal
    late: bool
    supplier: str = ""
    kept: int = 0
    came: int = 0

    @property
    def reliability(self) -> Decimal | None:
        """Percent of the supplier's lines of a year that came by his word; None: too few."""
        return Decimal(100 * self.kept) / self.came if self.came >= FEWEST_LINES else None


def short_rows(rows: list[list[Any]], suppliers: Mapping[str, tuple[int, int]]) -> list[ShortRow]:
    """Short parts as a sheet keeps them; lines kept and come of each supplier."""
    found = []
    for *values, supplier_no, supplier in rows:
        no, name, document, qty, need, supply, slip, orders, value, late = values
        kept, came = suppliers.get(supplier_no, (0, 0))
        found.append(
            ShortRow(
                item_no=no,
                item_name=name,
                document_no=document,
                qty=_exact(qty),
                need_on=dt.date.fromisoformat(need),
                supply_on=dt.date.fromisoformat(supply),
                slip_days=slip,
                orders=orders,
                value=_exact(value),
                late=late,
                supplier=supplier,
                kept=kept,
                came=came,
            )
        )
    return found


@dataclass(frozen=True)
class LoadWeek:
    """Hours of one week (its Monday); the current one counts from today on."""

    week: dt.date
    load: Decimal
    capacity: Decimal

    @property
    def within(self) -> Decimal:
        """What fits."""
        return min(self.load, self.capacity)

    @property
    def over(self) -> Decimal:
        """What does not."""
        return max(Decimal(0), self.load - self.capacity)


def load(sheet: Sheet, today: dt.date, weeks: int) -> tuple[str, list[LoadWeek]]:
    """The work centre of the sheet and its coming weeks; "" and none where there is no sheet."""
    first = monday(today)
    return sheet.get("center", ""), [
        LoadWeek(first + WEEK * n, Decimal(tenths).scaleb(-1), _exact(capacity))
        for n, (tenths, capacity) in enumerate(sheet.get("weeks", [])[:weeks])
    ]
