"""The plant as the ERP shows it: flat rows, and where its items are. Pure.

A part is an item at a site, ``<item>@<site>``. What counts in pieces is planned in pieces, all else
in thousandths of its unit; demand is rounded up, supply down, hours up.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from b2bcrm.kernel.calendar import WorkCalendar

PIECES = frozenset({"pcs", "set"})
MAKE, BUY = "make", "buy"
IN_PROGRESS = " / "  # in the engine's names of parts between two operations


class ServeBy(enum.StrEnum):
    """What puts order lines into the order in which a plan serves them."""

    CLASS = "class"  # of the customer
    PROMISE = "promise"  # the first promised day, else the requested one
    ENTRY = "entry"
    VALUE = "value"  # of what is open, the dearest first
    WISH = "wish"  # the promised day, else the requested one


SERVE_BY = (ServeBy.CLASS, ServeBy.PROMISE, ServeBy.ENTRY)


class ItemRow(NamedTuple):
    """``lead_days`` working days, 0: unknown. ``lot`` is the least that is bought at once.

    ``sold``: customers may order it.
    """

    no: str
    kind: str
    unit: str
    lead_days: int
    lot: Decimal
    sold: bool = False


class BomLine(NamedTuple):
    """``qty_per`` of the component, ``scrap_pct`` percent on top, in orders of these days.

    Where it stands in for another component, that much may be taken instead.
    """

    item: str
    component: str
    qty_per: Decimal
    scrap_pct: Decimal
    unit: str
    valid_from: dt.date = dt.date.min
    valid_to: dt.date = dt.date.max
    stands_in_for: str = ""

    def takes(self, qty: Decimal) -> Decimal:
        """How much of the component an order of ``qty`` takes."""
        return self.qty_per * qty * (100 + self.scrap_pct) / 100

    def counts_on(self, day: dt.date) -> bool:
        """Whether an order that starts on ``day`` takes the component."""
        return not self.stands_in_for and self.holds_on(day)

    def holds_on(self, day: dt.date) -> bool:
        """Whether the row, of a component or of what stands in for one, is valid on ``day``."""
        return self.valid_from <= day <= self.valid_to


class Step(NamedTuple):
    """An operation of making an item; hours."""

    item: str
    step_no: int
    center: str
    setup: Decimal
    per_piece: Decimal


class Center(NamedTuple):
    """A work centre and what it gives on a day of its calendar."""

    code: str
    site: str
    hours_per_day: Decimal
    calendar: str


class Level(NamedTuple):
    """Stock of an item at a site."""

    item: str
    site: str
    on_hand: Decimal
    allocated: Decimal


class Document(NamedTuple):
    """An open purchase line or work order: ``left`` pieces still come on ``due``.

    ``waits``: a work order that has not started, so that its ``qty`` still takes components.
    """

    kind: str
    no: str
    item: str
    site: str
    qty: Decimal
    left: Decimal
    start: dt.date
    due: dt.date
    demand_ref: str
    waits: bool = False


class OpenStep(NamedTuple):
    """An operation of a work order that is not done; hours it still takes."""

    work_order: str
    center: str
    start: dt.date
    end: dt.date
    hours: Decimal


class Policy(NamedTuple):
    """How a line may leave, as ``orders.models.OrderLine`` says it.

    ``complete``: its order takes no delivery in parts, whatever its lines say.
    """

    leaves_with: str = ""
    least: Decimal | None = None
    max_late: int | None = None
    complete: bool = False

    def group(self, wish: dt.date) -> str:
        """What lines of one order that leave on one day have in common; empty: it leaves alone.

        Of a complete delivery they are those with one wish: what is called off over months is no
        one delivery.
        """
        return wish.isoformat() if self.complete else self.leaves_with


class OpenLine(NamedTuple):
    """``qty`` pieces of an order line that have not left, ``kept`` of them reserved by us.

    ``ref`` is how the ERP's documents name it, empty before the ERP has the order. ``each`` is what
    a piece is sold for, in the company's currency. ``wish`` is the promised day, ``promise`` the
    first promised one, either else the requested one; ``entry`` is the order's day and the line's
    number. ``transit`` and ``receiving`` lead to the customer.
    """

    ref: str
    no: str
    item: str
    site: str
    qty: Decimal
    kept: Decimal
    wish: dt.date
    customer_class: str
    promise: dt.date
    entry: tuple[dt.date, int]
    transit: int = 0
    receiving: str = ""
    each: Decimal = Decimal(0)
    policy: Policy = Policy()

    @property
    def unit(self) -> str:
        """What lines that leave on one day have in common, among all lines; its own name: alone."""
        group = self.policy.group(self.wish)
        return f"{self.no.rpartition('/')[0]}|{group}" if group else self.no


class AllocationKind(enum.StrEnum):
    """Supply that is kept for a class, or the most that a class gets."""

    KEEP = "keep"
    CAP = "cap"


class Allocation(NamedTuple):
    """``qty`` pieces of an item at a site for a class of customers.

    Kept until the end of ``last_on``, from then on for all; or the most that leaves from
    ``first_on`` to ``last_on``, of which ``shipped`` have left.
    """

    kind: AllocationKind
    item: str
    site: str
    customer_class: str
    qty: Decimal
    first_on: dt.date
    last_on: dt.date
    shipped: Decimal = Decimal(0)


class Kept(NamedTuple):
    """Pieces promised by a reservation or a hold, ready on ``on``; ``key`` tells them apart.

    ``fresh``: from what is still to be made or bought. ``seq`` is the order they were promised in.
    """

    key: str
    seq: int
    no: str
    item: str
    site: str
    qty: Decimal
    on: dt.date
    fresh: bool
    customer_class: str = ""


@dataclass(frozen=True)
class Rows:
    """Everything that is read for a plan made on ``today``. Calendars by code, by site code."""

    today: dt.date
    items: Sequence[ItemRow] = ()
    bom: Sequence[BomLine] = ()
    steps: Sequence[Step] = ()
    centers: Sequence[Center] = ()
    levels: Sequence[Level] = ()
    documents: Sequence[Document] = ()
    open_steps: Sequence[OpenStep] = ()
    lines: Sequence[OpenLine] = ()
    kept: Sequence[Kept] = ()
    allocations: Sequence[Allocation] = ()
    calendars: dict[str, WorkCalendar] = field(default_factory=dict)
    site_calendars: dict[str, str] = field(default_factory=dict)
    serve_by: Sequence[ServeBy] = SERVE_BY


def scale_of(unit: str) -> int:
    """How many of the engine's pieces are one of the unit."""
    return 1 if unit.lower() in PIECES else 1000


def part_name(item: str, site: str) -> str:
    """How the engine calls an item at a site."""
    return f"{item}@{site}"


def item_of(part: str) -> str:
    """The item of a part; what names no part stays as it is."""
    return part.rpartition("@")[0] or part


def sites_by_item(parts: Iterable[str]) -> dict[str, list[str]]:
    """The sites at which each item is one of a plan's parts; work in progress is no item."""
    found = defaultdict(list)
    for part in parts:
        item, _, site = part.rpartition("@")
        if item and IN_PROGRESS not in site:
            found[item].append(site)
    return dict(found)


def supply_name(kind: str, no: str) -> str:
    """How the engine calls a supply."""
    return f"{kind}|{no}"


def supplies_of(names: Sequence[str], no: str) -> list[int]:
    """Places of the supplies that a document is among those of a plan."""
    return [n for n, name in enumerate(names) if name.endswith(f"|{no}")]


class Places:
    """At which sites an item is kept, comes to or is made."""

    def __init__(self, rows: Rows) -> None:
        self._of: dict[str, list[str]] = defaultdict(list)
        self.items = {item.no: item for item in rows.items}
        self.made_at: dict[str, str] = {}
        sites = {center.code: center.site for center in rows.centers}
        for step in sorted(rows.steps, key=lambda s: s.step_no):
            if step.center in sites:
                self.made_at[step.item] = sites[step.center]
        for item, site in self.made_at.items():
            self._add(item, site)
        for group in (rows.levels, rows.documents, rows.kept):
            for row in group:
                self._add(row.item, row.site)
        self._below(rows)
        first = next(iter(rows.site_calendars), "")
        for no in self.items:
            if no not in self._of:
                self._of[no] = [first]

    def _add(self, item: str, site: str) -> None:
        if site not in self._of[item]:
            self._of[item].append(site)

    def _below(self, rows: Rows) -> None:
        """Components that are nowhere yet are wanted where their parents are made."""
        below: dict[str, list[str]] = defaultdict(list)
        for line in rows.bom:
            below[line.item].append(line.component)
        waiting = list(self._of)
        while waiting:
            parent = waiting.pop()
            for component in below[parent]:
                if component in self.items and component not in self._of:
                    self._of[component] = list(self._of[parent])
                    waiting.append(component)

    def of(self, item: str) -> Sequence[str]:
        """All sites of a known item."""
        return self._of[item] if item in self.items else ()

    def making(self, item: str) -> Sequence[str]:
        """The sites at which a known item is made."""
        known = self.items.get(item)
        if known is None or known.kind == BUY:
            return ()
        return [site for site in self._of[item] if self.made_at.get(item, site) == site]

    def scale(self, item: str) -> int:
        """How many of the engine's pieces are one unit of the item."""
        known = self.items.get(item)
        return scale_of(known.unit) if known else 1

    def part(self, item: str, site: str) -> str:
        """The part that meets a need at the site: its own, else the first other site's."""
        known = self._of.get(item) or [site]
        return part_name(item, site if site in known else known[0])
