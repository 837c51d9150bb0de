"""Quantities typed by people: exact, positive, whole where the unit says so."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.quantity import check_qty, parse_qty


@pytest.mark.parametrize(
    ("text", "unit", "sentence"),
    [
        ("", "pcs", "not a number"),
        ("ten", "pcs", "not a number"),
        ("NaN", "pcs", "not a number"),
        ("1e400", "pcs", "too large"),
        ("0", "pcs", "greater than zero"),
        ("-3", "pcs", "greater than zero"),
        ("1.5", "pcs", "Whole pieces"),
        ("1.23456", "kg", "At most 4 decimal places"),
        ("99999999", "pcs", "too large"),
    ],
)
def test_a_bad_quantity_gets_its_own_sentence(text, unit, sentence):
    with pytest.raises(Invalid, match=sentence):
        parse_qty(text, unit)


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [("1,200", "pcs", "1200"), (" 60 ", "set", "60"), ("0.25", "kg", "0.25")],
)
def test_a_good_quantity_is_kept_exactly(text, unit, value):
    assert parse_qty(text, unit) == Decimal(value)


@given(st.decimals(min_value="0.0001", max_value=10**6, places=4))
def test_four_places_are_never_rounded(value):
    assert check_qty(value, "kg") == value
