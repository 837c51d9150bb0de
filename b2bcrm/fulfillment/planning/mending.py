"""Single measures that make an order line earlier, each tried for real on today's plan. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import permutations

from b2bcrm.fulfillment.planning.engine.changing import Instead
from b2bcrm.fulfillment.planning.engine.relaxing import (
    Limits,
    relaxations,
    sent_ahead,
    stand_ins,
)
from b2bcrm.fulfillment.planning.ground import Ground
from b2bcrm.fulfillment.planning.measures import Measure, Move, OtherSite, Overtime, Split
from b2bcrm.fulfillment.planning.plant import item_of, part_name, sites_by_item
from b2bcrm.fulfillment.planning.prices import Prices, Way

CENTS = 100  # the engine counts whole units of money
SHOWN = 6


def ways(ground: Ground, key: str, prices: Prices, go_on: Callable[[], bool]) -> list[Way]:
    """Ways to make the order line earlier: the cheapest per day first, without prices most days.

    What is sent ahead costs nothing by itself, and its days count for its pieces alone. Other sites
    come last: nobody knows yet how many days it takes from there, so theirs are gained at most.
    """
    names = ground.names_of(key)
    if len(names) != 1:
        return []
    elsewhere = list(_elsewhere(ground, names[0], go_on))
    found = [*_split(ground, key), *_relaxed(ground, names[0], prices, go_on)]
    found.sort(key=lambda way: (way.price_per_day or 0, -way.gained))
    return found[:SHOWN] + elsewhere[:SHOWN]


def _relaxed(ground: Ground, name: str, prices: Prices, go_on: Callable[[], bool]) -> Iterator[Way]:
    """The best amount of each supply that comes earlier and each day of overtime."""
    book, supplies = ground.plan.book, ground.plan.names.supplies
    limits = Limits(day_price=_cents(prices.day), hour_price=_cents(prices.hour))
    seen = set()
    for one in relaxations(ground.plan, name, limits, go_on):
        if (one.supply, one.bucket) in seen:
            continue
        seen.add((one.supply, one.bucket))
        measure: Measure
        if one.supply >= 0:
            on = ground.made_on + dt.timedelta(days=int(book.supply_day[one.supply]) - one.amount)
            measure = Move(supplies[one.supply].partition("|")[2], on)
        else:
            on = ground.made_on + dt.timedelta(days=int(book.bucket_start[one.bucket]))
            center = ground.plan.names.centres[int(book.bucket_centre[one.bucket])]
            measure = Overtime(center, on, on, Decimal(one.amount))
        yield Way(measure, one.gained, None if one.price is None else Decimal(one.price) / CENTS)


def _cents(price: Decimal | None) -> int | None:
    return None if price is None else int(price * CENTS)


def _elsewhere(ground: Ground, name: str, go_on: Callable[[], bool]) -> Iterator[Way]:
    """What other sites have of items that the line is made with, as if it were there at once."""
    sites = sites_by_item(ground.plan.names.parts)
    measures = {
        Instead(part_name(item, site), part_name(item, source)): OtherSite(item, site, source, 0)
        for item, at in sites.items()
        for site, source in permutations(at, 2)
    }
    for change, gained in stand_ins(ground.plan, name, list(measures), go_on):
        yield Way(measures[change], gained, None)


def _split(ground: Ground, key: str) -> Iterator[Way]:
    """Sending ahead what can leave when the line is due; what is reserved is not cut."""
    if ground.lines.get(key) != key or key in ground.complete:
        return
    book, names = ground.plan.book, ground.plan.names
    qty, gained = sent_ahead(ground.plan, key)
    scale = ground.scales.get(item_of(names.parts[book.line_part[names.lines.index(key)]]), 1)
    if qty:
        yield Way(Split(key, Decimal(qty) / scale), gained, None)
