"""Telling the engine: the plant's rows as its facts, and what of them cannot be told. Pure.

Made is what has operations: each takes a day, its hours, and the first takes all components; an
item without operations takes its lead time. Where the rows of its bill change, it is another source
from that day on. Made items are ordered as many as are needed, bought ones at least a lot. A line
is planned to leave in time for its transit, on the day after its pieces are there.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from math import ceil, floor

from b2bcrm.fulfillment.planning.allocations import CLASSES, allocated
from b2bcrm.fulfillment.planning.atp import PURCHASE, STOCK, WORK
from b2bcrm.fulfillment.planning.bills import converts, factor, gross, spans, substitutes
from b2bcrm.fulfillment.planning.covering import open_demand, spread
from b2bcrm.fulfillment.planning.engine.book import Problem
from b2bcrm.fulfillment.planning.engine.records import (
    Bucket,
    Calendar,
    Component,
    Facts,
    Kind,
    Line,
    Load,
    Need,
    Operation,
    Part,
    Source,
    Supply,
    SupplyKind,
)
from b2bcrm.fulfillment.planning.plant import (
    BUY,
    BomLine,
    Document,
    OpenLine,
    Places,
    Rows,
    Step,
    part_name,
    scale_of,
    supply_name,
)
from b2bcrm.fulfillment.planning.serving import in_turn, priority
from b2bcrm.kernel.calendar import WorkCalendar

SHORTEST, LONGEST, AFTER_LAST = 400, 800, 120  # days of a plan
KINDS = {STOCK: SupplyKind.STOCK, PURCHASE: SupplyKind.PURCHASE, WORK: SupplyKind.WORK}
STAKES = {"A": 3, "B": 2}  # a day late of a class counts as so many of any other
Windows = dict[str, dict[int, int]]


@dataclass(frozen=True)
class Told:
    """Facts from ``today`` on, problems that only the rows show, and scales other than 1."""

    today: dt.date
    facts: Facts
    problems: list[Problem]
    scales: dict[str, int]
    names: dict[str, str]  # key of what is kept -> order or quote with its line


def tell(rows: Rows, *, pegged: bool = False) -> Told:
    """The facts of the rows.

    ``pegged``: also what the ERP has pegged to order lines, each line's documents as a part of its
    own, of which nobody else can take; see ``pegged_name``.
    """
    return _Teller(rows).told(pegged=pegged)


def pegged_name(line: str) -> str:
    """The name of the part and of the line for what is pegged to an order line."""
    return f"P/{line}"


class _Teller:
    def __init__(self, rows: Rows) -> None:
        self.rows = rows
        self.places = Places(rows)
        self.items = self.places.items
        self.problems: list[Problem] = []
        wishes = [(row.wish - rows.today).days for row in rows.lines]
        last = max([day for day in wishes if day < LONGEST], default=0)
        self.horizon = min(LONGEST, max(SHORTEST, last + AFTER_LAST))
        self.windows: dict[str, list[int]] = {}

    def told(self, *, pegged: bool) -> Told:
        """Everything put together."""
        rows, sources = self.rows, self._sources()
        hours = self._hours()
        lines = [
            *self._kept_lines(),
            *self._lines(),
        ]
        supplies, needs = self._supplies()
        keeps, caps = allocated(rows, self.places, self._demand[1])
        parts = [Part(part_name(no, s)) for no in self.items for s in self.places.of(no)]
        if pegged:
            for line, its_supplies in self._pegged():
                parts.append(Part(line.part))
                lines.append(line)
                supplies += its_supplies
        facts = Facts(
            horizon=self.horizon,
            parts=parts,
            sources=sources,
            supplies=supplies,
            lines=lines,
            buckets=[
                Bucket(center, day, day + 1, free)
                for center, days in hours.items()
                for day, free in days.items()
            ],
            calendars=[Calendar(name, days) for name, days in self.windows.items()],
            needs=needs,
            classes=CLASSES,
            keeps=keeps,
            caps=caps,
            loads=[Load(*row) for row in spread(rows.open_steps, hours, rows.today)],
        )
        scales = {no: scale_of(i.unit) for no, i in self.items.items() if scale_of(i.unit) != 1}
        names = {one.key: one.no for one in rows.kept}
        return Told(rows.today, facts, self.problems, scales, names)

    # -------------------------------------------------------------------------------- calendars
    def _working(self, code: str) -> str:
        """The name of the days on which a calendar works."""
        if code not in self.windows:
            calendar = self.rows.calendars.get(code) or WorkCalendar(code)
            today = self.rows.today
            days = range(self.horizon)
            self.windows[code] = [
                n for n in days if calendar.is_working(today + dt.timedelta(days=n))
            ]
        return code

    def _receiving(self, pattern: str) -> str:
        """The name of a customer's receiving days; none or all closed means every day."""
        if "1" not in pattern or "0" not in pattern:
            return ""
        name, first = f"receives {pattern}", self.rows.today.weekday()
        if name not in self.windows:
            closed = {n for n, digit in enumerate(pattern) if digit == "0"}
            self.windows[name] = [n for n in range(self.horizon) if (first + n) % 7 not in closed]
        return name

    def _site_days(self, site: str) -> str:
        return self._working(self.rows.site_calendars.get(site, ""))

    def _hours(self) -> Windows:
        """1/1000 h of each work centre's open days."""
        return {
            center.code: dict.fromkeys(
                self.windows[self._working(center.calendar)], floor(center.hours_per_day * 1000)
            )
            for center in self.rows.centers
        }

    # ---------------------------------------------------------------------------------- sources
    def _sources(self) -> list[Source]:
        steps: dict[str, list[Step]] = defaultdict(list)
        for step in sorted(self.rows.steps, key=lambda s: s.step_no):
            steps[step.item].append(step)
        bom: dict[str, list[BomLine]] = defaultdict(list)
        for line in self.rows.bom:
            if not line.stands_in_for:
                bom[line.item].append(line)
        found = []
        for no, item in self.items.items():
            if item.kind == BUY:
                found += [self._bought(no, site) for site in self.places.of(no)]
            for site in self.places.making(no):
                found += self._made(no, site, steps[no], bom[no])
        return [*found, *self._instead()]

    def _bought(self, no: str, site: str) -> Source:
        item = self.items[no]
        return Source(
            part_name(no, site),
            Kind.BUY,
            item.lead_days or None,
            calendar=self._site_days(site),
            least=max(1, ceil(item.lot * scale_of(item.unit))),
        )

    def _made(self, no: str, site: str, steps: list[Step], bom: list[BomLine]) -> Iterator[Source]:
        """How an item is made on which days, nothing where its bill of material does not tell.

        The last days come first: what is wanted after a change is not begun before it.
        """
        item, scale = self.items[no], self.places.scale(no)
        for line in bom:
            if line.valid_to >= self.rows.today and not converts(line, self.places):
                kept = self.items[line.component].unit
                text = f"{line.component} in {line.unit}, kept in {kept}; {no} is not planned"
                self.problems.append(Problem("unit that does not convert", no, text))
                return
        for first, until, lines in reversed(spans(bom, self.rows.today, self.horizon)):
            if bom and not lines:
                if first or until is None:  # else its bill is yet to begin
                    text = f"no row of its bill holds on day {first}; no order starts then"
                    self.problems.append(Problem("bill of material with a gap", no, text))
                continue
            components = [
                Component(
                    self.places.part(line.component, site),
                    factor(gross(line) * self.places.scale(line.component) / scale),
                )
                for line in lines
            ]
            operations = [
                Operation(
                    step.center,
                    factor(Fraction(step.per_piece) * 1000 / scale),
                    ceil(step.setup * 1000),
                    days=1,
                    components=() if n else components,
                )
                for n, step in enumerate(steps)
            ]
            yield Source(
                part_name(no, site),
                Kind.MAKE,
                0 if operations else item.lead_days or None,
                calendar=self._site_days(site),
                operations=operations or [Operation(components=components)],
                fence=first,
                until=until,
            )

    def _instead(self) -> list[Source]:
        """Substitutes: told last, as nothing is preferred to what the bill names first."""
        found, problems = substitutes(self.rows, self.places, self.horizon)
        self.problems += problems
        return [
            Source(
                one.part,
                Kind.MOVE,
                0,
                operations=[Operation(components=[Component(one.other, factor(one.ratio))])],
                fence=one.first,
                until=one.until,
                stands_in=True,
            )
            for one in found
        ]

    # --------------------------------------------------------------------------- supply, demand
    def _supplies(self) -> tuple[list[Supply], list[Need]]:
        """Free supply, and what released work and over-allocated stock take of it."""
        needs_left, _ = self._demand
        supplies, needs = [], []
        for level in self.rows.levels:
            if level.item not in self.items:
                continue
            free = level.on_hand - level.allocated
            part, scale = part_name(level.item, level.site), self.places.scale(level.item)
            if level.on_hand < 0:
                text = f"{level.on_hand} on hand; counted as none"
                self.problems.append(Problem("negative stock", part, text))
            if free < 0:
                needs.append(Need(part, ceil(-free * scale), 0, part))
            elif free > 0:
                name = supply_name(STOCK, "")
                supplies.append(Supply(part, floor(free * scale), ref=name))
        starts = {}
        for document in self.rows.documents:
            starts[document.no] = document
            if document.demand_ref or document.left <= 0:
                continue
            supplies.append(
                Supply(
                    part_name(document.item, document.site),
                    floor(document.left * self.places.scale(document.item)),
                    self._day(document.due),
                    KINDS[document.kind],
                    supply_name(document.kind, document.no),
                )
            )
        for (no, component), qty in needs_left.items():
            document = starts[no]
            part = self.places.part(component, document.site)
            scaled = ceil(qty * self.places.scale(component))
            needs.append(Need(part, scaled, self._day(document.start), no))
        return supplies, needs

    def _kept_lines(self) -> list[Line]:
        """What is kept, served before all others, in the order of promising."""
        each = {row.no: row.each for row in self.rows.lines}
        values = sorted(row.qty * row.each for row in self.rows.lines)
        usual = (
            values[len(values) // 2] if values else Decimal(0)
        )  # what a quote's line is taken for
        return [
            Line(
                one.key,
                self.places.part(one.item, one.site),
                ceil(one.qty * self.places.scale(one.item)),
                self._day(one.on),
                rank=one.seq,
                customer_class=one.customer_class,
                value=_stake(
                    one.qty * each[one.no] if one.no in each else usual, one.customer_class
                ),
            )
            for one in self.rows.kept
            if one.item in self.items
        ]

    def _lines(self) -> list[Line]:
        _, left = self._demand
        by = self.rows.serve_by
        wanted = in_turn((row for row in self.rows.lines if row.no in left), by)
        # Of pieces that others bring the plan knows no day to cut them by.
        covered = {row.unit for row in self.rows.lines if left.get(row.no) != row.qty}
        found = []
        for n, row in enumerate(wanted):
            least, scale = row.policy.least, self.places.scale(row.item)
            in_two = least is not None and not row.policy.complete and row.unit not in covered
            line = Line(
                row.no,
                self.places.part(row.item, row.site),
                ceil(left[row.no] * scale),
                self._day(row.wish),
                priority(row, by),
                rank=n,
                together="" if row.unit == row.no else row.unit,
                transit=row.transit + 1,
                calendar=self._receiving(row.receiving),
                shipments=2 if in_two else 1,
                least=ceil(least * scale) if least is not None and in_two else 1,
                customer_class=row.customer_class,
                value=_stake(left[row.no] * row.each, row.customer_class),
            )
            found.append(replace(line, max_late=self._max_late(row, line)))
        return found

    def _max_late(self, row: OpenLine, line: Line) -> int | None:
        """Days by which a line may be late; what may be no later any more leaves today or never."""
        if row.policy.max_late is None:
            return None
        days = self.windows[line.calendar] if line.calendar else range(self.horizon)
        soonest = next((day for day in days if day >= line.transit), self.horizon)
        return max(row.policy.max_late, soonest - line.wish)

    def _pegged(self) -> Iterator[tuple[Line, list[Supply]]]:
        """Each line that documents of the ERP are pegged to, with these as its own supply."""
        found: dict[tuple[str, str], list[Document]] = defaultdict(list)
        for document in self.rows.documents:
            if document.demand_ref and document.left > 0:
                found[document.demand_ref, document.item].append(document)
        for row in self.rows.lines:
            documents = found.get((row.ref, row.item), []) if row.ref else []
            qty = min(row.qty - row.kept, sum((d.left for d in documents), Decimal(0)))
            if qty <= 0:
                continue
            name, scale = pegged_name(row.no), self.places.scale(row.item)
            supplies = [
                Supply(
                    name,
                    ceil(document.left * scale),
                    self._day(document.due),
                    KINDS[document.kind],
                    supply_name(document.kind, document.no),
                )
                for document in documents
            ]
            line = Line(
                name,
                name,
                ceil(qty * scale),
                self._day(row.wish),
                transit=row.transit + 1,
                calendar=self._receiving(row.receiving),
            )
            yield line, supplies

    @cached_property
    def _demand(self) -> tuple[Mapping[tuple[str, str], Decimal], Mapping[str, Decimal]]:
        return open_demand(self.rows, self.places)

    def _day(self, day: dt.date) -> int:
        return (day - self.rows.today).days


def _stake(value: Decimal, customer_class: str) -> int:
    """What a day late costs: the value, more of it for the first classes; whole money."""
    return max(1, ceil(value)) * STAKES.get(customer_class, 1)
