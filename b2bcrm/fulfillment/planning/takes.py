"""What a planned wish rests on, in the engine's own counts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from b2bcrm.fulfillment.planning.atp import CAPACITY


class Wish(NamedTuple):
    """Pieces wanted of the best of some parts, at our door on a day; by a class, "" is none."""

    parts: Sequence[str]
    qty: int
    day: int
    customer_class: str = ""


class Take(NamedTuple):
    """What an offer rests on: ``qty`` of ``kind``, there from ``day`` on.

    ``part`` is the component that it is; empty for the pieces asked for themselves. Capacity is
    in 1/1000 h, and ``no`` is its work centre.
    """

    kind: str
    no: str
    qty: int
    day: int
    part: str = ""


class Footing(NamedTuple):
    """What ``pieces`` of a part rest on, and which of that decides the day of a line.

    ``waits_for``: the line with which it leaves whose supply decides; then it is one of the takes
    of that line. ``ahead`` of the pieces are there in time, before the others.
    """

    part: str
    pieces: int
    takes: list[Take]
    decides: Take | None
    waits_for: str = ""
    ahead: int = 0


def merged(takes: Iterable[Take]) -> list[Take]:
    """One row per supply; of several planned orders the last day counts. Own pieces come first."""
    found: dict[tuple[str, str, str, int], Take] = {}
    for take in takes:
        own = not take.part and take.kind != CAPACITY
        key = (take.kind, take.no, take.part, take.day if own else -1)
        seen = found.get(key)
        found[key] = (
            take
            if seen is None
            else take._replace(qty=take.qty + seen.qty, day=max(take.day, seen.day))
        )
    order = {CAPACITY: 2}
    return sorted(found.values(), key=lambda t: (order.get(t.kind, 1 if t.part else 0), t.day))
