"""Firm pegs: pieces of a supply that a planner gave to one order line. Pure.

A peg names stock or a document. Pieces that its document no longer brings have come, so they are
looked for in stock. Pegs are served in the order in which they were made; what a supply or a line
no longer has, no peg keeps. The plan then never sees these pieces: neither as free supply nor as
demand of the line, so nobody else can get them.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from b2bcrm.fulfillment.planning.atp import STOCK
from b2bcrm.fulfillment.planning.plant import Rows

ZERO = Decimal(0)


class Peg(NamedTuple):
    """``qty`` pieces of ``item`` at ``site`` for the order line ``line`` (``<order>/<line>``).

    ``kind`` and ``no`` name the supply, as in ``planning.atp``; stock has no number.
    """

    id: int
    line_id: int
    line: str
    kind: str
    no: str
    item: str
    site: str
    qty: Decimal


class Spot(NamedTuple):
    """A supply of an item at a site."""

    kind: str
    no: str
    item: str
    site: str


@dataclass(frozen=True)
class Firm:
    """Pieces that a line has for sure, and when: ``on`` is None for what is in stock."""

    peg_id: int
    line_id: int
    line: str
    spot: Spot
    qty: Decimal
    on: dt.date | None = None


class Supply(NamedTuple):
    """``free`` pieces of a spot; ``on`` is when its document brings them."""

    spot: Spot
    free: Decimal
    on: dt.date | None = None


def firm(
    pegs: Iterable[Peg], supplies: Iterable[Supply], wanted: Mapping[int, Decimal]
) -> list[Firm]:
    """What the pegs keep of the supplies; ``wanted`` are pieces still to leave, by line id."""
    left: dict[Spot, Decimal] = defaultdict(Decimal)
    days: dict[Spot, dt.date | None] = {}
    for supply in supplies:
        left[supply.spot] += max(ZERO, supply.free)
        days.setdefault(supply.spot, supply.on)
    open_pieces = dict(wanted)
    found = []
    for peg in sorted(pegs):
        rest = min(peg.qty, open_pieces.get(peg.line_id, ZERO))
        own = Spot(peg.kind, peg.no, peg.item, peg.site)
        for spot in dict.fromkeys((own, Spot(STOCK, "", peg.item, peg.site))):
            qty = min(rest, left[spot])
            if qty > 0:
                left[spot] -= qty
                rest -= qty
                open_pieces[peg.line_id] -= qty
                found.append(Firm(peg.id, peg.line_id, peg.line, spot, qty, days.get(spot)))
    return found


def taken(kept: Iterable[Firm]) -> dict[Spot, Decimal]:
    """Pieces by the supply they were taken of."""
    found: dict[Spot, Decimal] = defaultdict(Decimal)
    for one in kept:
        found[one.spot] += one.qty
    return found


def without_firm(rows: Rows, kept: Sequence[Firm]) -> Rows:
    """The plant without the firm pieces: no supply has them, and their lines ask for that less."""
    if not kept:
        return rows
    gone, served = taken(kept), defaultdict[str, Decimal](Decimal)
    for one in kept:
        served[one.line] += one.qty
    levels = [
        level._replace(
            on_hand=level.on_hand - gone.get(Spot(STOCK, "", level.item, level.site), ZERO)
        )
        for level in rows.levels
    ]
    documents = []
    for document in rows.documents:
        spot = Spot(document.kind, document.no, document.item, document.site)
        qty = ZERO if document.demand_ref else min(document.left, gone.get(spot, ZERO))
        if qty:
            gone[spot] -= qty
        documents.append(document._replace(left=document.left - qty))
    lines = [
        line._replace(kept=min(line.qty, line.kept + served.get(line.no, ZERO)))
        for line in rows.lines
    ]
    return replace(rows, levels=levels, documents=documents, lines=lines)
