"""Rounds of the improvement: what one does is told in ``improving``."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import NEVER, Book, Ints, Small
from b2bcrm.fulfillment.planning.engine.compiled import inner, kernel, whole
from b2bcrm.fulfillment.planning.engine.ledger import (
    FULL,
    MISSING,
    TOP,
    Ledger,
    removable,
    reverse,
    roll_back,
)
from b2bcrm.fulfillment.planning.engine.placing import STOCK_FIRST, could, drop, place_unit
from b2bcrm.fulfillment.planning.engine.rivals import Rivals

MODULUS, FACTOR = 2**31 - 1, 48271  # Park and Miller's minimal standard generator
MOST_WAITING, MOST_PLANNED = 12, 6  # rivals, while late units wait and when all are planned
SLACK = 20  # days of a middling unit by which a round may be worse while late units wait: out of
# dead ends
TRIES = 3  # earlier days that are tried for a late unit in one round
LATER = 200  # days by which a unit may leave later than before, or than due, to let another pass
ELSEWHERE = 4  # one round in so many takes rivals for something that the unit does not lack
AROUND = 7, 28  # rivals are due so many days around the day: at least, and up to so many more


class Search(NamedTuple):
    """What a round reads and writes besides book and ledger."""

    random: Ints  # 1; state of the generator
    waits: Ints  # 1; 1: late units wait outside the plan
    slack: Ints  # 1; by how much a round may make the plan worse
    late: Ints  # U; what it costs that the unit is late, and
    daily: Ints  # U; that it is so by a day
    guard: Small  # U; last day on which the unit may leave, within its limit; NEVER: it may wait
    hope: Small  # U; day on which an unplanned unit is counted to leave
    out_unit: Small  # what the round took out, and how it was; MOST_WAITING + 1 at most
    out_first: Ints
    out_count: Ints
    out_day: Small
    out_ahead: Ints


class Stakes(NamedTuple):
    """What it costs that a unit is late, and each day of it; U each, ``daily`` at least 1."""

    late: Ints
    daily: Ints


def new_search(book: Book, guard: Small, stakes: Stakes, seed: int) -> Search:
    """The start of a search in which late units wait."""
    slack = min(MODULUS - 1, SLACK * int(np.median(stakes.daily)) if len(stakes.daily) else 0)
    most = MOST_WAITING + 1
    return Search(
        random=np.array([seed % (MODULUS - 1) + 1], np.int64),
        waits=np.ones(1, np.int64),
        slack=np.full(1, slack, np.int64),
        late=stakes.late,
        daily=stakes.daily,
        guard=guard,
        hope=np.zeros(len(book.unit_due), np.int32),
        out_unit=np.zeros(most, np.int32),
        out_first=np.zeros(most, np.int64),
        out_count=np.zeros(most, np.int64),
        out_day=np.zeros(most, np.int32),
        out_ahead=np.zeros(most, np.int64),
    )


@inner
def draw(search: Search, below: int) -> int:
    """A random whole number from 0 to below ``below``."""
    state = search.random[0] * FACTOR % MODULUS
    search.random[0] = state
    return int(state * below // MODULUS)


@inner
def cost(book: Book, search: Search, unit: int, day: int) -> int:
    """What it costs that the unit leaves on ``day``; -1: not planned."""
    due = book.unit_due[unit]
    if day < 0:
        day = max(search.hope[unit], due + 1)
    return int(search.late[unit] + search.daily[unit] * (day - due)) if day > due else 0


@inner
def take_out(book: Book, ledger: Ledger, search: Search, unit: int, count: int) -> int:
    """Take a unit out and remember how it was; the number of units that are out."""
    search.out_unit[count], search.out_day[count] = unit, ledger.unit_day[unit]
    search.out_first[count] = ledger.unit_first[unit]
    search.out_count[count], search.out_ahead[count] = (
        ledger.unit_count[unit],
        ledger.unit_ahead[unit],
    )
    drop(book, ledger, unit)
    return count + 1


@kernel
def put_back(book: Book, ledger: Ledger, search: Search, count: int, mark: int) -> None:
    """Undo a round."""
    roll_back(book, ledger, mark)
    for n in range(count):
        unit, first = search.out_unit[n], search.out_first[n]
        reverse(book, ledger, first, first + search.out_count[n], -1)
        ledger.unit_first[unit], ledger.unit_count[unit] = first, search.out_count[n]
        ledger.unit_day[unit], ledger.unit_ahead[unit] = search.out_day[n], search.out_ahead[n]


@kernel
def replan(book: Book, ledger: Ledger, search: Search, unit: int, was: int, most: int) -> int:
    """Plan a unit that is out, by a random stock policy: its cost, or -1 if that is above most.

    ``was`` is the day on which it left before.
    """
    unit, due, guard = whole(unit), whole(book.unit_due[unit]), whole(search.guard[unit])
    policy = draw(search, STOCK_FIRST + 1)
    if place_unit(book, ledger, unit, due, policy) or (
        policy != STOCK_FIRST and place_unit(book, ledger, unit, due, whole(STOCK_FIRST))
    ):
        return 0
    allowed = due + (most - search.late[unit]) // search.daily[unit]
    last = min(guard, whole(book.unit_limit[unit]), allowed)
    if last <= due:
        return -1
    if search.waits[0] and guard == NEVER:
        paid = cost(book, search, unit, -1)
        return paid if paid <= most else -1
    last = min(last, max(was, due) + LATER)
    if not place_unit(book, ledger, unit, last, policy):
        policy = whole(STOCK_FIRST)
        if not place_unit(book, ledger, unit, last, policy):
            return -1
    return cost(book, search, unit, earlier(book, ledger, search, unit, last, policy))


@inner
def earlier(book: Book, ledger: Ledger, search: Search, unit: int, day: int, policy: int) -> int:
    """Plan the unit, the last that was planned, for an earlier late day if one of a few will do."""
    mark = ledger.unit_first[unit]
    low = whole(book.unit_due[unit])
    for _ in range(TRIES):
        middle = low + 1 + draw(search, day - low)
        if middle == day:
            continue
        roll_back(book, ledger, mark)
        if place_unit(book, ledger, unit, middle, policy):
            day = middle
        else:
            low = middle
            place_unit(book, ledger, unit, day, policy)
    return int(day)


@inner
def first_due(book: Book, rivals: Rivals, low: int, high: int, day: int) -> int:
    """The first place from low to before high whose unit is due on the day or later, or high."""
    while low < high:
        middle = (low + high) // 2
        if book.unit_due[rivals.pool_unit[middle]] < day:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def choose(book: Book, ledger: Ledger, search: Search, rivals: Rivals, unit: int) -> int:
    """Take the unit and random rivals for what it lacks on a day out; how many units are out."""
    due, day = book.unit_due[unit], ledger.unit_day[unit]
    if day < 0:
        day = max(search.hope[unit], due + 1)
    most = max(1, min(day, search.guard[unit] + 1, book.unit_limit[unit] + 1) - due)
    wanted = due if draw(search, 2) == 0 else due + draw(search, most)
    count = take_out(book, ledger, search, unit, 0)
    if could(book, ledger, whole(unit), whole(wanted), whole(STOCK_FIRST)):
        return count
    pool = rivals.part_pool[ledger.at[MISSING]]
    if draw(search, ELSEWHERE) == 0:
        first, last = rivals.unit_first[unit], rivals.unit_first[unit + 1]
        pool = rivals.unit_pool[first + draw(search, last - first)]
    reach = AROUND[0] + draw(search, AROUND[1])
    low, high = rivals.pool_first[pool], rivals.pool_first[pool + 1]
    first = first_due(book, rivals, low, high, wanted - reach)
    last = first_due(book, rivals, low, high, wanted + reach + 1)
    if last > first:
        for _ in range(1 + draw(search, MOST_WAITING if search.waits[0] else MOST_PLANNED)):
            other = rivals.pool_unit[first + draw(search, last - first)]
            if ledger.unit_day[other] >= 0 and removable(ledger, other):
                count = take_out(book, ledger, search, other, count)
    return count


@kernel
def round_of(book: Book, ledger: Ledger, search: Search, rivals: Rivals, unit: int) -> bool:
    """One round for one late unit; whether its result was kept."""
    mark = ledger.at[TOP]
    if not removable(ledger, unit):
        return False
    count = choose(book, ledger, search, rivals, unit)
    left = draw(search, 1 + search.slack[0])
    for n in range(count):
        left += cost(book, search, search.out_unit[n], search.out_day[n])
    for n in range(count):
        paid = replan(book, ledger, search, search.out_unit[n], search.out_day[n], left)
        if paid < 0 or ledger.at[FULL]:
            put_back(book, ledger, search, count, mark)
            return False
        left -= paid
    return True


@kernel
def run_rounds(
    book: Book, ledger: Ledger, search: Search, rivals: Rivals, late: Small, rounds: int
) -> None:
    """So many rounds over random units of ``late``; fewer when a store is full."""
    for _ in range(rounds):
        unit = late[draw(search, len(late))]
        day = ledger.unit_day[unit]
        if day < 0 or day > book.unit_due[unit]:
            round_of(book, ledger, search, rivals, unit)
            if ledger.at[FULL]:
                return
