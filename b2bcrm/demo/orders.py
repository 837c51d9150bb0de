"""Sales orders of the ERP as rows, with what was shipped, delivered and billed of each line.

What a pull over SOAP would store, made in one go; a test holds the two together. The demo's past
(``past``) then gives the orders their quotes and instants before they are written.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account, ErpCustomer, ShipTo
from b2bcrm.demo.rows import Row, Rows
from b2bcrm.fulfillment import models as supply
from b2bcrm.kernel.money import line_net
from b2bcrm.kernel.numbering import NumberCounter
from b2bcrm.kernel.organization import Site, rates_on
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import FINAL, STATE_WORDS, ErpSync, OrderState, Stage, Status
from b2bcrm.orders.models import Order, OrderLine, Origin
from b2bcrm.ports import erp
from b2bcrm.sync.connections import MAIN

ZERO = Decimal(0)
_OURS = re.compile(r"SO-(\d\d)-(\d{5,})/(\d+)")
_STATES = {
    "open": OrderState.CONFIRMED,
    "closed": OrderState.CLOSED,
    "cancelled": OrderState.CANCELLED,
}
FIRST_SEEN = Message("The ERP's date as first seen")


@dataclass(slots=True)
class Left:
    """A part of a line that left: how many, when, and when it arrived."""

    shipped_on: dt.date
    delivered_on: dt.date | None
    qty: Decimal


@dataclass(slots=True)
class LoadedLine:
    """An order line about to be written; ``left`` are its shipments, oldest first."""

    row: Row
    item_no: str
    left: list[Left] = field(default_factory=list)
    promises: list[Row] = field(default_factory=list)

    @property
    def delivered_on(self) -> dt.date | None:
        """When the last piece arrived; None while something is missing."""
        if self.row["delivered_qty"] < self.row["ordered_qty"]:
            return None
        return max((part.delivered_on for part in self.left if part.delivered_on), default=None)


@dataclass(slots=True)
class LoadedOrder:
    """An order about to be written, and the record that it came from."""

    record: erp.SalesOrder
    row: Row
    lines: list[LoadedLine]

    @property
    def ours(self) -> bool:
        """Whether it began here: the ERP carries our number."""
        return bool(self.record.reference)


@dataclass
class OrderBook:
    """All orders and deliveries of the world, before they are written."""

    orders: list[LoadedOrder]
    shipments: list[Row]
    shipment_lines: list[Row]
    invoices: list[Row]
    counters: dict[tuple[str, int], int]


@dataclass
class _Parents:
    customers: dict[str, ErpCustomer]
    accounts: dict[int, Account]
    items: dict[str, int]
    sites: dict[str, Site]
    ship_tos: dict[tuple[int | None, str], int]
    rates: Mapping[str, Decimal]


def read(
    work: Work,
    rows: Rows,
    *,
    sales: Iterable[erp.SalesOrder],
    shipments: Iterable[erp.Shipment],
    invoices: Iterable[erp.Invoice],
) -> OrderBook:
    """Rows of all orders with their lines, shipments and invoices; ids are given, nothing is
    written yet.
    """
    parents = _parents(work)
    book = OrderBook([], [], [], [], {})
    by_ref: dict[tuple[str, int], LoadedLine] = {}
    ids: dict[str, int] = {}
    for record in sales:
        order = _order(work, rows, parents, book, record)
        book.orders.append(order)
        ids[record.erp_id] = order.row["id"]
        for line in order.lines:
            by_ref[record.erp_id, line.row["line_no"]] = line
    parts = _ship(rows, parents, book, by_ref, shipments)
    _bill(rows, parents, book, ids, invoices=invoices, parts=parts)
    for order in book.orders:
        _close_if_done(work, order)
    return book


def _parents(work: Work) -> _Parents:
    session = work.session
    customers = {row.erp_id: row for row in session.scalars(sa.select(ErpCustomer))}
    accounts = {row.id: row for row in session.scalars(sa.select(Account))}
    ship_tos = session.execute(sa.select(ShipTo.erp_customer_id, ShipTo.code, ShipTo.id))
    return _Parents(
        customers=customers,
        accounts=accounts,
        items=dict(session.execute(sa.select(Item.no, Item.id)).all()),
        sites={site.code: site for site in session.scalars(sa.select(Site))},
        ship_tos={(customer_id, code): key for customer_id, code, key in ship_tos},
        rates=rates_on(session, work.today),
    )


def _order(
    work: Work, rows: Rows, parents: _Parents, book: OrderBook, record: erp.SalesOrder
) -> LoadedOrder:
    customer, site = parents.customers[record.customer], parents.sites[record.site]
    account = parents.accounts[customer.account_id]
    state = _STATES[record.status]
    no, amendment = _number(book, record)
    order_id = rows.next_id(Order)
    lines = [_line(rows, parents, order_id, record.currency, line) for line in record.lines]
    row = {
        "id": order_id,
        "no": no,
        "company_id": site.company_id,
        "site_id": site.id,
        "account_id": account.id,
        "erp_customer_id": customer.id,
        "contact_id": None,
        "ship_to_id": parents.ship_tos.get((customer.id, record.ship_to)),
        "quote_id": None,
        "owner_id": account.owner_id,
        "origin": Origin.ERP,
        "state": state,
        "amendment_no": amendment,
        "customer_po": record.customer_po,
        "currency": record.currency,
        "rate": parents.rates.get(record.currency, Decimal(1)),
        "total": sum((ln.row["net"] for ln in lines if not ln.row["cancelled"]), ZERO),
        "incoterm": record.incoterm,
        "incoterm_place": record.incoterm_place,
        "payment_terms": record.payment_terms,
        "partial_delivery": account.partial_delivery,
        "note": "",
        "ordered_on": record.ordered_on,
        "confirmed_at": work.now,
        "closed_at": None if state is OrderState.CONFIRMED else work.now,
        "erp_sync": ErpSync.ACCEPTED,
        "erp_connection": MAIN,
        "erp_no": record.erp_id,
        "erp_version": record.version,
        "erp_since": work.now,
        "changed_at": work.now,
        "changed_by": "ERP",
        "version": 1,
    }
    return LoadedOrder(record, row, lines)


def _number(book: OrderBook, record: erp.SalesOrder) -> tuple[str, int]:
    match = _OURS.fullmatch(record.reference)
    if match is not None:
        key, n = ("SO", 2000 + int(match[1])), int(match[2])
        book.counters[key] = max(book.counters.get(key, 0), n)
        return record.reference.split("/")[0], int(match[3])
    year = record.ordered_on.year
    n = book.counters[("SOE", year)] = book.counters.get(("SOE", year), 0) + 1
    return f"SO-{year % 100:02d}-E{n:04d}", 0


def _line(
    rows: Rows, parents: _Parents, order_id: int, currency: str, line: erp.SalesOrderLine
) -> LoadedLine:
    row = {
        "id": rows.next_id(OrderLine),
        "order_id": order_id,
        "line_no": line.line_no,
        "item_id": parents.items[line.item],
        "description": "",
        "customer_part_no": line.customer_part_no,
        "customer_po_line": line.customer_po_line,
        "unit": line.uom,
        "ordered_qty": line.qty,
        "produced_qty": ZERO,
        "shipped_qty": ZERO,
        "delivered_qty": ZERO,
        "returned_qty": ZERO,
        "invoiced_qty": ZERO,
        "unit_price": line.unit_price,
        "discount_pct": line.discount_pct,
        "net": line_net(line.unit_price, line.qty, line.discount_pct, currency).amount,
        "requested_on": line.requested_on,
        "first_promised_on": line.promised_on,
        "promised_on": line.promised_on,
        "planned_on": line.planned_on,
        "cancelled": line.status == "cancelled",
    }
    return LoadedLine(row, line.item)


def _ship(
    rows: Rows,
    parents: _Parents,
    book: OrderBook,
    by_ref: Mapping[tuple[str, int], LoadedLine],
    shipments: Iterable[erp.Shipment],
) -> dict[str, list[tuple[LoadedLine, Decimal]]]:
    """Rows of shipments; answers what each one carried."""
    parts: dict[str, list[tuple[LoadedLine, Decimal]]] = {}
    for record in shipments:
        shipment_id = rows.next_id(supply.Shipment)
        book.shipments.append(
            {
                "id": shipment_id,
                "no": record.erp_id,
                "account_id": parents.customers[record.customer].account_id,
                "shipped_on": record.shipped_on,
                "delivered_on": record.delivered_on,
                "carrier": record.carrier,
                "tracking_no": record.tracking_no,
                "received_by": "",
            }
        )
        carried: dict[tuple[str, int], Decimal] = defaultdict(Decimal)
        for line in record.lines:
            carried[line.sales_order, line.order_line_no] += line.qty
        parts[record.erp_id] = []
        for key, qty in carried.items():
            line_ = by_ref[key]
            line_.left.append(Left(record.shipped_on, record.delivered_on, qty))
            line_.row["shipped_qty"] += qty
            if record.delivered_on is not None:
                line_.row["delivered_qty"] += qty
            parts[record.erp_id].append((line_, qty))
            book.shipment_lines.append(
                {
                    "id": rows.next_id(supply.ShipmentLine),
                    "shipment_id": shipment_id,
                    "order_line_id": line_.row["id"],
                    "qty": qty,
                }
            )
    return parts


def _bill(
    rows: Rows,
    parents: _Parents,
    book: OrderBook,
    order_ids: Mapping[str, int],
    *,
    invoices: Iterable[erp.Invoice],
    parts: dict[str, list[tuple[LoadedLine, Decimal]]],
) -> None:
    for record in invoices:
        book.invoices.append(
            {
                "id": rows.next_id(supply.Invoice),
                "no": record.erp_id,
                "account_id": parents.customers[record.customer].account_id,
                "order_id": order_ids.get(record.sales_order),
                "shipment_no": record.shipment,
                "invoiced_on": record.invoiced_on,
                "due_on": record.due_on,
                "currency": record.currency,
                "total": record.total,
                "open_amount": record.open_amount,
            }
        )
        for line, qty in parts.pop(record.shipment, ()):
            line.row["invoiced_qty"] += qty


def _close_if_done(work: Work, order: LoadedOrder) -> None:
    """What ``record_quantities`` does: everything delivered ends an order."""
    living = [line.row for line in order.lines if not line.row["cancelled"]]
    done = all(row["delivered_qty"] >= row["ordered_qty"] for row in living)
    if living and done and order.row["state"] is OrderState.CONFIRMED:
        order.row["state"], order.row["closed_at"] = OrderState.CLOSED, work.now


def write(work: Work, rows: Rows, book: OrderBook) -> None:
    """Write all of it, with the promise history and the projections of ended orders."""
    lines = [line for order in book.orders for line in order.lines]
    rows.put(Order, [order.row for order in book.orders])
    rows.put(OrderLine, [line.row for line in lines])
    rows.put(supply.Shipment, book.shipments)
    rows.put(supply.ShipmentLine, book.shipment_lines)
    rows.put(supply.Invoice, book.invoices)
    promises = [
        promise
        for order in book.orders
        for line in order.lines
        for promise in line.promises or [first_seen(work, order, line)]
    ]
    for promise in promises:
        promise["id"] = rows.next_id(supply.Promise)
    rows.put(supply.Promise, promises)
    ended = [order for order in book.orders if order.row["state"] in FINAL]
    rows.put(supply.LineProjection, [p for order in ended for p in _line_ends(work, order)])
    rows.put(supply.OrderProjection, [_order_end(work, order) for order in ended])
    for (series, year), last in book.counters.items():
        work.session.add(NumberCounter(series=series, year=year, last=last))
    work.session.flush()  # flush: numbers must go on from here


def first_seen(work: Work, order: LoadedOrder, line: LoadedLine) -> Row:
    """The first promise of an order that was typed in the ERP."""
    return {
        "order_line_id": line.row["id"],
        "kind": "erp_first_seen",
        "promised_on": line.row["first_promised_on"],
        "previous_on": None,
        "reason_code": "",
        "reason": FIRST_SEEN,
        "by_name": work.actor.name,
        "at": order.row["confirmed_at"],
    }


def _end(work: Work, order: LoadedOrder) -> Row:
    state = order.row["state"]
    where = Stage.DELIVERED if state is OrderState.CLOSED else Stage.ORDER
    return {
        "stage": where,
        "status": Status.DONE,
        "status_reason": STATE_WORDS[state],
        "cause_kind": "",
        "computed_at": work.now,
    }


def _line_ends(work: Work, order: LoadedOrder) -> Iterable[Row]:
    share = 100 if order.row["state"] is OrderState.CLOSED else 0
    common = _end(work, order) | {
        "order_id": order.row["id"],
        "material_pct": share,
        "production_pct": share,
        "progress_pct": share,
        "chain": [],
        "stations": {},
    }
    for line in order.lines:
        if not line.row["cancelled"]:
            yield common | {"order_line_id": line.row["id"]}


def _order_end(work: Work, order: LoadedOrder) -> Row:
    living = [line.row for line in order.lines if not line.row["cancelled"]]
    return _end(work, order) | {
        "order_id": order.row["id"],
        "account_id": order.row["account_id"],
        "requested_on": max((row["requested_on"] for row in living), default=None),
        "promised_on": max((row["promised_on"] for row in living), default=None),
        "stage_pct": 100 if order.row["state"] is OrderState.CLOSED else 0,
        "open_value": ZERO,
        "stages": {},
        "stale": any(_came_late(line) for line in order.lines),
    }


def _came_late(line: LoadedLine) -> bool:
    """Whether it may have: then where its days were lost is computed, as a pull would."""
    first = line.row["first_promised_on"]
    return any((part.delivered_on or part.shipped_on) > first for part in line.left)
