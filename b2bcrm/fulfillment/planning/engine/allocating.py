"""Allocation: what of a part is kept for a class of customers, and what a class gets at most.

What is kept is a supply of its own, in a chain of its own: its class takes it first, all others
from its release on. A cap is a store of pieces that belongs to a class, a part and a window of
days: each need of the part within the window takes from it, and gives back with everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import MOST, Arrays, Book, Problem, Small
from b2bcrm.fulfillment.planning.engine.compiled import kernel
from b2bcrm.fulfillment.planning.engine.ledger import Ledger, note, take
from b2bcrm.fulfillment.planning.engine.records import Cap, Facts, Keep
from b2bcrm.fulfillment.planning.engine.stocking import TEN_YEARS


@kernel
def take_kept(
    book: Book, ledger: Ledger, part: int, who: int, qty: int, day: int, need: int, own: int
) -> int:
    """Take what is kept for class ``who`` (own 1), or of others and released; what is missing."""
    for kept in range(book.part_kept[part], book.part_kept[part + 1]):
        mine = book.kept_class[kept] == who
        if mine == (own != 0) and (mine or book.kept_release[kept] <= day):
            chain = len(book.part_earliest) + kept
            qty = take(ledger, chain, qty, day, need, len(book.supply_part))
    return qty


@kernel
def take_caps(
    book: Book, ledger: Ledger, part: int, who: int, qty: int, day: int, need: int
) -> bool:
    """Count a need against the caps of its class; False where it is above one."""
    for cap in range(book.part_cap[part], book.part_cap[part + 1]):
        inside = book.cap_start[cap] <= day < book.cap_end[cap]
        if inside and book.cap_class[cap] == who:
            slot = len(book.supply_part) + cap
            if ledger.slot_free[slot] < qty or not note(ledger, slot, qty, day, need):
                return False
            ledger.slot_free[slot] -= qty
    return True


def told_keeps(
    facts: Facts, parts: Mapping[str, int], classes: Mapping[str, int], problems: list[Problem]
) -> list[Keep]:
    """What is to be kept, by part; faults become problems."""
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
    return sorted(good, key=lambda keep: parts[keep.part])


def _told_caps(
    facts: Facts, parts: Mapping[str, int], classes: Mapping[str, int], problems: list[Problem]
) -> list[Cap]:
    """Caps whose window is not over, by part; a cap below zero lets nothing through."""
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
    return sorted(good, key=lambda cap: parts[cap.part])


def _unknown(
    one: Keep | Cap, parts: Mapping[str, int], classes: Mapping[str, int]
) -> Problem | None:
    """The fault of an allocation for a part or class that there is not."""
    if one.part not in parts:
        return Problem("unknown part", one.part, "is no part; its allocation is not counted")
    if one.customer_class not in classes:
        text = f"{one.customer_class} is no class; its allocation is not counted"
        return Problem("unknown class", one.part, text)
    return None


def allocation_arrays(
    keeps: Sequence[Keep],
    facts: Facts,
    parts: Mapping[str, int],
    classes: Mapping[str, int],
    problems: list[Problem],
) -> Arrays:
    """Arrays of what is kept and of caps, each by part."""
    caps = _told_caps(facts, parts, classes, problems)
    return {
        "part_kept": _firsts([parts[keep.part] for keep in keeps], len(parts)),
        "kept_class": np.array([classes[keep.customer_class] for keep in keeps], np.int32),
        "kept_release": np.array([max(0, keep.release) for keep in keeps], np.int32),
        "part_cap": _firsts([parts[cap.part] for cap in caps], len(parts)),
        "cap_class": np.array([classes[cap.customer_class] for cap in caps], np.int32),
        "cap_start": np.array([max(0, cap.start) for cap in caps], np.int32),
        "cap_end": np.array([min(cap.end, facts.horizon) for cap in caps], np.int32),
        "cap_qty": np.array([min(max(0, cap.qty), MOST) for cap in caps], np.int64),
    }


def _firsts(owners: Sequence[int], parts: int) -> Small:
    """The place of each part's first row among rows in the order of their parts."""
    counts = np.bincount(np.array(owners, np.int64), minlength=parts)
    return np.array(list(accumulate(counts.tolist(), initial=0)), np.int32)
