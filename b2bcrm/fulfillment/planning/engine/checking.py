"""Checking: whether a plan can be, from the book and the plan alone, by none of the solver's code.

Flows are added up day by day and compared with what the book allows; pegs must balance on top.
"""

from __future__ import annotations

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Ints, Small
from b2bcrm.fulfillment.planning.engine.plan import Plan


def check(book: Book, plan: Plan) -> list[str]:
    """Every rule that the plan breaks, as sentences; empty for a plan that can be."""
    return [
        *_orders(book, plan),
        *_capacity(book, plan),
        *_stock(book, plan),
        *_pegs(book, plan),
        *_allocations(book, plan),
        *_deliveries(book, plan),
    ]


def _found(bad: Ints, text: str) -> list[str]:
    """One sentence on the first of some faults."""
    places = np.flatnonzero(bad)
    return [f"{text}: {len(places)}, the first is {places[0]}"] if len(places) else []


def _orders(book: Book, plan: Plan) -> list[str]:
    """Fences, calendars, lead times and lot sizes of orders."""
    source, start, end = plan.order_source, plan.order_start, plan.order_end
    calendar = book.source_calendar[source]
    inside = (start >= 0) & (start < book.horizon) & (end < book.horizon)
    if not inside.all():
        return _found(~inside, "orders outside the horizon")
    rank = book.calendar_rank[calendar, start]
    works = (rank >= 0) & (book.calendar_day[calendar, np.maximum(rank, 0)] == start)
    worked = book.calendar_rank[calendar, end] - rank
    return [
        *_found(start < book.source_fence[source], "orders that start before their fence"),
        *_found(start > book.source_until[source], "orders that start when it is too late"),
        *_found(~works, "orders that start on a day off"),
        *_found(worked < book.source_days[source], "orders that are too short"),
        *_found(plan.order_qty < book.source_least[source], "orders below the smallest lot"),
        *_found(plan.order_qty % book.source_step[source] != 0, "orders of broken lots"),
    ]


def _capacity(book: Book, plan: Plan) -> list[str]:
    """Hours of every bucket."""
    at = book.source_centre[plan.order_source] >= 0
    source, start = plan.order_source[at], plan.order_start[at]
    work = plan.order_qty[at] * book.source_run[source]
    hours = book.source_setup[source] - (-work // book.source_per[source])
    spread, calendar = book.source_spread[source], book.source_calendar[source]
    each = np.repeat(-(-hours // spread), spread)
    nth = np.arange(len(each)) - np.repeat(np.cumsum(spread) - spread, spread)
    rank = np.repeat(book.calendar_rank[calendar, start], spread) + nth
    day = book.calendar_day[np.repeat(calendar, spread), rank]
    bucket = book.bucket_at[np.repeat(book.source_centre[source], spread), day]
    used = np.zeros(len(book.bucket_hours), np.int64)
    np.add.at(used, bucket[bucket >= 0], each[bucket >= 0])
    return [
        *_found(bucket < 0, "orders on a closed work centre"),
        *_found(used > book.bucket_hours, "overloaded buckets"),
    ]


def _takings(book: Book, plan: Plan) -> tuple[Ints, Small, Ints, Small]:
    """What orders take: the order, the part, the quantity, the day."""
    first = book.source_component[plan.order_source].astype(np.int64)
    count = book.source_component[plan.order_source + 1] - first
    order = np.repeat(np.arange(len(count)), count)
    c = np.repeat(first - np.cumsum(count) + count, count) + np.arange(len(order))
    qty = -(-plan.order_qty[order] * book.component_num[c] // book.component_den[c])
    return order, book.component_part[c], qty, plan.order_start[order]


def _shipments(book: Book, plan: Plan) -> tuple[Ints, Ints, Small]:
    """What leaves: the line, or N more than the line for what is sent ahead; pieces; the day."""
    rest = np.flatnonzero(plan.line_leaves >= 0)
    ahead = np.flatnonzero(plan.line_ahead > 0)
    return (
        np.concatenate([rest, len(plan.line_leaves) + ahead]),
        np.concatenate([(book.line_qty - plan.line_ahead)[rest], plan.line_ahead[ahead]]),
        np.concatenate([plan.line_leaves[rest], _due(book)[ahead]]),
    )


def _due(book: Book) -> Small:
    """The day on which each line is due to leave."""
    return np.repeat(book.unit_due, np.diff(book.unit_line))


def _stock(book: Book, plan: Plan) -> list[str]:
    """No part below zero on any day; what comes on a day may be used on it."""
    _, part, qty, day = _takings(book, plan)
    line, sent, leaves = _shipments(book, plan)
    parts = [
        book.supply_part,
        book.source_part[plan.order_source],
        part,
        np.tile(book.line_part, 2)[line],
    ]
    days = [book.supply_day, plan.order_end, day, leaves]
    flows = [book.supply_qty, plan.order_qty, -qty, -sent]
    all_parts, all_days = np.concatenate(parts), np.concatenate(days)
    flow = np.concatenate(flows)
    order = np.lexsort((-flow, all_days, all_parts))
    balance, here = np.cumsum(flow[order]), all_parts[order]
    firsts = np.flatnonzero(np.diff(here, prepend=-1))
    before = np.concatenate([[0], balance[firsts[1:] - 1]]) if len(firsts) else firsts
    short = balance - np.repeat(before, np.diff([*firsts, len(here)])) < 0
    return _found(np.isin(np.arange(len(book.part_earliest)), here[short]), "parts below zero")


def _pegs(book: Book, plan: Plan) -> list[str]:
    """Every consumer gets exactly what he needs, in time, and no supply is given twice."""
    order, part, qty, _ = _takings(book, plan)
    width = len(book.part_earliest)
    line, sent, _ = _shipments(book, plan)
    needs = [order * width + part, (-1 - line) * width + np.tile(book.line_part, 2)[line]]
    made = book.source_part[plan.order_source]
    gets = [plan.order_for * width + made, plan.take_for * width + plan.take_part]
    keys = np.concatenate([*needs, *gets])
    amounts = np.concatenate([qty, sent, -plan.order_net, -plan.take_qty])
    _, place = np.unique(keys, return_inverse=True)
    left = np.zeros(int(place.max(initial=-1)) + 1, np.int64)
    np.add.at(left, place, amounts)
    supplied = plan.take_supply >= 0
    given = np.zeros(len(book.supply_qty), np.int64)
    np.add.at(given, plan.take_supply[supplied], plan.take_qty[supplied])
    early = plan.take_day[supplied] < book.supply_day[plan.take_supply[supplied]]
    wrong = plan.take_part[supplied] != book.supply_part[plan.take_supply[supplied]]
    # -1 - n and -1 - N - n count from the end
    starts = np.concatenate([plan.order_start, _due(book)[::-1], plan.line_leaves[::-1]])
    return [
        *_found(left != 0, "needs that are not covered exactly"),
        *_found(given > book.supply_qty, "supplies given twice"),
        *_found(early, "takings before the supply is there"),
        *_found(wrong, "takings of another part"),
        *_found(plan.order_net > plan.order_qty, "orders that are for more than they bring"),
        *_found(plan.order_end > starts[plan.order_for], "orders that end after they are needed"),
        *_found(plan.take_day != starts[plan.take_for], "takings on another day than needed"),
    ]


def _lines(book: Book, plan: Plan, whom: Ints) -> Ints:
    """The line that each consumer is, or is an order for."""
    line = whom.copy()
    while (line >= 0).any():  # as often as there are levels
        up = line >= 0
        line[up] = plan.order_for[line[up]]
    return (-1 - line) % max(1, len(book.line_part))


def _allocations(book: Book, plan: Plan) -> list[str]:
    """What is kept for a class goes to it until its release; no class gets more than its cap."""
    kept = np.append(book.supply_rule, -1)[plan.take_supply]
    taken = np.flatnonzero(kept >= 0)
    who, first, end, most = book.rule.T
    other = book.line_class[_lines(book, plan, plan.take_for[taken])] != who[kept[taken]]
    early = plan.take_day[taken] < first[kept[taken]]
    order, part, qty, day = _takings(book, plan)
    line, sent, leaves = _shipments(book, plan)
    line %= max(1, len(book.line_part))
    owner = np.concatenate([_lines(book, plan, order), line])
    parts, days = np.concatenate([part, book.line_part[line]]), np.concatenate([day, leaves])
    pieces, classes = np.concatenate([qty, sent]), book.line_class[owner]
    over = np.zeros(len(most), bool)
    ruled = np.repeat(np.arange(len(book.part_earliest)), np.diff(book.part_rule))
    for cap in np.flatnonzero(most >= 0):
        inside = (first[cap] <= days) & (days < end[cap]) & (parts == ruled[cap])
        over[cap] = pieces[inside & (classes == who[cap])].sum() > most[cap]
    return [
        *_found(other & early, "takings of what is kept for others"),
        *_found(over, "caps that a class is above"),
    ]


def _deliveries(book: Book, plan: Plan) -> list[str]:
    """Lines of a unit leave on one day, not after their limit, or in two shipments as they may."""
    size = np.diff(book.unit_line)
    first = np.repeat(book.unit_line[:-1], size)
    apart = plan.line_leaves[first] != plan.line_leaves
    unit_day = plan.line_leaves[book.unit_line[:-1]]
    ahead, left = plan.line_ahead, book.line_qty - plan.line_ahead
    cut = ahead != 0
    whole = np.repeat(np.minimum.reduceat(book.line_least, book.unit_line[:-1]) == 0, size)
    common = np.gcd(ahead, book.line_qty)
    share, of = ahead // common, book.line_qty // common
    return [
        *_found(apart, "lines that do not leave with their unit"),
        *_found(
            (unit_day >= 0) & (unit_day > book.unit_limit), "units that leave after their limit"
        ),
        *_found(cut & whole, "lines in parts that are to leave whole"),
        *_found(cut & (plan.line_leaves <= _due(book)), "lines sent ahead that are not late"),
        *_found(cut & (np.minimum(ahead, left) < book.line_least), "shipments below the least"),
        *_found((share != share[first]) | (of != of[first]), "broken ratios"),
    ]
