"""What every applier needs: write differences, find parents, and whose dates a change touches."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import BomRow, Item
from b2bcrm.customers.models import ErpCustomer
from b2bcrm.fulfillment.actions.projecting import mark_stale, project
from b2bcrm.fulfillment.models import WorkOrder
from b2bcrm.fulfillment.planning.chain import DEEPEST
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order, OrderLine

AT_ONCE = 25  # orders computed in the applier's own Work; the write lock stays short


def changed_in(row: Any, values: dict[str, Any]) -> bool:
    """Write what differs; whether anything did."""
    changed = False
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed = True
    return changed


def order_accounts(work: Work, connection: str, erp_nos: Collection[str]) -> dict[str, int]:
    """Account ids by the order number of one ERP."""
    query = sa.select(Order.erp_no, Order.account_id).where(
        Order.erp_connection == connection, Order.erp_no.in_(erp_nos)
    )
    return {no: account_id for no, account_id in work.session.execute(query) if no}


def whose(customer: ErpCustomer, ordered_by: int | None) -> int:
    """The account of a document: the customer's, but what was ordered before it was linked to
    another account stays with the one that ordered it.
    """
    return customer.home_id if ordered_by == customer.home_id else customer.account_id


def lines_by_ref(
    work: Work, connection: str, erp_nos: Collection[str]
) -> dict[tuple[str, int], tuple[int, int]]:
    """(line id, order id) by order number and line number of one ERP."""
    query = (
        sa.select(Order.erp_no, OrderLine.line_no, OrderLine.id, Order.id)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(Order.erp_connection == connection, Order.erp_no.in_(erp_nos))
    )
    return {
        (erp_no, line_no): (line_id, order_id)
        for erp_no, line_no, line_id, order_id in work.session.execute(query)
        if erp_no
    }


def orders_of(work: Work, refs: Iterable[str]) -> set[int]:
    """The orders that the references lead up to, through work orders above each other."""
    level, erp_nos = set(refs), set()
    for _ in range(DEEPEST):
        level.discard("")
        if not level:
            break
        erp_nos |= {ref.rpartition("/")[0] for ref in level if "/" in ref}
        query = sa.select(WorkOrder.demand_ref).where(WorkOrder.no.in_(level)).distinct()
        level = set(work.session.scalars(query))
    if not erp_nos:
        return set()
    return set(work.session.scalars(sa.select(Order.id).where(Order.erp_no.in_(erp_nos))))


def orders_using(work: Work, item_nos: Collection[str]) -> set[int]:
    """Open orders whose date may rest on the free stock or supply of the items.

    Those that sell an item itself, and those whose unstarted work orders consume it.
    """
    if not item_nos:
        return set()
    parents = sa.select(BomRow.item_no).where(BomRow.component_no.in_(item_nos))
    refs = work.session.scalars(
        sa.select(WorkOrder.demand_ref)
        .where(
            WorkOrder.item_no.in_(parents),
            WorkOrder.status.in_(("planned", "released")),
            WorkOrder.demand_ref != "",
        )
        .distinct()
    ).all()
    sold = work.session.scalars(
        sa.select(OrderLine.order_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Item, Item.id == OrderLine.item_id)
        .where(
            Item.no.in_(item_nos),
            Order.closed_at.is_(None),
            OrderLine.shipped_qty < OrderLine.due_qty,
        )
        .distinct()
    )
    return orders_of(work, refs) | set(sold)


def refresh(work: Work, order_ids: Collection[int]) -> None:
    """Compute the touched orders: a few now, more by the job that follows the feeds."""
    if len(order_ids) > AT_ONCE:
        mark_stale(work, order_ids)
    else:
        project(work, order_ids)
