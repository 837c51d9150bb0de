"""One of two processes that add pieces to orders at the same time: run by test_two_processes."""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal

import b2bcrm.bootstrap.house  # noqa: F401 - every table must be known
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.orders import actions
from b2bcrm.ports.promise import DateMoved


def main(url: str, name: str, *order_ids: str) -> None:
    """Amend every second order by five pieces; print how many got them."""
    now = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)
    office = Office(make_engine(url), pinned(now))
    clerk = Actor(name=name, role=Role.SALES)
    amended = 0
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()  # both processes begin together
    for order_id in order_ids[name == "two" :: 2]:
        try:
            with office.open(clerk) as work:
                actions.amend_line(
                    work,
                    int(order_id),
                    10,
                    expected_version=None,
                    promises=Promises(work),
                    qty=Decimal(15),
                )
            amended += 1
        except DateMoved:
            continue
    sys.stdout.write(str(amended))


if __name__ == "__main__":
    main(*sys.argv[1:])
