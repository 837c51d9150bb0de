"""What the wrapper of the ECC face tells of each record: the structures of its tables."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from b2bcrm.ports.erp import (
    Customer,
    Entity,
    Invoice,
    Item,
    PurchaseOrder,
    Record,
    SalesOrder,
    SalesOrderLine,
    Shipment,
    StockLevel,
    WorkOrder,
)
from connectors.erp.twin.faces import FaceFault

Fields = dict[str, Any]
_LANGUAGE = {"en": "E", "zh_Hant": "M", "zh_Hans": "1"}
_WORK = {
    "planned": "CRTD",
    "released": "REL",
    "running": "PCNF",
    "done": "TECO",
    "cancelled": "DLT",
}
_STEP = {"waiting": "REL", "running": "PCNF", "done": "CNF"}
COMPANIES = {"1000": "FPD-TW", "2000": "FPD-CN"}


@dataclass(frozen=True)
class Rows:
    """One table: of which records, the field of its key, how a row is made."""

    entity: Entity
    table: str
    key: str
    fields: Callable[[Any], Fields]


def _customer(c: Customer) -> Fields:
    addresses = [
        {"PARVW": "AG" if a.kind == "bill_to" else "WE", "KUNN2": a.code, "NAME1": a.name,
         "STRAS": a.street, "ORT01": a.city, "LAND1": a.country,
         "TRANSIT_DAYS": f"{a.transit_days:03}", "RECEIVING_DAYS": a.receiving_days}
        for a in c.addresses
    ]  # fmt: skip
    contacts = [
        {"NAME": p.name, "EMAIL": p.email, "PHONE": p.phone, "ROLE": p.role} for p in c.contacts
    ]
    return {
        "KUNNR": c.erp_id, **_changed(c), **_company(c), "LOEVM": "", "NAME1": c.name,
        "SORTL": c.short_name, "STCEG": c.tax_id, "LAND1": c.country,
        "SPRAS": _LANGUAGE[c.language], "WAERS": c.currency, "PLTYP": c.price_list,
        "ZTERM": c.payment_terms, "INCO1": c.incoterm, "INCO2": c.incoterm_place,
        "KLABC": c.customer_class, "AUTLF": _flag(not c.partial_delivery),
        "KLIMK": c.credit_limit, "EXPOSURE": c.credit_used, "OVERDUE": c.overdue_amount,
        "CRBLB": _flag(c.credit_hold), "SALES_REP": c.sales_rep, "ADDRESSES": addresses,
        "CONTACTS": contacts,
    }  # fmt: skip


def _material(i: Item) -> Fields:
    return {
        "MATNR": i.erp_id, **_changed(i), **_company(i), "LVORM": _flag(not i.active),
        "MAKTX": i.name, "MAKTX_ZF": i.name_zh_hant, "MAKTX_ZH": i.name_zh_hans, "GROES": i.spec,
        "MATKL": i.family, "MTART": "DIEN" if i.kind == "service" else "FERT",
        "BESKZ": "E" if i.kind == "make" else "F", "MEINS": _unit(i.base_uom),
        "LEAD_DAYS": f"{i.lead_time_days:03}", "BSTFE": i.lot_size, "STPRS": i.standard_cost,
        "PEINH": 1, "WAERS": i.cost_currency, "NTGEW": i.weight_kg,
        "VMSTA": "" if i.sellable else "01",
    }  # fmt: skip


def _stock(s: StockLevel) -> Fields:
    return {
        "STOCK_KEY": s.erp_id, "MATNR": s.item, "WERKS": s.site, **_changed(s),
        "LABST": s.on_hand, "RESERVED": s.allocated,
    }  # fmt: skip


def _purchase_order(p: PurchaseOrder) -> Fields:
    items = [
        {
            "EBELP": f"{x.line_no:05}", "MATNR": x.item, "MENGE": x.qty, "WEMNG": x.received_qty,
            "EINDT": x.requested_on, "FIRST_CONFIRMED": _day(x.first_confirmed_on),
            "CONFIRMED": _day(x.confirmed_on), "RECEIVED": _day(x.received_on),
            "DEMAND": x.demand_ref,
        }
        for x in p.lines
    ]  # fmt: skip
    return {
        "EBELN": p.erp_id, **_changed(p), "LIFNR": p.supplier, "NAME1": p.supplier_name,
        "WERKS": p.site, "BEDAT": p.ordered_on, "ELIKZ": _flag(p.status == "closed"),
        "LOEKZ": "L" if p.status == "cancelled" else "", "ITEMS": items,
    }  # fmt: skip


def _production_order(w: WorkOrder) -> Fields:
    operations = [
        {
            "VORNR": f"{o.step_no:04}", "LTXA1": o.name, "ARBPL": o.work_center,
            "STATION": o.station, "STATUS": _STEP[o.status], "LMNGA": o.qty_done,
            "SSAVD": o.planned_start_on, "SSEDD": o.planned_end_on,
            "DONE_AT": stamp(o.done_at) if o.done_at else "0",
        }
        for o in w.operations
    ]  # fmt: skip
    return {
        "AUFNR": w.erp_id, **_changed(w), "MATNR": w.item, "WERKS": w.site, "GAMNG": w.qty,
        "WEMNG": w.completed_qty, "XMNGA": w.scrapped_qty, "STATUS": _WORK[w.status],
        "GSTRS": w.planned_start_on, "GLTRS": w.planned_end_on,
        "FIRST_GLTRS": w.first_planned_end_on, "GSTRI": _day(w.actual_start_on),
        "GLTRI": _day(w.actual_end_on), "DEMAND": w.demand_ref, "OPERATIONS": operations,
    }  # fmt: skip


def _order(o: SalesOrder) -> Fields:
    return {
        "VBELN": o.erp_id, **_changed(o), **_company(o), "BSTKD_E": o.reference,
        "BSTKD": o.customer_po, "KUNNR": o.customer, "KUNWE": o.ship_to, "AUDAT": o.ordered_on,
        "WAERK": o.currency, "INCO1": o.incoterm, "INCO2": o.incoterm_place,
        "ZTERM": o.payment_terms, "ABSTK": "C" if o.status == "cancelled" else "A",
        "GBSTK": "A" if o.status == "open" else "C", "WERKS": o.site,
        "ITEMS": [_order_item(line) for line in o.lines],
    }  # fmt: skip


def _order_item(line: SalesOrderLine) -> Fields:
    return {
        "POSNR": f"{line.line_no:06}", "MATNR": line.item, "KWMENG": line.qty,
        "VRKME": _unit(line.uom), "NETPR": line.unit_price, "KPEIN": line.price_per,
        "ZZDISCOUNT": line.discount_pct, "EDATU": line.requested_on,
        "ZZPROMISED": line.promised_on, "MBDAT": _day(line.planned_on), "LFIMG": line.shipped_qty,
        "FKIMG": line.invoiced_qty, "ABGRU": "ZZ" if line.status == "cancelled" else "",
        "GBSTA": "C" if line.status == "closed" else "A",
        "LFSTA": "A" if line.status == "open" else "C", "KDMAT": line.customer_part_no,
        "POSEX": line.customer_po_line,
    }  # fmt: skip


def _delivery(s: Shipment) -> Fields:
    items = [
        {"VGBEL": line.sales_order, "VGPOS": f"{line.order_line_no:06}", "MATNR": line.item,
         "LFIMG": line.qty}
        for line in s.lines
    ]  # fmt: skip
    return {
        "VBELN": s.erp_id, **_changed(s), **_company(s), "KUNAG": s.customer,
        "WADAT_IST": s.shipped_on, "PODAT": _day(s.delivered_on), "CARRIER": s.carrier,
        "TRACKN": s.tracking_no, "ITEMS": items,
    }  # fmt: skip


def _invoice(i: Invoice) -> Fields:
    return {
        "VBELN": i.erp_id, **_changed(i), **_company(i), "KUNAG": i.customer,
        "AUBEL": i.sales_order, "VGBEL": i.shipment, "FKDAT": i.invoiced_on, "NETDT": i.due_on,
        "WAERK": i.currency, "NETWR": i.total, "OPEN_AMOUNT": i.open_amount,
    }  # fmt: skip


ROWS: Mapping[str, Rows] = {
    "Z_CRM_CUSTOMERS_GET": Rows(Entity.CUSTOMER, "ET_CUSTOMERS", "KUNNR", _customer),
    "Z_CRM_MATERIALS_GET": Rows(Entity.ITEM, "ET_MATERIALS", "MATNR", _material),
    "Z_CRM_STOCK_GET": Rows(Entity.STOCK, "ET_STOCK", "STOCK_KEY", _stock),
    "Z_CRM_PURCHASEORDERS_GET": Rows(
        Entity.PURCHASE_ORDER, "ET_PURCHASEORDERS", "EBELN", _purchase_order
    ),
    "Z_CRM_PRODORDERS_GET": Rows(Entity.WORK_ORDER, "ET_PRODORDERS", "AUFNR", _production_order),
    "Z_CRM_SALESORDERS_GET": Rows(Entity.SALES_ORDER, "ET_SALESORDERS", "VBELN", _order),
    "Z_CRM_DELIVERIES_GET": Rows(Entity.SHIPMENT, "ET_DELIVERIES", "VBELN", _delivery),
    "Z_CRM_INVOICES_GET": Rows(Entity.INVOICE, "ET_INVOICES", "VBELN", _invoice),
}


def stamp(at: dt.datetime) -> str:
    """An instant as SAP's TIMESTAMP: UTC, whole seconds, a number."""
    return at.astimezone(dt.UTC).strftime("%Y%m%d%H%M%S")


def _changed(record: Record) -> Fields:
    if record.updated_at is None:
        raise FaceFault("Server", "a record without a change instant")
    return {"CHANGENR": record.version.zfill(10), "TSTAMP": stamp(record.updated_at)}


def _company(record: Record) -> Fields:
    return {"BUKRS": next(k for k, v in COMPANIES.items() if v == record.company)}


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day is not None else "0000-00-00"


def _flag(value: bool) -> str:  # noqa: FBT001 - it is what the flag says
    return "X" if value else ""


def _unit(uom: str) -> str:
    return "ST" if uom == "PCS" else uom
