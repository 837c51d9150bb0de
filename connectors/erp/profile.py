"""A profile: one ERP's words for ours, in TOML, checked against its WSDL when it is loaded.

A wrong operation, path, transform or type stops the start with a sentence, not a sync at night.
Not here: the reading itself (``reader``), the closed list of transforms (``transforms``).
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

from b2bcrm.ports import erp as port
from b2bcrm.ports.erp import (
    Act,
    Capability,
    Connection,
    Deletes,
    Delta,
    Entity,
    Idempotency,
    Issue,
    OrderDraft,
    Paging,
    Record,
)
from connectors.erp import client
from connectors.erp.answers import PageInfo, Ping, Progress, Written
from connectors.erp.reader import Node, Plan
from connectors.erp.transforms import MAKES, Formats, converter, outgoing

PROFILE_DIR = Path(__file__).resolve().parent / "profiles"
RECORDS: Mapping[Entity, type[Record]] = {
    Entity.CUSTOMER: port.Customer,
    Entity.ITEM: port.Item,
    Entity.BOM: port.Bom,
    Entity.WORK_CENTER: port.WorkCenter,
    Entity.STOCK: port.StockLevel,
    Entity.PURCHASE_ORDER: port.PurchaseOrder,
    Entity.WORK_ORDER: port.WorkOrder,
    Entity.SALES_ORDER: port.SalesOrder,
    Entity.SHIPMENT: port.Shipment,
    Entity.INVOICE: port.Invoice,
    Entity.PRICE: port.PriceBreak,
}
_BY_WIRE_TYPE = {  # nearest ancestor first in a type's MRO wins; anything else is text
    "Boolean": "bool",
    "DateTime": "datetime",
    "Date": "date",
    "Integer": "int",
    "Long": "int",
    "Int": "int",
    "Decimal": "decimal",
}


Answers = Mapping[str, tuple[type, Mapping[str, Any]]]  # element -> record, its fields


class ProfileError(Exception):
    """The profile does not fit its WSDL or our port; the text says where."""


@dataclasses.dataclass(frozen=True)
class Call:
    """One operation: our argument names to its elements, and the plans of its answer's children."""

    operation: str
    response: str
    args: Mapping[str, str]
    wanted: Mapping[str, Plan]
    rows: str


@dataclasses.dataclass(frozen=True)
class Rule:
    """A fault whose code starts with ``fault`` belongs to ``family``; the first match wins."""

    fault: str
    family: str  # refused, conflict, auth, unavailable, unknown


@dataclasses.dataclass(frozen=True)
class Profile:
    """Everything the gateway needs to speak to one kind of ERP."""

    id: str
    version: str
    product: str
    capabilities: Mapping[Entity, Capability]
    wsdl: str
    binding: str
    endpoint: str
    mask: tuple[str, ...]
    rules: tuple[Rule, ...]
    page: str
    calls: Mapping[str, Call]
    issue_plan: Plan
    draft: Mapping[str, Any]
    digest: str = ""  # SHA-256 of its text

    def address(self, connection: Connection) -> str:
        """The endpoint for one connection."""
        return self.endpoint.replace("${conn.base_url}", connection.base_url.rstrip("/"))

    def draft_tree(self, draft: OrderDraft) -> dict[str, Any]:
        """The draft under the ERP's element names, as texts."""
        return _tree(self.draft, draft)


def _tree(mapping: Mapping[str, Any], source: object) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for element, target in mapping.items():
        if isinstance(target, str):
            tree[element] = outgoing(getattr(source, target))
        else:
            rows = getattr(source, target["each"])
            tree[element] = {target["as"]: [_tree(target["fields"], row) for row in rows]}
    return tree


@lru_cache(maxsize=16)
def load(name: str) -> Profile:
    """The profile of that name, checked and compiled once per process. Raises ProfileError."""
    if re.fullmatch(r"[a-z0-9-]+", name) is None or not (PROFILE_DIR / f"{name}.toml").is_file():
        raise ProfileError(f"there is no profile {name!r}")
    text = (PROFILE_DIR / f"{name}.toml").read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).hexdigest()
    return dataclasses.replace(compile_profile(tomllib.loads(text)), digest=digest)


def compile_profile(data: Mapping[str, Any]) -> Profile:
    """A profile from its parsed TOML. Raises ProfileError on the first thing that does not fit."""
    try:
        return _Compiler(data).profile()
    except KeyError as error:
        raise ProfileError(f"missing or unknown: {error}") from error


def has_default(field: dataclasses.Field[Any]) -> bool:
    """Whether the record can be made without it."""
    missing = dataclasses.MISSING
    return field.default is not missing or field.default_factory is not missing


class _Compiler:
    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        transport = data["transport"]
        document = client.document(transport["wsdl"])
        self.types = document.types
        self.binding: Any = document.bindings.get(transport["binding"])
        if self.binding is None:
            raise ProfileError(f"the WSDL has no binding {transport['binding']}")
        formats = data["formats"]
        self.formats = Formats(
            ZoneInfo(formats["tz"]), frozenset(formats["date_null"]), data.get("maps", {})
        )

    def profile(self) -> Profile:
        data, transport = self.data, self.data["transport"]
        calls: dict[str, Call] = {}
        for entity, record in RECORDS.items():
            read = data["read"].get(entity.value)
            if read is None:
                continue  # the connection cannot read it, and says so when asked
            fields = {**data["read"]["common"], **read["fields"]}
            rows: Answers = {read["rows"]: (record, fields)}
            paged: Answers = {**rows, data["page"]["element"]: (PageInfo, data["page"]["fields"])}
            calls[f"list {entity}"] = self.call(read["list"], data["page"]["args"], paged)
            calls[f"get {entity}"] = self.call(read["get"], data["get"]["args"], rows)
            if "lookup" in read:
                args = read["lookup"]["args"]
                calls[f"lookup {entity}"] = self.call(read["lookup"]["operation"], args, rows)
        written: Answers = {data["write"]["result"]: (Written, data["write"]["fields"])}
        for act in ("create", "change", "cancel"):
            spec = data["write"][act]
            calls[act] = self.call(spec["operation"], spec["args"], written)
        kinds: dict[str, type] = {"ping": Ping, "operations": Progress}
        for name, record_type in kinds.items():
            spec = data[name]
            answer: Answers = {spec["rows"]: (record_type, spec["fields"])}
            calls[name] = self.call(spec["operation"], spec["args"], answer)
        draft_type = self.element_type(
            self.input_type(data["write"]["create"]["operation"]),
            data["write"]["create"]["args"]["draft"],
        )
        self.check_draft(data["draft"], draft_type, OrderDraft, "draft")
        fault = self.types.get_element(data["errors"]["detail"])
        issue = self.element_type(fault.type, data["errors"]["issue"])
        return Profile(
            id=data["profile"]["id"],
            version=data["profile"]["version"],
            product=data["profile"]["product"],
            capabilities=self.capabilities(),
            wsdl=transport["wsdl"],
            binding=transport["binding"],
            endpoint=transport["endpoint"],
            mask=tuple(data["log"]["mask"]),
            rules=tuple(Rule(**rule) for rule in data["errors"]["rules"]),
            page=data["page"]["element"],
            calls=calls,
            issue_plan=self.plan(Issue, data["errors"]["fields"], issue, "issue"),
            draft=data["draft"],
        )

    def capabilities(self) -> dict[Entity, Capability]:
        """What the profile's tables offer, with what ``[profile.ability]`` says about the ERP."""
        data, found = self.data, {}
        ability = data["profile"]["ability"]
        for entity in RECORDS:
            read = data["read"].get(entity.value)
            if read is None:
                continue
            acts = {Act.LIST, Act.LIST_KEYS, Act.GET}
            if "lookup" in read:
                acts.add(Act.LOOKUP)
            if entity is Entity.SALES_ORDER:
                acts |= {Act.CREATE, Act.UPDATE, Act.CANCEL}
            if entity is Entity.WORK_ORDER and "operations" in data:
                acts.add(Act.OPERATIONS)
            found[entity] = Capability(
                acts=frozenset(acts),
                lookup_fields=frozenset(read.get("lookup", {}).get("args", ())),
                delta=Delta(ability["delta"]),
                deletes=Deletes(ability["deletes"]),
                paging=Paging(ability["paging"]),
                consistent_paging=ability["consistent_paging"],
                optimistic_lock=ability["optimistic_lock"],
                idempotency=Idempotency(ability["idempotency"]),
            )
        return found

    def input_type(self, operation: str) -> Any:
        try:
            return self.binding.get(operation).input.body.type
        except ValueError:
            raise ProfileError(f"the WSDL has no operation {operation}") from None

    def call(
        self,
        operation: str,
        args: Mapping[str, str],
        wanted: Answers,
    ) -> Call:
        sent = self.input_type(operation)
        for element in args.values():
            self.element_type(sent, element)
        body = self.binding.get(operation).output.body
        plans = {
            name: self.plan(record, fields, self.element_type(body.type, name), operation)
            for name, (record, fields) in wanted.items()
        }
        response = body.qname.localname
        return Call(operation, response, dict(args), plans, next(iter(wanted), ""))

    def element(self, owner: Any, name: str) -> Any:
        for tag, element in getattr(owner, "elements", ()):
            if tag == name:
                return element
        raise ProfileError(f"{getattr(owner, 'name', owner)} has no element {name}")

    def element_type(self, owner: Any, name: str) -> Any:
        return self.element(owner, name).type

    def plan(self, record: type, fields: Mapping[str, Any], wire: Any, where: str) -> Plan:
        """The reading plan of ``record`` from a wire type."""
        hints = get_type_hints(record)
        ours = {f.name: f for f in dataclasses.fields(record)}
        root = Node()
        blank: dict[str, Any] = {}
        lists = []
        for name, spec in fields.items():
            if name not in ours:
                raise ProfileError(f"{where}: {record.__name__} has no field {name}")
            hint = hints[name]
            place = f"{where}.{name}"
            if isinstance(spec, str):
                self.scalar(root, (name, spec), wire, hint, place)
                if type(None) in get_args(hint):
                    blank[name] = None
            elif "entries" in spec:
                node, _ = self.place(root, spec["entries"], wire, place)
                node.name, node.key = name, spec["key"]
                blank[name] = {}
            else:
                node, inner = self.place(root, spec["rows"], wire, place)
                if get_origin(hint) is not tuple:
                    raise ProfileError(f"{place}: is not a list")
                node.name = name
                node.rows = self.plan(get_args(hint)[0], spec["fields"], inner, place)
                lists.append(name)
                above, _, _ = spec["rows"].rpartition("/")
                if above:  # the element around the rows tells 'none' from 'not said'
                    self.place(root, above, wire, place)[0].opens = name
                if not above or has_default(ours[name]):
                    blank[name] = ()
        required = {f.name for f in ours.values() if not has_default(f)}
        if lost := required - fields.keys():
            raise ProfileError(f"{where}: not mapped: {', '.join(sorted(lost))}")
        return Plan(record, root, blank, frozenset(required - blank.keys()), tuple(lists))

    def place(self, root: Node, path: str, wire: Any, where: str) -> tuple[Node, Any]:
        """The node at the end of ``path``, made on the way, and its wire type."""
        node = root
        for step in path.split("/"):
            try:
                wire = self.element_type(wire, step)
            except ProfileError as error:
                raise ProfileError(f"{where}: {error}") from None
            below = node.below.setdefault(step, None) or Node()
            node.below[step] = below
            node = below
        if node.name:
            raise ProfileError(f"{where}: {path} is mapped twice")
        return node, wire

    def scalar(self, root: Node, field: tuple[str, str], wire: Any, hint: Any, where: str) -> None:
        name, spec = field
        path, _, transform = spec.partition("|")
        kind, _, arg = transform.partition(":")
        node, found = self.place(root, path, wire, where)
        if hasattr(found, "elements") and not kind:
            raise ProfileError(f"{where}: {path} holds elements, not a value")
        kind = kind or next(
            (_BY_WIRE_TYPE[c.__name__] for c in type(found).__mro__ if c.__name__ in _BY_WIRE_TYPE),
            "text",
        )
        wanted = next((t for t in get_args(hint) if t is not type(None)), hint)
        if MAKES[kind] is not wanted:
            raise ProfileError(f"{where}: {kind} does not make {wanted.__name__}")
        node.name = name
        node.convert = converter(kind, arg, self.formats)

    def check_draft(self, mapping: Mapping[str, Any], wire: Any, source: type, where: str) -> None:
        """Each element exists and each that must be sent is; each value is a field of ours."""
        hints = get_type_hints(source)
        for name, target in mapping.items():
            inner = self.element_type(wire, name)
            field = target if isinstance(target, str) else target["each"]
            if field not in hints:
                raise ProfileError(f"{where}: {source.__name__} has no field {field}")
            if isinstance(target, str):
                if hints[field] not in {str, int, Decimal, dt.date}:
                    raise ProfileError(f"{where}.{name}: {field} is not one value")
            else:
                row = self.element_type(inner, target["as"])
                self.check_draft(
                    target["fields"], row, get_args(hints[field])[0], f"{where}.{name}"
                )
        for name, element in wire.elements:
            if element.min_occurs and name not in mapping:
                raise ProfileError(f"{where}: {name} must be sent and is not mapped")
