"""The ERP twin's SOAP 1.1 service: a WSGI application over a world, and a server for it.

Every request is validated against the contract's XSD, and every reply too; a no of the world is
a SOAP fault with its code, field and line. Not here: the ERP's rules (``world``), the mapping of
records (``wire``), what goes wrong on purpose (``faults``, ``trouble``), sockets (``listening``).
"""

from __future__ import annotations

import base64
import binascii
import hmac
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from lxml import etree

from b2bcrm.ports.erp import Entity
from connectors.erp.replies import has_doctype
from connectors.erp.twin import trouble
from connectors.erp.twin.asking import ENTITIES, Desk, World
from connectors.erp.twin.faults import Asked, Fault, Faults
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.trouble import Answer, AnswerLost, Pace, Restarting
from connectors.erp.twin.wire import NAMESPACE, XSD_PATH, Contract

PATH = "/soap"
REQUEST_CAP = 8 * 1024 * 1024
CONFLICTS = frozenset({"version_conflict"})
SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
log = logging.getLogger(__name__)


class SoapFault(Exception):
    """Becomes a fault in the answer."""

    def __init__(
        self,
        code: str,
        text: str,
        issues: Sequence[Mapping[str, Any]] = (),
        *,
        status: str = "500 Internal Server Error",
    ) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.issues = issues
        self.status = status  # the HTTP status line


XML = "text/xml; charset=utf-8"
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
        faults: Faults | None = None,
        pace: Pace | None = None,
    ) -> None:
        self.world = world
        self._desk = Desk(world)
        self.faults = faults
        self.pace = pace or Pace()
        self._login = f"{user}:{password}".encode()
        self._validate_replies = validate_replies
        self._contract = Contract()
        self._lock = threading.Lock()  # the world is one SQLite file and one clock
        self._locked_out_until = 0.0  # monotonic seconds
        self._turn = itertools.count()  # of faults that have two faces

    def __call__(self, environ: Mapping[str, Any], start: StartResponse) -> Iterable[bytes]:
        """WSGI. Raises AnswerLost, AnswerCut and Restarting where the network is to fail."""
        answer = self._answer(environ)
        headers = [("Content-Type", answer.kind), ("Content-Length", str(len(answer.body)))]
        if answer.status.startswith("401"):
            headers.append(("WWW-Authenticate", 'Basic realm="ERP"'))
        start(answer.status, headers)
        return answer.parts(self.pace)

    def _answer(self, environ: Mapping[str, Any]) -> Answer:
        place = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        if place == ("POST", PATH):
            try:
                if not self._may_enter(environ.get("HTTP_AUTHORIZATION", "")):
                    raise _not_let_in("unknown user or wrong password")
                return self._post(environ)
            except SoapFault as fault:
                return Answer(fault.status, XML, _envelope(self._fault(fault)))
        if place == ("GET", PATH) and environ.get("QUERY_STRING", "").lower() == "wsdl":
            return Answer("200 OK", XML, self._wsdl(environ))
        if place == ("GET", "/erp.xsd"):
            return Answer("200 OK", XML, XSD_PATH.read_bytes())
        text = b"POST an envelope to /soap, or GET /soap?wsdl\n"
        return Answer("404 Not Found", "text/plain", text)

    def _post(self, environ: Mapping[str, Any]) -> Answer:
        operation, request = self._open(environ)
        if time.monotonic() < self._locked_out_until:
            raise _not_let_in("the session has ended")
        if self.faults is None:
            with self._lock:
                return Answer("200 OK", XML, _envelope(self._serve(operation, request)))
        if not operation.startswith("List"):
            fault = self.faults(Asked(operation))
            return self._befallen(fault, operation, request)
        with self._lock:  # a page is looked at first: not every fault would show on every page
            page = self._serve(operation, request)
            now = self.world.now()
        asked = Asked(
            operation,
            rows=len(trouble.rows_of(page)),
            recent=len(trouble.recent_rows(page, now)),
            cursor=bool(request.findtext(f"{{{NAMESPACE}}}Cursor")),
        )
        return self._befallen(self.faults(asked), operation, request, page)

    def _befallen(
        self,
        fault: Fault | None,
        operation: str,
        request: etree._Element,
        page: etree._Element | None = None,
    ) -> Answer:
        """The answer as ``fault`` leaves it; ``page`` is what a list has been answered already."""
        if fault is not None:
            self._before(fault, operation)
            html = trouble.page(fault)
            if html is not None and fault is not Fault.HTML_502:
                return html
        with self._lock, self._kept(fault):
            answer = page if page is not None else self._serve(operation, request)
            now = self.world.now()
        if fault is None:
            return Answer("200 OK", XML, _envelope(answer))
        if fault is Fault.TIMEOUT_AFTER_COMMIT:
            raise AnswerLost
        if fault is Fault.HTML_502 and html is not None:
            return html
        entity = ENTITIES.get(self._contract.messages[f"{operation}Response"].parts[-1].shape)
        turn = next(self._turn) % 2 == 0
        if fault is Fault.PAGE_SHIFT and entity is not None:
            self._shift(answer, entity)
        trouble.bend(fault, answer, entity, now, ahead=turn)
        body = _envelope(answer)
        if fault is Fault.WRONG_ENCODING:
            body = trouble.misread(body, big5=turn)
        return Answer("200 OK", XML, body, fault)

    def _before(self, fault: Fault, operation: str) -> None:
        """What befalls a call before the ERP does anything. Raises it."""
        if fault is Fault.TIMEOUT_BEFORE_COMMIT:
            raise AnswerLost
        if fault is Fault.RESTARTED:
            raise Restarting(self.pace.restart_s)
        if fault is Fault.SESSION_EXPIRED:
            self._locked_out_until = time.monotonic() + self.pace.lockout_s
            raise _not_let_in("the session has ended")
        if fault is Fault.FAULT_IN_200:
            raise SoapFault("Server", "Object reference not set to an instance", status="200 OK")
        if fault is Fault.DEADLOCK:
            raise SoapFault("Server.Busy", "deadlock: another one wrote at the same time")
        if fault is Fault.STALE_VERSION:
            code = "bad_cursor" if operation.startswith("List") else "version_conflict"
            raise _no(TwinRefusal(code, "This was changed meanwhile."))

    def _kept(self, fault: Fault | None) -> AbstractContextManager[None]:
        return self.world.forgetting() if fault is Fault.FALSE_SUCCESS else nullcontext()

    def _shift(self, page: etree._Element, entity: Entity) -> None:
        """The page's first row has just been changed: it moves behind the last page."""
        row = trouble.rows_of(page)[0]
        erp_id = row.findtext(f"{{{NAMESPACE}}}Id") or ""
        page.remove(row)
        trouble.announce(page)
        with self._lock:
            self.world.touch(entity, erp_id)

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
            part = self._contract.messages[f"{operation}Response"].parts[-1]
            values = self._desk.values(operation, part.attr, part.shape, arguments)
        except TwinRefusal as no:
            raise _no(no) from no
        answer = self._contract.message(f"{operation}Response", values)
        if self._validate_replies and (wrong := self._contract.faults_of(answer)):
            log.error("the reply of %s breaks the contract: %s", operation, wrong)
            raise SoapFault("Server", f"the reply breaks the contract: {wrong}")
        return answer

    def _fault(self, fault: SoapFault) -> etree._Element:
        element = etree.Element(f"{{{SOAP}}}Fault", nsmap={"soap": SOAP})
        etree.SubElement(element, "faultcode").text = f"soap:{fault.code}"
        etree.SubElement(element, "faultstring").text = fault.text
        if fault.issues:
            detail = etree.SubElement(element, "detail")
            detail.append(self._contract.message("Refusal", {"issue": fault.issues}))
        return element


def _not_let_in(why: str) -> SoapFault:
    return SoapFault("Client.Authentication", why, status="401 Unauthorized")


def _no(no: TwinRefusal) -> SoapFault:
    """A refusal of the world as a fault with its code, field and line."""
    issue = {"code": no.code, "text": no.text, "field": no.field, "line_no": no.line_no}
    family = "Client.Conflict" if no.code in CONFLICTS else "Client.Refused"
    return SoapFault(family, no.text, [issue])


def _envelope(content: etree._Element) -> bytes:
    envelope = etree.Element(f"{{{SOAP}}}Envelope", nsmap={"soap": SOAP})
    etree.SubElement(envelope, f"{{{SOAP}}}Body").append(content)
    text: bytes = etree.tostring(envelope, xml_declaration=True, encoding="utf-8")
    return text
