"""Rivals: which units compete for the same work centre or the same scarce part, by due day."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Small


class Rivals(NamedTuple):
    """Pools 0 to C - 1 are the work centres, pool C + p is part p where it is bought."""

    pool_first: Small  # pools + 1
    pool_unit: Small  # units that may draw on the pool, by due day
    unit_first: Small  # U + 1
    unit_pool: Small  # pools that the unit may draw on
    part_pool: Small  # P; pool that lacks when the part cannot be had


def rivals_of(book: Book) -> Rivals:
    """Who may draw on which pool, from bills of material and routings."""
    parts, centres = len(book.part_earliest), len(book.bucket_at)
    pool = np.arange(centres, centres + parts, dtype=np.int32)
    children: list[set[int]] = [set() for _ in range(parts)]
    pools: list[frozenset[int] | None] = [None] * parts
    for source, part in enumerate(book.source_part):
        if book.source_centre[source] >= 0:
            pool[part] = book.source_centre[source]
        first, last = book.source_component[source], book.source_component[source + 1]
        children[part].update(book.component_part[first:last].tolist())
    lines = [
        book.line_part[a:b].tolist()
        for a, b in zip(book.unit_line[:-1], book.unit_line[1:], strict=True)
    ]
    for root in {part for unit in lines for part in unit}:
        waiting = [root]
        while waiting:
            part = waiting[-1]
            missing = [child for child in children[part] if pools[child] is None]
            waiting += missing
            if not missing:
                below = (pools[child] or frozenset() for child in children[part])
                pools[part] = frozenset([int(pool[part])]).union(*below)
                waiting.pop()
    by_unit = [sorted(frozenset().union(*(pools[p] or () for p in unit))) for unit in lines]
    sizes = np.array([len(one) for one in by_unit], np.int64)
    unit_pool = np.array([p for one in by_unit for p in one], np.int32)
    unit = np.repeat(np.arange(len(lines)), sizes)
    order = np.lexsort((unit, book.unit_due[unit], unit_pool))
    ends = np.searchsorted(unit_pool[order], np.arange(centres + parts + 1))
    return Rivals(
        pool_first=ends.astype(np.int32),
        pool_unit=unit[order].astype(np.int32),
        unit_first=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32),
        unit_pool=unit_pool,
        part_pool=pool,
    )
