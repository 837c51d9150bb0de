"""Working days and hours: no lost day, no lost minute, daylight saving included."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.kernel.calendar import WorkCalendar

DAY = dt.date(2026, 11, 17)
TW = WorkCalendar(
    "TW", holidays=frozenset({dt.date(2027, 1, 1)}), extra_days=frozenset({dt.date(2026, 11, 21)})
)
ROUND_THE_CLOCK = WorkCalendar("ALL", hours=((dt.time(0), dt.time(0)),))
days = st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 31))


def test_a_lead_time_skips_weekends_and_holidays_and_knows_make_up_days():
    assert TW.add_days(dt.date(2026, 11, 20), 1) == dt.date(2026, 11, 21)
    assert TW.add_days(dt.date(2026, 11, 21), 1) == dt.date(2026, 11, 23)
    assert TW.add_days(dt.date(2026, 12, 31), 1) == dt.date(2027, 1, 4)
    assert TW.add_days(dt.date(2027, 1, 4), -1) == dt.date(2026, 12, 31)


@given(days, st.integers(1, 200))
def test_adding_days_and_counting_them_agree(day, count):
    assert TW.days_between(day, TW.add_days(day, count)) == count


@given(days, days)
def test_counting_backward_is_the_negative(a, b):
    assert TW.days_between(a, b) == -TW.days_between(b, a)


@given(st.integers(0, 480_000), st.floats(0.1, 200))
def test_hours_added_are_hours_counted(minutes, hours):
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=minutes)
    assert TW.hours_between(at, TW.add_hours(at, hours)) == pytest.approx(hours, abs=1e-6)


def test_round_the_clock_has_no_gap_at_midnight():
    start = dt.datetime(2026, 11, 17, 15, 0, tzinfo=dt.UTC)  # 23:00 in Taipei
    assert ROUND_THE_CLOCK.add_hours(start, 2) == start + dt.timedelta(hours=2)


def test_a_night_with_daylight_saving_has_its_true_length():
    berlin = WorkCalendar(
        "DE", zone="Europe/Berlin", weekdays=frozenset(range(7)), hours=((dt.time(0), dt.time(0)),)
    )
    start = dt.datetime(2026, 10, 24, 22, 0, tzinfo=dt.UTC)  # midnight before the 25-hour day
    assert berlin.hours_between(start, start + dt.timedelta(hours=25)) == pytest.approx(25)


def test_a_calendar_without_working_days_ends_with_an_error():
    with pytest.raises(ValueError, match="no working day"):
        WorkCalendar("NONE", weekdays=frozenset()).next_working(DAY)
