"""How well promises were foretold: a walk through the past that knows only what was known. Pure.

Every ``STEP_DAYS`` the curves are made anew and foretell the promises of the days that follow.
From foretold lines whose promised day has passed the levels are set right per family
("conformal"): if 76 of 100 lines came by what was called P80, P80 becomes a later day. The walk
ends today, so the curves and levels that it ends with are the ones to use, and the lines on its
way are its test.

Days are whole, and many lines come on the very same one. That day's lines are shared out: a line
counts to a level with the share of its day that lies below it (Czado, Gneiting and Held, 2009).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from b2bcrm.fulfillment.planning.sureness import (
    EARLIEST,
    LEVELS,
    NOTHING,
    Curves,
    Floats,
    Ints,
    Past,
    curves,
    on_scale,
    weekdays,
)

STEP_DAYS = 7
FIRST_ORDERS = 100  # before so many have come nothing is foretold
LEVEL_HALF_LIFE = 45.0  # days, of what sets levels right
AS_FORETOLD = 40.0  # orders that are taken to have come as foretold
FAIR_DAYS = 30  # a line this long after its promise has come, or hardly ever will
GRID = np.arange(0.0, 1.0001, 0.005)


@dataclass(frozen=True)
class Foretold:
    """Lines of the walk that have come: their index in the past, and what had been foretold.

    ``low`` and ``high`` are the curve's shares before and up to the day on which it came;
    ``levels`` what P50, P80 and P95 stood for in the curve (lines x 3), ``days`` those days as
    weekdays from the promise, ``plain`` the same quantiles of all errors seen by then.
    """

    line: Ints
    low: Floats
    high: Floats
    levels: Floats
    days: Ints
    plain: Ints


@dataclass(frozen=True)
class Walk:
    """What the walk ends with: today's curves, levels per family (families x 3), and its test."""

    curves: list[Curves]
    levels: Floats
    foretold: Foretold | None


def walk(past: Past, today: np.datetime64) -> Walk | None:
    """None while too few orders have come."""
    begin = _first_day(past, today)
    if begin is None:
        return None
    families = int(past.family.max()) + 1
    parts: list[Foretold] = []
    memory = _Memory(past)
    for origin in _origins(begin, today):
        made = curves(past, origin)
        scale = memory.scale(origin, families)
        levels = np.stack([np.interp(LEVELS, row, GRID) for row in scale])
        if origin == today:
            return Walk(made, levels, _join(parts))
        until = min(origin + np.timedelta64(STEP_DAYS, "D"), today)
        lines = np.flatnonzero((past.told_on > origin) & (past.told_on <= until))
        if not len(lines):
            continue
        shares = made[-1].shares[past.groups[-1][lines] if past.groups else np.zeros_like(lines)]
        memory.add(lines, shares)
        parts.append(_foretell(past, lines, shares, scale, (origin, today)))
    raise AssertionError  # the last origin is today


def _first_day(past: Past, today: np.datetime64) -> np.datetime64 | None:
    """The day by which enough orders have come."""
    came = past.came_on <= today
    if not came.any():
        return None
    order, day = past.order[came], past.came_on[came]
    firsts = np.full(int(order.max()) + 1, np.datetime64("9999-12-31", "D"))
    np.minimum.at(firsts, order, day)
    firsts = np.sort(firsts[firsts <= today])
    return firsts[FIRST_ORDERS - 1] if len(firsts) >= FIRST_ORDERS else None


def _origins(begin: np.datetime64, today: np.datetime64) -> Iterator[np.datetime64]:
    day = begin
    while day < today:
        yield day
        day = day + np.timedelta64(STEP_DAYS, "D")
    yield today


class _Memory:
    """What was foretold for each line, as the curve it was given."""

    def __init__(self, past: Past) -> None:
        self.past = past
        self.line: list[Ints] = []
        self.sums: list[NDArray[np.float32]] = []

    def add(self, lines: Ints, shares: Floats) -> None:
        """Keep the curves of lines as sums."""
        self.line.append(lines)
        self.sums.append(shares.cumsum(axis=1).astype(np.float32))

    def scale(self, origin: np.datetime64, families: int) -> Floats:
        """Per family the true share at each level of ``GRID``, by lines due by ``origin``."""
        plain = np.tile(GRID, (families, 1))
        if not self.line:
            return plain
        line, sums = np.concatenate(self.line), np.concatenate(self.sums)
        past = self.past
        ripe = past.promised_on[line] <= origin
        line, sums = line[ripe], sums[ripe]
        if not len(line):
            return plain
        came = past.came_on[line] <= origin
        waited = on_scale(weekdays(past.promised_on[line], origin))
        at = np.where(came, past.error[line], waited) - EARLIEST
        rows = np.arange(len(line))
        up_to = sums[rows, at]
        before = np.where(at > 0, sums[rows, np.maximum(at - 1, 0)], 0.0)
        low, high = np.where(came, before, up_to), np.where(came, up_to, 1.0)
        age = (origin - past.told_on[line]).astype("m8[D]").astype(np.float64)
        weight = 0.5 ** (age / LEVEL_HALF_LIFE) / _lines_of_order(past.order[line])
        below = shared(low, high, GRID)
        everyone = _mixed(plain[0], below, weight)
        return np.stack(
            [
                _mixed(everyone, below[mine], weight[mine])
                for mine in (past.family[line] == family for family in range(families))
            ]
        )


def _lines_of_order(order: Ints) -> Floats:
    _, back, count = np.unique(order, return_inverse=True, return_counts=True)
    return np.asarray(count[back], dtype=np.float64)


def _mixed(base: Floats, below: Floats, weight: Floats) -> Floats:
    total = weight.sum() + AS_FORETOLD
    return np.asarray((weight @ below + AS_FORETOLD * base) / total)


def shared(low: Floats, high: Floats, level: Floats) -> Floats:
    """Which part of each line lies below each level (lines x levels)."""
    width = np.maximum(high - low, 1e-9)
    return np.clip((level[None, :] - low[:, None]) / width[:, None], 0.0, 1.0)


def _foretell(
    past: Past,
    lines: Ints,
    shares: Floats,
    scale: Floats,
    span: tuple[np.datetime64, np.datetime64],
) -> Foretold:
    origin, today = span
    known = (past.told_on <= origin) & (past.came_on <= origin)
    plain = np.quantile(past.error[known], LEVELS, method="inverted_cdf").astype(np.int64)
    came = past.came_on[lines] <= today
    lines, shares = lines[came], shares[came]
    sums = shares.cumsum(axis=1)
    at = past.error[lines] - EARLIEST
    rows = np.arange(len(lines))
    high = sums[rows, at]
    mine = np.stack([np.interp(LEVELS, row, GRID) for row in scale])[past.family[lines]]
    days = np.stack(
        [np.argmax(sums >= mine[:, [n]] - NOTHING, axis=1) + EARLIEST for n in range(len(LEVELS))],
        axis=1,
    )
    return Foretold(
        line=lines,
        low=high - shares[rows, at],
        high=high,
        levels=mine,
        days=days,
        plain=np.tile(plain, (len(lines), 1)),
    )


def _join(parts: list[Foretold]) -> Foretold | None:
    if not parts:
        return None
    return Foretold(
        **{
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in Foretold.__dataclass_fields__
        }
    )


@dataclass(frozen=True)
class Report:
    """The walk's test. ``true_pct`` is, per level, what came by it in percent of all lines;
    ``by_family`` the same per family, each order counting once, and how many orders those were.

    ``loss`` is the pinball loss in weekdays per level: of the foretold day, of the promise
    itself, and of the same quantile of all earlier errors.
    """

    lines: int
    true_pct: tuple[float, ...]
    by_family: dict[int, tuple[int, tuple[float, ...]]]
    loss: tuple[tuple[float, float, float], ...]


def report(past: Past, found: Foretold) -> Report:
    """How the foretold lines came, those left out that are promised for later than all came.

    Lines that came before their time are known sooner than slow ones; only lines promised long
    enough ago are a fair sample, so the last ``FAIR_DAYS`` before the last arrival are not used.
    """
    last = past.came_on[found.line].max() - np.timedelta64(FAIR_DAYS, "D")
    fair = past.promised_on[found.line] <= last
    line, error = found.line[fair], past.error[found.line[fair]]
    width = np.maximum(found.high[fair] - found.low[fair], NOTHING)
    below = np.clip((found.levels[fair] - found.low[fair, None]) / width[:, None], 0.0, 1.0)
    loss = [
        (
            _pinball(error, found.days[fair, n], level),
            _pinball(error, np.zeros_like(error), level),
            _pinball(error, found.plain[fair, n], level),
        )
        for n, level in enumerate(LEVELS)
    ]
    families = {}
    for family in np.unique(past.family[line]).tolist():
        mine = past.family[line] == family
        order = past.order[line[mine]]
        weight = 1.0 / _lines_of_order(order)
        true = 100 * (weight @ below[mine]) / weight.sum()
        families[family] = (len(np.unique(order)), tuple(true.tolist()))
    all_true = 100 * below.mean(axis=0) if len(line) else np.zeros(len(LEVELS))
    return Report(len(line), tuple(all_true.tolist()), families, tuple(loss))


def _pinball(error: Ints, foretold: Ints, level: float) -> float:
    """Mean loss: a day too early costs ``level``, a day too late the rest to one."""
    over = (error - foretold).astype(np.float64)
    return float(np.maximum(level * over, (level - 1.0) * over).mean()) if len(over) else 0.0
