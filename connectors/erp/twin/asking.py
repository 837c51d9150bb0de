"""What the twin's service answers, by operation: calls of the world, values by attribute name.

Not here: XML and envelopes (``server``, ``wire``), the ERP's rules (``world``).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from typing import Any, Protocol

from b2bcrm.ports.erp import (
    Available,
    CustomerDraft,
    Entity,
    Health,
    Issue,
    KeyPage,
    Operation,
    OrderDraft,
    Page,
    Record,
    StockLevel,
    WriteResult,
)
from connectors.erp.twin.company import COMPANIES

PAGE_CAP = 5000
ENTITIES: Mapping[str, Entity] = {
    "Customer": Entity.CUSTOMER,
    "Item": Entity.ITEM,
    "Bom": Entity.BOM,
    "WorkCenter": Entity.WORK_CENTER,
    "StockLevel": Entity.STOCK,
    "PurchaseOrder": Entity.PURCHASE_ORDER,
    "WorkOrder": Entity.WORK_ORDER,
    "SalesOrder": Entity.SALES_ORDER,
    "Shipment": Entity.SHIPMENT,
    "Invoice": Entity.INVOICE,
    "PriceBreak": Entity.PRICE,
}


class World(Protocol):
    """What the service needs of the ERP behind it; ``world.TwinWorld`` is one."""

    def now(self) -> dt.datetime:
        """The ERP's clock."""

    def health(self) -> Health:
        """How it is; its product name goes into the answer to a ping."""

    def advance_to(self, now: dt.datetime) -> None:
        """Let everything happen that is due by then."""

    def list(
        self, entity: Entity, *, since: dt.datetime | None, cursor: str | None, page_size: int
    ) -> Page:
        """One page."""

    def get(self, entity: Entity, erp_id: str) -> Record | None:
        """One record."""

    def lookup(self, entity: Entity, field: str, value: str) -> Sequence[Record]:
        """Records by another key."""

    def create(self, draft: OrderDraft) -> WriteResult:
        """A new sales order."""

    def create_customer(self, draft: CustomerDraft) -> WriteResult:
        """A new customer."""

    def update(self, erp_id: str, draft: OrderDraft, *, expected_version: str) -> WriteResult:
        """A changed one."""

    def cancel(self, erp_id: str, *, reference: str, reason: str) -> WriteResult:
        """A cancelled one."""

    def operations(self, work_order_ids: Sequence[str]) -> Mapping[str, tuple[Operation, ...]]:
        """Progress."""

    def forgetting(self) -> AbstractContextManager[None]:
        """What is written inside is answered as if it were stored, but is not."""

    def touch(self, entity: Entity, erp_id: str) -> None:
        """Give a record a new change instant and version; nothing else of it changes."""

    def keys(self, entity: Entity, *, cursor: str | None, page_size: int) -> KeyPage:
        """Ids and versions, one page."""

    def stock(self, items: Sequence[str], site: str) -> Sequence[StockLevel]:
        """Stock of the named items."""

    def validate(self, draft: OrderDraft) -> Sequence[Issue]:
        """What would be refused."""

    def availability(self, item: str, site: str, qty: Decimal, on: dt.date) -> Available:
        """What could be promised."""


class Desk:
    """The operations of the service over a world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._acts: Mapping[str, Callable[..., Any]] = {
            "Ping": self._ping,
            "FindSalesOrders": self._find,
            "GetOperations": self._progress,
            "GetStock": self._stock,
            "CheckAvailability": self._availability,
            "ValidateSalesOrder": self._validate,
            "CreateSalesOrder": self._create,
            "FindCustomers": self._find_customers,
            "CreateCustomer": self._create_customer,
            "ChangeSalesOrder": self._change,
            "CancelSalesOrder": self._cancel,
        }

    def values(
        self, operation: str, attr: str, shape: str, arguments: dict[str, Any]
    ) -> dict[str, Any]:
        """The answer's values. ``attr`` and ``shape`` are those of its last part."""
        if operation in self._acts:
            return {attr: self._acts[operation](**arguments)}
        if operation == "ListKeys":
            return self._keys(ENTITIES[arguments["entity"]], arguments)
        if operation.startswith("List"):
            return self._list(attr, ENTITIES[shape], arguments)
        return {attr: self.world.get(ENTITIES[shape], arguments["erp_id"])}

    def _keys(self, entity: Entity, arguments: dict[str, Any]) -> dict[str, Any]:
        size = max(1, min(arguments["page_size"], PAGE_CAP))
        page = self.world.keys(entity, cursor=arguments.get("cursor"), page_size=size)
        info = {
            "announced": len(page.keys),
            "next_cursor": page.next_cursor,
            "high_watermark": None,
            "complete": page.complete,
        }
        rows = [{"erp_id": erp_id, "version": version} for erp_id, version in page.keys.items()]
        return {"page_info": info, "key": rows}

    def _stock(self, item: Sequence[str], site: str = "") -> Sequence[StockLevel]:
        return self.world.stock(item, site)

    def _list(self, rows: str, entity: Entity, arguments: dict[str, Any]) -> dict[str, Any]:
        page = self.world.list(
            entity,
            since=arguments.get("since"),
            cursor=arguments.get("cursor"),
            page_size=max(1, min(arguments["page_size"], PAGE_CAP)),
        )
        info = {
            "announced": len(page.records),
            "next_cursor": page.next_cursor,
            "high_watermark": page.high_watermark,
            "complete": page.complete,
        }
        return {"page_info": info, rows: page.records}

    def _availability(self, **asked: Any) -> Available:
        return self.world.availability(**asked)

    def _validate(self, draft: OrderDraft) -> Sequence[Issue]:
        return self.world.validate(draft)

    def _ping(self) -> dict[str, Any]:
        about = {"product": self.world.health().product, "server_time": self.world.now()}
        return about | {"companies": [{"code": company["code"]} for company in COMPANIES]}

    def _find(self, **key: str) -> Sequence[Record]:
        ((field, value),) = key.items()
        return self.world.lookup(Entity.SALES_ORDER, field, value)

    def _progress(self, work_order: Sequence[str]) -> list[dict[str, Any]]:
        found = self.world.operations(work_order)
        return [{"work_order": no, "operations": steps} for no, steps in found.items()]

    def _create(self, draft: OrderDraft) -> dict[str, Any]:
        return _written(self.world.create(draft))

    def _find_customers(self, reference: str) -> Sequence[Record]:
        return self.world.lookup(Entity.CUSTOMER, "reference", reference)

    def _create_customer(self, draft: CustomerDraft) -> dict[str, Any]:
        return _written(self.world.create_customer(draft))

    def _change(self, erp_id: str, expected_version: str, draft: OrderDraft) -> dict[str, Any]:
        return _written(self.world.update(erp_id, draft, expected_version=expected_version))

    def _cancel(self, erp_id: str, reference: str, reason: str) -> dict[str, Any]:
        return _written(self.world.cancel(erp_id, reference=reference, reason=reason))


def _written(result: WriteResult) -> dict[str, Any]:
    pairs = [{"sent": sent, "kept": kept} for sent, kept in result.line_map.items()]
    return {
        "erp_id": result.erp_id,
        "version": result.version,
        "line_map": pairs,
        "messages": result.messages,
    }
