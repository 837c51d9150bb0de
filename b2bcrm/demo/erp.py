"""The ERP twin as a process of the demo, and the one clock that it shares with the CRM."""

from __future__ import annotations

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from urllib.parse import urlsplit

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from b2bcrm.kernel.clock import machine_now
from b2bcrm.kernel.database import BusinessClock, make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.settings import Settings
from b2bcrm.sync.models import Feed
from connectors.erp.twin.faults import Fault, Switch
from connectors.erp.twin.listening import serve
from connectors.erp.twin.world import TwinWorld

CLOCK_KEPT_S = 0.5
LIVES_EVERY_S = 5.0
log = logging.getLogger(__name__)


def business_time(
    engine: Engine, *, read: Callable[[], dt.datetime] = machine_now
) -> Callable[[], dt.datetime]:
    """A clock: the machine's time plus what the demo was advanced by, asked twice a second."""
    kept = (-CLOCK_KEPT_S, dt.timedelta(0))
    lock = threading.Lock()

    def now() -> dt.datetime:
        nonlocal kept
        with lock:
            at, ahead = kept
            if time.monotonic() - at >= CLOCK_KEPT_S:
                with engine.connect().execution_options(ro=True) as connection:
                    seconds = connection.scalar(sa.select(BusinessClock.ahead_s)) or 0
                ahead = dt.timedelta(seconds=seconds)
                kept = (time.monotonic(), ahead)
        return read() + ahead

    return now


def serve_twin(settings: Settings) -> None:
    """Serve the twin's world on this machine until the process is told to stop."""
    now = business_time(make_engine(settings.database_url))
    world = TwinWorld(settings.twin_path, now=now)
    threading.Thread(target=_live, args=(world, now), daemon=True).start()
    port = urlsplit(settings.erp_url).port or 80
    serve(
        world,
        "127.0.0.1",
        port,
        user=settings.erp_user,
        password=settings.erp_secret,
        validate_replies=False,
        faults=Switch(settings.twin_path),
    )


def _live(world: TwinWorld, now: Callable[[], dt.datetime]) -> None:
    """Let the world go on although nobody asks it anything."""
    while True:
        try:
            world.advance_to(now())
        except Exception:
            # The next round tries again; a thread that died would stop the demo's time unseen.
            log.exception("the twin could not live on")
        time.sleep(LIVES_EVERY_S)


def advance(settings: Settings, days: int) -> dt.datetime:
    """Move the shared clock by whole days; every feed is due at once. Answers business time."""
    engine = make_engine(settings.database_url)
    try:
        with Office(engine=engine).open() as work:
            seconds = days * 24 * 3600
            work.session.execute(
                sa.update(BusinessClock).values(ahead_s=BusinessClock.ahead_s + seconds)
            )
            work.session.execute(sa.update(Feed).values(next_at=work.tick))
            return work.now + dt.timedelta(days=days)
    finally:
        engine.dispose()


def fault_kinds() -> list[str]:
    """The names of all that can go wrong."""
    return [kind.value for kind in Fault]


def set_faults(
    settings: Settings,
    *,
    kinds: Sequence[str] = (),
    rate: float = 0.0,
    operations: Sequence[str] = (),
    seed: int = 1,
) -> None:
    """Let the running twin fail: ``kinds`` (none: all) at ``rate`` of the calls; 0 ends it."""
    chosen = {
        "kinds": [Fault(kind).value for kind in kinds] or fault_kinds(),
        "rate": rate,
        "operations": list(operations),
        "seed": seed,
    }
    with closing(Switch(settings.twin_path)) as switch:
        switch.set(chosen if rate else None)
