"""Elements -> records, by a plan that was checked against the WSDL or the samples.

zeep's own parsing stops at (or silently drops) unknown elements and is some seven times slower;
this one looks only for the mapped paths. Elements are compared by local name. Not here: what the
paths are (``profile``), where in an answer the rows stand (``replies``).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lxml import etree

from connectors.erp import paths
from connectors.erp.transforms import Convert, Drift, as_text

XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"
ARRAY_TYPE = re.compile(r"\[(\d+)\]$")
_TRUE = frozenset({"true", "1"})
MOST_UNKNOWN = 200  # paths that are counted; a hostile reply must not fill memory
MOST_TAGS = 1000  # remembered per node, for the same reason


class Node:
    """One element of a plan: where its text goes, or what lies below it."""

    __slots__ = (
        "attrs",
        "below",
        "convert",
        "inner",
        "key",
        "leaf",
        "name",
        "opens",
        "path",
        "pick_attr",
        "picks",
        "rows",
    )

    def __init__(self, path: str = "") -> None:
        self.path = path
        self.below: dict[Any, Node | None] = {}
        self.name = ""
        self.convert: Convert | None = None
        self.attrs: list[tuple[str, str, Convert]] = []  # '' is the text, once more
        self.rows: list[Rows] = []  # each such element is a record of its own
        self.opens = ""  # its presence alone makes this list, if only an empty one
        self.key = ""  # each such element is a value under this attribute
        self.pick_attr = ""
        self.picks: dict[str, Node] = {}  # which element it is, by that attribute's value
        self.leaf = False  # nothing but one value
        self.inner = False  # something below it is mapped

    def child(self, tag: Any) -> Node | None:
        """The node for a tag; tags are remembered, so a name is cut out of a tag once."""
        try:
            return self.below[tag]
        except KeyError:
            found = self.below.get(paths.local(tag)) if isinstance(tag, str) else IGNORED
            if len(self.below) < MOST_TAGS:
                self.below[tag] = found
            return found

    def settle(self) -> None:
        """Mark what the nodes are, when the plan is complete."""
        below = [node for node in self.below.values() if node is not None and node is not IGNORED]
        self.inner = bool(below)
        more = self.attrs or self.rows or self.picks or self.key or below
        self.leaf = self.convert is not None and not more
        for node in [*below, *self.picks.values()]:
            if node is not IGNORED:
                node.settle()


IGNORED = Node()  # named by the WSDL or the sample, but not by the profile
IGNORED.leaf = True


@dataclass(frozen=True)
class Rows:
    """A list field: the plan of its rows, and which of them count."""

    name: str
    plan: Plan
    where: paths.Where | None = None


@dataclass(frozen=True)
class Plan:
    """How one record is read. ``blank`` holds what an absent optional element means.

    ``finish`` makes fields from several values (kept meanwhile under names beginning with '#').
    """

    record: type
    root: Node
    blank: dict[str, Any]
    size: int  # of a record that lacks nothing
    required: frozenset[str]
    lists: tuple[str, ...] = ()
    finish: tuple[Callable[[dict[str, Any]], None], ...] = ()
    id_path: paths.Path | None = None

    def build(self, element: etree._Element, unknown: Counter[str]) -> Any:
        """The record of ``element``, or Drift. Elements that nobody names are counted."""
        values = self.blank.copy()
        root = self.root
        if root.attrs or root.convert is not None or root.rows:
            _visit(element, root, values, unknown)
        else:
            _fill(element, root, values, unknown)
        for step in self.finish:
            step(values)
        if (self.finish or len(values) < self.size) and not values.keys() >= self.required:
            missing = sorted(self.required - values.keys())
            raise Drift("missing", ", ".join(missing))
        for name in self.lists:
            values[name] = tuple(values[name])
        if self.finish:
            values = {name: value for name, value in values.items() if name[0] != "#"}
        # As its __init__ would do, which sets each field of a frozen record by a call of its own
        # and takes a third of the time of reading: ``blank`` has the defaults.
        made: Any = object.__new__(self.record)
        made.__dict__.update(values)
        return made

    def id_of(self, element: etree._Element) -> str:
        """The row's key as it stands there, for a row that could not be read."""
        return paths.first(element, self.id_path)[:60]


def _fill(
    element: etree._Element, node: Node, values: dict[str, Any], unknown: Counter[str]
) -> None:
    """What stands below an element. The hot loop: it runs once per element of a reply."""
    known = node.below
    for child in element:
        tag = child.tag
        at = known[tag] if tag in known else node.child(tag)
        if at is None:
            _count(unknown, node.path, child)
        elif not at.leaf:
            _visit(child, at, values, unknown)
        elif (convert := at.convert) is not None:
            text = child.text
            if text is None:  # only then it may be nil; asking for attributes is dear
                if child.get(XSI_NIL) in _TRUE:
                    continue
                text = ""
            if convert is as_text:
                values[at.name] = text
                continue
            try:
                value = convert(text)
            except Drift as error:
                raise Drift(error.reason, at.name.lstrip("#")) from None
            if value is not None:
                values[at.name] = value


def _visit(child: etree._Element, at: Node, values: dict[str, Any], unknown: Counter[str]) -> None:
    """An element that is more than one value: attributes, rows, a choice, more below."""
    if at.picks:
        _choose(child, at, values, unknown)
    for attr, name, convert in at.attrs:
        text = child.get(attr) if attr else _text(child)
        if text is not None:
            _put(name, convert, text, values)
    if at.convert is not None:
        _take(child, at.name, at.convert, values)
    if at.key:
        values[at.name] = {**values[at.name], child.get(at.key, ""): child.text or ""}
    for rows in at.rows:
        if rows.where is None or rows.where(child):
            _add_row(child, rows, values, unknown)
    if at.opens and child.get(XSI_NIL) not in _TRUE:
        values.setdefault(at.opens, ())
    if at.inner:
        _check_count(child, at)
        _fill(child, at, values, unknown)


def _choose(child: etree._Element, at: Node, values: dict[str, Any], unknown: Counter[str]) -> None:
    value = child.get(at.pick_attr, "")
    chosen = at.picks.get(value)
    if chosen is not None:
        _visit(child, chosen, values, unknown)
    else:
        _bump(unknown, f"{at.path}[@{at.pick_attr}={value[:60]}]")


def _check_count(child: etree._Element, at: Node) -> None:
    if child.attrib and (said := announced(child)) not in {None, len(child)}:
        raise Drift(f"{said} rows announced, {len(child)} there", at.opens or at.path)


def _add_row(
    child: etree._Element, rows: Rows, values: dict[str, Any], unknown: Counter[str]
) -> None:
    if not values.get(rows.name):
        values[rows.name] = []
    try:
        values[rows.name].append(rows.plan.build(child, unknown))
    except Drift as error:
        raise Drift(error.reason, f"{rows.name}.{error.path}") from None


def announced(element: etree._Element) -> int | None:
    """How many rows an encoded array says it has (``arrayType="x[3]"``)."""
    for name, value in element.attrib.items():
        if str(name).endswith("arrayType"):
            found = ARRAY_TYPE.search(str(value))
            return int(found[1]) if found else None
    return None


def _text(child: etree._Element) -> str | None:
    """None for nil, which is 'no value' as absent is; an empty element is an empty text."""
    text = child.text
    if text is not None:
        return text
    return None if child.get(XSI_NIL) in _TRUE else ""


def _take(child: etree._Element, name: str, convert: Convert, values: dict[str, Any]) -> None:
    text = _text(child)
    if text is not None:
        _put(name, convert, text, values)


def _put(name: str, convert: Convert, text: str, values: dict[str, Any]) -> None:
    try:
        value = convert(text)
    except Drift as error:
        raise Drift(error.reason, name.lstrip("#")) from None
    if value is not None:
        values[name] = value


def _count(unknown: Counter[str], path: str, child: etree._Element) -> None:
    name = paths.local(child.tag)
    _bump(unknown, f"{path}/{name}" if path else name)


def _bump(unknown: Counter[str], path: str) -> None:
    if path in unknown or len(unknown) < MOST_UNKNOWN:
        unknown[path] += 1
