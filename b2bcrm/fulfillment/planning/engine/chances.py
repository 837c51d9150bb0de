"""Chances: how the day of every line spreads when supplies, hours and the way out err as before.

A round draws one error for each supply, work centre and line, and solves the book that is left, in
the same order of service and by the same stock policy. So rounds stand on the greedy plan, as
scenarios do, and each is the plan of somebody who knows its errors on day 0: what a plant learns
only later costs it more. The same book, noise and seed give the same chances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import NEVER, Book, Ints, Small
from b2bcrm.fulfillment.planning.engine.plan import arrivals
from b2bcrm.fulfillment.planning.engine.solving import solve

ROUNDS = 200
LEVELS = 0.5, 0.8, 0.95
WHOLE = 1000  # a work centre that has all its hours


@dataclass(frozen=True)
class Noise:
    """Errors that were seen, by kind, and the kind of each thing; -1: it never errs.

    The errors of supplies and lines are working days, late ones positive: a supply's in a calendar
    of its own, a line's in its customer's receiving days, on top of the day that the plan gives. A
    work centre's are the hours that were there, in thousandths of those planned. Every error of a
    kind is as likely as any other, so quantiles do as well.
    """

    errors: Sequence[Ints]  # per kind; none is empty
    supply: Small  # M
    supply_calendar: Small  # M
    centre: Small  # C
    line: Small  # N


class Chances(NamedTuple):
    """Shapes: N lines, Q levels, R rounds."""

    day: Small  # N x Q; day by which the line has arrived in that share of rounds; or NEVER
    on_time: Ints  # N; rounds of R in which it arrives by its wish
    share: Ints  # R; lines of N that arrive by their wish


def chances(
    book: Book, noise: Noise, *, rounds: int = ROUNDS, levels: Sequence[float] = LEVELS, seed: int
) -> Chances:
    """The spread of every line's day; nothing that is given is changed."""
    came = arrivals_drawn(book, noise, rounds=rounds, seed=seed)
    in_time = came <= book.line_wish
    share, on_time = in_time.sum(axis=1), in_time.sum(axis=0)
    came.sort(axis=0)
    # the smallest number of rounds that is at least the level; rounding may not add one
    at = np.ceil(np.asarray(levels) * rounds - 1e-9).astype(np.int64) - 1
    return Chances(came[np.clip(at, 0, rounds - 1)].T, on_time, share)


def arrivals_drawn(book: Book, noise: Noise, *, rounds: int = ROUNDS, seed: int) -> Small:
    """The day on which each line arrives in each round, R x N; NEVER: not within the horizon."""
    came = np.empty((rounds, len(book.line_wish)), np.int32)
    for number in range(rounds):
        came[number] = _arrivals(book, noise, np.random.default_rng([seed, number]))
    return came


def drawn(book: Book, noise: Noise, random: np.random.Generator) -> Book:
    """The book of one round: its supplies and hours as they would have come."""
    late = _draw(noise.errors, noise.supply, 0, random)
    day = _later(book, noise.supply_calendar, book.supply_day, late)
    hours = _draw(noise.errors, noise.centre, WHOLE, random)[book.bucket_centre]
    return book._replace(
        supply_day=np.minimum(day, book.horizon - 1).astype(np.int32),
        supply_qty=np.where(day < book.horizon, book.supply_qty, 0),
        bucket_hours=book.bucket_hours * np.maximum(hours, 0) // WHOLE,
    )


def _arrivals(book: Book, noise: Noise, random: np.random.Generator) -> Small:
    """The day on which each line arrives in one round."""
    ledger = solve(drawn(book, noise, random))
    there = arrivals(book, np.repeat(ledger.unit_day, np.diff(book.unit_line)))
    late = _draw(noise.errors, noise.line, 0, random)
    day = _later(book, book.line_calendar, np.maximum(there, 0), late)
    return np.where(there < 0, NEVER, day).astype(np.int32)


def _draw(errors: Sequence[Ints], kind: Small, without: int, random: np.random.Generator) -> Ints:
    """An error for each thing; ``without`` for what never errs."""
    found = np.full(len(kind), without, np.int64)
    for number, seen in enumerate(errors):
        these = np.flatnonzero(kind == number)
        found[these] = random.choice(seen, len(these))
    return found


def preferred_calendars(book: Book) -> Small:
    """The calendar by which each part is preferably got; every day where it cannot be got."""
    first, last = book.part_source[:-1], book.part_source[1:]
    calendar = np.zeros(len(first), np.int32)
    there = first < last
    calendar[there] = book.source_calendar[first[there]]
    return calendar


def _later(book: Book, calendar: Small, day: Small, by: Ints) -> Ints:
    """Days moved by so many working days, not before day 0; NEVER where they leave the horizon."""
    rank = book.calendar_rank[calendar, day] + by
    moved = book.calendar_day[calendar, np.clip(rank, 0, book.horizon - 1)]
    moved = np.where(rank < 0, 0, np.where(rank >= book.horizon, NEVER, moved))
    return np.where(by == 0, day, moved)
