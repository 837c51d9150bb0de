"""The walk beside an old plan: what is free in the new one more or less, and who would notice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Ints, Small
from b2bcrm.fulfillment.planning.engine.compiled import inner, kernel
from b2bcrm.fulfillment.planning.engine.ledger import (
    ABOVE,
    Ledger,
    bucket_of,
    free_at_first,
    load_of,
    surplus_slot,
)
from b2bcrm.fulfillment.planning.engine.matching import Match, Planned
from b2bcrm.fulfillment.planning.engine.plan import slot_parts

# Counters in Walk.at.
STEP, OLD_STEP, STAMP, PLACED = 0, 1, 2, 3


class Walk(NamedTuple):
    """Where the walk is, and what is free in the new plan more than in the old (less: negative).

    X slots of the new ledger, Y of the old. An old slot that is none of the new has the place
    X + y. ``*_dirt`` counts what differs; a part or work centre told anew differs for ever.
    """

    at: Ints
    slot_to: Small  # Y; the slot in the new ledger, or its own place
    slot_part: Small  # X + Y; part in the new book; -1: not known yet, or none
    slot_more: Ints  # X + Y
    bucket_more: Ints  # B new
    part_dirt: Ints  # P new
    above_dirt: Ints  # P new; of what orders bring too much, also counted in part_dirt
    centre_dirt: Ints  # C new
    seen: Ints  # P new; number of the look that saw it
    stack: Small  # P new


@inner
def differ_in_slot(walk: Walk, place: int, qty: int, above: int) -> None:
    """Add to the difference in one slot; ``above`` 1: of what orders bring too much."""
    part, before = walk.slot_part[place], walk.slot_more[place]
    walk.slot_more[place] = before + qty
    if part >= 0:
        change = int(before + qty != 0) - int(before != 0)
        walk.part_dirt[part] += change
        walk.above_dirt[part] += above * change


@inner
def differ_in_bucket(book: Book, walk: Walk, bucket: int, hours: int) -> None:
    """Add to the difference in one bucket."""
    before = walk.bucket_more[bucket]
    walk.bucket_more[bucket] = before + hours
    change = int(before + hours != 0) - int(before != 0)
    walk.centre_dirt[book.bucket_centre[bucket]] += change


@kernel
def forget_old(old: Book, kept: Ledger, book: Book, match: Match, walk: Walk, unit: int) -> None:
    """The old plan takes the unit's entries here, the new one does not."""
    first = kept.unit_first[unit]
    for entry in range(first, first + kept.unit_count[unit]):
        ref, qty = kept.entry_ref[entry], kept.entry_qty[entry]
        if ref >= 0:
            differ_in_slot(walk, walk.slot_to[ref], qty, int(kept.slot_supply[ref] < 0))
            continue
        source = -1 - ref
        if old.source_centre[source] >= 0:
            for nth in range(old.source_spread[source]):
                bucket = match.bucket_to[bucket_of(old, source, kept.entry_day[entry], nth)]
                if bucket >= 0:
                    differ_in_bucket(book, walk, bucket, load_of(old, source, qty))


@kernel
def count_new(book: Book, ledger: Ledger, walk: Walk, unit: int) -> None:
    """The new plan takes the unit's entries here, the old one does not."""
    first = ledger.unit_first[unit]
    for entry in range(first, first + ledger.unit_count[unit]):
        ref, qty = ledger.entry_ref[entry], ledger.entry_qty[entry]
        if ref >= 0:
            if qty < 0:  # the first who brings too much on a day opens the slot
                order = ledger.entry_ref[first + ledger.entry_need[entry]]
                walk.slot_part[ref] = book.source_part[-1 - order]
            differ_in_slot(walk, ref, -qty, int(ledger.slot_supply[ref] < 0))
            continue
        source = -1 - ref
        if book.source_centre[source] >= 0:
            for nth in range(book.source_spread[source]):
                bucket = bucket_of(book, source, ledger.entry_day[entry], nth)
                differ_in_bucket(book, walk, bucket, -load_of(book, source, qty))


@inner
def sees_the_same(book: Book, walk: Walk, unit: int) -> bool:
    """Whether no part and no work centre that the unit could use differs."""
    walk.at[STAMP] += 1
    stamp, todo = walk.at[STAMP], 0
    for line in range(book.unit_line[unit], book.unit_line[unit + 1]):
        if walk.seen[book.line_part[line]] != stamp:
            walk.seen[book.line_part[line]] = stamp
            walk.stack[todo] = book.line_part[line]
            todo += 1
    while todo > 0:
        todo -= 1
        part = walk.stack[todo]
        if walk.part_dirt[part] != 0:
            return False
        for source in range(book.part_source[part], book.part_source[part + 1]):
            centre = book.source_centre[source]
            if centre >= 0 and walk.centre_dirt[centre] != 0:
                return False
            for c in range(book.source_component[source], book.source_component[source + 1]):
                component = book.component_part[c]
                if walk.seen[component] != stamp:
                    walk.seen[component] = stamp
                    walk.stack[todo] = component
                    todo += 1
    return True


@inner
def hours_differ(book: Book, walk: Walk, source: int, start: int, day: int) -> bool:
    """Whether hours differ in any bucket that an order for ``day`` looked at before its start."""
    centre, calendar = book.source_centre[source], book.source_calendar[source]
    rank = book.calendar_rank[calendar, day] - book.source_days[source]
    latest = book.calendar_day[calendar, rank + book.source_spread[source] - 1]
    bucket = book.bucket_at[centre, start]
    while bucket < len(book.bucket_start) and (
        book.bucket_centre[bucket] == centre and book.bucket_start[bucket] <= latest
    ):
        if walk.bucket_more[bucket] != 0:
            return True
        bucket += 1
    return False


@kernel
def order_differs(
    book: Book, kept: Ledger, match: Match, walk: Walk, unit: int, entry: int
) -> bool:
    """Whether an old order may see other supply or hours than it did."""
    first, need = kept.unit_first[unit], kept.entry_need[entry]
    day = kept.unit_day[unit] if need < 0 else kept.entry_day[first + need]
    source = match.source_to[-1 - kept.entry_ref[entry]]
    part, centre = book.source_part[source], book.source_centre[source]
    urgent = day < book.part_earliest[part]
    if (urgent and walk.part_dirt[part] != 0) or walk.above_dirt[part] != 0:
        return True
    if centre < 0 or walk.centre_dirt[centre] == 0:
        return False
    if match.centre_new[centre] != 0:
        return True
    return hours_differ(book, walk, source, kept.entry_day[entry], day)


@inner
def noticed_nothing(book: Book, kept: Ledger, match: Match, walk: Walk, unit: int) -> bool:
    """Whether an old unit that was on time at once, without stock, looked at nothing that differs.

    Its entries tell where it looked: in the buckets from the latest that would do to the one it
    used, and at supply only of parts that could not be had by then without.
    """
    first = kept.unit_first[unit]
    for entry in range(first, first + kept.unit_count[unit]):
        ref = kept.entry_ref[entry]
        if ref >= 0:
            part = walk.slot_part[walk.slot_to[ref]]
            if part < 0 or walk.part_dirt[part] != 0:
                return False
            if kept.slot_supply[ref] >= 0 and kept.entry_day[entry] >= book.part_earliest[part]:
                return False  # by another stock policy than the first: that one failed, unseen
            continue
        source = match.source_to[-1 - ref]
        if source < 0 or source != book.part_source[book.source_part[source]]:
            return False  # others were asked before
        if book.source_stands_in[source]:
            return False  # by another stock policy than the first
        centre = book.source_centre[source]
        dirt = walk.part_dirt[book.source_part[source]]
        if dirt == 0 and centre >= 0:
            dirt = walk.centre_dirt[centre]
        if dirt != 0 and order_differs(book, kept, match, walk, unit, entry):
            return False
    return True


@kernel
def open_surplus(ledger: Ledger, kept: Ledger, part: Small, slot_to: Small) -> None:
    """Slots in the new ledger for what old orders brought too much; ``part`` per old slot."""
    for slot in range(len(part)):
        if kept.slot_supply[slot] == ABOVE and part[slot] >= 0:
            slot_to[slot] = surplus_slot(ledger, part[slot], kept.slot_day[slot])


def new_walk(before: Planned, book: Book, ledger: Ledger, match: Match) -> Walk:
    """The start of a walk: what the books themselves have free more or less of."""
    old, kept = before.book, before.ledger
    room, to = len(ledger.slot_day), np.concatenate([match.supply_to, match.rule_to])
    old_part = slot_parts(old, kept)
    part = np.where(old_part >= 0, match.part_to[old_part], -1).astype(np.int32)
    slot_to = np.arange(room, room + len(part), dtype=np.int32)
    to[len(old.supply_part) :] += len(book.supply_part) * (match.rule_to >= 0)
    slot_to[: len(to)][to >= 0] = to[to >= 0]
    open_surplus(ledger, kept, part, slot_to)
    slot_part = np.full(room + len(part), -1, np.int32)
    slot_part[slot_to] = part
    slots = len(book.supply_part) + len(book.rule)
    slot_part[:slots] = slot_parts(book, ledger)[:slots]
    more = np.zeros(len(slot_part), np.int64)
    more[:slots] = free_at_first(book)
    np.subtract.at(more, slot_to[: len(to)], free_at_first(old))
    buckets = book.bucket_hours.copy()
    there = match.bucket_to >= 0
    buckets[match.bucket_to[there]] -= old.bucket_hours[there]
    other = (more != 0) & (slot_part >= 0)
    parts, centres = len(book.part_earliest), len(book.bucket_at)
    dirt = np.bincount(slot_part[other], minlength=parts) + match.part_new
    hours = np.bincount(book.bucket_centre[buckets != 0], minlength=centres) + match.centre_new
    return Walk(
        at=np.zeros(4, np.int64),
        slot_to=slot_to,
        slot_part=slot_part,
        slot_more=more,
        bucket_more=buckets,
        part_dirt=dirt.astype(np.int64),
        above_dirt=match.part_new.astype(np.int64),
        centre_dirt=hours.astype(np.int64),
        seen=np.zeros(parts, np.int64),
        stack=np.zeros(parts, np.int32),
    )
