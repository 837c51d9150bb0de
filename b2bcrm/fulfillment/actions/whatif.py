"""What if: a scenario's measures beside today's plan, in memory. Nothing is stored.

Three steps, so that no Work is open while the engine works: ``ask`` reads, ``solve`` tries,
``tell`` reads what moves. What the ERP planned is judged by the rules that its projections follow,
with the documents' new days; what it has not planned comes from the plan, made again with the
changes. So a scenario says what the pages will say once the ERP has it.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING

import sqlalchemy as sa

from b2bcrm.catalog.models import WorkCenter
from b2bcrm.fulfillment.actions.judging import Judging, ways_of_documents
from b2bcrm.fulfillment.planning.measures import (
    Down,
    Measure,
    Move,
    Rush,
    not_open,
    too_far,
)
from b2bcrm.fulfillment.planning.prices import Prices, Way
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.fulfillment.queries.documents import Touched, touched
from b2bcrm.fulfillment.queries.open_lines import OpenLine, open_lines
from b2bcrm.fulfillment.queries.planned_names import named
from b2bcrm.fulfillment.queries.prices import bought, prices
from b2bcrm.fulfillment.snapshot import ways
from b2bcrm.fulfillment.snapshot.loaded import loaded
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

if TYPE_CHECKING:
    from b2bcrm.fulfillment.planning.ground import Ground
    from b2bcrm.fulfillment.planning.loads import CenterLoad
    from b2bcrm.fulfillment.planning.scenario import Planning, Swap
    from b2bcrm.fulfillment.planning.stand_ins import StandIn, Taken

LOOKING_S = 3.0
NO_PRICES = Prices()
NO_PLAN = Message("No plan of today is loaded yet: only what the ERP planned can be tried.")
TOO_FAR = Message("The date is too far away.")


@dataclass(frozen=True)
class Question:
    """What is asked, and everything read for it; ``ground`` None: no plan is loaded.

    ``far`` are measures whose days are too far away to be tried.
    """

    measures: tuple[Measure, ...]
    far: tuple[Measure, ...]
    line: str
    touched: Touched
    centers: Mapping[str, str]
    lines: Sequence[OpenLine]
    ground: Ground | None
    prices: Prices = NO_PRICES
    plan_at: dt.datetime | None = None
    improved: bool = False


@dataclass(frozen=True)
class Moved:
    """An open line that arrives on another day. ``late_*``: working days after its promise.

    ``penalty``: owed more than without the scenario, less where negative; None: not known.
    """

    line: OpenLine
    before: dt.date | None
    after: dt.date | None
    late_before: int
    late_after: int
    penalty: Decimal | None = None

    @property
    def at_stake(self) -> Decimal:
        """Value times the working days by which it is later."""
        return self.line.value * max(0, self.late_after - self.late_before)


@dataclass(frozen=True)
class Sums:
    """Of all open lines that have a date: on time, late, working days late, value late."""

    on_time: int = 0
    late: int = 0
    late_days: int = 0
    value_late: Decimal = Decimal(0)


@dataclass(frozen=True)
class Answer:
    """A scenario beside today. ``taken``: what stands in for something else. ``refused``:
    measures that change nothing, and why.

    ``chosen`` is the line to be made earlier, ``chosen_on`` its day without the measures.
    ``prices`` of the measures that have one; ``bought`` is what customers who pay ordered in the
    last twelve months, by account. ``loads``: work centres whose hours it moves.
    """

    before: Sums
    after: Sums
    moved: list[Moved]
    rushes: Mapping[Rush, dt.date | None] = field(default_factory=dict)
    ahead: Mapping[str, dt.date | None] = field(default_factory=dict)
    taken: Mapping[StandIn, Taken] = field(default_factory=dict)
    refused: Mapping[Measure, Message] = field(default_factory=dict)
    swap: Swap | None = None
    chosen: OpenLine | None = None
    chosen_on: dt.date | None = None
    ways: list[Way] = field(default_factory=list)
    currency: str = ""
    prices: Mapping[Measure, Decimal] = field(default_factory=dict)
    bought: Mapping[int, Decimal] = field(default_factory=dict)
    loads: Sequence[CenterLoad] = ()

    @property
    def price(self) -> Decimal | None:
        """Of all measures that have one."""
        return sum(self.prices.values(), Decimal(0)) if self.prices else None

    @property
    def penalty(self) -> Decimal | None:
        """Owed more to customers than without the scenario."""
        known = [one.penalty for one in self.moved if one.penalty is not None]
        return sum(known, Decimal(0)) if known else None

    @cached_property
    def bill(self) -> list[Moved]:
        """Who pays: lines that become later, the dearest first."""
        return bill_of(self.moved)


def bill_of(moved: Iterable[Moved]) -> list[Moved]:
    """Lines that become later, the dearest first."""
    worse = [one for one in moved if one.at_stake > 0]
    return sorted(worse, key=lambda one: (-one.at_stake, one.line.key))


# ------------------------------------------------------------------------------------- reading
def ask(work: Work, measures: Sequence[Measure], line: str = "") -> Question:
    """Everything that trying the measures needs; ``line`` is one to be made earlier."""
    staff_only(work)
    far = tuple(one for one in measures if too_far(one, work.today))
    measures = [one for one in measures if one not in far]
    moves = {one.no for one in measures if isinstance(one, Move)}
    downs = {one.center for one in measures if isinstance(one, Down)}
    found = touched(work, moves, downs)
    centers = dict(work.rows(sa.select(WorkCenter.code, WorkCenter.name)))
    lines, plan, told = open_lines(work), loaded(work), prices(work)
    if plan is None:
        return Question(tuple(measures), far, line, found, centers, lines, None, told)
    from b2bcrm.fulfillment.planning.ground import Ground

    names = named(work, plan.packed.names.lines).orders
    values = {one.key: one.value for one in lines}
    ground = Ground(
        plan=plan.baseline,
        made_on=plan.made_on,
        scales=plan.packed.scales,
        lines=names,
        values=values,
        pegged=frozenset(found.purchases),
        classes={one.key: one.customer_class for one in lines},
        complete=frozenset(one.key for one in lines if one.complete),
    )
    return Question(
        tuple(measures),
        far,
        line,
        found,
        centers,
        lines,
        ground,
        told,
        plan.made_at,
        improved=plan.rounds > 0,
    )


def solve(question: Question) -> Planning | None:
    """What the plan says; takes no Work. None while no plan is loaded.

    The measures are tried in any case; ways to mend and a swap are looked for
    ``LOOKING_S`` seconds.
    """
    if question.ground is None:
        return None
    from b2bcrm.fulfillment.planning.scenario import tried

    end = time.monotonic() + LOOKING_S
    return tried(
        question.ground,
        question.measures,
        question.line,
        question.prices,
        lambda: time.monotonic() < end,
    )


def tell(work: Work, question: Question, planning: Planning | None) -> Answer:
    """The scenario's answer."""
    lines = {line.id: line for line in question.lines}
    later = _reserved_later(lines.values(), question, planning)
    judging = Judging(work, question.measures, question.touched.orders, question.centers, later)
    by_plan = _by_plan(lines.values(), question, planning)
    erp_before, erp_after = judging.dates()
    late = _Lateness(work, question.prices)
    before: dict[int, dt.date | None] = {key: line.projected_on for key, line in lines.items()}
    before |= {key: day for key, day in erp_before.items() if key in lines}
    after = before | {key: day for key, day in erp_after.items() if key in lines}
    for key, (was, now) in by_plan.items():
        before[key], after[key] = was, now
    moved = [
        late.moved(line, before[key], after[key])
        for key, line in lines.items()
        if before[key] != after[key]
    ]
    chosen = next((line for line in lines.values() if line.key == question.line), None)
    ways_found = list(planning.ways) if planning else []
    if chosen is not None and chosen.id not in by_plan:
        day = question.prices.day
        ways_found = [
            Way(move, gained, None if day is None else day * earlier)
            for move, gained, earlier in ways_of_documents(work, chosen, question.centers)
        ]
    return Answer(
        before=late.sums(lines.values(), before),
        after=late.sums(lines.values(), after),
        moved=sorted(moved, key=lambda one: (-one.at_stake, one.line.wanted_on, one.line.key)),
        rushes=planning.rushes if planning else {},
        ahead=planning.ahead if planning else {},
        taken=planning.taken if planning else {},
        refused={**(planning.refused if planning else _refused(question))}
        | dict.fromkeys(question.far, TOO_FAR),
        swap=planning.swap if planning else None,
        chosen=chosen,
        chosen_on=before.get(chosen.id) if chosen else None,
        ways=ways_found,
        currency=next((line.currency for line in lines.values()), ""),
        prices=_priced(question),
        bought=bought(work, {one.line.account_id for one in bill_of(moved)}),
        loads=planning.loads if planning else (),
    )


def _priced(question: Question) -> dict[Measure, Decimal]:
    """Prices of the measures that have one."""

    def open_days(center: str, first: dt.date, last: dt.date) -> int:
        if question.ground is None:
            return 0
        from b2bcrm.fulfillment.planning import scenario

        return scenario.open_days(question.ground, center, first, last)

    due = question.touched.purchases
    found = {one: question.prices.of(one, due, open_days) for one in question.measures}
    return {one: price for one, price in found.items() if price is not None}


def _refused(question: Question) -> dict[Measure, Message]:
    """Without a plan only documents can be tried."""
    found: dict[Measure, Message] = {}
    for one in question.measures:
        if isinstance(one, Move):
            if one.no not in question.touched.purchases:
                found[one] = not_open(one)
        elif not isinstance(one, Down):
            found[one] = NO_PLAN
    return found


# ------------------------------------------------------------------------- what our plan placed
def _by_plan(
    lines: Iterable[OpenLine], question: Question, planning: Planning | None
) -> dict[int, tuple[dt.date | None, dt.date | None]]:
    """Days of lines that nothing but the plan stands behind, before and after.

    What is in time is planned as late as that allows, so there a day says nothing: the line's own
    projected day counts, and it moves only where the plan no longer has it in time.
    """
    if planning is None or question.ground is None:
        return {}
    ours, found = question.ground.lines, {}
    for line in lines:
        if not line.unplanned or ours.get(line.key) != line.key:
            continue
        was, now = planning.before[line.key], planning.after[line.key]
        if was is not None and was <= line.wanted_on:
            was = min(line.projected_on or was, was)
            if now is not None and now <= line.wanted_on:
                now = was
        found[line.id] = was, now
    return found


def _reserved_later(
    lines: Iterable[OpenLine], question: Question, planning: Planning | None
) -> dict[int, tuple[OpenLine, dt.date]]:
    """Lines whose reservation is there later in the plan than it was, with the day."""
    if planning is None or question.ground is None:
        return {}
    ours, found = question.ground.lines, {}
    for line in lines:
        was, now = planning.before.get(line.key), planning.after.get(line.key)
        if was and now and now > was and not (line.unplanned and ours.get(line.key) == line.key):
            found[line.id] = line, now
    return found


# ------------------------------------------------------------------------------------- lateness
class _Lateness:
    """Working days after the promise, by the calendar of the line's site."""

    def __init__(self, work: Work, prices: Prices) -> None:
        self.calendars = ways.take(work, ()).sites
        self.prices = prices

    def moved(self, line: OpenLine, before: dt.date | None, after: dt.date | None) -> Moved:
        """The line with both its days."""
        was, now = self.of(line, before), self.of(line, after)
        owed, more = (self.prices.penalty(line.value, days) for days in (was, now))
        penalty = None if owed is None or more is None else more - owed
        return Moved(line, before, after, was, now, penalty)

    def of(self, line: OpenLine, on: dt.date | None) -> int:
        """0: in time, or nobody knows the day."""
        if on is None or on <= line.wanted_on:
            return 0
        return max(1, self.calendars[line.site_id].days_between(line.wanted_on, on))

    def sums(self, lines: Iterable[OpenLine], days: Mapping[int, dt.date | None]) -> Sums:
        """All of them together."""
        on_time = late = late_days = 0
        value = Decimal(0)
        for line in lines:
            on = days[line.id]
            if on is None:
                continue
            by = self.of(line, on)
            on_time, late, late_days = on_time + (not by), late + bool(by), late_days + by
            value += line.value if by else 0
        return Sums(on_time, late, late_days, value)
