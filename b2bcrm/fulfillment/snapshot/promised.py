"""Every promise ever given with the day that counted, as arrays to learn from; and its kind."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

import numpy as np
import sqlalchemy as sa

from b2bcrm.catalog.models import BomRow, Item, RoutingRow
from b2bcrm.customers.receiving import at_customer
from b2bcrm.fulfillment.models import PurchaseLine, Shipment, ShipmentLine
from b2bcrm.fulfillment.planning.chain import DEEPEST
from b2bcrm.fulfillment.planning.sureness import Ints, Past
from b2bcrm.fulfillment.planning.sureness_paths import Kind
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine

Name = TypeVar("Name", str, int)
GIVEN = (OrderState.CONFIRMED, OrderState.CLOSED)


@dataclass(frozen=True)
class Promised:
    """``past`` with the names of its groups per level, and of its families."""

    past: Past
    paths: tuple[list[str], ...]
    families: list[str]
    ways: dict[str, str]


def promised(work: Work) -> Promised | None:
    """All promises of confirmed and closed orders; None if there are none."""
    found_ways = ways(work)
    delivered = sa.func.max(Shipment.delivered_on)
    shipped = sa.func.max(Shipment.shipped_on)
    query = (
        sa.select(
            Order.id,
            Order.incoterm,
            Order.partial_delivery,
            Order.confirmed_at,
            OrderLine.first_promised_on,
            OrderLine.shipped_qty >= OrderLine.due_qty,
            OrderLine.delivered_qty >= OrderLine.due_qty,
            Item.no,
            Item.family,
            shipped,
            delivered,
        )
        .join(Order, Order.id == OrderLine.order_id)
        .join(Item, Item.id == OrderLine.item_id)
        .outerjoin(ShipmentLine, ShipmentLine.order_line_id == OrderLine.id)
        .outerjoin(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(
            Order.state.in_(GIVEN),
            Order.confirmed_at.is_not(None),
            OrderLine.first_promised_on.is_not(None),
            ~OrderLine.cancelled,
        )
        .group_by(OrderLine.id, Order.id, Item.id)
    )
    told, due, came, orders, kinds, sold = [], [], [], [], [], []
    for (
        order, incoterm, partial, confirmed_at, promised_on, left, arrived, item_no, family,
        shipped_on, delivered_on,
    ) in work.session.execute(query):  # fmt: skip
        if confirmed_at is None or promised_on is None:
            continue  # asked above; the types do not know
        day = confirmed_at.astimezone(HOME_ZONE).date()
        there = (
            (delivered_on if arrived else None)
            if at_customer(incoterm)
            else (shipped_on if left else None)
        )
        told.append(day)
        due.append(promised_on)
        came.append(there)
        orders.append(order)
        sold.append(family)
        lead = (promised_on - day).days
        kinds.append(Kind(incoterm, not partial, family, lead, found_ways.get(item_no, "")).paths())
    if not told:
        return None
    groups, paths = [], []
    for level in zip(*kinds, strict=True):
        names, numbers = _numbered(level)
        groups.append(numbers)
        paths.append(names)
    families, family_of = _numbered(sold)
    _, order_of = _numbered(orders)
    past = Past(_days(told), _days(due), _days(came), order_of, tuple(groups), family_of)
    return Promised(past, tuple(paths), families, found_ways)


def _days(days: Sequence[dt.date | None]) -> np.typing.NDArray[np.datetime64]:
    return np.array(days, dtype="M8[D]")


def _numbered(values: Sequence[Name]) -> tuple[list[Name], Ints]:
    """The different values, and which of them each one is."""
    numbers: dict[Name, int] = {}
    found = [numbers.setdefault(value, len(numbers)) for value in values]
    return list(numbers), np.array(found, dtype=np.int64)


def ways(work: Work) -> dict[str, str]:
    """Per item the usual supplier of its slowest bought part, and its busiest work centre."""
    session = work.session
    lead = dict(session.execute(sa.select(Item.no, Item.lead_time_days)).all())
    parts: dict[str, list[str]] = defaultdict(list)
    today = sa.select(BomRow.item_no, BomRow.component_no).where(BomRow.counts_on(work.today))
    for item_no, component in session.execute(today):
        parts[item_no].append(component)
    bought = (
        sa.select(PurchaseLine.item_no, PurchaseLine.supplier_no, sa.func.count())
        .group_by(PurchaseLine.item_no, PurchaseLine.supplier_no)
        .order_by(sa.func.count(), PurchaseLine.supplier_no)
    )
    # Of several suppliers the last one stays: whom most is bought from.
    supplier = {item_no: supplier_no for item_no, supplier_no, _ in session.execute(bought)}
    center: dict[str, tuple[Decimal, str]] = {}
    for item_no, hours, code in session.execute(
        sa.select(RoutingRow.item_no, RoutingRow.unit_hours, RoutingRow.work_center)
    ):
        center[item_no] = max(center.get(item_no, (Decimal(0), "")), (hours, code))
    found = {}
    for item_no in lead:
        slowest = max(
            ((lead.get(no, 0), supplier[no]) for no in _below(item_no, parts) if no in supplier),
            default=(0, ""),
        )
        found[item_no] = f"{slowest[1]}·{center.get(item_no, (0, ''))[1]}"
    return found


def _below(item_no: str, parts: dict[str, list[str]]) -> set[str]:
    """The item and all its parts; a list that leads back to itself ends."""
    found, level = {item_no}, {item_no}
    for _ in range(DEEPEST):
        level = {part for no in level for part in parts.get(no, ())} - found
        found |= level
    return found
