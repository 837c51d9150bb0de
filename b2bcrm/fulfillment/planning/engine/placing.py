"""Placing: from a wished day backward through all levels, each order as late as it may be."""

from __future__ import annotations

from b2bcrm.fulfillment.planning.engine.allocating import take_caps, take_kept
from b2bcrm.fulfillment.planning.engine.book import Book
from b2bcrm.fulfillment.planning.engine.bringing import bring_by_own, bring_else
from b2bcrm.fulfillment.planning.engine.compiled import inner, kernel, whole
from b2bcrm.fulfillment.planning.engine.ledger import (
    BASE,
    LEFT,
    MISSING,
    SLOTS,
    TOP,
    Ledger,
    reverse,
    roll_back,
    take,
)

# Stock policies, as bits: where stock is taken although there is time to do without. With none,
# stock stays for demand that can neither be bought nor made in time.
LEAN, OWN, BELOW, BOUGHT = 0, 1, 2, 4
STOCK_FIRST = OWN | BELOW


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
    leaves, todo = day, 1
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
        todo = bring_by_own(book, ledger, part, need, day, left, todo)
        if todo >= 0 and ledger.at[LEFT] > 0 and policy & STOCK_FIRST == STOCK_FIRST:
            todo = bring_else(book, ledger, part, need, day, leaves, todo)
        if todo < 0 or ledger.at[LEFT] > 0:
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
