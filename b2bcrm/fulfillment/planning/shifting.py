"""Measures on the ERP's own documents: the same supplies with other days. Pure.

A purchase order comes on the day that is asked about. Where that is earlier, work orders above it
that have been put off go back to the days first planned for them, as far as everything else under
them allows, and the line leaves when it is ready, at the latest to be in time: that is how the ERP
would plan them again. Work that meets a standstill waits until it is over, and what follows in its
work order waits as long. More hours change no document: the ERP's dates of released work are facts
until the ERP changes them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from b2bcrm.customers.receiving import leave_by
from b2bcrm.fulfillment.planning.chain import DEEPEST
from b2bcrm.fulfillment.planning.facts import Buy, Line, Make, Part, Step, Supplies
from b2bcrm.fulfillment.planning.measures import Down, Measure, Move
from b2bcrm.kernel.calendar import WorkCalendar


def shifted(
    supplies: Supplies,
    measures: Sequence[Measure],
    centers: Mapping[str, str],
    calendar: WorkCalendar,
) -> Supplies:
    """The supplies after the measures; ``centers`` are names of work centres by code."""
    moves, early = _moves(measures), earlier(supplies, measures)
    downs = [(centers.get(d.center, d.center), d) for d in measures if isinstance(d, Down)]
    return Supplies(
        makes={
            ref: [_make(_back(make, early, calendar), moves, downs, calendar) for make in group]
            for ref, group in supplies.makes.items()
        },
        buys={ref: [_buy(buy, moves) for buy in group] for ref, group in supplies.buys.items()},
    )


def earlier(supplies: Supplies, measures: Sequence[Measure]) -> frozenset[str]:
    """Purchase orders that come earlier, and the work orders that lead up from them."""
    moves = _moves(measures)
    found = {
        buy.no
        for group in supplies.buys.values()
        for buy in group
        if not buy.finished and buy.no in moves and moves[buy.no] < buy.due_on
    }
    every = [make for group in supplies.makes.values() for make in group]
    for _ in range(DEEPEST):
        found |= {make.no for make in every if _waits_for_one(make, supplies, moves, found)}
    return frozenset(found)


def _waits_for_one(
    make: Make, supplies: Supplies, moves: Mapping[str, dt.date], early: Collection[str]
) -> bool:
    """Whether something under the work order comes earlier."""
    below: list[Buy | Make] = [*supplies.buys.get(make.no, ()), *supplies.makes.get(make.no, ())]
    short = [receipt for part in make.parts if part.short > 0 for receipt in part.coming]
    return any(one.no in early for one in below) or any(
        no in moves and moves[no] < day for no, day, _ in short
    )


def unbound(line: Line, supplies: Supplies, early: Collection[str]) -> Line:
    """The line without the ERP's put-off day of shipping, where its supply comes earlier."""
    tops: list[Buy | Make] = [*supplies.buys.get(line.ref, ()), *supplies.makes.get(line.ref, ())]
    if line.planned_on is None or line.promised_on is None:
        return line
    if not any(one.no in early for one in tops):
        return line
    in_time = leave_by(
        line.promised_on,
        calendar=line.calendar,
        incoterm=line.incoterm,
        transit_days=line.transit_days,
        receiving_days=line.receiving_days,
    )
    return replace(line, planned_on=min(line.planned_on, in_time))


def with_firm_moved(line: Line, measures: Sequence[Measure]) -> Line:
    """The line with its firm pieces of purchase orders on the days that are asked about."""
    moves = _moves(measures)
    firm = tuple(
        replace(one, on=moves[one.no]) if one.on is not None and one.no in moves else one
        for one in line.firm
    )
    return replace(line, firm=firm)


def _moves(measures: Sequence[Measure]) -> dict[str, dt.date]:
    return {one.no: one.on for one in measures if isinstance(one, Move)}


def _back(make: Make, early: Collection[str], calendar: WorkCalendar) -> Make:
    """A work order that was put off and need not wait so long, on its first days again."""
    put_off = calendar.days_between(make.first_end_on, make.end_on)
    if make.no not in early or make.started or make.finished or put_off <= 0:
        return make
    return replace(
        make,
        start_on=calendar.add_days(make.start_on, -put_off),
        end_on=make.first_end_on,
        steps=tuple(_later(step, -put_off, calendar) for step in make.steps),
    )


def _buy(buy: Buy, moves: Mapping[str, dt.date]) -> Buy:
    return replace(buy, due_on=moves[buy.no]) if buy.no in moves and not buy.finished else buy


def _make(
    make: Make,
    moves: Mapping[str, dt.date],
    downs: Sequence[tuple[str, Down]],
    calendar: WorkCalendar,
) -> Make:
    make = replace(make, parts=tuple(_part(part, moves) for part in make.parts))
    for center, down in downs:
        if not make.finished:
            make = _waiting(make, center, down, calendar)
    return make


def _part(part: Part, moves: Mapping[str, dt.date]) -> Part:
    coming = [(no, moves.get(no, day), qty) for no, day, qty in part.coming]
    return replace(part, coming=tuple(sorted(coming, key=lambda receipt: receipt[1])))


def _waiting(make: Make, center: str, down: Down, calendar: WorkCalendar) -> Make:
    """The work order after a standstill; each operation that meets it waits until its end."""
    steps: list[Step] = []
    late = 0  # working days by which what follows is later
    for step in make.steps:
        one = step
        if late and not step.done:
            one = _later(step, late, calendar)
        if step.center == center and not step.done:
            wait = _days_lost(one, down, calendar)
            if wait:
                begins = calendar.add_days(one.start_on, wait)
                started = step.qty_done > 0 or one.start_on < down.first
                one = replace(
                    one,
                    start_on=one.start_on if started else begins,
                    end_on=calendar.add_days(one.end_on, wait),
                )
                late += wait
        steps.append(one)
    if not late:
        return make
    first = next((n for n, step in enumerate(make.steps) if not step.done), 0)
    moved = steps[first].start_on != make.steps[first].start_on
    starts = max(make.start_on, steps[first].start_on) if moved else make.start_on
    return replace(
        make,
        steps=tuple(steps),
        start_on=make.start_on if make.started else starts,
        end_on=calendar.add_days(make.end_on, late),
    )


def _later(step: Step, days: int, calendar: WorkCalendar) -> Step:
    return replace(
        step,
        start_on=calendar.add_days(step.start_on, days),
        end_on=calendar.add_days(step.end_on, days),
    )


def _days_lost(step: Step, down: Down, calendar: WorkCalendar) -> int:
    """Working days of the standstill that the operation would have used."""
    if step.end_on < down.first or step.start_on > down.last:
        return 0
    begins = max(step.start_on, down.first)
    return calendar.days_between(begins - dt.timedelta(days=1), down.last)
