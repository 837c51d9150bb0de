"""What every applier needs: write differences, find parents, and whose dates a change touches."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from b2bcrm.customers.models import ErpCustomer
from b2bcrm.fulfillment.actions.projecting import mark_stale, project
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


def refresh(work: Work, order_ids: Collection[int]) -> None:
    """Compute the touched orders: a few now, more by the job that follows the feeds."""
    if len(order_ids) > AT_ONCE:
        mark_stale(work, order_ids)
    else:
        project(work, order_ids)
