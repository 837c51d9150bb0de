"""What a profile offers, and why it does not offer the rest: every missing act has its reason."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from b2bcrm.ports.erp import (
    Act,
    Capability,
    Deletes,
    Delta,
    Entity,
    Idempotency,
    Paging,
    WriteMode,
)
from connectors.erp.misfit import ProfileError
from connectors.erp.profile.model import Call, PageStyle
from connectors.erp.profile.table import Table

READS = (Act.LIST, Act.LIST_KEYS, Act.GET)
EXPECTED: Mapping[Entity, tuple[Act, ...]] = {
    Entity.SALES_ORDER: (
        *READS, Act.LOOKUP, Act.CREATE, Act.UPDATE, Act.CANCEL, Act.VALIDATE,
    ),
    Entity.WORK_ORDER: (*READS, Act.OPERATIONS),
    Entity.STOCK: (*READS, Act.LOOKUP, Act.AVAILABILITY),
}  # fmt: skip
"""The acts of the port per entity; a stock look-up is ``stock()``, past the feeds."""
OPTIONAL: Mapping[Entity, tuple[Act, ...]] = {Entity.CUSTOMER: (Act.LOOKUP, Act.CREATE)}
"""What few ERPs offer: a profile may say why not, and need not."""
_PAGING = {
    PageStyle.NONE: Paging.NONE,
    PageStyle.OFFSET: Paging.OFFSET,
    PageStyle.PAGE: Paging.PAGE,
    PageStyle.BOOKMARK: Paging.BOOKMARK,
    PageStyle.KEY_RESTART: Paging.BOOKMARK,
    PageStyle.CURSOR: Paging.CURSOR,
    PageStyle.SEARCH_ID: Paging.CURSOR,
}
_WRITES = (Act.CREATE, Act.UPDATE, Act.CANCEL, Act.VALIDATE)
_PAST_THE_FEEDS = {"stock": Act.LOOKUP, "availability": Act.AVAILABILITY}
_SPAN = re.compile(r"(\d+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def span(text: str, place: str) -> dt.timedelta:
    """``2d``, ``15m`` as a time span."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise ProfileError(f"{place} must be a span such as 15m or 2d, not {text!r}")
    return dt.timedelta(**{_UNITS[found[2]]: int(found[1])})


def capabilities(
    calls: Mapping[str, Call],
    by_plugin: Mapping[Entity, frozenset[Act]],
    ability: Table,
    off: Table,
    deltas: Mapping[Entity, Delta],
) -> dict[Entity, Capability]:
    """Per entity what the calls offer. Raises ProfileError where a reason is missing."""
    common = {
        "deletes": ability.choice("deletes", {d.value: d for d in Deletes}, "absence"),
        "consistent_paging": ability.flag("consistent_paging", default=False),
    }
    writing = {
        "optimistic_lock": ability.flag("optimistic_lock", default=False),
        "idempotency": ability.choice("idempotency", {i.value: i for i in Idempotency}, "none"),
        "write_mode": ability.choice("write_mode", {w.value: w for w in WriteMode}, "sync"),
    }
    ability.done()
    found = {}
    for entity in Entity:
        acts = _offered(entity, calls) | by_plugin.get(entity, frozenset())
        reasons = _reasons(entity, acts, off)
        listing = calls.get(f"list {entity}")
        looked = {n.split()[2] for n in calls if n.startswith(f"lookup {entity} ")}
        if Act.LOOKUP in by_plugin.get(entity, ()):
            own = f"find_{entity}_"
            looked |= {n.removeprefix(own) for n in calls if n.startswith(own)}
        if entity is Entity.STOCK and Act.LOOKUP in acts:
            looked.add("item")
        found[entity] = Capability(
            acts=frozenset(acts),
            off=reasons,
            lookup_fields=frozenset(looked),
            delta=deltas.get(entity, Delta.NONE),
            paging=_PAGING[listing.paged.style] if listing is not None else Paging.NONE,
            max_page=listing.paged.size if listing is not None else 500,
            **common,
            **(writing if entity in {Entity.SALES_ORDER, Entity.CUSTOMER} else {}),
        )
    off.done()
    return found


def _offered(entity: Entity, calls: Mapping[str, Call]) -> set[Act]:
    acts: set[Act] = set()
    if f"list {entity}" in calls:
        acts |= {Act.LIST, Act.LIST_KEYS}
    if f"get {entity}" in calls:
        acts.add(Act.GET)
    if any(name.startswith(f"lookup {entity} ") for name in calls):
        acts.add(Act.LOOKUP)
    if entity is Entity.CUSTOMER and "create customer" in calls:
        acts.add(Act.CREATE)
    if entity is Entity.SALES_ORDER:
        acts |= {act for act in _WRITES if act.value in calls}
    if entity is Entity.WORK_ORDER and "operations" in calls:
        acts.add(Act.OPERATIONS)
    if entity is Entity.STOCK:
        acts |= {act for name, act in _PAST_THE_FEEDS.items() if name in calls}
    return acts


def _reasons(entity: Entity, acts: set[Act], off: Table) -> dict[Act, str]:
    missing = [act for act in EXPECTED.get(entity, READS) if act not in acts]
    said = off.raw(entity.value, {})
    if isinstance(said, str):
        if acts:
            raise ProfileError(f"{off.at(entity.value)} is switched off, but has calls")
        return dict.fromkeys(missing, said)
    table = off.table(entity.value)
    reasons = {}
    for act in missing:
        if act.value not in table:
            raise ProfileError(
                f"{table.at(act.value)} is missing: {entity.value} offers no {act.value}, "
                "and nobody says why"
            )
        reasons[act] = table.text(act.value)
    for act in OPTIONAL.get(entity, ()):
        if act not in acts and act.value in table:
            reasons[act] = table.text(act.value)
    table.done()
    return reasons
