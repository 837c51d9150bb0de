"""Single measures that make an order line earlier, each tried for real on today's plan. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal

from b2bcrm.fulfillment.planning.engine.relaxing import Limits, relaxations, sent_ahead
from b2bcrm.fulfillment.planning.ground import Ground
from b2bcrm.fulfillment.planning.measures import Measure, Move, Overtime, Split
from b2bcrm.fulfillment.planning.plant import item_of
from b2bcrm.fulfillment.planning.prices import Prices, Way

CENTS = 100  # the engine counts whole units of money
SHOWN = 6


def ways(ground: Ground, key: str, prices: Prices, go_on: Callable[[], bool]) -> list[Way]:
    """Ways to make the order line earlier: the cheapest per day first, without prices most days.

    What is sent ahead costs nothing by itself, and its days count for its pieces alone.
    """
    names = ground.names_of(key)
    if len(names) != 1:
        return []
    found = [*_split(ground, key), *_relaxed(ground, names[0], prices, go_on)]
    return sorted(found, key=lambda way: (way.price_per_day or 0, -way.gained))[:SHOWN]


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


def _split(ground: Ground, key: str) -> Iterator[Way]:
    """Sending ahead what can leave when the line is due; what is reserved is not cut."""
    if ground.lines.get(key) != key:
        return
    book, names = ground.plan.book, ground.plan.names
    qty, gained = sent_ahead(ground.plan, key)
    scale = ground.scales.get(item_of(names.parts[book.line_part[names.lines.index(key)]]), 1)
    if qty:
        yield Way(Split(key, Decimal(qty) / scale), gained, None)
