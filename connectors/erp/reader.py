"""Raw reply -> records: a streaming reader guided by a plan that was checked against the WSDL.

zeep's own parsing stops at (or silently drops) unknown elements and is some seven times slower;
this one looks only for the mapped paths. Elements are compared by local name. Not here: what the
paths are (``profile``), what an HTTP status means (``errors``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lxml import etree

from b2bcrm.ports.erp import Drifted, Issue
from connectors.erp.transforms import Convert, Drift

FAULT = "Fault"
XSI_NIL = "{http://www.w3.org/2001/XMLSchema-instance}nil"


class ReplyBroken(Exception):
    """The body ends early or is not XML."""


class ReplyForbidden(Exception):
    """The body declares a document type; nothing of it is used."""


class Readable(Protocol):
    """What a reply is read from."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes; empty at the end."""


class Node:
    """One element of a plan: where its text goes, or what lies below it."""

    __slots__ = ("below", "convert", "key", "name", "opens", "rows")

    def __init__(self) -> None:
        self.below: dict[Any, Node | None] = {}
        self.name = ""
        self.convert: Convert | None = None
        self.rows: Plan | None = None  # each such element is a record of its own
        self.opens = ""  # its presence alone makes this list, if only an empty one
        self.key = ""  # each such element is a value under this attribute

    def child(self, tag: Any) -> Node | None:
        """The node for a tag; tags are remembered, so a name is cut out of a tag once."""
        try:
            return self.below[tag]
        except KeyError:
            local = tag.rpartition("}")[2] if isinstance(tag, str) else ""
            found = self.below.get(local)
            if len(self.below) < 1000:  # noqa: PLR2004 - a hostile reply must not fill memory
                self.below[tag] = found
            return found


@dataclass(frozen=True)
class Plan:
    """How one record is read. ``blank`` holds what an absent optional element means."""

    record: type
    root: Node
    blank: Mapping[str, Any]
    required: frozenset[str]
    lists: tuple[str, ...]

    def build(self, element: etree._Element) -> Any:
        """The record of ``element``, or Drift."""
        values = dict(self.blank)
        _fill(element, self.root, values)
        if not values.keys() >= self.required:
            missing = sorted(self.required - values.keys())
            raise Drift("missing", ", ".join(missing))
        for name in self.lists:
            values[name] = tuple(values[name])
        return self.record(**values)


def _fill(element: etree._Element, node: Node, values: dict[str, Any]) -> None:
    for child in element:
        at = node.child(child.tag)
        if at is None:
            continue
        if at.convert is None and at.rows is None and not at.key:
            if at.opens:
                values.setdefault(at.opens, ())
            _fill(child, at, values)
        elif at.rows is not None:
            if not values.get(at.name):
                values[at.name] = []
            values[at.name].append(at.rows.build(child))
        elif at.key:
            if not values[at.name]:
                values[at.name] = {}
            values[at.name][child.get(at.key, "")] = child.text or ""
        else:
            _take(child, at, values)


def _take(child: etree._Element, at: Node, values: dict[str, Any]) -> None:
    if child.attrib and child.get(XSI_NIL) in {"true", "1"}:
        return  # nil is 'no value', as absent is; an empty element is an empty text
    convert = at.convert
    if convert is None:
        return
    try:
        value = convert(child.text or "")
    except Drift as error:
        raise Drift(error.reason, at.name) from None
    if value is not None:
        values[at.name] = value


@dataclass(frozen=True)
class Fault:
    """A SOAP fault: ``code`` without its prefix, such as ``Client.Refused``."""

    code: str
    text: str
    issues: tuple[Issue, ...] = ()


@dataclass
class Reply:
    """What one envelope held: records per wanted element, what did not fit, or a fault."""

    rows: dict[str, list[Any]]
    seen: dict[str, int]
    drift: list[Drifted] = field(default_factory=list)
    fault: Fault | None = None
    answered: bool = False

    def one(self, name: str) -> Any | None:
        """The first record of a kind, or None."""
        return self.rows[name][0] if self.rows[name] else None


def read_reply(
    stream: Readable, response: str, wanted: Mapping[str, Plan], issue_plan: Plan
) -> Reply:
    """Reads one envelope to its end. ``response`` is the local name of the expected answer,
    ``wanted`` maps its children's names to plans.

    Raises ReplyBroken and ReplyForbidden; whatever ``stream`` raises passes through.
    """
    reply = Reply({name: [] for name in wanted}, dict.fromkeys(wanted, 0))
    plans = {**wanted, FAULT: issue_plan}
    tags = [f"{{*}}{name}" for name in ("Envelope", FAULT, response, *wanted)]
    try:
        context = etree.iterparse(
            stream,
            events=("start", "end"),
            tag=tags,
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
            huge_tree=False,
        )
        for event, element in context:
            parent = element.getparent()
            if parent is None:
                _refuse_doctype(element)
            elif event == "end":
                _take_element(element, parent, response, reply, plans)
        root = context.root
    except etree.XMLSyntaxError as error:
        raise ReplyBroken(str(error)) from error
    if root is None or _local(root) != "Envelope":
        if root is not None:
            _refuse_doctype(root)
        raise ReplyBroken("not a SOAP envelope")
    if not reply.answered and reply.fault is None:
        raise ReplyBroken(f"no {response} in the envelope")
    return reply


def _take_element(
    element: etree._Element,
    parent: etree._Element,
    response: str,
    reply: Reply,
    plans: Mapping[str, Plan],
) -> None:
    name, above = _local(element), _local(parent)
    if above == "Body":
        if name == FAULT:
            reply.fault = _fault(element, plans[FAULT])
        elif name == response:
            reply.answered = True
        return
    if name not in reply.rows or above != response:
        return
    grandparent = parent.getparent()
    if grandparent is None or _local(grandparent) != "Body":
        return
    reply.seen[name] += 1
    try:
        reply.rows[name].append(plans[name].build(element))
    except Drift as error:
        reply.drift.append(Drifted(_first_text(element), f"{name}.{error.path}", error.reason))
    element.clear()
    while element.getprevious() is not None:
        del parent[0]


def _first_text(element: etree._Element) -> str:
    texts = (str(t).strip() for t in element.itertext())
    return next((t for t in texts if t), "")[:60]  # its key, mostly


def _fault(element: etree._Element, issue_plan: Plan) -> Fault:
    code = text = ""
    issues = []
    for child in element:
        if (name := _local(child)) == "faultcode":
            code = (child.text or "").strip().rpartition(":")[2]
        elif name == "faultstring":
            text = (child.text or "").strip()
        elif name == "detail":
            for issue in child.iter("{*}Issue"):
                try:
                    issues.append(issue_plan.build(issue))
                except Drift:
                    issues.append(Issue("", " ".join(map(str, issue.itertext()))[:500]))
    return Fault(code, text, tuple(issues))


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def has_doctype(root: etree._Element) -> bool:
    """Whether the document declares a type; entities can stand nowhere else."""
    info: Any = root.getroottree().docinfo  # the stubs know little of it
    return bool(info.doctype)


def _refuse_doctype(root: etree._Element) -> None:
    if has_doctype(root):
        raise ReplyForbidden
