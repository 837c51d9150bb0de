"""Short parts: what is missing or later than first said, and the orders that wait for it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.fulfillment.models import OrderProjection, ShortPart
from b2bcrm.fulfillment.queries.board import BoardFilter, open_orders, staff_only
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import Status
from b2bcrm.orders.models import Order


@dataclass(frozen=True, kw_only=True)
class ShortRow:
    """A part that holds up orders; ``value`` in base currency."""

    item_no: str
    item_name: str
    document_no: str
    qty: Decimal
    need_on: dt.date
    supply_on: dt.date
    slip_days: int
    orders: int
    value: Decimal
    late: bool


def short_parts(
    work: Work, found: BoardFilter, *, offset: int = 0, limit: int = 6
) -> tuple[list[ShortRow], int, int]:
    """Late parts with what they hold up, the dearest first; how many parts, how many orders."""
    staff_only(work)
    open_value = sa.func.sum(OrderProjection.open_value, type_=OrderProjection.open_value.type)
    per_order = (
        sa.select(
            ShortPart.item_no,
            ShortPart.document_no,
            ShortPart.order_id,
            sa.func.sum(ShortPart.qty, type_=ShortPart.qty.type).label("qty"),
            sa.func.min(ShortPart.need_on).label("need_on"),
            sa.func.max(ShortPart.supply_on).label("supply_on"),
            sa.func.max(ShortPart.slip_days).label("slip_days"),
        )
        .join(Order, Order.id == ShortPart.order_id)
        .join(OrderProjection, OrderProjection.order_id == ShortPart.order_id)
        .where(*open_orders(found))
        .group_by(ShortPart.item_no, ShortPart.document_no, ShortPart.order_id)
        .subquery()
    )
    late = sa.func.max(sa.case((OrderProjection.status == Status.LATE, 1), else_=0))
    query = (
        sa.select(
            per_order.c.item_no,
            sa.func.max(Item.name),
            per_order.c.document_no,
            sa.func.sum(per_order.c.qty, type_=ShortPart.qty.type),
            sa.func.min(per_order.c.need_on),
            sa.func.max(per_order.c.supply_on),
            sa.func.max(per_order.c.slip_days),
            sa.func.count(),
            open_value.label("value"),
            late.label("late"),
            sa.func.count().over(),
            sa.select(sa.func.count(per_order.c.order_id.distinct())).scalar_subquery(),
        )
        .join(OrderProjection, OrderProjection.order_id == per_order.c.order_id)
        .outerjoin(Item, Item.no == per_order.c.item_no)
        .group_by(per_order.c.item_no, per_order.c.document_no)
        .order_by(late.desc(), open_value.desc(), per_order.c.item_no, per_order.c.document_no)
        .offset(offset)
        .limit(limit)
    )
    found_rows, parts, held_up = [], 0, 0
    for row in work.session.execute(query):
        parts, held_up = row[10], row[11]
        found_rows.append(
            ShortRow(
                item_no=row[0],
                item_name=row[1] or "",
                document_no=row[2],
                qty=row[3],
                need_on=row[4],
                supply_on=row[5],
                slip_days=row[6],
                orders=row[7],
                value=row[8] or Decimal(0),
                late=bool(row[9]),
            )
        )
    return found_rows, parts, held_up
