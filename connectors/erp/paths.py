"""Paths of a profile: where a value stands in a message. Pure text and trees, no ERP.

``Master/Record#oea01`` is the value named oea01 among the record's name/value nodes,
``Item/@code`` an attribute, ``TAB[@ID=SOH4]/LIN`` the rows of one of several tables, ``Line[]``
(in requests) an element per row of ours and ``Filter[1]`` the second of several, ``.`` the row
itself. Names are local names: namespaces
are ignored.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from connectors.erp.misfit import ProfileError

_STEP = re.compile(
    r"(?P<name>[^\W\d][\w.-]*)?"
    r"(?P<many>\[(?P<index>\d*)\])?"
    r"(?:\[@(?P<attr>[\w.:-]+)=(?P<value>[^\]]*)\])?"
    r"(?:\#(?P<named>[\w.-]+))?"
)


@dataclass(frozen=True)
class NameValue:
    """How this ERP writes name/value nodes; an empty ``value`` means the node's text."""

    element: str
    name: str = "name"
    value: str = "value"


@dataclass(frozen=True)
class Step:
    """One element on the way. ``pick`` chooses it by an attribute's value."""

    name: str
    pick: tuple[str, str] | None = None
    many: bool = False
    index: int = 0  # which of many, where a request names one


@dataclass(frozen=True)
class Path:
    """A parsed path; ``attr`` is empty where the element's text is meant."""

    steps: tuple[Step, ...]
    attr: str = ""
    text: str = ""

    def __truediv__(self, below: Path) -> Path:
        """The path below this one."""
        return Path(self.steps + below.steps, below.attr, f"{self.text}/{below.text}")


def parse(text: str, named: NameValue | None = None) -> Path:
    """A path from its text. Raises ProfileError where the text is none."""
    parts = text.strip("/").split("/") if text.strip("/") not in {"", "."} else []
    attr = ""
    if parts and parts[-1].startswith("@"):
        attr = parts.pop()[1:]
    steps: list[Step] = []
    for part in parts:
        found = _STEP.fullmatch(part)
        if found is None or not part:
            raise ProfileError(f"{text!r} is not a path: {part!r} is not a name")
        if found["name"]:
            pick = (found["attr"], found["value"]) if found["attr"] else None
            many, index = bool(found["many"]), int(found["index"] or 0)
            steps.append(Step(found["name"], pick, many=many, index=index))
        if found["named"]:
            if named is None:
                raise ProfileError(f"{text!r} has a '#', but [payload] names no 'node'")
            steps.append(Step(named.element, (named.name, found["named"])))
            attr = named.value
    return Path(tuple(steps), attr, text)


def local(tag: object) -> str:
    """The name without its namespace; empty for a comment."""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def elements(root: etree._Element, path: Path) -> Iterator[etree._Element]:
    """The elements at a path below ``root``, in document order."""
    found = [root]
    for step in path.steps:
        found = [child for parent in found for child in parent if _is(child, step)]
    yield from found


def _is(element: etree._Element, step: Step) -> bool:
    if local(element.tag) != step.name:
        return False
    return step.pick is None or element.get(step.pick[0]) == step.pick[1]


def texts(root: etree._Element, path: Path) -> list[str]:
    """The texts at a path; an attribute that is not there gives none."""
    if path.attr:
        values = (element.get(path.attr) for element in elements(root, path))
        return [value for value in values if value is not None]
    found = list(elements(root, path))
    return ["".join(map(str, element.itertext())) for element in found]


def first(root: etree._Element, path: Path | None) -> str:
    """The first text at a path, stripped; empty where there is none."""
    found = texts(root, path) if path is not None else ()
    return found[0].strip() if found else ""


@dataclass(frozen=True)
class Where:
    """``Type=Item`` or ``Type!=Item``, asked of a row."""

    path: Path
    value: str
    same: bool

    def __call__(self, row: etree._Element) -> bool:
        """Whether the row is wanted."""
        return (first(row, self.path) == self.value) is self.same


def where(text: str, named: NameValue | None = None) -> Where:
    """A row condition from its text."""
    left, sign, value = text.partition("=")
    if not sign or not left:
        raise ProfileError(f"{text!r} is not a condition such as 'Type=Item'")
    same = not left.endswith("!")
    return Where(parse(left.rstrip("!").strip(), named), value.strip(), same)
