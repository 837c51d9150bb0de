"""Kingdee EAS over the twin's world: a login that opens a session, and a facade of the site.

A session ends when it was not used for half an hour; calls without one are refused as a fault.
Days are instants of midnight in the zone of the server.
"""

from __future__ import annotations

import datetime as dt
import hmac
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from b2bcrm.ports.erp import Customer, Entity, Item, OrderDraft, OrderDraftLine, SalesOrder
from connectors.erp.outgoing import outgoing
from connectors.erp.paths import local
from connectors.erp.twin.faces import COMPANY_CODES, Face, FaceFault, enveloped, everything
from connectors.erp.twin.faces.encoded import Encoded, Values, with_references
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.world import TwinWorld
from connectors.erp.wsdls import WSDL_DIR

BUNDLE = WSDL_DIR / "kingdee-eas-1"
SESSION = "{http://login.webservice.bos.kingdee.com}SessionId"
ZONE = ZoneInfo("Asia/Shanghai")
IDLE = dt.timedelta(minutes=30)
_STATUS = {"open": 4, "shipped": 7, "closed": 7, "cancelled": 3}
_ATTRIBUTE = {"buy": 10010, "make": 10020, "service": 10040}


def _customer(c: Customer) -> Values:
    bill_to = next((a for a in c.addresses if a.kind == "bill_to"), None)
    contact = c.contacts[0] if c.contacts else None
    return {
        "number": c.erp_id, "name": c.name, "simpleName": c.short_name, "taxNumber": c.tax_id,
        "country": c.country, "currency": c.currency, "payCondition": c.payment_terms,
        "salePerson": c.sales_rep, "address": bill_to and bill_to.street,
        "linkMan": contact and contact.name, "linkPhone": contact and contact.phone,
        "creditLimit": c.credit_limit, "creditUsed": c.credit_used, "frozen": c.credit_hold,
        "lastUpdateTime": c.updated_at,
    }  # fmt: skip


def _material(i: Item) -> Values:
    return {
        "number": i.erp_id, "name": i.name, "model": i.spec, "group": i.family,
        "materialAttr": _ATTRIBUTE[i.kind], "baseUnit": i.base_uom, "leadTime": i.lead_time_days,
        "batchQty": i.lot_size, "standardCost": i.standard_cost, "netWeight": i.weight_kg,
        "saleable": i.sellable, "status": 1 if i.active else 2, "lastUpdateTime": i.updated_at,
    }  # fmt: skip


def _order(o: SalesOrder) -> Values:
    entries = [
        {
            "seq": line.line_no, "material": line.item, "unit": line.uom, "qty": line.qty,
            "price": line.unit_price, "discountRate": line.discount_pct,
            "requestDate": line.requested_on, "sendDate": line.promised_on,
            "customerMaterial": line.customer_part_no, "issuedQty": line.shipped_qty,
            "invoicedQty": line.invoiced_qty, "baseStatus": _STATUS[line.status],
        }
        for line in o.lines
    ]  # fmt: skip
    return {
        "number": o.erp_id, "crmNumber": o.reference, "bizDate": o.ordered_on,
        "orderCustomer": o.customer, "customerPO": o.customer_po, "currency": o.currency,
        "deliverySite": o.ship_to, "deliveryTerm": o.incoterm, "payCondition": o.payment_terms,
        "storageOrg": o.site, "description": None, "baseStatus": _STATUS[o.status],
        "lastUpdateTime": o.updated_at, "entries": entries,
    }  # fmt: skip


READS: Mapping[str, tuple[Entity, Callable[[Any], Values]]] = {
    "getCustomers": (Entity.CUSTOMER, _customer),
    "getMaterials": (Entity.ITEM, _material),
    "getSaleOrders": (Entity.SALES_ORDER, _order),
}


class EasFace(Face):
    """One instance. ``sessions`` are the open ones, with the instant of their last call."""

    def __init__(self, world: TwinWorld, *, user: str = "crm", password: str = "open") -> None:  # noqa: S107 - a twin's
        self.world = world
        self.sessions: dict[str, dt.datetime] = {}
        self.logins = 0
        self._login = f"{user}/{password}"
        self._doors = {
            name: Encoded(BUNDLE / f"{name}.wsdl") for name in ("EASLogin", "WSCrmFacade")
        }

    def answer(self, path: str, request: etree._Element) -> etree._Element:
        """By the service in the address and the operation in the body."""
        service, operation = path.rpartition("/")[2], local(request.tag)
        if service not in self._doors:
            raise FaceFault("Client", f"there is no service {service}")
        door = self._doors[service]
        if service == "WSCrmFacade":
            self._admit(request)
        asked = door.arguments(request)
        if operation == "login":
            return door.answer(operation, self._opened(asked))
        return door.answer(operation, _said(self._done(operation, asked)))

    def refusal(self, request: etree._Element, no: TwinRefusal) -> etree._Element:
        """A no is an answer without success."""
        result = {
            "success": "false", "errorCode": no.code, "message": no.text,
            "entrySeq": no.line_no or 0,
        }  # fmt: skip
        return self._doors["WSCrmFacade"].answer(local(request.tag), result)

    def envelope(self, answer: etree._Element) -> bytes:
        """Axis 1 spreads an answer over the body."""
        return enveloped(*with_references(answer))

    def _admit(self, request: etree._Element) -> None:
        envelope = request.getroottree().getroot()
        session = envelope.findtext(f"{{*}}Header/{SESSION}") or ""
        now, used = self.world.now(), self.sessions.get(session)
        if used is None or now - used > IDLE:
            self.sessions.pop(session, None)
            raise FaceFault("Server.userException", "BOSException: session is invalid or timed out")
        self.sessions[session] = now

    def _opened(self, asked: Values) -> Values:
        """The context of a session; without an id where the login is wrong, and no fault."""
        login = f"{asked['userName']}/{asked['password']}"
        known = hmac.compare_digest(login.encode(), self._login.encode())
        context: Values = {**asked, "password": None, "sessionId": None}
        if known and asked["dcName"] in COMPANY_CODES and asked["slnName"] == "eas":
            self.logins += 1
            context["sessionId"] = f"0000-{self.logins}"
            self.sessions[context["sessionId"]] = self.world.now()
        return context

    def _done(self, operation: str, asked: Values) -> Any:
        if operation in READS:
            return self._rows(operation, asked)
        if operation == "getServerTime":
            return self.world.now()
        if operation == "importSaleOrder":
            made = self.world.create(_draft(asked["order"]))
        else:
            made = self.world.cancel(asked["number"], reason=asked["reason"])
        return {"success": True, "number": made.erp_id, "entrySeq": 0}

    def _rows(self, operation: str, asked: Values) -> list[Values]:
        """The rows behind a number, in the order of numbers; of no size, all of them."""
        entity, values_of = READS[operation]
        rows = sorted(everything(self.world, entity), key=lambda row: row.erp_id)
        since, after = asked.pop("modifiedSince"), asked.pop("afterNumber")
        size = int(asked.pop("maxRows")) or len(rows)
        found = [
            values
            for values in map(values_of, rows)
            if values["number"] > after
            and (not since or values["lastUpdateTime"] >= dt.datetime.fromisoformat(since))
            and all(_passes(values[name], wanted) for name, wanted in asked.items())
        ]
        return found[:size]


def _draft(order: Values) -> OrderDraft:
    return OrderDraft(
        reference=order["crmNumber"],
        customer=order["orderCustomer"],
        customer_po=order["customerPO"],
        ordered_on=_day(order["bizDate"]),
        currency=order["currency"],
        ship_to=order["deliverySite"],
        incoterm=order["deliveryTerm"],
        incoterm_place="",
        payment_terms=order["payCondition"],
        site=order["storageOrg"],
        note=order["description"],
        lines=tuple(
            OrderDraftLine(
                line_no=int(entry["seq"]),
                item=entry["material"],
                qty=Decimal(entry["qty"]),
                uom=entry["unit"],
                unit_price=Decimal(entry["price"]),
                discount_pct=Decimal(entry["discountRate"]),
                requested_on=_day(entry["requestDate"]),
                promised_on=_day(entry["sendDate"]),
                customer_part_no=entry["customerMaterial"],
            )
            for entry in order["entries"]
        ),
    )


def _passes(value: str, wanted: str) -> bool:
    """Nothing asked, a beginning (with '%' behind it), or the value itself."""
    if wanted.endswith("%"):
        return value.startswith(wanted.removesuffix("%"))
    return not wanted or value == wanted


def _said(value: Any) -> Any:
    """Values as Axis 1 writes them: a day is the instant at which it begins."""
    if isinstance(value, dict):
        return {name: _said(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_said(inner) for inner in value]
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime.combine(value, dt.time(), ZONE)
    if isinstance(value, dt.datetime):
        return f"{value.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S}.000Z"
    return None if value is None else outgoing(value)


def _day(text: str) -> dt.date:
    return dt.datetime.fromisoformat(text).astimezone(ZONE).date()
