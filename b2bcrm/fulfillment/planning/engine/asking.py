"""Asking: what could be promised on top of a plan, without disturbing it.

Inside what is free it is ATP, beyond it CTP: both are the placing that makes the plan. Every answer
is planned for real on a copy of the ledger and taken back at once. Of one quote, each line sees
what was answered to the lines before it; alternatives, as the tiers of a price, do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Ints, Names, Problem, Small
from b2bcrm.fulfillment.planning.engine.compiled import kernel, whole
from b2bcrm.fulfillment.planning.engine.demand import known_by, units_of
from b2bcrm.fulfillment.planning.engine.forecasting import without_forecast
from b2bcrm.fulfillment.planning.engine.ledger import (
    FULL,
    TOP,
    Ledger,
    roll_back,
    with_room,
)
from b2bcrm.fulfillment.planning.engine.placing import keep
from b2bcrm.fulfillment.planning.engine.plan import arrivals
from b2bcrm.fulfillment.planning.engine.records import Line
from b2bcrm.fulfillment.planning.engine.solving import (
    ahead_on_time,
    most_ahead,
    place_early,
    place_on_time,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a line can have. Days are of arrival; None: not within the horizon or its lateness.

    ``by_wish`` pieces can arrive as wished; sent ahead, they leave the others for ``rest_on``. A
    line that tells the least of a shipment is answered with no fewer.
    """

    line: str
    full_on: int | None
    by_wish: int
    rest_on: int | None


@kernel
def answer_unit(book: Book, ledger: Ledger, unit: int, found: Ints) -> None:
    """Day of leaving in full, pieces by the wish, day of the rest: ``found``; stays planned."""
    due, limit = whole(book.unit_due[unit]), whole(book.unit_limit[unit])
    line, mark = book.unit_line[unit], ledger.at[TOP]
    qty = book.line_qty[line]
    if due <= limit and place_on_time(book, ledger, whole(unit)):
        found[0], found[1], found[2] = due, qty, due
        return
    if book.unit_line[unit + 1] - line == 1:
        ahead = most_ahead(book, ledger, unit, qty, max(1, book.line_least[line]))
        found[1] = ahead
        if ahead > 0:
            if ahead_on_time(book, ledger, unit, ahead, qty):
                keep(ledger, unit, mark, -1)
                ledger.unit_ahead[unit] = ahead
                if place_early(book, ledger, unit, due, limit):
                    found[2] = ledger.unit_day[unit]
            roll_back(book, ledger, mark)
            ledger.unit_ahead[unit] = 0
    if place_early(book, ledger, unit, due, limit):
        found[0] = ledger.unit_day[unit]
        if found[1] == 0:
            found[2] = found[0]


@kernel
def answer_all(book: Book, ledger: Ledger, quote: Small, found: Ints) -> None:
    """Answers of all units in their order; those of one quote, side by side, see each other."""
    mark = ledger.at[TOP]
    for unit in range(len(quote)):
        if unit > 0 and quote[unit] != quote[unit - 1]:
            roll_back(book, ledger, mark)
        answer_unit(book, ledger, unit, found[unit])
        if ledger.at[FULL]:
            break
    roll_back(book, ledger, mark)


class Asking:
    """Questions on top of one plan; for one thread at a time."""

    def __init__(self, book: Book, names: Names, plan: Ledger) -> None:
        self._book = book
        self._known = known_by(names)
        self._days = [[int(day) for day in row if day < book.horizon] for row in book.calendar_day]
        self._state = without_forecast(book, plan)._replace(
            at=np.array([0, 0, *plan.at[2:]], np.int64),
            **{name: getattr(plan, name)[:0] for name in _ENTRIES},
        )

    def ask(
        self, lines: Sequence[Line], quotes: Sequence[str] | None = None
    ) -> tuple[list[Answer], list[Problem]]:
        """An answer per line that can be asked for, in the order asked; problems of the others.

        ``quotes`` names each line's quote; without, every line is an alternative of its own.
        Lines that leave together must follow one another, and have one answer each.
        """
        problems: list[Problem] = []
        demand, names = units_of(lines, self._known, self._days, self._book.horizon, problems)
        book = self._book._replace(**demand)
        of_line = dict(zip((line.name for line in lines), quotes or (), strict=False))
        firsts = book.unit_line[:-1]
        groups: dict[str, int] = {}
        quote = np.array(
            [groups.setdefault(of_line.get(names[n], names[n]), len(groups)) for n in firsts],
            np.int32,
        )
        found = self._found(book, quote)
        count = np.diff(book.unit_line)
        full = arrivals(book, np.repeat(found[:, 0], count))
        rest = arrivals(book, np.repeat(found[:, 2], count))
        pieces = np.repeat(found[:, 1], count)
        answers = [
            Answer(name, day(full[n]), int(pieces[n]), day(rest[n])) for n, name in enumerate(names)
        ]
        return answers, problems

    def _found(self, book: Book, quote: Small) -> Ints:
        """Answers in days of leaving, one row per unit."""
        units = len(quote)
        while True:
            self._state = self._state._replace(
                unit_first=np.zeros(units, np.int64),
                unit_count=np.zeros(units, np.int64),
                unit_day=np.full(units, -1, np.int32),
                unit_ahead=np.zeros(units, np.int64),
            )
            found = np.tile(np.array([-1, 0, -1], np.int64), (units, 1))
            answer_all(book, self._state, quote, found)
            if not self._state.at[FULL]:
                return found
            self._state.unit_count[:] = 0
            self._state = with_room(self._state)


_ENTRIES = ("entry_ref", "entry_day", "entry_need", "entry_qty")


def day(number: int) -> int | None:
    """A day, or None for none."""
    return int(number) if number >= 0 else None
