"""What must hold in a twin at any time; used by several tests."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from b2bcrm.ports.erp import Entity
from connectors.erp.twin.prices import rounded
from tests.connectors.erp.twin.scene import dump


def audit(world, today):
    """Assert that nothing in the world contradicts anything else."""
    data = dump(world)
    shipped, invoiced = _shipments_and_invoices(data, today)
    orders = {order.erp_id: order for order in data[Entity.SALES_ORDER]}
    _orders(orders, shipped, invoiced, today)
    _works(data, orders, today)
    _purchases(data, today)
    for level in data[Entity.STOCK]:
        assert 0 <= level.allocated <= level.on_hand, level
    _credit(data, orders, invoiced, today)
    return data


def _shipments_and_invoices(data, today):
    shipped, invoiced = defaultdict(Decimal), defaultdict(Decimal)
    shipments = {s.erp_id: s for s in data[Entity.SHIPMENT]}
    for shipment in shipments.values():
        assert shipment.shipped_on <= today
        assert shipment.delivered_on is None or shipment.shipped_on < shipment.delivered_on <= today
        for row in shipment.lines:
            assert row.qty > 0
            shipped[row.sales_order, row.order_line_no] += row.qty
    billed = set()
    for invoice in data[Entity.INVOICE]:
        shipment = shipments[invoice.shipment]
        assert invoice.shipment not in billed, "one invoice per shipment"
        billed.add(invoice.shipment)
        assert invoice.customer == shipment.customer
        assert {row.sales_order for row in shipment.lines} == {invoice.sales_order}
        assert shipment.shipped_on <= invoice.invoiced_on <= min(invoice.due_on, today)
        assert invoice.open_amount in {Decimal(0), invoice.total}
        invoiced[invoice.sales_order] += invoice.total
    return shipped, invoiced


def _orders(orders, shipped, invoiced, today):
    references = [order.reference for order in orders.values() if order.reference]
    assert len(references) == len(set(references))
    for order in orders.values():
        assert order.ordered_on <= today
        for line in order.lines:
            assert line.shipped_qty == shipped.pop((order.erp_id, line.line_no), 0)
            assert line.invoiced_qty <= line.shipped_qty <= line.qty
            full = line.shipped_qty == line.qty
            assert full == (line.status in {"shipped", "closed"}), line
            assert line.status != "closed" or line.invoiced_qty == line.qty
            assert order.ordered_on <= line.requested_on <= line.promised_on, line
            assert line.status != "open" or line.planned_on is not None
        if order.status == "closed":
            assert {line.status for line in order.lines} <= {"closed", "cancelled"}
            assert invoiced[order.erp_id] == _value(order)
        if order.status == "cancelled":
            assert {line.status for line in order.lines} == {"cancelled"}
    assert not shipped, "no shipment without an order line"


def _value(order):
    return sum(
        rounded(row.qty * row.unit_price * (100 - row.discount_pct) / 100, order.currency)
        for row in order.lines
        if row.status != "cancelled"
    )


def _works(data, orders, today):
    works = {work.erp_id: work for work in data[Entity.WORK_ORDER]}
    lines = {(o.erp_id, row.line_no): row for o in orders.values() for row in o.lines}
    for work in works.values():
        assert 0 <= work.completed_qty <= work.qty
        assert work.planned_start_on <= work.planned_end_on
        assert (work.actual_start_on is not None) == (work.status in {"running", "done"})
        assert (work.actual_end_on is not None) == (work.status == "done")
        done = [operation.qty_done for operation in work.operations]
        assert done == sorted(done, reverse=True), "no piece overtakes another"
        assert all(0 <= qty <= work.qty for qty in done)
        if work.status == "done":
            assert work.actual_start_on <= work.actual_end_on <= today
            assert work.completed_qty == work.qty
            stamps = [operation.done_at for operation in work.operations]
            assert stamps == sorted(stamps)
        for operation in work.operations:
            assert operation.planned_start_on <= operation.planned_end_on
            assert (operation.status == "done") == (operation.qty_done == work.qty)
        parent, end = works.get(work.demand_ref), work.actual_end_on or work.planned_end_on
        if parent is not None:
            assert parent.actual_start_on is None or work.status == "done"
            assert parent.status == "cancelled" or end < parent.planned_start_on
        elif work.demand_ref:
            order, _, line = work.demand_ref.partition("/")
            row = lines[order, int(line)]
            assert row.item == work.item
            if row.status == "open" and row.planned_on:
                assert end < row.planned_on


def _purchases(data, today):
    works = {work.erp_id: work for work in data[Entity.WORK_ORDER]}
    for order in data[Entity.PURCHASE_ORDER]:
        assert order.ordered_on <= today
        assert order.lines
        for row in order.lines:
            assert row.received_qty in {0, row.qty}
            assert (row.received_on is not None) == (row.received_qty == row.qty)
            assert row.confirmed_on is None or row.first_confirmed_on is not None
            assert row.received_on is None or order.ordered_on < row.received_on <= today
            if row.received_on is None and row.confirmed_on:
                assert row.confirmed_on >= today, "the supplier speaks before he is late"
            work = works.get(row.demand_ref)
            if work is not None and work.actual_start_on:
                assert row.received_on < work.actual_start_on
                assert work.site == order.site


def _credit(data, orders, invoiced, today):
    used, overdue = defaultdict(Decimal), defaultdict(Decimal)
    for order in orders.values():
        used[order.customer] += _value(order) - invoiced[order.erp_id]
    for invoice in data[Entity.INVOICE]:
        used[invoice.customer] += invoice.open_amount
        if invoice.due_on < today:
            overdue[invoice.customer] += invoice.open_amount
    for customer in data[Entity.CUSTOMER]:
        assert customer.credit_used == used[customer.erp_id], customer.name
        assert customer.overdue_amount == overdue[customer.erp_id], customer.name
