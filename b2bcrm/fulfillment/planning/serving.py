"""In which order a plan serves order lines, by the rule of the house. Pure.

What is kept comes before all of them. Where the rule begins with the class, one class after the
other is served: what is late of the first one comes before what is on time of the next. Otherwise
all lines are served together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from b2bcrm.fulfillment.planning.plant import OpenLine, ServeBy

PRIORITIES = {"A": 1, "B": 2}  # any other class comes after them
OTHERS = 3


def priority(row: OpenLine, by: Sequence[ServeBy]) -> int:
    """Which lines a line is served with; 1 is first, 0 is what is kept."""
    return _class(row) if by[0] is ServeBy.CLASS else 1


def in_turn(rows: Iterable[OpenLine], by: Sequence[ServeBy]) -> list[OpenLine]:
    """The lines as the rule orders them; what it leaves open is decided by their entry."""
    return sorted(rows, key=lambda row: (*(_KEYS[one](row) for one in by), row.entry))


def _class(row: OpenLine) -> int:
    return PRIORITIES.get(row.customer_class, OTHERS)


_KEYS: dict[ServeBy, Callable[[OpenLine], Any]] = {
    ServeBy.CLASS: _class,
    ServeBy.PROMISE: lambda row: row.promise,
    ServeBy.ENTRY: lambda row: row.entry,
    ServeBy.VALUE: lambda row: -row.qty * row.each,
    ServeBy.WISH: lambda row: row.wish,
}
