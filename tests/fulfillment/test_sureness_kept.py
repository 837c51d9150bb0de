"""What is learned from promises is kept, and open lines get their days from it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.fulfillment.actions import keep_learned, learn, project, read_promises
from b2bcrm.fulfillment.actions.foreseeing import keep_coming, read_coming
from b2bcrm.fulfillment.models import LineProjection, Shipment, ShipmentLine
from b2bcrm.fulfillment.planning.figures import Coming
from b2bcrm.fulfillment.planning.odds import coming
from b2bcrm.fulfillment.planning.sureness_paths import (
    Curve,
    Told,
    sure,
    weekday_after,
    weekdays_between,
)
from b2bcrm.fulfillment.queries.board import BoardFilter
from b2bcrm.fulfillment.queries.figures import figures
from b2bcrm.fulfillment.queries.sureness import odds
from b2bcrm.fulfillment.snapshot import history
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order
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


def test_the_past_tells_how_documents_and_ways_out_err(work, plant):
    item, account = make_item(work, no="SW-25", family="SW"), make_account(work)
    delivered(work, item, account, 3)
    for n, order in enumerate(work.session.scalars(sa.select(Order).order_by(Order.id)).all()):
        order.erp_no = f"E-{n}"
        plant.make(f"WO-{n}", "SW-25", 10, "04-01", "05-22", ref=f"E-{n}/10", status="done")
    plant.buy("PO-1", "SHAFT", 10, "10-01", received=10, received_on=dt.date(2026, 10, 5))
    plant.buy(
        "PO-2", "SHAFT", 10, "10-08", first="10-01", received=10, received_on=dt.date(2026, 10, 9)
    )
    plant.buy("PO-3", "SHAFT", 10, "12-01")
    plant.buy("PO-4", "SHAFT", 10, "12-08", first="12-01")
    plant.make("WO-9", "SW-25", 10, "12-01", "12-04", ref="")
    line = make_line(work, item, first_promised_on=MONDAY, promised_on=MONDAY)
    order = make_order(work, account, lines=[line], incoterm="DAP")
    seen = history.take(work)
    assert {path: sorted(seen.errors.seen[path]) for path in seen.errors.seen if path[1:]} == {
        ("bought", "V1"): [2, 6],
        ("made", "SW"): [0, 0, 0],
        ("out", "at our door"): [0, 0, 2],
    }
    assert seen.errors.seen["bought moved",] == [1]
    assert seen.documents == {
        "PO-3": ("bought", "V1"),
        "PO-4": ("bought moved",),
        "WO-9": ("made", "SW"),
    }
    assert seen.lines == {f"{order.no}/10": ("out", "at customer")}


def test_the_odds_of_the_coming_weeks_are_kept_beside_what_was_learned(work, plant):
    plant.stock("SW-25", 10)
    learned_line(work, 240)
    found = read_coming(work)
    assert [(one.on, one.good) for one in found.wanted] == [(dt.date(2026, 12, 14), True)]
    assert coming(found.rows, found.history, found.wanted) is None  # no document has come
    keep_coming(work, Coming(418, 79.9, 81.6, 83.0))
    assert odds(work) == Coming(418, 79.9, 81.6, 83.0)
    assert figures(work, BoardFilter()).otif.coming == odds(work)
    assert figures(work, BoardFilter(family="SW")).otif.coming is None
    keep_coming(work, None)
    assert odds(work) is None
