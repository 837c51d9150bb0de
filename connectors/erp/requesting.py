"""Requests from values of ours: a tree of texts, as zeep's arguments or as a document.

A value is always set as a node's text: no customer's name can become markup, and what goes into
an ERP's filter expression is typed and refused where it holds the filter's own signs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import ErpRefused, Issue
from connectors.erp.outgoing import CannotSay, Literal, Say
from connectors.erp.paths import Path, Step

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """One value of ours: a field's name, of which list (or none), and how it is said."""

    name: str
    rows: str
    say: Say
    shared: bool = False  # every row has the same value, which is none of the row's own

    def of(self, values: Values, row: Any) -> str | None:
        """The text; None leaves the element out."""
        if not self.name:
            value = row if self.rows else None
        elif self.rows and not self.shared:
            value = getattr(row, self.name)
        else:
            value = values.get(self.name)
        said: str | None = self.say(value)
        return said


@dataclass(frozen=True)
class Joined:
    """Several values in one text; ``pieces`` stand before, between and behind them.

    With ``only_first`` it is the first that is not empty. Nothing is said where any value (or,
    of ``only_first``, every one) is missing, unless there is a ``default``.
    """

    sources: tuple[Source, ...]
    pieces: tuple[str, ...]
    rows: str = ""
    only_first: bool = False
    default: str | None = None
    name: str = ""

    def of(self, values: Values, row: Any) -> str | None:
        """The text; None leaves the element out."""
        said = [source.of(values, row) for source in self.sources]
        if self.only_first:
            return next((text for text in said if text), self.default)
        parts = [self.pieces[0]]
        for text, piece in zip(said, self.pieces[1:], strict=True):
            if text is None:
                return self.default
            parts += (text, piece)
        return "".join(parts)


@dataclass(frozen=True)
class Setting:
    """Where a value goes."""

    target: Path
    source: Source | Joined


class Branch:
    """An element to be: its text, its attributes, what stands below it in order."""

    __slots__ = ("attrs", "kids", "many", "text")

    def __init__(self) -> None:
        self.text: str | None = None
        self.attrs: dict[str, str] = {}
        self.kids: dict[Step, list[Branch]] = {}
        self.many: set[str] = set()

    def step(self, step: Step, index: int) -> Branch:
        """The element one step below, made where it is missing."""
        key = Step(step.name, step.pick)
        if step.many:
            self.many.add(step.name)
        kids = self.kids.setdefault(key, [])
        while len(kids) <= index:
            kids.append(Branch())
            if step.pick is not None:
                kids[-1].attrs[step.pick[0]] = step.pick[1]
        return kids[index]

    def arguments(self) -> Any:
        """In zeep's words: texts, dicts and lists."""
        if not self.kids and not self.attrs:
            return self.text
        found: dict[str, Any] = dict(self.attrs)
        if self.text is not None:
            found["_value_1"] = self.text
        for step, kids in self.kids.items():
            values = [kid.arguments() for kid in kids]
            if step.name in self.many or len(values) > 1 or step.name in found:
                found.setdefault(step.name, []).extend(values)
            else:
                found[step.name] = values[0]
        return found

    def element(self, name: str) -> etree._Element:
        """As a document of its own."""
        element = etree.Element(name, dict(self.attrs))
        element.text = self.text
        for step, kids in self.kids.items():
            element.extend([kid.element(step.name) for kid in kids])
        return element

    def json(self) -> str:
        """As a JSON document; numbers keep their digits."""
        if not self.kids and not self.attrs:
            text = self.text
            if text is None:
                return "null"
            return str(text) if isinstance(text, Literal) else json.dumps(text, ensure_ascii=False)
        parts: dict[str, str] = {
            k: json.dumps(v, ensure_ascii=False) for k, v in self.attrs.items()
        }
        for step, kids in self.kids.items():
            values = [kid.json() for kid in kids]
            many = step.name in self.many or len(values) > 1
            parts[step.name] = f"[{', '.join(values)}]" if many else values[0]
        return "{" + ", ".join(f"{json.dumps(k)}: {v}" for k, v in parts.items()) + "}"


def build(settings: Sequence[Setting], values: Values) -> Branch:
    """The tree of a request. Raises ErpRefused, at its field, for what the ERP cannot be told."""
    root = Branch()
    for setting in settings:
        source, target = setting.source, setting.target
        if not source.rows:
            _set(root, target, _said(setting, values, None), 0)
            continue
        rows = values[source.rows]
        _open(root, target)
        for index, row in enumerate(rows):
            _set(root, target, _said(setting, values, row), index)
    return root


def _said(setting: Setting, values: Values, row: Any) -> str | None:
    try:
        return setting.source.of(values, row)
    except CannotSay as error:
        line = getattr(row, "line_no", None)
        issue = Issue("cannot_say", str(error), setting.source.name, line)
        raise ErpRefused(
            Message("The ERP cannot take this: %(text)s", text=str(error)), issues=(issue,)
        ) from error


def _open(root: Branch, target: Path) -> None:
    """The element around the rows is there though there may be no row."""
    node = root
    for step in target.steps:
        if step.many:
            node.many.add(step.name)
            node.kids.setdefault(Step(step.name, step.pick), [])
            return
        node = node.step(step, 0)


def _set(root: Branch, target: Path, text: str | None, index: int) -> None:
    if text is None:
        return
    node = root
    for step in target.steps:
        node = node.step(step, (index or step.index) if step.many else 0)
    if target.attr:
        node.attrs[target.attr] = text
    else:
        node.text = text
