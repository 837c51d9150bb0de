"""Explaining: what each line of a plan rests on, and which lines rest on something.

All pegs of all lines as flat arrays, ready to be stored; the tree of one line is a slice of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from b2bcrm.fulfillment.planning.engine.book import Book, Ints, Small
from b2bcrm.fulfillment.planning.engine.plan import Plan


class Witness(NamedTuple):
    """R rows, line by line; what an order is for stands before what it takes.

    A row is a taking from a supply (``supply``), from what planned orders bring too much (neither),
    or a planned order (``source``).
    """

    line_first: Ints  # N + 1; rows of line n
    part: Small  # R
    supply: Small  # R; -1: none
    source: Small  # R; -1: none
    serves: Ints  # R; row that consumes it; -1: the line itself
    qty: Ints  # R; pieces taken, or what the order is for
    start: Small  # R; day of taking, or on which the order starts
    end: Small  # R; day of taking, or by which the order is there
    centre: Small  # R; -1: none
    hours: Ints  # R; 1/1000 h of the whole order
    slack: Small  # R; days by which the supply may slip, or the order could start earlier


class Impact(NamedTuple):
    """Lines that rest on something, each once: pieces, first day of need, and least slack."""

    line: Ints
    qty: Ints
    day: Small
    slack: Small


def witness_of(book: Book, plan: Plan) -> Witness:
    """The pegs of all lines of a plan."""
    orders, takings = len(plan.order_source), len(plan.take_part)
    source = np.concatenate([plan.order_source, np.full(takings, -1, np.int32)])
    supply = np.concatenate([np.full(orders, -1, np.int32), plan.take_supply])
    serves = np.concatenate([plan.order_for, plan.take_for])
    line = serves.copy()
    while (line >= 0).any():  # as often as there are levels
        up = line >= 0
        line[up] = plan.order_for[line[up]]
    line = (-1 - line) % len(plan.line_leaves)  # the line itself, and what is sent ahead of it
    place = np.concatenate([np.arange(orders) * 2, np.full(takings, 2 * orders)])
    row = np.lexsort((place, line))
    at = np.zeros(orders + 1, np.int64)
    number = np.empty(len(row), np.int64)
    number[row] = np.arange(len(row))
    at[:orders], at[-1] = number[:orders], -1
    centre = np.where(source >= 0, np.append(book.source_centre, -1)[source], -1)
    work = plan.order_qty * book.source_run[plan.order_source]
    hours = book.source_setup[plan.order_source] - (-work // book.source_per[plan.order_source])
    start = np.concatenate([plan.order_start, plan.take_day])
    there = np.concatenate(
        [
            book.source_fence[plan.order_source],
            np.where(
                plan.take_supply >= 0,
                np.append(book.supply_day, 0)[plan.take_supply],
                plan.take_day,
            ),
        ]
    )
    part = np.concatenate([book.source_part[plan.order_source], plan.take_part])
    none = np.zeros(takings, np.int64)
    return Witness(
        line_first=np.searchsorted(line[row], np.arange(len(plan.line_leaves) + 1)),
        part=part[row],
        supply=supply[row],
        source=source[row],
        serves=at[np.maximum(serves, -1)][row],
        qty=np.concatenate([plan.order_net, plan.take_qty])[row],
        start=start[row],
        end=np.concatenate([plan.order_end, plan.take_day])[row],
        centre=centre[row].astype(np.int32),
        hours=np.where(centre >= 0, np.concatenate([hours, none]), 0)[row],
        slack=(start - there)[row].astype(np.int32),
    )


def lines_on(
    witness: Witness,
    *,
    supplies: Sequence[int] = (),
    centres: Sequence[int] = (),
    parts: Sequence[int] = (),
    days: tuple[int, int] = (0, 2**30),
) -> Impact:
    """Lines that rest on any of the supplies, work centres or parts within the days (both in).

    Rows of work centres and parts count by their start. Pieces are those of the rows themselves.
    """
    asked = np.isin(witness.supply, supplies) & (witness.supply >= 0)
    asked |= np.isin(witness.centre, centres) & (witness.centre >= 0)
    asked |= np.isin(witness.part, parts)
    rows = np.flatnonzero(asked & (witness.start >= days[0]) & (witness.start <= days[1]))
    line = np.searchsorted(witness.line_first, rows, side="right") - 1
    lines, firsts = np.unique(line, return_index=True)
    if not len(lines):
        none = np.zeros(0, np.int32)
        return Impact(lines, np.zeros(0, np.int64), none, none)
    return Impact(
        line=lines,
        qty=np.add.reduceat(witness.qty[rows], firsts),
        day=np.minimum.reduceat(witness.start[rows], firsts),
        slack=np.minimum.reduceat(witness.slack[rows], firsts),
    )
