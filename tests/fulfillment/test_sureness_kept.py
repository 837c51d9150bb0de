"""What is learned from promises is kept, and open lines get their days from it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from b2bcrm.fulfillment.actions import keep_learned, learn, project, read_promises
from b2bcrm.fulfillment.models import LineProjection, Shipment, ShipmentLine
from b2bcrm.fulfillment.planning.sureness_paths import (
    Curve,
    Told,
    sure,
    weekday_after,
    weekdays_between,
)
from b2bcrm.orders.lifecycle import OrderState
from tests.factories import make_account, make_item, make_line, make_order

MONDAY = dt.date(2026, 6, 1)
MONTH = dt.timedelta(days=30)
pytestmark = pytest.mark.db


def delivered(work, item, account, number):
    """Orders promised for a Monday: two of three leave that day, the third two weekdays later."""
    for n in range(number):
        due = MONDAY + dt.timedelta(weeks=n % 20)
        line = make_line(
            work,
            item,
            first_promised_on=due,
            promised_on=due,
            shipped_qty=Decimal(10),
            delivered_qty=Decimal(10),
        )
        told = dt.datetime.combine(due - MONTH, dt.time(4), dt.UTC)
        facts = {"incoterm": "FCA", "confirmed_at": told, "state": OrderState.CLOSED}
        make_order(work, account, lines=[line], **facts)
        left = due + dt.timedelta(days=2 * (n % 3 == 0))
        parcel = Shipment(no=f"SH-{n}", account_id=account.id, shipped_on=left, delivered_on=left)
        parcel.lines = [ShipmentLine(order_line_id=line.id, qty=Decimal(10))]
        work.session.add(parcel)
    work.session.flush()


def learned_line(work, number):
    item, account = make_item(work, no="SW-25", family="SW"), make_account(work)
    delivered(work, item, account, number)
    learned = learn(read_promises(work), work.today)
    if learned is not None:
        keep_learned(work, learned)
    due = dt.date(2026, 12, 14)
    line = make_line(work, item, first_promised_on=due, promised_on=due)
    order = make_order(work, account, lines=[line], incoterm="FCA")
    project(work, [order.id])
    return work.session.get_one(LineProjection, line.id)


def test_an_open_line_says_by_which_days_such_lines_come(work):
    row = learned_line(work, 240)
    assert row.sure["days"] == ["2026-12-14", "2026-12-16", "2026-12-16"]
    assert row.sure["orders"] >= 40
    assert 62 <= row.sure["chance"] <= 70  # two of three came on their day


@pytest.mark.parametrize(("levels", "chance"), [((0.5, 0.8, 0.95), 60), ((0.6, 0.85, 0.97), 50)])
def test_the_chance_of_the_promised_day_is_set_right_like_the_days(levels, chance):
    due = dt.date(2026, 12, 14)
    told = Told("FCA", False, "SW", "SW-25", dt.date(2026, 11, 17), due)
    like = {told.kind("").paths()[1]: Curve(312, [[0, 0.6], [2, 0.4]])}
    early = due - dt.timedelta(days=7)
    assert sure(told, "", like, {"SW": levels}, not_by=early).chance == chance


def test_a_line_that_is_known_to_come_later_has_no_chance_of_its_day():
    due = dt.date(2026, 12, 14)
    told = Told("FCA", False, "SW", "SW-25", dt.date(2026, 11, 17), due)
    like = {told.kind("").paths()[1]: Curve(312, [[0, 0.6], [2, 0.4]])}
    found = sure(told, "", like, {"SW": (0.5, 0.8, 0.95)}, not_by=due)
    assert found.chance is None
    assert set(found.days) == {due + dt.timedelta(days=2)}


def test_with_too_few_orders_no_number_is_given(work):
    assert learned_line(work, 60).sure is None


def test_learning_again_replaces_what_was_learned(work):
    learned_line(work, 240)
    keep_learned(work, learn(read_promises(work), work.today))
    keep_learned(work, learn(read_promises(work), work.today))


def test_weekdays_are_counted_and_added_alike():
    friday, sunday = dt.date(2026, 11, 20), dt.date(2026, 11, 22)
    assert weekday_after(friday, 1) == dt.date(2026, 11, 23)
    assert weekday_after(friday, -5) == dt.date(2026, 11, 13)
    assert weekday_after(sunday, 0) == dt.date(2026, 11, 23)
    for n in range(-12, 12):
        assert weekdays_between(friday, weekday_after(friday, n)) == n
