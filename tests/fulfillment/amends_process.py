"""One of two processes that add pieces to orders at the same time: run by test_two_processes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

from b2bcrm.fulfillment.actions import Promises
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.orders import actions
from b2bcrm.ports.promise import DateMoved


def amend_all(begin: Callable[[], object], url: str, name: str, order_ids: list[int]) -> int:
    """Amend the orders by five pieces each; how many got them."""
    now = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)
    office = Office(make_engine(url), pinned(now))
    clerk = Actor(name=name, role=Role.SALES)
    amended = 0
    begin()
    for order_id in order_ids:
        try:
            with office.open(clerk) as work:
                actions.amend_line(
                    work,
                    order_id,
                    10,
                    expected_version=None,
                    promises=Promises(work),
                    qty=Decimal(15),
                )
            amended += 1
        except DateMoved:
            continue
    return amended
