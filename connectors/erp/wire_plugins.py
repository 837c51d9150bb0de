"""zeep plugins: what is added to every envelope on its way out."""

from __future__ import annotations

from typing import Any

from lxml import etree
from zeep import Plugin

from connectors.erp import paths
from connectors.erp.exchange import current_exchange
from connectors.erp.shapes import ARRAY_TYPE, array_row

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_NAMES = {
    "xsd": "http://www.w3.org/2001/XMLSchema",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
    "soapenc": ENCODING,
}


class CorrelationPlugin(Plugin):
    """Sends the call's correlation id along, so that both sides' logs can be laid together."""

    def egress(
        self, envelope: Any, http_headers: dict[str, str], operation: Any, binding_options: Any
    ) -> tuple[Any, dict[str, str]]:
        """Adds the header; the envelope stays as it is."""
        del operation, binding_options
        exchange = current_exchange.get()
        if exchange is not None:
            http_headers["X-Correlation-Id"] = exchange.correlation_id
        return envelope, http_headers


class SayTypesPlugin(Plugin):
    """Says each value's type in an encoded request, as Axis 1 wants it and zeep does not."""

    def egress(
        self, envelope: Any, http_headers: dict[str, str], operation: Any, binding_options: Any
    ) -> tuple[Any, dict[str, str]]:
        """The envelope with types, and the rows of arrays under the name 'item'."""
        del binding_options
        body = envelope.find(f"{{{ENVELOPE}}}Body")
        wire = operation.input.body.type
        call = _Typed(wire).call(body[0])
        body.replace(body[0], call)
        return envelope, http_headers


class _Typed:
    """One call's elements with their types; prefixes are declared once, at the top."""

    def __init__(self, wire: Any) -> None:
        self.wire = wire
        self.prefixes = {uri: prefix for prefix, uri in _NAMES.items()}
        self.noted: set[int] = set()  # a type may hold itself
        self._note(wire)

    def _note(self, wire: Any) -> None:
        if id(wire) in self.noted:
            return
        self.noted.add(id(wire))
        for _, element in getattr(wire, "elements", ()):
            kind = array_row(element.type) or getattr(element, "type", None)
            if kind is not None and kind.qname is not None:
                uri = kind.qname.namespace
                self.prefixes.setdefault(uri, f"t{len(self.prefixes)}")
            self._note(kind)

    def call(self, element: etree._Element) -> etree._Element:
        names: Any = {**element.nsmap, **{prefix: uri for uri, prefix in self.prefixes.items()}}
        typed = etree.Element(element.tag, nsmap=names)
        typed.set(f"{{{ENVELOPE}}}encodingStyle", ENCODING)
        typed.extend(list(element))
        self._below(typed, self.wire)
        return typed

    def _below(self, element: etree._Element, wire: Any) -> None:
        kinds = {name: child.type for name, child in getattr(wire, "elements", ())}
        for child in element:
            if (kind := kinds.get(paths.local(child.tag))) is not None:
                self._say(child, kind)

    def _say(self, element: etree._Element, wire: Any) -> None:
        row = array_row(wire)
        if row is None:
            if wire.qname is not None:
                element.set(XSI_TYPE, self._name(wire))
            self._below(element, wire)
            return
        element.set(XSI_TYPE, "soapenc:Array")
        element.set(ARRAY_TYPE, f"{self._name(row)}[{len(element)}]")
        for child in element:
            child.tag = "item"
            self._say(child, row)

    def _name(self, wire: Any) -> str:
        return f"{self.prefixes[wire.qname.namespace]}:{wire.qname.localname}"
