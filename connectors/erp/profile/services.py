"""Which WSDLs a profile speaks, and what each operation's messages may hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from connectors.erp import paths, wsdls
from connectors.erp.misfit import ProfileError, expected
from connectors.erp.paths import NameValue
from connectors.erp.profile.model import Payload, Service
from connectors.erp.profile.table import Table
from connectors.erp.replies import json_elements
from connectors.erp.shapes import OPEN, SampleShape, Shape, WsdlShape, find

MAIN = "main"


class Place:
    """Where references of one profile lead."""

    def __init__(self, site: str, folder: str) -> None:
        self.site = site
        self.folder = folder

    def resolve(self, reference: str) -> Path:
        """The file or folder."""
        return wsdls.resolve(reference, site=self.site, folder=self.folder)


class Operation:
    """One operation of a service: the shapes of its messages."""

    def __init__(self, name: str, found: Any, beyond: frozenset[str]) -> None:
        self.name = name
        body = found.input.body
        self.input = WsdlShape(body.type, beyond)
        self.oneway = found.output is None
        answer = None if self.oneway else found.output.body
        self.output: Shape = OPEN if answer is None else WsdlShape(answer.type, beyond)
        literal = type(found.input).__name__ == "DocumentMessage"
        self.response = answer.qname.localname if answer is not None and literal else ""


class OpenService:
    """A service with its WSDL read."""

    def __init__(self, name: str, table: Table, place: Place) -> None:
        self.beyond = frozenset(table.texts("beyond", ()))
        self.pairs = table.items("set")
        self.place = table.place
        reference = table.text("wsdl")
        self.service = Service(
            name=name,
            wsdl=reference,
            binding=table.text("binding"),
            endpoint=table.text("endpoint"),
            skip_missing=table.flag("skip_missing", default=False),
            say_types=table.flag("say_types", default=False),
        )
        try:
            self.path = place.resolve(reference)
        except ProfileError as error:
            raise ProfileError(f"{table.at('wsdl')}: {error.text}") from None
        self.document: Any = wsdls.document(self.path)
        self.binding: Any = self.document.bindings.get(self.service.binding)
        if self.binding is None:
            near = expected(self.service.binding, self.document.bindings)
            raise ProfileError(f"{table.at('binding')}: no {self.service.binding}; {near}")

    def operation(self, name: str, place: str) -> Operation:
        """By its name. Raises ProfileError with the nearest names."""
        try:
            found = self.binding.get(name)
        except ValueError:
            known = self.binding._operations  # noqa: SLF001 - zeep has no public list
            near = expected(name, known)
            raise ProfileError(f"{place}: the WSDL has no operation {name}; {near}") from None
        return Operation(name, found, self.beyond)

    def element(self, name: str, place: str) -> Shape:
        """A global element of its schema, such as a fault's detail."""
        try:
            return WsdlShape(self.document.types.get_element(name).type, self.beyond)
        except (LookupError, ValueError) as error:
            raise ProfileError(f"{place}: {error}") from None


class Samples:
    """The sample documents of a payload style, by the name of their call."""

    def __init__(self, table: Table, place: Place) -> None:
        self.style: str = table.choice("style", {"xml-in-string": "xml", "json-in-string": "json"})
        for key in ("argument", "result"):
            table.text(key)  # must be there, for the calls that say nothing else
        self.base = table.text("base", "")
        self.pairs = table.items("set")
        self.around = table.items("around")
        self.declaration = table.flag("declaration", default=False)
        self.at = table.at("samples")
        self.folder = place.resolve(table.text("samples"))
        self._table = table

    def shape(self, name: str, kind: str, place: str) -> tuple[SampleShape, str]:
        """The shape of ``<name>.<kind>*`` and the name of its root."""
        files = sorted(self.folder.glob(f"{name}.{kind}*"))
        if not files:
            known = {p.name.split(".")[0] for p in self.folder.glob(f"*.{kind}*")}
            raise ProfileError(
                f"{place}: there is no sample {name}.{kind}; {expected(name, known)}"
            )
        roots = [self._read(path) for path in files]
        return SampleShape(roots), paths.local(roots[0].tag)

    def _read(self, path: Path) -> etree._Element:
        try:
            if self.style == "json":
                return json_elements(path.read_text(encoding="utf-8"))
            parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
            return etree.fromstring(path.read_bytes(), parser)
        except (etree.XMLSyntaxError, OSError, ValueError) as error:
            raise ProfileError(f"{self.at}: {path.name} cannot be read: {error}") from None

    def payload(self, operation: Operation, spec: Table, sample: str) -> Payload:
        """How the operation carries its documents; a call may say otherwise than ``[payload]``.

        ``{operation}`` in a path is the operation's name. Without an argument only the answer
        holds a document.
        """
        into = self._path("argument", spec, operation, operation.input)
        out_of = self._path("result", spec, operation, operation.output)
        if out_of is None:
            raise ProfileError(f"{self._table.at('result')}: where does the document stand?")
        root = self.shape(sample, "request", spec.at("sample"))[1] if into is not None else ""
        _, reply_root = self.shape(sample, "reply", spec.at("sample"))
        return Payload(self.style, into, out_of, root, reply_root, self.declaration)

    def _path(self, key: str, spec: Table, operation: Operation, shape: Shape) -> paths.Path | None:
        """The call's own path, else that of ``[payload]``; None where it is empty."""
        own = key in spec
        text = spec.text(key) if own else self._table.text(key)
        path = paths.parse(text.replace("{operation}", operation.name))
        find(shape, path, spec.at(key) if own else self._table.at(key))
        return path if text else None


def named_nodes(data: Mapping[str, Any]) -> NameValue | None:
    """How the profile's name/value nodes are written: ``[payload] node``."""
    payload = data.get("payload")
    if not isinstance(payload, dict) or "node" not in payload:
        return None
    table = Table(payload, "payload").table("node")
    found = NameValue(
        table.text("element"), table.text("name_attr", "name"), table.text("value_attr", "value")
    )
    table.done()
    return found
