"""Which operation reads what, and which element is which field of ours, by name and type."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, get_args, get_origin, get_type_hints

from b2bcrm.ports.erp import Entity, Record
from connectors.erp.drafting import words
from connectors.erp.profile import RECORDS
from connectors.erp.profile.plans import has_default, is_optional, plain
from connectors.erp.profile.services import OpenService, Operation
from connectors.erp.shapes import OPEN, WsdlShape

KINDS: Mapping[type, str] = {
    str: "text", int: "int", Decimal: "decimal", bool: "bool", dt.date: "date",
    dt.datetime: "datetime",
}  # fmt: skip
FITS = {  # our kind -> kinds of the wire from which it can be read
    "text": {"text", "int", "decimal"},
    "int": {"int", "decimal", "text"},
    "decimal": {"decimal", "int", "text"},
    "bool": {"bool", "int"},
    "date": {"date", "datetime", "text"},
    "datetime": {"datetime", "text"},
}
DEPTH = 4
KEYS = frozenset({"erp_id", "item", "customer", "component", "work_center", "sales_order"})
"""Texts that name another record: an empty one would lead nowhere."""


@dataclass
class Fields:
    """The proposal for one record: our field -> its line in TOML, and what has none."""

    record: type
    mapped: dict[str, str] = field(default_factory=dict)
    lists: dict[str, tuple[str, Fields]] = field(default_factory=dict)  # rows and their fields
    empty: list[str] = field(default_factory=list)  # texts and dates that are left empty
    missing: list[str] = field(default_factory=list)  # what only a person can fill
    codes: dict[str, tuple[str, ...]] = field(default_factory=dict)  # map -> our words

    def gaps(self, path: str = "") -> list[str]:
        """What is missing here and below, with its place."""
        own = [f"{path}{name}" for name in self.missing]
        below = [g for name, (_, inner) in self.lists.items() for g in inner.gaps(f"{name}.")]
        return own + below

    def all_codes(self) -> dict[str, tuple[str, ...]]:
        """The code lists needed here and below."""
        found = dict(self.codes)
        for _, inner in self.lists.values():
            found |= inner.all_codes()
        return found

    @property
    def weight(self) -> int:
        """How much was recognised."""
        return len(self.mapped) + sum(inner.weight for _, inner in self.lists.values())


@dataclass
class Reading:
    """The proposal for one entity. ``gap`` says why it cannot be read yet; empty when it can."""

    entity: Entity
    list_call: str = ""
    rows: str = ""
    fields: Fields | None = None
    page: dict[str, str] = field(default_factory=dict)
    since: tuple[str, str] = ("", "")  # element, style
    get_call: str = ""
    get_rows: str = ""
    get_key: str = ""
    gap: str = ""


def readings(service: OpenService, names: Sequence[str]) -> dict[Entity, Reading]:
    """A proposal for each entity of which the WSDL has an operation that lists it."""
    found = {}
    for entity in Entity:
        made = [
            reading
            for name in sorted(names, key=_verb)
            if _is_about(service, name, entity, words.LIST_VERBS)
            and (reading := _list(service.operation(name, name), entity)) is not None
        ]
        if made:
            best = max(made, key=lambda r: (not r.gap, r.fields.weight if r.fields else 0))
            _single(service, names, best)
            found[entity] = best
    return found


def _verb(operation: str) -> int:
    """The rank of an operation's verb: of two lists, the one that says so comes first."""
    name = words.plain(operation)
    ranks = [n for n, verb in enumerate(words.LIST_VERBS) if name.startswith(verb)]
    return min(ranks, default=len(words.LIST_VERBS))


def _is_about(service: OpenService, name: str, entity: Entity, verbs: tuple[str, ...]) -> bool:
    """Whether an operation's name is one of the verbs and a word for the entity.

    A name that is nothing but a verb (``ReadMultiple``) is about what its answer's rows are.
    """
    plain_name = words.plain(name)
    found = [v for v in verbs if plain_name.startswith(v) or plain_name.endswith(v)]
    if not found:
        return False
    verb = max(found, key=len)
    things = {plain_name.removeprefix(verb).removesuffix(verb)}
    if things == {""}:
        answer = service.operation(name, name).output
        rows = _rows(answer, many=None) if isinstance(answer, WsdlShape) else ()
        things = {words.plain(path.rpartition("/")[2]) for path, _ in rows}
    about = {words.plain(word) for word in words.ENTITIES[entity]}
    about |= {f"{word}{ending}" for word in about for ending in ("s", "es", "list")}
    return bool(things & about)


def _list(operation: Operation, entity: Entity) -> Reading | None:
    if operation.oneway or not isinstance(operation.output, WsdlShape):
        return None
    candidates = [
        (path, fields(RECORDS[entity], shape, entity))
        for path, shape in _rows(operation.output, many=True)
    ]
    if not candidates:
        return None
    path, proposed = max(candidates, key=lambda found: found[1].weight)
    reading = Reading(entity, operation.name, path, proposed)
    sent = {name: shape for name, shape in operation.input.below.items() if shape is not OPEN}
    _paging(reading, sent, dict(_leaves(operation.output)))
    used = {reading.since[0], reading.page.get("send", ""), reading.page.get("send_size", "")}
    unset = [name for name, shape in sent.items() if shape.required and name not in used]
    if unset:
        reading.gap = f"not mapped: {operation.name} must be sent {', '.join(unset)}"
    elif gaps := proposed.gaps():
        reading.gap = f"not mapped: {', '.join(gaps)}"
    return reading


def _paging(reading: Reading, sent: Mapping[str, Any], answered: Mapping[str, str]) -> None:
    """Since when, which page, how many: by the names of what is sent."""
    for name, shape in sent.items():
        if words.likeness("since", name) >= words.GOOD and shape.kind in {"date", "datetime"}:
            reading.since = (name, shape.kind)
    numbers = [name for name, shape in sent.items() if shape.kind == "int"]
    page = next((n for n in numbers if words.likeness("page", n) >= words.GOOD), "")
    size = next((n for n in numbers if words.likeness("page_size", n) >= words.GOOD), "")
    cursor = next((n for n in sent if words.likeness("cursor", n) >= words.GOOD), "")
    following = [p for p in answered if _alike("next_cursor", p)]
    if cursor and following:
        reading.page = {"style": "cursor", "send": cursor, "next": following[0]}
        reading.page |= {"send_size": size} if size else {}
    elif page and size and page != size:
        reading.page = {"style": "page", "send": page, "send_size": size}


def _alike(ours: str, path: str) -> bool:
    return words.likeness(ours, path.rpartition("/")[2]) >= words.GOOD


def _single(service: OpenService, names: Sequence[str], reading: Reading) -> None:
    """The operation that gets one record: the same fields, and one key to send."""
    for name in names:
        if not _is_about(service, name, reading.entity, words.GET_VERBS):
            continue
        operation = service.operation(name, name)
        if operation.oneway or not isinstance(operation.output, WsdlShape):
            continue
        needed = [n for n, s in operation.input.below.items() if s.required]
        if len(needed) != 1 or reading.fields is None:
            continue
        for path, shape in _rows(operation.output, many=None):
            if (
                fields(RECORDS[reading.entity], shape, reading.entity).mapped
                == reading.fields.mapped
            ):
                reading.get_call, reading.get_rows, reading.get_key = name, path, needed[0]
                return


def _rows(
    shape: WsdlShape, *, many: bool | None, path: str = ""
) -> Iterator[tuple[str, WsdlShape]]:
    """Elements that hold elements; ``many`` asks for those that repeat."""
    if path.count("/") >= DEPTH - 1:
        return
    for name, below in shape.below.items():
        if isinstance(below, WsdlShape) and below.holds:
            here = f"{path}/{name}".lstrip("/")
            if many is None or repeats(shape, name) is many:
                yield here, below
            yield from _rows(below, many=many, path=here)


def repeats(shape: WsdlShape, name: str) -> bool:
    """Whether a child may come more than once."""
    element = next(e for n, e in shape.wire.elements if n == name)
    return bool(element.accepts_multiple)


def fields(record: type, shape: WsdlShape, entity: Entity) -> Fields:
    """The fields of ``record`` from one row, each element used at most once."""
    proposed = Fields(record)
    hints = get_type_hints(record)
    own = {f.name: f for f in dataclasses.fields(record)}
    leaves = dict(_leaves(shape))
    owner = (
        words.ENTITIES[entity] if issubclass(record, Record) else (*words.ENTITIES[entity], "line")
    )
    pairs = sorted(
        (
            (
                words.likeness(name, path.rpartition("/")[2], owner) - path.count("/") / 100,
                name,
                path,
            )
            for name in own
            if plain(hints[name]) in KINDS
            for path, kind in leaves.items()
            if kind in FITS[KINDS[plain(hints[name])]]
        ),
        reverse=True,
    )
    used: set[str] = set()
    for score, name, path in pairs:
        if score < words.GOOD or name in proposed.mapped or path in used:
            continue
        used.add(path)
        proposed.mapped[name] = _spec(proposed, name, path, leaves[path], plain(hints[name]))
    for name, each in own.items():
        if name in proposed.mapped:
            continue
        if get_origin(hints[name]) is tuple:
            _below(proposed, name, get_args(hints[name])[0], shape, entity)
        elif not has_default(each):
            kind = KINDS.get(plain(hints[name]), "")
            blank = (kind == "text" and name not in KEYS) or is_optional(hints[name])
            blank = blank and (record.__name__, name) not in words.CODES
            (proposed.empty if blank else proposed.missing).append(name)
    proposed.mapped = {name: proposed.mapped[name] for name in own if name in proposed.mapped}
    missing = [n for n, f in own.items() if n in proposed.lists or not has_default(f)]
    proposed.missing = [n for n in missing if n in proposed.missing]
    return proposed


def _spec(proposed: Fields, name: str, path: str, wire: str, wanted: type) -> str:
    """A path with the transform that its type needs."""
    codes = words.CODES.get((proposed.record.__name__, name))
    if codes is not None:
        title = f"{words.plain(proposed.record.__name__)}_{name}"
        proposed.codes[title] = codes
        return f"{path}|map:{title}"
    kind = KINDS[wanted]
    return path if kind == wire else f"{path}|{kind}"


def _leaves(shape: WsdlShape, path: str = "") -> Iterator[tuple[str, str]]:
    """Elements with a value, not deeper than one below the row, and not repeated."""
    for name, below in shape.below.items():
        if not isinstance(below, WsdlShape) or repeats(shape, name):
            continue
        here = f"{path}/{name}".lstrip("/")
        if not below.holds:
            yield here, below.kind or "text"
        elif not path:
            yield from _leaves(below, here)


def _below(proposed: Fields, name: str, record: type, shape: WsdlShape, entity: Entity) -> None:
    """The rows below a row: the repeated element whose own fields fit best."""
    candidates = [(path, fields(record, inner, entity)) for path, inner in _rows(shape, many=True)]
    path, best = max(candidates, key=lambda found: found[1].weight, default=("", None))
    if best is not None and best.weight > 1:
        proposed.lists[name] = (path, best)
    elif not has_default(next(f for f in dataclasses.fields(proposed.record) if f.name == name)):
        proposed.missing.append(name)
