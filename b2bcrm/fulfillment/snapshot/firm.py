"""Live firm pegs and the supplies that they are of, in few statements; one where there is none."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.fulfillment.models import OPEN_WORK, FirmPeg, PurchaseLine, Stock, WorkOrder
from b2bcrm.fulfillment.planning import firming
from b2bcrm.fulfillment.planning.atp import PURCHASE, STOCK, WORK
from b2bcrm.fulfillment.planning.firming import Firm, Peg, Spot, Supply
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OPEN_ORDERS
from b2bcrm.orders.models import Order, OrderLine

# Built once: every plan and projection asks it. A line that has left needs its pegs no more.
_LIVE = (
    sa.select(
        FirmPeg.id,
        FirmPeg.order_line_id,
        Order.no,
        OrderLine.line_no,
        FirmPeg.kind,
        FirmPeg.no,
        FirmPeg.item_no,
        FirmPeg.site_code,
        FirmPeg.qty,
        OrderLine.ordered_qty,
        OrderLine.short_qty,
        OrderLine.shipped_qty,
    )
    .join(OrderLine, OrderLine.id == FirmPeg.order_line_id)
    .join(Order, Order.id == OrderLine.order_id)
    .join(Item, sa.and_(Item.id == OrderLine.item_id, Item.no == FirmPeg.item_no))
    .where(
        FirmPeg.ended_at.is_(None),
        Order.state.in_(OPEN_ORDERS),
        sa.not_(OrderLine.cancelled),
        OrderLine.shipped_qty < OrderLine.due_qty,
    )
)


def take(work: Work) -> list[Firm]:
    """What all live pegs keep."""
    pegs, wanted = [], dict[int, Decimal]()
    for peg_id, line_id, order, line_no, *rest, ordered, short, shipped in work.rows(_LIVE):
        pegs.append(Peg(peg_id, line_id, f"{order}/{line_no}", *rest))
        wanted[line_id] = ordered - short - shipped
    if not pegs:
        return []
    return firming.firm(pegs, supplies(work, {peg.item for peg in pegs}), wanted)


def supplies(work: Work, items: Collection[str]) -> list[Supply]:
    """Free stock of the items, and the open documents that were made for nobody."""
    stock = sa.select(Stock.item_no, Stock.site_code, Stock.on_hand, Stock.allocated)
    found = [
        Supply(Spot(STOCK, "", item, site), on_hand - allocated)
        for item, site, on_hand, allocated in work.rows(stock.where(Stock.item_no.in_(items)))
    ]
    buys = (
        sa.select(
            PurchaseLine.po_no,
            PurchaseLine.item_no,
            PurchaseLine.site_code,
            PurchaseLine.qty,
            PurchaseLine.received_qty,
            sa.func.coalesce(PurchaseLine.confirmed_on, PurchaseLine.requested_on),
        )
        .where(
            PurchaseLine.item_no.in_(items),
            PurchaseLine.status == "open",
            PurchaseLine.demand_ref == "",
            PurchaseLine.received_qty < PurchaseLine.qty,
        )
        .order_by(PurchaseLine.id)
    )
    found += [
        Supply(Spot(PURCHASE, no, item, site), qty - received, on)
        for no, item, site, qty, received, on in work.rows(buys)
    ]
    makes = (
        sa.select(
            WorkOrder.no,
            WorkOrder.item_no,
            WorkOrder.site_code,
            WorkOrder.qty,
            WorkOrder.completed_qty,
            WorkOrder.scrapped_qty,
            WorkOrder.planned_end_on,
        )
        .where(
            WorkOrder.item_no.in_(items),
            WorkOrder.status.in_(OPEN_WORK),
            WorkOrder.demand_ref == "",
        )
        .order_by(WorkOrder.id)
    )
    found += [
        Supply(Spot(WORK, no, item, site), qty - done - lost, on)
        for no, item, site, qty, done, lost, on in work.rows(makes)
    ]
    return found
