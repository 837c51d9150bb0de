"""Purchase orders and work orders of the ERP as rows, and which suppliers were late for what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from b2bcrm.demo.rows import CHUNK, Rows
from b2bcrm.fulfillment.models import Operation, PurchaseLine, WorkOrder
from b2bcrm.ports import erp

DEEPEST = 8


@dataclass
class Delays:
    """Late material by the order line it was for: ``<erp order no>/<line>`` -> (PO, supplier)."""

    parent: dict[str, str] = field(default_factory=dict)
    late: list[tuple[str, str, str]] = field(default_factory=list)

    def by_line(self) -> dict[str, tuple[str, str]]:
        """Resolved up to the order lines; the last late one of a line is named."""
        found = {}
        for ref, po_no, supplier in self.late:
            top = ref
            for _ in range(DEEPEST):
                if "/" in top or top not in self.parent:
                    break
                top = self.parent[top]
            if "/" in top:
                found[top] = (po_no, supplier)
        return found


def load_purchases(rows: Rows, records: Iterable[erp.PurchaseOrder], delays: Delays) -> int:
    """Write all purchase order lines; how many orders there were."""
    count, waiting = 0, []
    for record in records:
        count += 1
        for line in record.lines:
            waiting.append(_purchase(rows, record, line))
            arrived = line.received_on or line.confirmed_on
            first = line.first_confirmed_on
            if line.demand_ref and arrived and first and arrived > first:
                delays.late.append((line.demand_ref, record.erp_id, record.supplier_name))
        if len(waiting) >= CHUNK:
            rows.put(PurchaseLine, waiting)
            waiting.clear()
    rows.put(PurchaseLine, waiting)
    return count


def _purchase(rows: Rows, record: erp.PurchaseOrder, line: erp.PurchaseOrderLine) -> dict[str, Any]:
    return {
        "id": rows.next_id(PurchaseLine),
        "po_no": record.erp_id,
        "line_no": line.line_no,
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


def load_work_orders(rows: Rows, records: Iterable[erp.WorkOrder], delays: Delays) -> int:
    """Write all work orders with their operations; how many there were."""
    count = 0
    orders: list[dict[str, Any]] = []
    operations: list[dict[str, Any]] = []
    for record in records:
        count += 1
        if record.demand_ref:
            delays.parent[record.erp_id] = record.demand_ref
        order_id = rows.next_id(WorkOrder)
        orders.append(_work_order(order_id, record))
        operations += [_operation(rows, order_id, step) for step in record.operations]
        if len(operations) >= CHUNK:
            rows.put(WorkOrder, orders)
            rows.put(Operation, operations)
            orders.clear()
            operations.clear()
    rows.put(WorkOrder, orders)
    rows.put(Operation, operations)
    return count


def _work_order(order_id: int, record: erp.WorkOrder) -> dict[str, Any]:
    return {
        "id": order_id,
        "no": record.erp_id,
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


def _operation(rows: Rows, order_id: int, step: erp.Operation) -> dict[str, Any]:
    return {
        "id": rows.next_id(Operation),
        "work_order_id": order_id,
        "step_no": step.step_no,
        "name": step.name,
        "work_center": step.work_center,
        "station": step.station,
        "status": step.status,
        "qty_done": step.qty_done,
        "planned_start_on": step.planned_start_on,
        "planned_end_on": step.planned_end_on,
        "done_at": step.done_at,
    }
