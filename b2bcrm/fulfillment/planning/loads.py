"""Hours that a plan takes per work centre and week, and what a scenario makes of them. Pure.

They are the plan's own: what released work of the ERP takes stands in neither load nor capacity.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.figures import LOAD_WEEKS, WEEK, LoadWeek, monday

MOST = 3  # work centres that are told
HOUR = 1000  # the engine counts 1/1000 h


class CenterLoad(NamedTuple):
    """Coming weeks of a work centre, as it is and with the scenario."""

    center: str
    before: Sequence[LoadWeek]
    after: Sequence[LoadWeek]

    @property
    def moved(self) -> Decimal:
        """Hours of load and capacity that are elsewhere."""
        pairs = list(zip(self.before, self.after, strict=True))
        found = (abs(a.load - b.load) + abs(a.capacity - b.capacity) for a, b in pairs)
        return sum(found, Decimal(0))


def moved_loads(before: Planned, after: Planned, today: dt.date) -> list[CenterLoad]:
    """The work centres whose hours a scenario moves, most hours first; same centres in both."""
    found = [
        CenterLoad(center, was, now)
        for center, was, now in zip(
            before.names.centres, _weeks(before, today), _weeks(after, today), strict=True
        )
    ]
    moved = [one for one in found if one.moved]
    return sorted(moved, key=lambda one: (-one.moved, one.center))[:MOST]


def _weeks(plan: Planned, today: dt.date) -> Iterator[list[LoadWeek]]:
    """The coming weeks of each work centre; a bucket counts in the week in which it starts."""
    book, first = plan.book, monday(today)
    week = (today.weekday() + book.bucket_start) // WEEK.days
    at = book.bucket_centre * LOAD_WEEKS + week
    near = week < LOAD_WEEKS
    size = len(plan.names.centres) * LOAD_WEEKS
    sums = []
    for hours in (book.bucket_hours - plan.ledger.bucket_free, book.bucket_hours):
        found = np.zeros(size, np.int64)
        np.add.at(found, at[near], hours[near])
        sums.append(found.reshape(-1, LOAD_WEEKS).tolist())
    for loads, capacities in zip(*sums, strict=True):
        yield [
            LoadWeek(first + WEEK * n, Decimal(load) / HOUR, Decimal(capacity) / HOUR)
            for n, (load, capacity) in enumerate(zip(loads, capacities, strict=True))
        ]
