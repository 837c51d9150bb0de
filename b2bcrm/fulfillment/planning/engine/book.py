"""The book: one planning problem as contiguous integer arrays.

Indices stand for names (``Names``). P parts, S sources, K calendars, C work centres, B capacity
buckets, M supplies, A allocations, U units of shipment, N lines, H days. A unit
is one line, or all lines that leave together; the lines of unit u are ``unit_line[u]`` up to before
``unit_line[u + 1]``. Quantities are pieces, capacity is in 1/1000 h, days count from day 0.

Several operations of a source are several parts: the work in progress between two of them is a
part that nothing is held of. A site's item is a part, a transit is a source. So the kernels know
one thing only: a source takes components and hours at its start, and brings a part later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from numpy.typing import NDArray

Ints = NDArray[Any]  # of 64 bits: pieces and hours
Small = NDArray[Any]  # of 32 bits: indices and days
Arrays = dict[str, Any]  # some of the book's arrays, by their names

MOST = 10**12  # pieces; a need above it is taken for impossible
MOST_FACTOR = 10**6  # numerators and denominators of factors; MOST * MOST_FACTOR fits into 64 bits
WHO, FIRST, END, LIMIT = 0, 1, 2, 3  # columns of Book.rule
KEPT = -1
NEVER = 2**30  # a day that does not come


class Book(NamedTuple):
    """Arrays of one problem; read only. Shapes stand behind the names."""

    horizon: int
    part_source: Small  # P + 1; sources of part p, the preferred first
    part_earliest: Small  # P; day by which it can be had without any stock, capacity apart
    part_bought: Small  # P; 1: nothing is worked or taken for it, so stock saves no capacity
    source_part: Small  # S
    source_days: Small  # S; working days from start to the day it brings its part
    source_calendar: Small  # S
    source_fence: Small  # S; first day on which an order may start
    source_until: Small  # S; last day on which an order may start
    source_earliest: Small  # S; as part_earliest, by this source; NEVER for what stands in
    source_stands_in: Small  # S; 1: only for what others cannot bring in time
    source_centre: Small  # S; -1: no work centre
    source_spread: Small  # S; days from its start on that share an order's hours, at least 1
    source_setup: Ints  # S; 1/1000 h per order
    source_run: Ints  # S; 1/1000 h per source_per pieces
    source_per: Ints  # S
    source_least: Ints  # S; smallest order
    source_step: Ints  # S; orders are a multiple of it
    source_component: Small  # S + 1; components of source s
    component_part: Small
    component_num: Ints  # component_num / component_den pieces per piece, rounded up per order
    component_den: Ints
    calendar_rank: Small  # K x H; how many working days lie before the day or on it, less one
    calendar_day: Small  # K x H; the n-th working day; NEVER where there are not so many
    bucket_at: Small  # C x H; bucket of the day; -1: the centre is closed
    bucket_centre: Small  # B
    bucket_start: Small  # B
    bucket_end: Small  # B
    bucket_hours: Ints  # B; what released work has left of it
    supply_part: Small  # M
    supply_day: Small  # M; not before day 0
    supply_qty: Ints  # M; what needs and safety stock have left of it
    supply_rule: Small  # M; the allocation that it is kept by; -1: it is for all
    part_rule: Small  # P + 1; allocations of part p
    rule: Ints  # A x 4; class, first day and end of a cap's window, pieces that the class gets in
    # it; or KEPT pieces: they are supplies, and the first day is that of their release
    unit_line: Small  # U + 1
    unit_due: Small  # U; day to leave for the earliest wish; never before day 0
    unit_limit: Small  # U; last day on which it may leave
    unit_priority: Small  # U
    unit_value: Ints  # U; what a day late costs, at least 1
    sequence: Small  # U; units in the order of service
    line_part: Small  # N
    line_qty: Ints  # N
    line_wish: Small  # N; day of arrival asked for
    line_transit: Small  # N; days on the way
    line_calendar: Small  # N; receiving days
    line_least: Ints  # N; smallest shipment of it, where it may leave in two; 0: it leaves whole
    line_class: Small  # N; -1: none


class Problem(NamedTuple):
    """A fault in what was told: what is wrong, with which record, and what was done about it."""

    kind: str
    name: str
    text: str


@dataclass(frozen=True)
class Names:
    """Names behind the indices, in their order."""

    parts: list[str]
    calendars: list[str]
    centres: list[str]
    supplies: list[str]
    lines: list[str]
    classes: list[str]
