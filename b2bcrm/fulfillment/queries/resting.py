"""Which order lines the ERP's documents lead up to, and which orders use an item."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import sqlalchemy as sa

from b2bcrm.catalog.models import BomRow, Item
from b2bcrm.fulfillment.models import WAITING_WORK, WorkOrder
from b2bcrm.fulfillment.planning.chain import DEEPEST
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order, OrderLine


def line_refs(work: Work, refs: Iterable[str]) -> set[str]:
    """``<erp order>/<line>`` that the references lead up to, through work orders above."""
    level, found = set(refs), set()
    for _ in range(DEEPEST):
        level.discard("")
        if not level:
            break
        found |= {ref for ref in level if "/" in ref}
        query = sa.select(WorkOrder.demand_ref).where(WorkOrder.no.in_(level)).distinct()
        level = set(work.session.scalars(query))
    return found


def orders_of(work: Work, refs: Iterable[str]) -> set[int]:
    """The orders that the references lead up to."""
    erp_nos = {ref.rpartition("/")[0] for ref in line_refs(work, refs)}
    if not erp_nos:
        return set()
    return set(work.session.scalars(sa.select(Order.id).where(Order.erp_no.in_(erp_nos))))


def lines_of(work: Work, refs: Iterable[str]) -> set[int]:
    """The order lines that the references lead up to."""
    wanted = line_refs(work, refs)
    if not wanted:
        return set()
    erp_nos = {ref.rpartition("/")[0] for ref in wanted}
    query = (
        sa.select(OrderLine.id, Order.erp_no, OrderLine.line_no)
        .join(Order, Order.id == OrderLine.order_id)
        .where(Order.erp_no.in_(erp_nos))
    )
    return {key for key, erp_no, line_no in work.rows(query) if f"{erp_no}/{line_no}" in wanted}


def refs_using(work: Work, item_nos: Collection[str]) -> set[str]:
    """What unstarted work orders that consume the items were made for."""
    query = (
        sa.select(WorkOrder.demand_ref)
        .join(BomRow, BomRow.item_no == WorkOrder.item_no)
        .where(
            BomRow.component_no.in_(item_nos),
            BomRow.counts_on(WorkOrder.planned_start_on),
            WorkOrder.status.in_(WAITING_WORK),
            WorkOrder.demand_ref != "",
        )
    )
    return set(work.session.scalars(query.distinct()))


def lines_selling(work: Work, item_nos: Collection[str]) -> dict[int, int]:
    """Open lines of the items themselves, with their orders."""
    query = (
        sa.select(OrderLine.id, OrderLine.order_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Item, Item.id == OrderLine.item_id)
        .where(
            Item.no.in_(item_nos),
            Order.closed_at.is_(None),
            OrderLine.shipped_qty < OrderLine.due_qty,
        )
    )
    return dict(work.session.execute(query).all())


def orders_using(work: Work, item_nos: Collection[str]) -> set[int]:
    """Open orders whose date may rest on the free stock or supply of the items.

    Those that sell an item itself, and those whose unstarted work orders consume it.
    """
    if not item_nos:
        return set()
    using = orders_of(work, refs_using(work, item_nos))
    return using | set(lines_selling(work, item_nos).values())
