"""The account's history and touches as one list, newest first.

Lines of one order that were shipped on one day are one row: a customer who takes thirty lines
at once would otherwise see nothing else.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import sqlalchemy as sa

from b2bcrm.customers import queries as customers
from b2bcrm.customers.queries import TouchRow
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.timeline import TimelineEntry, history
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.events import LineShipped
from b2bcrm.orders.models import Order

READ_AHEAD = 5  # so many facts are read per row wanted, as shipped lines become one row


@dataclass(frozen=True)
class ShippedLines:
    """``count`` lines (2 or more) of one order that left the house on one day."""

    at: dt.datetime
    actor_name: str
    order_id: int
    order_no: str
    count: int

    @property
    def sentence(self) -> Message:
        """How many; the order stands beside it."""
        return Message("%(n)s lines shipped", n=self.count)


Row = TimelineEntry | TouchRow | ShippedLines


def timeline(work: Work, account_id: int, limit: int) -> tuple[list[Row], bool]:
    """The newest ``limit`` rows, and whether there are more.

    A touch replaces the fact that it was logged.
    """
    facts = history(work.session, account_id=account_id, limit=limit * READ_AHEAD)
    known = [e for e in facts if e.name != "touch.logged"]
    rows: list[Row] = [
        *_as_shipped(work, known),
        *customers.touches(work, account_id=account_id, limit=limit + 1),
    ]
    rows.sort(key=lambda row: row.at, reverse=True)
    return rows[:limit], len(rows) > limit or len(facts) == limit * READ_AHEAD


def _shipment(entry: TimelineEntry) -> tuple[int, dt.date] | int:
    """What consecutive rows share that become one; a number of its own for any other fact."""
    if entry.name == LineShipped.name and entry.order_id is not None:
        return entry.order_id, entry.at.astimezone(HOME_ZONE).date()
    return entry.id


def _as_shipped(
    work: Work, facts: Sequence[TimelineEntry]
) -> Iterator[TimelineEntry | ShippedLines]:
    groups = [list(found) for _key, found in groupby(facts, key=_shipment)]
    order_ids = {found[0].order_id for found in groups if len(found) > 1}
    query = sa.select(Order.id, Order.no).where(Order.id.in_(order_ids))
    numbers = {row.id: row.no for row in work.session.execute(query)} if order_ids else {}
    for found in groups:
        newest = found[0]
        if len(found) == 1 or newest.order_id is None:
            yield newest
        else:
            no = numbers[newest.order_id]
            yield ShippedLines(newest.at, newest.actor_name, newest.order_id, no, len(found))
