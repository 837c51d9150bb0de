"""What if: a scenario's measures beside today's plan, in memory. Nothing is stored.

Three steps, so that no Work is open while the engine works: ``ask`` reads, ``solve`` tries,
``tell`` reads what moves. What the ERP planned is judged by the rules that its projections follow,
with the documents' new days; what it has not planned comes from the plan, made again with the
changes. So a scenario says what the pages will say once the ERP has it.
"""

from __future__ import annotations

import datetime as dt
import time
from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property, partial
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.catalog.models import WorkCenter
from b2bcrm.fulfillment.planning.chain import Outlook, outlook, settle
from b2bcrm.fulfillment.planning.facts import Supplies
from b2bcrm.fulfillment.planning.measures import (
    Down,
    Measure,
    Move,
    Rush,
    not_open,
    text_of,
    too_far,
)
from b2bcrm.fulfillment.planning.shifting import earlier, shifted, unbound, with_firm_moved
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.fulfillment.queries.documents import Touched, touched
from b2bcrm.fulfillment.queries.open_lines import OpenLine, open_lines
from b2bcrm.fulfillment.queries.planned_names import named
from b2bcrm.fulfillment.snapshot import orders as snapshot
from b2bcrm.fulfillment.snapshot import ways
from b2bcrm.fulfillment.snapshot.loaded import loaded
from b2bcrm.fulfillment.snapshot.orders import OrderFacts
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order

if TYPE_CHECKING:
    from b2bcrm.fulfillment.planning.scenario import Ground, Planning, Swap

LOOKING_S = 3.0
FARTHEST = 28  # days by which a purchase order is tried earlier
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
    plan_at: dt.datetime | None = None
    improved: bool = False


@dataclass(frozen=True)
class Moved:
    """An open line that arrives on another day. ``late_*``: working days after its promise."""

    line: OpenLine
    before: dt.date | None
    after: dt.date | None
    late_before: int
    late_after: int

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
class Way:
    """One measure that makes the chosen line earlier by ``gained`` days."""

    measure: Measure
    gained: int


@dataclass(frozen=True)
class Answer:
    """A scenario beside today. ``refused``: measures that change nothing, and why.

    ``chosen`` is the line to be made earlier, ``chosen_on`` its day without the measures.
    """

    before: Sums
    after: Sums
    moved: list[Moved]
    rushes: Mapping[Rush, dt.date | None] = field(default_factory=dict)
    ahead: Mapping[str, dt.date | None] = field(default_factory=dict)
    refused: Mapping[Measure, Message] = field(default_factory=dict)
    swap: Swap | None = None
    chosen: OpenLine | None = None
    chosen_on: dt.date | None = None
    ways: list[Way] = field(default_factory=list)
    currency: str = ""

    @cached_property
    def bill(self) -> list[Moved]:
        """Who pays: lines that become later, the dearest first."""
        worse = [one for one in self.moved if one.at_stake > 0]
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
    lines, plan = open_lines(work), loaded(work)
    if plan is None:
        return Question(tuple(measures), far, line, found, centers, lines, None)
    from b2bcrm.fulfillment.planning.scenario import Ground

    names = named(work, plan.packed.names.lines).orders
    values = {one.key: one.value for one in lines}
    ground = Ground(
        plan=plan.baseline,
        made_on=plan.made_on,
        scales=plan.packed.scales,
        lines=names,
        values=values,
        pegged=found.purchases,
    )
    return Question(
        tuple(measures),
        far,
        line,
        found,
        centers,
        lines,
        ground,
        plan.made_at,
        improved=plan.improved,
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
    return tried(question.ground, question.measures, question.line, lambda: time.monotonic() < end)


def tell(work: Work, question: Question, planning: Planning | None) -> Answer:
    """The scenario's answer."""
    lines = {line.id: line for line in question.lines}
    judging = _Judging(work, question, _reserved_later(lines.values(), question, planning))
    by_plan = _by_plan(lines.values(), question, planning)
    erp_before, erp_after = judging.dates()
    late = _Lateness(work)
    before: dict[int, dt.date | None] = {key: line.projected_on for key, line in lines.items()}
    before |= {key: day for key, day in erp_before.items() if key in lines}
    after = before | {key: day for key, day in erp_after.items() if key in lines}
    for key, (was, now) in by_plan.items():
        before[key], after[key] = was, now
    moved = [
        Moved(line, before[key], after[key], late.of(line, before[key]), late.of(line, after[key]))
        for key, line in lines.items()
        if before[key] != after[key]
    ]
    chosen = next((line for line in lines.values() if line.key == question.line), None)
    ways_found = [Way(*way) for way in planning.ways] if planning else []
    if chosen is not None and chosen.id not in by_plan:
        ways_found = _ways_of_documents(work, question, chosen)
    return Answer(
        before=late.sums(lines.values(), before),
        after=late.sums(lines.values(), after),
        moved=sorted(moved, key=lambda one: (-one.at_stake, one.line.wanted_on, one.line.key)),
        rushes=planning.rushes if planning else {},
        ahead=planning.ahead if planning else {},
        refused={**(planning.refused if planning else _refused(question))}
        | dict.fromkeys(question.far, TOO_FAR),
        swap=planning.swap if planning else None,
        chosen=chosen,
        chosen_on=before.get(chosen.id) if chosen else None,
        ways=ways_found,
        currency=next((line.currency for line in lines.values()), ""),
    )


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


# --------------------------------------------------------------------------- what the ERP planned
class _Judging:
    """Projected days of the orders that the measures touch, as they are and as they would be."""

    def __init__(
        self, work: Work, question: Question, later: Mapping[int, tuple[OpenLine, dt.date]]
    ) -> None:
        self.today, self.question = work.today, question
        self.later = {key: day for key, (_, day) in later.items()}
        orders = question.touched.orders | {line.order_id for line, _ in later.values()}
        self.taken = _facts(work, orders)

    def dates(self) -> tuple[dict[int, dt.date | None], dict[int, dt.date | None]]:
        """By line id, before and after."""
        before: dict[int, dt.date | None] = {}
        after: dict[int, dt.date | None] = {}
        for facts in self.taken.orders:
            supplies = self.taken.supplies
            before |= _projected(facts, supplies, self.today)
            asked = self.question
            after |= _changed(facts, supplies, asked, asked.measures, self.today)
            after |= self._by_reservation(facts, before)
        return before, after

    def _by_reservation(
        self, facts: OrderFacts, before: Mapping[int, dt.date | None]
    ) -> dict[int, dt.date | None]:
        """Lines whose reservation is there later: it leaves on the working day after that."""
        found: dict[int, dt.date | None] = {}
        for key, line in facts.lines.items():
            if key in self.later and line.reserved_on is not None:
                view = Outlook("reservation", [], line.calendar.add_days(self.later[key], 1))
                settle(line, view, self.today)
                days = [day for day in (before[key], view.projected_on) if day is not None]
                found[key] = max(days, default=None)
        return found


def _facts(work: Work, order_ids: Collection[int]) -> snapshot.Snapshot:
    query = sa.select(Order).where(Order.id.in_(order_ids)).options(selectinload(Order.lines))
    orders = work.session.scalars(query).all()
    return snapshot.take(work, orders) if orders else snapshot.Snapshot([], Supplies())


def _projected(facts: OrderFacts, supplies: Supplies, today: dt.date) -> dict[int, dt.date | None]:
    return {key: outlook(line, supplies, today).projected_on for key, line in facts.lines.items()}


def _changed(
    facts: OrderFacts,
    supplies: Supplies,
    question: Question,
    measures: Sequence[Measure],
    today: dt.date,
) -> dict[int, dt.date | None]:
    """Projected days after the measures."""
    early = earlier(supplies, measures)
    lines = {
        key: unbound(with_firm_moved(line, measures), supplies, early)
        for key, line in facts.lines.items()
    }
    moved = shifted(supplies, measures, question.centers, facts.calendar)
    return _projected(replace(facts, lines=lines), moved, today)


def _ways_of_documents(work: Work, question: Question, line: OpenLine) -> list[Way]:
    """Purchase orders that make the line earlier, each tried alone: the least that is enough."""
    taken = _facts(work, [line.order_id])
    facts = next(iter(taken.orders), None)
    if facts is None or line.id not in facts.lines:
        return []
    facts = replace(facts, lines={line.id: facts.lines[line.id]})
    base = _projected(facts, taken.supplies, work.today)[line.id]
    if base is None:
        return []
    due = {
        buy.no: buy.due_on for g in taken.supplies.buys.values() for buy in g if not buy.finished
    }
    for group in taken.supplies.makes.values():
        due |= {no: day for make in group for part in make.parts for no, day, _ in part.coming}
    enough = (base - line.wanted_on).days

    def gained(no: str, on: dt.date) -> int:
        then = _changed(facts, taken.supplies, question, [Move(no, on)], work.today)[line.id]
        return 0 if then is None else (base - then).days

    found = []
    for no, day in due.items():
        days = [day - dt.timedelta(days=n) for n in range(1, FARTHEST + 1)]
        days = [on for on in days if on > work.today and facts.calendar.is_working(on)]
        most = gained(no, days[-1]) if days else 0
        if most > 0:  # the earlier it comes, the more is gained: halve the days
            wanted = min(most, max(1, enough))
            on = days[bisect_left(days, wanted, key=partial(gained, no))]
            found.append(Way(Move(no, on), gained(no, on)))
    return sorted(found, key=lambda way: (-way.gained, text_of(way.measure)))


# ------------------------------------------------------------------------------------- lateness
class _Lateness:
    """Working days after the promise, by the calendar of the line's site."""

    def __init__(self, work: Work) -> None:
        self.calendars = ways.take(work, ()).sites

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
