"""Matching: what of an old book is the same in a new one, by names and content.

Feeds renumber: a supply that is used up is gone, a new line stands among the others. What is told
of a part in other words than before (a lead time, a component) makes the part new, and what only
stands elsewhere in the order of service is taken for gone and come.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import (
    END,
    FIRST,
    KEPT,
    LIMIT,
    WHO,
    Book,
    Ints,
    Names,
    Small,
)
from b2bcrm.fulfillment.planning.engine.ledger import Ledger


class Planned(NamedTuple):
    """A book, the names behind its indices, and a plan of it."""

    book: Book
    names: Names
    ledger: Ledger


class Match(NamedTuple):
    """Indices in the other book, -1 where nothing is the same."""

    part_to: Small  # P old
    source_to: Small  # S old; only of parts that are got as before
    supply_to: Small  # M old; of the same part and day
    rule_to: Small  # A old; only of parts with the same allocations
    bucket_to: Small  # B old; only of work centres with the same buckets
    unit_to: Small  # U old; wanted as before, in the same order of service
    unit_from: Small  # U new
    part_new: Small  # P new; 1: got in other ways than before, or allocated in others
    centre_new: Small  # C new; 1: with other buckets than before


def matched(old: Book, old_names: Names, new: Book, new_names: Names) -> Match:
    """What is the same; both books start on the same day and have the same horizon."""
    part = _by_name(old_names.parts, new_names.parts)
    centre = _by_name(old_names.centres, new_names.centres)
    source, part_same = _sources(old, new, part, centre, _calendars(old, old_names, new, new_names))
    bucket, centre_same = _buckets(old, new, centre)
    who = _by_name(old_names.classes, new_names.classes)
    rule, rule_same = _rules(old, new, part, who)
    unit = _units(old, old_names, new, new_names, part, who)
    supply = _supplies(old, old_names, new, new_names, part, rule)
    return Match(
        part_to=_inverse(part, len(old.part_earliest)),
        source_to=_inverse(source, len(old.source_part)),
        supply_to=_inverse(supply, len(old.supply_part)),
        rule_to=_inverse(rule, len(old.rule)),
        bucket_to=_inverse(bucket, len(old.bucket_hours)),
        unit_to=_inverse(unit, len(old.unit_due)),
        unit_from=unit,
        part_new=(~(part_same & rule_same)).astype(np.int32),
        centre_new=(~centre_same).astype(np.int32),
    )


def _by_name(old: Sequence[str], new: Sequence[str]) -> Small:
    """The old index of each new name."""
    if old == new:
        return np.arange(len(new), dtype=np.int32)
    known = {name: n for n, name in enumerate(old)}
    return np.array([known.get(name, -1) for name in new], np.int32)


def _inverse(back: Small, size: int) -> Small:
    """The new index of each old one."""
    forth = np.full(size, -1, np.int32)
    there = np.flatnonzero(back >= 0)
    forth[back[there]] = there
    return forth


def _at(array: Small | Ints, index: Small | Ints) -> Small | Ints:
    """Values at indices, -1 where the index is -1."""
    return np.where(index >= 0, np.append(array, -1)[index], -1)


def _calendars(old: Book, old_names: Names, new: Book, new_names: Names) -> Small:
    """The old calendar of each new one of the same name and days."""
    back = _by_name(old_names.calendars, new_names.calendars)
    same = (old.calendar_day[back] == new.calendar_day).all(axis=1)
    return np.where(same, back, -1).astype(np.int32)


_PLAIN = (
    "days",
    "fence",
    "until",
    "earliest",
    "stands_in",
    "spread",
    "setup",
    "run",
    "per",
    "least",
    "step",
)  # of a source


def _sources(
    old: Book, new: Book, part: Small, centre: Small, calendar: Small
) -> tuple[Small, Ints]:
    """The old source of each new one, and whether a new part is got in the same ways."""
    count, old_count = np.diff(new.part_source), np.diff(old.part_source)
    same = part >= 0
    for name in ("part_earliest", "part_bought"):
        same &= _at(getattr(old, name), part) == getattr(new, name)
    same &= _at(old_count, part) == count
    place = np.arange(len(new.source_part)) - np.repeat(new.part_source[:-1], count)
    back = np.where(
        same[new.source_part], old.part_source[part[new.source_part]] + place, -1
    ).astype(np.int32)
    good = back >= 0
    for name in _PLAIN:
        good &= _at(getattr(old, f"source_{name}"), back) == getattr(new, f"source_{name}")
    # -1 means no work centre here, and nothing the same in ``centre``
    good &= _at(old.source_centre, back) == np.where(
        new.source_centre >= 0, np.append(centre, -2)[new.source_centre], -1
    )
    good &= (new.source_centre < 0) | (np.append(centre, -1)[new.source_centre] >= 0)
    good &= _at(old.source_calendar, back) == calendar[new.source_calendar]
    size = np.diff(new.source_component)
    good &= _at(np.diff(old.source_component), back) == size
    owner = np.repeat(np.arange(len(size)), size)
    place = np.arange(len(owner)) - np.repeat(new.source_component[:-1], size)
    there = np.where(good[owner], old.source_component[back[owner]] + place, -1)
    wrong = _at(old.component_part, there) != part[new.component_part]
    for name in ("component_num", "component_den"):
        wrong |= _at(getattr(old, name), there) != getattr(new, name)
    good[owner[wrong]] = False
    same[new.source_part[~good]] = False
    return np.where(same[new.source_part], back, -1).astype(np.int32), same


def _rules(old: Book, new: Book, part: Small, who: Small) -> tuple[Small, Ints]:
    """The old allocation of each new one, and whether a new part has the same but for pieces."""
    count = np.diff(new.part_rule)
    same = _at(np.diff(old.part_rule), part) == count
    same |= (part < 0) & (count == 0)
    owner = np.repeat(np.arange(len(count)), count)
    place = np.arange(len(owner)) - new.part_rule[owner]
    back = np.where(same[owner], old.part_rule[part[owner]] + place, -1)
    rows = old.rule[back] if len(old.rule) else np.full_like(new.rule, -2)
    wrong = rows[:, WHO] != who[new.rule[:, WHO]]
    wrong |= (rows[:, [FIRST, END]] != new.rule[:, [FIRST, END]]).any(axis=1)
    wrong |= (rows[:, LIMIT] == KEPT) != (new.rule[:, LIMIT] == KEPT)
    same[owner[wrong]] = False
    return np.where(same[owner], back, -1).astype(np.int32), same


def _buckets(old: Book, new: Book, centre: Small) -> tuple[Small, Ints]:
    """The old bucket of each new one, and whether a new work centre has the same buckets."""
    centres, old_centres = np.arange(len(centre) + 1), np.arange(len(old.bucket_at) + 1)
    first = np.searchsorted(new.bucket_centre, centres)
    old_first = np.searchsorted(old.bucket_centre, old_centres)
    same = (centre >= 0) & (_at(np.diff(old_first), centre) == np.diff(first))
    at = new.bucket_centre
    place = np.arange(len(at)) - first[at]
    back = np.where(same[at], old_first[centre[at]] + place, -1)
    wrong = _at(old.bucket_start, back) != new.bucket_start
    wrong |= _at(old.bucket_end, back) != new.bucket_end
    same[at[wrong]] = False
    return np.where(same[at], back, -1).astype(np.int32), same


def _supplies(
    old: Book, old_names: Names, new: Book, new_names: Names, part: Small, rule: Small
) -> Small:
    """The old supply of each new one of the same part, name and day, kept for the same or none.

    Among those of one part and day the order decides who is used first: where it has changed,
    none of them is the same.
    """
    if old_names.supplies == new_names.supplies and len(old.supply_part) == len(new.supply_part):
        back = np.arange(len(new.supply_part), dtype=np.int32)
    else:
        back = _numbered(old, old_names, new, new_names, part)
    good = _at(old.supply_day, back) == new.supply_day
    good &= _at(old.supply_part, back) == part[new.supply_part]
    good &= _at(old.supply_rule, back) == np.append(rule, -1)[new.supply_rule]
    good &= (_at(old.supply_rule, back) >= 0) == (new.supply_rule >= 0)
    back = np.where(good, back, -1).astype(np.int32)
    order = np.lexsort((np.arange(len(back)), new.supply_day, new.supply_part))
    order = order[back[order] >= 0]
    group = new.supply_part[order].astype(np.int64) * new.horizon + new.supply_day[order]
    turned = (np.diff(group) == 0) & (np.diff(back[order]) < 0)
    back[order[np.isin(group, group[1:][turned])]] = -1
    return back


def _numbered(old: Book, old_names: Names, new: Book, new_names: Names, part: Small) -> Small:
    """The old supply of the same part and name; the n-th of them where there are several."""
    keys = list(zip(old.supply_part.tolist(), old_names.supplies, strict=True))
    wanted = list(zip(part[new.supply_part].tolist(), new_names.supplies, strict=True))
    if len(set(keys)) < len(keys) or len(set(wanted)) < len(wanted):
        keys, wanted = _counted(keys), _counted(wanted)
    known = dict(zip(keys, range(len(keys)), strict=True))
    return np.array([known.get(key, -1) for key in wanted], np.int32)


def _counted(keys: Sequence[tuple[int, str]]) -> list[tuple[int, str]]:
    """Keys of which no two are equal: the n-th of equal ones has n in its name."""
    seen: dict[tuple[int, str], int] = {}
    found = []
    for part, name in keys:
        seen[part, name] = nth = seen.get((part, name), 0) + 1
        found.append((part, f"{nth} {name}"))
    return found


def _units(
    old: Book, old_names: Names, new: Book, new_names: Names, part: Small, who: Small
) -> Small:
    """The old unit of each new one with the same lines, days and place in the order of service."""
    line = _by_name(old_names.lines, new_names.lines)
    good = _at(old.line_qty, line) == new.line_qty
    good &= _at(old.line_least, line) == new.line_least
    good &= _at(old.line_part, line) == part[new.line_part]
    good &= _at(old.line_class, line) == np.append(who, -1)[new.line_class]
    good &= (_at(old.line_class, line) >= 0) == (new.line_class >= 0)
    size, old_size = np.diff(new.unit_line), np.diff(old.unit_line)
    unit_of = np.repeat(np.arange(len(old_size)), old_size)
    back = _at(unit_of, line[new.unit_line[:-1]]).astype(np.int32)
    place = np.arange(len(line)) - np.repeat(new.unit_line[:-1], size)
    good &= line == _at(old.unit_line[:-1], np.repeat(back, size)) + place
    same = (back >= 0) & (_at(old_size, back) == size)
    same[np.repeat(np.arange(len(size)), size)[~good]] = False
    for name in ("unit_due", "unit_limit", "unit_priority"):
        same &= np.append(getattr(old, name), 0)[back] == getattr(new, name)
    position = np.zeros(len(old_size), np.int64)
    position[old.sequence] = np.arange(len(old_size))
    there = new.sequence[same[new.sequence]]
    kept = there[_longest_rising(position[back[there]])]
    result = np.full(len(size), -1, np.int32)
    result[kept] = back[kept]
    return result


def _longest_rising(numbers: Ints) -> Ints:
    """Places of a longest strictly rising subsequence."""
    if (np.diff(numbers) > 0).all():
        return np.arange(len(numbers))
    ends: list[int] = []  # smallest last number of a subsequence, by its length
    places: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers.tolist()):
        n = bisect_left(ends, number)
        ends[n : n + 1], places[n : n + 1] = [number], [place]
        before.append(places[n - 1] if n else -1)
    chosen, place = [], places[-1]
    while place >= 0:
        chosen.append(place)
        place = before[place]
    return np.array(chosen[::-1], np.int64)
