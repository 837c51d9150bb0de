"""Changing: a book that differs in a few things from another; the other stays as it is.

All that was there keeps its index, what comes stands behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import (
    NEVER,
    Arrays,
    Book,
    Ints,
    Names,
    Problem,
    Small,
)
from b2bcrm.fulfillment.planning.engine.demand import known_by, units_of
from b2bcrm.fulfillment.planning.engine.records import Line

LINES = ("line_part", "line_qty", "line_wish", "line_transit", "line_calendar", "line_least",
         "line_class")  # fmt: skip
UNITS = ("unit_due", "unit_limit", "unit_priority", "unit_value")


@dataclass(frozen=True, slots=True)
class Receipt:
    """Supply ``supply`` (an index) comes on ``day`` with ``qty`` pieces; None: as before."""

    supply: int
    day: int | None = None
    qty: int | None = None


@dataclass(frozen=True, slots=True)
class Hours:
    """So many 1/1000 h more, or fewer, in each bucket that starts from ``first`` to ``last``."""

    centre: str
    first: int
    last: int
    more: int


@dataclass(frozen=True, slots=True)
class Service:
    """The line's unit is served in another class, first in it or last."""

    line: str
    priority: int
    first: bool = True


@dataclass(frozen=True, slots=True)
class Rush:
    """A new line, first in its class."""

    line: Line


@dataclass(frozen=True, slots=True)
class Split:
    """The line, alone in its unit, is cut in two; ``rest`` names what goes beyond ``qty``."""

    line: str
    qty: int
    rest: str


@dataclass(frozen=True, slots=True)
class Turns:
    """The lines' units share out their places in the order of service anew, as they stand here.

    Nobody else's place changes. A unit takes its place's class.
    """

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Due:
    """The line's unit is planned for ``day``; what it was wished for stays."""

    line: str
    day: int


@dataclass(frozen=True, slots=True)
class Instead:
    """``num`` / ``den`` pieces of ``by`` stand in for a piece of ``part``.

    They are there ``days`` working days after they are taken, by the calendar of the part's first
    source, else every day. It is the last of the part's sources, and stands in (see ``Source``).
    """

    part: str
    by: str
    num: int = 1
    den: int = 1
    days: int = 0


Change = Receipt | Hours | Service | Rush | Split | Turns | Due | Instead


def changed(book: Book, names: Names, changes: Sequence[Change]) -> tuple[Book, Names]:
    """The book after the changes, one after the other. Raises ValueError on one that cannot be."""
    for change in changes:
        match change:
            case Receipt():
                book = _received(book, change)
            case Hours():
                book = _worked(book, names, change)
            case Service():
                book = _served(book, names, change)
            case Rush():
                book, names = _rushed(book, names, change.line)
            case Split():
                book, names = _split(book, names, change)
            case Turns():
                book = _dealt(book, names, change)
            case Due():
                due = book.unit_due.copy()
                due[unit_of(book, names, change.line)] = change.day
                book = book._replace(unit_due=due)
            case Instead():
                book = _stood_in(book, names, change)
    return book, names


def _received(book: Book, change: Receipt) -> Book:
    day, qty = book.supply_day.copy(), book.supply_qty.copy()
    if change.day is not None:
        day[change.supply] = min(max(0, change.day), book.horizon - 1)
        if change.day >= book.horizon:
            qty[change.supply] = 0
    if change.qty is not None:
        qty[change.supply] = max(0, change.qty)
    return book._replace(supply_day=day, supply_qty=qty)


def _worked(book: Book, names: Names, change: Hours) -> Book:
    hours, centre = book.bucket_hours.copy(), names.centres.index(change.centre)
    chosen = (book.bucket_centre == centre) & (book.bucket_start >= change.first)
    chosen &= book.bucket_start <= change.last
    hours[chosen] = np.maximum(0, hours[chosen] + change.more)
    return book._replace(bucket_hours=hours)


def unit_of(book: Book, names: Names, line: str) -> int:
    """The unit of a line. Raises ValueError where the line is not in the book."""
    return int(np.searchsorted(book.unit_line, names.lines.index(line), side="right")) - 1


def made_with(book: Book, parts: Sequence[int]) -> Ints:
    """P; which parts are among ``parts`` or may be made of one of them, over all levels."""
    found = np.zeros(len(book.part_earliest), np.bool_)
    found[list(parts)] = True
    above = np.repeat(book.source_part, np.diff(book.source_component))
    while True:
        more = above[found[book.component_part]]
        if found[more].all():
            return found
        found[more] = True


def _served(book: Book, names: Names, change: Service) -> Book:
    unit, priority = unit_of(book, names, change.line), book.unit_priority.copy()
    priority[unit] = change.priority
    others = book.sequence[book.sequence != unit]
    before = priority[others] < change.priority + (not change.first)
    return book._replace(unit_priority=priority, sequence=np.insert(others, before.sum(), unit))


def _dealt(book: Book, names: Names, change: Turns) -> Book:
    sequence, priority = book.sequence.copy(), book.unit_priority.copy()
    units = list(dict.fromkeys(unit_of(book, names, line) for line in change.lines))
    places = np.flatnonzero(np.isin(sequence, units))
    classes = priority[sequence[places]]
    sequence[places] = units
    priority[units] = classes
    return book._replace(unit_priority=priority, sequence=sequence)


def _rushed(book: Book, names: Names, line: Line) -> tuple[Book, Names]:
    if line.name in names.lines:
        raise ValueError(f"{line.name} is in the book already")
    problems: list[Problem] = []
    days = [[int(day) for day in row if day < book.horizon] for row in book.calendar_day]
    new, _ = units_of([line], known_by(names), days, book.horizon, problems)
    if problems:
        raise ValueError(problems[0].text)
    unit = len(book.unit_due)
    more: Arrays = {name: np.append(getattr(book, name), new[name]) for name in (*UNITS, *LINES)}
    book = book._replace(
        unit_line=np.append(book.unit_line, book.unit_line[-1] + 1).astype(np.int32),
        sequence=np.append(book.sequence, unit).astype(np.int32),
        **more,
    )
    names = replace(names, lines=[*names.lines, line.name])
    return _served(book, names, Service(line.name, line.priority)), names


def _split(book: Book, names: Names, change: Split) -> tuple[Book, Names]:
    unit, line = unit_of(book, names, change.line), names.lines.index(change.line)
    left = int(book.line_qty[line]) - change.qty
    if change.rest in names.lines or change.qty <= 0 or left <= 0:
        raise ValueError(f"{change.line} cannot be split at {change.qty}")
    if book.unit_line[unit + 1] - book.unit_line[unit] != 1:
        raise ValueError(f"{change.line} leaves together with others")
    place = int(np.flatnonzero(book.sequence == unit)[0]) + 1
    copies: Arrays = {
        name: np.append(getattr(book, name), getattr(book, name)[unit]) for name in UNITS
    }
    copies |= {name: np.append(getattr(book, name), getattr(book, name)[line]) for name in LINES}
    copies["line_qty"][[line, -1]] = change.qty, left
    copies["line_least"][[line, -1]] = 0  # it is in two shipments already
    book = book._replace(
        unit_line=np.append(book.unit_line, book.unit_line[-1] + 1).astype(np.int32),
        sequence=np.insert(book.sequence, place, len(book.unit_due)),
        **copies,
    )
    return book, replace(names, lines=[*names.lines, change.rest])


def _stood_in(book: Book, names: Names, change: Instead) -> Book:
    part, by = names.parts.index(change.part), names.parts.index(change.by)
    if made_with(book, [part])[by]:
        raise ValueError(f"{change.part} goes into {change.by}")
    first, at = book.part_source[part : part + 2].tolist()
    component = int(book.source_component[at])
    source = {
        "source_part": part,
        "source_days": change.days,
        "source_calendar": int(book.source_calendar[first]) if first < at else 0,
        "source_fence": 0,
        "source_until": book.horizon - 1,
        "source_stands_in": 1,
        "source_earliest": NEVER,
        "source_centre": -1,
        "source_spread": 1,
        "source_setup": 0,
        "source_run": 0,
        "source_per": 1,
        "source_least": 1,
        "source_step": 1,
    }
    taken = {"component_part": by, "component_num": change.num, "component_den": change.den}
    arrays: Arrays = {name: np.insert(getattr(book, name), at, n) for name, n in source.items()}
    arrays |= {name: np.insert(getattr(book, name), component, n) for name, n in taken.items()}
    return book._replace(
        part_source=_one_more(book.part_source, part + 1),
        source_component=_one_more(np.insert(book.source_component, at, component), at + 1),
        **arrays,
    )


def _one_more(firsts: Small, place: int) -> Small:
    """Firsts of ranges after one more came before those from ``place`` on."""
    firsts = firsts.copy()
    firsts[place:] += 1
    return firsts
