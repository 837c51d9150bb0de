"""Encoded messages (rpc) as Axis 1 reads and writes them, by their WSDL.

A request must name each argument, in the WSDL's order, and say every value's type. Answers carry
types and array sizes; ``with_references`` spreads them over the body, as Axis 1 does.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from connectors.erp.paths import local
from connectors.erp.twin.faces import XS, FaceFault

ENCODING = "http://schemas.xmlsoap.org/soap/encoding/"
XSD = "http://www.w3.org/2001/XMLSchema"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
_WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
_SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"
_ARRAY_TYPE = f"{{{ENCODING}}}arrayType"
Values = dict[str, Any]


class Encoded:
    """One encoded WSDL: what its operations take and give."""

    def __init__(self, wsdl: Path) -> None:
        tree = etree.parse(str(wsdl), etree.XMLParser(resolve_entities=False, no_network=True))
        schema = next(tree.iter(f"{XS}schema"))
        self.types = str(schema.get("targetNamespace"))
        self.structs: dict[str, dict[str, str]] = {}
        self.arrays: dict[str, str] = {}
        for kind in schema.iter("{*}complexType"):
            name = str(kind.get("name"))
            row = [a.get(f"{_WSDL}arrayType") for a in kind.iter("{*}attribute")]
            if row:
                self.arrays[name] = _bare(str(row[0])).removesuffix("[]")
            else:
                self.structs[name] = {
                    str(e.get("name")): _bare(str(e.get("type"))) for e in kind.iter("{*}element")
                }
        messages = {
            str(message.get("name")): {
                str(part.get("name")): _bare(str(part.get("type")))
                for part in message.iter(f"{_WSDL}part")
            }
            for message in tree.iter(f"{_WSDL}message")
        }
        self.takes: dict[str, dict[str, str]] = {}
        self.gives: dict[str, dict[str, str]] = {}
        for operation in tree.iterfind(f".//{_WSDL}portType/{_WSDL}operation"):
            name = str(operation.get("name"))
            for way, kept in (("input", self.takes), ("output", self.gives)):
                message = operation.find(f"{_WSDL}{way}")
                if message is not None:
                    kept[name] = messages[_bare(str(message.get("message")))]
        self.spaces = {
            str(operation.get("name")): str(
                operation.find(f"{_WSDL}output/{_SOAP}body").get("namespace")  # type: ignore[union-attr]
            )
            for operation in tree.iterfind(f".//{_WSDL}binding/{_WSDL}operation")
        }

    def arguments(self, request: etree._Element) -> Values:
        """What an operation is called with. Raises FaceFault where it breaks the contract."""
        name = local(request.tag)
        if name not in self.takes:
            raise FaceFault("Client", f"no such operation '{name}'")
        return self._struct(request, self.takes[name])

    def _struct(self, element: etree._Element, fields: Mapping[str, str]) -> Values:
        sent, wanted = [local(child.tag) for child in element], list(fields)
        if sent != wanted:
            raise FaceFault("Client", f"{local(element.tag)} takes {wanted}, not {sent}")
        return {local(c.tag): self._value(c, fields[local(c.tag)]) for c in element}

    def _value(self, element: etree._Element, kind: str) -> Any:
        row = self.arrays.get(kind)
        said = _bare(element.get(f"{{{XSI}}}type", ""))
        if said != ("Array" if row else kind):
            raise FaceFault("Client", f"{local(element.tag)} is {said or 'untyped'}, not {kind}")
        if row is not None:
            size = f"{row}[{len(element)}]"
            if _bare(element.get(_ARRAY_TYPE, "")) != size:
                raise FaceFault("Client", f"{local(element.tag)} is no {size}")
            return [self._value(child, row) for child in element]
        if kind in self.structs:
            return self._struct(element, self.structs[kind])
        return element.text or ""

    def answer(self, operation: str, value: Any) -> etree._Element:
        """The answer of an operation; None is nil."""
        ((part, kind),) = self.gives[operation].items()
        names = {"xsd": XSD, "xsi": XSI, "soapenc": ENCODING, "ns2": self.types}
        tag = f"{{{self.spaces[operation]}}}{operation}Response"
        root = etree.Element(tag, nsmap={"ns1": self.spaces[operation], **names})
        self._add(root, part, kind, value)
        return root

    def _add(self, parent: etree._Element, name: str, kind: str, value: Any) -> None:
        element = etree.SubElement(parent, name)
        row = self.arrays.get(kind)
        element.set(f"{{{XSI}}}type", "soapenc:Array" if row else self._prefixed(kind))
        if row is not None:
            rows = list(value or ())
            element.set(_ARRAY_TYPE, f"{self._prefixed(row)}[{len(rows)}]")
            for one in rows:
                self._add(element, name, row, one)  # under the array's own name, as Axis 1 does
        elif value is None:
            element.set(f"{{{XSI}}}nil", "true")
        elif kind in self.structs:
            for field, below in self.structs[kind].items():
                self._add(element, field, below, value.get(field))
        else:
            element.text = str(value)

    def _prefixed(self, kind: str) -> str:
        known = kind in self.structs or kind in self.arrays
        return f"{'ns2' if known else 'xsd'}:{kind}"


def with_references(answer: etree._Element) -> list[etree._Element]:
    """The answer and its parts: structs and whole numbers stand beside it, under an id."""
    parts = [answer]
    names: Any = dict(answer.nsmap)
    for element in [e for e in answer.iter() if e is not answer and _is_object(e)]:
        number = len(parts) - 1
        part = etree.Element("multiRef", nsmap=names)
        part.set("id", f"id{number}")
        part.set(f"{{{ENCODING}}}root", "0")
        for name, value in element.attrib.items():
            part.set(name, value)
        part.text = element.text
        part.extend(list(element))
        element.attrib.clear()
        element.text = None
        element.set("href", f"#id{number}")
        parts.append(part)
    return parts


def _is_object(element: etree._Element) -> bool:
    kind = element.get(f"{{{XSI}}}type", "")
    return kind == "xsd:int" or (len(element) > 0 and kind != "soapenc:Array")


def _bare(name: str) -> str:
    return name.rpartition(":")[2]
