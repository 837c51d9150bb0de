"""What the item pages read: stock with its age, dated supply and demand, open order lines.

The running balance starts from what is on hand. Demand is what open order lines still want and
what open work orders of other items will take; supply is open purchase and work orders.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import BomRow, Item
from b2bcrm.customers.models import Account, CustomerPart
from b2bcrm.fulfillment.models import OPEN_WORK, LineProjection, PurchaseLine, Stock, WorkOrder
from b2bcrm.kernel.columns import Price, Qty
from b2bcrm.kernel.matching import holds, starts
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OPEN_ORDERS
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.sync.models import Feed
from b2bcrm.web.paging import Asked

SORTS = ("no", "name", "family", "lead", "stock", "free")
FILTERS = ("q", "family", "kind", "sold")
MAX_LINES = 200
_ZERO = Decimal(0)


@dataclass(frozen=True)
class ItemRow:
    """One item of the list. Quantities are None where the ERP sent no stock."""

    item: Item
    on_hand: Decimal | None
    allocated: Decimal | None
    as_of: dt.datetime | None

    @property
    def free(self) -> Decimal | None:
        """On hand less what the ERP has allocated; may be negative."""
        return None if self.on_hand is None else self.on_hand - (self.allocated or _ZERO)


def list_items(work: Work, asked: Asked) -> tuple[list[ItemRow], int]:
    """The page of items that is asked for, and how many there are."""
    stock = (
        sa.select(
            Stock.item_no,
            sa.func.sum(Stock.on_hand).label("on_hand"),
            sa.func.sum(Stock.allocated).label("allocated"),
            sa.func.min(Stock.as_of).label("as_of"),
        )
        .group_by(Stock.item_no)
        .subquery()
    )
    raw = sa.BigInteger
    on_hand = sa.func.coalesce(sa.type_coerce(stock.c.on_hand, raw), 0)
    allocated = sa.func.coalesce(sa.type_coerce(stock.c.allocated, raw), 0)
    sorts: dict[str, Any] = {
        "no": Item.no,
        "name": sa.func.lower(Item.name),
        "family": Item.family,
        "lead": Item.lead_time_days,
        "stock": on_hand,
        "free": on_hand - allocated,
    }
    order = sorts[asked.sort].desc() if asked.descending else sorts[asked.sort].asc()
    where = _conditions(asked)
    total = work.session.scalar(sa.select(sa.func.count(Item.id)).where(*where))
    query = (
        sa.select(Item, stock.c.on_hand, stock.c.allocated, stock.c.as_of, _checked_at())
        .outerjoin(stock, stock.c.item_no == Item.no)
        .where(*where)
        .order_by(order, Item.no)
        .offset(asked.offset)
        .limit(asked.limit)
    )
    rows = [
        ItemRow(item, have, taken, _newest(as_of, checked))
        for item, have, taken, as_of, checked in work.session.execute(query)
    ]
    return rows, total or 0


def _conditions(asked: Asked) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = [Item.active.is_(True)]
    if q := asked.get("q"):
        part = sa.select(CustomerPart.item_id).where(starts(CustomerPart.part_no, q))
        names = (Item.no, Item.name, Item.name_zh_hant, Item.name_zh_hans, Item.spec)
        found.append(sa.or_(*(holds(name, q) for name in names), Item.id.in_(part)))
    if family := asked.get("family"):
        found.append(Item.family == family)
    if kind := asked.get("kind"):
        found.append(sa.cast(Item.kind, sa.String) == kind)
    if sold := asked.get("sold"):
        found.append(Item.sellable.is_(sold == "yes"))
    return found


def _checked_at() -> sa.ScalarSelect[dt.datetime | None]:
    """When the stock feed last ran whole: what it did not change still stood then."""
    return sa.select(sa.func.min(Feed.data_as_of)).where(Feed.entity == "stock").scalar_subquery()


def _newest(own: dt.datetime | None, checked: dt.datetime | None) -> dt.datetime | None:
    return max(own, checked) if own and checked else own


def stock_of(work: Work, item_no: str) -> tuple[Sequence[Stock], dt.datetime | None]:
    """Stock per site, and when the oldest of it was last known to be right."""
    query = sa.select(Stock, _checked_at()).where(Stock.item_no == item_no)
    rows = work.session.execute(query.order_by(Stock.site_code)).all()
    seen = [_newest(stock.as_of, checked) for stock, checked in rows]
    return [stock for stock, _checked in rows], min((at for at in seen if at), default=None)


@dataclass(frozen=True)
class OpenLine:
    """A line of an open order that still wants pieces."""

    line: OrderLine
    order_no: str
    account_id: int
    account_name: str
    language: str
    projection: LineProjection | None

    @property
    def wanted(self) -> Decimal:
        """What is not shipped yet."""
        return self.line.due_qty - self.line.shipped_qty

    @property
    def on(self) -> dt.date:
        """When it is to leave: our promise, or the wish while we have given none."""
        return self.line.promised_on or self.line.requested_on


def open_lines(work: Work, item_id: int) -> list[OpenLine]:
    """Open order lines of the item, earliest first."""
    query = (
        sa.select(OrderLine, Order.no, Account.id, Account.name, Account.language, LineProjection)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Account, Account.id == Order.account_id)
        .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
        .where(
            OrderLine.item_id == item_id,
            Order.state.in_(OPEN_ORDERS),
            OrderLine.cancelled.is_(False),
            OrderLine.shipped_qty < OrderLine.due_qty,
        )
        .order_by(sa.func.coalesce(OrderLine.promised_on, OrderLine.requested_on), OrderLine.id)
        .limit(MAX_LINES)
    )
    return [OpenLine(*row) for row in work.session.execute(query)]


@dataclass(frozen=True)
class Move:
    """A dated change of stock. ``kind``: order, use (by a work order), purchase, work.

    ``balance`` is what is then on hand.
    """

    kind: str
    on: dt.date
    number: str
    qty: Decimal
    party: str
    balance: Decimal = _ZERO


def moves(work: Work, item_no: str, on_hand: Decimal, lines: Sequence[OpenLine]) -> Sequence[Move]:
    """Supply and demand in order of date, with the running balance; one statement."""
    nothing = sa.cast(sa.literal(""), sa.String(200))
    one = sa.cast(sa.literal(10**6), sa.BigInteger)
    bought = sa.select(
        sa.literal("purchase").label("kind"),
        sa.func.coalesce(PurchaseLine.confirmed_on, PurchaseLine.requested_on).label("on"),
        PurchaseLine.po_no.label("number"),
        _open(PurchaseLine.qty, PurchaseLine.received_qty).label("qty"),
        sa.type_coerce(one, Price).label("per"),
        PurchaseLine.supplier_name.label("party"),
    ).where(
        PurchaseLine.item_no == item_no,
        PurchaseLine.status == "open",
        PurchaseLine.received_qty < PurchaseLine.qty,
    )
    left = _open(WorkOrder.qty, WorkOrder.completed_qty)
    still = (WorkOrder.status.in_(OPEN_WORK), WorkOrder.completed_qty < WorkOrder.qty)
    made = sa.select(
        sa.literal("work"),
        WorkOrder.planned_end_on,
        WorkOrder.no,
        left,
        sa.type_coerce(one, Price),
        nothing,
    ).where(WorkOrder.item_no == item_no, *still)
    used = (
        sa.select(
            sa.literal("use"),
            WorkOrder.planned_start_on,
            WorkOrder.no,
            left,
            BomRow.qty_per,
            WorkOrder.item_no,
        )
        .join(BomRow, BomRow.item_no == WorkOrder.item_no)
        .where(
            BomRow.component_no == item_no,
            BomRow.counts_on(WorkOrder.planned_start_on),
            WorkOrder.actual_start_on.is_(None),
            *still,
        )
    )
    found = [
        Move(kind, on, number, qty * per * (-1 if kind == "use" else 1), party)
        for kind, on, number, qty, per, party in work.session.execute(
            sa.union_all(bought, made, used)
        )
    ]
    found += [
        Move("order", line.on, line.order_no, -line.wanted, line.account_name) for line in lines
    ]
    found.sort(key=lambda move: (move.on, move.qty < 0, move.number))
    balance, result = on_hand, []
    for move in found:
        balance += move.qty
        result.append(Move(move.kind, move.on, move.number, move.qty, move.party, balance))
    return result


def _open(whole: Any, part: Any) -> sa.ColumnElement[Decimal]:
    raw = sa.BigInteger
    return sa.type_coerce(sa.type_coerce(whole, raw) - sa.type_coerce(part, raw), Qty)


def their_numbers(work: Work, item_id: int) -> Sequence[tuple[int, str, str, str]]:
    """Customers' own numbers for the item: account id, name, its language, number."""
    query = (
        sa.select(Account.id, Account.name, Account.language, CustomerPart.part_no)
        .join(Account, Account.id == CustomerPart.account_id)
        .where(CustomerPart.item_id == item_id)
        .order_by(Account.name)
    )
    return work.session.execute(query).all()
