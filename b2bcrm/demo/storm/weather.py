"""Which faults come, how often, on writes and on reads; counted across processes."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from connectors.erp.twin.faults import Asked, Fault, suits

FORK = multiprocessing.get_context("fork")
"""Workers begin where their parent stands, so a killed one is replaced within milliseconds."""

ONE_KILL_IN = 200  # faults
_SLOW_SHARE = 0.012  # of a side: these cost seconds each
_SLOW = (Fault.SLOW_DRIP, Fault.RESTARTED)
_WRITE = Asked("ChangeSalesOrder")
_READ = Asked("ListItems", rows=1, recent=1, cursor=True)


@dataclass(frozen=True)
class FastClock:
    """Machine time that runs ``factor`` times as fast, alike in every process of this machine."""

    start: dt.datetime
    factor: float
    begun: float = field(default_factory=time.monotonic)

    def __call__(self) -> dt.datetime:
        """The time, aware UTC."""
        return self.start + dt.timedelta(seconds=(time.monotonic() - self.begun) * self.factor)


@dataclass(frozen=True)
class Forecast:
    """How many of each fault on writes and on reads, and how many workers die."""

    writes: dict[Fault, int]
    reads: dict[Fault, int]
    kills: int

    @property
    def faults(self) -> int:
        """All of them, kills included."""
        return sum(self.writes.values()) + sum(self.reads.values()) + self.kills


def forecast(faults: int) -> Forecast:
    """Half of the faults on writes, every kind on both sides where it can show.

    Half of the kills are counted as writes: they befall a delivery.
    """
    kills = max(2, faults // ONE_KILL_IN)
    on_writes = faults // 2 - kills // 2
    return Forecast(
        writes=_shares(on_writes, [f for f in Fault if suits(f, _WRITE)]),
        reads=_shares(faults - kills - on_writes, [f for f in Fault if suits(f, _READ)]),
        kills=kills,
    )


def _shares(total: int, kinds: Sequence[Fault]) -> dict[Fault, int]:
    slow = {kind: max(1, round(total * _SLOW_SHARE)) for kind in kinds if kind in _SLOW}
    quick = [kind for kind in kinds if kind not in slow]
    each, more = divmod(total - sum(slow.values()), len(quick))
    return slow | {kind: each + (n < more) for n, kind in enumerate(quick)}


class Tally:
    """Faults that struck, by kind and side; written by the twin, read by the conductor."""

    def __init__(self) -> None:
        self._kinds = list(Fault)
        self._counts = FORK.Array("i", 2 * len(self._kinds))

    def __call__(self, fault: Fault, asked: Asked) -> None:
        """One more."""
        with self._counts.get_lock():
            self._counts[2 * self._kinds.index(fault) + asked.writes] += 1

    def by_kind(self) -> dict[Fault, tuple[int, int]]:
        """Fault -> (on writes, on reads)."""
        counts = self._counts[:]
        return {kind: (counts[2 * n + 1], counts[2 * n]) for n, kind in enumerate(self._kinds)}

    def total(self) -> int:
        """All that struck so far."""
        return sum(self._counts[:])


@dataclass
class Losses:
    """Workers that died, by where."""

    at: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """All of them."""
        return self.at.total()
