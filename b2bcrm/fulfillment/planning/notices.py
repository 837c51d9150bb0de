"""What a customer may answer to a later day, and which pieces could come ahead of it. Pure."""

from __future__ import annotations

import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from b2bcrm.fulfillment.planning.atp import PURCHASE, WORK
from b2bcrm.fulfillment.planning.chain import Node, Outlook
from b2bcrm.fulfillment.planning.facts import ZERO, Line, Supplies
from b2bcrm.fulfillment.planning.progress import plain
from b2bcrm.kernel.quantity import unit_word
from b2bcrm.kernel.words import Message


class Choice(enum.StrEnum):
    """The customer's answer to a later day. ``part``: send ahead what is ready."""

    ACCEPT = "accept"
    PART = "part"
    TALK = "talk"


@dataclass(frozen=True)
class Ahead:
    """``qty`` pieces, not all that are open, could be with the customer on ``on``."""

    qty: Decimal
    on: dt.date


# ----------------------------------------------------------------------- what could come ahead
def pieces_ahead(line: Line, view: Outlook, supplies: Supplies, today: dt.date) -> list[Ahead]:
    """How many of the open pieces could be there by which day, each day with more than the last.

    Told are pieces that lie ready and those that a document brings on its day: what only a plan
    knows, or a reservation dates, is nothing to send. They leave on the next working day. Empty
    where all of it comes at once.
    """
    coming: defaultdict[dt.date, Decimal] = defaultdict(Decimal)
    for on, qty in _pieces(line, view, supplies):
        if qty <= 0:
            continue
        leaves_on = line.calendar.add_days(max(today, on or today), 1)
        coming[line.arrives(leaves_on)] += qty
    found: list[Ahead] = []
    there = -line.shipped  # the first pieces are those that have left
    for day in sorted(coming):
        there += coming[day]
        if 0 < there < line.left:
            found.append(Ahead(there, day))
    return found


def _pieces(
    line: Line, view: Outlook, supplies: Supplies
) -> Iterator[tuple[dt.date | None, Decimal]]:
    """Pieces of the line's own item with their day; None: they lie ready, or have left."""
    made = {make.no: min(make.completed, make.qty) for make in supplies.makes.get(line.ref, ())}
    bought = {
        (buy.no, buy.line_no): min(buy.received, buy.qty) for buy in supplies.buys.get(line.ref, ())
    }
    own = [node for node in view.tops if node.item == line.item]
    for node in own:
        ready = _ready(node, made, bought)
        yield None, ready
        if not node.finished:
            yield node.end_on, node.qty - node.scrapped - ready
    from_stock = max(ZERO, line.ordered - sum((node.qty for node in own), ZERO))
    yield None, min(from_stock, max(line.reserved_stock, line.shipped))


def _ready(
    node: Node, made: Mapping[str, Decimal], bought: Mapping[tuple[str, int], Decimal]
) -> Decimal:
    if not node.firm and node.kind == WORK:
        return made[node.no]
    if not node.firm and node.kind == PURCHASE:
        return bought[node.no, node.line_no]
    return node.qty if node.finished else ZERO


def stored(found: Sequence[Ahead]) -> list[dict[str, str]] | None:
    """As a projection keeps it."""
    return [{"qty": plain(one.qty), "on": one.on.isoformat()} for one in found] or None


def offered(
    kept: Iterable[Mapping[str, Any]] | None,
    *,
    previous_on: dt.date,
    promised_on: dt.date,
    today: dt.date,
) -> Ahead | None:
    """What is offered to be sent ahead of ``promised_on``.

    All that can be there by the day that was promised before; where nothing can, what is first.
    """
    found = [Ahead(Decimal(one["qty"]), dt.date.fromisoformat(one["on"])) for one in kept or ()]
    found = [one for one in found if today <= one.on < promised_on]
    in_time = [one for one in found if one.on <= previous_on]
    return in_time[-1] if in_time else next(iter(found), None)


# ------------------------------------------------------------------------------------ in words
def answer_sentence(
    choice: Choice,
    *,
    by: str,
    line_no: int,
    on: dt.date,
    qty: Decimal | None,
    unit: str,
    text: str,
) -> Message:
    """Who answered what; ``on``: the day accepted, or that on which the pieces would be there."""
    if choice is Choice.ACCEPT:
        return Message("%(by)s accepts %(day)s for line %(line)s", by=by, day=on, line=line_no)
    if choice is Choice.PART:
        return Message(
            "%(by)s asks to have %(qty)s %(unit)s of line %(line)s sent ahead, there on %(day)s",
            by=by,
            qty=qty,
            unit=unit_word(unit),
            line=line_no,
            day=on,
        )
    return Message(
        "%(by)s wants to talk about the new day of line %(line)s: “%(text)s”",
        by=by,
        line=line_no,
        text=text,
    )


def next_step(choice: Choice, *, qty: Decimal | None, unit: str) -> Message:
    """What is to be done about an answer that waits for us."""
    if choice is Choice.PART:
        return Message(
            "Customer asks to send %(qty)s %(unit)s ahead: decide the proposal.",
            qty=qty,
            unit=unit_word(unit),
        )
    return Message("Customer wants to talk about the new day: answer him.")
