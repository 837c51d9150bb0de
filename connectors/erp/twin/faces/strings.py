"""Documents inside strings: read as an ERP reads them, held against the sample of their call."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from connectors.erp.paths import NameValue, local
from connectors.erp.shapes import SampleShape, Shape


def parsed(data: bytes) -> etree._Element:
    """The root of a document. Raises etree.XMLSyntaxError."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
    return etree.fromstring(data, parser)


def sample_of(bundle: Path, name: str) -> SampleShape:
    """What the request of a call may hold: ``samples/<name>.request.xml``."""
    return SampleShape([parsed((bundle / "samples" / f"{name}.request.xml").read_bytes())])


def beyond(element: etree._Element, shape: Shape, node: NameValue | None = None) -> str:
    """The path of the first thing that the sample does not know; empty where there is none.

    ``node`` is how the ERP writes name/value nodes: of these the names count.
    """
    return _beyond(element, shape, node, local(element.tag))


def _beyond(element: etree._Element, shape: Shape, node: NameValue | None, path: str) -> str:
    for attribute in map(str, element.attrib):
        if attribute not in shape.attributes:
            return f"{path}/@{attribute}"
    for child in element:
        name = local(child.tag)
        below: Shape | None = shape.below.get(name)
        if node is not None and name == node.element:
            named = child.get(node.name, "")
            below = below.picked(node.name, named) if below is not None else None
            name = f"{name}[{named}]"
        if below is None:
            return f"{path}/{name}"
        if wrong := _beyond(child, below, node, f"{path}/{name}"):
            return wrong
    return ""
