"""When each feed is pulled, how old it may be, and when it is reconciled."""

from __future__ import annotations

import datetime as dt
import zlib
from dataclasses import dataclass

from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.ports.erp import Entity


@dataclass(frozen=True)
class Cadence:
    """Seconds between pulls, minutes after which a page calls the data old, percent of its
    records that a run may change without asking.
    """

    every_s: int
    limit_minutes: int
    guard_percent: int = 20


# Parents before children. Stock moves with every working day: what changes there proves nothing.
FEEDS: dict[Entity, Cadence] = {
    Entity.CUSTOMER: Cadence(120, 240),
    Entity.ITEM: Cadence(300, 1440),
    Entity.BOM: Cadence(600, 1440),
    Entity.WORK_CENTER: Cadence(600, 1440),
    Entity.PRICE: Cadence(600, 1440),
    Entity.STOCK: Cadence(15, 30, guard_percent=100),
    Entity.SALES_ORDER: Cadence(10, 30),
    Entity.PURCHASE_ORDER: Cadence(15, 30),
    Entity.WORK_ORDER: Cadence(15, 30),
    Entity.SHIPMENT: Cadence(15, 30),
    Entity.INVOICE: Cadence(60, 240),
}
NIGHT = dt.time(2, 0)  # in the home zone; feeds are spread over the hour after it
SPREAD_S = 3600
COMPARE_EVERY = dt.timedelta(days=6, hours=12)  # the seventh night is later than that


def next_night(tick: dt.datetime, entity: str) -> dt.datetime:
    """The next reconciliation of a feed, always at its own minute of the hour."""
    home = tick.astimezone(HOME_ZONE)
    night = dt.datetime.combine(home.date(), NIGHT, HOME_ZONE)
    if night <= home:
        night += dt.timedelta(days=1)
    spread = dt.timedelta(seconds=zlib.crc32(entity.encode()) % SPREAD_S)
    return (night + spread).astimezone(dt.UTC)


def compares_by_content(compared_at: dt.datetime | None, tick: dt.datetime) -> bool:
    """Whether this night compares whole records instead of keys."""
    return compared_at is None or tick - compared_at >= COMPARE_EVERY
