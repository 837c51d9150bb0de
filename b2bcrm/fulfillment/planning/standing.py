"""A plan that stands: what was promised since it was made is placed on it, and asked on top.

``Standing`` owns the ledger of a plan. ``keep`` places a promise as it was given: pieces of known
supply on their day, pieces still to be made by theirs; where that can no longer be, as early as it
can. ``offer`` looks for a wish without leaving a trace: the first day of the whole quantity, else
what is there by the wish and the day of the rest, with everything it would take. Not for two
threads at a time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from math import ceil
from typing import Any, NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.atp import CAPACITY, STOCK
from b2bcrm.fulfillment.planning.deciding import waits_for
from b2bcrm.fulfillment.planning.engine import warming
from b2bcrm.fulfillment.planning.engine.book import MOST, NEVER
from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.forecasting import without_forecast
from b2bcrm.fulfillment.planning.engine.ledger import (
    FULL,
    TOP,
    removable,
    reverse,
    with_room,
)
from b2bcrm.fulfillment.planning.engine.placing import BOUGHT, STOCK_FIRST, drop, place_unit
from b2bcrm.fulfillment.planning.engine.solving import (
    most_ahead,
    place_early,
    place_on_time,
    solve,
)
from b2bcrm.fulfillment.planning.footing import footing
from b2bcrm.fulfillment.planning.packing import Packed
from b2bcrm.fulfillment.planning.takes import Footing, Take, Wish, merged

ROOM = 64  # promises for which room is made at a time
ALL_STOCK = STOCK_FIRST | BOUGHT
_THERE = frozenset({STOCK, CAPACITY})  # what decides no day


class Offer(NamedTuple):
    """The first day of all pieces at our door, None: not within the plan; what they take.

    ``decides`` is the one of ``takes`` but for which they would be there a day earlier.
    """

    full: int | None
    takes: list[Take]
    decides: Take | None = None


class Standing:
    """See the module."""

    def __init__(self, packed: Packed) -> None:
        self.names, self.scales = packed.names, packed.scales
        self._parts = {name: n for n, name in enumerate(packed.names.parts)}
        self._classes = {name: n for n, name in enumerate(packed.names.classes)}
        self._book, self._ledger = packed.book, without_forecast(packed.book, packed.ledger)
        counts = np.diff(packed.book.unit_line)
        units = np.repeat(np.arange(len(counts)), counts).tolist()
        self._units: dict[str, int] = dict(zip(packed.names.lines, units, strict=True))
        self._lines = {name: n for n, name in enumerate(packed.names.lines)}
        self._planned = len(packed.book.unit_due)
        self._room: list[int] = []
        self.kept = {name for name in self._units if name.startswith(("R/", "H/"))}

    def knows(self, part: str) -> bool:
        """Whether the plan has the part."""
        return part in self._parts

    def pieces(self, item: str, qty: Decimal) -> int:
        """A quantity of the item as the engine counts it."""
        return ceil(qty * self.scales.get(item, 1))

    def quantity(self, item: str, pieces: int) -> Decimal:
        """The inverse of ``pieces``."""
        return Decimal(pieces) / self.scales.get(item, 1)

    # ------------------------------------------------------------------------------- promises
    def keep(
        self, key: str, part: str, qty: int, day: int, *, fresh: bool, customer_class: str = ""
    ) -> bool:
        """Place a promise to a customer of the class; whether it is there by its day."""
        unit = self._new_unit(part, Wish([part], qty, day, customer_class))
        self._units[key], self._lines[key] = unit, int(self._book.unit_line[unit])
        self.kept.add(key)
        due = int(self._book.unit_due[unit])
        self._place(unit, due, fresh=fresh)
        while self._full(unit):
            self._place(unit, due, fresh=fresh)
        return bool(0 <= self._ledger.unit_day[unit] <= due)

    def give_back(self, key: str) -> None:
        """Take a promise out of the plan; what others use of its lots stays."""
        unit = self._units.pop(key)
        del self._lines[key]
        self.kept.discard(key)
        if removable(self._ledger, unit):
            self._free([unit])

    def due(self, name: str) -> int:
        """The last day on which the pieces of a line or promise would be in time."""
        unit = self._units.get(name)
        return -1 if unit is None else int(self._book.unit_due[unit])

    def day(self, name: str) -> int | None:
        """The day on which they are there; None if the plan has no such line, or no day for it."""
        unit = self._units.get(name)
        day = -1 if unit is None else int(self._ledger.unit_day[unit])
        return None if day < 0 else day

    def plans(self, name: str) -> bool:
        """Whether a line or promise is to be planned, be there a day for it or not."""
        return name in self._units

    def told(self, name: str) -> Footing:
        """What a line or promise rests on; where several lines decide their day, it does first."""
        book, unit, line = self._book, self._units[name], self._lines[name]
        takes = self._footing(unit)
        takes = {line: takes.pop(line)} | takes
        whose, decides = self._decided_anew(unit, self.day(name) or 0, takes)
        return Footing(
            self.names.parts[book.line_part[line]],
            int(book.line_qty[line]),
            takes[line],
            decides,
            "" if whose == line else self.names.lines[whose],
            self._ahead(unit, line),
        )

    def _ahead(self, unit: int, line: int) -> int:
        """Pieces of the line that are there when it is due, while the others come on its day."""
        book, shares = self._book, int(self._ledger.unit_ahead[unit])
        mine = book.line_qty[book.unit_line[unit] : book.unit_line[unit + 1]]
        return shares and shares * int(book.line_qty[line]) // int(np.gcd.reduce(mine))

    def _footing(self, unit: int) -> dict[int, list[Take]]:
        """What each line of the unit rests on."""
        found = footing(self._book, self._ledger, self.names, unit)
        return {int(self._book.unit_line[unit]) + n: merged(one) for n, one in enumerate(found)}

    def _decided_anew(
        self, unit: int, day: int, takes: Mapping[int, Sequence[Take]]
    ) -> tuple[int, Take | None]:
        """What the unit would wait for, were it placed now for the day that it has; no trace."""
        book, ledger = self._book, self._ledger
        counters = ledger.unit_first, ledger.unit_count, ledger.unit_day, ledger.unit_ahead
        before, mark = [int(one[unit]) for one in counters], int(ledger.at[TOP])
        drop(book, ledger, unit)
        decides: tuple[int, Take | None] = (next(iter(takes)), None)
        if place_unit(book, ledger, unit, day, STOCK_FIRST):
            decides = self._decides(unit, day, takes)
            drop(book, ledger, unit)
        full = ledger.at[FULL] != 0
        ledger.at[TOP] = mark
        reverse(book, ledger, before[0], before[0] + before[1], -1)
        for one, value in zip(counters, before, strict=True):
            one[unit] = value
        if full:
            self._ledger = with_room(ledger)
            return self._decided_anew(unit, day, takes)
        return decides

    def _place(self, unit: int, due: int, *, fresh: bool) -> None:
        """By its day as it was given, else as early as it can."""
        book = self._book
        placed = fresh and place_on_time(book, self._ledger, unit)
        placed = placed or place_unit(book, self._ledger, unit, due, ALL_STOCK)
        if not placed and not place_early(
            book, self._ledger, unit, due, int(book.unit_limit[unit])
        ):
            self._nothing(unit)

    # --------------------------------------------------------------------------------- asking
    def offers(
        self, wishes: Sequence[Wish], *, late: Collection[int] = ()
    ) -> list[tuple[str, Offer]]:
        """The best part and its offer for each wish.

        Each wish sees what the ones before it would take. ``late`` are places of wishes that are
        offered for their day where they can be there before, to leave early hours to others.
        """
        before, mark = self._ledger, self._ledger.at[TOP]
        used: list[int] = []
        found = [self._best(wish, used, late=n in late) for n, wish in enumerate(wishes)]
        self._free(used)
        if before is self._ledger:
            self._ledger.at[TOP] = mark
        return found

    def _best(self, wish: Wish, used: list[int], *, late: bool) -> tuple[str, Offer]:
        """The part that is there first, the first named among equals; it stays taken."""
        parts = wish.parts
        chosen = parts[0] if parts else ""
        if len(parts) > 1:
            ranks = {}
            for part in parts:
                offer, taken = self._offer(part, wish)
                self._free(taken)
                ranks[part] = NEVER if offer.full is None else offer.full
            chosen = min(parts, key=lambda part: ranks[part])
        if not chosen:
            return "", Offer(None, [])
        offer, taken = self._offer(chosen, wish)
        if late and offer.full is not None and offer.full < wish.day:
            self._delay(taken[0])
            full = int(self._ledger.unit_day[taken[0]])
            (takes,) = self._footing(taken[0]).values()
            offer = Offer(full, takes)
        used += taken
        return chosen, offer

    def _offer(self, part: str, wish: Wish) -> tuple[Offer, list[int]]:
        """The wish placed on two units: what is there by the wish, or all of it, and the rest."""
        if not 0 < wish.qty <= MOST:
            return Offer(None, []), []
        whole, rest = self._new_unit(part, wish), self._new_unit(part, wish)
        full = self._look(whole, rest, wish.qty, wish.day)
        while self._full(whole, rest):
            full = self._look(whole, rest, wish.qty, wish.day)
        takes = merged(
            take for unit in (whole, rest) for line in self._footing(unit).values() for take in line
        )
        last = rest if self._ledger.unit_count[rest] else whole
        _, decides = self._decides(last, full, {int(self._book.unit_line[last]): takes})
        return Offer(full, takes, decides), [whole, rest]

    def _decides(
        self, unit: int, full: int | None, takes: Mapping[int, Sequence[Take]]
    ) -> tuple[int, Take | None]:
        """The line, of those that ``takes`` are told of, and its take that a unit waits for.

        Its last pieces are there on ``full``. Where it is not found, it is the first line's.
        """
        every, nobody = [take for one in takes.values() for take in one], (next(iter(takes)), None)
        if not full or full != self._ledger.unit_day[unit] or all(t.kind in _THERE for t in every):
            return nobody
        centres = list(dict.fromkeys(take.no for take in every if take.kind == CAPACITY))
        parts, centre = waits_for(self._book, self._ledger, self.names, unit, centres)
        for line, mine in takes.items():
            if centre:
                coming = [take for take in mine if (take.kind, take.no) == (CAPACITY, centre)]
            else:
                coming = [take for take in mine if take.part in parts]
                coming = [take for take in coming if take.kind != STOCK]
            if coming or self.names.parts[self._book.line_part[line]] in parts:
                return line, max(coming, key=lambda take: take.day, default=None)
        return nobody

    def _delay(self, unit: int) -> None:
        """Place a unit that is there before its day for that day, if it can be."""
        book, early = self._book, int(self._ledger.unit_day[unit])
        drop(book, self._ledger, unit)
        placed = place_on_time(book, self._ledger, unit)
        while self._full(unit):
            placed = place_on_time(book, self._ledger, unit)
        if not placed:
            place_unit(book, self._ledger, unit, early, STOCK_FIRST)

    def _look(self, whole: int, rest: int, qty: int, wish: int) -> int | None:
        """Place the wish; the day all of it is there."""
        book, ledger, last = self._book, self._ledger, self._book.horizon - 1
        self._set_qty(whole, qty)
        full = None
        if place_early(book, ledger, whole, -1, last):
            full = int(ledger.unit_day[whole])
            if full <= wish:
                return full
            drop(book, ledger, whole)
        self._nothing(whole)
        if wish >= 0:
            day = self._split(whole, rest, qty)
            if day is not None and (full is None or day <= full):
                return day
            if full is None:
                return None  # no day for all of it: what is there by the wish is still told
            drop(book, ledger, whole)
            drop(book, ledger, rest)
        self._set_qty(whole, qty)
        if full is not None:
            place_unit(book, ledger, whole, full, STOCK_FIRST)
        return full

    def _split(self, whole: int, rest: int, qty: int) -> int | None:
        """Place what can be there by the wish, and the rest after it; the day of the rest."""
        book, ledger = self._book, self._ledger
        ahead = int(most_ahead(book, ledger, whole, qty, 1))
        if ahead == 0:
            return None
        due = int(book.unit_due[whole])
        self._set_qty(whole, ahead)
        self._set_qty(rest, qty - ahead)
        if not place_unit(book, ledger, whole, due, STOCK_FIRST):
            place_on_time(book, ledger, whole)
        if place_early(book, ledger, rest, due, book.horizon - 1):
            return int(ledger.unit_day[rest])
        self._nothing(rest)
        return None

    # ---------------------------------------------------------------------------------- units
    def _new_unit(self, part: str, wish: Wish) -> int:
        """A unit of one line for the wish, taken from the spare ones."""
        if not self._room:
            self._make_room()
        unit, book = self._room.pop(), self._book
        line = book.unit_line[unit]
        book.line_part[line], book.line_qty[line] = self._parts[part], wish.qty
        book.line_class[line] = self._classes.get(wish.customer_class, -1)
        book.unit_due[unit] = min(max(0, wish.day), book.horizon - 1)
        return unit

    def _set_qty(self, unit: int, qty: int) -> None:
        self._book.line_qty[self._book.unit_line[unit]] = qty

    def _nothing(self, unit: int) -> None:
        """Forget a placing that was only tried: the kernels have given it back already."""
        self._ledger.unit_count[unit], self._ledger.unit_day[unit] = 0, -1

    def _free(self, units: Iterable[int]) -> None:
        for unit in units:
            drop(self._book, self._ledger, unit)
            if unit >= self._planned:
                self._room.append(unit)

    def _full(self, *units: int) -> bool:
        """Whether a store was full: then the units are out, there is room, and all is to be redone.

        A kernel that finds a store full gives back what it placed of a unit, but not its counters.
        """
        if self._ledger.at[FULL] == 0:
            return False
        for unit in units:
            drop(self._book, self._ledger, unit)
        self._ledger = with_room(self._ledger)
        return True

    def _make_room(self) -> None:
        """Spare units of one line each, at the end."""
        book, ledger = self._book, self._ledger
        units, lines = len(book.unit_due), len(book.line_part)
        room = max(ROOM, units // 8)
        more = np.arange(1, room + 1, dtype=np.int32)
        self._book = book._replace(
            unit_line=np.append(book.unit_line, (lines + more).astype(np.int32)),
            unit_limit=np.append(book.unit_limit, np.full(room, book.horizon - 1, np.int32)),
            **{name: _longer(getattr(book, name), room) for name in _GROWING},
        )
        self._ledger = ledger._replace(
            unit_first=_longer(ledger.unit_first, room),
            unit_count=_longer(ledger.unit_count, room),
            unit_day=np.append(ledger.unit_day, np.full(room, -1, np.int32)),
            unit_ahead=_longer(ledger.unit_ahead, room),
        )
        self._room += range(units + room - 1, units - 1, -1)


_GROWING = ("unit_due", "unit_priority", "unit_value", "sequence", "line_part", "line_qty",
            "line_wish", "line_transit", "line_calendar", "line_least", "line_class")  # fmt: skip


def _longer(array: Any, room: int) -> Any:
    return np.append(array, np.zeros(room, array.dtype))


def warm() -> None:
    """Plan, keep, ask and give back on one tiny book, so that no later call compiles."""
    book, names, _ = build(warming.FACTS)
    warming.warm()
    standing = Standing(Packed(book, names, solve(book), {}))
    standing.offers([Wish(["A"], 5, 2), Wish(["A", "B"], 1, 9)])
    standing.keep("R/1", "A", 1, 3, fresh=True)
    standing.keep("R/2", "B", 900, 3, fresh=False)
    standing.give_back("R/1")
