"""One of two processes that hold pieces at the same time: run by test_two_processes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from b2bcrm.fulfillment.actions import Promises
from b2bcrm.fulfillment.planning import readiness
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.ports.promise import AskLine, PromiseMoved


def hold_all(begin: Callable[[], object], url: str, name: str, item_id: int, count: int) -> int:
    """Ask for one piece at a time; how many were held."""
    now = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)
    office = Office(make_engine(url), pinned(now))
    readiness.prepare()
    held = 0
    begin()
    for n in range(count):
        try:
            with office.open() as work:
                line = AskLine("10", item_id, Decimal(1), work.today)
                Promises(work).hold(f"{name}-{n}", [line], work.today, at_worst={"10": work.today})
            held += 1
        except PromiseMoved:
            continue
    return held
