"""A worker of the storm: delivers and pulls as the product's own does, until it is killed."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType

from sqlalchemy.exc import OperationalError

from b2bcrm.bootstrap import APPLIERS, EVENTS, IDENTIFY
from b2bcrm.demo.storm.erp import PASSWORD, USER, Place
from b2bcrm.demo.storm.weather import FastClock
from b2bcrm.fulfillment import actions as fulfillment
from b2bcrm.kernel.clock import Clock
from b2bcrm.kernel.courier import Courier
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.orders.handlers import PushOrder
from b2bcrm.ports.erp import Connection
from b2bcrm.sync.engine import Puller
from b2bcrm.sync.envelopes import StoredEnvelopes
from connectors.erp.gateway import connect

ROUTES = {
    f"order.{fact}": (PushOrder.name,)
    for fact in ("confirmed", "amended", "repromised", "cancelled")
}
"""Only what the ERP is told; mails are no part of the storm."""

CONNECTION = "main"
PAGE_SIZE = 40
TIMEOUT_S = 0.2
DIED_AT_A_POINT = 9
PROJECT_AT_ONCE = 25
_POINTS_TO_LIVE = 6


def open_office(url: str, clock: FastClock) -> Office:
    """Where Works are opened, on the storm's clock."""
    return Office(engine=make_engine(url), clock=Clock(read=clock), routes=ROUTES)


def connection(place: Place) -> Connection:
    """The twin, with timeouts that ten thousand faults can be waited for."""
    return Connection(
        code=CONNECTION,
        profile=str(place.profile),
        base_url=f"http://127.0.0.1:{place.port}",
        company="FPD-TW",
        user=USER,
        secret=PASSWORD,
        connect_timeout_s=TIMEOUT_S,
        read_timeout_s=TIMEOUT_S,
    )


class Fate:
    """Ends the process at a point of a delivery or a pull, once SIGUSR1 has asked for it."""

    def __init__(self, seed: str) -> None:
        self._chance = random.Random(seed)
        self._points: int | None = None
        signal.signal(signal.SIGUSR1, self._doom)

    def _doom(self, _signal: int, _frame: FrameType | None) -> None:
        self._points = self._chance.randint(1, _POINTS_TO_LIVE)

    def __call__(self, _point: str) -> None:
        """A point was reached."""
        if self._points is not None:
            self._points -= 1
            if not self._points:
                os._exit(DIED_AT_A_POINT)  # as a crash: nothing is cleaned up


def open_puller(
    office: Office, place: Place, at_point: Callable[[str], None] = lambda _point: None
) -> Puller:
    """As the product's, with pages so small that a delta has several."""
    erp = connect(connection(place), StoredEnvelopes(office, CONNECTION), now=office.clock.tick)
    return Puller(office, erp, CONNECTION, APPLIERS, IDENTIFY, at_point, PAGE_SIZE)


def work_on(url: str, place: Place, clock: FastClock, seed: str, defects: Path) -> None:
    """Deliver and pull, a thread for each as in the product, until the process ends.

    What no one expected goes into ``defects``.
    """
    office = open_office(url, clock)
    fate = Fate(seed)
    puller = open_puller(office, place, fate)
    push = PushOrder(lambda _work, _code: puller.erp)
    courier = Courier(partial(office.open), EVENTS, {push.name: push}, fate)

    def deliver() -> int:
        return courier.deliver_one()

    def pull() -> int:
        done = puller.pull_due()
        while done:
            with office.open() as work:
                if not fulfillment.project_due(work, PROJECT_AT_ONCE):
                    break
        return done

    every = 1 / clock.factor  # a second, as in the product; it pulls every two
    threading.Thread(target=_for_ever, args=(pull, 2 * every, defects), daemon=True).start()
    _for_ever(deliver, every, defects)


def _for_ever(job: Callable[[], int], every: float, defects: Path) -> None:
    while True:
        try:
            busy = job()
        except OperationalError:  # a deadlock that the database broke: the next round does it
            busy = 0
        except Exception as error:  # noqa: BLE001 - the real worker logs it and goes on, too
            with defects.open("a") as file:
                file.write(f"{type(error).__name__}: {str(error).splitlines()[0][:160]}\n")
            continue
        if not busy:
            time.sleep(every)


def defects_in(path: Path) -> Counter[str]:
    """The unexpected errors of all workers, by kind."""
    return Counter(path.read_text().splitlines()) if path.exists() else Counter()
