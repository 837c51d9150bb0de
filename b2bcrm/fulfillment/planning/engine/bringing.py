"""Bringing: orders of a part's sources, each as late as it may be; what stands in comes last."""

from __future__ import annotations

from b2bcrm.fulfillment.planning.engine.book import MOST, Book
from b2bcrm.fulfillment.planning.engine.compiled import inner, kernel, whole
from b2bcrm.fulfillment.planning.engine.ledger import (
    BASE,
    FULL,
    LEFT,
    TODO_FULL,
    TOP,
    Ledger,
    bucket_of,
    load,
    note,
    roll_back,
    surplus_slot,
)


@inner
def lot(book: Book, source: int, qty: int) -> int:
    """The smallest order that brings at least ``qty``."""
    step = book.source_step[source]
    if step == 1:
        return int(max(qty, book.source_least[source]))
    return int((max(qty, book.source_least[source]) + step - 1) // step * step)


@kernel
def room_for(book: Book, ledger: Ledger, source: int, start: int) -> int:
    """1/1000 h that an order may take that starts then, the same on each of its days; -1: none."""
    spread, least, nth = int(book.source_spread[source]), MOST, 0
    while nth < spread:
        bucket = bucket_of(book, source, start, nth)
        if bucket < 0:
            return -1
        days = 1
        while nth + days < spread and bucket_of(book, source, start, nth + days) == bucket:
            days += 1
        least = min(least, ledger.bucket_free[bucket] // days)
        nth += days
    return int(max(-1, least * spread))


@inner
def fits(book: Book, source: int, hours: int, qty: int) -> int:
    """How much of an order of ``qty`` so many 1/1000 h are enough for: a lot, or 0."""
    run = book.source_run[source]
    free = hours - book.source_setup[source]
    if free < 0:
        return 0
    if run == 0:
        return qty
    if free >= run * (qty // book.source_per[source] + 1):
        return qty
    room = free * book.source_per[source] // run
    if room >= qty:
        return qty
    room -= room % book.source_step[source]
    return int(room) if room >= book.source_least[source] else 0


@inner
def order(
    book: Book,
    ledger: Ledger,
    source: int,
    need: int,
    start: int,
    qty: int,
    missing: int,
    todo: int,
) -> int:
    """Note one order of ``qty`` for ``missing`` and its components as things to do; -1: cannot."""
    entry = ledger.at[TOP] - ledger.at[BASE]
    if not note(ledger, -1 - source, qty, start, need):
        return -1
    load(book, ledger.bucket_free, source, start, qty, 1)
    if qty > missing:
        calendar = book.source_calendar[source]
        rank = book.calendar_rank[calendar, start] + book.source_days[source]
        part = book.source_part[source]
        slot = surplus_slot(ledger, part, book.calendar_day[calendar, rank])
        if not note(ledger, slot, missing - qty, start, entry):
            return -1
        ledger.slot_free[slot] += qty - missing
    for c in range(book.source_component[source], book.source_component[source + 1]):
        den = book.component_den[c]
        wanted = qty * book.component_num[c]
        if den > 1:
            wanted = (wanted + den - 1) // den
        if todo >= len(ledger.todo):
            ledger.at[FULL] = TODO_FULL
            return -1
        if wanted > MOST:
            return -1
        ledger.todo[todo, 0], ledger.todo[todo, 1] = book.component_part[c], wanted
        ledger.todo[todo, 2], ledger.todo[todo, 3] = start, entry
        todo += 1
    return todo


@inner
def bring(book: Book, ledger: Ledger, source: int, need: int, day: int, qty: int, todo: int) -> int:
    """Plan orders of the source for ``qty`` by ``day``; the new number of things to do, or -1.

    Where a work centre is short, the rest starts earlier, in as many orders as it takes. What
    cannot start any earlier is left, in ``ledger.at[LEFT]``.
    """
    calendar, centre = book.source_calendar[source], book.source_centre[source]
    fence, spread = book.source_fence[source], book.source_spread[source]
    rank = book.calendar_rank[calendar, day] - book.source_days[source]
    rank = min(rank, book.calendar_rank[calendar, book.source_until[source]])
    while qty > 0 and rank >= 0:
        start = book.calendar_day[calendar, rank]
        if start < fence:
            break
        batch = lot(book, source, qty)
        if batch > MOST:
            return -1
        before, size = rank - 1, batch
        if centre >= 0 and spread > 1:
            size = fits(book, source, room_for(book, ledger, source, start), batch)
        elif centre >= 0:
            bucket = book.bucket_at[centre, start]
            if bucket < 0:
                rank = before
                continue
            size = fits(book, source, ledger.bucket_free[bucket], batch)
            first = book.bucket_start[bucket]
            before = book.calendar_rank[calendar, first - 1] if first > 0 else -1
        if size > 0:
            todo = order(book, ledger, source, need, start, size, min(qty, size), todo)
            if todo < 0:
                return -1
            qty -= size
        rank = before
    ledger.at[LEFT] = max(0, qty)
    return todo


@inner
def source_for(book: Book, part: int, day: int) -> int:
    """The preferred source that can bring the part by the day, else the preferred one; -1: none.

    What stands in is none of them.
    """
    found = -1
    for source in range(book.part_source[part], book.part_source[part + 1]):
        if book.source_earliest[source] <= day:
            return source
        if found < 0 and not book.source_stands_in[source]:
            found = source
    return found


@kernel
def next_source(book: Book, source: int, day: int) -> int:
    """The next source of the same part that can bring it by the day, else the next; -1: none.

    By the day without any stock: what stock there is may help another.
    """
    last, found = book.part_source[book.source_part[source] + 1], -1
    for other in range(source + 1, last):
        if book.source_earliest[other] <= day:
            return other
        if found < 0 and not book.source_stands_in[other]:
            found = other
    return found


@kernel
def most_of(book: Book, ledger: Ledger, source: int, day: int, anew: bool) -> int:  # noqa: FBT001
    """How much a source that stands in can bring by ``day``: what is free of its component.

    ``anew``: what can be had of that in its own lead time instead, which is any or nothing.
    """
    calendar, c = book.source_calendar[source], book.source_component[source]
    rank = book.calendar_rank[calendar, day] - book.source_days[source]
    if rank < 0 or rank > book.calendar_rank[calendar, book.source_until[source]]:
        return 0
    start = book.calendar_day[calendar, rank]
    if start < book.source_fence[source]:
        return 0
    part, free = book.component_part[c], 0
    if anew:
        return MOST if start >= book.part_earliest[part] else 0
    slot = ledger.slot_head[part]
    while slot >= 0:
        if ledger.slot_day[slot] <= start:
            free += max(0, ledger.slot_free[slot])
        slot = ledger.slot_next[slot]
    return int(free * book.component_den[c] // book.component_num[c])


@inner
def bring_by_own(
    book: Book, ledger: Ledger, part: int, need: int, day: int, qty: int, todo: int
) -> int:
    """As ``bring`` by the part's own sources: what one cannot bring, the next does."""
    source = source_for(book, part, day)
    while qty > 0 and source >= 0:
        todo = bring(book, ledger, source, need, day, qty, todo)
        if todo < 0:
            return -1
        qty = ledger.at[LEFT]
        if qty > 0:
            source = next_source(book, source, day)
    ledger.at[LEFT] = qty
    return todo


@kernel
def bring_instead(
    book: Book, ledger: Ledger, part: int, need: int, day: int, qty: int, todo: int
) -> int:
    """As ``bring`` by what stands in for the part: all that is free, then what can be had anew."""
    for anew in (False, True):
        for source in range(book.part_source[part], book.part_source[part + 1]):
            if qty == 0 or not book.source_stands_in[source]:
                continue
            wanted = min(qty, most_of(book, ledger, source, day, anew))
            todo = bring(book, ledger, whole(source), need, day, wanted, todo)
            if todo < 0:
                return -1
            qty -= wanted - ledger.at[LEFT]
    ledger.at[LEFT] = qty
    return todo


@kernel
def own_orders(book: Book, ledger: Ledger, part: int, need: int) -> int:
    """Number of the unit's first order of the part for a need; -1: none, or something stands in."""
    base, found = ledger.at[BASE], -1
    for n in range(ledger.at[TOP] - base):
        source = -1 - ledger.entry_ref[base + n]
        if source < 0 or ledger.entry_need[base + n] != need or book.source_part[source] != part:
            continue
        if book.source_stands_in[source]:
            return -1
        if found < 0:
            found = n
    return int(found)


@kernel
def pieces_of(book: Book, ledger: Ledger, part: int, need: int, first: int) -> int:
    """Pieces that the unit's orders of the part from ``first`` on bring for a need."""
    base, total = ledger.at[BASE], 0
    for n in range(first, ledger.at[TOP] - base):
        order, above = n, ledger.entry_qty[base + n] < 0
        if above:
            order = ledger.entry_need[base + n]
        source = -1 - ledger.entry_ref[base + order]
        if source < 0 or ledger.entry_need[base + order] != need:
            continue
        if book.source_part[source] == part:
            total += ledger.entry_qty[base + n]
    return int(total)


@kernel
def mend(book: Book, ledger: Ledger, need: int, leaves: int, todo: int) -> int:
    """Where a component cannot be had: let something stand in for what it was to go into.

    Of the parts above it the nearest one for which something is free is planned anew, as far as
    that goes; the rest by its own sources. The new number of things to do; -1: there is none.
    """
    base = ledger.at[BASE]
    while need >= 0 and ledger.at[FULL] == 0:
        part = whole(book.source_part[-1 - ledger.entry_ref[base + need]])
        above = whole(ledger.entry_need[base + need])
        day = leaves if above < 0 else whole(ledger.entry_day[base + above])
        free = 0
        for source in range(book.part_source[part], book.part_source[part + 1]):
            if book.source_stands_in[source]:
                for anew in (False, True):
                    free = max(free, most_of(book, ledger, source, day, anew))
        first = own_orders(book, ledger, part, above) if free > 0 else -1
        if first >= 0:
            left = pieces_of(book, ledger, part, above, first)
            roll_back(book, ledger, base + first)
            while todo > 0 and ledger.todo[todo - 1, 3] >= first:
                todo -= 1
            todo = bring_instead(book, ledger, part, above, day, left, todo)
            if todo >= 0 and ledger.at[LEFT] == left:
                need = above  # it was only free of what was given back: look further up
                continue
            if todo >= 0:
                todo = bring_by_own(book, ledger, part, above, day, ledger.at[LEFT], todo)
            return todo if ledger.at[LEFT] == 0 else -1
        need = above
    return -1


@kernel
def bring_else(
    book: Book, ledger: Ledger, part: int, need: int, day: int, leaves: int, todo: int
) -> int:
    """What own sources left, by what stands in for the part, or for what it was to go into.

    Not before own stock is used up: so only by the policy that takes it.
    """
    todo = bring_instead(book, ledger, part, need, day, ledger.at[LEFT], todo)
    if todo >= 0 and ledger.at[LEFT] > 0:
        todo = mend(book, ledger, need, leaves, todo)
    return todo
