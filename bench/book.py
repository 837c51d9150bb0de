"""A big ERP book for ``./crm bench erp``: the twin's small world, its rows copied many times over.

Copies are written straight into the twin's file and refer to each other only: 20,000 customers,
20,000 items with three components each, 10,000 orders of ten lines (nine in ten closed), 10,000
work orders of five operations.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from b2bcrm.kernel.clock import machine_now
from b2bcrm.ports.erp import Entity
from connectors.erp.twin.calendars import stamp
from connectors.erp.twin.store import UPSERT
from connectors.erp.twin.world import TwinWorld

TODAY = dt.date(2026, 11, 17)
STAMP = "2026-11-16T09:00:00.000000+00:00"
COMPANY, SITE = "FPD-TW", "TC1"
COMPONENTS, LINES, OPERATIONS = 3, 10, 5
CLOSED_OF_TEN = 9


@dataclass(frozen=True)
class Size:
    """How many documents of each kind are added."""

    customers: int = 20_000
    items: int = 20_000
    orders: int = 10_000
    work_orders: int = 10_000


def write(path: Path, size: Size) -> None:
    """A new twin file with the small world and the copies."""
    TwinWorld.generate(path, size="small", seed=1, today=TODAY)
    with closing(sqlite3.connect(path)) as db, db:
        for entity, rows in (
            (Entity.CUSTOMER, _customers(db, size.customers)),
            (Entity.ITEM, _items(db, size.items)),
            (Entity.BOM, _boms(size.items)),
            (Entity.SALES_ORDER, _orders(size)),
            (Entity.WORK_ORDER, _work_orders(size)),
        ):
            db.executemany(UPSERT[entity], rows)


def touch(path: Path, entity: Entity) -> None:
    """Stamp every row of a kind as changed now, its content left as it is."""
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(f"UPDATE {entity.value} SET updated_at = ?", (stamp(machine_now()),))  # noqa: S608


def _row(erp_id: str, *extra: str | None, body: dict[str, Any]) -> tuple[Any, ...]:
    text = json.dumps(body, ensure_ascii=False)
    return (erp_id, COMPANY, STAMP, 1, "", *extra, text, "{}")


def _bodies(db: sqlite3.Connection, entity: Entity) -> list[dict[str, Any]]:
    query = f"SELECT body FROM {entity.value} WHERE company = ? ORDER BY erp_id"  # noqa: S608
    return [json.loads(body) for (body,) in db.execute(query, (COMPANY,))]


def _customers(db: sqlite3.Connection, count: int) -> Iterator[tuple[Any, ...]]:
    models = _bodies(db, Entity.CUSTOMER)
    for n in range(count):
        model = models[n % len(models)]
        body = {**model, "name": f"{model['name']} {n}", "credit_hold": False}
        yield _row(_customer(n), body=body)


def _items(db: sqlite3.Connection, count: int) -> Iterator[tuple[Any, ...]]:
    models = [body for body in _bodies(db, Entity.ITEM) if body["kind"] == "make"]
    for n in range(count):
        model = models[n % len(models)]
        parts = {_customer(n % 1000): f"{n:06d}-A"}
        yield _row(_item(n), body={**model, "customer_part_nos": parts})


def _boms(items: int) -> Iterator[tuple[Any, ...]]:
    steps = _steps({"setup_hours": "1.0", "unit_hours": "0.25"})
    for n in range(items):
        lines = [
            {
                "component": _item((n * 7 + k + 1) % items),
                "qty_per": str(k + 1),
                "scrap_pct": "0",
                "uom": "PCS",
            }
            for k in range(COMPONENTS)
        ]
        yield _row(_item(n), body={"item": _item(n), "lines": lines, "routing": steps})


def _orders(size: Size) -> Iterator[tuple[Any, ...]]:
    for n in range(size.orders):
        closed = n % 10 < CLOSED_OF_TEN
        ordered = TODAY - dt.timedelta(days=n % 500 if closed else n % 20)
        promised = ordered + dt.timedelta(days=60)
        status = "closed" if closed else "open"
        lines = [
            {
                "line_no": 10 * (k + 1),
                "item": _item((n * LINES + k) % size.items),
                "qty": k + 1,
                "planned_on": promised.isoformat(),
                "shipped_qty": k + 1 if closed else 0,
                "invoiced_qty": k + 1 if closed else 0,
                "status": "shipped" if closed else "open",
                "uom": "PCS",
                "customer_part_no": "",
                "customer_po_line": str(k + 1),
                "unit_price": "1234.56",
                "discount_pct": "0",
                "requested_on": promised.isoformat(),
                "promised_on": promised.isoformat(),
            }
            for k in range(LINES)
        ]
        customer = _customer(n % size.customers)
        body = {
            "reference": "",
            "customer": customer,
            "customer_po": f"B-{n:06d}",
            "ordered_on": ordered.isoformat(),
            "currency": "TWD",
            "ship_to": "01",
            "incoterm": "FCA",
            "incoterm_place": "Taichung",
            "payment_terms": "NET30",
            "status": status,
            "site": SITE,
            "lines": lines,
        }
        yield _row(f"9{n:07d}", None, customer, f"B-{n:06d}", status, body=body)


def _work_orders(size: Size) -> Iterator[tuple[Any, ...]]:
    start = TODAY + dt.timedelta(days=20)
    end = start + dt.timedelta(days=10)
    done: dict[str, Any] = {
        "status": "waiting",
        "qty_done": 0,
        "planned_start_on": start.isoformat(),
        "planned_end_on": end.isoformat(),
        "done_at": None,
    }
    stations = ("turning", "grinding", "assembly", "test", "packing")
    operations = [
        {**step, "station": station} for step, station in zip(_steps(done), stations, strict=True)
    ]
    for n in range(size.work_orders):
        body = {
            "item": _item(n % size.items),
            "site": SITE,
            "qty": 10,
            "completed_qty": 0,
            "scrapped_qty": 0,
            "status": "planned",
            "planned_start_on": start.isoformat(),
            "planned_end_on": end.isoformat(),
            "first_planned_end_on": end.isoformat(),
            "actual_start_on": None,
            "actual_end_on": None,
            "demand_ref": "",
            "operations": operations,
        }
        yield _row(f"WO-9{n:06d}", body=body)


def _steps(more: dict[str, Any]) -> list[dict[str, Any]]:
    centers: Iterable[str] = ("T-1", "G-1", "A-2", "Q-1", "P-1")
    return [
        {"step_no": 10 * (k + 1), "name": f"Step {k + 1}", "work_center": center, **more}
        for k, center in enumerate(centers)
    ]


def _customer(n: int) -> str:
    return f"C{n:06d}"


def _item(n: int) -> str:
    return f"IT-{n:06d}"
