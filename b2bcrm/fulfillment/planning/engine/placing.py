"""Placing: from a wished day backward through all levels, each order as late as it may be."""

from __future__ import annotations

from b2bcrm.fulfillment.planning.engine.allocating import take_caps, take_kept
from b2bcrm.fulfillment.planning.engine.book import MOST, Book
from b2bcrm.fulfillment.planning.engine.compiled import inner, kernel, whole
from b2bcrm.fulfillment.planning.engine.ledger import (
    BASE,
    FULL,
    LEFT,
    MISSING,
    SLOTS,
    TODO_FULL,
    TOP,
    Ledger,
    bucket_of,
    load,
    note,
    reverse,
    roll_back,
    surplus_slot,
    take,
)

# Stock policies, as bits: where stock is taken although there is time to do without. With none,
# stock stays for demand that can neither be bought nor made in time.
LEAN, OWN, BELOW, BOUGHT = 0, 1, 2, 4
STOCK_FIRST = OWN | BELOW


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
    spread, least, nth = book.source_spread[source], MOST, 0
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
        whole = lot(book, source, qty)
        if whole > MOST:
            return -1
        before, size = rank - 1, whole
        if centre >= 0 and spread > 1:
            size = fits(book, source, room_for(book, ledger, source, start), whole)
        elif centre >= 0:
            bucket = book.bucket_at[centre, start]
            if bucket < 0:
                rank = before
                continue
            size = fits(book, source, ledger.bucket_free[bucket], whole)
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
    """The preferred source that can bring the part by the day, else the preferred one; -1: none."""
    first, last = book.part_source[part], book.part_source[part + 1]
    for source in range(first, last):
        if book.source_earliest[source] <= day:
            return source
    return first if first < last else -1


@kernel
def next_source(book: Book, source: int, day: int) -> int:
    """The next source of the same part that can bring it by the day, or stands in; -1: none."""
    last = book.part_source[book.source_part[source] + 1]
    for other in range(source + 1, last):
        if book.source_stands_in[other] or book.source_earliest[other] <= day:
            return other
    return -1


@kernel
def most_of(book: Book, ledger: Ledger, source: int, day: int) -> int:
    """How much a source that stands in can bring by ``day``: what its component is free for."""
    calendar, c = book.source_calendar[source], book.source_component[source]
    rank = book.calendar_rank[calendar, day] - book.source_days[source]
    if rank < 0 or rank > book.calendar_rank[calendar, book.source_until[source]]:
        return 0
    start = book.calendar_day[calendar, rank]
    if start < book.source_fence[source]:
        return 0
    part, free = book.component_part[c], 0
    if start >= book.part_earliest[part]:
        return MOST
    slot = ledger.slot_head[part]
    while slot >= 0:
        if ledger.slot_day[slot] <= start:
            free += max(0, ledger.slot_free[slot])
        slot = ledger.slot_next[slot]
    return int(free * book.component_den[c] // book.component_num[c])


@inner
def bring_by_any(
    book: Book, ledger: Ledger, part: int, need: int, day: int, qty: int, todo: int
) -> int:
    """As ``bring`` by the part's sources: what one cannot bring, the next does."""
    source = source_for(book, part, day)
    while qty > 0 and source >= 0:
        wanted = qty
        if book.source_stands_in[source]:
            wanted = min(qty, most_of(book, ledger, source, day))
        todo = bring(book, ledger, source, need, day, wanted, todo)
        if todo < 0:
            return -1
        qty -= wanted - ledger.at[LEFT]
        if qty > 0:
            source = next_source(book, source, day)
    return todo if qty == 0 else -1


@kernel
def place(
    book: Book,
    ledger: Ledger,
    line: int,
    qty: int,
    need: int,
    day: int,
    policy: int,
) -> bool:
    """Plan ``qty`` pieces of the line by ``day``; False leaves entries behind for ``roll_back``.

    ``ledger.at[MISSING]`` then names the part that could not be had.
    """
    ledger.todo[0, 0], ledger.todo[0, 1] = book.line_part[line], qty
    ledger.todo[0, 2], ledger.todo[0, 3] = day, need
    supplies = len(book.supply_part)
    slots, allocated = supplies + len(book.rule), len(book.rule) > 0
    todo = 1
    while todo > 0:
        todo -= 1
        part, left = ledger.todo[todo, 0], ledger.todo[todo, 1]
        day, need = ledger.todo[todo, 2], ledger.todo[todo, 3]
        first = OWN if need < 0 else BELOW
        if book.part_bought[part]:
            first = BOUGHT
        if allocated and not take_caps(book, ledger, part, line, left, day, need):
            ledger.at[MISSING] = part
            return False
        urgent = day < book.part_earliest[part] or policy & first != 0
        if allocated and urgent:
            left = take_kept(book, ledger, part, line, left, day, need, 1)
        if urgent or ledger.at[SLOTS] > slots:
            left = take(ledger, part, left, day, need, supplies if urgent else 0)
        if allocated and urgent:
            left = take_kept(book, ledger, part, line, left, day, need, 0)
        if left == 0:
            continue
        todo = bring_by_any(book, ledger, part, need, day, left, todo)
        if todo < 0:
            ledger.at[MISSING] = part
            return False
    return True


@kernel
def could(book: Book, ledger: Ledger, unit: int, day: int, policy: int) -> bool:
    """Whether the unit, which is not planned, could leave on ``day``; leaves no trace."""
    mark = ledger.at[TOP]
    done = place_lines(book, ledger, unit, day, policy)
    roll_back(book, ledger, mark)
    return done


@kernel
def place_unit(book: Book, ledger: Ledger, unit: int, day: int, policy: int) -> bool:
    """Plan all lines of a unit to leave on ``day``, or what is left of them; or nothing."""
    mark = ledger.at[TOP]
    done = place_lines(book, ledger, unit, day, policy)
    if done:
        keep(ledger, unit, ledger.at[BASE], day)
    else:
        roll_back(book, ledger, mark)
    return done


@inner
def place_lines(book: Book, ledger: Ledger, unit: int, day: int, policy: int) -> bool:
    """Entries for all lines of a unit, less what leaves ahead; False: some are to roll back."""
    first, ahead = book.unit_line[unit], ledger.unit_ahead[unit]
    ledger.at[BASE] = ledger.unit_first[unit] if ahead else ledger.at[TOP]
    shares = shares_of(book, unit) if ahead else 1
    for line in range(first, book.unit_line[unit + 1]):
        qty = book.line_qty[line]
        left = qty - qty // shares * ahead
        if not place(book, ledger, line, left, first - line - 1, day, policy):
            return False
    return True


@kernel
def shares_of(book: Book, unit: int) -> int:
    """The most equal shares, of whole pieces of each of its lines, that a unit can be cut into."""
    shares = 0
    for line in range(book.unit_line[unit], book.unit_line[unit + 1]):
        one = book.line_qty[line]
        while one > 0:
            shares, one = one, shares % one
    return int(shares)


@kernel
def place_ahead(
    book: Book, ledger: Ledger, unit: int, ahead: int, shares: int, policy: int
) -> bool:
    """Entries for so many shares of a unit to leave when it is due; or none. Not kept yet."""
    mark, day = ledger.at[TOP], whole(book.unit_due[unit])
    ledger.at[BASE] = mark
    first, last = book.unit_line[unit], book.unit_line[unit + 1]
    for line in range(first, last):
        qty = book.line_qty[line] // shares * ahead
        need = first - last - (line - first) - 1
        if not place(book, ledger, line, qty, need, day, policy):
            roll_back(book, ledger, mark)
            return False
    return True


@inner
def keep(ledger: Ledger, unit: int, mark: int, day: int) -> None:
    """The entries from ``mark`` on are the unit's plan now."""
    ledger.unit_first[unit], ledger.unit_count[unit] = mark, ledger.at[TOP] - mark
    ledger.unit_day[unit] = day


@kernel
def drop(book: Book, ledger: Ledger, unit: int) -> None:
    """Take the unit out of the plan; its entries stay in the store until it is made tidy."""
    first = ledger.unit_first[unit]
    reverse(book, ledger, first, first + ledger.unit_count[unit], 1)
    ledger.unit_count[unit], ledger.unit_day[unit], ledger.unit_ahead[unit] = 0, -1, 0
