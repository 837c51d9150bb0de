"""Forecast demand: what no order has used up of it yet, as lines that are served after all others.

Net demand is gross demand less the orders for it, never below zero. An order uses up forecast of
its part: of the span in which it leaves, then of earlier spans, the nearest first, then of later
ones, as far as their windows reach (forecast consumption as master scheduling knows it). Orders do
so by the day they leave, and each piece once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book
from b2bcrm.fulfillment.planning.engine.ledger import FULL, Ledger, copied, with_room
from b2bcrm.fulfillment.planning.engine.placing import drop
from b2bcrm.fulfillment.planning.engine.records import FORECAST, Forecast, Line
from b2bcrm.fulfillment.planning.engine.solving import place_late, place_on_time


def netted(forecasts: Iterable[Forecast], lines: Iterable[Line]) -> list[Line]:
    """What is left of each forecast, wished for the middle of its span; nothing left, no line."""
    spans: dict[str, list[Forecast]] = defaultdict(list)
    for one in sorted(forecasts, key=lambda f: (f.part, f.start, f.end)):
        spans[one.part].append(one)
    left = {part: [one.qty for one in group] for part, group in spans.items()}
    for line in sorted(lines, key=lambda ln: (ln.wish - ln.transit, ln.name)):
        group = spans.get(line.part, [])
        qty, day = line.qty, line.wish - line.transit
        for n in _turns(group, day):
            used = min(qty, left[line.part][n])
            left[line.part][n] -= used
            qty -= used
    return [
        Line(f"forecast {part} {n}", part, qty, (one.start + one.end) // 2, FORECAST)
        for part, group in spans.items()
        for n, (one, qty) in enumerate(zip(group, left[part], strict=True), 1)
        if qty > 0
    ]


def _turns(group: Sequence[Forecast], day: int) -> list[int]:
    """The spans that an order that leaves on the day uses up, in their turn."""
    here = [n for n, one in enumerate(group) if one.start <= day < one.end]
    before = [n for n, one in enumerate(group) if one.end <= day <= one.end - 1 + one.back]
    after = [n for n, one in enumerate(group) if one.start - one.ahead <= day < one.start]
    return [*here, *reversed(before), *after]


def without_forecast(book: Book, plan: Ledger) -> Ledger:
    """A copy of the plan that serves real demand only: nobody waits for what is only expected."""
    ledger = copied(plan)
    for unit in np.flatnonzero(book.unit_priority == FORECAST):
        drop(book, ledger, int(unit))
    return ledger


def with_forecast(book: Book, ledger: Ledger) -> Ledger:
    """The plan of real demand, and what is expected planned around it."""
    for unit in book.sequence[book.unit_priority[book.sequence] == FORECAST]:
        place_on_time(book, ledger, int(unit)) or place_late(book, ledger, int(unit))
        while ledger.at[FULL]:
            ledger = with_room(ledger)
            place_on_time(book, ledger, int(unit)) or place_late(book, ledger, int(unit))
    return ledger


def last_priority(book: Book) -> int:
    """The last class of real demand."""
    return int(book.unit_priority[book.unit_priority != FORECAST].max(initial=0))
