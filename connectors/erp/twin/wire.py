"""Port records <-> XML for the twin's side, driven by the contract's XSD alone.

An element's name in CamelCase is the attribute's in snake_case (``Id`` is ``erp_id``), so eleven
record types need no function of their own. Not here: SOAP envelopes (``server``), the rules of
the ERP (``world``).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.ports import erp as port
from connectors.erp.outgoing import outgoing
from connectors.erp.transforms import Formats, converter

NAMESPACE = "urn:formosa:erp:1"
XSD_PATH = Path(__file__).resolve().parent.parent / "wsdl" / "twin-1" / "erp.xsd"
_XS = "{http://www.w3.org/2001/XMLSchema}"
_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
_NSMAP: Any = {None: NAMESPACE}  # the stubs know no default namespace
_NAMES = {"Id": "erp_id"}
_LANGUAGES = {"zh_Hant": "zh-TW", "zh_Hans": "zh-CN"}  # as this ERP writes them
_KINDS = {
    "xs:int": "int",
    "xs:decimal": "decimal",
    "xs:boolean": "bool",
    "xs:date": "date",
    "xs:dateTime": "datetime",
}
_CONVERT = {
    kind: converter(kind, "", Formats(HOME_ZONE)) for kind in ("text", *sorted(_KINDS.values()))
}


def attribute(element: str) -> str:
    """The attribute an element's value belongs to."""
    return _NAMES.get(element) or re.sub(r"(?<!^)(?=[A-Z])", "_", element).lower()


@dataclass(frozen=True)
class Part:
    """One child element of a type. ``shape`` is its type's name when it is not one value."""

    tag: str
    attr: str
    kind: str  # text, int, ..., record, list, entries, codes
    shape: str = ""
    optional: bool = False
    many: bool = False


@dataclass(frozen=True)
class Shape:
    """A complex type: its children in order; ``item`` is the only, repeated child of a list."""

    name: str
    parts: tuple[Part, ...]

    @property
    def item(self) -> Part | None:
        """The repeated child, when the type is nothing but a list."""
        return self.parts[0] if len(self.parts) == 1 and self.parts[0].many else None


class Contract:
    """The XSD as tables: types by name, messages by element name, and the validator."""

    def __init__(self, path: Path = XSD_PATH) -> None:
        tree = etree.parse(str(path), etree.XMLParser(resolve_entities=False, no_network=True))
        self.validator = etree.XMLSchema(tree)
        root = tree.getroot()
        self._complex = {str(e.get("name")): e for e in root.findall(f"{_XS}complexType")}
        self._shapes: dict[str, Shape] = {}
        self.messages = {
            str(e.get("name")): Shape(
                str(e.get("name")), self._parts(e.iterfind(f"{_XS}complexType/*/{_XS}element"))
            )
            for e in root.findall(f"{_XS}element")
        }

    def shape(self, name: str) -> Shape:
        """A complex type by name; an extension has its base's children first."""
        if name not in self._shapes:
            node = self._complex[name]
            extension = node.find(f"{_XS}complexContent/{_XS}extension")
            parts: tuple[Part, ...] = ()
            if extension is not None:
                parts = self.shape(_local(str(extension.get("base")))).parts
                node = extension
            own = self._parts(node.iterfind(f"{_XS}sequence/{_XS}element"))
            self._shapes[name] = Shape(name, parts + own)
        return self._shapes[name]

    def _parts(self, elements: Iterable[etree._Element]) -> tuple[Part, ...]:
        return tuple(self._part(e) for e in elements)

    def _part(self, element: etree._Element) -> Part:
        name, type_ = str(element.get("name")), str(element.get("type"))
        kind, shape = _KINDS.get(type_, "text"), ""
        local = _local(type_)
        if local == "LanguageCode":
            kind = "language"
        elif type_.startswith("t:") and local in self._complex:
            shape = local
            kind = "entries" if local == "Entries" else "record"
        return Part(
            f"{{{NAMESPACE}}}{name}",
            attribute(name),
            kind,
            shape,
            optional=element.get("minOccurs") == "0",
            many=element.get("maxOccurs") == "unbounded",
        )

    def faults_of(self, element: etree._Element) -> str:
        """What breaks the contract first; empty when nothing does."""
        if self.validator.validate(element):
            return ""
        found: Any = self.validator.error_log  # the stubs know too little of it
        return str(found.last_error)

    # ----- out -----

    def message(self, name: str, values: Mapping[str, Any]) -> etree._Element:
        """A message element with ``values`` by attribute name."""
        element = etree.Element(f"{{{NAMESPACE}}}{name}", nsmap=_NSMAP)
        self._write(element, self.messages[name], values)
        return element

    def _write(self, parent: etree._Element, shape: Shape, source: Any) -> None:
        values = source if isinstance(source, Mapping) else vars(source)
        for part in shape.parts:
            value = values.get(part.attr)
            if part.many:
                for one in value or ():
                    self._write_one(parent, part, one)
            elif value is not None:
                self._write_one(parent, part, value)
            elif not part.optional:
                raise ValueError(f"{shape.name}.{part.attr} is missing")

    def _write_one(self, parent: etree._Element, part: Part, value: Any) -> None:
        element = etree.SubElement(parent, part.tag)
        if part.kind == "entries":
            for key, text in value.items():
                entry = etree.SubElement(element, f"{{{NAMESPACE}}}Entry", key=key)
                entry.text = text
        elif part.kind == "record":
            shape = self.shape(part.shape)
            if (item := shape.item) is not None:
                for one in value:
                    self._write_one(element, item, one)
            else:
                self._write(element, shape, value)
        elif part.kind == "language":
            element.text = _LANGUAGES.get(value, value)
        else:
            element.text = outgoing(value)

    # ----- in -----

    def arguments(self, element: etree._Element) -> dict[str, Any]:
        """The values of a valid request message, by attribute name."""
        return self._read(element, self.messages[_local(str(element.tag))])

    def _read(self, element: etree._Element, shape: Shape) -> dict[str, Any]:
        parts = {part.tag: part for part in shape.parts}
        values: dict[str, Any] = {}
        for child in element.iterchildren("*"):
            part = parts[str(child.tag)]
            value = self._read_one(child, part)
            if part.many:
                values.setdefault(part.attr, []).append(value)
            elif value is not None:
                values[part.attr] = value
        return values

    def _read_one(self, child: etree._Element, part: Part) -> Any:
        if child.get(_NIL) in {"true", "1"}:
            return None
        if part.kind != "record":
            return _CONVERT[part.kind](child.text or "")
        shape = self.shape(part.shape)
        if (item := shape.item) is not None:
            return tuple(self._read_one(row, item) for row in child.iterchildren("*"))
        record: type = getattr(port, part.shape)
        return record(**self._read(child, shape))


def _local(name: str) -> str:
    return re.split(r"[:}]", name)[-1]
