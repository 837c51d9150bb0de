"""The twin's world behind other ERPs' doors, to prove a profile end to end.

A face speaks one ERP's wire shape over the same world: what comes in is held against that ERP's
WSDL or sample, what goes out is what it would say. The world stays the only fake ERP.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hmac
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path
from typing import Any, Protocol

from lxml import etree

from b2bcrm.ports.erp import Entity, Record
from connectors.erp.paths import local
from connectors.erp.replies import has_doctype
from connectors.erp.twin.company import COMPANIES
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.trouble import AnswerLost
from connectors.erp.twin.world import TwinWorld

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XS = "{http://www.w3.org/2001/XMLSchema}"
XML = "text/xml; charset=utf-8"
COMPANY_CODES = frozenset(company["code"] for company in COMPANIES)
_CHUNK = 2000
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class FaceFault(Exception):
    """Becomes a SOAP fault."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


class Face(Protocol):
    """One ERP's door: the answer to the element in an envelope's body."""

    def answer(self, path: str, request: etree._Element) -> etree._Element | None:
        """None for a message that is only taken in.

        Raises FaceFault, or TwinRefusal where the face has no words of its own for it.
        """

    def refusal(self, request: etree._Element, no: TwinRefusal) -> etree._Element:
        """A no of the world in this ERP's words, or FaceFault."""

    def envelope(self, answer: etree._Element) -> bytes:
        """The whole message around an answer."""
        return enveloped(answer)


@dataclass
class FaceApp:
    """A WSGI application for one face. ``lose`` names calls whose answer is lost, once each."""

    world: TwinWorld
    face: Face
    user: str = ""  # of HTTP Basic; empty where the login stands in the message
    password: str = ""
    lose: set[str] = field(default_factory=set)

    def __call__(self, environ: Mapping[str, Any], start: StartResponse) -> Iterable[bytes]:
        """WSGI. Raises AnswerLost where the connection is to be dropped."""
        status, body = self._answer(environ)
        date = format_datetime(self.world.now().astimezone(dt.UTC), usegmt=True)
        head = {"Content-Type": XML, "Content-Length": str(len(body)), "Date": date}
        start(status, list(head.items()))
        return [body]

    def _answer(self, environ: Mapping[str, Any]) -> tuple[str, bytes]:
        if not self._may_enter(environ.get("HTTP_AUTHORIZATION", "")):
            return "401 Unauthorized", b""
        request = body_of(environ["wsgi.input"].read())
        name = local(request.tag)
        try:
            self.world.advance_to(self.world.now())
            try:
                answer = self.face.answer(environ.get("PATH_INFO", ""), request)
            except TwinRefusal as no:
                answer = self.face.refusal(request, no)
        except FaceFault as fault:
            return "500 Internal Server Error", enveloped(_fault(fault))
        if name in self.lose:
            self.lose.discard(name)
            raise AnswerLost
        return (
            ("200 OK", self.face.envelope(answer)) if answer is not None else ("202 Accepted", b"")
        )

    def _may_enter(self, header: str) -> bool:
        if not self.user:
            return True
        scheme, _, token = header.partition(" ")
        try:
            login = base64.b64decode(token, validate=True)
        except (binascii.Error, ValueError):
            return False
        known = f"{self.user}:{self.password}".encode()
        return scheme.lower() == "basic" and hmac.compare_digest(login, known)


def everything(world: TwinWorld, entity: Entity) -> list[Record]:
    """All records of a kind, in the order of their last change."""
    rows: list[Record] = []
    cursor = None
    while True:
        page = world.list(entity, cursor=cursor, page_size=_CHUNK)
        rows += page.records
        if (cursor := page.next_cursor) is None:
            return rows


def body_of(envelope: bytes) -> etree._Element:
    """The element in an envelope's body. Raises FaceFault."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    try:
        root = etree.fromstring(envelope, parser)
    except etree.XMLSyntaxError as error:
        raise FaceFault("Client", f"not XML: {error.msg}") from error
    body = root.find(f"{{{SOAP}}}Body")
    if has_doctype(root) or body is None or not len(body):
        raise FaceFault("Client", "not a SOAP envelope")
    return body[0]


def enveloped(*content: etree._Element) -> bytes:
    """An envelope around the content."""
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    etree.SubElement(envelope, f"{{{SOAP}}}Body").extend(content)
    text: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return text


def _fault(fault: FaceFault) -> etree._Element:
    element = etree.Element(f"{{{SOAP}}}Fault", nsmap={"soap": SOAP})
    etree.SubElement(element, "faultcode").text = f"soap:{fault.code}"
    etree.SubElement(element, "faultstring").text = fault.text
    return element


def schema_of(wsdl: Path) -> etree.XMLSchema:
    """The validator of the schemas inside a WSDL, which import each other by their names."""
    tree = etree.parse(str(wsdl), etree.XMLParser(resolve_entities=False, no_network=True))
    found = [etree.fromstring(etree.tostring(s)) for s in tree.iter(f"{XS}schema")]
    names = [str(schema.get("targetNamespace")) for schema in found]
    whole = etree.Element(f"{XS}schema")
    with tempfile.TemporaryDirectory() as folder:
        for number, schema in enumerate(found):
            for other in schema.iterfind(f"{XS}import"):
                other.set("schemaLocation", f"{names.index(str(other.get('namespace')))}.xsd")
            Path(folder, f"{number}.xsd").write_bytes(etree.tostring(schema))
            place = {"namespace": names[number], "schemaLocation": f"{number}.xsd"}
            etree.SubElement(whole, f"{XS}import", place)
        start = Path(folder, "whole.xsd")
        start.write_bytes(etree.tostring(whole))
        return etree.XMLSchema(etree.parse(str(start)))


def validate(schema: etree.XMLSchema, element: etree._Element) -> None:
    """Raises FaceFault where the element breaks the contract."""
    if not schema.validate(element):
        found: Any = schema.error_log
        raise FaceFault("Client.Schema", str(found.last_error))
