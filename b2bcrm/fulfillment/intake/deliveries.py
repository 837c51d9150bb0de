"""Shipments and invoices as the ERP shows them, with exact quantities per order line."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.customers.queries import erp_customers
from b2bcrm.fulfillment import models
from b2bcrm.fulfillment.actions.receive import add_up, orders_of_lines
from b2bcrm.fulfillment.intake.touched import (
    changed_in,
    lines_by_ref,
    order_accounts,
    refresh,
    whose,
)
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.actions import LineQuantities, record_quantities
from b2bcrm.orders.models import Order
from b2bcrm.ports import erp
from b2bcrm.sync.appliers import Applied
from b2bcrm.sync.connections import MAIN


def apply_shipments(
    work: Work, records: Sequence[erp.Shipment], *, connection: str = MAIN
) -> Applied:
    """Deliveries with exact quantities per order line; parked while a line is unknown.

    A receipt that the customer confirmed stays, whatever the carrier says later. What the ERP
    deletes or reduces is taken off again; that may reopen a closed order.
    """
    lines = lines_by_ref(work, connection, {ln.sales_order for r in records for ln in r.lines})
    customers = erp_customers(work, connection, {record.customer for record in records})
    ordered_by = order_accounts(
        work, connection, {ln.sales_order for r in records for ln in r.lines}
    )
    known = {
        row.no: row
        for row in work.session.scalars(
            sa.select(models.Shipment)
            .where(models.Shipment.no.in_({r.erp_id for r in records}))
            .options(selectinload(models.Shipment.lines))
        )
    }
    changed, parked, touched = 0, [], set()
    for record in records:
        row = known.get(record.erp_id)
        if record.deleted:  # what is left of it may name neither customer nor lines
            if row is not None and row.lines:
                changed += 1
                touched |= {line.order_line_id for line in row.lines}
                row.lines.clear()
            continue
        unknown = [
            f"{ln.sales_order}/{ln.order_line_no}"
            for ln in record.lines
            if (ln.sales_order, ln.order_line_no) not in lines
        ]
        if record.customer not in customers or unknown:
            what = unknown[0] if unknown else record.customer
            parked.append((record.erp_id, Message("%(what)s is not known yet.", what=what)))
            continue
        order_no = record.lines[0].sales_order if record.lines else ""
        if row is None:
            row = models.Shipment(no=record.erp_id, lines=[])
            known[record.erp_id] = row
            work.session.add(row)
        before = {line.order_line_id: line.qty for line in row.lines}
        after: dict[int, Decimal] = {}
        for line in record.lines:
            key = lines[line.sales_order, line.order_line_no][0]
            after[key] = after.get(key, Decimal(0)) + line.qty
        differs = changed_in(
            row,
            {
                "account_id": whose(customers[record.customer], ordered_by.get(order_no)),
                "shipped_on": record.shipped_on,
                "delivered_on": record.delivered_on
                or (row.delivered_on if row.received_at else None),
                "carrier": record.carrier,
                "tracking_no": record.tracking_no,
            },
        )
        if after != before:
            _keep_lines(row, after)
            differs = True
        if differs:
            changed += 1
            touched |= {*before, *after}
    add_up(work, touched)
    refresh(work, orders_of_lines(work, touched))
    return Applied(changed, tuple(parked))


def _keep_lines(row: models.Shipment, wanted: dict[int, Decimal]) -> None:
    """Make the shipment's lines say exactly ``wanted``: quantity by order line."""
    known = {line.order_line_id: line for line in row.lines}
    for key, line in known.items():
        if key in wanted:
            line.qty = wanted[key]
        else:
            row.lines.remove(line)
    row.lines += [
        models.ShipmentLine(order_line_id=key, qty=qty)
        for key, qty in wanted.items()
        if key not in known
    ]


def apply_invoices(
    work: Work, records: Sequence[erp.Invoice], *, connection: str = MAIN
) -> Applied:
    """Invoices with what of them is open; the lines of the billed shipment count as invoiced.

    One that the ERP deleted is removed, and its pieces no longer count.
    """
    customers = erp_customers(work, connection, {record.customer for record in records})
    ordered_by = order_accounts(work, connection, {record.sales_order for record in records})
    orders: dict[str, int] = {
        no: order_id
        for no, order_id in work.session.execute(
            sa.select(Order.erp_no, Order.id).where(
                Order.erp_connection == connection,
                Order.erp_no.in_({r.sales_order for r in records}),
            )
        )
        if no
    }
    known = {
        row.no: row
        for row in work.session.scalars(
            sa.select(models.Invoice).where(models.Invoice.no.in_({r.erp_id for r in records}))
        )
    }
    changed, parked, shipments = 0, [], set()
    for record in records:
        if record.deleted:
            removed = known.pop(record.erp_id, None)
            if removed is not None:
                shipments.add(removed.shipment_no)
                work.session.delete(removed)
                changed += 1
            continue
        lost = record.sales_order if record.sales_order not in orders else record.customer
        if record.customer not in customers or (
            record.sales_order and record.sales_order not in orders
        ):
            parked.append((record.erp_id, Message("%(what)s is not known yet.", what=lost)))
            continue
        values = {
            "account_id": whose(customers[record.customer], ordered_by.get(record.sales_order)),
            "order_id": orders.get(record.sales_order),
            "shipment_no": record.shipment,
            "invoiced_on": record.invoiced_on,
            "due_on": record.due_on,
            "currency": record.currency,
            "total": record.total,
            "open_amount": record.open_amount,
        }
        row = known.get(record.erp_id)
        if row is None:
            row = models.Invoice(no=record.erp_id, **values)
            known[record.erp_id] = row
            work.session.add(row)
            changed += 1
            shipments.add(record.shipment)
        elif changed_in(row, values):
            changed += 1
            shipments.add(record.shipment)
            if row.order_id is not None:
                work.bump(f"order:{row.order_id}")
    _add_up_invoiced(work, shipments - {""})
    return Applied(changed, tuple(parked))


def _add_up_invoiced(work: Work, shipment_nos: Collection[str]) -> None:
    """Invoiced pieces of a line: those of its shipments that an invoice names."""
    if not shipment_nos:
        return
    work.session.flush()  # flush: the sums are taken by the database
    shipment, line = models.Shipment, models.ShipmentLine
    touched = set(
        work.session.scalars(
            sa.select(line.order_line_id)
            .join(shipment, shipment.id == line.shipment_id)
            .where(shipment.no.in_(shipment_nos))
        )
    )
    billed = sa.exists().where(models.Invoice.shipment_no == shipment.no)
    query = (
        sa.select(line.order_line_id, sa.func.sum(line.qty, type_=line.qty.type))
        .join(shipment, shipment.id == line.shipment_id)
        .where(line.order_line_id.in_(touched), billed)
        .group_by(line.order_line_id)
    )
    sums: dict[int, Decimal] = {row[0]: row[1] for row in work.session.execute(query)}
    record_quantities(
        work,
        [
            LineQuantities(order_line_id=line_id, invoiced_qty=sums.get(line_id, Decimal(0)))
            for line_id in sorted(touched)
        ],
    )
