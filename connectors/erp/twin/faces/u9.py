"""Yonyou U9's ASMX gateway over the twin's world: a document in a string in, one out.

Login and organisation stand beside the document; where they are wrong the answer is a bare
sentence. Queries give pages by number, times are those of the organisation's own zone.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from b2bcrm.ports.erp import Entity, Item, OrderDraft, OrderDraftLine, SalesOrder
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
from connectors.erp.twin.faces.strings import beyond, parsed, sample_of
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.world import TwinWorld
from connectors.erp.wsdls import WSDL_DIR

BUNDLE = WSDL_DIR / "yonyou-u9-1"
NAMESPACE = "http://tempuri.org/"
ZONE = ZoneInfo("Asia/Shanghai")
Columns = dict[str, Any]
_PIECE = "个"
_KINDS = {"make": "Manufacture", "buy": "Purchase", "service": "Service"}
_STATUS = {"open": "2", "closed": "3", "shipped": "3", "cancelled": "4"}
_CREATE = "CreateSOFromXML"


def _item(i: Item) -> Columns:
    return {
        "Code": i.erp_id, "Name": i.name, "SPECS": i.spec, "Category": i.family,
        "ItemFormAttribute": _KINDS[i.kind], "InventoryUOM": _unit(i.base_uom),
        "FixedLT": i.lead_time_days, "MinLot": i.lot_size, "StandardCost": i.standard_cost,
        "Weight": i.weight_kg, "IsSalesEnable": int(i.sellable), "IsEffective": int(i.active),
        "ModifiedOn": i.updated_at,
    }  # fmt: skip


def _order(o: SalesOrder) -> Columns:
    lines = [
        {
            "DocLineNo": line.line_no, "ItemCode": line.item, "Qty": line.qty,
            "TU": _unit(line.uom), "FinallyPriceTC": line.unit_price,
            "DiscountRate": line.discount_pct, "RequireDate": line.requested_on,
            "DeliveryDate": line.promised_on, "ShippedQty": line.shipped_qty,
            "InvoicedQty": line.invoiced_qty, "Status": _STATUS[line.status],
            "CustomerItemCode": line.customer_part_no,
        }
        for line in o.lines
    ]  # fmt: skip
    return {
        "DocNo": o.erp_id, "BusinessDate": o.ordered_on, "OrderBy": o.customer,
        "CustomerPONo": o.customer_po, "TC": o.currency, "ShipToSite": o.ship_to,
        "TradeTerm": o.incoterm, "RecTerm": o.payment_terms, "SupplySite": o.site,
        "PrivateDescSeg1": o.reference, "Status": _STATUS[o.status], "ModifiedOn": o.updated_at,
        "SOLines": ("SOLine", lines),
    }  # fmt: skip


READS: Mapping[str, tuple[Entity, str, str, Callable[[Any], Columns]]] = {
    "QueryItemFromXML": (Entity.ITEM, "ItemList", "Item", _item),
    "QuerySOFromXML": (Entity.SALES_ORDER, "SOList", "SO", _order),
}


class U9Face(Face):
    """The gateway of one installation."""

    def __init__(self, world: TwinWorld, *, user: str = "crm", password: str = "open") -> None:  # noqa: S107 - a twin's
        self.world = world
        self._login = f"{user}/{password}"
        self._schema = schema_of(BUNDLE / "U9Gateway.asmx.wsdl")
        self._samples = {name: sample_of(BUNDLE, name) for name in (*READS, _CREATE)}

    def answer(self, path: str, request: etree._Element) -> etree._Element:
        """The operation of the request element, with the document in its string."""
        del path
        validate(self._schema, request)
        name = local(request.tag)
        if name not in self._samples:
            raise FaceFault("Client", f"the gateway does not offer {name} here")
        login = f"{_argument(request, 'u9User')}/{_argument(request, 'u9Pwd')}"
        if not hmac.compare_digest(login.encode(), self._login.encode()):
            return _answer(name, "用户名或密码错误")
        if _argument(request, "u9Org") not in COMPANY_CODES:
            return _answer(name, "组织不存在")
        try:
            document = parsed(_argument(request, "xml").encode())
        except etree.XMLSyntaxError as error:
            return _answer(name, f"XML格式错误: {error.msg}")
        if wrong := beyond(document, self._samples[name]):
            return _answer(name, _result(status="1", message=f"未知节点 {wrong}"))
        return _answer(
            name, self._create(document) if name == _CREATE else self._read(name, document)
        )

    def refusal(self, request: etree._Element, no: TwinRefusal) -> etree._Element:
        """A no is a status and a sentence that names the line, in a good answer."""
        line = f"第{no.line_no}行: " if no.line_no else ""
        return _answer(local(request.tag), _result(status="1", message=f"{line}{no.text}"))

    def _read(self, name: str, query: etree._Element) -> etree._Element:
        entity, holder, tag, columns_of = READS[name]
        asked = {local(e.tag): e.text or "" for e in query}
        size, page = int(asked.pop("PageSize", "0")), int(asked.pop("PageIndex", "1"))
        rows = sorted(everything(self.world, entity), key=lambda row: row.erp_id)
        found = [columns_of(row) for row in rows]
        for column, value in asked.items():
            found = [columns for columns in found if _passes(columns, column, value)]
        if size:
            found = found[(page - 1) * size : page * size]
        result = _result()
        etree.SubElement(result, "RowCount").text = str(len(found))
        _add(result, holder, (tag, found))
        return result

    def _create(self, document: etree._Element) -> etree._Element:
        head = {local(e.tag): e.text or "" for e in document}
        rows = [{local(e.tag): e.text or "" for e in row} for row in document.iter("SOLine")]
        draft = OrderDraft(
            reference=head["PrivateDescSeg1"],
            customer=head["OrderBy"],
            customer_po=head["CustomerPONo"],
            ordered_on=dt.date.fromisoformat(head["BusinessDate"]),
            currency=head["TC"],
            ship_to=head["ShipToSite"],
            incoterm=head["TradeTerm"],
            incoterm_place="",
            payment_terms=head["RecTerm"],
            site=head["SupplySite"],
            note=head["Memo"],
            lines=tuple(_line(number, row) for number, row in enumerate(rows, 1)),
        )
        made = self.world.create(draft)
        result = _result()
        etree.SubElement(result, "DocNo").text = made.erp_id
        _add(result, "Lines", ("Line", [{"DocLineNo": kept} for kept in made.line_map.values()]))
        return result


def _line(number: int, row: Mapping[str, str]) -> OrderDraftLine:
    return OrderDraftLine(
        line_no=number * 10,
        item=row["ItemCode"],
        qty=Decimal(row["Qty"]),
        uom="PCS" if row["TU"] == _PIECE else row["TU"],
        unit_price=Decimal(row["FinallyPriceTC"]),
        discount_pct=Decimal(row["DiscountRate"]),
        requested_on=dt.date.fromisoformat(row["RequireDate"]),
        promised_on=dt.date.fromisoformat(row["DeliveryDate"]),
        customer_part_no=row["CustomerItemCode"],
    )


def _passes(columns: Columns, asked: str, value: str) -> bool:
    """Changed since, beginning with (a '%' at the end), or equal."""
    if asked == "ModifiedSince":
        return _text(columns["ModifiedOn"]) >= value
    has = _text(columns[asked])
    return has.startswith(value[:-1]) if value.endswith("%") else has == value


def _argument(request: etree._Element, name: str) -> str:
    return request.findtext(f"{{*}}{name}") or ""


def _result(status: str = "0", message: str = "") -> etree._Element:
    result = etree.Element("Result")
    etree.SubElement(result, "Status").text = status
    etree.SubElement(result, "Message").text = message
    return result


def _answer(name: str, result: etree._Element | str) -> etree._Element:
    text = result if isinstance(result, str) else etree.tostring(result, encoding="unicode")
    answer = etree.Element(f"{{{NAMESPACE}}}{name}Response", nsmap={"t": NAMESPACE})
    etree.SubElement(answer, f"{{{NAMESPACE}}}{name}Result").text = text
    return answer


def _add(parent: etree._Element, name: str, value: Any) -> None:
    element = etree.SubElement(parent, name)
    if not isinstance(value, tuple):
        element.text = _text(value)
        return
    tag, rows = value
    for row in rows:
        below = etree.SubElement(element, tag)
        for column, inner in row.items():
            _add(below, column, inner)


def _text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"
    return outgoing(value)


def _unit(uom: str) -> str:
    return _PIECE if uom == "PCS" else uom
