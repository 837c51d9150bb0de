"""Allocating anew: who among rivals for a part gets what, by strategies. The plan stays as it is.

The lines share out the places in the order of service that they have among them, by strategy:
winners first, losers last. So what others have is touched as little as may be. A line that is to
keep what it has, and would be later, is planned for its day before all of them; that is tried
until no such line is later, or a few times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import NEVER, Book, Small
from b2bcrm.fulfillment.planning.engine.changing import (
    Change,
    Due,
    Turns,
    changed,
    made_with,
    unit_of,
)
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.records import Strategy
from b2bcrm.fulfillment.planning.engine.resolving import resolve

TRIES = 4


def users_of(book: Book, parts: Sequence[int]) -> Small:
    """Lines whose part is one of ``parts``, or may be made of one."""
    return np.flatnonzero(made_with(book, parts)[book.line_part])


def reallocated(
    plan: Planned, changes: Sequence[Change], strategies: Mapping[str, Strategy]
) -> list[Change]:
    """Changes that allocate anew among the lines that ``strategies`` name, after ``changes``."""
    base, names = changed(plan.book, plan.names, changes)
    before = _days(plan)
    unit = {line: unit_of(base, names, line) for line in strategies}
    turn = np.argsort(base.sequence)
    rank = {strategy: n for n, strategy in enumerate(Strategy)}
    held: set[str] = set()
    for _ in range(TRIES):
        order = sorted(
            strategies,
            key=lambda line: (line not in held, rank[strategies[line]], turn[unit[line]]),
        )
        late = [
            Due(line, before[line])
            for line in order
            if (line in held or strategies[line] is Strategy.FILL)
            and base.unit_due[unit[line]] < before[line] < NEVER
        ]
        found: list[Change] = [Turns(tuple(order)), *late]
        book, _ = changed(base, names, found)
        after = _days(Planned(book, names, resolve(plan, book, names)))
        worse = {
            line
            for line in order
            if strategies[line] is Strategy.GAIN and after[line] > before.get(line, NEVER)
        }
        if worse <= held:
            break
        held |= worse
    return found


def _days(plan: Planned) -> dict[str, int]:
    """The day on which each line leaves; NEVER: it is not planned."""
    leaves = np.repeat(plan.ledger.unit_day, np.diff(plan.book.unit_line))
    days = np.where(leaves < 0, NEVER, leaves).tolist()
    return dict(zip(plan.names.lines, days, strict=True))
