"""``TwinWorld``: the ERP twin's world behind its SOAP server, kept in one SQLite file.

Every call first lives through all that was due up to ``now``; then it answers in the records of
``b2bcrm.ports.erp`` or raises ``TwinRefusal``. Thread-safe: one lock, one transaction per call.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Literal

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
from connectors.erp.twin import history, newcomers, sales
from connectors.erp.twin.calendars import stamp
from connectors.erp.twin.codec import record
from connectors.erp.twin.company import Firm, found
from connectors.erp.twin.course import happen
from connectors.erp.twin.cursors import close_cursor, open_cursor
from connectors.erp.twin.documents import Chain
from connectors.erp.twin.plant import Plant
from connectors.erp.twin.restock import restock
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.store import Store

__all__ = ["PRODUCT", "TwinRefusal", "TwinWorld"]

PRODUCT = "Formosa ERP twin 1.0"
_SELECT = "SELECT erp_id, company, updated_at, rev, body FROM {table} "
_LOOKUP = {
    Entity.SALES_ORDER: {"erp_id", "reference", "customer_po", "customer"},
    Entity.CUSTOMER: {"erp_id", "reference"},
}


class TwinWorld:
    """The world in ``path`` as it is at ``now()``. Make the file with ``generate`` first."""

    def __init__(self, path: Path | str, *, now: Callable[[], dt.datetime]) -> None:
        self._store = Store(path)
        self._clock = now
        self._firm: Firm = found(self._store.setting("size"), self._store.setting("seed"))
        self._plant: Plant | None = None
        self._seen = -1
        self._forgetting = False

    @classmethod
    def generate(
        cls, path: Path | str, *, size: Literal["small", "demo", "large"], seed: int, today: dt.date
    ) -> None:
        """Write a new file with master data and the history up to the morning of ``today``."""
        history.write(Path(path), size=size, seed=seed, today=today)

    def close(self) -> None:
        """Let go of the file."""
        self._store.close()

    # ------------------------------------------------------------------------------------ the clock
    def now(self) -> dt.datetime:
        """The business clock, as the caller gave it."""
        return self._clock()

    def advance_to(self, now: dt.datetime) -> None:
        """Live through everything due up to ``now``, in time order; going back does nothing."""
        with self._store.lock:
            until = stamp(now)
            next_due = self._store.next_due()
            if next_due is None or next_due > until:
                return
            with self._store.transaction():
                plant = self._open_plant()
                try:
                    plant.coming = self._store.due(until)
                    self._store.drop_events(until)
                    while plant.coming and plant.coming[0][0] <= until:
                        happen(plant, heapq.heappop(plant.coming))
                        restock(plant)
                    plant.at(max(until, plant.clock))
                    self._keep(plant)
                except BaseException:
                    self._plant = None
                    raise

    def _live_on(self) -> str:
        """Live up to the present instant and give it: a watermark must not be later than that."""
        now = self._clock()
        self.advance_to(now)
        return stamp(now)

    def _open_plant(self) -> Plant:
        """The shared state, read again if another connection has written."""
        seen = self._store.foreign_changes()
        plant = self._plant
        if plant is None or seen != self._seen:
            plant = Plant(self._firm, self._store.chain, self._store.setting("worse_day"))
            plant.numbers = self._store.setting("numbers")
            plant.stock = {
                (doc.body["item"], doc.body["site"]): doc for doc in self._store.docs(Entity.STOCK)
            }
            plant.customers = {doc.erp_id: doc for doc in self._store.docs(Entity.CUSTOMER)}
            self._plant, self._seen = plant, seen
        for no in plant.customers.keys() - self._firm.buyers.keys():
            self._firm.buyers[no] = newcomers.buyer_of(plant.customers[no])
        plant.chains.clear()
        plant.wanted.clear()
        plant.coming = []
        plant.at(max(stamp(self._clock()), self._store.setting("lived_to")))
        return plant

    def _keep(self, plant: Plant) -> None:
        for root, chain in plant.chains.items():
            self._store.save((doc, root) for doc in chain.docs())
        self._store.save((doc, "") for doc in plant.stock.values())
        self._store.save((doc, "") for doc in plant.customers.values())
        self._store.add_events(plant.coming)
        self._store.put_setting("numbers", plant.numbers)
        self._store.put_setting("lived_to", max(plant.clock, self._store.setting("lived_to")))

    def _write(self, act: Callable[[Plant], WriteResult]) -> WriteResult:
        with self._store.lock:
            self._live_on()
            with self._store.transaction(keep=not self._forgetting):
                plant = self._open_plant()
                try:
                    result = act(plant)
                    restock(plant)
                    self._keep(plant)
                except BaseException:
                    self._plant = None
                    raise
            if self._forgetting:
                self._plant = None
            return result

    @contextmanager
    def forgetting(self) -> Iterator[None]:
        """What is written inside is answered as if it were stored, but is not."""
        with self._store.lock:
            self._forgetting = True
            try:
                yield
            finally:
                self._forgetting = False

    def touch(self, entity: Entity, erp_id: str) -> None:
        """Give a record a new change instant and version; nothing else of it changes."""
        with self._store.lock:
            now = self._live_on()
            with self._store.transaction() as db:
                change = f"UPDATE {entity.value} SET updated_at = ?, rev = rev + 1 "  # noqa: S608
                db.execute(change + "WHERE erp_id = ?", (now, erp_id))
            self._plant = None  # it may hold the record

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
