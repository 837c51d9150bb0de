"""Supply that may be promised: what is told, less what released work and safety stock keep."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import MOST, Arrays, Problem
from b2bcrm.fulfillment.planning.engine.records import Cap, Facts, Keep, Need, Supply, SupplyKind

TEN_YEARS = 3653  # days; a date further away than that is a fault of typing


def supplies_left(
    facts: Facts, rules: Sequence[Keep | Cap], parts: Mapping[str, int], problems: list[Problem]
) -> tuple[Arrays, list[str]]:
    """Arrays of the supplies that something is left of, in order of day, and their names.

    What is kept for a class comes off the first to come, as supplies of their own.
    """
    by_part: dict[str, list[list[int]]] = {}
    known = [supply for supply in facts.supplies if _usable(supply, facts, parts, problems)]
    known.sort(key=lambda supply: max(0, supply.day))
    for n, supply in enumerate(known):
        by_part.setdefault(supply.part, []).append([max(0, supply.day), supply.qty, n])
    for part in facts.parts:
        _keep_back(by_part.get(part.name, []), part.safety, 0)
    for need in sorted(facts.needs, key=lambda need: need.day):
        _serve(need, by_part, parts, problems)
    left: list[tuple[int, int, int]] = []  # index, the allocation that keeps it, quantity
    for number, rule in enumerate(rules):
        if isinstance(rule, Keep):
            rows = by_part.get(rule.part, [])
            left += [(n, number, qty) for n, qty in _first_of(rows, rule)]
    left += [(n, -1, qty) for rows in by_part.values() for _, qty, n in rows if qty > 0]
    left.sort()
    arrays: Arrays = {
        "supply_part": np.array([parts[known[n].part] for n, _, _ in left], np.int32),
        "supply_day": np.array([max(0, known[n].day) for n, _, _ in left], np.int32),
        "supply_qty": np.array([qty for _, _, qty in left], np.int64),
        "supply_rule": np.array([rule for _, rule, _ in left], np.int32),
    }
    return arrays, [known[n].ref or "stock" for n, _, _ in left]


def _first_of(rows: list[list[int]], keep: Keep) -> list[tuple[int, int]]:
    """Take what is kept from rows (day, quantity left, index), the first first: index, quantity."""
    found, qty, passed = [], keep.qty, max(0, keep.after)
    for row in rows:
        stays = min(passed, row[1])
        passed -= stays
        taken = min(qty, row[1] - stays)
        if taken > 0:
            row[1] -= taken
            qty -= taken
            found.append((row[2], taken))
    return found


def _usable(
    supply: Supply, facts: Facts, parts: Mapping[str, int], problems: list[Problem]
) -> bool:
    """Whether a supply counts; why not becomes a problem. What lies past the horizon is none."""
    name = supply.ref or supply.part
    if supply.part not in parts:
        kind = "orphan work order" if supply.kind is SupplyKind.WORK else "unknown part"
        problems.append(Problem(kind, name, f"{supply.part} is no part; not counted"))
        return False
    if not 0 <= supply.qty <= MOST:
        kind = "negative stock" if supply.kind is SupplyKind.STOCK else "wrong quantity"
        problems.append(Problem(kind, name, f"{supply.qty} of {supply.part}; counted as none"))
        return False
    if abs(supply.day) > TEN_YEARS:
        text = f"day {supply.day} is more than ten years away; not counted"
        problems.append(Problem("absurd date", name, text))
        return False
    return supply.qty > 0 and supply.day < facts.horizon


def _serve(
    need: Need,
    by_part: Mapping[str, list[list[int]]],
    parts: Mapping[str, int],
    problems: list[Problem],
) -> None:
    """Let released work take what it still needs."""
    name = need.ref or need.part
    if need.part not in parts or need.qty < 0 or abs(need.day) > TEN_YEARS:
        text = f"{need.qty} of {need.part} on day {need.day} cannot be; not counted"
        problems.append(Problem("wrong need", name, text))
        return
    missing = _keep_back(by_part.get(need.part, []), need.qty, max(0, need.day))
    if missing:
        text = f"{missing} of {need.part} are not covered by any supply"
        problems.append(Problem("uncovered need", name, text))


def _keep_back(rows: list[list[int]], qty: int, day: int) -> int:
    """Take ``qty`` from rows (day, quantity left, index): the latest in time, then later ones."""
    in_time = [row for row in reversed(rows) if row[0] <= day]
    for row in in_time + [row for row in rows if row[0] > day]:
        taken = min(qty, row[1])
        row[1] -= taken
        qty -= taken
    return qty
