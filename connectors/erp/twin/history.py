"""Writes a twin's file: the firm's past up to this morning, lived through order by order.

There is one set of rules: history runs the same events as a running twin, in memory and without
the half-daily reports of work orders that were finished long ago. Orders with nothing left to
happen are written out and forgotten, so size ``large`` fits into memory.
"""

from __future__ import annotations

import datetime as dt
import gc
import heapq
import json
import random
import sqlite3
from collections import Counter
from decimal import Decimal
from pathlib import Path

from b2bcrm.ports.erp import Entity
from connectors.erp.twin import sales
from connectors.erp.twin.calendars import instant, shift
from connectors.erp.twin.company import Firm, Size, change_day, found, master_records
from connectors.erp.twin.course import happen
from connectors.erp.twin.demand import Arrival, Market, arrivals, first_day
from connectors.erp.twin.documents import Chain, Doc
from connectors.erp.twin.parts import SITE_COMPANY
from connectors.erp.twin.plant import Plant
from connectors.erp.twin.restock import restock
from connectors.erp.twin.schema import indexes, tables
from connectors.erp.twin.store import UPSERT, Row, connect, row_of
from connectors.erp.twin.story import STORY, enter_story, story_arrival

_BATCH = 4000
_WORSE_AFTER = 12 * 30.44  # days: the thirteenth month of the demo's eighteen
_WITHDRAWN = 0.012
_USED = {"20417": 0.61, "20463": 0.54, "30502": 1.12}  # share of the limit, as in the pictures


class Past(Plant):
    """A plant whose future up to ``horizon`` is being made; counts what is left per chain."""

    def __init__(self, firm: Firm, worse_day: str, change_day: str, horizon: str) -> None:
        super().__init__(firm, lambda _: None, worse_day, change_day)
        self.horizon = horizon
        self.left: Counter[str] = Counter()

    def schedule(self, day: str, clock: str, root: str, kind: str, ref: str = "") -> None:
        """As in ``Plant``; no reports of work orders that end before the horizon."""
        if kind == "progress":
            doc = self.chains[root].works[ref]
            length = doc.truth["length"] + doc.truth["slip"]
            days = self.days(doc.body["site"])
            if days.add(doc.body["actual_start_on"], length - 1) < self.horizon:
                return
        self.left[root] += 1
        super().schedule(day, clock, root, kind, ref)


class Writer:
    """Rows on their way to the file, in batches."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self.db = db
        self._rows: dict[Entity, list[Row]] = {entity: [] for entity in Entity}

    def put(self, doc: Doc, root: str = "") -> None:
        """Write one document."""
        rows = self._rows[doc.entity]
        rows.append(row_of(doc, root))
        if len(rows) >= _BATCH:
            self.flush(doc.entity)

    def flush(self, entity: Entity) -> None:
        """Write what waits."""
        self.db.executemany(UPSERT[entity], self._rows[entity])
        self._rows[entity].clear()


def write(path: Path, *, size: Size, seed: int, today: dt.date) -> None:
    """Make the file; one that is there is replaced."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    db = connect(path)
    # Hundreds of thousands of small dicts without a circle among them: nothing to collect.
    collecting = gc.isenabled()
    gc.disable()
    try:
        db.execute("BEGIN")
        for statement in tables():
            db.execute(statement)
        _fill(db, found(size, seed), today)
        for statement in indexes():
            db.execute(statement)
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        if collecting:
            gc.enable()
        db.close()


def _fill(db: sqlite3.Connection, firm: Firm, today: dt.date) -> None:
    start = first_day(firm.size, today)
    change = change_day(today)
    plant = Past(firm, shift(start, round(_WORSE_AFTER)), change, today.isoformat())
    if firm.size == "small":
        plant.worse_day = shift(today.isoformat(), -60)
    plant.at(instant(start, "08:00"))
    writer = Writer(db)
    for entity, erp_id, company, body in master_records(firm, start, change):
        doc = Doc(entity, erp_id, company, body)
        doc.touch(plant.clock)
        if entity is Entity.CUSTOMER:
            plant.customers[erp_id] = doc
        else:
            writer.put(doc)
    _open_stock(plant)
    _live(plant, writer, today)
    _set_limits(plant)
    for root, chain in plant.chains.items():
        _put_chain(writer, chain, root)
    for doc in (*plant.stock.values(), *plant.customers.values()):
        writer.put(doc)
    for entity in Entity:
        writer.flush(entity)
    db.executemany(
        "INSERT INTO event (due_at, id, root, kind, ref) VALUES (?, ?, ?, ?, ?)", plant.coming
    )
    settings = {
        "size": firm.size, "seed": firm.seed, "today": today.isoformat(), "start": start,
        "worse_day": plant.worse_day, "change_day": change, "numbers": plant.numbers,
        "lived_to": plant.clock,
    }  # fmt: skip
    db.executemany(
        "INSERT INTO setting VALUES (?, ?)", [(k, json.dumps(v)) for k, v in settings.items()]
    )


def _set_limits(plant: Plant) -> None:
    """Credit limits as somebody has set them with an eye on what each customer usually owes."""
    rng = random.Random(f"{plant.firm.seed}/limits")
    for doc in plant.customers.values():
        used, limit = Decimal(doc.body["credit_used"]), Decimal(doc.body["credit_limit"])
        share = _USED.get(doc.erp_id, rng.uniform(0.35, 0.95))
        wanted = used / Decimal(str(round(share, 2)))
        if wanted > limit or doc.erp_id in _USED:
            size = Decimal(10) ** max(3, wanted.adjusted() - 2)
            wanted = (wanted / size).to_integral_value() * size
            doc.body["credit_limit"] = str(max(wanted, size).quantize(Decimal(1)))


def _open_stock(plant: Plant) -> None:
    for part in plant.firm.parts.values():
        if part.kind == "service":
            continue
        on_hand = part.level + part.lot // 2 if part.stocked else 0
        body = {"item": part.no, "site": part.site, "on_hand": on_hand, "allocated": 0,
                "as_of": plant.clock}  # fmt: skip
        no = f"{part.no}@{part.site}"
        doc = Doc(Entity.STOCK, no, SITE_COMPANY[part.site], body, {"coming": 0})
        doc.touch(plant.clock)
        plant.stock[part.no, part.site] = doc


def _live(plant: Past, writer: Writer, today: dt.date) -> None:
    """Let every order of the past arrive and every event up to this morning happen."""
    coming = arrivals(plant.firm, today)
    tale = story_arrival(plant.firm, today)
    at = sum((a.day, a.clock) < (tale.day, tale.clock) for a in coming)
    coming.insert(at, tale)
    number = max(1, STORY.number - at)
    market = Market(plant.firm)
    for n, arrival in enumerate(coming):
        moment = instant(arrival.day, arrival.clock)
        _until(plant, writer, moment)
        plant.at(moment)
        reference = f"SO-{arrival.day[2:4]}-{number + n:05d}/0"
        if arrival is tale:
            enter_story(plant, reference, today)
        else:
            _take_order(plant, market, arrival, reference)
        restock(plant)
    _until(plant, writer, instant(today.isoformat(), "08:00"))
    plant.at(instant(today.isoformat(), "08:00"))


def _take_order(plant: Past, market: Market, arrival: Arrival, reference: str) -> None:
    rng = random.Random(f"{plant.firm.seed}/{plant.firm.size}/{reference}")
    buyer = plant.firm.buyers[arrival.buyer]
    draft = market.draft(plant, buyer, rng, "" if arrival.typed else reference)
    chain = sales.accept(plant, draft)
    if rng.random() < _WITHDRAWN:
        day = plant.days(draft.site).add(arrival.day, rng.randint(1, 4))
        plant.schedule(day, "11:45", chain.root, "withdraw", "The customer's project was stopped.")


def _until(plant: Past, writer: Writer, moment: str) -> None:
    coming, left = plant.coming, plant.left
    while coming and coming[0][0] <= moment:
        event = heapq.heappop(coming)
        root = event[2]
        chain = happen(plant, event)
        left[root] -= 1
        if not left[root]:
            _put_chain(writer, chain, root)
            del plant.chains[root], left[root]
        if plant.wanted:
            restock(plant)


def _put_chain(writer: Writer, chain: Chain, root: str) -> None:
    for doc in chain.docs():
        writer.put(doc, root)
