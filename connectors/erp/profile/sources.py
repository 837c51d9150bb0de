"""The write half: which value of ours goes to which place of a request, checked at load.

A request is a list of ``[target, source]``. A source is a field of ours with transforms
(``"lines[].qty|decimal:3"``), ``"${conn.company}"``, ``"${secret}"``, a constant
(``"|const:OR"``), or a table: ``template`` with typed placeholders, ``concat``, ``first``.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, get_args, get_origin, get_type_hints

from b2bcrm.ports.erp import OrderDraft
from connectors.erp import paths
from connectors.erp.misfit import ProfileError, expected
from connectors.erp.outgoing import sayer
from connectors.erp.paths import NameValue, Path
from connectors.erp.profile.plans import plain
from connectors.erp.profile.table import Table
from connectors.erp.requesting import Joined, Setting, Source
from connectors.erp.shapes import OPEN, Shape, WsdlShape, array_row, find, step_below
from connectors.erp.transforms import Formats, chain

_PLACE = re.compile(r"\{([^{}]*)\}")
_CONN = re.compile(r"\$\{(conn\.[a-z_]+(?:\.[a-z0-9_]+)?|secret|session)\}")
_VALUES = (str, int, Decimal, bool, dt.date, dt.datetime)
CONNECTION = ("conn.base_url", "conn.company", "conn.user", "secret", "session")
ALWAYS: Mapping[str, Any] = {"message_id": str, "now": dt.datetime, "today": dt.date}


@dataclass(frozen=True)
class Known:
    """The values a request may use: single ones by type, lists of rows by their record."""

    single: Mapping[str, Any] = field(default_factory=dict)
    lists: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, *, draft: bool = False, names: Mapping[str, Any] | None = None, **more: Any
    ) -> Known:
        """Named types; with ``draft`` all fields of a sales order draft and its lines."""
        single: dict[str, Any] = dict(ALWAYS)
        lists: dict[str, Mapping[str, Any]] = {}
        more |= names or {}
        for name, hint in (get_type_hints(OrderDraft) if draft else {}).items():
            more.setdefault(name, hint)
        for name, hint in more.items():
            if get_origin(hint) is tuple:
                row = get_args(hint)[0]
                lists[name] = {"": row} if row in _VALUES else get_type_hints(row)
            else:
                single[name] = hint
        return cls(single, lists)


class Setter:
    """Makes the settings of requests for one profile."""

    def __init__(self, formats: Formats, named: NameValue | None, params: Sequence[str]) -> None:
        self.formats = formats
        self.named = named
        self.params = {f"conn.params.{name}" for name in params}

    def settings(
        self, pairs: Sequence[Any], known: Known, shape: Shape, place: str, base: str = ""
    ) -> tuple[Setting, ...]:
        """The settings of ``[[target, source], ...]``. Raises ProfileError, with the place.

        A target that begins with '/' does not stand below ``base``.
        """
        found = []
        for number, pair in enumerate(pairs):
            at = f"{place}[{number}]"
            if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):  # noqa: PLR2004 - a pair
                raise ProfileError(f"{at} must be [target, source], not {pair!r}")
            target, source = pair
            path = paths.parse(target, self.named)
            if base and not target.startswith("/"):
                path = paths.parse(base, self.named) / path
            found.append(self._setting(path, source, known, shape, at))
        return tuple(found)

    def _setting(self, path: Path, source: Any, known: Known, shape: Shape, place: str) -> Setting:
        try:
            made = self.source(source, known)
        except ProfileError as error:
            raise ProfileError(f"{place}: {error.text}") from None
        find(shape, path, f"{place} ({path.text})")
        if isinstance(made, Source) and made.rows and not any(s.many for s in path.steps):
            raise ProfileError(f"{place}: {path.text} takes one value, {source} has many: add '[]'")
        return Setting(path, made)

    def source(self, spec: Any, known: Known) -> Source | Joined:
        """A source from its text or table."""
        if isinstance(spec, str):
            return self._single(spec, known)
        if not isinstance(spec, dict):
            raise ProfileError(f"{spec!r} is neither a text nor a table")
        table = Table(spec, "")
        default = table.text("default") if "default" in table else None
        if "each" in table:
            one = self._single(table.text("value"), known)
            if table.text("each") not in known.lists or one.rows:
                raise ProfileError(f"{spec!r}: each must be a list, value one value")
            made: Source | Joined = replace(one, rows=table.text("each"), shared=True)
        elif "template" in table:
            text = table.text("template")
            inner = tuple(self._filtered(m[1], known) for m in _PLACE.finditer(text))
            pieces = tuple(_PLACE.split(text)[::2])
            made = Joined(inner, pieces, _rows_of(inner), default=default, name=text)
        elif "concat" in table:
            inner = tuple(self._single(s, known) for s in table.texts("concat"))
            between = table.text("with", "")
            pieces = ("", *[between] * (len(inner) - 1), "")
            made = Joined(inner, pieces, _rows_of(inner), default=default)
        elif "first" in table:
            inner = tuple(self._single(s, known) for s in table.texts("first"))
            made = Joined(inner, (), _rows_of(inner), only_first=True, default=default)
        else:
            raise ProfileError("one of template, concat, first, each is missing")
        table.done()
        return made

    def _filtered(self, spec: str, known: Known) -> Source:
        """A placeholder of a template: a text must not hold the filter's own signs."""
        name, _ = chain(spec)
        single = known.single.get(name)
        if plain(single) is str:
            spec += "|filter"
        elif single is None:
            raise ProfileError(f"there is no value {name!r}; {expected(name, known.single)}")
        return self._single(spec, known)

    def _single(self, spec: str, known: Known) -> Source:
        text, transforms = chain(spec)
        say = sayer(transforms, self.formats)
        if text.startswith("$"):
            return Source(self._connection(text), "", say)
        if not text:
            if not any(step.name == "const" for step in transforms):
                raise ProfileError(f"{spec!r} names no value")
            return Source("", "", say)
        rows, dot, name = text.partition("[]")
        if dot:
            fields = known.lists.get(rows)
            if fields is None:
                raise ProfileError(f"there is no list {rows!r}; {expected(rows, known.lists)}")
            name = name.removeprefix(".")
            self._one_value(name, fields)
            return Source(name, rows, say)
        self._one_value(text, known.single)
        return Source(text, "", say)

    def _one_value(self, name: str, known: Mapping[str, Any]) -> None:
        if name not in known:
            raise ProfileError(f"there is no value {name!r}; {expected(name, known)}")
        if plain(known[name]) not in _VALUES:
            raise ProfileError(f"{name} is not one value")

    def _connection(self, text: str) -> str:
        found = _CONN.fullmatch(text)
        names = {*CONNECTION, *self.params}
        if found is None or found[1] not in names:
            raise ProfileError(f"{text} is not known; {expected(text[2:-1], names)}")
        return found[1]


def _rows_of(sources: Sequence[Source]) -> str:
    found = {source.rows for source in sources if source.rows}
    if len(found) > 1:
        raise ProfileError("values of different lists cannot be joined")
    return next(iter(found), "")


def check_sent(settings: Sequence[Setting], shape: WsdlShape, place: str) -> None:
    """Everything that must be sent is. Raises ProfileError, naming what is not."""
    _check_below([setting.target for setting in settings], 0, shape, place)


def _check_below(targets: Sequence[Path], depth: int, shape: Shape, place: str) -> None:
    names = {t.steps[depth].name for t in targets if len(t.steps) > depth}
    for name, below in shape.below.items():
        if below.required and name not in names:
            raise ProfileError(f"{place}: {name} must be sent and is not mapped")
        if name in names and below is not OPEN:
            inner = [t for t in targets if len(t.steps) > depth and t.steps[depth].name == name]
            step = inner[0].steps[depth]
            _check_below(inner, depth + 1, step_below(shape, step, place), place)


def check_rows(settings: Sequence[Setting], shape: WsdlShape, place: str) -> None:
    """Rows of an encoded array are told by one name and '[]'. Raises ProfileError."""
    names: dict[str, str] = {}
    for target in (setting.target for setting in settings):
        at: Shape = shape
        way = ""
        for step in target.steps:
            if isinstance(at, WsdlShape) and array_row(at.wire) is not None:
                name = names.setdefault(way, f"{step.name}[]")
                if name != f"{step.name}[]" or not step.many:
                    raise ProfileError(f"{place}: {target.text}: rows of an array are {name} here")
            at, way = step_below(at, step, place), f"{way}/{step.name}"
