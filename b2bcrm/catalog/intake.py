"""The ERP's items, bills of material, work centres and prices become our read copy.

Each applier takes a page of records, reads what is stored with one statement per table, and
writes the differences in bulk. Applying the same page twice changes nothing the second time.
Not here: customers' own part numbers (customers.intake).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from b2bcrm.catalog.models import BomRow, Item, ItemKind, PriceBreak, RoutingRow, WorkCenter
from b2bcrm.kernel.database import Base
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports import erp
from b2bcrm.sync.appliers import Applied

Key = tuple[Any, ...]
Values = dict[str, Any]
_BOM_KEY = ("item_no", "component_no", "stands_in_for", "valid_from", "valid_to")


def merge(
    session: Session,
    model: type[Base],
    key_names: Sequence[str],
    scope: sa.ColumnElement[bool],
    wanted: dict[Key, Values],
    *,
    delete: Iterable[Key] | None = None,
) -> int:
    """Make the rows of ``model`` in ``scope`` equal ``wanted``; how many rows differed.

    ``delete`` names keys to remove; None removes every row in scope that is not wanted.
    """
    table: sa.FromClause = model.__table__
    columns = [table.c[name] for name in ("id", *key_names)]
    names = sorted({name for values in wanted.values() for name in values})
    query = sa.select(*columns, *(table.c[name] for name in names)).where(scope)
    stored: dict[Key, tuple[int, Values]] = {}
    for row in session.execute(query):
        key = tuple(row[1 : len(columns)])
        stored[key] = (row[0], dict(zip(names, row[len(columns) :], strict=True)))
    new = [
        dict(zip(key_names, key, strict=True)) | values
        for key, values in wanted.items()
        if key not in stored
    ]
    differing = [
        {"row_id": stored[key][0]} | values
        for key, values in wanted.items()
        if key in stored and any(stored[key][1][name] != value for name, value in values.items())
    ]
    doomed = stored.keys() - wanted.keys() if delete is None else stored.keys() & set(delete)
    gone = [stored[key][0] for key in doomed]
    if gone:
        session.execute(sa.delete(model).where(table.c.id.in_(gone)))
    if new:
        session.execute(sa.insert(model), new)
    if differing:
        session.execute(
            sa.update(model.__table__)  # type: ignore[arg-type]
            .where(table.c.id == sa.bindparam("row_id"))
            .values({name: sa.bindparam(name) for name in names}),
            differing,
        )
        session.expire_all()
    return len(new) + len(differing) + len(gone)


def known_items(session: Session, numbers: Iterable[str]) -> frozenset[str]:
    """Which of ``numbers`` are items we have."""
    return frozenset(session.scalars(sa.select(Item.no).where(Item.no.in_(set(numbers)))))


def _unknown_item(item_no: str) -> Message:
    return Message("The item %(item)s is not known.", item=item_no)


def apply_items(work: Work, records: Sequence[erp.Item]) -> Applied:
    """Upsert by item number; an item deleted in the ERP becomes inactive, never disappears."""
    parked: list[tuple[str, Message]] = []
    wanted: dict[Key, Values] = {}
    gone: set[str] = set()
    for record in records:
        if record.deleted:
            gone.add(record.erp_id)
            wanted.pop((record.erp_id,), None)
        elif record.kind not in set(ItemKind):
            parked.append(
                (record.erp_id, Message("The kind %(kind)s is not known.", kind=record.kind))
            )
        else:
            wanted[record.erp_id,] = _item_values(record)
    scope = Item.no.in_([no for (no,) in wanted])
    changed = merge(work.session, Item, ("no",), scope, wanted, delete=()) if wanted else 0
    if gone:
        retired = work.session.scalars(
            sa.update(Item)
            .where(Item.no.in_(gone), Item.active)
            .values(active=False, sellable=False)
            .returning(Item.id)
        ).all()
        changed += len(retired)
    return _applied(work, changed, tuple(parked))


def _applied(work: Work, changed: int, parked: tuple[tuple[str, Message], ...] = ()) -> Applied:
    """What came of a page; sums that rest on the catalogue are told when it changed."""
    if changed:
        work.bump("catalog")
    return Applied(changed, parked)


def _item_values(record: erp.Item) -> Values:
    return {
        "name": record.name,
        "name_zh_hant": record.name_zh_hant,
        "name_zh_hans": record.name_zh_hans,
        "spec": record.spec,
        "family": record.family,
        "kind": ItemKind(record.kind),
        "unit": record.base_uom,
        "lead_time_days": record.lead_time_days,
        "lot_size": record.lot_size,
        "standard_cost": record.standard_cost,
        "cost_currency": record.cost_currency,
        "weight_kg": record.weight_kg,
        "sellable": record.sellable,
        "active": record.active,
    }


def apply_boms(work: Work, records: Sequence[erp.Bom]) -> Applied:
    """Components and routing of each item are replaced by what the ERP sent.

    A component that the ERP lists twice for the same days is kept once, with the sum of its
    quantities. One row that makes no sense parks the whole bill: without it, it would be wrong.
    """
    known = known_items(work.session, (record.item for record in records))
    parked: list[tuple[str, Message]] = []
    whole: dict[str, erp.Bom] = {}
    for record in records:
        fault = None if record.deleted else _fault_of(record, known)
        if fault:
            parked.append((record.erp_id, fault))
        elif record.item in known:
            whole[record.item] = record
    if not whole:
        return Applied(0, tuple(parked))
    components: dict[Key, Values] = {}
    steps: dict[Key, Values] = {}
    for item_no, record in whole.items():
        if record.deleted:
            continue
        for line in record.lines:
            days = (line.valid_from or dt.date.min, line.valid_to or dt.date.max)
            key = (item_no, line.component, line.stands_in_for, *days)
            before = components[key]["qty_per"] if key in components else 0
            components[key] = {
                "qty_per": before + line.qty_per,
                "scrap_pct": line.scrap_pct,
                "unit": line.uom,
            }
        for step in record.routing:
            steps[item_no, step.step_no] = {
                "name": step.name,
                "work_center": step.work_center,
                "setup_hours": step.setup_hours,
                "unit_hours": step.unit_hours,
            }
    session = work.session
    changed = merge(session, BomRow, _BOM_KEY, BomRow.item_no.in_(whole), components)
    changed += merge(
        session, RoutingRow, ("item_no", "step_no"), RoutingRow.item_no.in_(whole), steps
    )
    return _applied(work, changed, tuple(parked))


def _fault_of(record: erp.Bom, known: frozenset[str]) -> Message | None:
    """Why a bill of material cannot be taken; None where it can."""
    if record.item not in known:
        return _unknown_item(record.item)
    ordinary = {line.component for line in record.lines if not line.stands_in_for}
    instead: dict[str, set[str]] = defaultdict(set)
    for line in record.lines:
        if line.valid_from and line.valid_to and line.valid_to < line.valid_from:
            return Message(
                "The row of %(component)s ends before it starts.", component=line.component
            )
        if line.stands_in_for and line.stands_in_for not in ordinary:
            return Message(
                "%(component)s stands in for %(other)s, which is no component of %(item)s.",
                component=line.component,
                other=line.stands_in_for,
                item=record.item,
            )
        if line.stands_in_for:
            instead[line.stands_in_for].add(line.component)
    try:
        TopologicalSorter(instead).prepare()
    except CycleError as error:
        return Message(
            "Substitutes lead back to themselves: %(path)s.", path=" > ".join(error.args[1])
        )
    return None


def apply_work_centers(work: Work, records: Sequence[erp.WorkCenter]) -> Applied:
    """Upsert by code; one that the ERP deleted goes."""
    wanted: dict[Key, Values] = {
        (r.erp_id,): {
            "name": r.name,
            "site_code": r.site,
            "station": r.station,
            "hours_per_day": r.hours_per_day,
            "calendar_code": r.calendar,
        }
        for r in records
        if not r.deleted
    }
    scope = WorkCenter.code.in_([r.erp_id for r in records])
    gone = [(r.erp_id,) for r in records if r.deleted]
    changed = merge(work.session, WorkCenter, ("code",), scope, wanted, delete=gone)
    return _applied(work, changed)


def apply_prices(work: Work, records: Sequence[erp.PriceBreak]) -> Applied:
    """Upsert by the ERP's key of the price row; one that the ERP deleted goes."""
    live = [r for r in records if not r.deleted]
    known = known_items(work.session, (r.item for r in live))
    parked = tuple((r.erp_id, _unknown_item(r.item)) for r in live if r.item not in known)
    wanted: dict[Key, Values] = {
        (r.erp_id,): {
            "price_list": r.price_list,
            "item_no": r.item,
            "currency": r.currency,
            "min_qty": r.min_qty,
            "unit_price": r.unit_price,
            "valid_from": r.valid_from,
            "valid_to": r.valid_to,
        }
        for r in live
        if r.item in known
    }
    scope = PriceBreak.erp_id.in_([r.erp_id for r in records])
    gone = [(r.erp_id,) for r in records if r.deleted]
    changed = merge(work.session, PriceBreak, ("erp_id",), scope, wanted, delete=gone)
    return Applied(changed, parked)
