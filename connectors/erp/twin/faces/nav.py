"""Dynamics NAV pages over the twin's world: Read, ReadMultiple with filters and a bookmark, Create.

Keys are '<number>;<version>'. Pages come in the order of numbers, as a page without a view has it.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import unquote

from lxml import etree

from b2bcrm.ports.erp import (
    Customer,
    Entity,
    Invoice,
    Item,
    OrderDraft,
    OrderDraftLine,
    Record,
    SalesOrder,
    Shipment,
)
from connectors.erp.outgoing import outgoing
from connectors.erp.paths import local
from connectors.erp.twin.faces import (
    COMPANY_CODES,
    Face,
    FaceFault,
    everything,
    schema_of,
    validate,
)
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.world import TwinWorld
from connectors.erp.wsdls import WSDL_DIR

Fields = dict[str, Any]
EXCEPTIONS = "Microsoft.Dynamics.Nav.Types.Exceptions"
_LANGUAGE = {"en": "ENU", "zh_Hant": "CHT", "zh_Hans": "CHS"}
_UNITS = {"PCS": "PIECE"}
_STEP = 10_000  # between two line numbers


def _customer(c: Customer) -> Fields:
    bill_to = next((a for a in c.addresses if a.kind == "bill_to"), None)
    contact = c.contacts[0] if c.contacts else None
    return {
        "Name": c.name, "Search_Name": c.short_name,
        "Address": bill_to and bill_to.street, "City": bill_to and bill_to.city,
        "Country_Region_Code": c.country,
        "Contact": contact and contact.name, "Phone_No": contact and contact.phone,
        "E_Mail": contact and contact.email,
        "Language_Code": _LANGUAGE[c.language], "Currency_Code": c.currency,
        "Customer_Price_Group": c.price_list, "Payment_Terms_Code": c.payment_terms,
        "Shipment_Method_Code": c.incoterm, "Salesperson_Code": c.sales_rep,
        "VAT_Registration_No": c.tax_id, "Credit_Limit_LCY": c.credit_limit,
        "Balance_LCY": c.credit_used, "Balance_Due_LCY": c.overdue_amount,
        "Blocked": "All" if c.credit_hold else "_blank_",
        "Shipping_Advice": "Partial" if c.partial_delivery else "Complete",
    }  # fmt: skip


def _item(i: Item) -> Fields:
    return {
        "Description": i.name, "Description_2": i.spec, "Item_Category_Code": i.family,
        "Type": "Service" if i.kind == "service" else "Inventory",
        "Replenishment_System": "Prod_Order" if i.kind == "make" else "Purchase",
        "Base_Unit_of_Measure": _UNITS.get(i.base_uom, i.base_uom), "Lot_Size": i.lot_size,
        "Unit_Cost": i.standard_cost, "Net_Weight": i.weight_kg,
        "Sales_Blocked": not i.sellable, "Blocked": not i.active,
    }  # fmt: skip


def _order(o: SalesOrder) -> Fields:
    lines = [
        {
            "Key": f"{o.erp_id};{n};{o.version}", "Type": "Item", "Line_No": line.line_no * _STEP,
            "No": line.item, "Quantity": line.qty,
            "Unit_of_Measure_Code": _UNITS.get(line.uom, line.uom),
            "Unit_Price": line.unit_price, "Line_Discount_Percent": line.discount_pct,
            "Requested_Delivery_Date": line.requested_on,
            "Promised_Delivery_Date": line.promised_on, "Planned_Shipment_Date": line.planned_on,
            "Quantity_Shipped": line.shipped_qty, "Quantity_Invoiced": line.invoiced_qty,
            "Completely_Shipped": line.status != "open",
            "Cross_Reference_No": line.customer_part_no,
        }
        for n, line in enumerate(o.lines)
    ]  # fmt: skip
    remark = {"Type": "_blank_", "Line_No": 5, "Description": "Thank you for your order."}
    return {
        "Sell_to_Customer_No": o.customer, "External_Document_No": o.customer_po,
        "Your_Reference": o.reference, "Order_Date": o.ordered_on, "Currency_Code": o.currency,
        "Ship_to_Code": o.ship_to, "Shipment_Method_Code": o.incoterm,
        "Payment_Terms_Code": o.payment_terms, "Location_Code": o.site, "Status": "Released",
        "SalesLines": ("Sales_Order_Line", [*lines, remark]),
    }  # fmt: skip


def _shipment(s: Shipment) -> Fields:
    lines = [
        {"Type": "Item", "No": line.item, "Quantity": line.qty, "Order_No": line.sales_order,
         "Order_Line_No": line.order_line_no * _STEP}
        for line in s.lines
    ]  # fmt: skip
    return {
        "Sell_to_Customer_No": s.customer, "Shipment_Date": s.shipped_on,
        "Shipping_Agent_Code": s.carrier, "Package_Tracking_No": s.tracking_no,
        "SalesShipmLines": ("Posted_Sales_Shpt_Line", lines),
    }  # fmt: skip


def _invoice(i: Invoice) -> Fields:
    return {
        "Sell_to_Customer_No": i.customer, "Order_No": i.sales_order, "Shipment_No": i.shipment,
        "Posting_Date": i.invoiced_on, "Due_Date": i.due_on, "Currency_Code": i.currency,
        "Amount_Including_VAT": i.total, "Remaining_Amount": i.open_amount,
    }  # fmt: skip


PAGES: Mapping[str, tuple[Entity, Callable[[Any], Fields]]] = {
    "Customer": (Entity.CUSTOMER, _customer),
    "Item": (Entity.ITEM, _item),
    "SalesOrder": (Entity.SALES_ORDER, _order),
    "PostedSalesShipment": (Entity.SHIPMENT, _shipment),
    "PostedSalesInvoice": (Entity.INVOICE, _invoice),
}


class NavFace(Face):
    """Pages of one company."""

    def __init__(self, world: TwinWorld) -> None:
        self.world = world
        self._schemas = {
            page: schema_of(WSDL_DIR / "dynamics-nav-1" / f"{page}.wsdl") for page in PAGES
        }

    def answer(self, path: str, request: etree._Element) -> etree._Element:
        """By the page in the address and the operation in the body."""
        *_, company, _, page = ["", "", *unquote(path).split("/")]
        operation = local(request.tag)
        if page not in PAGES:
            raise FaceFault("Client", f"there is no page {page}")
        if company not in COMPANY_CODES:
            raise FaceFault(f"{EXCEPTIONS}.NavCompanyException", f"there is no company {company}")
        validate(self._schemas[page], request)
        acts = {"Read": self._read, "ReadMultiple": self._read_multiple, "Create": self._create}
        if operation not in acts:
            raise FaceFault("Client", f"the page {page} does not offer {operation} here")
        answer = acts[operation](page, request)
        validate(self._schemas[page], answer)
        return answer

    def refusal(self, request: etree._Element, no: TwinRefusal) -> etree._Element:
        """NAV's no is the text of an exception."""
        del request
        raise FaceFault(f"{EXCEPTIONS}.NavCSideException", no.text) from no

    def _read(self, page: str, request: etree._Element) -> etree._Element:
        record = self.world.get(PAGES[page][0], _text(request, "No"))
        answer = _made(page, "Read_Result")
        if record is not None:
            _add(answer, page, self._fields(page, record))
        return answer

    def _read_multiple(self, page: str, request: etree._Element) -> etree._Element:
        entity, _ = PAGES[page]
        rows = sorted(everything(self.world, entity), key=lambda row: row.erp_id)
        filters = [(_text(f, "Field"), _text(f, "Criteria")) for f in request.iter("{*}filter")]
        after = _text(request, "bookmarkKey").partition(";")[0]
        size = int(_text(request, "setSize")) or len(rows)
        answer = _made(page, "ReadMultiple_Result")
        found: list[Fields] = []
        for row in rows:
            if row.erp_id > after and len(found) < size:
                fields = self._fields(page, row)
                if all(_passes(fields.get(name), criteria) for name, criteria in filters):
                    found.append(fields)
        if found:  # an empty page has no list at all
            holder = _made(page, "ReadMultiple_Result")
            for fields in found:
                _add(holder, page, fields)
            answer.append(holder)
        return answer

    def _create(self, page: str, request: etree._Element) -> etree._Element:
        header = {local(e.tag): e.text or "" for e in request[0]}
        lines = [
            _line(number, {local(e.tag): e.text or "" for e in line})
            for number, line in enumerate(request.iter("{*}Sales_Order_Line"), 1)
        ]
        draft = OrderDraft(
            reference=header.get("Your_Reference", ""),
            customer=header.get("Sell_to_Customer_No", ""),
            customer_po=header.get("External_Document_No", ""),
            ordered_on=dt.date.fromisoformat(header["Order_Date"]),
            currency=header.get("Currency_Code", ""),
            ship_to=header.get("Ship_to_Code", ""),
            incoterm=header.get("Shipment_Method_Code", ""),
            incoterm_place="",
            payment_terms=header.get("Payment_Terms_Code", ""),
            site=header.get("Location_Code", ""),
            note="",
            lines=tuple(lines),
        )
        made = self.world.create(draft)
        order = self.world.get(Entity.SALES_ORDER, made.erp_id)
        answer = _made(page, "Create_Result")
        if order is not None:
            fields = self._fields(page, order)
            kind, rows = fields["SalesLines"]
            fields["SalesLines"] = (kind, rows[:-1])
            _add(answer, page, fields)
        return answer

    @staticmethod
    def _fields(page: str, record: Record) -> Fields:
        own = PAGES[page][1](record)
        head = {"Key": f"{record.erp_id};{record.version}", "No": record.erp_id}
        return head | own | {"Last_Modified_DateTime": record.updated_at}


def _line(number: int, values: Mapping[str, str]) -> OrderDraftLine:
    unit = values.get("Unit_of_Measure_Code", "")
    asked = dt.date.fromisoformat(values["Requested_Delivery_Date"])
    return OrderDraftLine(
        line_no=number,
        item=values.get("No", ""),
        qty=Decimal(values["Quantity"]),
        uom=next((ours for ours, theirs in _UNITS.items() if theirs == unit), unit),
        unit_price=Decimal(values.get("Unit_Price", "0")),
        discount_pct=Decimal(values.get("Line_Discount_Percent", "0")),
        requested_on=asked,
        promised_on=dt.date.fromisoformat(values.get("Promised_Delivery_Date", asked.isoformat())),
        customer_part_no=values.get("Cross_Reference_No", ""),
    )


def _passes(value: Any, criteria: str) -> bool:
    """NAV's filter: nothing, 'from..', a beginning with '*', or the value itself."""
    if not criteria:
        return True
    text = outgoing(value) if value is not None else ""
    if criteria.endswith(".."):
        return text >= criteria.removesuffix("..")
    if criteria.endswith("*"):
        return text.startswith(criteria.removesuffix("*"))
    if re.search(r"[<>|&()=?]", criteria):
        raise FaceFault(f"{EXCEPTIONS}.NavFilterException", f"the filter {criteria} is not valid")
    return text == criteria


def _made(page: str, name: str) -> etree._Element:
    namespace = f"urn:microsoft-dynamics-schemas/page/{page.lower()}"
    nsmap: Any = {None: namespace}
    return etree.Element(f"{{{namespace}}}{name}", nsmap=nsmap)


def _add(parent: etree._Element, name: str, fields: Mapping[str, Any]) -> None:
    """An element with the fields that have a value, in the page's order."""
    namespace = etree.QName(parent).namespace
    element = etree.SubElement(parent, f"{{{namespace}}}{name}")
    order = _ORDER[name]
    for field in sorted(fields, key=order.index):
        value = fields[field]
        if isinstance(value, tuple):
            kind, rows = value
            if rows:
                holder = etree.SubElement(element, f"{{{namespace}}}{field}")
                for row in rows:
                    _add(holder, kind, row)
        elif value is not None and value != "":
            etree.SubElement(element, f"{{{namespace}}}{field}").text = outgoing(value)


def _text(element: etree._Element, name: str) -> str:
    return element.findtext(f"{{*}}{name}") or ""


def _declared(page: str) -> dict[str, list[str]]:
    """The order of elements in each type of a page, from its WSDL."""
    tree = etree.parse(str(WSDL_DIR / "dynamics-nav-1" / f"{page}.wsdl"))
    return {
        str(kind.get("name")): [str(e.get("name")) for e in kind.iter("{*}element")]
        for kind in tree.iter("{*}complexType")
        if kind.get("name")
    }


_ORDER: Mapping[str, list[str]] = {
    name: names for page in PAGES for name, names in _declared(page).items()
}
