"""Open documents of the ERP as scenarios ask for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.fulfillment.models import OPEN_WORK, Operation, PurchaseLine, WorkOrder
from b2bcrm.fulfillment.queries.resting import orders_of, orders_using
from b2bcrm.kernel.work import Work


@dataclass(frozen=True)
class Touched:
    """Open ``purchases`` with their last day, and the orders whose documents the measures touch."""

    purchases: Mapping[str, dt.date]
    orders: frozenset[int]


def touched(work: Work, purchases: Collection[str], centers: Collection[str]) -> Touched:
    """What purchase orders and work centres lead to."""
    rows = work.rows(
        sa.select(
            PurchaseLine.po_no,
            PurchaseLine.demand_ref,
            PurchaseLine.item_no,
            sa.func.coalesce(PurchaseLine.confirmed_on, PurchaseLine.requested_on),
        ).where(PurchaseLine.po_no.in_(purchases), PurchaseLine.status == "open")
    )
    refs = {ref for _, ref, _, _ in rows if ref}
    free = {item for _, ref, item, _ in rows if not ref}
    makes = (
        sa.select(WorkOrder.no)
        .join(Operation, Operation.work_order_id == WorkOrder.id)
        .where(
            Operation.work_center.in_(centers),
            Operation.status != "done",
            WorkOrder.status.in_(OPEN_WORK),
        )
    )
    works = {no for (no,) in work.rows(makes)}
    found = orders_of(work, _made_for(work, works) | refs) | orders_using(work, free)
    due: dict[str, dt.date] = {}
    for no, _, _, day in rows:
        due[no] = max(day, due.get(no, day))
    return Touched(due, frozenset(found))


def _made_for(work: Work, nos: Collection[str]) -> set[str]:
    query = sa.select(WorkOrder.demand_ref).where(WorkOrder.no.in_(nos))
    return {ref for (ref,) in work.rows(query)}
