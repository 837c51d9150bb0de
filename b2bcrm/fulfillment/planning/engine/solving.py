"""Solving: the greedy plan of the whole book, one unit after the other.

Each class of priority first gets what can be on time, then what cannot, as early as it can: a late
unit takes nothing from one of its class that may still be on time. Where its lines allow it, what
can leave of it when it is due is sent ahead, if the rest need not wait longer for that.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Small
from b2bcrm.fulfillment.planning.engine.compiled import kernel, whole
from b2bcrm.fulfillment.planning.engine.ledger import (
    FULL,
    TOP,
    Ledger,
    opened,
    reverse,
    roll_back,
    with_room,
)
from b2bcrm.fulfillment.planning.engine.placing import (
    LEAN,
    STOCK_FIRST,
    could,
    drop,
    keep,
    place_ahead,
    place_unit,
    shares_of,
)


@kernel
def place_on_time(book: Book, ledger: Ledger, unit: int) -> bool:
    """Plan the unit for the day it is due, at first without stock that others may need more."""
    day = whole(book.unit_due[unit])
    if place_unit(book, ledger, unit, day, whole(LEAN)):
        return True
    return ledger.at[FULL] == 0 and place_unit(book, ledger, unit, day, whole(STOCK_FIRST))


@kernel
def place_early(book: Book, ledger: Ledger, unit: int, after: int, last: int) -> bool:
    """Plan the unit for the earliest day after ``after`` that is found, not after ``last``.

    Steps double until a day will do, then the gap is halved. What can be had on a day can nearly
    always be had on a later one; where not, the day found is good, if not the very first.
    """
    low, step, high = after, 1, -1
    while high < 0:
        day = min(low + step, last)
        if day <= low or ledger.at[FULL]:
            return False
        if could(book, ledger, unit, day, whole(STOCK_FIRST)):
            high = day
        else:
            low, step = day, 2 * step
    while high - low > 1:
        day = (high + low) // 2
        if could(book, ledger, unit, day, whole(STOCK_FIRST)):
            high = day
        elif ledger.at[FULL]:
            return False
        else:
            low = day
    return place_unit(book, ledger, unit, high, whole(STOCK_FIRST))


@kernel
def ahead_on_time(book: Book, ledger: Ledger, unit: int, ahead: int, shares: int) -> bool:
    """As ``place_on_time`` for so many shares of the unit; they are not kept yet."""
    if place_ahead(book, ledger, unit, ahead, shares, whole(LEAN)):
        return True
    return ledger.at[FULL] == 0 and place_ahead(
        book, ledger, unit, ahead, shares, whole(STOCK_FIRST)
    )


@kernel
def most_ahead(book: Book, ledger: Ledger, unit: int, shares: int, least: int) -> int:
    """How many shares of a unit can leave when it is due, found by halving; leaves no trace.

    Fewer than ``least`` of them, or leaving fewer behind, is 0.
    """
    mark, low, high = ledger.at[TOP], least - 1, shares - least + 1
    while high - low > 1:
        middle = (low + high) // 2
        if ahead_on_time(book, ledger, unit, middle, shares):
            low = middle
            roll_back(book, ledger, mark)
        else:
            high = middle
    return low if low >= least else 0


@kernel
def least_shares(book: Book, unit: int, shares: int) -> int:
    """The fewest shares of a unit that its lines allow in a shipment; 0: it leaves whole."""
    fewest = 0
    for line in range(book.unit_line[unit], book.unit_line[unit + 1]):
        if book.line_least[line] == 0:
            return 0
        each = book.line_qty[line] // shares
        fewest = max(fewest, (book.line_least[line] + each - 1) // each)
    return int(fewest)


@kernel
def send_ahead(book: Book, ledger: Ledger, unit: int) -> None:
    """Cut a late unit in two: what can leave when due, and the rest not later than the whole did.

    Where that cannot be, all stays as it was.
    """
    unit = whole(unit)
    due, limit = whole(book.unit_due[unit]), whole(book.unit_limit[unit])
    shares = shares_of(book, unit)
    least = least_shares(book, unit, shares)
    if least == 0 or 2 * least > shares or limit <= due or ledger.unit_ahead[unit] > 0:
        return
    first, count = ledger.unit_first[unit], ledger.unit_count[unit]
    day = whole(ledger.unit_day[unit])
    drop(book, ledger, unit)
    mark = ledger.at[TOP]
    ahead = most_ahead(book, ledger, unit, shares, least)
    if ahead > 0 and ahead_on_time(book, ledger, unit, ahead, shares):
        keep(ledger, unit, mark, -1)
        ledger.unit_ahead[unit] = ahead
        if place_early(book, ledger, unit, due, day if day >= 0 else limit):
            return
    roll_back(book, ledger, mark)
    reverse(book, ledger, first, first + count, -1)
    ledger.unit_first[unit], ledger.unit_count[unit] = first, count
    ledger.unit_day[unit], ledger.unit_ahead[unit] = day, 0


@kernel
def place_late(book: Book, ledger: Ledger, unit: int) -> None:
    """Plan a unit that cannot leave when due as early as it can; nothing when a store is full."""
    mark = ledger.at[TOP]
    due, limit = whole(book.unit_due[unit]), whole(book.unit_limit[unit])
    place_early(book, ledger, unit, due, limit)
    if book.line_least[book.unit_line[unit]] > 0 and ledger.at[FULL] == 0:
        send_ahead(book, ledger, unit)
    if ledger.at[FULL]:
        drop(book, ledger, unit)
        ledger.at[TOP] = mark  # no gap: the store is to grow, tidying would not help


@kernel
def run_steps(book: Book, ledger: Ledger, units: Small, late: Small, step: int) -> int:
    """Plan from a step on; the step at which a store was full, or the number of steps."""
    while step < len(units):
        unit = whole(units[step])
        if not late[step]:
            place_on_time(book, ledger, unit)
        elif ledger.unit_day[unit] < 0:
            place_late(book, ledger, unit)
        if ledger.at[FULL]:
            break
        step += 1
    return step


def steps_of(book: Book, in_turn: Collection[int] = ()) -> tuple[Small, Small]:
    """Units in the order of service, each twice, and which of the two times it is.

    A class comes once as a whole and then again; in classes ``in_turn`` each unit comes twice.
    """
    order = book.sequence
    classes = book.unit_priority[order]
    units, late = [], []
    for one in np.unique(classes):
        chosen = order[classes == one]
        turns = np.repeat(np.array([[0, 1]], np.int32), len(chosen), axis=0)
        if one in in_turn:
            units.append(np.repeat(chosen, 2))
            late.append(turns.ravel())
        else:
            units.append(np.tile(chosen, 2))
            late.append(turns.T.ravel())
    none = [np.zeros(0, np.int32)]
    return np.concatenate(units or none), np.concatenate(late or none)


def solve(book: Book, in_turn: Collection[int] = ()) -> Ledger:
    """The greedy plan of the book: the same book, the same plan.

    A late unit of a class ``in_turn`` is planned at once, before those that come after it in the
    order of service: more units are late then, each by fewer days.
    """
    ledger = opened(book)
    units, late = steps_of(book, in_turn)
    step = run_steps(book, ledger, units, late, 0)
    while step < len(units):
        ledger = with_room(ledger)
        step = run_steps(book, ledger, units, late, step)
    return ledger
