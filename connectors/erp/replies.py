"""Replies -> rows: a streaming walk over one envelope, or over the document inside a string.

Rows are built and dropped as they end, so memory stays flat; what stands beside them (page info,
status codes, messages) is there at the end as ``Reply.root``. Not here: how a row becomes a
record (``reader``), what an HTTP status or a status code means (``errors``, ``judging``).
"""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from b2bcrm.ports.erp import Drifted
from connectors.erp import paths
from connectors.erp.decoded import Readable
from connectors.erp.reader import XSI_NIL, Plan, announced
from connectors.erp.transforms import Drift

FAULT = "Fault"
MOST_ELEMENTS = 1_000_000  # of an encoded answer, its references resolved


class ReplyBroken(Exception):
    """The body ends early or is not XML."""


class ReplyForbidden(Exception):
    """The body declares a document type; nothing of it is used."""


class ReplyForeign(Exception):
    """Well-formed, but no envelope: a page for people."""


@dataclass(frozen=True)
class Wanted:
    """Rows to be read: where they stand below the answer, which count, and how they are read."""

    path: paths.Path
    plan: Plan
    where: paths.Where | None = None


@dataclass
class Reply:
    """What one answer held. ``root`` is what is left of it: all but the rows."""

    rows: list[list[Any]]
    seen: list[int]
    root: etree._Element
    drift: list[Drifted] = field(default_factory=list)
    unknown: Counter[str] = field(default_factory=Counter)
    announced: int | None = None
    last_row: str = ""
    outer: etree._Element | None = None
    sentence: str = ""  # what stood where a document should

    @classmethod
    def empty(cls, wanted: Sequence[Wanted]) -> Reply:
        """Nothing of what was wanted."""
        return cls([[] for _ in wanted], [0] * len(wanted), etree.Element("nothing"))

    def one(self, index: int = 0) -> Any | None:
        """The first row of a kind, or None."""
        return self.rows[index][0] if self.rows[index] else None


@dataclass(frozen=True)
class Fault:
    """A SOAP fault: ``code`` without its prefix, such as ``Client.Refused``."""

    code: str
    text: str
    detail: etree._Element | None = None


class Answer:
    """What an envelope held: a fault, or the reply."""

    def __init__(self, fault: Fault | None, reply: Reply | None) -> None:
        self.fault = fault
        self.reply = reply


class _Gatherer:
    """Rows as they end."""

    def __init__(
        self, base: tuple[str, ...], wanted: Sequence[Wanted], mark: paths.Path | None
    ) -> None:
        self.base = base
        self.wanted = wanted
        self.mark = mark
        self.reply = Reply.empty(wanted)
        self._last: etree._Element | None = None
        self._parent: etree._Element | None = None  # of the last row; the next mostly has it too
        self._tag: object = None
        self._index: int | None = None

    def take(self, index: int, element: etree._Element) -> None:
        reply, wanted = self.reply, self.wanted[index]
        reply.seen[index] += 1
        if self.mark is not None and index == 0:
            reply.last_row = paths.first(element, self.mark)
        if wanted.where is not None and not wanted.where(element):
            return
        try:
            reply.rows[index].append(wanted.plan.build(element, reply.unknown))
        except Drift as error:
            path = f"{wanted.path.text}.{error.path}"
            reply.drift.append(Drifted(wanted.plan.id_of(element), path, error.reason))

    def stream(self, element: etree._Element) -> None:
        """An element that has ended; if it is a row it is taken and let go."""
        parent = element.getparent()
        tag = element.tag
        if parent is not self._parent or tag != self._tag:
            self._index = self._place(element)
            found = self._index is not None and self.wanted[self._index].path.steps
            picked = found and found[-1].pick
            self._parent, self._tag = (parent, tag) if not picked else (None, None)
        if self._index is None:
            return
        self.take(self._index, element)
        self._drop_last()
        self._last = element  # libxml2 still stands on it; it goes when the next one has ended

    def _drop_last(self) -> None:
        last = self._last
        if last is not None and (above := last.getparent()) is not None:
            above.remove(last)

    def _place(self, element: etree._Element) -> int | None:
        """Which rows the element belongs to, by where it stands."""
        for index, wanted in enumerate(self.wanted):
            names = (*self.base, *(step.name for step in wanted.path.steps))
            if _stands(element, names, wanted.path):
                return index
        return None

    def finish(self, root: etree._Element) -> Reply:
        self._drop_last()
        reply = self.reply
        reply.root = root
        for wanted in self.wanted[:1]:
            above = paths.Path(wanted.path.steps[:-1])
            counts = [n for e in paths.elements(root, above) if (n := announced(e)) is not None]
            reply.announced = sum(counts) if counts else None
        return reply


def read_envelope(
    stream: Readable,
    response: str,
    wanted: Sequence[Wanted] = (),
    *,
    mark: paths.Path | None = None,
    keep: bool = False,
    huge: bool = False,
) -> Answer:
    """Reads one envelope to its end. ``response`` is the local name of the expected answer
    (empty takes any), ``wanted`` are paths below it; ``mark`` is kept of the last row. With
    ``keep`` the rows stay in ``Reply.root``, and references of encoded answers are resolved.

    Raises ReplyBroken, ReplyForbidden, ReplyForeign; whatever ``stream`` raises passes through.
    """
    gatherer = _Gatherer(("Envelope", "Body", response), wanted, mark)
    root = _parse(stream, gatherer, keep=keep, huge=huge)
    if paths.local(root.tag) != "Envelope":
        raise ReplyForeign(paths.local(root.tag))
    body = next((e for e in root if paths.local(e.tag) == "Body"), None)
    if body is None or not len(body):
        raise ReplyBroken("nothing in the envelope")
    answer = body[0]
    name = paths.local(answer.tag)
    if name == FAULT:
        return Answer(_fault(answer), None)
    if response and name != response:
        raise ReplyBroken(f"no {response} in the envelope")
    if keep:
        _resolve(body)
        _gather(answer, gatherer)
    return Answer(None, gatherer.finish(answer))


def read_document(
    text: str,
    root_name: str,
    wanted: Sequence[Wanted],
    *,
    mark: paths.Path | None = None,
    keep: bool = False,
    style: str = "xml",
) -> Reply:
    """The XML or JSON document inside a string. Raises as ``read_envelope``."""
    gatherer = _Gatherer((root_name,), wanted, mark)
    text = text.strip().lstrip("\ufeff")
    if style == "json":
        root = json_elements(text)
        _gather(root, gatherer)
        return gatherer.finish(root)
    body = re.sub(r"^<\?xml[^>]*\?>", "", text, count=1)
    stream = io.BytesIO(body.encode())
    root = _parse(stream, gatherer, keep=keep, huge=True)
    if root_name and paths.local(root.tag) != root_name:
        raise ReplyForeign(paths.local(root.tag))
    if keep:
        _gather(root, gatherer)
    return gatherer.finish(root)


def is_sentence(text: str, style: str) -> bool:
    """Whether a string holds no document, whole or broken, but words."""
    return not text.lstrip("\ufeff").lstrip().startswith(("{", "[") if style == "json" else "<")


def _parse(stream: Readable, gatherer: _Gatherer, *, keep: bool, huge: bool) -> etree._Element:
    """The document's root, its rows taken on the way unless they are to be kept."""
    base = gatherer.base
    lasts = [
        wanted.path.steps[-1].name if wanted.path.steps else base[-1] for wanted in gatherer.wanted
    ]
    names = {base[0]} if keep else {*lasts}
    tags = sorted(f"{{*}}{name}" for name in names) if all(names) else None
    try:
        context = etree.iterparse(
            stream,
            events=("end",),
            tag=tags,
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            remove_comments=True,
            remove_pis=True,
            huge_tree=huge,
        )
        for count, (_, element) in enumerate(context):
            if not count:
                _refuse_doctype(element)
            if not keep:
                gatherer.stream(element)
        root: etree._Element | None = context.root
    except etree.XMLSyntaxError as error:
        raise ReplyBroken(str(error)) from error
    if root is None:
        raise ReplyBroken("nothing there")
    _refuse_doctype(root)
    return root


def _stands(element: etree._Element, trail: tuple[str, ...], path: paths.Path) -> bool:
    """Whether an element stands at the end of a trail of names, from the root on."""
    steps = path.steps
    at: etree._Element | None = element
    for depth, name in enumerate(reversed(trail)):
        if at is None or (name and paths.local(at.tag) != name):
            return False
        if depth < len(steps):
            pick = steps[-1 - depth].pick
            if pick is not None and at.get(pick[0]) != pick[1]:
                return False
        at = at.getparent()
    return at is None


def _gather(root: etree._Element, gatherer: _Gatherer) -> None:
    for index, wanted in enumerate(gatherer.wanted):
        for element in list(paths.elements(root, wanted.path)):
            gatherer.take(index, element)


def _resolve(body: etree._Element) -> None:
    """Put the elements that ``href="#id"`` names where they are meant (Axis 1 'multiRef')."""
    named = {f"#{e.get('id')}": e for e in body if e.get("id")}
    if not named:
        return
    stack, left = [body[0]], MOST_ELEMENTS
    while stack:
        element = stack.pop()
        left -= 1
        if left < 0:
            raise ReplyBroken("references go in a circle")
        reference = element.get("href", "")
        if reference.startswith("#"):
            target = named.get(reference)
            if target is None:
                raise ReplyBroken(f"a reference leads nowhere: {reference[:60]}")
            del element.attrib["href"]
            element.text = target.text
            for name, value in target.attrib.items():
                if name != "id":
                    element.set(name, value)
            element.extend([deepcopy(child) for child in target])
        stack.extend(element)


def _fault(element: etree._Element) -> Fault:
    """SOAP 1.1 and 1.2."""
    code = text = ""
    detail = None
    for child in element:
        name = paths.local(child.tag)
        words = "".join(map(str, child.itertext())).strip()
        if name == "faultcode":
            code = words.rpartition(":")[2]
        elif name == "Code":
            values = list(child.iter("{*}Value"))
            code = ".".join((e.text or "").strip().rpartition(":")[2] for e in values)
        elif name in {"faultstring", "Reason"}:
            text = words
        elif name in {"detail", "Detail"}:
            detail = child
    return Fault(code, text, detail)


def json_elements(text: str) -> etree._Element:
    """JSON as elements: a list repeats its name, null is nil, numbers keep their digits."""
    try:
        value = json.loads(text, parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError) as error:
        raise ReplyBroken(f"not JSON: {error}") from error
    root = etree.Element("json")
    _grow(root, value, "item")
    return root


def _grow(element: etree._Element, value: Any, name: str) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            tag = re.sub(r"[^\w.-]", "_", key)
            tag = tag if re.match(r"[^\W\d]", tag) else f"_{tag}"
            for one in inner if isinstance(inner, list) else [inner]:
                _grow(etree.SubElement(element, tag), one, tag)
    elif isinstance(value, list):
        for one in value:
            _grow(etree.SubElement(element, name), one, name)
    elif value is None:
        element.set(XSI_NIL, "true")
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    else:
        element.text = str(value)


def has_doctype(root: etree._Element) -> bool:
    """Whether the document declares a type; entities can stand nowhere else."""
    info: Any = root.getroottree().docinfo  # the stubs know little of it
    return bool(info.doctype)


def _refuse_doctype(root: etree._Element) -> None:
    if has_doctype(root):
        raise ReplyForbidden
