"""Relaxing: single changes that would let a line leave earlier, each tried for real.

The line is asked for anew in what the plan leaves free without it: everybody else keeps what he
has. A change of the smallest amount for each number of days gained is told, with its price where
prices are given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import KEPT, LIMIT, Book, Ints, Small
from b2bcrm.fulfillment.planning.engine.changing import (
    LINES,
    UNITS,
    Instead,
    changed,
    made_with,
    unit_of,
)
from b2bcrm.fulfillment.planning.engine.ledger import SLOTS, Ledger, copied
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.placing import drop
from b2bcrm.fulfillment.planning.engine.plan import slot_parts
from b2bcrm.fulfillment.planning.engine.solving import solve

STEP = 1000  # 1/1000 h; overtime is whole hours


@dataclass(frozen=True, slots=True)
class Limits:
    """How much may be changed at most, and what it costs; None: nobody knows."""

    days: int = 28  # by which a supply may be expedited
    hours: int = 8  # of overtime in a bucket
    day_price: int | None = None  # per day and supply
    hour_price: int | None = None


@dataclass(frozen=True, slots=True)
class Relaxation:
    """Supply ``supply`` earlier by ``amount`` days, or ``amount`` hours more in ``bucket``."""

    supply: int  # -1: none
    bucket: int  # -1: none
    amount: int
    gained: int  # days
    price: int | None

    @property
    def price_per_day(self) -> float | None:
        """Price of each day gained."""
        return None if self.price is None else self.price / self.gained


def relaxations(
    plan: Planned, line: str, limits: Limits, go_on: Callable[[], bool] = lambda: True
) -> list[Relaxation]:
    """Changes that gain days, the cheapest per day first; without prices the most days first.

    ``go_on`` is asked before each supply or bucket is tried.
    Raises ValueError where the line is not in the book. A line that is on time has none.
    """
    unit = unit_of(plan.book, plan.names, line)
    day = int(plan.ledger.unit_day[unit])
    if 0 <= day <= plan.book.unit_due[unit]:
        return []
    left = left_for(plan.book, plan.ledger, unit)
    base = _leaves(left)
    found = []
    for supply, bucket, amounts, price in _candidates(plan.book, left, base, limits):
        if not go_on():
            break
        best = 0
        for amount in amounts:
            gained = base - _leaves(relaxed(left, supply, bucket, amount))
            if gained > best:
                best = gained
                cost = None if price is None else price * amount
                found.append(Relaxation(supply, bucket, amount, gained, cost))
    return sorted(
        found,
        key=lambda one: (one.price_per_day or 0, -one.gained, one.amount, one.supply, one.bucket),
    )


def sent_ahead(plan: Planned, line: str) -> tuple[int, int]:
    """The most pieces of a late line that can leave when it is due, and the days they gain.

    None of a line that is on time, leaves together with others or is in two shipments already.
    Raises ValueError where the line is not in the book.
    """
    unit = unit_of(plan.book, plan.names, line)
    day, due = int(plan.ledger.unit_day[unit]), int(plan.book.unit_due[unit])
    alone = plan.book.unit_line[unit + 1] - plan.book.unit_line[unit] == 1
    if 0 <= day <= due or not alone or plan.ledger.unit_ahead[unit]:
        return 0, 0
    left = left_for(plan.book, plan.ledger, unit)
    left = left._replace(unit_limit=left.unit_due, line_least=np.zeros_like(left.line_least))
    none, whole = 0, int(left.line_qty[0])
    while whole - none > 1:
        qty = (whole + none) // 2
        if _leaves(left._replace(line_qty=np.array([qty], np.int64))) == due:
            none = qty
        else:
            whole = qty
    return none, (day if day >= 0 else plan.book.horizon) - due if none else 0


def stand_ins(
    plan: Planned, line: str, changes: Sequence[Instead], go_on: Callable[[], bool]
) -> Iterator[tuple[Instead, int]]:
    """Those of the changes that make a late line earlier, each tried alone, and the days gained.

    Tried is what the line may be made with, what has pieces left and what closes no circle;
    ``go_on`` is asked before.
    Raises ValueError where the line is not in the book.
    """
    unit = unit_of(plan.book, plan.names, line)
    index = {part: n for n, part in enumerate(plan.names.parts)}
    if 0 <= plan.ledger.unit_day[unit] <= plan.book.unit_due[unit]:
        return
    left = left_for(plan.book, plan.ledger, unit)
    below = set(_below(plan.book, left.line_part)[0])
    free = set(left.supply_part[left.supply_qty > 0].tolist())
    base = _leaves(left)
    for one in changes:
        part, by = index[one.part], index[one.by]
        if part not in below or by not in free or made_with(left, [part])[by]:
            continue
        if not go_on():
            return
        gained = base - _leaves(changed(left, plan.names, [one])[0])
        if gained > 0:
            yield one, gained


def left_for(book: Book, ledger: Ledger, unit: int) -> Book:
    """A book of one unit and what the plan leaves free without it; supplies keep their indices."""
    rest = copied(ledger)
    drop(book, rest, unit)
    supplies, caps = len(book.supply_part), len(book.rule)
    slots = np.delete(np.arange(rest.at[SLOTS]), np.arange(supplies, supplies + caps))
    first, last = book.unit_line[unit], book.unit_line[unit + 1]
    lines = {name: getattr(book, name)[first:last] for name in LINES}
    units = {name: getattr(book, name)[unit : unit + 1] for name in UNITS}
    return book._replace(
        supply_part=slot_parts(book, rest)[slots],
        supply_day=rest.slot_day[slots],
        supply_qty=np.maximum(0, rest.slot_free[slots]),
        supply_rule=np.append(book.supply_rule, np.full(len(slots) - supplies, -1, np.int32)),
        rule=_left_of(book, rest),
        bucket_hours=rest.bucket_free,
        unit_line=np.array([0, last - first], np.int32),
        sequence=np.zeros(1, np.int32),
        **lines,
        **units,
    )


def _left_of(book: Book, rest: Ledger) -> Ints:
    """Allocations with what is left of caps."""
    rule, supplies = book.rule.copy(), len(book.supply_part)
    capped = rule[:, LIMIT] != KEPT
    rule[capped, LIMIT] = rest.slot_free[supplies : supplies + len(rule)][capped]
    return rule


def relaxed(left: Book, supply: int, bucket: int, amount: int) -> Book:
    """The book with one change."""
    if supply >= 0:
        day: Small = left.supply_day.copy()
        day[supply] -= amount
        return left._replace(supply_day=day)
    hours = left.bucket_hours.copy()
    hours[bucket] += amount * STEP
    return left._replace(bucket_hours=hours)


def _leaves(left: Book) -> int:
    """The day on which the one unit leaves; the horizon where it does not."""
    day = int(solve(left).unit_day[0])
    return day if day >= 0 else left.horizon


def _candidates(
    book: Book, left: Book, day: int, limits: Limits
) -> Iterator[tuple[int, int, range, int | None]]:
    """Supplies and buckets that the unit could use, the amounts to be tried, and their price."""
    parts, centres = _below(book, left.line_part)
    free = np.isin(left.supply_part, parts) & (left.supply_qty > 0) & (left.supply_day > 0)
    for supply in np.flatnonzero(free[: len(book.supply_part)]).tolist():
        most = min(limits.days, int(left.supply_day[supply]))
        yield supply, -1, range(1, most + 1), limits.day_price
    near = np.isin(left.bucket_centre, centres) & (left.bucket_start <= day)
    for bucket in np.flatnonzero(near).tolist():
        yield -1, bucket, range(1, limits.hours + 1), limits.hour_price


def _below(book: Book, roots: Small) -> tuple[list[int], list[int]]:
    """Parts and work centres that the parts may be made with."""
    parts, waiting, centres = set(roots.tolist()), roots.tolist(), set()
    while waiting:
        part = waiting.pop()
        for source in range(book.part_source[part], book.part_source[part + 1]):
            centres.add(int(book.source_centre[source]))
            first, last = book.source_component[source], book.source_component[source + 1]
            below = set(book.component_part[first:last].tolist()) - parts
            parts |= below
            waiting += below
    return sorted(parts), sorted(centres - {-1})
