"""A worker that ends itself at a named point of a pull, as a crash would: no clean-up."""

from __future__ import annotations

import datetime as dt
import os
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


def pull_until(
    point: str, times: int, database_url: str, twin_file: Path, now: dt.datetime, entity: Entity
) -> None:
    """Pull a feed, for a process of its own: it exits with KILLED at the point, the n-th time."""
    left = times

    def die(name: str) -> None:
        nonlocal left
        left -= name == point
        if left == 0:
            os._exit(KILLED)

    office = Office(make_engine(database_url), pinned(now), bootstrap.ROUTES)
    twin = Twin(twin_file, now)
    puller = Puller(office, twin.gateway, "main", bootstrap.APPLIERS, bootstrap.IDENTIFY, die, PAGE)
    puller.pull(entity)
