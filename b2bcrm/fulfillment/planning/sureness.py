"""How sure a promise is, learned from this plant's own promises: P50, P80 and P95 of the day. Pure.

An error is the number of weekdays from the promised day to the day that counts, negative when it
came early. What is still open when the curve is made is not left out, or slow lines would be
missing: it counts as "not yet" up to that day (Kaplan and Meier, 1958). Curves form a tree from
all lines down to the most alike; a curve is made as if ``LIKE_PARENT`` orders of its parent's had
been seen too, so a short history says what its parent says. Older promises count less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Days = NDArray[np.datetime64]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LEVELS = (0.5, 0.8, 0.95)  # what P50, P80 and P95 promise
EARLIEST, LATEST = -40, 120  # weekdays from the promise; what lies outside counts as the border
WIDTH = LATEST - EARLIEST + 1
HALF_LIFE_DAYS = 45.0  # of a promise's weight
LIKE_PARENT = 60.0  # orders
NOTHING = 1e-9  # shares below are rounding


@dataclass(frozen=True)
class Past:
    """Promised lines, one element each.

    ``told_on`` is the day of the promise, ``came_on`` the day that counts (NaT: still open).
    ``order`` numbers the orders from 0. ``groups`` numbers each line's curve per level of the
    tree, coarse to fine, every group lying within one of the level before; the level of all lines
    is not among them. ``family`` says for whom levels are set right (``sureness_walk``).
    """

    told_on: Days
    promised_on: Days
    came_on: Days
    order: Ints
    groups: tuple[Ints, ...]
    family: Ints

    @property
    def error(self) -> Ints:
        """Weekdays late, on the scale of the curves; of open lines 0, which means nothing."""
        came = np.where(np.isnat(self.came_on), self.promised_on, self.came_on)
        return on_scale(weekdays(self.promised_on, came))


@dataclass(frozen=True)
class Curves:
    """The curves of one level: shares per error (groups x ``WIDTH``), and orders behind each.

    The last column also holds what was never seen to come.
    """

    shares: Floats
    orders: Floats


def weekdays(first: Days, last: Days | np.datetime64) -> Ints:
    """Weekdays from ``first`` to ``last``, negative when that lies before."""
    return np.busday_count(first.astype("M8[D]"), last).astype(np.int64)


def on_scale(days: Ints) -> Ints:
    """Kept between the borders."""
    return np.clip(days, EARLIEST, LATEST)


def curves(past: Past, today: np.datetime64) -> list[Curves]:
    """One set of curves per level, all lines first, from what is known on ``today``."""
    known = past.told_on <= today
    came = known & (past.came_on <= today)
    seen = np.where(came, past.error, on_scale(weekdays(past.promised_on, today))) - EARLIEST
    age = (today - past.told_on).astype("m8[D]").astype(np.float64)
    weight = np.where(known, 0.5 ** (age / HALF_LIFE_DAYS), 0.0)
    everything = np.zeros(len(known), dtype=np.int64)
    found: list[Curves] = []
    above = everything
    for group in (everything, *past.groups):
        size = int(group.max(initial=0)) + 1
        share = np.where(known, _orders_per_line(group, past.order, known, size)[group], 0.0)
        orders, per_line = np.asarray(np.bincount(group, share, size), np.float64), share * weight
        events = _by_group(group, seen, np.where(came, per_line, 0.0), size)
        at_risk = _from_here_on(_by_group(group, seen, per_line, size))
        if found:
            parent = np.zeros(size, dtype=np.int64)
            parent[group] = above
            like = LIKE_PARENT * found[-1].shares[parent]
            at_risk += _from_here_on(like)
            like[:, -1] = 0.0  # what was never seen to come is no event
            events += like
        found.append(Curves(_shares(events, at_risk), orders))
        above = group
    return found


def _orders_per_line(group: Ints, order: Ints, known: NDArray[np.bool_], size: int) -> Floats:
    """Orders over lines: lines of one order share their fate and are no separate evidence."""
    if not known.any():
        return np.zeros(size)
    span = int(order.max()) + 1
    pairs = np.unique(group[known] * span + order[known]) // span
    lines = np.bincount(group[known], minlength=size)
    return np.asarray(np.bincount(pairs, minlength=size) / np.maximum(lines, 1))


def _by_group(group: Ints, seen: Ints, weight: Floats, size: int) -> Floats:
    flat = np.bincount(group * WIDTH + seen, weight, size * WIDTH)
    return np.asarray(flat.reshape(size, WIDTH))


def _from_here_on(rows: Floats) -> Floats:
    return np.asarray(rows[:, ::-1].cumsum(axis=1)[:, ::-1])


def _shares(events: Floats, at_risk: Floats) -> Floats:
    hazard = np.divide(events, at_risk, out=np.zeros_like(events), where=at_risk > NOTHING)
    left = np.cumprod(1.0 - np.minimum(hazard, 1.0), axis=1)
    before = np.concatenate([np.ones((len(left), 1)), left[:, :-1]], axis=1)
    shares = before - left
    shares[:, -1] += left[:, -1]
    return np.asarray(shares)


def day_of(shares: Sequence[float] | Floats, level: float, after: int | None = None) -> int | None:
    """Weekdays from the promise by which a share ``level`` of lines comes.

    ``after``: it is known not to come by then, so only what was later counts. None: that day is
    later than any that was seen.
    """
    row = np.asarray(shares, dtype=np.float64).copy()
    if after is not None:
        row[: max(0, min(WIDTH, after - EARLIEST + 1))] = 0.0
    total = row.sum()
    if total <= NOTHING:
        return None
    at = int(np.argmax(row.cumsum() >= (level - NOTHING) * total))
    return None if at == WIDTH - 1 else at + EARLIEST
