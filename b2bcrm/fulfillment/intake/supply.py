"""Stock, purchase orders and work orders as the ERP shows them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.fulfillment.intake.touched import changed_in, refresh
from b2bcrm.fulfillment.models import OPEN_WORK, Operation, PurchaseLine, Stock, WorkOrder
from b2bcrm.fulfillment.queries.resting import orders_of, orders_using
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.work import Work
from b2bcrm.ports import erp
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.appliers import Applied
from b2bcrm.sync.models import Feed


class _LastRead:
    """As of which day an entity was last read completely, looked up once if it is asked for."""

    def __init__(self, work: Work, entity: Entity) -> None:
        self._work, self._entity = work, entity

    @cached_property
    def _day(self) -> dt.date | None:
        query = sa.select(sa.func.min(Feed.data_as_of, type_=Feed.data_as_of.type))
        as_of = self._work.session.scalar(query.where(Feed.entity == self._entity.value))
        return None if as_of is None else as_of.astimezone(HOME_ZONE).date()

    def after(self, ended_on: dt.date | None) -> dt.date | None:
        """That day, where it is after ``ended_on``: what ended then was still shown as open."""
        if ended_on is None or ended_on >= self._work.today or self._day is None:
            return None
        return self._day if self._day > ended_on else None


def apply_stock(work: Work, records: Sequence[erp.StockLevel]) -> Applied:
    """On hand and allocated per item and site; what the ERP no longer lists is none."""
    known = {
        (row.item_no, row.site_code): row
        for row in work.session.scalars(
            sa.select(Stock).where(Stock.item_no.in_({r.item for r in records}))
        )
    }
    changed: set[str] = set()
    for record in records:
        gone = record.deleted
        values = {
            "on_hand": Decimal(0) if gone else record.on_hand,
            "allocated": Decimal(0) if gone else record.allocated,
        }
        row = known.get((record.item, record.site))
        if row is None and gone:
            continue
        if row is None:
            row = Stock(item_no=record.item, site_code=record.site, as_of=record.as_of, **values)
            known[record.item, record.site] = row
            work.session.add(row)
            changed.add(record.item)
        elif changed_in(row, values):
            changed.add(record.item)
        row.as_of = work.now if gone else record.as_of
    refresh(work, orders_using(work, changed))
    if changed:
        work.bump("stock")
    return Applied(len(changed))


def apply_purchase_orders(work: Work, records: Sequence[erp.PurchaseOrder]) -> Applied:
    """One row per purchase order line; what the ERP dropped counts as cancelled."""
    known = {
        (row.po_no, row.line_no): row
        for row in work.session.scalars(
            sa.select(PurchaseLine).where(PurchaseLine.po_no.in_({r.erp_id for r in records}))
        )
    }
    changed: list[PurchaseLine] = []
    read = _LastRead(work, Entity.PURCHASE_ORDER)
    for record in records:
        kept = set()
        for line in () if record.deleted else record.lines:
            kept.add(line.line_no)
            values = _purchase_values(record, line)
            row = known.get((record.erp_id, line.line_no))
            was_open = row is not None and row.received_qty < row.qty
            if row is None:
                row = PurchaseLine(po_no=record.erp_id, line_no=line.line_no, **values)
                known[record.erp_id, line.line_no] = row
                work.session.add(row)
                changed.append(row)
            elif changed_in(row, values):
                changed.append(row)
            if was_open and row.received_qty >= row.qty:
                row.shown_open_on = read.after(row.received_on)
        for (po_no, line_no), row in known.items():
            dropped = po_no == record.erp_id and line_no not in kept
            if dropped and changed_in(row, {"status": "cancelled"}):
                changed.append(row)
    free = {row.item_no for row in changed if not row.demand_ref}
    refs = {row.demand_ref for row in changed if row.demand_ref}
    refresh(work, orders_of(work, refs) | orders_using(work, free))
    if changed:
        work.bump("purchase_order")
    return Applied(len(changed))


def _purchase_values(record: erp.PurchaseOrder, line: erp.PurchaseOrderLine) -> dict[str, Any]:
    return {
        "supplier_no": record.supplier,
        "supplier_name": record.supplier_name,
        "site_code": record.site,
        "item_no": line.item,
        "qty": line.qty,
        "received_qty": line.received_qty,
        "ordered_on": record.ordered_on,
        "requested_on": line.requested_on,
        "first_confirmed_on": line.first_confirmed_on,
        "confirmed_on": line.confirmed_on,
        "received_on": line.received_on,
        "status": record.status,
        "demand_ref": line.demand_ref,
    }


def apply_work_orders(work: Work, records: Sequence[erp.WorkOrder]) -> Applied:
    """Work orders with their operations; one that the ERP deleted counts as cancelled."""
    known = {
        row.no: row
        for row in work.session.scalars(
            sa.select(WorkOrder)
            .where(WorkOrder.no.in_({r.erp_id for r in records}))
            .options(selectinload(WorkOrder.operations))
        )
    }
    changed: list[WorkOrder] = []
    read = _LastRead(work, Entity.WORK_ORDER)
    for record in records:
        row = known.get(record.erp_id)
        if record.deleted:
            if row is not None and changed_in(row, {"status": "cancelled"}):
                changed.append(row)
            continue
        values = _work_values(record)
        differs, was_open = row is None, row is not None and row.status in OPEN_WORK
        if row is None:
            row = WorkOrder(no=record.erp_id, operations=[], **values)
            known[record.erp_id] = row
            work.session.add(row)
        else:
            differs = changed_in(row, values)
        if was_open and row.status not in OPEN_WORK:
            row.shown_open_on = read.after(row.actual_end_on)
        if _apply_operations(row, record.operations) or differs:
            changed.append(row)
    free = {row.item_no for row in changed if not row.demand_ref}
    refs = {row.demand_ref for row in changed if row.demand_ref}
    refresh(work, orders_of(work, refs) | orders_using(work, free))
    if changed:
        work.bump("work_order")
    return Applied(len(changed))


def _work_values(record: erp.WorkOrder) -> dict[str, Any]:
    return {
        "item_no": record.item,
        "site_code": record.site,
        "qty": record.qty,
        "completed_qty": record.completed_qty,
        "scrapped_qty": record.scrapped_qty,
        "status": record.status,
        "planned_start_on": record.planned_start_on,
        "planned_end_on": record.planned_end_on,
        "first_planned_end_on": record.first_planned_end_on,
        "actual_start_on": record.actual_start_on,
        "actual_end_on": record.actual_end_on,
        "demand_ref": record.demand_ref,
    }


def _apply_operations(row: WorkOrder, operations: Sequence[erp.Operation]) -> bool:
    by_step = {operation.step_no: operation for operation in row.operations}
    changed = False
    for told in operations:
        values = {
            "name": told.name,
            "work_center": told.work_center,
            "station": told.station,
            "status": told.status,
            "qty_done": told.qty_done,
            "planned_start_on": told.planned_start_on,
            "planned_end_on": told.planned_end_on,
            "done_at": told.done_at,
        }
        operation = by_step.pop(told.step_no, None)
        if operation is None:
            row.operations.append(Operation(step_no=told.step_no, **values))
            changed = True
        else:
            changed |= changed_in(operation, values)
    if operations:
        for dropped in by_step.values():
            row.operations.remove(dropped)
            changed = True
    return changed
