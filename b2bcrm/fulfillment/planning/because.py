"""Why a planned date is the first: where the pieces come from, and what decides. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from b2bcrm.fulfillment.planning.atp import (
    CAPACITY,
    FRESH,
    LEAD_TIME,
    PURCHASE,
    WORK,
    Supply,
    supplied,
)
from b2bcrm.fulfillment.planning.progress import word_of
from b2bcrm.kernel.words import Message, show_decimal


def because(
    qty: Decimal, takes: Sequence[Supply], decides: Supply | None, center: str = ""
) -> Message:
    """One sentence for ``qty`` pieces that come from ``takes``.

    ``decides`` is what they wait for, ``center`` the name of the work centre if that is hours.
    """
    fresh = [take for take in takes if take.kind in FRESH]
    if not fresh:
        return supplied(qty, takes)
    how = _anew(fresh, decides, center)
    there = sum((take.qty for take in takes if take.kind not in FRESH), Decimal(0))
    if there == 0:
        return how
    return Message(
        "%(qty)s from stock and open supply, the rest %(how)s", qty=show_decimal(there), how=how
    )


def _anew(fresh: Sequence[Supply], decides: Supply | None, center: str) -> Message:
    """How the pieces that nobody has ordered yet come about."""
    last = max(fresh, key=lambda take: take.on)
    if last.kind == LEAD_TIME:
        return Message("bought anew, here on %(day)s", day=last.on)
    if decides is None:
        return Message("made anew by %(day)s", day=last.on)
    known = {"day": last.on, "on": decides.on}
    if decides.kind == CAPACITY:
        return Message(
            "made anew by %(day)s: %(center)s (%(code)s) has hours free again on %(on)s",
            center=word_of(center),
            code=decides.no,
            **known,
        )
    if decides.kind in {PURCHASE, WORK}:
        return Message(
            "made anew by %(day)s, as %(item)s of %(no)s comes on %(on)s",
            item=decides.item,
            no=decides.no,
            **known,
        )
    if decides.kind == LEAD_TIME:
        return Message(
            "made anew by %(day)s, as %(item)s has to be bought and comes on %(on)s",
            item=decides.item,
            **known,
        )
    return Message("made anew by %(day)s, as %(item)s comes on %(on)s", item=decides.item, **known)
