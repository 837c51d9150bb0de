"""Resolving: the plan of a changed book, equal to solving it anew, in the time of what changed.

The new book is walked in the order of service beside the old plan. What is free of a part or in a
bucket differs between the two only where something before it in the order changed: these
differences are kept as one number per slot and bucket, and counted per part and work centre. A unit
none of whose parts and work centres differ sees what it saw before, so it gets what it had, without
being placed. Any other is placed; only if it gets something else do its differences count.
"""

from __future__ import annotations

from b2bcrm.fulfillment.planning.engine.book import Book, Names, Small
from b2bcrm.fulfillment.planning.engine.compiled import inner, kernel, whole
from b2bcrm.fulfillment.planning.engine.ledger import (
    ENTRIES_FULL,
    FULL,
    TOP,
    Ledger,
    load,
    opened,
    with_room,
)
from b2bcrm.fulfillment.planning.engine.matching import Match, Planned, matched
from b2bcrm.fulfillment.planning.engine.placing import keep
from b2bcrm.fulfillment.planning.engine.solving import (
    place_late,
    place_on_time,
    solve,
    steps_of,
)
from b2bcrm.fulfillment.planning.engine.walking import (
    OLD_STEP,
    PLACED,
    STEP,
    Walk,
    count_new,
    forget_old,
    new_walk,
    noticed_nothing,
    sees_the_same,
)


@inner
def replay(
    book: Book, ledger: Ledger, kept: Ledger, match: Match, slot_to: Small, unit: int
) -> bool:
    """Take for the unit what it had in the old plan; False when the store is full."""
    old = match.unit_from[unit]
    first, count, top = kept.unit_first[old], kept.unit_count[old], ledger.at[TOP]
    if top + count > len(ledger.entry_ref):
        ledger.at[FULL] = ENTRIES_FULL
        return False
    for n in range(count):
        ref, day, qty = (
            kept.entry_ref[first + n],
            kept.entry_day[first + n],
            kept.entry_qty[first + n],
        )
        if ref >= 0:
            ref = slot_to[ref]
            ledger.slot_free[ref] -= qty
        else:
            source = match.source_to[-1 - ref]
            load(book, ledger.bucket_free, source, day, qty, 1)
            ref = -1 - source
        ledger.entry_ref[top + n], ledger.entry_day[top + n] = ref, day
        ledger.entry_need[top + n] = kept.entry_need[first + n]
        ledger.entry_qty[top + n] = qty
    ledger.at[TOP] = top + count
    keep(ledger, unit, top, kept.unit_day[old])
    ledger.unit_ahead[unit] = kept.unit_ahead[old]
    return True


@kernel
def got_the_same(ledger: Ledger, kept: Ledger, match: Match, walk: Walk, unit: int) -> bool:
    """Whether the unit has in the new plan exactly what it had in the old one."""
    old = match.unit_from[unit]
    count, day = ledger.unit_count[unit], ledger.unit_day[unit]
    if count != kept.unit_count[old] or day != kept.unit_day[old]:
        return False
    a, b = ledger.unit_first[unit], kept.unit_first[old]
    for n in range(count):
        ref = kept.entry_ref[b + n]
        ref = walk.slot_to[ref] if ref >= 0 else -1 - match.source_to[-1 - ref]
        if (
            ledger.entry_ref[a + n] != ref
            or ledger.entry_day[a + n] != kept.entry_day[b + n]
            or ledger.entry_qty[a + n] != kept.entry_qty[b + n]
            or ledger.entry_need[a + n] != kept.entry_need[b + n]
        ):
            return False
    return True


@kernel
def place_anew(
    old: Book,
    kept: Ledger,
    book: Book,
    ledger: Ledger,
    match: Match,
    walk: Walk,
    unit: int,
    late: int,
) -> None:
    """Place the unit and compare with what it had here, if it did; nothing when a store is full."""
    before = match.unit_from[unit]
    walk.at[PLACED] += 1
    if late:
        place_late(book, ledger, whole(unit))
    else:
        place_on_time(book, ledger, whole(unit))
    if ledger.at[FULL]:
        return
    has, had = ledger.unit_day[unit] >= 0, before >= 0 and placed_at(old, kept, before, late)
    if had and has and got_the_same(ledger, kept, match, walk, unit):
        return
    if had:
        forget_old(old, kept, book, match, walk, before)
    if has:
        count_new(book, ledger, walk, unit)


@inner
def placed_at(book: Book, ledger: Ledger, unit: int, late: int) -> bool:
    """Whether the plan got the unit in when it came the first time (late 0) or the second (1)."""
    day = ledger.unit_day[unit]
    return bool(day >= 0 and (day > book.unit_due[unit]) == (late != 0))


@inner
def take_step(
    old: Book,
    kept: Ledger,
    book: Book,
    ledger: Ledger,
    match: Match,
    walk: Walk,
    unit: int,
    late: int,
) -> None:
    """One step of the order of service in both plans; to be done again when a store is full."""
    before = match.unit_from[unit]
    had = before >= 0 and placed_at(old, kept, before, late)
    if late and ledger.unit_day[unit] >= 0:
        if had:
            forget_old(old, kept, book, match, walk, before)
        return
    tried = before >= 0 and (late == 0 or not placed_at(old, kept, before, 0))
    if tried and (
        (had and late == 0 and noticed_nothing(book, kept, match, walk, before))
        or sees_the_same(book, walk, unit)
    ):
        if had:
            replay(book, ledger, kept, match, walk.slot_to, unit)
        return
    place_anew(old, kept, book, ledger, match, walk, unit, late)


@inner
def pass_gone(
    old: Book,
    kept: Ledger,
    steps: tuple[Small, Small],
    book: Book,
    match: Match,
    walk: Walk,
    unit: int,
    late: int,
) -> None:
    """Old units that are gone took what they had before this old unit came."""
    units, again = steps
    while True:
        at = walk.at[OLD_STEP]
        gone = units[at]
        if gone == unit and again[at] == late:
            return
        if match.unit_to[gone] < 0 and placed_at(old, kept, gone, again[at]):
            forget_old(old, kept, book, match, walk, gone)
        walk.at[OLD_STEP] = at + 1


@kernel
def run_walk(
    old: Book,
    kept: Ledger,
    old_steps: tuple[Small, Small],
    book: Book,
    ledger: Ledger,
    steps: tuple[Small, Small],
    match: Match,
    walk: Walk,
) -> None:
    """Walk on until the end, or until a store is full."""
    units, late = steps
    while walk.at[STEP] < len(units):
        unit, is_late = units[walk.at[STEP]], late[walk.at[STEP]]
        before = match.unit_from[unit]
        if before >= 0:
            pass_gone(old, kept, old_steps, book, match, walk, before, is_late)
        take_step(old, kept, book, ledger, match, walk, unit, is_late)
        if ledger.at[FULL]:
            return
        walk.at[STEP] += 1


def resolve(before: Planned, book: Book, names: Names) -> Ledger:
    """The plan that ``solve(book)`` makes, from ``before``, which ``solve`` or this made.

    Both books start on the same day. What is new in ``book`` may be anything.
    """
    old, kept = before.book, before.ledger
    if old.horizon != book.horizon:
        return solve(book)
    match = matched(old, before.names, book, names)
    ledger = opened(book, len(kept.entry_ref))
    walk = new_walk(before, book, ledger, match)
    steps, old_steps = steps_of(book), steps_of(old)
    run_walk(old, kept, old_steps, book, ledger, steps, match, walk)
    while ledger.at[FULL]:
        ledger = with_room(ledger)
        run_walk(old, kept, old_steps, book, ledger, steps, match, walk)
    return ledger
