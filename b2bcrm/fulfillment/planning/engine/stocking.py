"""Supply that may be promised: what is told, less what released work and safety stock keep."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import MOST, Arrays, Problem
from b2bcrm.fulfillment.planning.engine.records import Facts, Need, Supply, SupplyKind

TEN_YEARS = 3653  # days; a date further away than that is a fault of typing


def supplies_left(
    facts: Facts, parts: Mapping[str, int], problems: list[Problem]
) -> tuple[Arrays, list[str]]:
    """Arrays of the supplies that something is left of, in order of day, and their names."""
    by_part: dict[str, list[list[int]]] = {}
    known = [supply for supply in facts.supplies if _usable(supply, facts, parts, problems)]
    known.sort(key=lambda supply: max(0, supply.day))
    for n, supply in enumerate(known):
        by_part.setdefault(supply.part, []).append([max(0, supply.day), supply.qty, n])
    for part in facts.parts:
        _keep_back(by_part.get(part.name, []), part.safety, 0)
    for need in sorted(facts.needs, key=lambda need: need.day):
        _serve(need, by_part, parts, problems)
    left = [0] * len(known)
    for rows in by_part.values():
        for _, qty, n in rows:
            left[n] = qty
    kept = [n for n in range(len(known)) if left[n] > 0]
    arrays: Arrays = {
        "supply_part": np.array([parts[known[n].part] for n in kept], np.int32),
        "supply_day": np.array([max(0, known[n].day) for n in kept], np.int32),
        "supply_qty": np.array([left[n] for n in kept], np.int64),
    }
    return arrays, [known[n].ref or "stock" for n in kept]


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
