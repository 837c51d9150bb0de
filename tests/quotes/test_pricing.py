"""Prices, discounts, margins: properties and examples."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.money import Money, digits
from b2bcrm.quotes import pricing
from b2bcrm.quotes.pricing import Break, PricedLine

D = Decimal

PRICES = st.decimals("0", "99999", places=6)
QTYS = st.decimals("0.0001", "99999", places=4)
DISCOUNTS = st.decimals("0", "99.99", places=2)
CURRENCIES = st.sampled_from(["TWD", "EUR", "USD", "JPY"])
LINES = st.lists(
    st.builds(PricedLine, st.integers(10, 900), QTYS, PRICES, DISCOUNTS, PRICES), max_size=8
)
LADDERS = st.lists(st.builds(Break, st.integers(1, 500).map(D), PRICES), max_size=6)
STEPS = pricing.ladder([Break(D(1), D(315)), Break(D(50), D(298)), Break(D(100), D(282))])


@given(LINES, CURRENCIES)
def test_the_total_is_the_sum_of_rounded_lines_and_parts_meet_it(lines, currency):
    totals = pricing.add_up(lines, currency, D("32.4"))
    assert totals.gross - totals.discount == totals.net
    nets = [line.net(currency).amount for line in lines]
    assert totals.net.amount == sum(nets, D(0))
    places = -totals.net.amount.as_tuple().exponent
    assert places == digits(currency)


@given(LINES, CURRENCIES)
def test_a_discount_never_makes_a_line_dearer(lines, currency):
    for line in lines:
        assert line.net(currency).amount <= line.gross(currency).amount


@given(LADDERS, QTYS)
def test_the_break_reached_is_the_largest_not_above_the_quantity(breaks, qty):
    steps = pricing.ladder(breaks)
    found = pricing.break_for(steps, qty)
    if not steps:
        assert found is None
        return
    below = [step for step in steps if step.min_qty <= qty]
    assert found == (below[-1] if below else steps[0])
    assert [s.min_qty for s in steps] == sorted({s.min_qty for s in steps})


@given(LADDERS, QTYS, DISCOUNTS, CURRENCIES)
def test_a_hinted_quantity_is_larger_and_costs_less_in_all(breaks, qty, discount, currency):
    steps = pricing.ladder(breaks)
    hint = pricing.saving(steps, qty, discount, currency)
    if hint is not None:
        step = pricing.break_for(steps, hint.qty)
        more = PricedLine(10, hint.qty, step.unit_price, discount, D(0)).net(currency)
        price = pricing.break_for(steps, qty).unit_price
        less = PricedLine(10, qty, price, discount, D(0)).net(currency)
        assert hint.qty > qty
        assert less - more == hint.amount
        assert hint.amount.amount > 0


def test_a_hundred_pieces_cost_less_than_ninety_six():
    hint = pricing.saving(STEPS, D(96), D(0), "USD")
    assert (hint.qty, hint.amount) == (D(100), Money.of(D(408), "USD"))


def test_margin_is_net_less_cost_at_the_frozen_rate():
    line = PricedLine(30, D(200), D(412), D(14), D("9104.40"))
    margin = line.margin("USD", D("32.40"))
    assert line.net("USD") == Money.of(D(70864), "USD")
    assert round(margin.pct, 1) == D("20.7")
    assert margin.status == "late"


@pytest.mark.parametrize(
    ("discount", "cost", "role", "stopped"),
    [
        (10, 100, Role.SALES, False),
        ("10.01", 100, Role.SALES, True),
        (25, 100, Role.SALES_MANAGER, False),
        ("25.01", 100, Role.SALES_MANAGER, True),
        (0, 2000, Role.SALES, True),
        (0, 2000, Role.SALES_MANAGER, False),
        (1, 100, Role.SERVICE, True),
    ],
)
def test_limits_per_role_and_the_margin_floor(discount, cost, role, stopped):
    line = PricedLine(30, D(1), D(2500), D(discount), D(cost))
    found = pricing.objections([line], "TWD", D(1), role)
    assert bool(found) == stopped


def test_an_objection_says_what_lower_discount_would_pass():
    line = PricedLine(30, D(200), D(412), D(14), D(9000))
    (found,) = pricing.objections([line], "USD", D("32.40"), Role.SALES)
    assert found.lower_to == D(10)
    assert "Line 30" in str(found.reason)
    assert "14 %" in str(found.reason)


def test_a_free_line_has_no_margin_and_is_below_the_floor():
    (found,) = pricing.objections(
        [PricedLine(10, D(1), D(0), D(0), D(5))], "EUR", D(36), Role.SALES
    )
    assert found.lower_to is None


@pytest.mark.parametrize("value", ["-0.01", "100", "1.234", "NaN", "Infinity"])
def test_impossible_discounts_are_refused(value):
    with pytest.raises(Invalid):
        pricing.check_discount(D(value))


@pytest.mark.parametrize("value", ["-1", "1e9", "0.0000001", "NaN"])
def test_impossible_prices_are_refused(value):
    with pytest.raises(Invalid):
        pricing.check_price(D(value))


def test_screws_may_cost_a_fraction_of_a_cent():
    assert pricing.check_price(D("0.00345")) == D("0.00345")
    line = PricedLine(10, D(100000), D("0.00345"), D(0), D(0))
    assert line.net("EUR") == Money.of(D(345), "EUR")
