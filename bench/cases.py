"""Seeded planning cases: an order book over three levels, stock, open purchases, weekly hours.

``write(folder, lines, seed, load)`` writes the CSV files that ``crm plan case`` reads: a twentieth
as many finished items as lines, each of four components, each component of three bought parts;
twenty made items share a work centre, whose weekly hours give it ``load`` % of work on average.
"""

from __future__ import annotations

import csv
import datetime as dt
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

DAY0 = dt.date(2026, 1, 5)
ORDER_WEEKS, WEEKS = 26, 104
LEAD_DAYS = (7, 7, 14, 14, 21, 28, 42, 56)
PIECES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40)
SHARING = 20  # made items per work centre


@dataclass
class Shop:
    """Items by level, what they are made of, and what the order book needs of each."""

    finished: list[str]
    components: list[str]
    bought: list[str]
    made_of: dict[str, list[tuple[str, int]]] = field(default_factory=dict)
    centre: dict[str, tuple[str, float]] = field(default_factory=dict)
    lead: dict[str, int] = field(default_factory=dict)
    need: dict[str, int] = field(default_factory=dict)


def write(folder: Path, lines: int, seed: int, load: int = 90) -> Path:
    """The folder, with the case in it; the same arguments give the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"{lines} {seed}")  # noqa: S311 - repeatable, nothing secret
    shop = _shop(rng, max(20, lines // 20))
    orders = _orders(rng, shop, lines)
    _explode(shop, orders)
    rows: list[tuple[object, ...]] = [
        (item, "made", 1 if item[0] == "F" else 2, "", *shop.centre[item])
        for item in (*shop.finished, *shop.components)
    ]
    rows += [(item, "raw", "", shop.lead[item], "", "") for item in shop.bought]
    head = "item type make_days purchase_lead_days resource hours_per_unit"
    _csv(folder / "items.csv", head, rows)
    tree = [(item, child, qty) for item, below in shop.made_of.items() for child, qty in below]
    _csv(folder / "bom.csv", "parent child qty_per", tree)
    stock, open_orders = _supply(rng, shop)
    _csv(folder / "stock.csv", "item on_hand", stock)
    _csv(folder / "purchase_orders.csv", "po item qty arrival_date", open_orders)
    _csv(folder / "resources.csv", "resource week_start hours", _hours(rng, shop, load))
    head = "line_id order line customer item qty due_date priority order_date"
    _csv(folder / "orders.csv", head, orders)
    return folder


def _shop(rng: random.Random, count: int) -> Shop:
    """Items, bills of material, work centres and lead times."""
    shop = Shop(
        [f"F{n:05}" for n in range(count)],
        [f"C{n:05}" for n in range(2 * count)],
        [f"R{n:05}" for n in range(3 * count // 2)],
    )
    levels = (
        (shop.finished, shop.components, 4, 3, "ASSY", (0.05, 0.30)),
        (shop.components, shop.bought, 3, 4, "FAB", (0.02, 0.12)),
    )
    for items, below, kinds, most, centre, hours in levels:
        for n, item in enumerate(items):
            shop.made_of[item] = [(c, rng.randint(1, most)) for c in rng.sample(below, kinds)]
            shop.centre[item] = (f"{centre}-{n // SHARING:03}", round(rng.uniform(*hours), 3))
    shop.lead = {item: rng.choice(LEAD_DAYS) for item in shop.bought}
    return shop


def _orders(rng: random.Random, shop: Shop, lines: int) -> list[tuple[str | int, ...]]:
    """Orders of up to nine lines; few items are asked for often."""
    weights = [(n + 1) ** -0.5 for n in range(len(shop.finished))]
    orders: list[tuple[str | int, ...]] = []
    number = 0
    while len(orders) < lines:
        number += 1
        customer = f"CUST{rng.randint(1, max(20, lines // 50)):05}"
        priority = rng.choices((1, 2, 3), (10, 30, 60))[0]
        due = rng.randint(1, ORDER_WEEKS * 7)
        for line in range(1, min(rng.randint(1, 9), lines - len(orders)) + 1):
            later = 0 if rng.random() < 0.7 else rng.randint(1, 21)
            wish = _day(min(ORDER_WEEKS * 7, due + later))
            item, qty = rng.choices(shop.finished, weights)[0], rng.choice(PIECES)
            name = f"SO{number:06}"
            row = (f"{name}-{line}", name, line, customer, item, qty, wish, priority, _day(-7))
            orders.append(row)
    return orders


def _explode(shop: Shop, orders: Iterable[Sequence[str | int]]) -> None:
    """What all orders together need of each item."""
    shop.need = dict.fromkeys([*shop.finished, *shop.components, *shop.bought], 0)
    for order in orders:
        shop.need[str(order[4])] += int(order[5])
    for item in (*shop.finished, *shop.components):
        for child, qty in shop.made_of[item]:
            shop.need[child] += qty * shop.need[item]


def _supply(
    rng: random.Random, shop: Shop
) -> tuple[list[tuple[str, int]], list[tuple[str, str, int, str]]]:
    """Stock of some weeks, and purchases on their way within the lead time."""
    most = {"F": (0.0, 2.5), "C": (0.0, 3.0), "R": (0.5, 4.0)}
    stock = [
        (item, int(need / ORDER_WEEKS * rng.uniform(*most[item[0]])))
        for item, need in shop.need.items()
    ]
    purchases: list[tuple[str, str, int, str]] = []
    for item in shop.bought:
        lead = shop.lead[item]
        count = rng.randint(1, max(1, lead // 14))
        qty = int(shop.need[item] / ORDER_WEEKS * lead / 7 * rng.uniform(0.5, 1.3) / count)
        for _ in range(count if qty else 0):
            number = f"PO{len(purchases) + 1:06}"
            purchases.append((number, item, qty, _day(rng.randint(1, lead))))
    return stock, purchases


def _hours(rng: random.Random, shop: Shop, load: int) -> list[tuple[str, str, float]]:
    """Weekly hours of each work centre, a tenth more or less than its work asks for."""
    work: dict[str, float] = {}
    for item, (centre, hours) in shop.centre.items():
        work[centre] = work.get(centre, 0.0) + hours * shop.need[item]
    rows = []
    for centre, hours in sorted(work.items()):
        base = hours / ORDER_WEEKS / (rng.uniform(load - 10, load + 10) / 100)
        rows += [
            (centre, _day(7 * n), round(base * rng.uniform(0.9, 1.1), 2)) for n in range(WEEKS)
        ]
    return rows


def _day(number: int) -> str:
    return (DAY0 + dt.timedelta(days=number)).isoformat()


def _csv(path: Path, head: str, rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(head.split())
        out.writerows(rows)
