"""A worker that ends itself at a named point of a pull, as a crash would: no clean-up.

Run as ``python -m tests.sync.killed_pull DATABASE_URL TWIN_FILE INSTANT ENTITY POINT TIMES``:
it dies when it gets to POINT for the TIMES-th time, and exits 9.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path

from b2bcrm import bootstrap
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.work import Office
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.engine import Puller
from tests.twins import Twin

KILLED = 9
PAGE = 20


def main(
    database_url: str, twin_file: str, instant: str, entity: str, point: str, times: str
) -> None:
    left = int(times)

    def die(name: str) -> None:
        nonlocal left
        left -= name == point
        if left == 0:
            os._exit(KILLED)

    now = dt.datetime.fromisoformat(instant)
    office = Office(make_engine(database_url), pinned(now), bootstrap.ROUTES)
    twin = Twin(Path(twin_file), now)
    puller = Puller(office, twin.gateway, "main", bootstrap.APPLIERS, bootstrap.IDENTIFY, die, PAGE)
    puller.pull(Entity(entity))


if __name__ == "__main__":
    main(*sys.argv[1:])
