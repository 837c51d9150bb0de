"""Odds of the coming weeks: in how many of many rounds lines keep their first promise. Pure.

A round lets every purchase and work order, and every way out, err as others like it did in the last
year, each for itself, and plans the whole book anew around that. What the ERP has pegged to a line
serves that line in every round. Work centres have the hours that are planned: the ERP tells no
others. So the share of lines on time has a middle and a band.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Ints, Names
from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.chances import Noise, arrivals_drawn
from b2bcrm.fulfillment.planning.figures import ROUNDS, Coming, Promised
from b2bcrm.fulfillment.planning.plant import OpenLine, Rows, supply_name
from b2bcrm.fulfillment.planning.sureness_paths import weekdays_between
from b2bcrm.fulfillment.planning.telling import Told, pegged_name, tell

ENOUGH = 30  # errors that a kind needs to be told from its parent
BAND = 0.1, 0.5, 0.9  # of 10 rounds 8 lie between the outer two
SEED = 1
Path = tuple[str, ...]  # kind of thing, coarse to fine


class Errors:
    """Weekdays late of what has come, ``seen`` by kind of thing; negative: early."""

    def __init__(self) -> None:
        self.seen: dict[Path, list[int]] = {}

    def add(self, path: Path, error: int) -> None:
        """One more has come; it counts for its kind and for those above."""
        for end in range(1, len(path) + 1):
            self.seen.setdefault(path[:end], []).append(error)

    def of(self, path: Path) -> list[int]:
        """Errors of the finest kind that has enough of them; none if none has."""
        for end in range(len(path), 0, -1):
            seen = self.seen.get(path[:end], ())
            if len(seen) >= ENOUGH:
                return list(seen)
        return []


@dataclass(frozen=True)
class History:
    """``errors`` of the past, and the kind of each open document (by its number) and line."""

    errors: Errors
    documents: Mapping[str, Path]
    lines: Mapping[str, Path]


def coming(rows: Rows, history: History, wanted: Sequence[Promised]) -> Coming | None:
    """The odds of the lines ``wanted``; None where there is none, or no history at all."""
    told = tell(rows, pegged=True)
    book, names, _ = build(told.facts)
    noise = _noise(rows, history, book, names)
    if not wanted or not noise.errors:
        return None
    came = arrivals_drawn(book, noise, rounds=ROUNDS, seed=SEED)
    number = {one.line: n for n, one in enumerate(wanted)}
    line_of = [number.get(_line_of(name, told), -1) for name in names.lines]
    by = _by(rows, told, names, {one.line: one.on for one in wanted})
    good = np.tile([one.good for one in wanted], (ROUNDS, 1))
    planned = [n for n, line in enumerate(line_of) if line >= 0]
    good[:, [line_of[n] for n in planned]] = True
    for n in planned:
        good[:, line_of[n]] &= came[:, n] <= by[n]
    low, middle, high = np.quantile(100 * good.mean(axis=1), BAND).tolist()
    return Coming(len(wanted), low, middle, high)


def _line_of(name: str, told: Told) -> str:
    """The order line behind a line of the plan."""
    return told.names.get(name, name.removeprefix(pegged_name("")))


def _by(rows: Rows, told: Told, names: Names, days: Mapping[str, dt.date]) -> list[int]:
    """The last day of arrival that keeps each line's promise; what is reserved arrives at our
    door, so it has to be there by the day on which it has to leave.
    """
    open_lines = {row.no: row for row in rows.lines}
    found = []
    for name in names.lines:
        line = _line_of(name, told)
        on, row = days.get(line), open_lines.get(line)
        if on is None:
            found.append(-1)
        elif name in told.names and row is not None:
            found.append((_leaves_by(row, on) - told.today).days)
        else:
            found.append((on - told.today).days)
    return found


def _leaves_by(row: OpenLine, on: dt.date) -> dt.date:
    """The day on which pieces have to be there to arrive on ``on``."""
    if "1" in row.receiving:
        while row.receiving[on.weekday()] == "0":
            on -= dt.timedelta(days=1)
    return on - dt.timedelta(days=row.transit + 1)


def _noise(rows: Rows, history: History, book: Book, names: Names) -> Noise:
    """The errors of the book's supplies and lines."""
    kinds: dict[tuple[Path, int], int] = {}
    errors: list[Ints] = []

    def kind(path: Path | None, overdue: int = 0) -> int:
        if path is None:
            return -1
        if (path, overdue) not in kinds:
            seen = np.array(history.errors.of(path), np.int64)
            if overdue:  # it is known not to have come by now
                seen = seen[seen > overdue] - overdue
            kinds[path, overdue] = len(errors) if len(seen) else -1
            if len(seen):
                errors.append(seen)
        return kinds[path, overdue]

    documents = {supply_name(one.kind, one.no): one for one in rows.documents}
    calendars = {name: n for n, name in enumerate(names.calendars)}
    supply, calendar = [], []
    for name in names.supplies:
        document = documents.get(name)
        if document is None:
            supply.append(-1)
            calendar.append(0)
            continue
        overdue = max(0, weekdays_between(document.due, rows.today))
        supply.append(kind(history.documents.get(document.no), overdue))
        calendar.append(calendars.get(rows.site_calendars.get(document.site, ""), 0))
    lines = [kind(history.lines.get(name.removeprefix(pegged_name("")))) for name in names.lines]
    return Noise(
        errors=errors,
        supply=np.array(supply, np.int32),
        supply_calendar=np.array(calendar, np.int32),
        centre=np.full(len(book.bucket_at), -1, np.int32),
        line=np.array(lines, np.int32),
    )
