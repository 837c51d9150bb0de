"""From a stored body to the port's frozen record, driven by the record's own type hints."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import NoneType
from typing import Any

from b2bcrm.ports import erp
from b2bcrm.ports.erp import Entity, Record

RECORDS: dict[Entity, type[Record]] = {
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
_COMMON = {field.name for field in dataclasses.fields(Record)}
_CONVERT: dict[Any, Callable[[Any], Any]] = {
    Decimal: Decimal,
    dt.date: dt.date.fromisoformat,
    dt.datetime: dt.datetime.fromisoformat,
}


def _reader(hint: Any) -> Callable[[Any], Any] | None:
    """How a JSON value becomes ``hint``; None where it already is one."""
    if hint in _CONVERT:
        return _CONVERT[hint]
    if dataclasses.is_dataclass(hint):
        return _builder(typing.cast(type[Any], hint), set())
    args = typing.get_args(hint)
    if NoneType in args:
        inner = _reader(args[0])
        return None if inner is None else (lambda value: None if value is None else inner(value))
    if typing.get_origin(hint) is tuple:
        each = _reader(args[0])
        return tuple if each is None else (lambda values: tuple(each(v) for v in values))
    return None


def _builder(cls: type[Any], skip: set[str]) -> Callable[..., Any]:
    hints = typing.get_type_hints(cls)
    names = [f.name for f in dataclasses.fields(cls) if f.name not in skip]
    readers = [(name, reader) for name in names if (reader := _reader(hints[name])) is not None]

    def build(body: Mapping[str, Any], **common: Any) -> Any:
        values = {**body, **common}
        for name, reader in readers:
            if name in values:  # what the port has added since has a default
                values[name] = reader(values[name])
        return cls(**values)

    return build


_BUILD = {entity: _builder(cls, _COMMON) for entity, cls in RECORDS.items()}


def record(entity: Entity, row: tuple[Any, ...]) -> Record:
    """The port's record of a stored row: id, company, change instant, rev, body as JSON."""
    erp_id, company, updated_at, rev, body = row
    built: Record = _BUILD[entity](
        json.loads(body),
        erp_id=erp_id,
        company=company,
        updated_at=dt.datetime.fromisoformat(updated_at),
        version=str(rev),
    )
    return built
