"""A planning case in a folder of CSV files, and a plan of it as CSV.

``items.csv`` item,type,make_days,purchase_lead_days,resource,hours_per_unit; ``bom.csv``
parent,child,qty_per; ``stock.csv`` item,on_hand; ``purchase_orders.csv`` po,item,qty,arrival_date;
``resources.csv`` resource,week_start,hours; ``orders.csv`` line_id,order,line,customer,item,qty,
due_date,priority,order_date. Day 0 is the first week's Monday. The plan is kind,ref,qty,start,end
with kind MO, PO or SHIP.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Names
from b2bcrm.fulfillment.planning.engine.plan import Plan
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

WEEK = 7


def read_case(folder: Path) -> tuple[Facts, dt.date]:
    """The facts of a case and its day 0. Raises OSError, KeyError or ValueError on a broken one."""
    weeks = [
        (row["resource"], _date(row["week_start"]), row["hours"])
        for row in _rows(folder, "resources")
    ]
    day0 = min(week for _, week, _ in weeks)
    buckets = [
        Bucket(name, (week - day0).days, (week - day0).days + WEEK, round(Fraction(hours) * 1000))
        for name, week, hours in weeks
    ]
    taken: dict[str, list[Component]] = {}
    for row in _rows(folder, "bom"):
        one = Component(row["child"], Fraction(row["qty_per"]))
        taken.setdefault(row["parent"], []).append(one)
    items = list(_rows(folder, "items"))
    supplies = [Supply(row["item"], _whole(row["on_hand"])) for row in _rows(folder, "stock")]
    supplies += [
        Supply(
            row["item"],
            _whole(row["qty"]),
            (_date(row["arrival_date"]) - day0).days,
            SupplyKind.PURCHASE,
            row["po"],
        )
        for row in _rows(folder, "purchase_orders")
    ]
    lines = [
        Line(
            row["line_id"],
            row["item"],
            _whole(row["qty"]),
            (_date(row["due_date"]) - day0).days,
            int(row["priority"]),
        )
        for row in _rows(folder, "orders")
    ]
    facts = Facts(
        horizon=max(bucket.end for bucket in buckets),
        parts=[Part(row["item"]) for row in items],
        sources=[_source(row, taken.get(row["item"], [])) for row in items],
        supplies=supplies,
        lines=lines,
        buckets=buckets,
    )
    return facts, day0


def _source(row: dict[str, str], components: list[Component]) -> Source:
    """How an item of the case is bought or made."""
    if row["type"] == "raw":
        days = row["purchase_lead_days"]
        return Source(row["item"], Kind.BUY, int(days) if days else None)
    days = row["make_days"]
    step = Operation(
        row["resource"], Fraction(row["hours_per_unit"] or 0) * 1000, components=components
    )
    return Source(row["item"], Kind.MAKE, int(days) if days else None, operations=[step])


def _rows(folder: Path, name: str) -> Iterator[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def _date(text: str) -> dt.date:
    return dt.date.fromisoformat(text[:10])


def _whole(text: str) -> int:
    """A whole number of pieces; a part of a piece is none."""
    return int(Fraction(text))


def write_plan(path: Path, book: Book, names: Names, plan: Plan, day0: dt.date) -> None:
    """The plan as CSV: what is made, what is newly bought, what is shipped."""
    moments = [f"{day0 + dt.timedelta(days=n)}T00:00:00" for n in range(book.horizon)]
    bought = book.part_bought[book.source_part[plan.order_source]]
    parts = book.source_part[plan.order_source]
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("kind", "ref", "qty", "start", "end"))
        out.writerows(
            ("PO" if buys else "MO", names.parts[part], qty, moments[start], moments[end])
            for buys, part, qty, start, end in zip(
                bought.tolist(),
                parts.tolist(),
                plan.order_qty.tolist(),
                plan.order_start.tolist(),
                plan.order_end.tolist(),
                strict=True,
            )
        )
        due = np.repeat(book.unit_due, np.diff(book.unit_line))
        for pieces, days in (
            (plan.line_ahead, due),
            (book.line_qty - plan.line_ahead, plan.line_leaves),
        ):
            out.writerows(
                ("SHIP", name, qty, moments[leaves], moments[leaves])
                for name, qty, leaves in zip(
                    names.lines, pieces.tolist(), days.tolist(), strict=True
                )
                if leaves >= 0 and qty > 0
            )
