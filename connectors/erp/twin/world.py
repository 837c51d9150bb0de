"""``TwinWorld``: the ERP twin's world behind its SOAP server, kept in one SQLite file.

Every call first lives through all that was due up to ``now``; then it answers in the records of
``b2bcrm.ports.erp`` or raises ``TwinRefusal``. Thread-safe: one lock, one transaction per call.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal

from b2bcrm.kernel.words import Message
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
    WorkOrder,
    WriteResult,
)
from connectors.erp.twin import newcomers, sales
from connectors.erp.twin.calendars import stamp
from connectors.erp.twin.codec import record
from connectors.erp.twin.cursors import close_cursor, open_cursor
from connectors.erp.twin.documents import Chain
from connectors.erp.twin.living import LivingWorld
from connectors.erp.twin.plant import Plant
from connectors.erp.twin.sales import TwinRefusal

__all__ = ["PRODUCT", "TwinRefusal", "TwinWorld"]

PRODUCT = "Formosa ERP twin 1.0"
_SELECT = "SELECT erp_id, company, updated_at, rev, body FROM {table} "
_LOOKUP = {
    Entity.SALES_ORDER: {"erp_id", "reference", "customer_po", "customer"},
    Entity.CUSTOMER: {"erp_id", "reference"},
}


class TwinWorld(LivingWorld):
    """The world in ``path`` as it is at ``now()``. Make the file with ``generate`` first."""

    # --------------------------------------------------------------------------------------- reads
    def list(
        self,
        entity: Entity,
        *,
        since: dt.datetime | None = None,
        cursor: str | None = None,
        page_size: int = 500,
    ) -> Page:
        """Records changed at or after ``since``, by change instant and id.

        A record that changes while pages are read moves to the end: it may come twice, it is
        never missed. ``announced`` counts all rows and ``high_watermark`` is the twin's clock,
        both as of the first page.
        """
        with self._store.lock:
            now = self._live_on()
            floor = stamp(since) if since is not None else ""
            if cursor is None:
                count = f"SELECT count(*) FROM {entity.value} WHERE updated_at >= ?"  # noqa: S608
                announced = self._store.db.execute(count, (floor,)).fetchone()[0]
                watermark, last = now, (floor, "")
            else:
                announced, watermark, *rest = open_cursor(cursor)
                last = (str(rest[0]), str(rest[1]))
            query = (
                _SELECT.format(table=entity.value)
                + "WHERE (updated_at, erp_id) > (?, ?) ORDER BY updated_at, erp_id LIMIT ?"
            )
            rows = self._store.db.execute(query, (*last, page_size + 1)).fetchall()
        more = len(rows) > page_size
        rows = rows[:page_size]
        after = close_cursor(announced, watermark, rows[-1][2], rows[-1][0]) if more else None
        return Page(
            records=[record(entity, row) for row in rows],
            next_cursor=after,
            high_watermark=dt.datetime.fromisoformat(watermark),
            complete=True,
            announced=announced,
        )

    def get(self, entity: Entity, erp_id: str) -> Record | None:
        """One record, or None."""
        with self._store.lock:
            self._live_on()
            query = _SELECT.format(table=entity.value) + "WHERE erp_id = ?"
            row = self._store.db.execute(query, (erp_id,)).fetchone()
        return None if row is None else record(entity, row)

    def lookup(self, entity: Entity, field: str, value: str) -> Sequence[Record]:
        """Records by another key, oldest first.

        A sales order's ``reference`` is found as a whole, and by the part before its ``/``.
        Refused (``unknown_field``) if an entity cannot be searched by ``field``.
        """
        if field not in _LOOKUP.get(entity, {"erp_id"}):
            raise TwinRefusal("unknown_field", f"{entity} cannot be looked up by {field}.", field)
        where, args = f"WHERE {field} = ? ", [value]
        if entity is Entity.CUSTOMER and field == "reference":
            where = f"WHERE json_extract(body, '$.ext.{newcomers.REFERENCE}') = ? "
        elif field == "reference" and "/" not in value:
            where = "WHERE reference >= ? AND reference < ? "
            args = [f"{value}/", f"{value}0"]  # '0' is the character after '/'
        with self._store.lock:
            self._live_on()
            query = _SELECT.format(table=entity.value) + where + "ORDER BY erp_id"
            rows = self._store.db.execute(query, args).fetchall()
        return [record(entity, row) for row in rows]

    def operations(self, work_order_ids: Sequence[str]) -> Mapping[str, tuple[Operation, ...]]:
        """Progress of the named work orders; unknown numbers are left out."""
        found_orders = {}
        for no in work_order_ids:
            order = self.get(Entity.WORK_ORDER, no)
            if isinstance(order, WorkOrder):
                found_orders[no] = order.operations
        return found_orders

    def keys(self, entity: Entity, *, cursor: str | None = None, page_size: int = 500) -> KeyPage:
        """Ids and versions in the order of ids."""
        with self._store.lock:
            self._live_on()
            rows = self._store.keys(entity, cursor or "", page_size + 1)
        keys = {str(erp_id): str(rev) for erp_id, rev in rows[:page_size]}
        after = next(reversed(keys)) if len(rows) > page_size else None
        return KeyPage(keys, after, complete=True)

    def stock(self, items: Sequence[str], site: str = "") -> Sequence[StockLevel]:
        """Stock of the named items as it is now, at one site or at all."""
        with self._store.lock:
            self._live_on()
            query = _SELECT.format(table="stock") + "ORDER BY erp_id"
            levels = [record(Entity.STOCK, row) for row in self._store.db.execute(query)]
        stock = [level for level in levels if isinstance(level, StockLevel)]
        return [s for s in stock if s.item in items and site in {"", s.site}]

    def validate(self, draft: OrderDraft) -> Sequence[Issue]:
        """The first thing that would be refused in a new order; nothing is entered."""
        with self._store.lock:
            self._live_on()
            try:
                self._may_be_new(draft)
                sales.check(self._open_plant(), draft)
            except TwinRefusal as no:
                return [Issue(no.code, no.text, no.field, no.line_no)]
        return []

    def availability(self, item: str, site: str, qty: Decimal, on: dt.date) -> Available:
        """Free stock by ``on``, and when all could be there. Refused: ``unknown_item``."""
        with self._store.lock:
            self._live_on()
            return sales.available(self._open_plant(), item, site, qty, on)

    def health(self) -> Health:
        """Always well; the server adds what can go wrong on the way."""
        return Health(ok=True, message=Message("The ERP answers."), product=PRODUCT)

    # -------------------------------------------------------------------------------------- writes
    def create(self, draft: OrderDraft) -> WriteResult:
        """Enter a sales order and plan its supply.

        Refused: what ``sales.check`` names, and ``duplicate_reference`` unless the file's setting
        ``unique_reference`` is off, as many ERPs are.
        """

        def act(plant: Plant) -> WriteResult:
            unique = self._store.setting("unique_reference", default=True)
            if unique and draft.reference and self._holder(draft.reference):
                raise TwinRefusal(
                    "duplicate_reference",
                    f"An order with reference {draft.reference} exists already.",
                    "reference",
                )
            sales.check(plant, draft)
            return _result(sales.accept(plant, draft))

        return self._write(act)

    def create_customer(self, draft: CustomerDraft) -> WriteResult:
        """Enter a customer. Refused: what ``newcomers.check`` names, and ``duplicate_reference``
        as of orders.
        """

        def act(plant: Plant) -> WriteResult:
            unique = self._store.setting("unique_reference", default=True)
            held = {doc.body.get("ext", {}).get(newcomers.REFERENCE) for doc in
                    plant.customers.values()}  # fmt: skip
            if unique and draft.reference and draft.reference in held:
                raise TwinRefusal(
                    "duplicate_reference",
                    f"A customer with reference {draft.reference} exists already.",
                    "reference",
                )
            newcomers.check(plant, draft)
            doc = newcomers.enter(plant, draft)
            return WriteResult(doc.erp_id, str(doc.rev))

        return self._write(act)

    def enter_order(self, draft: OrderDraft) -> WriteResult:
        """An order typed in the ERP: it has no reference of ours."""
        if draft.reference:
            raise TwinRefusal("reference_given", "A typed order has no reference.", "reference")
        return self.create(draft)

    def update(self, erp_id: str, draft: OrderDraft, *, expected_version: str = "") -> WriteResult:
        """Bring a sales order to the whole new draft; a line left out is cancelled.

        Refused: ``unknown_order``, ``version_conflict``, ``duplicate_reference`` (of another
        order), what ``sales.check`` and ``sales.change`` name.
        """

        def act(plant: Plant) -> WriteResult:
            chain = self._order(plant, erp_id)
            order = chain.sales()
            if expected_version and expected_version != str(order.rev):
                raise TwinRefusal("version_conflict", f"Order {erp_id} was changed meanwhile.")
            holder = self._holder(draft.reference) if draft.reference else None
            if holder not in {None, erp_id}:
                raise TwinRefusal(
                    "duplicate_reference",
                    f"An order with reference {draft.reference} exists already.",
                    "reference",
                )
            sales.check(plant, draft)
            sales.change(plant, chain, draft)
            return _result(chain)

        return self._write(act)

    def cancel(self, erp_id: str, *, reference: str = "", reason: str = "") -> WriteResult:
        """Cancel a sales order of which nothing has left.

        Refused: ``unknown_order``, ``wrong_reference``, ``order_cancelled``, ``order_shipped``.
        """

        def act(plant: Plant) -> WriteResult:
            chain = self._order(plant, erp_id)
            ours = chain.sales().body["reference"]
            if reference and ours and ours.split("/")[0] != reference.split("/", maxsplit=1)[0]:
                raise TwinRefusal("wrong_reference", f"Order {erp_id} is not {reference}.",
                                  "reference")  # fmt: skip
            sales.cancel(plant, chain, reason)
            return _result(chain)

        return self._write(act)

    def slip_purchase_order(self, po_no: str, line: int, new_date: dt.date) -> None:
        """The supplier of a line changes his word to ``new_date`` now, and will keep it."""

        def act(plant: Plant) -> WriteResult:
            query = "SELECT root FROM purchase_order WHERE erp_id = ?"
            row = self._store.db.execute(query, (po_no,)).fetchone()
            if row is None:
                raise TwinRefusal("unknown_order", f"Purchase order {po_no} does not exist.")
            chain = plant.chain(row[0])
            sales.slip(plant, chain, po_no, line, new_date.isoformat())
            return WriteResult(po_no, str(chain.buys[po_no].rev))

        self._write(act)

    # ------------------------------------------------------------------------------------- inside
    def _may_be_new(self, draft: OrderDraft) -> None:
        if draft.reference and self._holder(draft.reference):
            raise TwinRefusal(
                "duplicate_reference",
                f"An order with reference {draft.reference} exists already.",
                "reference",
            )

    def _holder(self, reference: str) -> str | None:
        """The order that has this reference, in this or another amendment."""
        no = reference.partition("/")[0]
        query = (
            "SELECT erp_id FROM sales_order "
            "WHERE reference = ? OR (reference >= ? AND reference < ?)"
        )
        row = self._store.db.execute(query, (no, f"{no}/", f"{no}0")).fetchone()
        return None if row is None else str(row[0])

    def _order(self, plant: Plant, erp_id: str) -> Chain:
        try:
            chain = plant.chain(erp_id)
            chain.sales()
        except LookupError:
            raise TwinRefusal("unknown_order", f"Order {erp_id} does not exist.") from None
        return chain


def _result(chain: Chain) -> WriteResult:
    order = chain.sales()
    lines = {line["line_no"]: line["line_no"] for line in order.body["lines"]}
    return WriteResult(order.erp_id, str(order.rev), lines)
