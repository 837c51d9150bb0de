"""What-if: a scenario on top of a plan, in memory; the plan itself stays as it is.

A scenario is a list of changes; its plan is the one that solving the changed book would make. The
bill of a rush order, or of any change, is what moved: who slips, by how many days, at what value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from b2bcrm.fulfillment.planning.engine.changing import Change, Service, changed, unit_of
from b2bcrm.fulfillment.planning.engine.explaining import witness_of
from b2bcrm.fulfillment.planning.engine.forecasting import last_priority
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.plan import Score, plan_of, score
from b2bcrm.fulfillment.planning.engine.resolving import resolve

Values = Mapping[str, int]  # value of a line by its name; what is not named counts nothing
TRIES = 8  # lines that are tried as the other side of a swap


@dataclass(frozen=True, slots=True)
class Move:
    """A line that arrives on another day than before; None: it is not planned, or was not there."""

    line: str
    before: int | None
    after: int | None
    late: int  # days late after it; to the end of the horizon where it is not planned
    was_late: int
    value: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A scenario beside the plan it stands on. Value late is value times days late."""

    planned: Planned
    before: Score
    after: Score
    value_late_before: int
    value_late_after: int
    moves: list[Move]

    @property
    def slips(self) -> list[Move]:
        """The bill: lines that become later than they were, the dearest first."""
        worse = [move for move in self.moves if move.late > move.was_late]
        return sorted(worse, key=lambda m: (-m.value * (m.late - m.was_late), m.line))


@dataclass(frozen=True, slots=True)
class Swap:
    """A line that is served last so that others need not slip, and what comes of it."""

    line: str
    outcome: Outcome


def whatif(plan: Planned, changes: Sequence[Change], values: Values | None = None) -> Outcome:
    """What the changes would do to a plan that ``solve`` or ``resolve`` made.

    Raises ValueError on a change that cannot be.
    """
    values = values or {}
    book, names = changed(plan.book, plan.names, changes)
    after = Planned(book, names, resolve(plan, book, names))
    old, new = _days_of(plan), _days_of(after)
    moves = []
    for line in names.lines:
        (was, was_late), (now, late) = old.get(line, (None, 0)), new[line]
        if was != now or line not in old:
            moves.append(Move(line, was, now, late, was_late, values.get(line, 0)))
    return Outcome(
        planned=after,
        before=score(plan.book, plan_of(plan.book, plan.ledger)),
        after=score(book, plan_of(book, after.ledger)),
        value_late_before=sum(values.get(line, 0) * late for line, (_, late) in old.items()),
        value_late_after=sum(values.get(line, 0) * late for line, (_, late) in new.items()),
        moves=moves,
    )


def _days_of(plan: Planned) -> dict[str, tuple[int | None, int]]:
    """Day of arrival and days late of each line."""
    arrives = plan_of(plan.book, plan.ledger).line_arrives
    there = np.where(arrives < 0, plan.book.horizon, arrives)
    late = np.maximum(0, there - plan.book.line_wish)
    days = (None if day < 0 else day for day in arrives.tolist())
    return dict(zip(plan.names.lines, zip(days, late.tolist(), strict=True), strict=True))


def always() -> bool:
    """No end to the time."""
    return True


def best_swap(
    plan: Planned,
    changes: Sequence[Change],
    values: Values,
    outcome: Outcome,
    go_on: Callable[[], bool] = always,
) -> Swap | None:
    """The line that, served last, saves most value times days late; None where none saves any.

    ``go_on`` is asked before each try. Tried are lines of least value that work in the buckets or
    take of the supplies that the dearest slip of the old plan's lines lost; lines that the changes
    name are not.
    """
    dearest = next((m.line for m in outcome.slips if m.line in plan.names.lines), None)
    if dearest is None:
        return None
    named = {getattr(getattr(c, "line", ""), "name", getattr(c, "line", "")) for c in changes}
    last = last_priority(plan.book)
    best: Swap | None = None
    for line in _rivals(plan, dearest, values):
        if line in named:
            continue
        if not go_on():
            break
        tried = whatif(plan, [*changes, Service(line, last, first=False)], values)
        least = best.outcome if best else outcome
        if tried.value_late_after < least.value_late_after:
            best = Swap(line, tried)
    return best


def _rivals(plan: Planned, line: str, values: Values) -> list[str]:
    """Lines that share buckets or supplies with a line, those of least value first."""
    book, names = plan.book, plan.names
    witness = witness_of(book, plan_of(book, plan.ledger))
    bucket = (
        np.where(witness.centre >= 0, book.bucket_at[witness.centre, witness.start], -1)
        if len(book.bucket_at)
        else np.full(len(witness.centre), -1)
    )
    n = names.lines.index(line)
    own = slice(witness.line_first[n], witness.line_first[n + 1])
    shares = np.isin(bucket, bucket[own]) & (bucket >= 0)
    shares |= np.isin(witness.supply, witness.supply[own]) & (witness.supply >= 0)
    found = np.searchsorted(witness.line_first, np.flatnonzero(shares), side="right") - 1
    unit = unit_of(book, names, line)
    lines = [
        names.lines[other]
        for other in np.unique(found).tolist()
        if unit_of(book, names, names.lines[other]) != unit
    ]
    return sorted(lines, key=lambda other: (values.get(other, 0), other))[:TRIES]
