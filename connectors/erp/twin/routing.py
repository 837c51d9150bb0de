"""From routing to days: how long a lot takes, when each operation runs, how far it is.

A lot flows: the next operation starts when half of the one before is through, so the pieces of
one work order stand at several stations at once. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from math import ceil

from connectors.erp.twin.parts import CENTER, Part


@lru_cache(maxsize=50_000)
def spans(part: Part, qty: int) -> tuple[tuple[int, int], ...]:
    """(first, last) working day of each operation, counted from 0 at the lot's start."""
    found: list[tuple[int, int]] = []
    start, last = 0, 0
    for step in part.steps:
        hours = step.setup + step.unit * Decimal(qty)
        days = max(1, ceil(hours / CENTER[step.center].hours))
        last = max(last, start + days - 1)
        found.append((start, last))
        start += max(1, days // 2)
    return tuple(found)


def work_days(part: Part, qty: int) -> int:
    """Working days of the whole lot, at least one."""
    rows = spans(part, qty)
    return rows[-1][1] + 1 if rows else 1


def pieces_done(
    rows: Sequence[tuple[int, int]], qty: int, elapsed: float, stretch: float
) -> list[int]:
    """Good pieces per operation after ``elapsed`` working days of a lot.

    ``stretch`` is actual over planned length. Nothing is done before it went through the
    operation in front of it, and the last piece comes off at the very end only.
    """
    done: list[int] = []
    before = qty
    for first, last in rows:
        share = (elapsed / stretch - first) / (last + 1 - first)
        before = min(before, max(0, min(qty, int(qty * share))))
        done.append(before)
    return done
