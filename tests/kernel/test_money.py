"""Money is exact: parts meet the whole, rounding happens once, currencies never mix."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.money import Money, digits, line_net, total

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=4)
currencies = st.sampled_from(["EUR", "TWD", "USD", "JPY"])


@given(amounts, currencies, st.lists(st.integers(0, 10**6), min_size=1, max_size=40))
def test_parts_of_an_amount_always_add_up_to_it(value, currency, weights):
    whole = Money.of(value, currency)
    parts = whole.split([Decimal(w) for w in weights])
    assert total(parts, currency) == whole
    unit = Decimal(1).scaleb(-digits(currency))
    assert all(part.amount % unit == 0 for part in parts)


@given(st.lists(amounts, max_size=30), currencies)
def test_a_total_is_the_sum_of_its_rounded_lines(values, currency):
    lines = [Money.of(v, currency) for v in values]
    assert total(lines, currency).amount == sum((m.amount for m in lines), Decimal(0))


def test_rounding_is_half_up_to_the_currencys_digits():
    assert Money.of(Decimal("0.125"), "EUR").amount == Decimal("0.13")
    assert Money.of(Decimal("0.5"), "TWD").amount == Decimal(1)
    assert Money.of(Decimal("-0.125"), "EUR").amount == Decimal("-0.13")


def test_a_line_is_rounded_once_at_the_end():
    assert line_net(Decimal("0.00345"), Decimal(1000), Decimal(0), "EUR").amount == Decimal("3.45")
    assert line_net(Decimal(412), Decimal(200), Decimal(14), "USD").amount == Decimal("70864.00")


def test_currencies_do_not_mix():
    with pytest.raises(TypeError, match="EUR and USD"):
        Money.of(Decimal(1), "EUR") + Money.of(Decimal(1), "USD")


@pytest.mark.parametrize("value", ["1e400", "Infinity", "1000000000000"])
def test_an_amount_beyond_all_reason_is_refused(value):
    with pytest.raises(Invalid, match="too large"):
        Money.of(Decimal(value), "EUR")
