"""Digiwin TIPTOP's service gateway over the twin's world: one string in, one string out.

A request is held against the sample of its function: an element, an attribute or a column that
the sample does not know is refused. Conditions are the few forms that the gateway's SQL is sent.
"""

from __future__ import annotations

import datetime as dt
import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from b2bcrm.ports.erp import Customer, Entity, Item, OrderDraft, OrderDraftLine, Record, SalesOrder
from connectors.erp.outgoing import outgoing
from connectors.erp.paths import NameValue, local
from connectors.erp.twin.faces import (
    COMPANY_CODES,
    Face,
    FaceFault,
    everything,
    schema_of,
    validate,
)
from connectors.erp.twin.faces.strings import beyond, parsed, sample_of
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.world import TwinWorld
from connectors.erp.wsdls import WSDL_DIR

BUNDLE = WSDL_DIR / "digiwin-tiptop-1"
NAMESPACE = "http://www.dsc.com.tw/tiptop/TIPTOPServiceGateWay"
FIELD = NameValue("Field")
Columns = dict[str, Any]
_CONDITION = re.compile(r"(\w+) (=|>=|matches) '([^']*)'")
_SOURCES = {"make": "M", "buy": "P", "service": "S"}
_CREATE = "cws_create_crm_so"


def _customer(c: Customer) -> tuple[Columns, list[Columns]]:
    bill_to = next((a for a in c.addresses if a.kind == "bill_to"), None)
    contact = c.contacts[0] if c.contacts else None
    columns = {
        "occ01": c.erp_id, "occ02": c.short_name, "occ18": c.name, "occ11": c.tax_id,
        "occ21": c.country, "occ42": c.currency, "occ45": c.payment_terms, "occ04": c.sales_rep,
        "occ231": bill_to.street if bill_to else "", "occ261": contact.phone if contact else "",
        "occ29": contact.name if contact else "", "occ62": "Y" if c.credit_hold else "N",
        "occ63": c.credit_limit, "occmodd": _day(c), "occacti": "Y",
    }  # fmt: skip
    return columns, []


def _item(i: Item) -> tuple[Columns, list[Columns]]:
    columns = {
        "ima01": i.erp_id, "ima02": i.name, "ima021": i.spec, "ima06": i.family,
        "ima08": _SOURCES[i.kind], "ima25": _unit(i.base_uom), "ima50": i.lead_time_days,
        "ima561": i.lot_size, "ima53": i.standard_cost, "ima18": i.weight_kg, "imamodd": _day(i),
        "imaacti": "Y" if i.active else "N",
    }  # fmt: skip
    return columns, []


def _order(o: SalesOrder) -> tuple[Columns, list[Columns]]:
    columns = {
        "oea01": o.erp_id, "oea02": o.ordered_on, "oea03": o.customer, "oea10": o.customer_po,
        "oea23": o.currency, "oea32": o.payment_terms, "oea044": o.ship_to, "oea31": o.incoterm,
        "oea08": o.site, "ta_oea001": o.reference,
        "oeaconf": {"open": "Y", "closed": "C", "cancelled": "X"}[o.status], "oeamodd": _day(o),
    }  # fmt: skip
    lines = [
        {
            "oeb03": line.line_no, "oeb04": line.item, "oeb05": _unit(line.uom), "oeb12": line.qty,
            "oeb13": line.unit_price, "ta_oeb001": line.discount_pct, "oeb15": line.requested_on,
            "oeb16": line.promised_on, "oeb24": line.shipped_qty, "oeb25": line.invoiced_qty,
            "oeb11": line.customer_part_no, "oeb70": "N" if line.status == "open" else "Y",
        }
        for line in o.lines
    ]  # fmt: skip
    return columns, lines


READS: Mapping[str, tuple[Entity, str, str, Callable[[Any], tuple[Columns, list[Columns]]]]] = {
    "GetCustomerData": (Entity.CUSTOMER, "occ_file", "", _customer),
    "GetItemData": (Entity.ITEM, "ima_file", "", _item),
    "GetSOData": (Entity.SALES_ORDER, "oea_file", "oeb_file", _order),
}


class TiptopFace(Face):
    """The gateway of one plant."""

    def __init__(self, world: TwinWorld, *, user: str = "crm", password: str = "open") -> None:  # noqa: S107 - a twin's
        self.world = world
        self._login = f"{user}/{password}"
        self._schema = schema_of(BUNDLE / "TIPTOPServiceGateWay.wsdl")
        self._samples = {name: sample_of(BUNDLE, name) for name in (*READS, _CREATE)}

    def answer(self, path: str, request: etree._Element) -> etree._Element:
        """The function named by the request element, with the document in its string."""
        del path
        validate(self._schema, request)
        name = local(request.tag).removesuffix("Request")
        try:
            document = parsed((request.findtext("{*}request") or "").encode())
        except etree.XMLSyntaxError as error:
            return _reply(name, code="aws-001", text=f"not XML: {error.msg}")
        if wrong := beyond(document, self._samples[name], FIELD):
            return _reply(name, code="aws-002", text=f"unknown: {wrong}")
        who = document.find("Access/Authentication")
        login = f"{who.get('user')}/{who.get('password')}" if who is not None else ""
        if not hmac.compare_digest(login.encode(), self._login.encode()):
            return _reply(name, code="aws-102", text="user or password is wrong")
        plant = document.find("Access/Organization")
        if plant is None or plant.get("name") not in COMPANY_CODES:
            return _reply(name, code="aws-103", text="there is no such plant")
        if name == _CREATE:
            return self._create(name, document)
        return self._read(name, _field(document, "RequestContent/Parameter/Record", "condition"))

    def refusal(self, request: etree._Element, no: TwinRefusal) -> etree._Element:
        """A no stands in the status of a good answer."""
        return _reply(local(request.tag).removesuffix("Request"), code=no.code, text=no.text)

    def _read(self, name: str, condition: str) -> etree._Element:
        entity, master, detail, columns_of = READS[name]
        passes = _condition(condition)
        if passes is None:
            return _reply(name, code="aws-201", sql="-201", text=f"syntax error in {condition}")
        found = etree.Element("Document")
        for record in everything(self.world, entity):
            columns, lines = columns_of(record)
            if passes(columns):
                rows = etree.SubElement(found, "RecordSet", id=str(len(found) + 1))
                _record(etree.SubElement(rows, "Master", name=master), columns)
                if detail:
                    holder = etree.SubElement(rows, "Detail", name=detail)
                    for line in lines:
                        _record(holder, line)
        return _reply(name, document=found)

    def _create(self, name: str, document: etree._Element) -> etree._Element:
        base = "RequestContent/Document/RecordSet"
        head = _columns(document.find(f"{base}/Master/Record"))
        rows = [_columns(row) for row in document.iterfind(f"{base}/Detail/Record")]
        made = self.world.create(
            OrderDraft(
                reference=head["ta_oea001"],
                customer=head["oea03"],
                customer_po=head["oea10"],
                ordered_on=_date(head["oea02"]),
                currency=head["oea23"],
                ship_to=head["oea044"],
                incoterm=head["oea31"],
                incoterm_place="",
                payment_terms=head["oea32"],
                site=head["oea08"],
                note="",
                lines=tuple(_line(row) for row in rows),
            )
        )
        parameter = etree.Element("Parameter")
        _record(parameter, {"oea01": made.erp_id, "message": "Success"})
        return _reply(name, parameter=parameter)


def _line(row: Mapping[str, str]) -> OrderDraftLine:
    return OrderDraftLine(
        line_no=int(row["oeb03"]),
        item=row["oeb04"],
        qty=Decimal(row["oeb12"]),
        uom="PCS" if row["oeb05"] == "EA" else row["oeb05"],
        unit_price=Decimal(row["oeb13"]),
        discount_pct=Decimal(row["ta_oeb001"]),
        requested_on=_date(row["oeb15"]),
        promised_on=_date(row["oeb16"]),
        customer_part_no=row["oeb11"],
    )


def _condition(text: str) -> Callable[[Columns], bool] | None:
    if text == "1=1":
        return lambda _columns: True
    found = _CONDITION.fullmatch(text)
    if found is None:
        return None
    name, sign, value = found.groups()

    def passes(columns: Columns) -> bool:
        has = _text(columns.get(name, ""))
        if sign == ">=":
            return has >= value
        return has.startswith(value[:-1]) if value.endswith("*") else has == value

    return passes


def _reply(
    name: str,
    *,
    code: str = "0",
    sql: str = "0",
    text: str = "",
    parameter: etree._Element | None = None,
    document: etree._Element | None = None,
) -> etree._Element:
    root = etree.Element("Response")
    execution = etree.SubElement(root, "Execution")
    etree.SubElement(execution, "Status", code=code, sqlcode=sql, description=text)
    content = etree.SubElement(root, "ResponseContent")
    content.append(parameter if parameter is not None else etree.Element("Parameter"))
    content.append(document if document is not None else etree.Element("Document"))
    answer = etree.Element(f"{{{NAMESPACE}}}{name}Response", nsmap={"fjs1": NAMESPACE})
    inner = etree.SubElement(answer, f"{{{NAMESPACE}}}response")
    inner.text = etree.tostring(root, encoding="unicode")
    return answer


def _record(parent: etree._Element, columns: Mapping[str, Any]) -> None:
    record = etree.SubElement(parent, "Record")
    for name, value in columns.items():
        etree.SubElement(record, "Field", name=name, value=_text(value))


def _columns(record: etree._Element | None) -> dict[str, str]:
    fields: Iterable[etree._Element] = record if record is not None else ()
    return {field.get("name", ""): field.get("value", "") for field in fields}


def _field(document: etree._Element, path: str, name: str) -> str:
    return _columns(document.find(path)).get(name, "")


def _text(value: Any) -> str:
    return value.strftime("%Y/%m/%d") if isinstance(value, dt.date) else outgoing(value)


def _date(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%Y/%m/%d").date()  # noqa: DTZ007 - a day has no zone


def _day(record: Record) -> dt.date:
    """The day of the last change, in the plant's own time (UTC+8)."""
    at = record.updated_at
    if at is None:
        raise FaceFault("Server", "a record without a change day")
    return (at + dt.timedelta(hours=8)).date()


def _unit(uom: str) -> str:
    return "EA" if uom == "PCS" else uom
