"""The read half: fields of a record of ours -> a reading plan over a shape of the ERP's.

A field is ``"path|transform:arg"``, or a table: ``rows`` (a list of its own records), ``entries``
(texts under an attribute), ``named`` (texts under names of ours), ``concat`` and ``first``
(several paths), ``same`` (what another field has).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, get_args, get_origin, get_type_hints

from connectors.erp import paths
from connectors.erp.misfit import ProfileError, expected
from connectors.erp.paths import NameValue, Step
from connectors.erp.profile.table import Table
from connectors.erp.reader import IGNORED, Node, Plan, Rows
from connectors.erp.shapes import SampleShape, Shape, find, step_below
from connectors.erp.transforms import (
    KIND_OF,
    Drift,
    Formats,
    Transform,
    chain,
    composed,
    converter,
    made_by,
)

Finish = Callable[[dict[str, Any]], None]


def has_default(field: dataclasses.Field[Any]) -> bool:
    """Whether the record can be made without it."""
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


def is_optional(hint: Any) -> bool:
    """Whether None is one of its values."""
    return type(None) in get_args(hint)


def plain(hint: Any) -> Any:
    """The type without its None."""
    if not is_optional(hint):
        return hint
    return next(t for t in get_args(hint) if t is not type(None))


_BLANK: Mapping[type, str] = {
    str: "",
    int: "0",
    Decimal: "0",
    bool: "false",
    dt.date: "1970-01-01",
    dt.datetime: "1970-01-01T00:00:00Z",
}  # stands in a row until what it has from above is put in


class Planner:
    """Makes plans for one profile."""

    def __init__(self, formats: Formats, named: NameValue | None) -> None:
        self.formats = formats
        self.named = named

    def plan(self, record: type, fields: Table, shape: Shape) -> Plan:
        """The reading plan of ``record``. Raises ProfileError on what does not fit."""
        return _Plan(self, record, shape).made(fields)


class _Plan:
    def __init__(self, planner: Planner, record: type, shape: Shape) -> None:
        self.planner = planner
        self.formats = planner.formats
        self.record = record
        self.shape = shape
        self.hints = get_type_hints(record)
        self.ours = {f.name: f for f in dataclasses.fields(record)}
        self.root = Node()
        self.blank: dict[str, Any] = {}
        self.lists: list[str] = []
        self.finish: list[Finish] = []
        self.id_path: paths.Path | None = None
        self.visited: list[tuple[Node, Shape]] = [(self.root, shape)]

    def made(self, fields: Table) -> Plan:
        for name in fields.data:
            if name not in self.ours:
                raise ProfileError(
                    f"{fields.at(name)}: {self.record.__name__} has no field {name}; "
                    f"{expected(name, self.ours)}"
                )
            try:
                self.field(name, fields)
            except ProfileError as error:
                if error.text.startswith(fields.place):
                    raise
                raise ProfileError(f"{fields.at(name)}: {error.text}") from None
        required = {f.name for f in self.ours.values() if not has_default(f)}
        if lost := required - fields.data.keys():
            raise ProfileError(f"{fields.place}: not mapped: {', '.join(sorted(lost))}")
        for node, shape in self.visited:
            for known in shape.below:
                node.below.setdefault(known, IGNORED)
        self.root.settle()
        self.fill_blanks()
        return Plan(
            self.record,
            self.root,
            self.blank,
            len(self.ours),
            frozenset(required - self.blank.keys()),
            tuple(self.lists),
            tuple(self.finish),
            self.id_path,
        )

    def fill_blanks(self) -> None:
        """What the record's own defaults are."""
        for field in self.ours.values():
            if field.default is not dataclasses.MISSING:
                self.blank.setdefault(field.name, field.default)
            elif field.default_factory is not dataclasses.MISSING:
                self.blank.setdefault(field.name, field.default_factory())

    def field(self, name: str, fields: Table) -> None:
        spec, hint = fields.raw(name), self.hints[name]
        if isinstance(spec, str):
            self.value(name, name, spec, hint)
            if name in {"erp_id", "work_order"}:
                self.id_path = paths.parse(chain(spec)[0], self.planner.named)
            return
        table = fields.table(name)
        if "rows" in table:
            self.rows(name, table, hint)
        elif "entries" in table:
            node, _ = self.place(paths.parse(table.text("entries"), self.planner.named))
            node.name, node.key = name, table.text("key")
            self.blank[name] = {}
        elif "named" in table:
            self.texts(name, table.table("named"))
        elif "concat" in table:
            self.several(name, table.texts("concat"), hint, between=table.text("with", " "))
        elif "first" in table:
            self.several(name, table.texts("first"), hint, between=None)
        elif "same" in table:
            self.same(name, table.text("same"), hint)
        else:
            kinds = ("rows", "entries", "named", "concat", "first", "same")
            raise ProfileError(f"one of {', '.join(kinds)} is missing")
        table.done()

    def value(self, name: str, sink: str, spec: str, hint: Any) -> None:
        """One value at one path, or a constant."""
        path_text, transforms = chain(spec)
        wanted = plain(hint)
        if wanted not in KIND_OF:
            raise ProfileError(f"{name} is not one value")
        if is_optional(hint):
            self.blank[sink] = None
        for step in transforms:
            if step.name in {"const", "default"}:
                self.blank[sink] = self.constant(step, wanted)
        if transforms and transforms[-1].name == "const":
            if path_text:
                raise ProfileError("a constant has no path")
            return
        path = self.with_language(paths.parse(path_text, self.planner.named), transforms)
        _, kind = find(self.shape, path, "")
        if not kind and not transforms:
            raise ProfileError(f"{path_text} holds elements, not a value")
        convert = composed(transforms, kind or "text", self.formats)
        made = made_by(transforms, kind or "text")
        if made is not wanted:
            ours = KIND_OF[wanted]
            raise ProfileError(
                f"{path_text} is {KIND_OF[made]}, {name} must be {ours}: add '|{ours}'?"
            )
        if any(step.name == "default" for step in transforms):
            convert = _or_default(convert, self.blank[sink])
        self.put(path, sink, convert)

    def constant(self, step: Transform, wanted: type) -> Any:
        try:
            return converter(KIND_OF[wanted], "", self.formats)(step.arg)
        except Drift as error:
            raise ProfileError(f"{step.name}: {error.reason}") from None

    def with_language(self, path: paths.Path, transforms: list[Transform]) -> paths.Path:
        """``|lang:EN`` chooses among repeated elements by their language attribute."""
        lang = next((step.arg for step in transforms if step.name == "lang"), None)
        if lang is None:
            return path
        last = dataclasses.replace(path.steps[-1], pick=(self.formats.lang_attr, lang))
        return dataclasses.replace(path, steps=(*path.steps[:-1], last))

    def put(self, path: paths.Path, sink: str, convert: Callable[[str], Any]) -> None:
        node, _ = self.place(path)
        if path.attr:
            if any(attr == path.attr for attr, _, _ in node.attrs):
                raise ProfileError(f"{path.text} is mapped twice; use {{same = ...}}")
            node.attrs.append((path.attr, sink, convert))
        elif node.convert is not None and "#" in {sink[0], node.name[0]}:
            node.attrs.append(("", sink, convert))  # one of several for its field
        elif node.convert is not None or node.key:
            raise ProfileError(f"{path.text} is mapped twice; use {{same = ...}}")
        else:
            node.name, node.convert = sink, convert

    def place(self, path: paths.Path) -> tuple[Node, Shape]:
        """The node at the end of a path, made on the way, and its shape."""
        node, shape = self.root, self.shape
        for step in path.steps:
            around = shape.below
            shape = step_below(shape, step, "")
            node = self.step(node, step, shape, around)
        return node, shape

    def step(self, node: Node, step: Step, shape: Shape, shapes_below: Mapping[str, Shape]) -> Node:
        below = node.below.get(step.name)
        if below is None or below is IGNORED:
            place = f"{node.path}/{step.name}" if node.path else step.name
            below = node.below[step.name] = Node(place)
            if step.pick is None:
                self.visited.append((below, shape))
        if step.pick is None:
            return below
        attr, value = step.pick
        if below.picks and below.pick_attr != attr:
            raise ProfileError(f"{step.name} is chosen by {attr} and by {below.pick_attr}")
        below.pick_attr = attr
        whole = shapes_below.get(step.name)
        if isinstance(whole, SampleShape):
            for known in whole.values(attr):
                below.picks.setdefault(known, IGNORED)
        if below.picks.get(value, IGNORED) is IGNORED:
            below.picks[value] = Node(f"{below.path}[@{attr}={value}]")
            self.visited.append((below.picks[value], shape))
        return below.picks[value]

    def rows(self, name: str, table: Table, hint: Any) -> None:
        if get_origin(hint) is not tuple:
            raise ProfileError(f"{name} is not a list")
        path = paths.parse(table.text("rows"), self.planner.named)
        node, inner = self.place(path)
        row = get_args(hint)[0]
        plan = self.planner.plan(row, self.handed_down(name, row, table.table("fields")), inner)
        where = None
        if "where" in table:
            where = paths.where(table.text("where"), self.planner.named)
            find(inner, where.path, table.at("where"))
        node.rows.append(Rows(name, plan, where))
        self.lists.append(name)
        above = path.steps[:-1]
        may_lack = table.flag("may_lack", default=not above) or has_default(self.ours[name])
        if above:  # the element around the rows tells 'none' from 'not said'
            self.place(paths.Path(above))[0].opens = name
        if may_lack:
            self.blank[name] = ()

    def handed_down(self, name: str, row: type, fields: Table) -> Table:
        """``{up = ...}``: what the rows have from the record around them, put in at the end."""
        own: dict[str, Any] = {}
        given: list[str] = []
        hints = get_type_hints(row)
        for field, spec in fields.data.items():
            if not isinstance(spec, dict) or "up" not in spec:
                own[field] = spec
                continue
            if field not in hints:
                raise ProfileError(f"{fields.at(field)}: {row.__name__} has no field {field}")
            sink, source = f"#{name}.{field}", spec["up"]
            if isinstance(source, str):
                self.value(sink, sink, source, hints[field])
            else:
                paths_of = Table(source, fields.at(field)).texts("first")
                self.several(sink, paths_of, hints[field], between=None)
            own[field] = "|const:" + _BLANK[plain(hints[field])]
            given.append(field)

        def finish(values: dict[str, Any]) -> None:
            put = {field: values.get(f"#{name}.{field}") for field in given}
            missing = [f for f in given if put[f] is None and not is_optional(hints[f])]
            rows = values.get(name) or ()
            if rows and missing:
                raise Drift("missing", ", ".join(missing))
            values[name] = [dataclasses.replace(one, **put) for one in rows]

        if given:
            self.finish.append(finish)
        return Table(own, fields.place)

    def texts(self, name: str, table: Table) -> None:
        for key in table.data:
            self.value(key, f"#{name}.{key}", table.text(key), str)

        def finish(values: dict[str, Any]) -> None:
            prefix = f"#{name}."
            found = {k: v for k, v in values.items() if k.startswith(prefix)}
            values[name] = {k.removeprefix(prefix): v for k, v in found.items()}

        self.blank[name] = {}
        self.finish.append(finish)

    def several(self, name: str, specs: tuple[str, ...], hint: Any, between: str | None) -> None:
        sinks = [f"#{name}{n}" for n in range(len(specs))]
        for sink, spec in zip(sinks, specs, strict=True):
            self.value(name, sink, spec, hint)
        if between is not None and plain(hint) is not str:
            raise ProfileError("only texts can be joined")

        def join(values: dict[str, Any]) -> None:
            found = [values[sink] for sink in sinks if values.get(sink)]
            if found or any(sink in values for sink in sinks):
                values[name] = (between or "").join(found)

        def first(values: dict[str, Any]) -> None:
            found = [values[sink] for sink in sinks if values.get(sink) is not None]
            filled = [value for value in found if value != ""]
            if found:
                values[name] = (filled or found)[0]

        if is_optional(hint):
            self.blank[name] = None
        self.finish.append(first if between is None else join)

    def same(self, name: str, other: str, hint: Any) -> None:
        if other not in self.hints or plain(self.hints[other]) is not plain(hint):
            raise ProfileError(f"there is no {KIND_OF.get(plain(hint), 'such')} field {other}")

        def copy(values: dict[str, Any]) -> None:
            if values.get(other) is not None:
                values[name] = values[other]

        if is_optional(hint):
            self.blank[name] = None
        self.finish.append(copy)


def _or_default(convert: Callable[[str], Any], value: Any) -> Callable[[str], Any]:
    return lambda text: convert(text) if text.strip() else value
