"""What customers want: lines into units of shipment, with the day each has to leave."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import MOST, Arrays, Names, Problem
from b2bcrm.fulfillment.planning.engine.records import Line
from b2bcrm.fulfillment.planning.engine.stocking import TEN_YEARS

MOST_VALUE = 10**9


class Known(NamedTuple):
    """What lines refer to: the index of each name."""

    parts: Mapping[str, int]
    calendars: Mapping[str, int]
    classes: Mapping[str, int]


def known_by(names: Names) -> Known:
    """What lines on top of a book may refer to."""
    told = (names.parts, names.calendars, names.classes)
    return Known(*({name: n for n, name in enumerate(one)} for one in told))


def units_of(
    asked: Iterable[Line],
    known: Known,
    days: Sequence[Sequence[int]],
    horizon: int,
    problems: list[Problem],
) -> tuple[Arrays, list[str]]:
    """Arrays of lines, units and the order of service, and the lines' names."""
    units: dict[tuple[str, str], list[Line]] = {}
    for line in asked:
        fault = line_fault(line, known, horizon)
        if fault:
            problems.append(fault)
        else:
            key = (line.together, "" if line.together else line.name)
            units.setdefault(key, []).append(line)
    groups = list(units.values())
    lines = [line for group in groups for line in group]
    calendars = known.calendars
    leave = {line.name: leaves(line, line.wish, days[calendars[line.calendar]]) for line in lines}
    due = [max(0, min(leave[line.name] for line in group)) for group in groups]
    limit = [
        min(_limit(line, days[calendars[line.calendar]], horizon) for line in group)
        for group in groups
    ]
    priority = [min(line.priority for line in group) for group in groups]
    rank = [
        min(line.wish if line.rank is None else line.rank for line in group) for group in groups
    ]
    order = sorted(range(len(groups)), key=lambda u: (priority[u], rank[u], groups[u][0].name))
    ends = np.cumsum([0, *(len(group) for group in groups)])
    arrays: Arrays = {
        "unit_line": ends.astype(np.int32),
        "unit_due": np.array(due, np.int32),
        "unit_limit": np.array(limit, np.int32),
        "unit_priority": np.array(priority, np.int32),
        "unit_value": np.array([_value(group) for group in groups], np.int64),
        "sequence": np.array(order, np.int32),
        "line_part": np.array([known.parts[line.part] for line in lines], np.int32),
        "line_qty": np.array([line.qty for line in lines], np.int64),
        "line_wish": np.array([line.wish for line in lines], np.int32),
        "line_transit": np.array([line.transit for line in lines], np.int32),
        "line_calendar": np.array([calendars[line.calendar] for line in lines], np.int32),
        "line_class": np.array(
            [known.classes.get(line.customer_class, -1) for line in lines], np.int32
        ),
        "line_least": np.array(
            [line.least if line.shipments > 1 else 0 for line in lines], np.int64
        ),
    }
    return arrays, [line.name for line in lines]


def _value(group: Sequence[Line]) -> int:
    """What a day late of a unit costs; so much at most that sums fit into 64 bits."""
    return min(MOST_VALUE, sum(max(1, line.value) for line in group))


def line_fault(line: Line, known: Known, horizon: int) -> Problem | None:
    """Why nothing can be said of a line, if so."""
    fault = _unknown(line, known)
    if fault:
        return fault
    if not 0 < line.qty <= MOST:
        return Problem("wrong quantity", line.name, f"{line.qty} pieces; no promise")
    if abs(line.wish) > TEN_YEARS or line.wish >= horizon or line.transit < 0:
        text = f"wished for day {line.wish}, {line.transit} days on the way; no promise"
        return Problem("absurd date", line.name, text)
    if line.shipments < 1 or not 1 <= line.least <= MOST:
        text = f"{line.shipments} shipments of {line.least} pieces or more; no promise"
        return Problem("wrong delivery policy", line.name, text)
    return None


def _unknown(line: Line, known: Known) -> Problem | None:
    """The fault of a line that refers to what there is not."""
    if line.part not in known.parts:
        return Problem("unknown part", line.name, f"{line.part} is no part; no promise")
    if line.calendar not in known.calendars:
        return Problem("unknown calendar", line.name, f"{line.calendar} is none; no promise")
    if line.customer_class and line.customer_class not in known.classes:
        return Problem("unknown class", line.name, f"{line.customer_class} is none; no promise")
    return None


def leaves(line: Line, day: int, receiving: Sequence[int]) -> int:
    """The last day on which the line may leave to arrive by ``day``; negative: there is none."""
    rank = bisect_right(receiving, day) - 1
    return receiving[rank] - line.transit if rank >= 0 else -1


def _limit(line: Line, receiving: Sequence[int], horizon: int) -> int:
    """The last day on which the line is still wanted, and arrives within the horizon."""
    last = horizon - 1 if line.max_late is None else min(line.wish + line.max_late, horizon - 1)
    return leaves(line, last, receiving)
