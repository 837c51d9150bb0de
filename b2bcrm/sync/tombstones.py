"""A record for what the ERP no longer lists: its id, ``deleted``, and empty fields."""

from __future__ import annotations

import dataclasses
import datetime as dt
import types
import typing
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from b2bcrm.ports import erp
from b2bcrm.ports.erp import Entity, Record

KINDS: dict[Entity, type[Record]] = {
    Entity.CUSTOMER: erp.Customer,
    Entity.ITEM: erp.Item,
    Entity.BOM: erp.Bom,
    Entity.WORK_CENTER: erp.WorkCenter,
    Entity.STOCK: erp.StockLevel,
    Entity.PURCHASE_ORDER: erp.PurchaseOrder,
    Entity.WORK_ORDER: erp.WorkOrder,
    Entity.SALES_ORDER: erp.SalesOrder,
    Entity.SHIPMENT: erp.Shipment,
    Entity.INVOICE: erp.Invoice,
    Entity.PRICE: erp.PriceBreak,
}
_LONG_AGO = dt.datetime.min.replace(tzinfo=dt.UTC)
_EMPTY: dict[Any, Any] = {
    str: "",
    int: 0,
    bool: False,
    Decimal: Decimal(0),
    dt.date: dt.date.min,
    dt.datetime: _LONG_AGO,
}


def facts_of(entity: Entity, record: Record) -> dict[str, str] | None:
    """What a later removal must know and the id does not say; None for most entities."""
    if entity is Entity.STOCK:
        assert isinstance(record, erp.StockLevel)  # noqa: S101 - the port's promise
        return {"item": record.item, "site": record.site}
    return None


def gone(
    entity: Entity, erp_id: str, company: str = "", facts: Mapping[str, str] | None = None
) -> Record:
    """The tombstone of ``erp_id``. A BOM's item is its id."""
    kind = KINDS[entity]
    known: dict[str, Any] = {"erp_id": erp_id, "deleted": True, "company": company}
    if entity is Entity.BOM:
        known["item"] = erp_id
    known |= facts or {}
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        has_default = (
            field.default is not dataclasses.MISSING
            or field.default_factory is not dataclasses.MISSING
        )
        if field.name not in known and not has_default:
            known[field.name] = _empty(hints[field.name])
    return kind(**known)


def _empty(hint: Any) -> Any:
    if typing.get_origin(hint) is tuple:
        return ()
    if isinstance(hint, types.UnionType):  # "dt.date | None"
        return None
    return _EMPTY[hint]
