"""Allocation by class of customers, as planners set it, in the engine's words. Pure.

Rules are for promises to come: what is promised already keeps what it has. So the first pieces to
come, as many as other classes were promised, stay open to all before any are kept for a class; and
a cap is never below what its class was promised.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

from b2bcrm.fulfillment.planning.engine.records import Cap, Keep
from b2bcrm.fulfillment.planning.plant import (
    Allocation,
    AllocationKind,
    Places,
    Rows,
    part_name,
    scale_of,
)
from b2bcrm.kernel.words import Message

CLASSES = ("A", "B", "C")  # of customers, the best first
DAY = dt.timedelta(days=1)


def cap_sentence(rule: Allocation) -> Message:
    """Why a class gets no more."""
    return Message(
        "customers of class %(class)s get at most %(qty)s of it from %(first)s to %(last)s",
        **{"class": rule.customer_class, "qty": rule.qty.normalize(), "first": rule.first_on,
           "last": rule.last_on},
    )  # fmt: skip


@dataclass(frozen=True)
class _Given:
    """Pieces that a class was promised of an item at a site, wanted on a day.

    ``covered`` of them the ERP has pegged, so the book does not count them.
    """

    part: str
    customer_class: str
    on: dt.date
    qty: Decimal
    covered: Decimal = Decimal(0)


def allocated(
    rows: Rows, places: Places, uncovered: Mapping[str, Decimal]
) -> tuple[list[Keep], list[Cap]]:
    """The rules of the rows for the engine; ``uncovered`` pieces per line as ``open_demand``."""
    rules = [rule for rule in rows.allocations if rule.site in places.of(rule.item)]
    given = list(_given(rows, places, uncovered)) if rules else []
    keeps = [
        _keep(rule, given, places, rows.today) for rule in rules if rule.kind is AllocationKind.KEEP
    ]
    caps = [
        _cap(rule, given, places, rows.today) for rule in rules if rule.kind is AllocationKind.CAP
    ]
    return keeps, caps


def _given(rows: Rows, places: Places, uncovered: Mapping[str, Decimal]) -> Iterator[_Given]:
    for row in rows.lines:
        left = uncovered.get(row.no, Decimal(0))
        part, covered = places.part(row.item, row.site), row.qty - row.kept - left
        yield _Given(part, row.customer_class, row.wish, left + covered, covered)
    for one in rows.kept:
        yield _Given(places.part(one.item, one.site), one.customer_class, one.on, one.qty)


def _keep(rule: Allocation, given: Iterable[_Given], places: Places, today: dt.date) -> Keep:
    part, scale = part_name(rule.item, rule.site), scale_of(places.items[rule.item].unit)
    others = (
        one.qty - one.covered
        for one in given
        if one.part == part and one.customer_class != rule.customer_class
    )
    return Keep(
        part,
        rule.customer_class,
        floor(rule.qty * scale),
        (rule.last_on + DAY - today).days,
        after=ceil(sum(others, Decimal(0)) * scale),
    )


def _cap(rule: Allocation, given: Sequence[_Given], places: Places, today: dt.date) -> Cap:
    part, scale = part_name(rule.item, rule.site), scale_of(places.items[rule.item].unit)
    mine = [
        one
        for one in given
        if (one.part, one.customer_class) == (part, rule.customer_class) and one.on <= rule.last_on
    ]
    gone = rule.shipped + sum((one.covered for one in mine if one.on >= rule.first_on), Decimal(0))
    promised = sum((one.qty - one.covered for one in mine), Decimal(0))
    return Cap(
        part,
        rule.customer_class,
        max(floor((rule.qty - gone) * scale), ceil(promised * scale)),
        max(0, (rule.first_on - today).days),
        (rule.last_on + DAY - today).days,
    )
