"""``[read.<entity>]``: how records are listed, fetched, found and counted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from b2bcrm.ports import erp as port
from b2bcrm.ports.erp import Delta, Entity, Record
from connectors.erp import answers
from connectors.erp.misfit import ProfileError, expected
from connectors.erp.profile.ability import span
from connectors.erp.profile.calls import Answer, Caller, operation_table, page_pairs
from connectors.erp.profile.model import Call
from connectors.erp.profile.sources import Known
from connectors.erp.profile.table import Table

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
_DELTAS = {"none": Delta.NONE, "date": Delta.DATE, "datetime": Delta.DATETIME}
_LISTED = Known.of(since=dt.datetime, cursor=str, page_size=int, search_id=str)


class Reads:
    """The read half of one profile."""

    def __init__(self, root: Table, caller: Caller) -> None:
        self.root = root
        self.caller = caller
        self.calls: dict[str, Call] = {}
        self.deltas: dict[Entity, Delta] = {}

    def all(self) -> dt.timedelta:
        """Every ``[read.<entity>]``; gives the overlap of delta runs."""
        root = self.root
        read, delta = root.table("read"), root.table("delta")
        root.raw("page")
        root.raw("keys")
        common = read.table("common").data
        get = root.table("get")
        overlap = span(delta.text("overlap", "2m"), "delta.overlap")
        for name, table in read.tables():
            if name == "common":
                continue
            try:
                entity = Entity(name)
            except ValueError:
                near = expected(name, [e.value for e in Entity])
                raise ProfileError(f"read.{name} is no entity; {near}") from None
            self._read(entity, table, common, get)
            table.done()
        get.raw("set")
        get.done()
        return overlap

    def _read(self, entity: Entity, table: Table, common: Mapping[str, Any], get: Table) -> None:
        record = RECORDS[entity]
        fields = {**common, **table.table("fields").data}
        rows, where = table.text("rows", ""), table.text("where", "")

        def answer(spec: Table) -> list[Answer]:
            own = {**fields, **spec.table("fields").data}
            at = spec.text("rows", rows)
            own_where = spec.text("where", where)
            return [Answer(record, at, Table(own, f"{table.place}.fields"), own_where)]

        if "list" in table:
            spec = operation_table(table, "list")
            page = table.table("page") if "page" in table else self.root.table("page")
            delta = table.table("delta") if "delta" in table else self.root.table("delta")
            style: Delta = delta.choice("style", _DELTAS, "none")
            self.deltas[entity] = style
            pairs = page_pairs(Table(page.data, page.place))
            if style is not Delta.NONE:
                pairs += self._delta_pairs(delta, style)
            elif "set" in delta:
                pairs += delta.items("set")
            name = f"list {entity}"
            fresh = Table(page.data, page.place)
            self.calls[name] = self.caller.call(
                name, spec, _LISTED, answer(spec), more=pairs, page=fresh
            )
        if "get" in table:
            spec = operation_table(table, "get")
            name = f"get {entity}"
            pairs = [] if "set" in spec else get.items("set")
            known = Known.of(erp_id=str)
            self.calls[name] = self.caller.call(name, spec, known, answer(spec), more=pairs)
        if "keys" in table:
            self._keys(entity, table.table("keys"))
        if "lookup" in table:
            self._lookups(entity, table.table("lookup"), answer)

    def _keys(self, entity: Entity, own: Table) -> None:
        """Ids and versions alone: ``[keys]``, with what the entity adds to it."""
        spec = Table({**self.root.table("keys").data, **own.data}, own.place)
        page = spec.table("page") if "page" in spec else self.root.table("page")
        rows, fields = spec.text("rows"), spec.table("fields")
        answer = Answer(answers.Key, rows, fields, spec.text("where", ""))
        name = f"keys {entity}"
        pairs = page_pairs(Table(page.data, page.place))
        fresh = Table(page.data, page.place)
        self.calls[name] = self.caller.call(name, spec, _LISTED, [answer], more=pairs, page=fresh)

    @staticmethod
    def _delta_pairs(delta: Table, style: Delta) -> list[Any]:
        if "set" in delta:
            return delta.items("set")
        source = "since|date" if style is Delta.DATE else "since"
        return [[delta.text("send"), delta.raw("source", source)]]

    def _lookups(self, entity: Entity, lookup: Table, answer: Any) -> None:
        by = lookup.table("by")
        for field in by.data:
            pairs = by.raw(field)
            pairs = [[pairs, field]] if isinstance(pairs, str) else pairs
            spec = Table({k: v for k, v in lookup.data.items() if k != "by"}, lookup.place)
            name = f"lookup {entity} {field}"
            known = Known.of(names={field: str})
            self.calls[name] = self.caller.call(name, spec, known, answer(spec), more=pairs)
        for key in lookup.data:
            lookup.raw(key)
