"""The ERP's side of a storm: the twin in a process of its own, with a clerk who types orders."""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from multiprocessing.connection import Connection as Pipe
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Literal

from b2bcrm.demo.storm.weather import FastClock, Forecast, Tally
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.ports.erp import OrderDraft, OrderDraftLine
from connectors.erp.profile import PROFILE_DIR
from connectors.erp.twin.company import HOME_SITE, Firm, found
from connectors.erp.twin.faults import Asked, Deck, Fault
from connectors.erp.twin.listening import make_server
from connectors.erp.twin.sales import TwinRefusal
from connectors.erp.twin.server import TwinApp
from connectors.erp.twin.store import Store
from connectors.erp.twin.trouble import Pace
from connectors.erp.twin.world import TwinWorld

USER, PASSWORD = "storm", "storm"
PACE = Pace(silent_s=1.0, drip_s=0.1, lockout_s=0.1, restart_s=0.2)
SIZE: Literal["small"] = "small"
ON_WRITES, ON_READS = 0.75, 0.5  # share of the calls that are struck while faults are left
CLERK_EVERY_S = 0.4


@dataclass(frozen=True)
class Sky:
    """What all processes of a storm share."""

    path: Path
    clock: FastClock
    ahead_s: Synchronized[float]  # business time beyond machine time
    stands_at: Synchronized[float]  # business time once it is calm, as a timestamp; 0 before
    tally: Tally
    calm: Event  # no more faults, and nobody changes anything any more
    still: Event  # the ERP's clerk has heard it
    seed: int

    def business_now(self) -> dt.datetime:
        """The ERP's clock."""
        if stands_at := self.stands_at.value:
            return dt.datetime.fromtimestamp(stands_at, dt.UTC)
        return self.clock() + dt.timedelta(seconds=self.ahead_s.value)

    def stop(self) -> None:
        """No more faults, and time stands still in the ERP: what is there can be compared."""
        self.stands_at.value = self.business_now().timestamp()
        self.calm.set()


def prepare(path: Path, *, seed: int, today: dt.date) -> None:
    """A world whose ERP takes the same reference twice, as most do: nothing but our own care
    keeps an order from being entered twice.
    """
    TwinWorld.generate(path, size=SIZE, seed=seed, today=today)
    with closing(Store(path)) as store, store.transaction():
        store.put_setting("unique_reference", value=False)


@dataclass(frozen=True)
class Place:
    """Where the twin listens, and the profile by which it is spoken to."""

    port: int
    profile: Path


def write_profile(path: Path) -> None:
    """The twin's profile as it is true here: the ERP does not recognise a repeated reference."""
    text = (PROFILE_DIR / "twin.toml").read_text()
    honest = text.replace('idempotency = "native"', 'idempotency = "lookup"')
    if honest == text:
        raise RuntimeError("the twin's profile no longer says how it treats repeats")
    path.write_text(honest)


def serve(sky: Sky, forecast: Forecast, port: Pipe) -> None:
    """Serve until the process is ended; sends its port through ``port`` once it listens."""
    world = TwinWorld(sky.path, now=sky.business_now)
    deck = Deck(
        sky.seed,
        writes=forecast.writes,
        reads=forecast.reads,
        on_writes=ON_WRITES,
        on_reads=ON_READS,
        struck=sky.tally,
    )

    def fate(asked: Asked) -> Fault | None:
        return None if sky.calm.is_set() else deck(asked)

    app = TwinApp(
        world, user=USER, password=PASSWORD, validate_replies=False, faults=fate, pace=PACE
    )
    server = make_server(app, "127.0.0.1", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port.send(server.server_address[1])
    clerk = _Clerk(world, found(SIZE, sky.seed), random.Random(f"{sky.seed}/clerk"))
    while True:
        if sky.calm.is_set():
            sky.still.set()
        else:
            clerk.act(sky.business_now)
        time.sleep(CLERK_EVERY_S)


class _Clerk:
    """Types orders in the ERP, changes them, lets suppliers slip, lets time pass."""

    def __init__(self, world: TwinWorld, firm: Firm, chance: random.Random) -> None:
        self._world = world
        self._chance = chance
        self._buyers = [buyer for buyer in firm.buyers.values() if not buyer.hold]
        self._parts = [part for part in firm.parts.values() if part.sellable]
        self._typed: list[tuple[str, OrderDraft]] = []

    def act(self, clock: Callable[[], dt.datetime]) -> None:
        """One thing that happens in the ERP without the CRM."""
        now = clock()
        self._world.advance_to(now)
        today = now.astimezone(HOME_ZONE).date()
        try:
            if self._typed and self._chance.random() < 0.3:  # noqa: PLR2004 - three in ten
                self._change()
            else:
                draft = self._draft(today)
                self._typed.append((self._world.enter_order(draft).erp_id, draft))
        except TwinRefusal:
            return  # it has shipped meanwhile, or is blocked: the clerk turns to something else

    def _draft(self, today: dt.date) -> OrderDraft:
        chance, buyer = self._chance, self._chance.choice(self._buyers)
        promised = today + dt.timedelta(days=chance.randint(4, 20))
        lines = tuple(
            OrderDraftLine(
                line_no=10 * (n + 1),
                item=part.no,
                qty=Decimal(chance.randint(1, 12)),
                uom=part.uom,
                unit_price=Decimal(chance.randint(100, 90000)) / 100,
                discount_pct=Decimal(chance.choice((0, 0, 5))),
                requested_on=promised,
                promised_on=promised,
            )
            for n, part in enumerate(chance.sample(self._parts, chance.randint(1, 3)))
        )
        return OrderDraft(
            reference="",
            customer=buyer.no,
            customer_po=f"TYPED-{chance.randrange(10**6)}",
            ordered_on=today,
            currency=buyer.currency,
            ship_to="",
            incoterm="EXW",
            incoterm_place="",
            payment_terms="NET30",
            site=HOME_SITE[buyer.company],
            note="",
            lines=lines,
        )

    def _change(self) -> None:
        at = self._chance.randrange(len(self._typed))
        erp_id, draft = self._typed[at]
        first, *rest = draft.lines
        more = dataclasses.replace(first, qty=first.qty + self._chance.randint(1, 5))
        changed = dataclasses.replace(draft, lines=(more, *rest))
        self._world.update(erp_id, changed)
        self._typed[at] = (erp_id, changed)
