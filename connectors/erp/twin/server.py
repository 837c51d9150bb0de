"""The ERP twin's SOAP 1.1 service: a WSGI application over a world, and a server for it.

Every request is validated against the contract's XSD, and every reply too; a no of the world is
a SOAP fault with its code, field and line. Not here: the ERP's rules (``world``), the mapping of
records (``wire``).
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import enum
import hmac
import io
import logging
import socketserver
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Protocol

from lxml import etree

from b2bcrm.ports.erp import Entity, Health, Operation, OrderDraft, Page, Record, WriteResult
from connectors.erp.replies import has_doctype
from connectors.erp.twin.company import COMPANIES
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.wire import NAMESPACE, XSD_PATH, Contract

PATH = "/soap"
REQUEST_CAP = 8 * 1024 * 1024
PAGE_CAP = 5000
CONFLICTS = frozenset({"version_conflict"})
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ENTITIES: Mapping[str, Entity] = {
    "Customer": Entity.CUSTOMER,
    "Item": Entity.ITEM,
    "Bom": Entity.BOM,
    "WorkCenter": Entity.WORK_CENTER,
    "StockLevel": Entity.STOCK,
    "PurchaseOrder": Entity.PURCHASE_ORDER,
    "WorkOrder": Entity.WORK_ORDER,
    "SalesOrder": Entity.SALES_ORDER,
    "Shipment": Entity.SHIPMENT,
    "Invoice": Entity.INVOICE,
    "PriceBreak": Entity.PRICE,
}
log = logging.getLogger(__name__)


class Fault(enum.StrEnum):
    """What can be made to go wrong on purpose."""

    TIMEOUT_AFTER_COMMIT = "timeout_after_commit"  # the world has done it, the answer is lost
    HTML_200 = "html_200"  # a login page where data should be; the world is not asked
    DOWN_503 = "down_503"  # a proxy speaks for a server that is down


class AnswerLost(ConnectionError):
    """The connection is to be dropped without an answer."""


class World(Protocol):
    """What the service needs of the ERP behind it; ``world.TwinWorld`` is one."""

    def now(self) -> dt.datetime:
        """The ERP's clock."""

    def health(self) -> Health:
        """How it is; its product name goes into the answer to a ping."""

    def advance_to(self, now: dt.datetime) -> None:
        """Let everything happen that is due by then."""

    def list(
        self, entity: Entity, *, since: dt.datetime | None, cursor: str | None, page_size: int
    ) -> Page:
        """One page."""

    def get(self, entity: Entity, erp_id: str) -> Record | None:
        """One record."""

    def lookup(self, entity: Entity, field: str, value: str) -> Sequence[Record]:
        """Records by another key."""

    def create(self, draft: OrderDraft) -> WriteResult:
        """A new sales order."""

    def update(self, erp_id: str, draft: OrderDraft, *, expected_version: str) -> WriteResult:
        """A changed one."""

    def cancel(self, erp_id: str, *, reference: str, reason: str) -> WriteResult:
        """A cancelled one."""

    def operations(self, work_order_ids: Sequence[str]) -> Mapping[str, tuple[Operation, ...]]:
        """Progress."""


class SoapFault(Exception):
    """Becomes a fault in the answer."""

    def __init__(self, code: str, text: str, issues: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.issues = issues


XML = "text/xml; charset=utf-8"
Answer = tuple[str, str, bytes]  # status line, media type, body
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class TwinApp:
    """The WSGI application. ``faults`` is asked before each operation and may name a fault."""

    def __init__(
        self,
        world: World,
        *,
        user: str,
        password: str,
        validate_replies: bool = True,
        faults: Callable[[str], Fault | None] | None = None,
    ) -> None:
        self.world = world
        self.faults = faults
        self._login = f"{user}:{password}".encode()
        self._validate_replies = validate_replies
        self._contract = Contract()
        self._lock = threading.Lock()  # the world is one SQLite file and one clock

    def __call__(self, environ: Mapping[str, Any], start: StartResponse) -> Iterable[bytes]:
        """WSGI. Raises AnswerLost where the connection is to be dropped."""
        status, kind, body = self._answer(environ)
        headers = [("Content-Type", kind), ("Content-Length", str(len(body)))]
        if status.startswith("401"):
            headers.append(("WWW-Authenticate", 'Basic realm="ERP"'))
        start(status, headers)
        return [body]

    def _answer(self, environ: Mapping[str, Any]) -> Answer:
        place = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if place == ("POST", PATH):
            if not self._may_enter(environ.get("HTTP_AUTHORIZATION", "")):
                no = SoapFault("Client.Authentication", "unknown user or wrong password")
                return "401 Unauthorized", XML, _envelope(self._fault(no))
            try:
                return self._post(environ)
            except SoapFault as fault:
                return "500 Internal Server Error", XML, _envelope(self._fault(fault))
        if place == ("GET", PATH) and environ.get("QUERY_STRING", "").lower() == "wsdl":
            return "200 OK", XML, self._wsdl(environ)
        if place == ("GET", "/erp.xsd"):
            return "200 OK", XML, XSD_PATH.read_bytes()
        return "404 Not Found", "text/plain", b"POST an envelope to /soap, or GET /soap?wsdl\n"

    def _post(self, environ: Mapping[str, Any]) -> Answer:
        operation, request = self._open(environ)
        fault = self.faults(operation) if self.faults else None
        if fault is Fault.HTML_200:
            return "200 OK", "text/html", b"<!doctype html><title>Sign in</title><p>Sign in<br>"
        if fault is Fault.DOWN_503:
            return "503 Service Unavailable", "text/html", b"<h1>503 Service Unavailable</h1>"
        with self._lock:
            answer = self._serve(operation, request)
        if fault is Fault.TIMEOUT_AFTER_COMMIT:
            raise AnswerLost
        return "200 OK", XML, _envelope(answer)

    def _may_enter(self, header: str) -> bool:
        scheme, _, token = header.partition(" ")
        try:
            login = base64.b64decode(token, validate=True)
        except (binascii.Error, ValueError):
            return False
        return scheme.lower() == "basic" and hmac.compare_digest(login, self._login)

    def _wsdl(self, environ: Mapping[str, Any]) -> bytes:
        host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
        safe = "".join(c for c in host if c.isalnum() or c in ".:-[]")
        text = XSD_PATH.with_name("erp.wsdl").read_bytes()
        return text.replace(b"http://erp.invalid", f"http://{safe}".encode())

    def _open(self, environ: Mapping[str, Any]) -> tuple[str, etree._Element]:
        """The operation's name and its valid request element."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        if not 0 < length <= REQUEST_CAP:
            raise SoapFault("Client", f"a request has 1 to {REQUEST_CAP} bytes")
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
        try:
            root = etree.fromstring(environ["wsgi.input"].read(length), parser)
        except etree.XMLSyntaxError as error:
            raise SoapFault("Client", f"not XML: {error.msg}") from error
        if has_doctype(root):
            raise SoapFault("Client", "a document type is not allowed")
        body = root.find(f"{{{SOAP}}}Body")
        if root.tag != f"{{{SOAP}}}Envelope" or body is None or len(body) != 1:
            raise SoapFault("Client", "not a SOAP 1.1 envelope with one element in its body")
        request = body[0]
        name = etree.QName(request)
        answer = f"{name.localname}Response"
        if name.namespace != NAMESPACE or answer not in self._contract.messages:
            raise SoapFault("Client", f"no such operation: {name.localname}")
        with self._lock:  # the validator keeps its findings in itself
            if wrong := self._contract.faults_of(request):
                raise SoapFault("Client.Schema", wrong)
        return name.localname, request

    def _serve(self, operation: str, request: etree._Element) -> etree._Element:
        arguments = self._contract.arguments(request)
        self.world.advance_to(self.world.now())
        try:
            values = self._values(operation, arguments)
        except TwinRefusal as no:
            issue = {"code": no.code, "text": no.text, "field": no.field, "line_no": no.line_no}
            family = "Client.Conflict" if no.code in CONFLICTS else "Client.Refused"
            raise SoapFault(family, no.text, [issue]) from no
        answer = self._contract.message(f"{operation}Response", values)
        if self._validate_replies and (wrong := self._contract.faults_of(answer)):
            log.error("the reply of %s breaks the contract: %s", operation, wrong)
            raise SoapFault("Server", f"the reply breaks the contract: {wrong}")
        return answer

    def _values(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The answer's values by attribute name."""
        answer = self._contract.messages[f"{operation}Response"].parts[-1]
        if operation.startswith("List"):
            return self._list(answer.attr, ENTITIES[answer.shape], arguments)
        if answer.shape in ENTITIES and operation.startswith("Get"):
            return {answer.attr: self.world.get(ENTITIES[answer.shape], arguments["erp_id"])}
        acts: Mapping[str, Callable[..., Any]] = {
            "Ping": self._ping,
            "FindSalesOrders": self._find,
            "GetOperations": self._progress,
            "CreateSalesOrder": self._create,
            "ChangeSalesOrder": self._change,
            "CancelSalesOrder": self._cancel,
        }
        return {answer.attr: acts[operation](**arguments)}

    def _list(self, rows: str, entity: Entity, arguments: dict[str, Any]) -> dict[str, Any]:
        page = self.world.list(
            entity,
            since=arguments.get("since"),
            cursor=arguments.get("cursor"),
            page_size=max(1, min(arguments["page_size"], PAGE_CAP)),
        )
        info = {
            "announced": len(page.records),
            "next_cursor": page.next_cursor,
            "high_watermark": page.high_watermark,
            "complete": page.complete,
        }
        return {"page_info": info, rows: page.records}

    def _ping(self) -> dict[str, Any]:
        about = {"product": self.world.health().product, "server_time": self.world.now()}
        return about | {"companies": [{"code": company["code"]} for company in COMPANIES]}

    def _find(self, **key: str) -> Sequence[Record]:
        ((field, value),) = key.items()
        return self.world.lookup(Entity.SALES_ORDER, field, value)

    def _progress(self, work_order: Sequence[str]) -> list[dict[str, Any]]:
        found = self.world.operations(work_order)
        return [{"work_order": no, "operations": steps} for no, steps in found.items()]

    def _create(self, draft: OrderDraft) -> dict[str, Any]:
        return _written(self.world.create(draft))

    def _change(self, erp_id: str, expected_version: str, draft: OrderDraft) -> dict[str, Any]:
        return _written(self.world.update(erp_id, draft, expected_version=expected_version))

    def _cancel(self, erp_id: str, reference: str, reason: str) -> dict[str, Any]:
        return _written(self.world.cancel(erp_id, reference=reference, reason=reason))

    def _fault(self, fault: SoapFault) -> etree._Element:
        element = etree.Element(f"{{{SOAP}}}Fault", nsmap={"soap": SOAP})
        etree.SubElement(element, "faultcode").text = f"soap:{fault.code}"
        etree.SubElement(element, "faultstring").text = fault.text
        if fault.issues:
            detail = etree.SubElement(element, "detail")
            detail.append(self._contract.message("Refusal", {"issue": fault.issues}))
        return element


def _written(result: WriteResult) -> dict[str, Any]:
    pairs = [{"sent": sent, "kept": kept} for sent, kept in result.line_map.items()]
    return {
        "erp_id": result.erp_id,
        "version": result.version,
        "line_map": pairs,
        "messages": result.messages,
    }


def _envelope(content: etree._Element) -> bytes:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    etree.SubElement(envelope, f"{{{SOAP}}}Body").append(content)
    text: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return text


class _Server(socketserver.ThreadingMixIn, HTTPServer):
    daemon_threads = True
    request_queue_size = 64


def make_server(app: TwinApp, host: str, port: int) -> HTTPServer:
    """A threaded HTTP/1.1 server for the application; ``port`` 0 picks a free one."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # keep-alive
        disable_nagle_algorithm = True  # head and body are two writes
        timeout = 60  # seconds an idle connection is kept

        def _handle(self) -> None:
            path, _, query = self.path.partition("?")
            raw_length = self.headers.get("Content-Length", "0")
            length = int(raw_length) if raw_length.isdigit() else 0
            if length > REQUEST_CAP or "Transfer-Encoding" in self.headers:
                self.close_connection = True  # the rest is not read
                length = 0
            environ = {
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "CONTENT_LENGTH": str(length),
                "HTTP_AUTHORIZATION": self.headers.get("Authorization", ""),
                "HTTP_HOST": self.headers.get("Host", ""),
                "SERVER_NAME": host,
                "SERVER_PORT": str(port),
                "wsgi.input": io.BytesIO(self.rfile.read(length)),
            }
            try:
                body = b"".join(app(environ, self._start))
            except AnswerLost:
                self.close_connection = True
                return
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815 - the base's names

        def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
            number, _, phrase = status.partition(" ")
            self.send_response(int(number), phrase)
            for name, value in headers:
                self.send_header(name, value)
            if self.close_connection:
                self.send_header("Connection", "close")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
            log.debug(format, *args)

    return _Server((host, port), Handler)


def serve(
    world: World,
    host: str,
    port: int,
    *,
    user: str,
    password: str,
    validate_replies: bool = True,
) -> None:
    """Serves until the process is told to stop. ``validate_replies=False`` is for bulk runs."""
    app = TwinApp(
        world,
        user=user,
        password=password,
        validate_replies=validate_replies,
    )
    with make_server(app, host, port) as server:
        server.serve_forever(poll_interval=0.2)
