"""Two clocks as values: business time (dates, validity, service clocks) and machine time.

They are equal in production. In the demo, business time runs ahead by the offset that the
``business_clock`` row holds (see ``kernel.database``); tests pin both.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from zoneinfo import ZoneInfo

UTC = dt.UTC
HOME_ZONE = ZoneInfo("Asia/Taipei")


def machine_now() -> dt.datetime:
    """The machine's clock, aware, in UTC. The only place that reads it."""
    return dt.datetime.now(UTC)


@dataclass(frozen=True)
class Clock:
    """Reads machine time; ``offset`` is business time minus machine time."""

    read: Callable[[], dt.datetime] = machine_now

    def tick(self) -> dt.datetime:
        """Machine time, aware UTC."""
        return self.read()


def pinned(at: dt.datetime) -> Clock:
    """A clock that stands still: for tests and pictures."""
    return Clock(read=lambda: at)
