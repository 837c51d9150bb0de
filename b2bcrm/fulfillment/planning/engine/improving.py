"""Improving: a late unit takes the place of rivals, which are planned anew around it.

Large-neighbourhood search over the sequence and the stock policy. A round takes a late unit and
some rivals for what it lacks out of the plan, plans it first and then them, and keeps the result
if it costs no more. What lateness costs is told: of a case, lines on time come first and then days;
of a live book, it is money. No unit leaves after its guard, the last day that a promise allows.

There are two ways to start. In a tight book late units first wait outside the plan, where they are
in nobody's way, until as many as possible are on time; then all are planned, and days are saved. In
a loose one that would cost too many days: there each late unit is planned when its turn comes, and
rounds only ever make this plan better.

The same number of rounds gives the same plan. Not here: any clock; a budget decides.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import NEVER, Book, Small
from b2bcrm.fulfillment.planning.engine.forecasting import with_forecast, without_forecast
from b2bcrm.fulfillment.planning.engine.ledger import FULL, Ledger, copied, removable, with_room
from b2bcrm.fulfillment.planning.engine.placing import drop
from b2bcrm.fulfillment.planning.engine.records import FORECAST
from b2bcrm.fulfillment.planning.engine.rivals import Rivals, rivals_of
from b2bcrm.fulfillment.planning.engine.rounds import Search, Stakes, new_search, run_rounds
from b2bcrm.fulfillment.planning.engine.solving import place_early, send_ahead, solve

BATCH = 128  # rounds between two looks at the budget
AFTER_LAST = 14  # days after the last wish by which waiting units are counted to leave
FIRST = 10_000  # days that one line on time is worth where lines come first
BROKEN = 10  # days that a late unit's value is lost for, besides those that it is late

Budget = Callable[[int], bool]  # rounds done so far -> whether another batch may be run


def guards(book: Book, ledger: Ledger, priority: int) -> Small:
    """Last days to leave: as planned for priorities up to this one, ``NEVER`` for any other."""
    guarded = (book.unit_priority <= priority) & (ledger.unit_day >= 0)
    return np.where(guarded, ledger.unit_day, NEVER).astype(np.int32)


def improve(
    book: Book,
    plan: Ledger,
    guard: Small,
    stakes: Stakes,
    *,
    fill: Budget,
    shorten: Budget,
    seed: int = 1,
) -> tuple[Ledger, int]:
    """A plan that costs no more, and the rounds it took; ``plan`` itself stays as it is.

    ``fill`` is the budget for units on time, ``shorten`` the one for days late.
    """
    plan = without_forecast(book, plan)  # what is only expected is planned around the result
    rivals, search = rivals_of(book), new_search(book, guard, stakes, seed)
    start = _in_turn(book, plan, guard, stakes)
    if start:
        ledger = start
        _no_waiting(book, search)
        ledger, filled = _run(book, ledger, search, rivals, fill)
    else:
        ledger = copied(plan)
        for unit in late_units(book, ledger):
            if guard[unit] == NEVER:
                drop(book, ledger, unit)
        search.hope[:] = int(book.unit_due.max(initial=0)) + AFTER_LAST
        ledger, filled = _run(book, ledger, search, rivals, fill)
        _no_waiting(book, search)
        ledger = _plan_waiting(book, ledger)
    ledger, shortened = _run(book, ledger, search, rivals, shorten)
    ledger = _sent_ahead(book, ledger)
    better = lost(book, ledger, stakes) <= lost(book, plan, stakes)
    better &= not ((ledger.unit_day < 0) & (plan.unit_day >= 0)).any()
    return with_forecast(book, ledger if better else plan), filled + shortened


def lines_first(book: Book) -> Stakes:
    """As many lines on time as can be, then as few days late: what counts in planning cases."""
    lines = np.diff(book.unit_line).astype(np.int64)
    return Stakes(lines * FIRST, lines)


def money(book: Book) -> Stakes:
    """The value of what is late times the days, of which a broken promise counts some at once."""
    return Stakes(book.unit_value * BROKEN, book.unit_value)


def lost(book: Book, ledger: Ledger, stakes: Stakes, *, planned: bool = False) -> int:
    """What the lateness of a plan costs; a unit that is not planned is later than any other.

    ``planned``: only of units that are.
    """
    never = book.unit_due if planned else 2 * book.horizon
    day = np.where(ledger.unit_day < 0, never, ledger.unit_day)
    late = np.maximum(0, day - book.unit_due)
    return int((stakes.late * (late > 0) + stakes.daily * late).sum())


def _in_turn(book: Book, plan: Ledger, guard: Small, stakes: Stakes) -> Ledger | None:
    """The plan with late units planned in turn, where that costs less and guards hold."""
    kept = set(book.unit_priority[guard < NEVER].tolist())
    ledger = solve(book, set(book.unit_priority.tolist()) - kept)
    if lost(book, ledger, stakes) >= lost(book, plan, stakes) or (ledger.unit_day > guard).any():
        return None
    return None if ((ledger.unit_day < 0) & (plan.unit_day >= 0)).any() else ledger


def _no_waiting(book: Book, search: Search) -> None:
    """From now on all units are planned, and no round makes the plan worse."""
    search.hope[:], search.waits[0], search.slack[0] = 2 * book.horizon, 0, 0


def late_units(book: Book, ledger: Ledger) -> Small:
    """Units of real demand that leave late or not at all."""
    late = (ledger.unit_day < 0) | (ledger.unit_day > book.unit_due)
    return np.flatnonzero(late & (book.unit_priority != FORECAST)).astype(np.int32)


def _run(
    book: Book, ledger: Ledger, search: Search, rivals: Rivals, budget: Budget
) -> tuple[Ledger, int]:
    """Batches of rounds until the budget is spent or nothing is late."""
    done = 0
    while budget(done):
        late = late_units(book, ledger)
        if not len(late):
            break
        run_rounds(book, ledger, search, rivals, late, BATCH)
        if ledger.at[FULL]:
            ledger = with_room(ledger)
        done += BATCH
    return ledger, done


def _sent_ahead(book: Book, ledger: Ledger) -> Ledger:
    """The plan in which late units leave in two where they may: rounds plan them whole."""
    for unit in late_units(book, ledger):
        if book.line_least[book.unit_line[unit]] > 0 and removable(ledger, unit):
            send_ahead(book, ledger, unit)
            while ledger.at[FULL]:
                ledger = with_room(ledger)
                send_ahead(book, ledger, unit)
    return ledger


def _plan_waiting(book: Book, ledger: Ledger) -> Ledger:
    """Plan the units that waited outside, each as early as it can, the earliest due first."""
    waiting = np.flatnonzero((ledger.unit_day < 0) & (book.unit_priority != FORECAST))
    for unit in waiting[np.lexsort((waiting, book.unit_due[waiting]))]:
        due, limit = int(book.unit_due[unit]), int(book.unit_limit[unit])
        planned = place_early(book, ledger, unit, due, limit)
        while not planned and ledger.at[FULL]:
            ledger = with_room(ledger)
            planned = place_early(book, ledger, unit, due, limit)
    return ledger
