"""Sales targets per month and family, set around what was really booked."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

from b2bcrm.catalog.models import SalesTarget
from b2bcrm.demo.orders import OrderBook
from b2bcrm.demo.rows import Rows
from b2bcrm.demo.scene import Scene
from b2bcrm.orders.lifecycle import OrderState

FAMILIES = ("PG", "SW", "BS", "LG", "RT")
AHEAD = 12
_STEP = Decimal(100_000)
_SEASON = (0.92, 0.80, 1.08, 1.05, 1.05, 1.05, 0.98, 0.95, 1.05, 1.0, 0.95, 1.0)  # January first


def write_targets(scene: Scene, rows: Rows, book: OrderBook) -> None:
    """From the first whole month of history to a year ahead, in base currency."""
    booked = _booked(scene, book)
    this_month = scene.today.replace(day=1)
    past = sorted({month for month, _ in booked if month < this_month})[1:]
    found = []
    for family in FAMILIES:
        rng = scene.rng("target", family)
        usual = sum((booked[month, family] for month in past), Decimal(0)) / max(1, len(past))
        ambition = Decimal(str(round(rng.uniform(1.0, 1.12), 3)))
        for month in past + [_after(this_month, n) for n in range(AHEAD + 1)]:
            season = Decimal(str(_SEASON[month.month - 1]))
            amount = (usual * ambition * season / _STEP).quantize(Decimal(1), ROUND_HALF_UP)
            found.append(
                {
                    "id": rows.next_id(SalesTarget),
                    "month": month,
                    "family": family,
                    "amount": max(Decimal(1), amount) * _STEP,
                }
            )
    rows.put(SalesTarget, found)


def _after(month: dt.date, count: int) -> dt.date:
    index = month.year * 12 + month.month - 1 + count
    return dt.date(index // 12, index % 12 + 1, 1)


def _booked(scene: Scene, book: OrderBook) -> dict[tuple[dt.date, str], Decimal]:
    """TWD per promised month and family, as sales planning counts it."""
    found: dict[tuple[dt.date, str], Decimal] = defaultdict(Decimal)
    for order in book.orders:
        if order.row["state"] is OrderState.CANCELLED:
            continue
        rate = scene.rate(order.row["currency"], scene.today)
        for line in order.lines:
            month = line.row["promised_on"].replace(day=1)
            found[month, scene.items[line.row["item_id"]].family] += line.row["net"] * rate
    return found
