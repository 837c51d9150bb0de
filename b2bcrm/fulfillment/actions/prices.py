"""Saying what measures and lateness cost."""

from __future__ import annotations

import sqlalchemy as sa

from b2bcrm.fulfillment.models import MeasurePrice
from b2bcrm.fulfillment.planning.prices import Prices
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.work import Work


def set_prices(work: Work, prices: Prices) -> None:
    """Keep them instead of what was said before."""
    work.actor.must(Right.CHANGE_PROMISE)
    row = work.session.scalar(sa.select(MeasurePrice))
    if row is None:
        row = MeasurePrice()
        work.session.add(row)
    row.hour, row.day = prices.hour, prices.day
    row.penalty_pct, row.penalty_most_pct = prices.penalty_pct, prices.penalty_most_pct
    row.set_by, row.set_at = work.actor.name, work.now
