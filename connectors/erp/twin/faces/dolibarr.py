"""Dolibarr over the twin's world, by the WSDLs of a site: encoded messages as NuSOAP writes them.

It is as careless as the real one: requests may lack anything, a new order keeps neither the
customer's order number nor any delivery date, and says OK; lists name things otherwise than single
records do. Its ids are its own: a record's place among those of its kind.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from lxml import etree

from b2bcrm.ports.erp import Customer, Entity, Item, OrderDraft, OrderDraftLine, SalesOrder
from connectors.erp.outgoing import outgoing
from connectors.erp.paths import local
from connectors.erp.twin.company import HOME_SITE
from connectors.erp.twin.faces import Face, FaceFault, everything
from connectors.erp.twin.faces.encoded import ENCODING, XSD, XSI, Encoded, Values
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.world import TwinWorld

NAMESPACE = "http://www.dolibarr.org/ns/"
KEY = "web-service-key"
VERSION = "22.0.4"
SERVICES = ("order", "thirdparty", "productorservice", "other")
_STATUS = {"open": 1, "closed": 3, "cancelled": -1}
_LINES = 1000  # ids of lines per order


class _No(Exception):
    """An answer with another result code than OK."""

    def __init__(self, code: str, label: str) -> None:
        super().__init__(label)
        self.code = code
        self.label = label


class DolibarrFace(Face):
    """One installation. ``wsdls`` holds its ``order.wsdl``, ``thirdparty.wsdl`` and so on."""

    def __init__(
        self,
        world: TwinWorld,
        wsdls: Path,
        *,
        user: str = "crm",
        password: str = "open",  # noqa: S107 - a twin's
    ) -> None:
        self.world = world
        self._login = (KEY, user, password)
        self._doors = {name: Encoded(wsdls / f"{name}.wsdl") for name in SERVICES}
        self._acts: Mapping[str, Callable[[Values], Values]] = {
            "getVersions": lambda _asked: {"dolibarr": VERSION},
            "getListOfThirdParties": lambda _asked: {
                "thirdparties": [{"id": n, "ref": c.name} for n, c in self._customers().items()]
            },
            "getThirdParty": lambda asked: {"thirdparty": self._customer(asked["id"])},
            "getListOfProductsOrServices": lambda _asked: {
                "products": [{"id": n, "ref": i.erp_id} for n, i in self._items().items()]
            },
            "getProductOrService": lambda asked: {"product": self._item(asked["id"])},
            "getOrder": lambda asked: {"order": self._order(asked)},
            "getOrdersForThirdParty": lambda asked: {
                "orders": self._orders_of(asked["idthirdparty"])
            },
            "createOrder": lambda asked: self._create(asked["order"]),
        }

    def answer(self, path: str, request: etree._Element) -> etree._Element:
        """By the operation; every answer is HTTP 200 with a result code."""
        name = path.rpartition("server_")[2].removesuffix(".php")
        operation = local(request.tag)
        if name not in self._doors or operation not in self._acts:
            raise FaceFault(
                "Client", f"Operation '{operation}' is not defined in the WSDL for {name}"
            )
        door = self._doors[name]
        asked = _read(request, door.takes[operation], door)
        try:
            self._admit(asked.get("authentication", {}))
            given = {"result": {"result_code": "OK", "result_label": ""}}
            given |= self._acts[operation](asked)
        except _No as no:
            given = {"result": {"result_code": no.code, "result_label": no.label}}
        return _written(operation, door.gives[operation], given)

    def refusal(self, request: etree._Element, no: TwinRefusal) -> etree._Element:
        """A no is a result code with a label."""
        given = {"result": {"result_code": "KO", "result_label": no.text}}
        operation = local(request.tag)
        return _written(operation, self._doors["order"].gives[operation], given)

    def _admit(self, said: Values) -> None:
        key, *login = self._login
        if said.get("dolibarrkey") != key:
            raise _No("BAD_VALUE_FOR_SECURITY_KEY", "Value does not match the security key")
        if [said.get("login"), said.get("password")] != login:
            raise _No("BAD_CREDENTIALS", "Bad value for login or password")

    # ----- what there is -----

    def _customers(self) -> dict[str, Customer]:
        return self._numbered(Entity.CUSTOMER)

    def _items(self) -> dict[str, Item]:
        return self._numbered(Entity.ITEM)

    def _orders(self) -> dict[str, SalesOrder]:
        return self._numbered(Entity.SALES_ORDER)

    def _numbered(self, entity: Entity) -> dict[str, Any]:
        rows = sorted(everything(self.world, entity), key=lambda row: row.erp_id)
        return {str(number): row for number, row in enumerate(rows, 1)}

    def _customer(self, number: str) -> Values:
        c = _one(self._customers(), number)
        bill_to = next(a for a in c.addresses if a.kind == "bill_to")
        return {
            "id": number, "ref": c.name, "ref_ext": "", "status": int(not c.credit_hold),
            "client": 1, "supplier": 0, "address": bill_to.street, "zip": "",
            "town": bill_to.city, "country_code": bill_to.country, "vat_number": c.tax_id,
        }  # fmt: skip

    def _item(self, number: str) -> Values:
        i = _one(self._items(), number)
        return {
            "id": number, "ref": i.erp_id, "type": int(i.kind == "service"), "label": i.name,
            "status_tosell": int(i.sellable), "status_tobuy": int(i.kind == "buy"),
            "stock_real": 0, "images": [],
        }  # fmt: skip

    def _order(self, asked: Values) -> Values:
        orders = self._orders()
        number, reference = asked.get("id", ""), asked.get("ref_ext", "")
        if not number and reference:
            number = next((n for n, o in orders.items() if o.reference == reference), "")
        order = _one(orders, number)
        buyers = {c.erp_id: n for n, c in self._customers().items()}
        return self._shown(number, order) | {"thirdparty_id": buyers[order.customer]}

    def _orders_of(self, customer: str) -> list[Values]:
        buyer = _one(self._customers(), customer)
        return [
            self._shown(number, order) | {"socid": customer}
            for number, order in self._orders().items()
            if order.customer == buyer.erp_id
        ]

    def _shown(self, number: str, order: SalesOrder) -> Values:
        products = {i.erp_id: n for n, i in self._items().items()}
        return {
            "id": number, "ref": f"SO{order.erp_id}", "ref_client": order.customer_po or None,
            "ref_ext": order.reference, "status": _STATUS[order.status],
            "date": order.ordered_on, "date_livraison": "",
            "cond_reglement_code": order.payment_terms or None,
            "lines": [
                {
                    "id": int(number) * _LINES + line.line_no, "type": 0, "desc": "",
                    "qty": line.qty, "unitprice": f"{line.unit_price:.8f}",
                    "remise_percent": line.discount_pct, "product_id": products[line.item],
                }
                for line in order.lines
            ],
        }  # fmt: skip

    def _create(self, order: Values) -> Values:
        """What it takes of a new order; the rest is ignored without a word."""
        buyer = _one(self._customers(), order["thirdparty_id"])
        day = dt.date.fromisoformat(order["date"])
        items = self._items()
        lines = [
            _line(number, line, _one(items, line["product_id"]), day)
            for number, line in enumerate(order["lines"], 1)
        ]
        draft = OrderDraft(
            reference=order["ref_ext"],
            customer=buyer.erp_id,
            customer_po="",
            ordered_on=day,
            currency=buyer.currency,
            ship_to="",
            incoterm="",
            incoterm_place="",
            payment_terms=buyer.payment_terms,
            site=next(iter(HOME_SITE.values())),
            note=order.get("note_public", ""),
            lines=tuple(lines),
        )
        made = self.world.create(draft)
        number = next(n for n, o in self._orders().items() if o.erp_id == made.erp_id)
        return {"id": number, "ref": f"SO{made.erp_id}"}


def _line(number: int, line: Values, item: Item, day: dt.date) -> OrderDraftLine:
    return OrderDraftLine(
        line_no=number,
        item=item.erp_id,
        qty=Decimal(line["qty"]),
        uom=item.base_uom,
        unit_price=round(Decimal(line["unitprice"]), 5),
        discount_pct=Decimal(0),
        requested_on=day,
        promised_on=day,
        customer_part_no=line.get("desc", ""),
    )


def _one(rows: Mapping[str, Any], number: str) -> Any:
    if number not in rows:
        raise _No("NOT_FOUND", f"Object not found for id={number}")
    return rows[number]


def _read(element: etree._Element, fields: Mapping[str, str], door: Encoded) -> Values:
    """What was sent. Raises FaceFault where the WSDL does not know it."""
    found: Values = {}
    for child in element:
        name = local(child.tag)
        if name not in fields:
            raise FaceFault("Client", f"{local(element.tag)} has no {name} in the WSDL")
        below = door.structs.get(fields[name])
        if fields[name] == "LinesArray2":
            found[name] = [_read(line, door.structs["line"], door) for line in child]
        else:
            found[name] = (child.text or "") if below is None else _read(child, below, door)
    return found


def _written(operation: str, parts: Mapping[str, str], given: Values) -> etree._Element:
    """An answer of all its parts; what is not given is nil."""
    names = {"ns1": NAMESPACE, "xsd": XSD, "xsi": XSI, "SOAP-ENC": ENCODING, "tns": NAMESPACE}
    answer = etree.Element(f"{{{NAMESPACE}}}{operation}Response", nsmap=names)
    for part in parts:
        _add(answer, part, given.get(part))
    return answer


def _add(parent: etree._Element, name: str, value: Any) -> None:
    element = etree.SubElement(parent, name)
    if isinstance(value, dict):
        for field, inner in value.items():
            _add(element, field, inner)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        element.set(f"{{{XSI}}}type", "SOAP-ENC:Array")
        element.set(f"{{{ENCODING}}}arrayType", f":[{len(value)}]")
        for row in value:
            _add(element, "item", row)
            element[-1].set(f"{{{XSI}}}type", "xsd:")  # a type without a name, as the real one
    elif value is None:
        element.set(f"{{{XSI}}}nil", "true")
    else:
        element.set(f"{{{XSI}}}type", "xsd:string")
        element.text = outgoing(value)
