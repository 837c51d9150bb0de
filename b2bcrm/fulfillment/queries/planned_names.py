"""The order lines and quotes behind the names of a plan's lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from b2bcrm.fulfillment.models import Hold, HoldLine, Reservation
from b2bcrm.kernel.work import Work

RESERVED, HELD = "R/", "H/"


class HeldLine(NamedTuple):
    """A line of a quote that keeps pieces; ``ref`` names the quote's revision."""

    ref: str
    line_ref: str


class Named(NamedTuple):
    """``orders``: order number/line of each name; ``quotes``: what holds keep, by name."""

    orders: dict[str, str]
    quotes: dict[str, HeldLine]


def named(work: Work, names: Iterable[str]) -> Named:
    """What the names mean; those of rows that are gone mean nothing."""
    names = list(names)
    reserved = {int(n.split("/")[1]) for n in names if n.startswith(RESERVED)}
    held = {int(n.split("/")[1]) for n in names if n.startswith(HELD)}
    reservations = {
        key: f"{order}/{line}"
        for key, order, line in work.rows(
            sa.select(Reservation.id, Reservation.order_ref, Reservation.line_ref).where(
                Reservation.id.in_(reserved)
            )
        )
    }
    holds = {
        key: HeldLine(ref, line)
        for key, ref, line in work.rows(
            sa.select(HoldLine.id, Hold.ref, HoldLine.line_ref)
            .join(Hold, Hold.id == HoldLine.hold_id)
            .where(HoldLine.id.in_(held))
        )
    }
    orders, quotes = {}, {}
    for name in names:
        if name.startswith(HELD):
            row = int(name.split("/")[1])
            if row in holds:
                quotes[name] = holds[row]
        elif name.startswith(RESERVED):
            row = int(name.split("/")[1])
            if row in reservations:
                orders[name] = reservations[row]
        else:
            orders[name] = name
    return Named(orders, quotes)
