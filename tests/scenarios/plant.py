"""A small plant in few words, for stories: what is told, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from b2bcrm.fulfillment.planning.engine.asking import Answer, Asking
from b2bcrm.fulfillment.planning.engine.book import Book, Names, Problem
from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.ledger import Ledger
from b2bcrm.fulfillment.planning.engine.plan import Plan, plan_of
from b2bcrm.fulfillment.planning.engine.records import (
    Bucket,
    Component,
    Facts,
    Kind,
    Line,
    Operation,
    Part,
    Source,
    Supply,
    SupplyKind,
)
from b2bcrm.fulfillment.planning.engine.solving import solve

HORIZON = 140
WORKING = [day for day in range(HORIZON) if day % 7 < 5]  # day 0 is a Monday


def weeks(hours: int, centre: str = "mill", count: int = HORIZON // 7) -> list[Bucket]:
    """So many whole hours in each week."""
    return [Bucket(centre, 7 * n, 7 * n + 7, 1000 * hours) for n in range(count)]


def buy(part: str, days: int | None, **more: object) -> Source:
    return replace(Source(part, Kind.BUY, days), **more)


def make(part: str, days: int, hours: Fraction | int, *components: Component, **more: object):
    """One operation on the mill; hours per piece."""
    step = Operation("mill", Fraction(hours) * 1000, components=components)
    return replace(Source(part, Kind.MAKE, days, operations=[step]), **more)


def receipt(part: str, qty: int, day: int, ref: str = "PO") -> Supply:
    return Supply(part, qty, day, SupplyKind.PURCHASE, ref)


def facts(*lines: Line, **more: object) -> Facts:
    """Facts whose parts are those that anything is said of."""
    told = replace(Facts(HORIZON, [], [], lines=lines), **more)
    names = [line.part for line in lines] if not told.parts else []
    names += [source.part for source in told.sources]
    names += [c.part for s in told.sources for o in s.operations for c in o.components]
    names += [supply.part for supply in told.supplies]
    known = {part.name for part in told.parts}
    parts = [*told.parts, *(Part(name) for name in dict.fromkeys(names) if name not in known)]
    return replace(told, parts=parts)


@dataclass
class Story:
    """What came of the facts; the plan was verified."""

    book: Book
    names: Names
    problems: list[Problem]
    ledger: Ledger
    plan: Plan

    def arrives(self, line: str) -> int:
        return int(self.plan.line_arrives[self.names.lines.index(line)])

    def orders(self, part: str) -> list[tuple[int, int, int]]:
        """Quantity, start and end of what is ordered of the part, in order of start."""
        chosen = self.book.source_part[self.plan.order_source] == self.names.parts.index(part)
        columns = (self.plan.order_start, self.plan.order_end, self.plan.order_qty)
        rows = zip(*(column[chosen].tolist() for column in columns), strict=True)
        return [(qty, start, end) for start, end, qty in sorted(rows)]

    def ask(self, *lines: Line, quotes: list[str] | None = None) -> list[Answer]:
        return Asking(self.book, self.names, self.ledger).ask(lines, quotes)[0]


def tell(told: Facts) -> Story:
    """Plan the facts and verify the plan."""
    book, names, problems = build(told)
    ledger = solve(book)
    plan = plan_of(book, ledger)
    assert check(book, plan) == []
    return Story(book, names, problems, ledger, plan)
