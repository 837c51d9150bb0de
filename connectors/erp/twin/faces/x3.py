"""Sage X3's CAdxWebServiceXmlCC over the twin's world: save, read and query of three objects.

A query lists keys from the given one on, or those whose other field is (or begins with) a value.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from lxml import etree

from b2bcrm.ports.erp import Customer, Entity, Item, OrderDraft, OrderDraftLine, SalesOrder
from connectors.erp.outgoing import outgoing
from connectors.erp.paths import NameValue, local
from connectors.erp.twin.faces import COMPANY_CODES, Face, FaceFault, everything
from connectors.erp.twin.faces.encoded import Encoded, Values
from connectors.erp.twin.faces.strings import beyond, parsed, sample_of
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.world import TwinWorld
from connectors.erp.wsdls import WSDL_DIR

BUNDLE = WSDL_DIR / "sage-x3-1"
FIELD = NameValue("FLD", "NAME", "")
Screens = dict[str, Any]  # a group's fields, or a table's rows, by its ID
_STEP = 1000  # between two line numbers
_LANGUAGE = {"en": "ENG", "zh_Hant": "CHT", "zh_Hans": "CHI"}


def _customer(c: Customer) -> Screens:
    sites = [a for a in c.addresses if a.kind == "ship_to"]
    return {
        "BPC0_1": {
            "BPCNUM": c.erp_id, "BPCNAM": c.name, "BPRSHO": c.short_name, "EECNUM": c.tax_id,
            "CRY": c.country, "LAN": _LANGUAGE[c.language], "BPCSTA": 2,
            "UPDDATTIM": c.updated_at,
        },
        "BPC2_1": {
            "CUR": c.currency, "PTE": c.payment_terms, "EECICT": c.incoterm,
            "OSTCTL": 2 if c.credit_hold else 1, "OSTAUZ": c.credit_limit, "REP": c.sales_rep,
            "LNDAUZ": _menu(c.partial_delivery),
        },
        "BPAC_1": [
            {"BPAADD": a.code, "BPADES": a.name, "BPAADDLIG": a.street, "CTY": a.city,
             "CRY": a.country}
            for a in sites
        ],
    }  # fmt: skip


def _item(i: Item) -> Screens:
    return {
        "ITM0_1": {
            "ITMREF": i.erp_id, "DES1AXX": i.name, "DES2AXX": i.spec, "TCLCOD": i.family,
            "ITMSTA": 1 if i.active else 5, "STU": _unit(i.base_uom), "SALFLG": _menu(i.sellable),
            "MFGFLG": _menu(i.kind == "make"), "PURFLG": _menu(i.kind == "buy"),
            "STOMGTCOD": 1 if i.kind == "service" else 2, "ITMWEI": i.weight_kg,
            "UPDDATTIM": i.updated_at,
        },
        "ITF1_1": {"OFS": i.lead_time_days, "LOTQTY": i.lot_size, "CST": i.standard_cost},
    }  # fmt: skip


def _order(o: SalesOrder) -> Screens:
    return {
        "SOH0_1": {
            "SALFCY": o.site, "SOHTYP": "SON", "SOHNUM": o.erp_id, "CUSORDREF": o.customer_po,
            "ORDDAT": o.ordered_on, "BPCORD": o.customer, "CUR": o.currency,
            "YCRMREF": o.reference,
        },
        "SOH1_1": {
            "BPAADD": o.ship_to, "EECICT": o.incoterm, "ORDSTA": 1 if o.status == "open" else 2,
            "UPDDATTIM": o.updated_at,
        },
        "SOH3_1": {"PTE": o.payment_terms},
        "SOH4_1": [
            {
                "SOPLIN": line.line_no * _STEP, "ITMREF": line.item,
                "ITMREFBPC": line.customer_part_no, "SAU": _unit(line.uom), "QTY": line.qty,
                "GROPRI": line.unit_price, "DISCRGVAL1": line.discount_pct,
                "DEMDLVDAT": line.requested_on, "EXTDLVDAT": line.promised_on,
                "SHIDAT": line.planned_on, "DLVQTY": line.shipped_qty,
                "INVQTY": line.invoiced_qty, "SOQSTA": 1 if line.status == "open" else 3,
            }
            for line in o.lines
        ],
    }  # fmt: skip


OBJECTS: Mapping[str, tuple[Entity, str, str, Callable[[Any], Screens]]] = {
    "BPC": (Entity.CUSTOMER, "BPC0_1", "BPCNUM", _customer),
    "ITM": (Entity.ITEM, "ITM0_1", "ITMREF", _item),
    "SOH": (Entity.SALES_ORDER, "SOH0_1", "SOHNUM", _order),
}


class X3Face(Face):
    """One pool per company."""

    def __init__(self, world: TwinWorld) -> None:
        self.world = world
        self.objects = OBJECTS
        self._door = Encoded(BUNDLE / "CAdxWebServiceXmlCC.wsdl")
        self._sample = sample_of(BUNDLE, "save-SOH")

    def answer(self, path: str, request: etree._Element) -> etree._Element:
        """By the operation, and the object that its public name names."""
        del path
        operation, asked = local(request.tag), self._door.arguments(request)
        if (pool := asked["callContext"]["poolAlias"]) not in COMPANY_CODES:
            raise FaceFault("Server", f"CAdxException: the pool alias {pool} is not known")
        acts = {"query": self._query, "read": self._read, "save": self._save}
        if operation not in acts or asked["publicName"] not in self.objects:
            return self._failed(
                operation, f"The web service {asked['publicName']} is not published"
            )
        return acts[operation](asked)

    def refusal(self, request: etree._Element, no: TwinRefusal) -> etree._Element:
        """A no is the status 0 with a message of type 3."""
        line = f"Line {no.line_no}: " if no.line_no else ""
        return self._failed(local(request.tag), f"{line}{no.text}")

    def _query(self, asked: Values) -> etree._Element:
        entity, group, key, screens_of = self.objects[asked["publicName"]]
        (criterion,) = asked["objectKeys"]
        name, value = criterion["key"], criterion["value"]
        rows = sorted(everything(self.world, entity), key=lambda row: row.erp_id)
        heads = [screens_of(row)[group] for row in rows]
        if name == key:
            found = [head for head in heads if head[key] >= value]
        else:
            found = [head for head in heads if _passes(_text(head[name]), value)]
        found = found[: int(asked["listSize"])]
        result = etree.Element("RESULT", DIM=asked["listSize"], SIZE=str(len(found)))
        for number, head in enumerate(found, 1):
            _fields(etree.SubElement(result, "LIN", NUM=str(number)), {key: head[key]})
        return self._done("query", result)

    def _read(self, asked: Values) -> etree._Element:
        entity, _, key, screens_of = self.objects[asked["publicName"]]
        wanted = {pair["key"]: pair["value"] for pair in asked["objectKeys"]}
        record = self.world.get(entity, wanted[key])
        if record is None:
            return self._failed(
                "read", f"{asked['publicName']} {wanted[key]}: record does not exist"
            )
        return self._done("read", _document(screens_of(record)))

    def _save(self, asked: Values) -> etree._Element:
        try:
            document = parsed(asked["objectXml"].encode())
        except etree.XMLSyntaxError as error:
            return self._failed("save", f"not XML: {error.msg}")
        if asked["publicName"] != "SOH" or (wrong := beyond(document, self._sample, FIELD)):
            return self._failed("save", f"unknown: {wrong}")
        made = self.world.create(_draft(document))
        order = self.world.get(Entity.SALES_ORDER, made.erp_id)
        return self._done("save", _document(_order(order)))  # type: ignore[arg-type]  # just made

    def _done(self, operation: str, result: etree._Element) -> etree._Element:
        text = etree.tostring(result, encoding="unicode")
        return self._door.answer(operation, {"messages": [], "resultXml": text, "status": 1})

    def _failed(self, operation: str, text: str) -> etree._Element:
        messages = [{"message": text, "type": "3"}]
        return self._door.answer(operation, {"messages": messages, "resultXml": None, "status": 0})


def _draft(document: etree._Element) -> OrderDraft:
    head = {
        name: value for group in document.iterfind("GRP") for name, value in _values(group).items()
    }
    return OrderDraft(
        reference=head["YCRMREF"],
        customer=head["BPCORD"],
        customer_po=head["CUSORDREF"],
        ordered_on=_date(head["ORDDAT"]),
        currency=head["CUR"],
        ship_to=head["BPAADD"],
        incoterm=head["EECICT"],
        incoterm_place="",
        payment_terms=head["PTE"],
        site=head["SALFCY"],
        note="",
        lines=tuple(
            _line(int(line.get("NUM", "0")), _values(line)) for line in document.iterfind("TAB/LIN")
        ),
    )


def _line(number: int, row: Mapping[str, str]) -> OrderDraftLine:
    return OrderDraftLine(
        line_no=number,
        item=row["ITMREF"],
        qty=Decimal(row["QTY"]),
        uom="PCS" if row["SAU"] == "UN" else row["SAU"],
        unit_price=Decimal(row["GROPRI"]),
        discount_pct=Decimal(row["DISCRGVAL1"]),
        requested_on=_date(row["DEMDLVDAT"]),
        promised_on=_date(row["EXTDLVDAT"]),
        customer_part_no=row["ITMREFBPC"],
    )


def _document(screens: Screens) -> etree._Element:
    result = etree.Element("RESULT")
    for name, content in screens.items():
        if isinstance(content, dict):
            _fields(etree.SubElement(result, "GRP", ID=name), content)
            continue
        table = etree.SubElement(result, "TAB", DIM="1000", ID=name, SIZE=str(len(content)))
        for number, row in enumerate(content, 1):
            _fields(etree.SubElement(table, "LIN", NUM=str(number)), row)
    return result


def _fields(parent: etree._Element, values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        etree.SubElement(parent, "FLD", NAME=name, TYPE="Char").text = _text(value)


def _values(parent: etree._Element) -> dict[str, str]:
    return {field.get("NAME", ""): field.text or "" for field in parent.iterfind("FLD")}


def _passes(has: str, value: str) -> bool:
    return has.startswith(value[:-1]) if value.endswith("*") else has == value


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return f"{value:%Y%m%d}"
    return outgoing(value)


def _date(text: str) -> dt.date:
    return dt.datetime.strptime(text, "%Y%m%d").date()  # noqa: DTZ007 - a day has no zone


def _menu(yes: bool) -> int:  # noqa: FBT001 - the value itself
    """X3's local menu of no and yes."""
    return 2 if yes else 1


def _unit(uom: str) -> str:
    return "UN" if uom == "PCS" else uom
