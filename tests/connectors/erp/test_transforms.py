"""Text on the wire to values, one by one."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from connectors.erp.outgoing import outgoing, sayer
from connectors.erp.transforms import Drift, Formats, Transform, converter

FORMATS = Formats(
    ZoneInfo("Asia/Taipei"), frozenset({"", "0000-00-00"}), {"m": {"Y": "yes", "*": "!drift"}}
)
UTC = dt.UTC


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", " a ", " a "),
        ("int", " 007 ", 7),
        ("days", "P08D", 8),
        ("decimal", "-.50", Decimal("-0.50")),
        ("bool", "1", True),
        ("date", "2026-11-17+08:00", dt.date(2026, 11, 17)),
        ("date", "0000-00-00", None),
        ("datetime", "2026-11-17T09:40:00", dt.datetime(2026, 11, 17, 1, 40, tzinfo=UTC)),
        ("datetime", "2026-11-17T24:00:00Z", dt.datetime(2026, 11, 18, tzinfo=UTC)),
        ("datetime", "", None),
        ("instant_date", "2026-11-16T16:00:00.000Z", dt.date(2026, 11, 17)),
        ("instant_date", "", None),
        ("map", "Y", "yes"),
    ],
)
def test_a_text_becomes_its_value(kind, text, value):
    found = converter(kind, "m", FORMATS)(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "1.0"),
        ("int", "1_0"),
        ("days", "P1M"),
        ("days", "P1DT4H"),
        ("decimal", "Infinity"),
        ("decimal", "1E5"),
        ("bool", "yes"),
        ("date", "17.11.2026"),
        ("date", "2026-02-30"),
        ("datetime", "noon"),
        ("map", "N"),
    ],
)
def test_a_text_that_does_not_fit_is_drift(kind, text):
    with pytest.raises(Drift):
        converter(kind, "m", FORMATS)(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("1E+2"), "100"),
        (Decimal("0.10"), "0.10"),
        (True, "true"),
        (dt.date(2026, 1, 2), "2026-01-02"),
        (dt.datetime(2026, 1, 2, 8, tzinfo=ZoneInfo("Asia/Taipei")), "2026-01-02T00:00:00Z"),
        ("a\x00b\tc", "ab\tc"),
    ],
)
def test_a_value_leaves_as_plain_text(value, text):
    assert outgoing(value) == text


def test_a_day_leaves_as_the_instant_at_which_it_begins_in_the_erps_zone():
    say = sayer([Transform("instant_date", "")], FORMATS)
    assert say(dt.date(2026, 11, 17)) == "2026-11-16T16:00:00Z"
    assert say(None) is None
