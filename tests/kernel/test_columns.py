"""What goes into the database comes out as it was, on both databases."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.orders.models import Order
from tests.factories import make_order


@pytest.mark.db
def test_long_decimals_come_back_exactly(work):
    order = make_order(work, total=Decimal(1))
    order.total = Decimal("250398103397.8420")
    work.session.flush()
    work.session.expire_all()
    assert work.session.scalar(sa.select(Order.total)) == Decimal("250398103397.8420")


@pytest.mark.db
def test_too_many_places_are_refused_not_rounded(work):
    order = make_order(work)
    order.total = Decimal("1.23456")
    with pytest.raises(sa.exc.StatementError, match="more than 4 decimal places"):
        work.session.flush()
    work.session.rollback()


@pytest.mark.db
def test_instants_come_back_aware_and_naive_ones_are_refused(work):
    order = make_order(work)
    at = dt.datetime(2026, 11, 17, 9, 40, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    order.confirmed_at = at
    work.session.flush()
    work.session.expire_all()
    found = work.session.scalar(sa.select(Order.confirmed_at))
    assert found == at
    assert found.utcoffset() == dt.timedelta(0)
    work.session.get_one(Order, order.id).confirmed_at = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - naive on purpose
    with pytest.raises(sa.exc.StatementError, match="naive"):
        work.session.flush()
    work.session.rollback()
