"""The sentence on the order page that says how sure a line's date is."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import pytest

from b2bcrm.desk.order_why import how_sure
from b2bcrm.kernel.words import render


def line(**facts):
    values = {
        "promised_on": dt.date(2026, 12, 14),
        "cancelled": False,
        "shipped_qty": Decimal(0),
        "due_qty": Decimal(10),
        "sure": {"days": ["2026-12-14", "2026-12-16", "2026-12-21"], "orders": 312, "chance": 73},
    }
    return SimpleNamespace(**(values | facts))


def words(of_line):
    return [render(one, "en") for one in how_sure(of_line)]


def test_it_names_a_day_per_chance_and_how_many_orders_say_so():
    assert words(line()) == [
        "73 % sure",
        (
            "Of such lines 50 % come by Mon 14 Dec 2026, 80 % by Wed 16 Dec 2026"
            " and 95 % by Mon 21 Dec 2026 (from 312 orders)."
        ),
    ]


def test_a_day_later_than_any_seen_is_left_out():
    found = words(line(sure={"days": ["2026-12-14", None, None], "orders": 45}))
    assert found == ["Of such lines 50 % come by Mon 14 Dec 2026 (from 45 orders)."]


def test_without_enough_history_it_says_so_and_gives_no_number():
    too_few = "Too few promises like this one are known to say how sure the date is."
    assert words(line(sure=None)) == [too_few]


@pytest.mark.parametrize(
    "facts", [{"promised_on": None}, {"cancelled": True}, {"shipped_qty": Decimal(10)}]
)
def test_of_a_line_that_has_left_or_is_not_promised_it_says_nothing(facts):
    assert words(line(**facts)) == []
