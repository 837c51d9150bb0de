"""Measures on the ERP's own documents: the same supplies with other days. Pure.

A purchase order comes on the day that is asked about. Work that meets a standstill waits until it
is over, and what follows in its work order waits as long. More hours change no document: the ERP's
dates of released work are facts until the ERP changes them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace

from b2bcrm.fulfillment.planning.facts import Buy, Make, Part, Step, Supplies
from b2bcrm.fulfillment.planning.measures import Down, Measure, Move
from b2bcrm.kernel.calendar import WorkCalendar


def shifted(
    supplies: Supplies,
    measures: Sequence[Measure],
    centers: Mapping[str, str],
    calendar: WorkCalendar,
) -> Supplies:
    """The supplies after the measures; ``centers`` are names of work centres by code."""
    moves = {one.no: one.on for one in measures if isinstance(one, Move)}
    downs = [(centers.get(d.center, d.center), d) for d in measures if isinstance(d, Down)]
    return Supplies(
        makes={
            ref: [_make(make, moves, downs, calendar) for make in group]
            for ref, group in supplies.makes.items()
        },
        buys={ref: [_buy(buy, moves) for buy in group] for ref, group in supplies.buys.items()},
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
