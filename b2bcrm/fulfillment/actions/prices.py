"""Saying what measures and lateness cost."""

from __future__ import annotations

from b2bcrm.fulfillment.models import MeasurePrice
from b2bcrm.fulfillment.planning.prices import Prices
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.database import insert_for
from b2bcrm.kernel.work import Work

ONLY = 1  # the row's id: two people who say it at once change one row


def set_prices(work: Work, prices: Prices) -> None:
    """Keep them instead of what was said before."""
    work.actor.must(Right.CHANGE_PROMISE)
    values = {
        "hour": prices.hour,
        "day": prices.day,
        "penalty_pct": prices.penalty_pct,
        "penalty_most_pct": prices.penalty_most_pct,
        "set_by": work.actor.name,
        "set_at": work.now,
    }
    row = insert_for(work.session, MeasurePrice).values(id=ONLY, **values)
    work.session.execute(row.on_conflict_do_update(index_elements=[MeasurePrice.id], set_=values))
