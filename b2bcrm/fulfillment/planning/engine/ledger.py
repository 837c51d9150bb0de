"""The ledger: what a plan has taken so far, and how to give it back.

Free supply of a part is a chain of slots, the latest first: a receipt's day and what is left of
it. A taking uses the latest receipts that are in time, so what is free by a day never rises by
it and the earliest supply stays for who needs it; each entry names its receipt, so pegs come for
free, and an entry is given back exactly, in any order.

Entries of one unit lie together in one growing store, each with the entry that needs it. An entry
takes from a slot (``ref`` >= 0), or is an order of source ``-1 - ref``. A negative quantity taken
is what an order brings above what was needed: it goes to a slot that others may use.

A unit that may leave in two shipments is cut into equal shares, as many as all its lines can be
divided by. So many of them leave on the day it is due, and their entries come first.

Behind the chains of all parts is one of each allocation, of what is kept by it; and behind the
slots of all supplies one that is in no chain: what a cap lets through, entries take from it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import LIMIT, Book, Ints, Small
from b2bcrm.fulfillment.planning.engine.compiled import inner, kernel

# Counters in Ledger.at.
TOP, BASE, SLOTS, FULL, MISSING, LEFT = 0, 1, 2, 3, 4, 5
ENTRIES_FULL, TODO_FULL = 1, 2

ABOVE, CAPPED = -1, -2  # in Ledger.slot_supply: what planned orders bring too much, and a cap


class Ledger(NamedTuple):
    """Arrays that kernels write. E entries at most, T things to do at most, X slots at most."""

    at: Ints  # entries used, unit's first entry, slots used, what is full, part missing, pieces
    # that a source could not bring
    slot_head: Small  # P + A; latest slot of the part, or of what an allocation keeps; -1: none
    slot_next: Small  # X; the next earlier one
    slot_day: Small  # X
    slot_supply: Small  # X; index of the supply, or ABOVE, or CAPPED
    slot_free: Ints  # X
    bucket_free: Ints  # B; 1/1000 h
    entry_ref: Small  # E
    entry_day: Small  # E; day of taking, or start of the order
    entry_need: Small  # E; entry that needs it, from the unit's first; -1 - n: the unit's line n,
    # -1 - L - n: what leaves ahead of its line n, of L
    entry_qty: Ints  # E
    todo: Ints  # T x 4; part, quantity, day and need
    unit_first: Ints  # U; the unit's first entry
    unit_count: Ints  # U
    unit_day: Small  # U; day it leaves; -1: not planned
    unit_ahead: Ints  # U; shares of it that leave when it is due; the others leave on its day


def opened(book: Book, entries: int = 0) -> Ledger:
    """An empty plan: all supply free, in chains by day; with room for so many entries or more."""
    count, caps, parts = len(book.supply_part), len(book.rule), len(book.part_earliest)
    lots = np.unique(book.source_part[(book.source_least > 1) | (book.source_step > 1)])
    room = count + caps + len(lots) * book.horizon
    head = np.full(parts + caps, -1, np.int32)
    where = np.where(book.supply_rule >= 0, parts + book.supply_rule, book.supply_part)
    chain = np.full(room, -1, np.int32)
    order = np.lexsort((book.supply_day, where))
    linked = where[order[:-1]] == where[order[1:]]
    chain[order[1:][linked]] = order[:-1][linked]
    head[where[order]] = order  # of each chain, the last of the order stays
    day, supply = np.full(room, -1, np.int32), np.full(room, ABOVE, np.int32)
    day[:count], supply[:count] = book.supply_day, np.arange(count)
    supply[count : count + caps] = CAPPED
    qty = np.zeros(room, np.int64)
    qty[: count + caps] = free_at_first(book)
    units = len(book.unit_due)
    entries, todo = max(entries, 16 * units + 1024), 1024
    return Ledger(
        at=np.array([0, 0, count + caps, 0, -1, 0], np.int64),
        slot_head=head,
        slot_next=chain,
        slot_day=day,
        slot_supply=supply,
        slot_free=qty,
        bucket_free=book.bucket_hours.copy(),
        entry_ref=np.zeros(entries, np.int32),
        entry_day=np.zeros(entries, np.int32),
        entry_need=np.zeros(entries, np.int32),
        entry_qty=np.zeros(entries, np.int64),
        todo=np.zeros((todo, 4), np.int64),
        unit_first=np.zeros(units, np.int64),
        unit_count=np.zeros(units, np.int64),
        unit_day=np.full(units, -1, np.int32),
        unit_ahead=np.zeros(units, np.int64),
    )


def free_at_first(book: Book) -> Ints:
    """What is free in the slots of supplies and allocations before anything is planned."""
    return np.concatenate([book.supply_qty, np.maximum(0, book.rule[:, LIMIT])])


def copied(ledger: Ledger) -> Ledger:
    """A ledger of its own with the same content."""
    return Ledger(*(array.copy() for array in ledger))


def with_room(ledger: Ledger) -> Ledger:
    """The same ledger after a store was full: entries without gaps, and room to go on."""
    first, count = ledger.unit_first, ledger.unit_count
    used = np.flatnonzero(count)
    lengths = count[used]
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    source = np.repeat(first[used] - (ends - lengths), lengths) + np.arange(total)
    room = len(ledger.entry_ref)
    if ledger.at[TOP] - total <= room // 2:  # few gaps: tidying alone would not last
        room = 2 * room + 1024
    moved = {}
    for name in ("entry_ref", "entry_day", "entry_need", "entry_qty"):
        old = getattr(ledger, name)
        moved[name] = np.zeros(room, old.dtype)
        moved[name][:total] = old[source]
    if ledger.at[FULL] == TODO_FULL:
        moved["todo"] = np.zeros((2 * len(ledger.todo), 4), np.int64)
    new_first = first.copy()
    new_first[used] = ends - lengths
    at = ledger.at.copy()
    at[TOP], at[FULL] = total, 0
    return ledger._replace(at=at, unit_first=new_first, **moved)


@inner
def load_of(book: Book, source: int, qty: int) -> int:
    """1/1000 h that an order takes from its work centre on each day that it loads."""
    hours, per = qty * book.source_run[source], book.source_per[source]
    if per > 1:
        hours = (hours + per - 1) // per
    spread = book.source_spread[source]
    hours += book.source_setup[source]
    return int((hours + spread - 1) // spread if spread > 1 else hours)


@inner
def bucket_of(book: Book, source: int, start: int, nth: int) -> int:
    """The bucket that an order that starts on a day loads on the ``nth`` day from then; or -1."""
    day = start
    if nth > 0:
        calendar = book.source_calendar[source]
        day = book.calendar_day[calendar, book.calendar_rank[calendar, start] + nth]
    return int(book.bucket_at[book.source_centre[source], day])


@inner
def load(book: Book, bucket_free: Ints, source: int, start: int, qty: int, sign: int) -> None:
    """Take the hours of an order (``sign`` 1) or give them back (-1)."""
    if book.source_centre[source] < 0:
        return
    hours = sign * load_of(book, source, qty)
    for nth in range(book.source_spread[source]):
        bucket_free[bucket_of(book, source, start, nth)] -= hours


@inner
def reverse(book: Book, ledger: Ledger, first: int, last: int, sign: int) -> None:
    """Give back (``sign`` 1) or take again (-1) what entries first up to before last took."""
    for entry in range(first, last):
        ref, qty = ledger.entry_ref[entry], ledger.entry_qty[entry]
        if ref >= 0:
            ledger.slot_free[ref] += sign * qty
            continue
        load(book, ledger.bucket_free, -1 - ref, ledger.entry_day[entry], qty, -sign)


@kernel
def roll_back(book: Book, ledger: Ledger, mark: int) -> None:
    """Undo all entries from ``mark`` on."""
    reverse(book, ledger, mark, ledger.at[TOP], 1)
    ledger.at[TOP] = mark


@inner
def removable(ledger: Ledger, unit: int) -> bool:
    """Whether nobody else uses what the unit's orders bring too much."""
    first = ledger.unit_first[unit]
    for entry in range(first, first + ledger.unit_count[unit]):
        ref, qty = ledger.entry_ref[entry], ledger.entry_qty[entry]
        if ref >= 0 and ledger.slot_free[ref] + qty < 0:
            return False
    return True


@inner
def note(ledger: Ledger, ref: int, qty: int, day: int, need: int) -> bool:
    """Write one entry; False, and remembered, when the store is full."""
    top = ledger.at[TOP]
    if top >= len(ledger.entry_ref):
        ledger.at[FULL] = ENTRIES_FULL
        return False
    ledger.entry_ref[top], ledger.entry_qty[top] = ref, qty
    ledger.entry_day[top], ledger.entry_need[top] = day, need
    ledger.at[TOP] = top + 1
    return True


@inner
def take(ledger: Ledger, chain: int, qty: int, day: int, need: int, below: int) -> int:
    """Take from free supply, the latest receipts in time first; what is still missing.

    Only supplies with an index smaller than ``below``: with 0 these are no supplies, but what
    planned orders bring above their need.
    """
    slot = ledger.slot_head[chain]
    while slot >= 0 and qty > 0:
        free = ledger.slot_free[slot]
        if free > 0 and ledger.slot_supply[slot] < below and ledger.slot_day[slot] <= day:
            taken = min(qty, free)
            if not note(ledger, slot, taken, day, need):
                return qty
            ledger.slot_free[slot] = free - taken
            qty -= taken
        slot = ledger.slot_next[slot]
    return qty


@inner
def surplus_slot(ledger: Ledger, part: int, day: int) -> int:
    """The slot for what planned orders bring too much on the day: found, or linked in."""
    before, slot = -1, ledger.slot_head[part]
    while slot >= 0 and ledger.slot_day[slot] > day:
        before, slot = slot, ledger.slot_next[slot]
    seen = slot
    while seen >= 0 and ledger.slot_day[seen] == day:
        if ledger.slot_supply[seen] < 0:
            return int(seen)
        seen = ledger.slot_next[seen]
    new = ledger.at[SLOTS]
    ledger.at[SLOTS] = new + 1
    ledger.slot_day[new], ledger.slot_supply[new] = day, -1
    ledger.slot_free[new], ledger.slot_next[new] = 0, slot
    if before < 0:
        ledger.slot_head[part] = new
    else:
        ledger.slot_next[before] = new
    return int(new)
