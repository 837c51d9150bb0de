"""Kontor, a made-up small ERP: three customers, two materials, one order, and a SOAP service."""

from __future__ import annotations

import base64
import copy
import datetime as dt
import re
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from lxml import etree

FOLDER = Path(__file__).parent / "kontor"
NS = "urn:kontor"
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
LOGIN = "Basic " + base64.b64encode(b"crm:open").decode()


def element(tag, /, **values):
    made = etree.Element(f"{{{NS}}}{tag}")
    for name, value in values.items():
        etree.SubElement(made, f"{{{NS}}}{name}").text = str(value)
    return made


def customer(no, name, *, blocked="false"):
    return element(
        "Customer",
        CustomerNo=no,
        CustomerName=name,
        SearchName=name.split()[0],
        VatNo="",
        CountryCode="TW",
        LanguageCode="ZHT",
        CurrencyCode="TWD",
        PaymentTermsCode="NET30",
        CustomerGroup="A",
        CreditLimit="500000.00",
        Balance="120.50",
        Blocked=blocked,
        AllowPartial="true",
        LastModified="2026-11-01T08:00:00Z",
    )


def material(no, text, changed):
    return element(
        "Material",
        MaterialNo=no,
        Description=text,
        UnitOfMeasure="PCS",
        LeadTime=10,
        ForSale="true",
        LastModified=changed,
    )


def position(no, item, quantity, price):
    return element(
        "Position",
        Position=no,
        MaterialNo=item,
        Quantity=quantity,
        UnitOfMeasure="PCS",
        UnitPrice=price,
        DiscountPercent="0",
        RequestedDate="2026-12-01",
        PromisedDate="2026-12-04",
        QuantityShipped="0",
        QuantityInvoiced="0",
        Status="O",
    )


class Kontor:
    """Its data and its service; ``served`` is what a ``ThreadingHTTPServer`` wants as handler."""

    def __init__(self) -> None:
        self.customers = [
            customer("00042", "啟業 Machine Tools"),
            customer("00043", "Nordic Drives"),
            customer("00044", "Blocked Ltd", blocked="true"),
        ]
        self.materials = [
            material("000100", "行星減速機", "2026-10-01T08:00:00Z"),
            material("000101", "Ball screw", "2026-11-02T08:00:00Z"),
        ]
        first = element(
            "Order",
            OrderNo="70001",
            ExternalReference="",
            CustomerNo="00042",
            CustomerOrderNo="PO-1",
            OrderDate="2026-11-01",
            CurrencyCode="TWD",
            ShipToCode="MAIN",
            PaymentTermsCode="NET30",
            Warehouse="W1",
            Status="O",
            LastModified="2026-11-03T08:00:00Z",
        )
        etree.SubElement(first, f"{{{NS}}}Positions").append(position(1, "000100", 5, "1200.50"))
        self.orders = [first]
        contract = etree.XMLSchema(etree.parse(FOLDER / "kontor.xsd"))
        self.valid = contract.validate

    def answer(self, asked):
        """The operation's answer, or an ``Objection``."""
        name = etree.QName(asked).localname
        if not self.valid(asked):
            raise Objection("Schema", "", "the request does not follow the contract")
        return getattr(self, "on" + re.sub("([A-Z])", r"_\1", name).lower())(asked)

    def on_server_time(self, _asked):
        return element("ServerTimeResult", Now=now())

    def on_query_customers(self, asked):
        return self.listed("QueryCustomersResult", self.customers, asked)

    def on_query_materials(self, asked):
        return self.listed("QueryMaterialsResult", self.materials, asked)

    def on_query_orders(self, asked):
        return self.listed("QueryOrdersResult", self.orders, asked)

    def listed(self, name, rows, asked):
        since = text(asked, "ChangedSince")
        made = element(name)
        for row in rows:
            if not since or instant(text(row, "LastModified")) >= instant(since):
                made.append(copy.deepcopy(row))
        return made

    def on_get_order(self, asked):
        return self.those("GetOrderResult", "OrderNo", text(asked, "OrderNo"))

    def on_seek_order(self, asked):
        wanted = text(asked, "ExternalReference")
        made = element("SeekOrderResult")
        for order in self.orders:
            if wanted and f"{text(order, 'ExternalReference')}/".startswith(f"{wanted}/"):
                made.append(copy.deepcopy(order))
        return made

    def those(self, name, field, value):
        made = element(name)
        for order in self.orders:
            if text(order, field) == value:
                made.append(copy.deepcopy(order))
        return made

    def on_create_order(self, asked):
        order = copy.deepcopy(asked[0])
        known = {text(row, "MaterialNo") for row in self.materials}
        for row in order.iter(f"{{{NS}}}MaterialNo"):
            if row.text not in known:
                line = row.getparent().findtext(f"{{{NS}}}Position")
                raise Objection("Refused", "MaterialNo", f"No material {row.text}.", line)
        for old in order.findall(f"{{{NS}}}Status") + order.findall(f"{{{NS}}}LastModified"):
            order.remove(old)
        number = etree.Element(f"{{{NS}}}OrderNo")
        number.text = str(70001 + len(self.orders))
        order.insert(0, number)
        positions = order.find(f"{{{NS}}}Positions")
        for name, value in (("Status", "O"), ("LastModified", now())):
            positions.addprevious(made := etree.Element(f"{{{NS}}}{name}"))
            made.text = value
        for row in positions:
            for name, value in (
                ("QuantityShipped", "0"),
                ("QuantityInvoiced", "0"),
                ("Status", "O"),
            ):
                etree.SubElement(row, f"{{{NS}}}{name}").text = value
        self.orders.append(order)
        return element("CreateOrderResult", OrderNo=number.text)

    def on_cancel_order(self, asked):
        for order in self.orders:
            if text(order, "OrderNo") == text(asked, "OrderNo"):
                for status in order.iter(f"{{{NS}}}Status"):
                    status.text = "X"
                return element("CancelOrderResult", OrderNo=text(order, "OrderNo"))
        raise Objection("Refused", "OrderNo", "No such order.")

    def handler(self):
        erp = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = erp.exchange(self.path, self.headers.get("Authorization"), body)
                self.send_response(status)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        return Handler

    def exchange(self, path, login, body):
        if login != LOGIN:
            return 401, b"<no/>"
        if path != "/ws/kontor":
            return 404, b"<no/>"
        asked = etree.fromstring(body).find(f"{{{SOAP}}}Body")[0]
        try:
            return 200, envelope(self.answer(asked))
        except Objection as no:
            return 500, envelope(no.fault())


class Objection(Exception):
    def __init__(self, code, field, words, line=None) -> None:
        super().__init__(words)
        self.code, self.field, self.line = code, field, line

    def fault(self):
        made = etree.Element(f"{{{SOAP}}}Fault")
        etree.SubElement(made, "faultcode").text = self.code
        etree.SubElement(made, "faultstring").text = str(self)
        problem = element("Problem", Field=self.field)
        if self.line:
            etree.SubElement(problem, f"{{{NS}}}Line").text = self.line
        etree.SubElement(problem, f"{{{NS}}}Text").text = str(self)
        etree.SubElement(made, "detail").append(problem)
        return made


def envelope(content):
    made = etree.Element(f"{{{SOAP}}}Envelope")
    etree.SubElement(made, f"{{{SOAP}}}Body").append(content)
    return etree.tostring(made, xml_declaration=True, encoding="utf-8")


def text(parent, name):
    return parent.findtext(f"{{{NS}}}{name}") or ""


def now():
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def instant(words):
    return dt.datetime.fromisoformat(words)
