"""Allocation: what of a part is kept for a class of customers, and what a class gets at most.

What is kept is a supply of its own, in a chain of its own: its class takes it first, all others
from its release on. A cap is a store of pieces that belongs to a class, a part and a window of
days: each need of the part within the window takes from it, and gives back with everything else.
Both are rows of one array, as each array more that kernels are handed costs them time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import (
    END,
    FIRST,
    KEPT,
    LIMIT,
    MOST,
    WHO,
    Arrays,
    Book,
    Problem,
)
from b2bcrm.fulfillment.planning.engine.compiled import kernel
from b2bcrm.fulfillment.planning.engine.ledger import Ledger, note, take
from b2bcrm.fulfillment.planning.engine.records import Cap, Facts, Keep
from b2bcrm.fulfillment.planning.engine.stocking import TEN_YEARS

Rule = Keep | Cap


@kernel
def take_kept(
    book: Book, ledger: Ledger, part: int, line: int, qty: int, day: int, need: int, own: int
) -> int:
    """Take what is kept for the line's class (own 1), or for others and released; the rest."""
    for rule in range(book.part_rule[part], book.part_rule[part + 1]):
        mine = book.rule[rule, WHO] == book.line_class[line]
        free = mine or book.rule[rule, FIRST] <= day
        if book.rule[rule, LIMIT] == KEPT and mine == (own != 0) and free:
            chain = len(book.part_earliest) + rule
            qty = take(ledger, chain, qty, day, need, len(book.supply_part))
    return qty


@kernel
def take_caps(
    book: Book, ledger: Ledger, part: int, line: int, qty: int, day: int, need: int
) -> bool:
    """Count a need against the caps of the line's class; False where it is above one."""
    for rule in range(book.part_rule[part], book.part_rule[part + 1]):
        inside = book.rule[rule, FIRST] <= day < book.rule[rule, END]
        mine = book.rule[rule, WHO] == book.line_class[line]
        if book.rule[rule, LIMIT] != KEPT and inside and mine:
            slot = len(book.supply_part) + rule
            if ledger.slot_free[slot] < qty or not note(ledger, slot, qty, day, need):
                return False
            ledger.slot_free[slot] -= qty
    return True


def rules_of(
    facts: Facts, parts: Mapping[str, int], classes: Mapping[str, int], problems: list[Problem]
) -> list[Rule]:
    """Allocations by part; faults become problems. Caps whose window is over are none."""
    told: list[Rule] = [
        *_keeps(facts, parts, classes, problems),
        *_caps(facts, parts, classes, problems),
    ]
    return sorted(told, key=lambda rule: parts[rule.part])


def rule_arrays(
    rules: Sequence[Rule], parts: Mapping[str, int], classes: Mapping[str, int], horizon: int
) -> Arrays:
    """Arrays of allocations."""
    owners = np.array([parts[rule.part] for rule in rules], np.int64)
    rows = [
        (rule.release, horizon, KEPT)
        if isinstance(rule, Keep)
        else (rule.start, rule.end, min(max(0, rule.qty), MOST))
        for rule in rules
    ]
    table = np.empty((len(rules), 4), np.int64)
    table[:, WHO] = [classes[rule.customer_class] for rule in rules]
    table[:, [FIRST, END, LIMIT]] = np.array(rows, np.int64).reshape(len(rules), 3)
    ends = np.cumsum(np.bincount(owners, minlength=len(parts)))
    return {"part_rule": np.append(0, ends).astype(np.int32), "rule": table}


def _keeps(
    facts: Facts, parts: Mapping[str, int], classes: Mapping[str, int], problems: list[Problem]
) -> list[Keep]:
    good = []
    for keep in facts.keeps:
        fault = _unknown(keep, parts, classes)
        if fault is None and not 0 <= keep.qty <= MOST:
            fault = Problem("wrong quantity", keep.part, f"{keep.qty} kept; not kept")
        if fault is None and abs(keep.release) > TEN_YEARS:
            text = f"kept until day {keep.release}, more than ten years away; not kept"
            fault = Problem("absurd date", keep.part, text)
        if fault:
            problems.append(fault)
        else:
            good.append(keep)
    return good


def _caps(
    facts: Facts, parts: Mapping[str, int], classes: Mapping[str, int], problems: list[Problem]
) -> list[Cap]:
    """A cap below zero lets nothing through."""
    good = []
    for cap in facts.caps:
        fault = _unknown(cap, parts, classes)
        if fault is None and cap.start >= cap.end:
            text = f"a cap from day {cap.start} to {cap.end} has no days; not counted"
            fault = Problem("empty window", cap.part, text)
        if fault:
            problems.append(fault)
            continue
        if cap.qty < 0:
            text = f"at most {cap.qty} for class {cap.customer_class}; taken for none"
            problems.append(Problem("negative cap", cap.part, text))
        if cap.end > 0 and cap.start < facts.horizon:
            good.append(cap)
    return good


def _unknown(one: Rule, parts: Mapping[str, int], classes: Mapping[str, int]) -> Problem | None:
    """The fault of an allocation for a part or class that there is not."""
    if one.part not in parts:
        return Problem("unknown part", one.part, "is no part; its allocation is not counted")
    if one.customer_class not in classes:
        text = f"{one.customer_class} is no class; its allocation is not counted"
        return Problem("unknown class", one.part, text)
    return None
