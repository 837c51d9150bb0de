"""Building: plain records into a ``Book``; bad data becomes named problems, never a crash.

What a problem touches is planned conservatively or not at all, the rest as if it were not there.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from b2bcrm.fulfillment.planning.engine.allocating import rule_arrays, rules_of
from b2bcrm.fulfillment.planning.engine.book import (
    NEVER,
    Arrays,
    Book,
    Ints,
    Names,
    Problem,
    Small,
)
from b2bcrm.fulfillment.planning.engine.demand import Known, line_fault, units_of
from b2bcrm.fulfillment.planning.engine.forecasting import netted
from b2bcrm.fulfillment.planning.engine.records import Bucket, Calendar, Facts, Load
from b2bcrm.fulfillment.planning.engine.sourcing import Shop, Way, ways_of
from b2bcrm.fulfillment.planning.engine.stocking import supplies_left

Days = Sequence[Sequence[int]]


def build(facts: Facts) -> tuple[Book, Names, list[Problem]]:
    """The book of the facts, the names behind its indices, and what is wrong with the facts."""
    problems: list[Problem] = []
    parts = {part.name: n for n, part in enumerate({p.name: p for p in facts.parts}.values())}
    centres = {name: n for n, name in enumerate(dict.fromkeys(b.centre for b in facts.buckets))}
    calendars = {"": 0} | {c.name: n + 1 for n, c in enumerate(facts.calendars)}
    days = _days(facts.calendars, facts.horizon)
    ways, order = ways_of(facts.sources, Shop(parts, centres, calendars), problems)
    classes = {name: n for n, name in enumerate(dict.fromkeys(facts.classes))}
    rules = rules_of(facts, parts, classes, problems)
    supplies, supply_names = supplies_left(facts, rules, parts, problems)
    known = Known(parts, calendars, classes)
    wanted = [line for line in facts.lines if line_fault(line, known, facts.horizon) is None]
    lines = [*facts.lines, *netted(facts.forecasts, wanted)]
    demand, line_names = units_of(lines, known, days, facts.horizon, problems)
    book = Book(
        horizon=facts.horizon,
        **_source_arrays(ways, order, len(parts), days, facts.horizon),
        **_calendar_arrays(days, facts.horizon),
        **_bucket_arrays(facts.buckets, facts.loads, centres, facts.horizon, problems),
        **supplies,
        **rule_arrays(rules, parts, classes, facts.horizon),
        **demand,
    )
    names = Names(
        list(parts), list(calendars), list(centres), supply_names, line_names, list(classes)
    )
    return book, names, problems


def _days(calendars: Sequence[Calendar], horizon: int) -> Days:
    """Working days within the horizon; calendar 0 is every day."""
    own = [sorted({day for day in c.days if 0 <= day < horizon}) for c in calendars]
    return [range(horizon), *own]


def _calendar_arrays(days: Days, horizon: int) -> Arrays:
    """Ranks and days of all calendars."""
    rank = np.zeros((len(days), horizon), np.int32)
    nth = np.full((len(days), horizon), NEVER, np.int32)
    for k, one in enumerate(days):
        works = np.zeros(horizon, np.int32)
        works[list(one)] = 1
        rank[k] = np.cumsum(works) - 1
        nth[k, : len(one)] = one
    return {"calendar_rank": rank, "calendar_day": nth}


def _source_arrays(
    ways: Mapping[int, list[Way]], order: Sequence[int], parts: int, days: Days, horizon: int
) -> Arrays:
    """Sources by part, their components, and how early each can bring its part without stock."""
    earliest = [NEVER] * parts
    by_way: dict[int, list[int]] = {}
    for part in order:
        by_way[part] = [_earliest(way, earliest, days) for way in ways.get(part, [])]
        earliest[part] = min(by_way[part], default=NEVER)
    flat = [way for part in range(parts) for way in ways.get(part, [])]
    bought = [
        bool(ways.get(part))
        and all(w.stands_in or (w.centre < 0 and not w.components) for w in ways[part])
        for part in range(parts)
    ]
    components = [component for way in flat for component in way.components]
    return {
        "part_source": _small(accumulate((len(ways.get(p, [])) for p in range(parts)), initial=0)),
        "part_earliest": _small(earliest),
        "part_bought": _small(bought),
        "source_part": _small(way.part for way in flat),
        "source_days": _small(way.days for way in flat),
        "source_calendar": _small(way.calendar for way in flat),
        "source_fence": _small(min(way.fence, NEVER) for way in flat),
        "source_until": _small(min(way.until, horizon - 1) for way in flat),
        "source_earliest": _small(day for part in range(parts) for day in by_way[part]),
        "source_stands_in": _small(way.stands_in for way in flat),
        "source_centre": _small(way.centre for way in flat),
        "source_spread": _small(way.spread for way in flat),
        "source_setup": _ints(way.setup for way in flat),
        "source_run": _ints(way.run.numerator for way in flat),
        "source_per": _ints(way.run.denominator for way in flat),
        "source_least": _ints(way.least for way in flat),
        "source_step": _ints(way.step for way in flat),
        "source_component": _small(accumulate((len(w.components) for w in flat), initial=0)),
        "component_part": _small(part for part, _ in components),
        "component_num": _ints(qty.numerator for _, qty in components),
        "component_den": _ints(qty.denominator for _, qty in components),
    }


def _earliest(way: Way, earliest: Sequence[int], days: Days) -> int:
    """The first day by which the way brings its part when nothing is in stock."""
    if way.stands_in:
        return NEVER
    start = max([way.fence, *(earliest[part] for part, _ in way.components)])
    working = days[way.calendar]
    rank = bisect_left(working, start) + way.days
    soon = rank < len(working) and working[rank - way.days] <= way.until
    return working[rank] if soon else NEVER


def _bucket_arrays(
    buckets: Sequence[Bucket],
    loads: Sequence[Load],
    centres: Mapping[str, int],
    horizon: int,
    problems: list[Problem],
) -> Arrays:
    """Capacity by bucket, less what released work still takes."""
    at = np.full((len(centres), horizon), -1, np.int32)
    kept: list[Bucket] = []
    for bucket in sorted(buckets, key=lambda b: (centres[b.centre], b.start)):
        start, end = max(0, bucket.start), min(bucket.end, horizon)
        row = at[centres[bucket.centre]]
        if bucket.hours < 0 or bucket.end <= bucket.start or (row[start:end] >= 0).any():
            text = f"days {bucket.start} to {bucket.end}: negative, empty or twice; not used"
            problems.append(Problem("wrong capacity", bucket.centre, text))
        elif start < end:
            row[start:end] = len(kept)
            kept.append(bucket)
    hours = _ints(bucket.hours for bucket in kept)
    for load in loads:
        known = load.centre in centres and 0 <= load.day < horizon
        n = at[centres[load.centre], load.day] if known else -1
        if n < 0:
            text = f"released work on day {load.day} finds no capacity; it is not counted"
            problems.append(Problem("work without capacity", load.centre, text))
        else:
            hours[n] = max(0, hours[n] - load.hours)
    return {
        "bucket_at": at,
        "bucket_centre": _small(centres[bucket.centre] for bucket in kept),
        "bucket_start": _small(max(0, bucket.start) for bucket in kept),
        "bucket_end": _small(min(bucket.end, horizon) for bucket in kept),
        "bucket_hours": hours,
    }


def _small(values: object) -> Small:
    return np.fromiter(values, np.int32)  # type: ignore[call-overload, no-any-return]


def _ints(values: object) -> Ints:
    return np.fromiter(values, np.int64)  # type: ignore[call-overload, no-any-return]
