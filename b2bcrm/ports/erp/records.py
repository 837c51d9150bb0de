"""What an ERP holds, as frozen records in our own words. No SOAP name leaks past the port.

Ids are strings as the ERP writes them (leading zeros kept), numbers are Decimal with unit or
currency, dates are dates, instants aware UTC.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class Record:
    """Common to all records. ``version`` is the ERP's own change mark, opaque to us."""

    erp_id: str
    version: str = ""
    updated_at: dt.datetime | None = None
    company: str = ""
    deleted: bool = False
    ext: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Address:
    """``kind`` is bill_to or ship_to; ``code`` is the ERP's key of a ship-to."""

    kind: str
    code: str
    name: str
    street: str
    city: str
    country: str
    receiving_days: str = "1111100"  # Monday first; 1 = goods are taken in
    transit_days: int = 0


@dataclass(frozen=True, kw_only=True)
class ContactInfo:
    """A person at the customer as the ERP knows him."""

    name: str
    email: str = ""
    phone: str = ""
    role: str = ""


@dataclass(frozen=True, kw_only=True)
class Customer(Record):
    """``credit_used`` counts open invoices and open orders, in the customer's currency."""

    name: str
    short_name: str
    tax_id: str
    country: str
    language: str  # en, zh_Hant, zh_Hans
    currency: str
    price_list: str
    payment_terms: str
    incoterm: str
    incoterm_place: str
    customer_class: str  # A, B, C
    credit_limit: Decimal
    credit_used: Decimal
    overdue_amount: Decimal
    credit_hold: bool
    partial_delivery: bool
    sales_rep: str
    addresses: tuple[Address, ...] = ()
    contacts: tuple[ContactInfo, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Item(Record):
    """``kind`` is make, buy or service; lead time is in working days of the site."""

    name: str
    name_zh_hant: str
    name_zh_hans: str
    spec: str
    family: str
    kind: str
    base_uom: str
    lead_time_days: int
    lot_size: Decimal
    standard_cost: Decimal
    cost_currency: str
    weight_kg: Decimal
    sellable: bool
    active: bool
    customer_part_nos: Mapping[str, str] = field(default_factory=dict)  # customer erp_id -> number


@dataclass(frozen=True, kw_only=True)
class BomLine:
    """``qty_per`` of ``component`` in one of the parent, from and to a day, both in.

    A line that stands in for another component takes its place where that is not there in time;
    ``qty_per`` is then what one parent takes of it instead.
    """

    component: str
    qty_per: Decimal
    scrap_pct: Decimal
    uom: str
    valid_from: dt.date | None = None  # None: always was
    valid_to: dt.date | None = None  # None: no end
    stands_in_for: str = ""  # a component of the same parent


@dataclass(frozen=True, kw_only=True)
class RoutingStep:
    """One operation: fixed plus per-piece hours on a work centre."""

    step_no: int
    name: str
    work_center: str
    setup_hours: Decimal
    unit_hours: Decimal


@dataclass(frozen=True, kw_only=True)
class Bom(Record):
    """Components and routing of ``item`` (erp_id equals the item's)."""

    item: str
    lines: tuple[BomLine, ...]
    routing: tuple[RoutingStep, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WorkCenter(Record):
    """A machine group: hours per working day and its station on the virtual factory."""

    name: str
    site: str
    station: str  # prep, turning, heat, grinding, assembly, test, packing
    hours_per_day: Decimal
    calendar: str


@dataclass(frozen=True, kw_only=True)
class StockLevel(Record):
    """Free stock of an item at a site: ``available`` = on hand - allocated (may be negative)."""

    item: str
    site: str
    on_hand: Decimal
    allocated: Decimal
    as_of: dt.datetime


@dataclass(frozen=True, kw_only=True)
class PurchaseOrderLine:
    """``confirmed_on`` is the supplier's word, ``first_confirmed_on`` his first word."""

    line_no: int
    item: str
    qty: Decimal
    received_qty: Decimal
    requested_on: dt.date
    first_confirmed_on: dt.date | None
    confirmed_on: dt.date | None
    received_on: dt.date | None
    demand_ref: str = ""  # work order number or SO/line it was bought for; empty = stock


@dataclass(frozen=True, kw_only=True)
class PurchaseOrder(Record):
    """erp_id is the PO number. ``status`` is open, closed or cancelled."""

    supplier: str
    supplier_name: str
    site: str
    ordered_on: dt.date
    status: str
    lines: tuple[PurchaseOrderLine, ...]


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One step of a work order. ``status`` is waiting, running or done."""

    step_no: int
    name: str
    work_center: str
    station: str
    status: str
    qty_done: Decimal
    planned_start_on: dt.date
    planned_end_on: dt.date
    done_at: dt.datetime | None = None


@dataclass(frozen=True, kw_only=True)
class WorkOrder(Record):
    """erp_id is the work order number. ``status``: planned, released, running, done, cancelled.

    ``demand_ref`` is the parent: ``<erp sales order no>/<line>`` or a work order number.
    """

    item: str
    site: str
    qty: Decimal
    completed_qty: Decimal
    scrapped_qty: Decimal
    status: str
    planned_start_on: dt.date
    planned_end_on: dt.date
    first_planned_end_on: dt.date
    actual_start_on: dt.date | None
    actual_end_on: dt.date | None
    demand_ref: str
    operations: tuple[Operation, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SalesOrderLine:
    """A line as the ERP holds it. ``planned_on`` is the ERP's own ship date.

    ``unit_price`` is the price of ``price_per`` units (1, 100, 1000), before tax.
    """

    line_no: int
    item: str
    qty: Decimal
    uom: str
    unit_price: Decimal
    discount_pct: Decimal
    requested_on: dt.date
    promised_on: dt.date
    planned_on: dt.date | None
    shipped_qty: Decimal
    invoiced_qty: Decimal
    status: str  # open, shipped, closed, cancelled
    customer_part_no: str = ""
    customer_po_line: str = ""
    price_per: Decimal = Decimal(1)


@dataclass(frozen=True, kw_only=True)
class SalesOrder(Record):
    """erp_id is the ERP's order number; ``reference`` is ours (empty if typed in the ERP).

    ``total`` is the ERP's own sum before tax, None where it does not say.
    """

    reference: str
    customer: str
    customer_po: str
    ordered_on: dt.date
    currency: str
    ship_to: str
    incoterm: str
    incoterm_place: str
    payment_terms: str
    status: str  # open, closed, cancelled
    site: str
    lines: tuple[SalesOrderLine, ...]
    total: Decimal | None = None


@dataclass(frozen=True, kw_only=True)
class ShipmentLine:
    """Part of a sales order line that left."""

    sales_order: str
    order_line_no: int
    item: str
    qty: Decimal


@dataclass(frozen=True, kw_only=True)
class Shipment(Record):
    """erp_id is the delivery number; ``delivered_on`` comes from the carrier's proof."""

    customer: str
    shipped_on: dt.date
    delivered_on: dt.date | None
    carrier: str
    tracking_no: str
    lines: tuple[ShipmentLine, ...]


@dataclass(frozen=True, kw_only=True)
class Invoice(Record):
    """erp_id is the invoice number; amounts include no tax estimate of ours."""

    customer: str
    sales_order: str
    shipment: str
    invoiced_on: dt.date
    due_on: dt.date
    currency: str
    total: Decimal
    open_amount: Decimal


@dataclass(frozen=True, kw_only=True)
class PriceBreak(Record):
    """Unit price from ``min_qty`` on, in a price list."""

    price_list: str
    item: str
    currency: str
    min_qty: Decimal
    unit_price: Decimal
    valid_from: dt.date
    valid_to: dt.date | None
