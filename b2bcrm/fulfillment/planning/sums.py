"""Rows added up to the sheets that ``planning.figures`` reads. Pure; every sum is exact.

There is one sheet per kind, site and code. For each family ``orders`` (totals, first promises by
day, days lost, the first short parts) and ``parts`` (all short parts, where there are more); for
all together ``weeks`` (open lines by week and family); for each work centre ``load`` (hours by
week). Which work orders can start is in two more per site (``planning.clearing``). Site 0 is every
site, code "" every family or the busiest work centre. An order counts with each family that it has
in a line.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, NamedTuple

from b2bcrm.fulfillment.planning.figures import LOAD_WEEKS, Period, Sheet, monday
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.orders.lifecycle import Status

ALL_SITES = 0
ALL_FAMILIES = BUSIEST = ""
FIRST_PARTS, MOST_PARTS = 6, 200
HOURS = 10**10  # hours per piece have six decimal places, pieces four
DAYS_OF_WEEK = 7


class SheetKey(NamedTuple):
    """Which sheet."""

    kind: str
    site_id: int = ALL_SITES
    code: str = ""


@dataclass
class Sheets:
    """Sheets of one run or of several; ``computed_at`` is the oldest projection of each."""

    data: dict[SheetKey, Sheet] = field(default_factory=dict)
    computed_at: dict[SheetKey, dt.datetime | None] = field(default_factory=dict)

    def add(self, key: SheetKey, data: Sheet, computed_at: dt.datetime | None) -> None:
        """Put a sheet among the others."""
        self.data[key], self.computed_at[key] = data, computed_at


@dataclass(frozen=True)
class OpenOrder:
    """An order that is not done; ``value`` in ten-thousandths of the base currency."""

    site_id: int
    status: Status
    cause_kind: str
    value: int
    computed_at: dt.datetime
    families: set[str]

    def scopes(self) -> list[tuple[int, str]]:
        """The (site, family) pairs that it counts for."""
        families = {ALL_FAMILIES} | self.families
        return [(site, family) for site in (ALL_SITES, self.site_id) for family in families]


class OpenLine(NamedTuple):
    """An open line of a family at a site that is promised for a day."""

    site_id: int
    family: str
    promised_on: dt.date
    status: Status


class FirstPromises(NamedTuple):
    """Lines of a family at a site first promised for a day, and how many are on time."""

    site_id: int
    family: str
    day: dt.date
    good: int
    total: int


class LateLine(NamedTuple):
    """A line of a family at a site that comes, or came on a day, after its first promise.

    ``lost`` are its working days after that by kind of place (``planning.lateness``).
    """

    site_id: int
    family: str
    came_on: dt.date | None
    lost: Mapping[str, int]


class Short(NamedTuple):
    """A part that comes too late for a line of an order; ``qty`` in ten-thousandths."""

    order_id: int
    item_no: str
    item_name: str
    document_no: str
    qty: int
    need_on: dt.date
    supply_on: dt.date
    slip_days: int
    supplier_no: str = ""
    supplier: str = ""


def order_sheets(
    orders: Mapping[int, OpenOrder],
    lines: Iterable[OpenLine],
    days: Iterable[FirstPromises],
    shorts: Iterable[Short],
    late: Iterable[LateLine],
    *,
    today: dt.date,
) -> Sheets:
    """The sheets of orders, parts and weeks."""
    found = Sheets()
    for (site, family), sheet in _totals(orders, found).items():
        found.data[SheetKey("orders", site, family)] = sheet
    for scope, rows in _days(days).items():
        found.data.setdefault(SheetKey("orders", *scope), {})["days"] = rows
    for scope, periods in _lost(late, today).items():
        found.data.setdefault(SheetKey("orders", *scope), {})["lost"] = periods
    for scope, (rows, held_up) in _parts(orders, shorts).items():
        sheet = found.data[SheetKey("orders", *scope)]
        sheet |= {"first": rows[:FIRST_PARTS], "parts": len(rows), "held_up": held_up}
        if len(rows) > FIRST_PARTS:
            found.data[SheetKey("parts", *scope)] = {"rows": rows[:MOST_PARTS]}
    for site, cells in _weeks(lines).items():
        found.data[SheetKey("weeks", site)] = {"weeks": cells}
    return found


def _totals(orders: Mapping[int, OpenOrder], found: Sheets) -> dict[tuple[int, str], Sheet]:
    sums: dict[tuple[int, str], dict[tuple[str, str], list[int]]]
    sums = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for order in orders.values():
        for scope in order.scopes():
            cell = sums[scope][order.status.value, order.cause_kind]
            cell[0] += 1
            cell[1] += order.value
            key = SheetKey("orders", *scope)
            oldest = found.computed_at.get(key) or order.computed_at
            found.computed_at[key] = min(oldest, order.computed_at)
    return {
        scope: {"totals": [[*key, *cells[key]] for key in sorted(cells)]}
        for scope, cells in sums.items()
    }


def _days(days: Iterable[FirstPromises]) -> dict[tuple[int, str], list[list[Any]]]:
    sums: dict[tuple[int, str], dict[str, list[int]]]
    sums = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for row in days:
        for site in (ALL_SITES, row.site_id):
            for family in {ALL_FAMILIES, row.family}:
                cell = sums[site, family][row.day.isoformat()]
                cell[0] += row.good
                cell[1] += row.total
    return {scope: [[day, *cells[day]] for day in sorted(cells)] for scope, cells in sums.items()}


def _lost(
    late: Iterable[LateLine], today: dt.date
) -> dict[tuple[int, str], dict[str, list[list[Any]]]]:
    """Per site and family, by period: kind, days and how many lines, most days first."""
    sums: dict[tuple[int, str], dict[Period, dict[str, list[int]]]]
    sums = defaultdict(lambda: defaultdict(lambda: defaultdict(lambda: [0, 0])))
    for line in late:
        periods = [one for one in Period if _falls_in(line, one.since(today))]
        for site in (ALL_SITES, line.site_id):
            for family in {ALL_FAMILIES, line.family}:
                for period in periods:
                    for kind, days in line.lost.items():
                        cell = sums[site, family][period][kind]
                        cell[0] += days
                        cell[1] += 1
    return {
        scope: {
            period: sorted(([kind, *cell] for kind, cell in kinds.items()), key=_most_days)
            for period, kinds in periods.items()
        }
        for scope, periods in sums.items()
    }


def _falls_in(line: LateLine, since: dt.date | None) -> bool:
    if line.came_on is None or since is None:
        return line.came_on is None and since is None
    return line.came_on >= since


def _most_days(row: list[Any]) -> tuple[int, str]:
    kind, days, _ = row
    return -days, kind


def _weeks(lines: Iterable[OpenLine]) -> dict[int, list[list[Any]]]:
    """Per site: family, Monday, how many open lines, how many at risk, how many late."""
    sums: dict[int, dict[tuple[str, str], list[int]]]
    sums = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for row in lines:
        week = monday(row.promised_on).isoformat()
        for site in (ALL_SITES, row.site_id):
            cell = sums[site][row.family, week]
            cell[0] += 1
            cell[1] += row.status is Status.RISK
            cell[2] += row.status is Status.LATE
    return {site: [[*key, *cells[key]] for key in sorted(cells)] for site, cells in sums.items()}


def _parts(
    orders: Mapping[int, OpenOrder], shorts: Iterable[Short]
) -> dict[tuple[int, str], tuple[list[list[Any]], int]]:
    """Per site and family: parts with what they hold up, the dearest first; how many orders."""
    per_order: dict[tuple[str, str, int], list[Short]] = defaultdict(list)
    for short in shorts:
        if short.order_id in orders:  # else it came after the orders were read
            per_order[short.item_no, short.document_no, short.order_id].append(short)
    groups: dict[tuple[int, str], dict[tuple[str, str], list[list[Short]]]]
    groups = defaultdict(lambda: defaultdict(list))
    held_up: dict[tuple[int, str], set[int]] = defaultdict(set)
    for (item_no, document_no, order_id), rows in per_order.items():
        for scope in orders[order_id].scopes():
            groups[scope][item_no, document_no].append(rows)
            held_up[scope].add(order_id)
    return {
        scope: (_dearest_first(_part(rows, orders) for rows in parts.values()), len(held_up[scope]))
        for scope, parts in groups.items()
    }


def _part(per_order: list[list[Short]], orders: Mapping[int, OpenOrder]) -> list[Any]:
    rows = [row for rows in per_order for row in rows]
    held_up = [orders[rows[0].order_id] for rows in per_order]
    return [
        rows[0].item_no,
        rows[0].item_name,
        rows[0].document_no,
        sum(row.qty for row in rows),
        min(row.need_on for row in rows).isoformat(),
        max(row.supply_on for row in rows).isoformat(),
        max(row.slip_days for row in rows),
        len(held_up),
        sum(order.value for order in held_up),
        any(order.status is Status.LATE for order in held_up),
        rows[0].supplier_no,
        rows[0].supplier,
    ]


def _dearest_first(rows: Iterable[list[Any]]) -> list[list[Any]]:
    return sorted(rows, key=lambda row: (not row[9], -row[8], row[0], row[2]))


@dataclass(frozen=True)
class Center:
    """A work centre; ``hours_per_day`` in ten-thousandths. ``site_id`` 0: at no known site."""

    code: str
    site_id: int
    hours_per_day: int
    calendar: WorkCalendar


class OpenHours(NamedTuple):
    """Hours, in units of 1 / ``HOURS``, that operations planned for the same days still need.

    ``pieces`` leaves their set-up out.
    """

    center: str
    start_on: dt.date
    end_on: dt.date
    hours: int
    pieces: int


def load_sheets(
    centers: Iterable[Center], operations: Iterable[OpenHours], today: dt.date
) -> Sheets:
    """The sheets of load: the coming weeks of each work centre, and of the busiest per site.

    Hours are spread evenly over the planned working days. What should have been done before
    today counts today. Busiest is who has most open hours per hour of its day.
    """
    by_center: dict[str, list[OpenHours]] = defaultdict(list)
    for row in operations:
        by_center[row.center].append(row)
    calendars: dict[str, _WorkingDays] = {}
    found, most = Sheets(), dict[int, Fraction]()
    for center in sorted(centers, key=lambda center: center.code):
        days = calendars.setdefault(center.calendar.code, _WorkingDays(center.calendar, today))
        rows = by_center[center.code]
        needed = _spread(rows, days)
        weeks = [
            [round(needed[n] * 10 / HOURS), center.hours_per_day * days.in_week(n)]
            for n in range(LOAD_WEEKS)
        ]
        sheet = {"center": center.code, "weeks": weeks}
        busy = Fraction(sum(row.pieces for row in rows), center.hours_per_day or 1)
        for site in {ALL_SITES, center.site_id}:
            found.data[SheetKey("load", site, center.code)] = sheet
            if site not in most or busy > most[site]:
                most[site] = busy
                found.data[SheetKey("load", site, BUSIEST)] = sheet
    return found


class _WorkingDays:
    """How many working days lie between days counted from today; looked up once per calendar."""

    def __init__(self, calendar: WorkCalendar, today: dt.date) -> None:
        self._calendar, self.today = calendar, today
        self._before = [0]  # working days from today to before the n-th day from today

    def between(self, first: int, last: int) -> int:
        """Working days from the ``first`` to the ``last`` day from today, both counted."""
        while len(self._before) < last + 2:
            day = self.today + dt.timedelta(days=len(self._before) - 1)
            self._before.append(self._before[-1] + self._calendar.is_working(day))
        return 0 if last < first else self._before[last + 1] - self._before[first]

    def week(self, n: int) -> tuple[int, int]:
        """The first and last day from today of the n-th week, the current one being 0."""
        end = DAYS_OF_WEEK * (n + 1) - self.today.weekday() - 1
        return max(0, end - DAYS_OF_WEEK + 1), end

    def in_week(self, n: int) -> int:
        """Working days of the n-th week, from today on."""
        return self.between(*self.week(n))


def _spread(rows: Iterable[OpenHours], days: _WorkingDays) -> list[Fraction]:
    """Hours per week, in units of 1 / ``HOURS``."""
    shares: list[dict[int, int]] = [defaultdict(int) for _ in range(LOAD_WEEKS)]
    for row in rows:
        begin = max(0, (row.start_on - days.today).days)
        last = max(begin, (row.end_on - days.today).days)
        count = days.between(begin, last)
        week = (begin + days.today.weekday()) // DAYS_OF_WEEK
        if count == 0 and week < LOAD_WEEKS:  # no working day at all: the day it begins
            shares[week][1] += row.hours
            continue
        while week < LOAD_WEEKS and (spot := days.week(week))[0] <= last:
            inside = days.between(max(begin, spot[0]), min(last, spot[1]))
            shares[week][count] += row.hours * inside
            week += 1
    return [
        sum((Fraction(hours, count) for count, hours in week.items()), Fraction(0))
        for week in shares
    ]
