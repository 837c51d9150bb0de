"""The life of the twin's world: what is due by its clock happens, and one write at a time.

One lock, one transaction per call. Not here: what is asked of the world and done to it (``world``).
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from b2bcrm.ports.erp import Entity, WriteResult
from connectors.erp.twin import history, newcomers
from connectors.erp.twin.calendars import stamp
from connectors.erp.twin.company import Firm, found
from connectors.erp.twin.course import happen
from connectors.erp.twin.plant import Plant
from connectors.erp.twin.restock import restock
from connectors.erp.twin.store import Store

NEVER = "9999-12-31"  # the change of a file from before there was one


class LivingWorld:
    """The file in ``path`` and the clock ``now``: what was due happens before anything else."""

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
            plant = Plant(
                self._firm,
                self._store.chain,
                self._store.setting("worse_day"),
                self._store.setting("change_day", default=NEVER),
            )
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
