"""What is made of what, day by day: rows of bills that hold for some days, and substitutes. Pure.

The engine takes a substitute for a part wherever that part is wanted. So one is planned only on
days on which all that the part is used for allow it, and in one ratio: every parent made from it,
and no customer who orders the part itself. What is left out is named.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from typing import NamedTuple

from b2bcrm.fulfillment.planning.engine.book import MOST_FACTOR, Problem
from b2bcrm.fulfillment.planning.plant import BomLine, Places, Rows


class Span(NamedTuple):
    """Days counted from today on which ``lines`` hold; ``until`` is the last, None: no end."""

    first: int
    until: int | None
    lines: Sequence[BomLine]


@dataclass(frozen=True)
class Instead:
    """``ratio`` of the engine's pieces of ``other`` for one of ``part``, on days as of a span."""

    part: str
    other: str
    ratio: Fraction
    first: int
    until: int | None


def spans(lines: Iterable[BomLine], today: dt.date, horizon: int) -> list[Span]:
    """Stretches of days within each of which the same lines hold, from today on."""
    held = [
        (max(0, (line.valid_from - today).days), (line.valid_to - today).days, line)
        for line in lines
        if line.valid_to >= today
    ]
    changes = {0} | {first for first, _, _ in held} | {last + 1 for _, last, _ in held}
    starts = sorted(day for day in changes if day < horizon)
    ends = [*(day - 1 for day in starts[1:]), None]
    return [
        Span(first, until, [line for since, last, line in held if since <= first <= last])
        for first, until in zip(starts, ends, strict=True)
    ]


def gross(line: BomLine) -> Fraction:
    """What one parent takes of the component, with its scrap, in the component's unit."""
    return Fraction(line.qty_per) * (100 + Fraction(line.scrap_pct)) / 100


def converts(line: BomLine, places: Places) -> bool:
    """Whether the component is told in the unit it is kept in; one that nobody knows has none."""
    known = places.items.get(line.component)
    return known is None or known.unit.lower() == line.unit.lower()


def substitutes(rows: Rows, places: Places, horizon: int) -> tuple[list[Instead], list[Problem]]:
    """What may be taken instead of what, and what of it is not planned."""
    sold = {no for no, item in places.items.items() if item.sold}
    sold |= {row.item for row in rows.lines} | {row.item for row in rows.kept}
    found: list[Instead] = []
    problems: list[Problem] = []
    bom = [line for line in rows.bom if line.valid_to >= rows.today]
    for (part, other), lines in _uses(bom, places).items():
        old, new = lines[-1].stands_in_for, lines[-1].component
        planned, alike = _planned(part, other, spans(lines, rows.today, horizon), places)
        kind = "" if alike else "substitute that some uses do not allow"
        if not all(converts(line, places) for line in lines if line.stands_in_for):
            kind, planned = "unit that does not convert", []
        elif old in sold:
            kind, planned = "substitute that some uses do not allow", []
        if kind:
            problems.append(Problem(kind, part, f"{new} for {old}; it is not planned there"))
        found += planned
    return found, problems


def _uses(bom: Iterable[BomLine], places: Places) -> dict[tuple[str, str], list[BomLine]]:
    """Per part and part instead of it: all lines that take either in the part's place."""
    ordinary: dict[str, list[BomLine]] = defaultdict(list)
    instead: dict[tuple[str, str], list[BomLine]] = defaultdict(list)
    for line in bom:
        for site in places.making(line.item):
            part = places.part(line.stands_in_for or line.component, site)
            if line.stands_in_for:
                instead[part, places.part(line.component, site)].append(line)
            else:
                ordinary[part].append(line)
    return {key: [*ordinary[key[0]], *lines] for key, lines in instead.items()}


def _planned(
    part: str, other: str, times: Iterable[Span], places: Places
) -> tuple[list[Instead], bool]:
    """Days on which all parents take the one for the other alike; False: once some do not."""
    found: list[Instead] = []
    alike = True
    for first, until, lines in times:
        takes: dict[str, Fraction] = defaultdict(Fraction)
        instead: dict[str, Fraction] = defaultdict(Fraction)
        for line in lines:
            scaled = gross(line) * places.scale(line.component)
            (instead if line.stands_in_for else takes)[line.item] += scaled
        ratios = {instead[parent] / qty for parent, qty in takes.items() if qty}
        if len(ratios) > 1:
            alike = False
        elif ratios and (ratio := ratios.pop()):
            one = Instead(part, other, ratio, first, until)
            if found and found[-1] == replace(one, first=found[-1].first, until=first - 1):
                one = replace(one, first=found.pop().first)
            found.append(one)
    return found, alike


def factor(exact: Fraction) -> Fraction:
    """The fraction, rounded up where its numbers are too large for the engine."""
    if max(exact.numerator, exact.denominator) <= MOST_FACTOR:
        return exact
    places = MOST_FACTOR
    while places > 1 and exact * places > MOST_FACTOR:
        places //= 10
    return Fraction(ceil(exact * places), places)
