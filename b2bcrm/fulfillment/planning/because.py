"""Why a planned date is the first: where the pieces come from, and what decides. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from b2bcrm.fulfillment.planning.atp import CAPACITY, FRESH, LEAD_TIME, STOCK, Supply, supplied
from b2bcrm.kernel.words import Message, show_decimal


def because(qty: Decimal, takes: Sequence[Supply], details: Sequence[Supply]) -> Message:
    """One sentence for ``qty`` pieces that come from ``takes``, which rest on ``details``."""
    fresh = [take for take in takes if take.kind in FRESH]
    if not fresh:
        return supplied(qty, takes)
    how = _anew(fresh, details)
    there = sum((take.qty for take in takes if take.kind not in FRESH), Decimal(0))
    if there == 0:
        return how
    return Message(
        "%(qty)s from stock and open supply, the rest %(how)s", qty=show_decimal(there), how=how
    )


def _anew(fresh: Sequence[Supply], details: Sequence[Supply]) -> Message:
    """How the pieces that nobody has ordered yet come about."""
    last = max(fresh, key=lambda take: take.on)
    if last.kind == LEAD_TIME:
        return Message("bought anew, here on %(day)s", day=last.on)
    parts = [one for one in details if one.item and one.kind != STOCK]
    hours = [one for one in details if one.kind == CAPACITY]
    part = max(parts, key=lambda one: one.on, default=None)
    center = max(hours, key=lambda one: one.on, default=None)
    if part is not None and (center is None or part.on >= min(one.on for one in hours)):
        return Message(
            "made anew by %(day)s, as %(item)s comes on %(on)s",
            day=last.on,
            item=part.item,
            on=part.on,
        )
    if center is not None:
        return Message(
            "made anew by %(day)s, with hours at %(center)s on %(on)s",
            day=last.on,
            center=center.no,
            on=center.on,
        )
    return Message("made anew by %(day)s", day=last.on)
