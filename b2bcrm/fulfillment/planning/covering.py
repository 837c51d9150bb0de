"""What covers demand and hours before anything is planned: documents, allocations, released work.

**Counted once.** ``allocated`` are pieces on hand that the ERP has promised within itself, and it
does not say to whom. They are never free. They serve what the ERP must mean by them: first the
components of work orders that have not started (and have no document of their own), then order
lines it knows, the earliest day first. So the same piece is not asked for by need and allocation.
What running work orders consume was issued when they started.

**Facts.** Documents pegged to an order line or to another work order serve that and are not free;
their dates are the ERP's, and their hours are taken from the work centres. More hours than a day
has go on to the next.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from math import ceil

from b2bcrm.fulfillment.planning.plant import (
    BomLine,
    Document,
    OpenStep,
    Places,
    Rows,
    part_name,
)


class _Cover:
    """What covers demand before anything is planned for it."""

    def __init__(self, rows: Rows) -> None:
        self._pegged: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for document in rows.documents:
            if document.demand_ref:
                self._pegged[document.demand_ref, document.item] += document.left
        self._allocated = {part_name(row.item, row.site): row.allocated for row in rows.levels}

    def brings(self, ref: str, item: str) -> Decimal:
        """What documents pegged to ``ref`` still bring of the item."""
        return self._pegged.get((ref, item), Decimal(0))

    def rest(self, ref: str, item: str, part: str, qty: Decimal) -> Decimal:
        """What of ``qty`` neither documents pegged to ``ref`` bring nor an allocation keeps."""
        qty -= self.brings(ref, item)
        taken = max(Decimal(0), min(qty, self._allocated.get(part, Decimal(0))))
        if taken:
            self._allocated[part] -= taken
        return qty - taken


def open_demand(
    rows: Rows, places: Places
) -> tuple[dict[tuple[str, str], Decimal], dict[str, Decimal]]:
    """What nothing covers: (work order, component) -> pieces, and order line -> pieces.

    Covered is what pegged documents still bring, what we reserved, and what is allocated.
    """
    cover = _Cover(rows)
    bom: dict[str, list[BomLine]] = defaultdict(list)
    for line in rows.bom:
        bom[line.item].append(line)
    needs: dict[tuple[str, str], Decimal] = {}
    waiting = [document for document in rows.documents if document.waits]
    for document in sorted(waiting, key=lambda d: (d.start, d.no)):
        for component, qty in _takes(document, bom[document.item], cover).items():
            part = places.part(component, document.site)
            needs[document.no, component] = cover.rest(document.no, component, part, qty)
    lines: dict[str, Decimal] = {}
    for wanted in sorted(rows.lines, key=lambda ln: (ln.wish, ln.promise, ln.entry)):
        qty, part = wanted.qty - wanted.kept, places.part(wanted.item, wanted.site)
        lines[wanted.no] = cover.rest(wanted.ref, wanted.item, part, qty) if wanted.ref else qty
    return (
        {key: qty for key, qty in needs.items() if qty > 0},
        {key: qty for key, qty in lines.items() if qty > 0},
    )


def _takes(document: Document, bom: Sequence[BomLine], cover: _Cover) -> dict[str, Decimal]:
    """What a work order takes, less what pegged documents bring of substitutes instead."""
    whole: dict[str, Decimal] = defaultdict(Decimal)
    for line in bom:
        if line.counts_on(document.start):
            whole[line.component] += line.takes(document.qty)
    left = dict(whole)
    brought: dict[str, Decimal] = {}
    for line in bom:
        old, new, takes = line.stands_in_for, line.component, line.takes(document.qty)
        if line.holds_on(document.start) and old in whole and new not in whole and takes:
            there = brought.setdefault(new, cover.brings(document.no, new))
            instead = min(left[old], whole[old] * there / takes)
            left[old] -= instead
            brought[new] -= instead * takes / whole[old]
    return left


def spread(
    steps: Iterable[OpenStep], hours: dict[str, dict[int, int]], today: dt.date
) -> list[tuple[str, int, int]]:
    """(centre, day, 1/1000 h) that open operations take: evenly over their days, never too much.

    ``hours`` are those of each centre's open days. What is due goes on to the next open day that
    has room; what finds none at all is left out.
    """
    wanted: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for step in steps:
        open_days = hours.get(step.center)
        first, last = (max(0, (day - today).days) for day in (step.start, step.end))
        if open_days is None or step.hours <= 0:
            continue
        days = [day for day in range(first, max(first, last) + 1) if day in open_days] or [first]
        share = ceil(step.hours * 1000 / len(days))
        for day in days:
            wanted[step.center][day] += share
    found = []
    for center, by_day in sorted(wanted.items()):
        over, open_days = 0, hours[center]
        for day in sorted({*by_day, *open_days}):
            over += by_day.get(day, 0)
            taken = min(over, open_days.get(day, 0))
            if taken:
                found.append((center, day, taken))
                over -= taken
    return found
