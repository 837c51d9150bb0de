"""What a message may hold, for the checks at load: from the WSDL's types, or from a sample.

A shape has shapes below it by local name, attributes, and a kind (the transform that its own
text suggests). An open shape takes any name: an encoded array, or what a profile says the ERP
sends beyond its WSDL.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from lxml import etree

from connectors.erp.misfit import ProfileError, expected
from connectors.erp.paths import Path, Step, local

_BY_WIRE_TYPE = {  # nearest ancestor first in a type's MRO wins; anything else is text
    "Boolean": "bool",
    "DateTime": "datetime",
    "Date": "date",
    "Integer": "int",
    "Long": "int",
    "Int": "int",
    "Decimal": "decimal",
    "Double": "decimal",
    "Float": "decimal",
}
ARRAY_TYPE = "{http://schemas.xmlsoap.org/soap/encoding/}arrayType"


class Shape(Protocol):
    """One element of a message."""

    open: bool

    @property
    def kind(self) -> str:
        """The transform of its own text; empty where it holds elements only."""

    @property
    def below(self) -> Mapping[str, Shape]:
        """What may stand below it."""

    @property
    def attributes(self) -> Mapping[str, str]:
        """Its attributes and their kinds."""

    @property
    def required(self) -> bool:
        """Whether it must be sent."""

    @property
    def rest(self) -> Shape | None:
        """What stands below it under any other name; None where nothing may."""

    def picked(self, attr: str, value: str) -> Shape | None:
        """The shape where this attribute has this value; None where it never has."""


@dataclass
class OpenShape:
    """Takes everything."""

    open: bool = True
    kind: str = "text"
    below: Mapping[str, Shape] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    required: bool = False

    @property
    def rest(self) -> Shape:
        """Itself."""
        return self

    def picked(self, attr: str, value: str) -> Shape:
        """Itself."""
        del attr, value
        return self


OPEN = OpenShape()


class WsdlShape:
    """A type of a WSDL as zeep has read it."""

    def __init__(self, wire: Any, beyond: frozenset[str], *, required: bool = False) -> None:
        self.wire = wire
        self.beyond = beyond
        self.required = required
        self._elements = list(getattr(wire, "elements", ()))
        names = [name for name, _ in self._elements]
        attributes = dict(getattr(wire, "attributes", ()))
        self.open = any(
            getattr(a, "qname", None) == ARRAY_TYPE for a in attributes.values()
        ) or any(
            name.startswith("_value_") and type(element).__name__ == "Any"
            for name, element in self._elements
        )
        self.simple = next((e for n, e in self._elements if n == "_value_1"), None)
        self.holds = bool(names) and not (names == ["_value_1"] and not self.open)

    @property
    def kind(self) -> str:
        """By the nearest known ancestor of the type."""
        if self.holds:
            return ""
        return _kind(self.simple.type if self.simple is not None else self.wire)

    @cached_property
    def below(self) -> Mapping[str, Shape]:
        """The declared children, and names that come beyond the WSDL."""
        found: dict[str, Shape] = dict.fromkeys(self.beyond, OPEN)
        for name, element in self._elements:
            if not name.startswith("_value_"):
                required = bool(element.min_occurs)
                found[name] = WsdlShape(element.type, self.beyond, required=required)
        return found

    @cached_property
    def rest(self) -> Shape | None:
        """The rows of an encoded array, which may have any name, where their type is known."""
        row = array_row(self.wire)
        if row is not None:
            return WsdlShape(row, self.beyond)
        return OPEN if self.open else None

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """The declared attributes."""
        declared = getattr(self.wire, "attributes", ())
        return {name: _kind(a.type) for name, a in declared if hasattr(a, "type")}

    def picked(self, attr: str, value: str) -> Shape | None:
        """A WSDL says nothing about values: any will do where the attribute exists."""
        del value
        return self if attr in self.attributes or self.open else None


def array_row(wire: Any) -> Any | None:
    """The type of an encoded array's rows, where the WSDL names it."""
    for _, attribute in getattr(wire, "attributes", ()):
        if getattr(attribute, "qname", None) == ARRAY_TYPE:
            return attribute.array_type
    return None


def _kind(wire: Any) -> str:
    names = (ancestor.__name__ for ancestor in type(wire).__mro__)
    return next((_BY_WIRE_TYPE[name] for name in names if name in _BY_WIRE_TYPE), "text")


class SampleShape:
    """All elements of one name in a sample message, laid over each other."""

    required = False

    def __init__(self, samples: Sequence[etree._Element], *, open: bool = False) -> None:  # noqa: A002 - the word of the protocol
        self.samples = samples
        self.open = open

    @property
    def kind(self) -> str:
        """A sample tells no types: text, unless only elements stand in it."""
        return (
            "" if self.below and not any((e.text or "").strip() for e in self.samples) else "text"
        )

    @cached_property
    def below(self) -> Mapping[str, Shape]:
        """Every child name that occurs."""
        found: dict[str, list[etree._Element]] = {}
        for element in self.samples:
            for child in element:
                found.setdefault(local(child.tag), []).append(child)
        return {name: SampleShape(children) for name, children in found.items() if name}

    @cached_property
    def attributes(self) -> Mapping[str, str]:
        """Every attribute that occurs."""
        return {str(name): "text" for element in self.samples for name in element.attrib}

    @property
    def rest(self) -> Shape | None:
        """Nothing, unless anything goes."""
        return OPEN if self.open else None

    def picked(self, attr: str, value: str) -> Shape | None:
        """Those of the elements that have the value."""
        chosen = [element for element in self.samples if element.get(attr) == value]
        return SampleShape(chosen) if chosen else None

    def values(self, attr: str) -> set[str]:
        """What an attribute holds in the sample, for a message about what is missing."""
        return {e.get(attr, "") for e in self.samples}


def step_below(shape: Shape, step: Step, place: str) -> Shape:
    """The shape one step down. Raises ProfileError, naming what was expected."""
    place = f"{place}: " if place else ""
    found = shape.below.get(step.name, shape.rest)
    if found is None:
        raise ProfileError(
            f"{place}there is no element {step.name}; {expected(step.name, shape.below)}"
        )
    if step.pick is None:
        return found
    attr, value = step.pick
    chosen = found.picked(attr, value)
    if chosen is None:
        known = found.values(attr) if isinstance(found, SampleShape) else found.attributes
        near = expected(value if isinstance(found, SampleShape) else attr, known)
        raise ProfileError(f"{place}no {step.name} has {attr}={value}; {near}")
    return chosen


def find(shape: Shape, path: Path, place: str) -> tuple[Shape, str]:
    """The shape at a path and the kind of the value there. Raises ProfileError."""
    for step in path.steps:
        shape = step_below(shape, step, place)
    if not path.attr:
        return shape, shape.kind
    kind = shape.attributes.get(path.attr)
    if kind is None:
        if not shape.open:
            near = expected(path.attr, shape.attributes)
            place = f"{place}: " if place else ""
            raise ProfileError(f"{place}there is no attribute {path.attr}; {near}")
        kind = "text"
    return shape, kind
