"""SAP ECC behind a site's wrapper: function modules over SOAP, tables in and out.

A no stands in the table RETURN of a good answer. Numbers of documents and customers have ten
places and their leading zeros, dates without a day are 0000-00-00, flags X or nothing. A ship-to
is a customer of its own: its number is made of the customer's and the twin's code.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from b2bcrm.ports.erp import (
    Customer,
    Entity,
    Invoice,
    OrderDraft,
    OrderDraftLine,
    Record,
    SalesOrder,
    Shipment,
    WriteResult,
)
from connectors.erp.outgoing import outgoing
from connectors.erp.paths import local
from connectors.erp.twin.faces import Face, FaceFault, schema_of, validate
from connectors.erp.twin.faces.ecc_rows import COMPANIES, ROWS, Fields, stamp
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.world import TwinWorld
from connectors.erp.wsdls import WSDL_DIR

NAMESPACE = "urn:sap-com:document:sap:rfc:functions"
WSDL = WSDL_DIR / "sap-ecc-1" / "ZWS_CRM.wsdl"
_CHUNK = 2000
_IDS = {  # the twin's refusals -> message class and number
    "version_conflict": ("ZCRM", "001"),
    "unknown_order": ("ZCRM", "002"),
    "unknown_company": ("ZCRM", "003"),
}
_KEYS = {  # fields that hold a number of a customer or a document
    Customer: ("erp_id",),
    SalesOrder: ("erp_id", "customer"),
    Shipment: ("erp_id", "customer"),
    Invoice: ("erp_id", "customer", "sales_order", "shipment"),
}


def kept(record: Record) -> Record:
    """A record of the twin with its keys as SAP keeps them."""
    changes: dict[str, Any] = {
        name: alpha(getattr(record, name)) for name in _KEYS.get(type(record), ())
    }
    if isinstance(record, Customer):
        changes["addresses"] = tuple(
            dataclasses.replace(a, code=partner(record.erp_id, a.code)) for a in record.addresses
        )
    if isinstance(record, SalesOrder):
        changes["ship_to"] = partner(record.customer, record.ship_to)
    if isinstance(record, Shipment):
        changes["lines"] = tuple(
            dataclasses.replace(line, sales_order=alpha(line.sales_order)) for line in record.lines
        )
    return dataclasses.replace(record, **changes)


class EccFace(Face):
    """One client of one system. ``commits`` False is a wrapper that forgot its COMMIT WORK."""

    def __init__(self, world: TwinWorld, wsdl: Path = WSDL) -> None:
        self.world = world
        self.commits = True
        self._schema = schema_of(wsdl)
        self.acts: dict[str, Callable[[etree._Element], Fields]] = {
            "Z_CRM_INFO": self._info,
            "BAPI_MATERIAL_AVAILABILITY": self._availability,
            "Z_CRM_SALESORDER_CREATE": self._create,
            "Z_CRM_SALESORDER_CHANGE": self._change,
            "Z_CRM_SALESORDER_CANCEL": self._cancel,
            **dict.fromkeys(ROWS, self._get),
        }

    def answer(self, path: str, request: etree._Element) -> etree._Element | None:
        """By the function that the element names."""
        if not path.startswith("/sap/bc/srt/rfc/sap/zws_crm/100/"):
            raise FaceFault("Server", "client is not available in this system")
        validate(self._schema, request)
        company = request.findtext("IV_BUKRS")
        if company is not None and company not in COMPANIES:
            no = TwinRefusal("unknown_company", f"Company code {company} does not exist.")
            return self.refusal(request, no)
        return self._said(request, self.acts[local(request.tag)](request))

    def refusal(self, request: etree._Element, no: TwinRefusal) -> etree._Element:
        """A message of type E; ROW is the number of the item, where it is about one."""
        names, number = _IDS.get(no.code, ("V1", "382"))
        message = {
            "TYPE": "E", "ID": names, "NUMBER": number, "MESSAGE": no.text[:220], "LOG_NO": "",
            "LOG_MSG_NO": "000000", "MESSAGE_V1": "", "MESSAGE_V2": "", "MESSAGE_V3": "",
            "MESSAGE_V4": "", "PARAMETER": "", "ROW": no.line_no or 0, "FIELD": no.field[:30],
            "SYSTEM": "ECCCLNT100",
        }  # fmt: skip
        name = local(request.tag)
        if name == "BAPI_MATERIAL_AVAILABILITY":
            return self._said(request, _not_available(message))
        return self._said(request, self.empty(name) | {"RETURN": [message]})

    def empty(self, name: str) -> Fields:
        """What stands beside the messages of a no."""
        if name in ROWS:
            return {ROWS[name].table: [], "EV_COUNT": 0, "EV_TIMESTAMP": self._now()}
        if name == "Z_CRM_INFO":
            return self._about()
        return {"SALESDOCUMENT": "", "CHANGENR": "", "COMMITTED": ""}

    def _said(self, request: etree._Element, fields: Fields) -> etree._Element:
        name = f"{{{NAMESPACE}}}{local(request.tag)}.Response"
        answer = etree.Element(name, nsmap={"n0": NAMESPACE})
        for field, value in fields.items():
            _grow(answer, field, value)
        validate(self._schema, answer)
        return answer

    def _now(self) -> str:
        return stamp(self.world.now())

    # ----- reading -----

    def _info(self, request: etree._Element) -> Fields:
        del request
        return self._about() | {"RETURN": []}

    def _about(self) -> Fields:
        companies = [{"BUKRS": code, "BUTXT": name} for code, name in COMPANIES.items()]
        return {
            "ES_SYSID": "ECC", "ES_RELEASE": "731", "EV_TIMESTAMP": self._now(),
            "ET_COMPANIES": companies,
        }  # fmt: skip

    def _get(self, request: etree._Element) -> Fields:
        """Rows in the order of their keys, behind one key, that fulfil what is asked for."""
        kind = ROWS[local(request.tag)]
        asked = {local(e.tag): (e.text or "").strip() for e in request}
        wanted = {e.text for e in request.iterfind("IT_KEYS/item/VALUE")}
        since = asked.get("IV_CHANGED_FROM", "")
        rows = sorted(
            (kind.fields(kept(record)) for record in self._all(kind.entity)),
            key=lambda row: str(row[kind.key]),
        )
        found = [
            row
            for row in rows
            if row[kind.key] > asked.get("IV_AFTER", "")
            and asked.get("IV_KEY", row[kind.key]) == row[kind.key]
            and (not wanted or wanted & {row[kind.key], row.get("MATNR")})
            and row["TSTAMP"] >= since
            and _like(row.get("BSTKD_E", ""), asked.get("IV_REFERENCE"))
            and _like(row.get("BSTKD", ""), asked.get("IV_PURCH_NO"))
        ]
        found = found[: int(asked.get("IV_MAXROWS") or 0) or None]
        return {
            kind.table: found, "EV_COUNT": len(found), "EV_TIMESTAMP": self._now(), "RETURN": [],
        }  # fmt: skip

    def _all(self, entity: Entity) -> Sequence[Record]:
        rows: list[Record] = []
        cursor = None
        while True:
            page = self.world.list(entity, cursor=cursor, page_size=_CHUNK)
            rows += page.records
            if (cursor := page.next_cursor) is None:
                return rows

    def _availability(self, request: etree._Element) -> Fields:
        item, plant = request.findtext("MATERIAL", ""), request.findtext("PLANT", "")
        on = dt.date.fromisoformat(request.findtext("WMDVSX/item/REQ_DATE", ""))
        qty = Decimal(request.findtext("WMDVSX/item/REQ_QTY", "0"))
        found = self.world.availability(item, plant, qty, on)
        line = {"REQ_DATE": on, "REQ_QTY": qty}
        free = sum(level.on_hand - level.allocated for level in self.world.stock([item], plant))
        return _not_available({**_NO_MESSAGE, "TYPE": "S"}) | {
            "AV_QTY_PLT": free,
            "WMDVEX": [line | {"COM_DATE": found.full_on or found.on, "COM_QTY": qty}],
            "WMDVSX": [line],
        }

    # ----- writing -----

    def _create(self, request: etree._Element) -> Fields:
        draft = self._draft(request)
        if request.findtext("TESTRUN") == "X":
            for issue in self.world.validate(draft):
                raise TwinRefusal(issue.code, issue.text, issue.field, issue.line_no)
            return {"SALESDOCUMENT": "", "CHANGENR": "", "COMMITTED": "T", "RETURN": []}
        if self.commits:
            return self._written(self.world.create(draft))
        with self.world.forgetting():
            return self._written(self.world.create(draft)) | {"COMMITTED": ""}

    def _change(self, request: etree._Element) -> Fields:
        expected = (request.findtext("EXPECTED_CHANGENR") or "").lstrip("0")
        number, draft = self._number(request), self._draft(request)
        return self._written(self.world.update(number, draft, expected_version=expected))

    def _cancel(self, request: etree._Element) -> Fields:
        reference, reason = request.findtext("PURCH_NO_S"), request.findtext("REASON")
        number = self._number(request)
        return self._written(
            self.world.cancel(number, reference=reference or "", reason=reason or "")
        )

    def _number(self, request: etree._Element) -> str:
        """The twin's number of the order that SAP's number means."""
        return self.own_key(Entity.SALES_ORDER, request.findtext("SALESDOCUMENT", ""))

    def own_key(self, entity: Entity, key: str) -> str:
        """The twin's key for SAP's."""
        found = (r.erp_id for r in self._all(entity) if alpha(r.erp_id) == key)
        return next(found, key)

    @staticmethod
    def _written(result: WriteResult) -> Fields:
        return {
            "SALESDOCUMENT": alpha(result.erp_id), "CHANGENR": result.version.zfill(10),
            "COMMITTED": "X", "RETURN": [_NO_MESSAGE | {"TYPE": "S", "ID": "V1", "NUMBER": "311"}],
        }  # fmt: skip

    def _draft(self, request: etree._Element) -> OrderDraft:
        head = {local(e.tag): e.text or "" for e in request.iterfind("ORDER_HEADER_IN/*")}
        partners = {
            row.findtext("PARTN_ROLE"): row.findtext("PARTN_NUMB", "")
            for row in request.iterfind("ORDER_PARTNERS/item")
        }
        customer = self.own_key(Entity.CUSTOMER, partners["AG"])
        site = partner(customer)
        ship_to = partners["WE"]
        schedules = _by_item(request, "ORDER_SCHEDULES_IN")
        prices = _by_item(request, "ORDER_CONDITIONS_IN")
        items = _by_item(request, "ORDER_ITEMS_IN")
        return OrderDraft(
            reference=head["PURCH_NO_S"],
            customer=customer,
            customer_po=head["PURCH_NO_C"],
            ordered_on=dt.date.fromisoformat(head["DOC_DATE"]),
            currency=head["CURRENCY"],
            ship_to="" if ship_to == partners["AG"] else ship_to.removeprefix(site),
            incoterm=head["INCOTERMS1"],
            incoterm_place=head["INCOTERMS2"],
            payment_terms=head["PMNTTRMS"],
            site=next((row["PLANT"] for row in items.values()), ""),
            note="",
            lines=tuple(_line(n, row, schedules[n], prices[n]) for n, row in items.items()),
        )


_NO_MESSAGE: Fields = {
    "TYPE": "", "ID": "", "NUMBER": "000", "MESSAGE": "", "LOG_NO": "", "LOG_MSG_NO": "000000",
    "MESSAGE_V1": "", "MESSAGE_V2": "", "MESSAGE_V3": "", "MESSAGE_V4": "", "PARAMETER": "",
    "ROW": 0, "FIELD": "", "SYSTEM": "ECCCLNT100",
}  # fmt: skip


def _not_available(message: Fields) -> Fields:
    return {"AV_QTY_PLT": 0, "DIALOGFLAG": "", "RETURN": message, "WMDVEX": [], "WMDVSX": []}


def _by_item(request: etree._Element, table: str) -> dict[str, dict[str, str]]:
    rows = request.iterfind(f"{table}/item")
    return {
        row.findtext("ITM_NUMBER", ""): {local(e.tag): e.text or "" for e in row} for row in rows
    }


def _line(
    number: str, row: Mapping[str, str], schedule: Mapping[str, str], price: Mapping[str, str]
) -> OrderDraftLine:
    return OrderDraftLine(
        line_no=int(number),
        item=row["MATERIAL"],
        qty=Decimal(row["TARGET_QTY"]),
        uom="PCS" if row["SALES_UNIT"] == "ST" else row["SALES_UNIT"],
        unit_price=Decimal(price["COND_VALUE"]),
        discount_pct=Decimal(row["ZZDISCOUNT"]),
        requested_on=dt.date.fromisoformat(schedule["REQ_DATE"]),
        promised_on=dt.date.fromisoformat(row["ZZPROMISED"]),
        customer_part_no=row["CUST_MAT35"],
        customer_po_line=row["PURCH_POSEX"],
    )


def _grow(parent: etree._Element, name: str, value: Any) -> None:
    element = etree.SubElement(parent, name)
    if isinstance(value, Mapping):
        for field, inner in value.items():
            _grow(element, field, inner)
    elif isinstance(value, list):
        for row in value:
            _grow(element, "item", row)
    else:
        element.text = outgoing(value)


def alpha(key: str) -> str:
    """A number with ten places; anything else as it is."""
    return key.zfill(10) if key.isdigit() else key


def partner(customer: str, code: str = "") -> str:
    """The number of a customer's ship-to, or how all of them begin."""
    return f"{alpha(customer)[-8:]}{code}"


def _like(value: str, pattern: str | None) -> bool:
    """SAP's CP: '*' at the end stands for any rest; None asks for nothing."""
    if pattern is None:
        return True
    return value.startswith(pattern[:-1]) if pattern.endswith("*") else value == pattern
