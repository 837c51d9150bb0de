"""The plan: orders, takings from supply, and dates, as arrays that explain each other.

Each order and each taking is *for* somebody: index of the order that consumes it, -1 - n for
line n, or -1 - N - n for what of it is sent ahead. What an order brings above what it is for is
anybody's from its end on.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import NEVER, Book, Ints, Small
from b2bcrm.fulfillment.planning.engine.ledger import CAPPED, Ledger


class Plan(NamedTuple):
    """O orders, T takings, N lines; days and pieces."""

    order_source: Small  # O
    order_qty: Ints  # O; pieces it brings
    order_net: Ints  # O; pieces of them that it is for
    order_start: Small  # O
    order_end: Small  # O; day from which its pieces are there
    order_for: Ints  # O
    take_part: Small  # T
    take_supply: Small  # T; index of the supply; -1: what orders bring above their need
    take_qty: Ints  # T
    take_day: Small  # T
    take_for: Ints  # T
    line_leaves: Small  # N; day it leaves, or what was not sent ahead of it; -1: not planned
    line_arrives: Small  # N; day on which all of it has arrived; -1: not planned
    line_ahead: Ints  # N; pieces of it that leave before, on the day it is due


class Score(NamedTuple):
    """Lines on time, lines late or not planned, days late of those planned."""

    on_time: int
    late: int
    late_days: int


def plan_of(book: Book, ledger: Ledger) -> Plan:
    """The plan that a ledger holds."""
    count = ledger.unit_count
    first, ends = ledger.unit_first.astype(np.int32), np.cumsum(count)
    base = np.repeat(first, count)
    entry = np.arange(len(base), dtype=np.int32)
    entry += np.repeat((ledger.unit_first - ends + count).astype(np.int32), count)
    ref, day = ledger.entry_ref[entry], ledger.entry_day[entry]
    need, qty = ledger.entry_need[entry], ledger.entry_qty[entry]
    ordered, taken = ref < 0, (ref >= 0) & (qty > 0)
    if len(book.rule):
        taken &= ledger.slot_supply[np.maximum(ref, 0)] != CAPPED
    number = np.full(len(ledger.entry_ref), -1, np.int32)  # order's number by its entry
    number[entry[ordered]] = np.arange(int(ordered.sum()), dtype=np.int32)
    whom = number[base + np.maximum(need, 0)]
    line = need - np.repeat(book.unit_line[:-1], count)
    size = np.diff(book.unit_line)
    if ledger.unit_ahead.any():
        sizes = np.repeat(size, count)
        line -= np.where(-1 - need >= sizes, len(book.line_part) - sizes, 0).astype(np.int32)
    whom[need < 0] = line[need < 0]
    del base, entry, number, line, need
    source = -1 - ref[ordered]
    net = qty[ordered].copy()
    above = (ref >= 0) & (qty < 0)
    net[whom[above]] += qty[above]
    calendar = book.source_calendar[source]
    rank = book.calendar_rank[calendar, day[ordered]] + book.source_days[source]
    slot = ref[taken]
    leaves = np.repeat(ledger.unit_day, size)
    return Plan(
        order_source=source,
        order_qty=qty[ordered],
        order_net=net,
        order_start=day[ordered],
        order_end=book.calendar_day[calendar, rank],
        order_for=whom[ordered].astype(np.int64),
        take_part=slot_parts(book, ledger)[slot],
        take_supply=ledger.slot_supply[slot],
        take_qty=qty[taken],
        take_day=day[taken],
        take_for=whom[taken].astype(np.int64),
        line_leaves=leaves,
        line_arrives=arrivals(book, leaves),
        line_ahead=_ahead(book, ledger),
    )


def _ahead(book: Book, ledger: Ledger) -> Ints:
    """Pieces of each line that are sent ahead."""
    size = np.diff(book.unit_line)
    pieces = np.repeat(ledger.unit_ahead, size)
    if pieces.any():
        shares = np.repeat(np.gcd.reduceat(book.line_qty, book.unit_line[:-1]), size)
        pieces *= book.line_qty // shares
    return pieces


def slot_parts(book: Book, ledger: Ledger) -> Small:
    """The part of each slot; those of allocations are of the part that they are for."""
    part = np.full(len(ledger.slot_day), -1, np.int32)
    every, supplies = np.arange(len(book.part_earliest), dtype=np.int32), len(book.supply_part)
    ruled = np.repeat(every, np.diff(book.part_rule))
    part[supplies : supplies + len(ruled)] = ruled
    slots, parts = ledger.slot_head, np.concatenate([every, ruled])
    while len(slots):
        there = slots >= 0
        slots, parts = slots[there], parts[there]
        part[slots] = parts
        slots = ledger.slot_next[slots]
    return part


def arrivals(book: Book, leaves: Small | Ints) -> Small:
    """The first receiving day after the transit of each line."""
    there = leaves + book.line_transit
    within = (leaves >= 0) & (there < book.horizon)
    day = np.clip(there, 0, book.horizon - 1)
    rank = book.calendar_rank[book.line_calendar, day]
    rank += book.calendar_day[book.line_calendar, np.maximum(rank, 0)] != day
    rank = np.clip(rank, 0, book.horizon - 1)
    arrives = np.where(within, book.calendar_day[book.line_calendar, rank], -1)
    return np.where(arrives >= NEVER, -1, arrives).astype(np.int32)


def score(book: Book, plan: Plan) -> Score:
    """How good a plan is for the customers."""
    there = plan.line_arrives >= 0
    late = np.maximum(0, plan.line_arrives - book.line_wish)
    on_time = int((there & (late == 0)).sum())
    return Score(on_time, len(late) - on_time, int(late[there].sum()))
