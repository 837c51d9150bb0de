"""A scenario on the plan: measures as changes of its book, and what comes of them as dates. Pure.

Lines of the plan are told as the order lines behind them: several days of one reservation are one
line, there when the last of them is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil

from b2bcrm.fulfillment.planning.engine.changing import (
    Change,
    Hours,
    Receipt,
    Service,
    unit_of,
)
from b2bcrm.fulfillment.planning.engine.changing import Rush as RushLine
from b2bcrm.fulfillment.planning.engine.changing import Split as SplitLine
from b2bcrm.fulfillment.planning.engine.forecasting import last_priority
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.plan import plan_of
from b2bcrm.fulfillment.planning.engine.reallocating import reallocated, users_of
from b2bcrm.fulfillment.planning.engine.records import Line
from b2bcrm.fulfillment.planning.engine.whatif import always, best_swap, whatif
from b2bcrm.fulfillment.planning.ground import REST, Ground
from b2bcrm.fulfillment.planning.loads import CenterLoad, moved_loads
from b2bcrm.fulfillment.planning.measures import (
    Allocate,
    Down,
    First,
    Last,
    Measure,
    Move,
    OtherSite,
    Overtime,
    Rush,
    Split,
    Substitute,
    not_open,
)
from b2bcrm.fulfillment.planning.mending import ways
from b2bcrm.fulfillment.planning.plant import item_of, supplies_of
from b2bcrm.fulfillment.planning.prices import Prices, Way
from b2bcrm.fulfillment.planning.stand_ins import StandIn, Taken, instead, not_planned, taken
from b2bcrm.kernel.words import Message

HOUR = 1000  # the engine counts 1/1000 h
ALL_HOURS = 10**9
RUSH = "rush "
NO_PRICES = Prices()


@dataclass(frozen=True)
class Swap:
    """An order line that is served last so that others need not wait."""

    line: str
    before: dt.date | None
    after: dt.date | None


@dataclass(frozen=True)
class Planning:
    """What the plan says of a scenario, by order line; a rush order by its measure's place.

    ``before`` and ``after`` are days of arrival, None: not within the plan. ``ahead`` are days on
    which the split-off pieces arrive. ``taken`` is what stands in for something else.
    ``refused``: measures that change nothing, and why.
    """

    before: Mapping[str, dt.date | None]
    after: Mapping[str, dt.date | None]
    rushes: Mapping[Rush, dt.date | None] = field(default_factory=dict)
    ahead: Mapping[str, dt.date | None] = field(default_factory=dict)
    taken: Mapping[StandIn, Taken] = field(default_factory=dict)
    refused: Mapping[Measure, Message] = field(default_factory=dict)
    swap: Swap | None = None
    ways: Sequence[Way] = ()
    loads: Sequence[CenterLoad] = ()


def tried(
    ground: Ground,
    measures: Sequence[Measure],
    line: str = "",
    prices: Prices = NO_PRICES,
    go_on: Callable[[], bool] = always,
) -> Planning:
    """What the measures would do, and what would make the order line ``line`` earlier.

    While ``go_on`` says so, ways and a swap are looked for; the measures are tried in any case.
    """
    changes: list[Change] = []
    rushes: dict[str, Rush] = {}
    stand_ins: dict[StandIn, Sequence[Change]] = {}
    refused: dict[Measure, Message] = {}
    for n, measure in enumerate(measures):
        found = _changes(ground, measure, f"{RUSH}{n}", changes)
        if isinstance(found, Message):
            refused[measure] = found
            continue
        changes += found
        if isinstance(measure, Rush):
            rushes[f"{RUSH}{n}"] = measure
        elif isinstance(measure, Substitute | OtherSite):
            stand_ins[measure] = found
    values = _values(ground)
    outcome = whatif(ground.plan, changes, values)
    found_ways = ways(ground, line, prices, go_on) if line else ()
    swap = best_swap(ground.plan, changes, values, outcome, go_on) if changes else None
    days = _days(outcome.planned)
    before = _by_line(ground, _days(ground.plan))
    splits = [m for m in measures if isinstance(m, Split) and m not in refused]
    rests = {m.line: days.get(f"{m.line}{REST}") for m in splits}
    after = _by_line(ground, days)
    return Planning(
        before={key: ground.date(day) for key, day in before.items()},
        after={
            key: ground.date(_last([day, rests[key]]) if key in rests else day)
            for key, day in after.items()
        },
        rushes={rush: ground.date(days.get(name)) for name, rush in rushes.items()},
        ahead={key: ground.date(after.get(key)) for key in rests},
        taken=taken(ground, outcome.planned, stand_ins),
        refused=refused,
        swap=_swap(ground, before, swap.line, _days(swap.outcome.planned)) if swap else None,
        ways=found_ways,
        loads=moved_loads(ground.plan, outcome.planned, ground.made_on),
    )


# ------------------------------------------------------------------------------------- changes
def _changes(
    ground: Ground, measure: Measure, name: str, before: Sequence[Change]
) -> Sequence[Change] | Message:
    """The changes of the plan's book after those before, or why the measure changes nothing."""
    found: Sequence[Change] | Message
    match measure:
        case Move():
            found = _move(ground, measure)
        case Overtime() | Down():
            more = int(measure.hours * HOUR) if isinstance(measure, Overtime) else -ALL_HOURS
            found = _hours(ground, measure, more)
        case Rush():
            found = _rush(ground, measure, name)
        case First() | Last():
            found = _serve(ground, measure)
        case Split():
            found = _split(ground, measure, before)
        case Allocate():
            found = _allocate(ground, measure, before)
        case Substitute() | OtherSite():
            found = instead(ground, measure, before)
    return found


def _move(ground: Ground, measure: Move) -> list[Change] | Message:
    found = supplies_of(ground.plan.names.supplies, measure.no)
    if not found and measure.no not in ground.pegged:
        return not_open(measure)
    return [Receipt(n, day=max(0, ground.day(measure.on))) for n in found]


def _hours(ground: Ground, measure: Overtime | Down, more: int) -> list[Change] | Message:
    book, names = ground.plan.book, ground.plan.names
    if measure.center not in names.centres:
        return Message("%(center)s is no work centre.", center=measure.center)
    centre = names.centres.index(measure.center)
    first, last = ground.day(measure.first), ground.day(measure.last)
    open_days = (book.bucket_centre == centre) & (book.bucket_start >= first)
    if not (open_days & (book.bucket_start <= last)).any():
        return Message("%(center)s is closed on these days.", center=measure.center)
    return [Hours(measure.center, first, last, more)]


def _rush(ground: Ground, measure: Rush, name: str) -> list[Change] | Message:
    part = next((p for p in ground.plan.names.parts if item_of(p) == measure.item), None)
    if part is None:
        return not_planned(measure.item)
    wish = ground.day(measure.on)
    if not 0 <= wish < ground.plan.book.horizon:
        return Message("The day is outside the plan.")
    qty = ceil(measure.qty * ground.scales.get(measure.item, 1))
    return [RushLine(Line(name, part, qty, wish))]


def _serve(ground: Ground, measure: First | Last) -> list[Change] | Message:
    names = ground.names_of(measure.line)
    if not names:
        return _not_ours(measure.line)
    first = isinstance(measure, First)
    last = last_priority(ground.plan.book)
    return [Service(name, 0 if first else last, first=first) for name in names]


def _split(ground: Ground, measure: Split, before: Sequence[Change]) -> list[Change] | Message:
    if ground.lines.get(measure.line) != measure.line:
        return _not_ours(measure.line)
    book, names = ground.plan.book, ground.plan.names
    line, unit = names.lines.index(measure.line), unit_of(book, names, measure.line)
    item = item_of(names.parts[book.line_part[line]])
    qty = ceil(measure.qty * ground.scales.get(item, 1))
    if measure.line in ground.complete:
        return Message("%(line)s is delivered complete with its order.", line=measure.line)
    if book.unit_line[unit + 1] - book.unit_line[unit] > 1:
        return Message(
            "%(line)s leaves with other lines and is not split alone.", line=measure.line
        )
    again = any(isinstance(one, SplitLine) and one.line == measure.line for one in before)
    if again or qty >= int(book.line_qty[line]):
        return Message("%(line)s cannot be split there.", line=measure.line)
    return [SplitLine(measure.line, qty, f"{measure.line}{REST}")]


def _allocate(
    ground: Ground, measure: Allocate, before: Sequence[Change]
) -> list[Change] | Message:
    names = ground.plan.names
    parts = [n for n, part in enumerate(names.parts) if item_of(part) == measure.item]
    lines = [names.lines[n] for n in users_of(ground.plan.book, parts)] if parts else []
    lines = [line for line in lines if line in ground.lines]  # what quotes hold stays theirs
    if not lines:
        return Message("Our plan serves no order line with %(item)s.", item=measure.item)
    classes = {line: ground.classes.get(ground.lines[line], "") for line in lines}
    return reallocated(
        ground.plan, before, {line: measure.of(one) for line, one in classes.items()}
    )


def _not_ours(line: str) -> Message:
    return Message(
        "%(line)s has its supply in the ERP already: move its documents instead.", line=line
    )


# ---------------------------------------------------------------------------------------- days
def _days(plan: Planned) -> dict[str, int | None]:
    """Day of arrival of each of the plan's lines."""
    arrives = plan_of(plan.book, plan.ledger).line_arrives.tolist()
    names = plan.names.lines
    return {name: day if day >= 0 else None for name, day in zip(names, arrives, strict=True)}


def _by_line(ground: Ground, days: Mapping[str, int | None]) -> dict[str, int | None]:
    """Day on which all of each order line is there."""
    found: dict[str, int | None] = {}
    for name, key in ground.lines.items():
        day = days.get(name)
        found[key] = _last([found[key], day]) if key in found else day
    return found


def _last(days: Sequence[int | None]) -> int | None:
    known = [day for day in days if day is not None]
    return max(known) if len(known) == len(days) else None


def _values(ground: Ground) -> dict[str, int]:
    """Whole money by the plan's lines. What a quote holds is worth as much as the dearest line:
    nobody is asked to give a promise back for what is not sold yet.
    """
    dearest = int(max(ground.values.values(), default=Decimal(0))) + 1
    names = ground.plan.names.lines
    return {
        name: int(ground.values.get(ground.lines[name], 0)) if name in ground.lines else dearest
        for name in names
    }


def _swap(
    ground: Ground, before: Mapping[str, int | None], name: str, days: Mapping[str, int | None]
) -> Swap | None:
    key = ground.lines.get(name)
    if key is None:
        return None
    return Swap(key, ground.date(before[key]), ground.date(_by_line(ground, days)[key]))


def open_days(ground: Ground, center: str, first: dt.date, last: dt.date) -> int:
    """Days of the plan on which the work centre works."""
    book, names = ground.plan.book, ground.plan.names
    if center not in names.centres:
        return 0
    mine = book.bucket_centre == names.centres.index(center)
    days = (book.bucket_start >= ground.day(first)) & (book.bucket_start <= ground.day(last))
    return int((mine & days).sum())
