"""What a placed unit rests on, read off the entries of a ledger: pieces, planned orders, hours."""

from __future__ import annotations

from b2bcrm.fulfillment.planning.atp import CAPACITY, LEAD_TIME, PLANNED
from b2bcrm.fulfillment.planning.engine.book import Book, Names
from b2bcrm.fulfillment.planning.engine.ledger import CAPPED, Ledger
from b2bcrm.fulfillment.planning.takes import Take


def footing(book: Book, ledger: Ledger, names: Names, unit: int) -> list[list[Take]]:
    """What each line of the unit rests on: its own pieces, what is below them, and hours.

    What of a line leaves ahead is told with the rest of it.
    """
    lines = int(book.unit_line[unit + 1] - book.unit_line[unit])
    first = int(ledger.unit_first[unit])
    rows = [
        (int(ledger.entry_ref[e]), int(ledger.entry_qty[e]), int(ledger.entry_day[e]),
         int(ledger.entry_need[e]))
        for e in range(first, first + int(ledger.unit_count[unit]))
    ]  # fmt: skip
    above = {need: qty for ref, qty, _, need in rows if ref >= 0 and qty < 0}
    found: list[list[Take]] = [[] for _ in range(lines)]
    whose: list[int] = []  # by entry; what an entry is for stands before it
    for n, (ref, qty, day, need) in enumerate(rows):
        whose.append(whose[need] if need >= 0 else (-1 - need) % lines)
        takes = found[whose[n]]
        if ref < 0:
            takes += _order(book, names, -1 - ref, (qty, above.get(n, 0)), day, own=need < 0)
        elif qty > 0 and ledger.slot_supply[ref] != CAPPED:
            part = -1 if need < 0 else _part_of(book, ledger, ref, -1 - rows[need][0])
            supply = int(ledger.slot_supply[ref])
            bought = part >= 0 and book.part_bought[part]
            anew = f"{LEAD_TIME if bought else PLANNED}|"  # what an order brings too much
            kind, _, no = (names.supplies[supply] if supply >= 0 else anew).partition("|")
            component = names.parts[part] if part >= 0 else ""
            takes.append(Take(kind, no, qty, int(ledger.slot_day[ref]), component))
    return found


def _order(
    book: Book, names: Names, source: int, pieces: tuple[int, int], start: int, *, own: bool
) -> list[Take]:
    """A planned order: its hours; its pieces, but for work in progress and what stands in.

    ``pieces`` are all that it brings, and as a negative number those that nobody needs yet.
    """
    qty, above = pieces
    found = []
    centre = int(book.source_centre[source])
    if centre >= 0:
        run, per = int(book.source_run[source]), int(book.source_per[source])
        hours = int(book.source_setup[source]) - (-qty * run // per)
        found.append(Take(CAPACITY, names.centres[centre], hours, start))
    index = int(book.source_part[source])
    part = names.parts[index]
    if " / " not in part and not book.source_stands_in[source]:
        calendar = book.source_calendar[source]
        rank = book.calendar_rank[calendar, start] + book.source_days[source]
        end = int(book.calendar_day[calendar, rank])
        kind = LEAD_TIME if book.part_bought[index] else PLANNED
        found.append(Take(kind, "", qty + above, end, "" if own else part))
    return found


def _part_of(book: Book, ledger: Ledger, slot: int, source: int) -> int:
    """The component of the source that the slot holds; -1: none."""
    supply = int(ledger.slot_supply[slot])
    if supply >= 0:
        return int(book.supply_part[supply])
    for c in range(int(book.source_component[source]), int(book.source_component[source + 1])):
        part = int(book.component_part[c])
        seen = int(ledger.slot_head[part])
        while seen >= 0:
            if seen == slot:
                return part
            seen = int(ledger.slot_next[seen])
    return -1
