"""Repairing: a plan of a changed book that keeps of an improved plan whatever can be kept.

An improved plan has no order of service that makes it, so it cannot be made again after a feed.
Here each unit that is wanted as before takes again exactly what it had, if that is still there.
The others are planned around them in the order of service, and then whoever is late is tried
earlier once. The same plan and book give the same repair.
"""

from __future__ import annotations

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Names, Small
from b2bcrm.fulfillment.planning.engine.bringing import room_for
from b2bcrm.fulfillment.planning.engine.compiled import inner, kernel, whole
from b2bcrm.fulfillment.planning.engine.ledger import (
    ABOVE,
    FULL,
    TOP,
    Ledger,
    load,
    load_of,
    note,
    opened,
    removable,
    reverse,
    roll_back,
    with_room,
)
from b2bcrm.fulfillment.planning.engine.matching import Match, Planned, matched
from b2bcrm.fulfillment.planning.engine.placing import drop, keep
from b2bcrm.fulfillment.planning.engine.plan import slot_parts
from b2bcrm.fulfillment.planning.engine.solving import (
    place_early,
    place_late,
    place_on_time,
    solve,
    steps_of,
)
from b2bcrm.fulfillment.planning.engine.walking import open_surplus


@inner
def take_entry(
    book: Book, ledger: Ledger, kept: Ledger, match: Match, slot_to: Small, entry: int
) -> bool:
    """Take what the entry of the old plan took, if it is there.

    What others bring too much may come later: that is looked at when all have had their turn.
    """
    ref, day, qty = kept.entry_ref[entry], kept.entry_day[entry], kept.entry_qty[entry]
    slot, source = -1, -1
    if ref >= 0:
        slot = slot_to[ref]
        there = slot >= 0 and (ledger.slot_free[slot] >= qty or ledger.slot_supply[slot] == ABOVE)
    else:
        source = match.source_to[-1 - ref]
        there = source >= 0 and match.part_new[book.source_part[source]] == 0
        if there and book.source_centre[source] >= 0:
            hours = load_of(book, source, qty) * book.source_spread[source]
            there = room_for(book, ledger, source, day) >= hours
    if not there or not note(
        ledger, slot if ref >= 0 else -1 - source, qty, day, kept.entry_need[entry]
    ):
        return False
    if ref >= 0:
        ledger.slot_free[slot] -= qty
    else:
        load(book, ledger.bucket_free, source, day, qty, 1)
    return True


@kernel
def take_again(
    book: Book, ledger: Ledger, kept: Ledger, match: Match, slot_to: Small, units: Small
) -> None:
    """Let units have what they had in the old plan, if they can; ends when a store is full."""
    for unit in units:
        old = match.unit_from[unit]
        if ledger.unit_day[unit] >= 0:
            continue
        mark, good = ledger.at[TOP], True
        first = kept.unit_first[old]
        for entry in range(first, first + kept.unit_count[old]):
            if not take_entry(book, ledger, kept, match, slot_to, entry):
                good = False
                break
        if good:
            keep(ledger, unit, mark, kept.unit_day[old])
            ledger.unit_ahead[unit] = kept.unit_ahead[old]
        else:
            roll_back(book, ledger, mark)
        if ledger.at[FULL]:
            return


@kernel
def drop_short(book: Book, ledger: Ledger, units: Small) -> None:
    """Take out whoever uses what nobody brings too much any more, and who then does, and so on."""
    again = True
    while again:
        again = False
        for unit in units:
            first = ledger.unit_first[unit]
            for entry in range(first, first + ledger.unit_count[unit]):
                ref = ledger.entry_ref[entry]
                if ref >= 0 and ledger.entry_qty[entry] > 0 and ledger.slot_free[ref] < 0:
                    drop(book, ledger, unit)
                    again = True
                    break


@kernel
def place_rest(book: Book, ledger: Ledger, units: Small, late: Small) -> None:
    """Plan in the order of service whoever is not planned; ends when a store is full."""
    for step in range(len(units)):
        unit = units[step]
        if ledger.unit_day[unit] >= 0:
            continue
        if late[step]:
            place_late(book, ledger, whole(unit))
        else:
            place_on_time(book, ledger, whole(unit))
        if ledger.at[FULL]:
            return


@kernel
def try_sooner(book: Book, ledger: Ledger, units: Small) -> None:
    """Plan each late unit earlier where it can be now; ends when a store is full."""
    for one in units:
        unit, day, due = whole(one), whole(ledger.unit_day[one]), whole(book.unit_due[one])
        if day <= due or not removable(ledger, unit):
            continue
        first, count, mark = ledger.unit_first[unit], ledger.unit_count[unit], ledger.at[TOP]
        ahead = ledger.unit_ahead[unit]
        drop(book, ledger, unit)
        if place_on_time(book, ledger, unit):
            continue
        if day - 1 > due and place_early(book, ledger, unit, due, day - 1):
            continue
        roll_back(book, ledger, mark)
        reverse(book, ledger, first, first + count, -1)
        ledger.unit_first[unit], ledger.unit_count[unit] = first, count
        ledger.unit_day[unit], ledger.unit_ahead[unit] = day, ahead
        if ledger.at[FULL]:
            return


def repaired(before: Planned, book: Book, names: Names) -> Ledger:
    """A plan of ``book`` from ``before``, a plan of another book that starts on the same day.

    Where one of them looks further ahead, nothing can be compared: the plan is made anew.
    """
    if before.book.horizon != book.horizon:
        return solve(book)
    kept = before.ledger
    match = matched(before.book, before.names, book, names)
    ledger = opened(book, len(kept.entry_ref))
    slot_to = np.full(len(kept.slot_day), -1, np.int32)
    to = np.concatenate([match.supply_to, match.rule_to])
    to[len(match.supply_to) :] += len(book.supply_part) * (match.rule_to >= 0)
    slot_to[: len(to)] = to
    part = slot_parts(before.book, kept)
    part = np.where(part >= 0, match.part_to[part], -1).astype(np.int32)
    open_surplus(ledger, kept, part, slot_to)
    # What is got or allocated in other ways than before is had anew.
    slot_to[(part >= 0) & (match.part_new[part] != 0)] = -1
    there = np.flatnonzero(match.unit_from >= 0)
    units = there[kept.unit_day[match.unit_from[there]] >= 0].astype(np.int32)
    take_again(book, ledger, kept, match, slot_to, units)
    while ledger.at[FULL]:
        ledger = with_room(ledger)
        take_again(book, ledger, kept, match, slot_to, units)
    drop_short(book, ledger, units)
    order, late = steps_of(book)
    place_rest(book, ledger, order, late)
    while ledger.at[FULL]:
        ledger = with_room(ledger)
        place_rest(book, ledger, order, late)
    try_sooner(book, ledger, book.sequence)
    while ledger.at[FULL]:
        ledger = with_room(ledger)
        try_sooner(book, ledger, book.sequence)
    return ledger
