"""What measures and lateness cost here, and what the customers who pay for them are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.fulfillment.models import MeasurePrice
from b2bcrm.fulfillment.planning.prices import Prices
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order

YEAR = dt.timedelta(days=365)


def prices(work: Work) -> Prices:
    """As they were set last; empty while nobody has."""
    row = work.session.scalar(sa.select(MeasurePrice))
    if row is None:
        return Prices()
    return Prices(row.hour, row.day, row.penalty_pct, row.penalty_most_pct)


def bought(work: Work, account_ids: Collection[int]) -> dict[int, Decimal]:
    """What each customer ordered in the last twelve months, in base currency."""
    rows = work.rows(
        sa.select(Order.account_id, Order.rate, sa.func.sum(Order.total))
        .where(
            Order.account_id.in_(account_ids),
            Order.state.in_((OrderState.CONFIRMED, OrderState.CLOSED)),
            Order.ordered_on >= work.today - YEAR,
        )
        .group_by(Order.account_id, Order.rate)
    )
    found: dict[int, Decimal] = {}
    for account_id, rate, total in rows:
        found[account_id] = found.get(account_id, Decimal(0)) + rate * total
    return found
