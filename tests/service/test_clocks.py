"""The clocks of a case: plain cases in words, and laws that hold for any calendar and any acts."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.service import clocks
from b2bcrm.service.clocks import Pause

H = dt.timedelta(hours=1)
TAIPEI = clocks.service_days(WorkCalendar("TW", holidays=frozenset({dt.date(2026, 12, 25)})))
BERLIN = clocks.service_days(WorkCalendar("DE", zone="Europe/Berlin"))
CHINA = clocks.service_days(
    WorkCalendar(
        "CN",
        zone="Asia/Shanghai",
        holidays=frozenset(dt.date(2026, 10, n) for n in range(1, 9)),
        extra_days=frozenset({dt.date(2026, 10, 10)}),
    )
)
CALENDARS = st.sampled_from([TAIPEI, BERLIN, CHINA])
INSTANTS = st.datetimes(
    min_value=dt.datetime(2026, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    max_value=dt.datetime(2027, 6, 1),  # noqa: DTZ001 - same
    timezones=st.just(dt.UTC),
)
BUDGETS = st.sampled_from([clocks.ANSWER_WITHIN, clocks.SOLVE_WITHIN])


def at(text: str) -> dt.datetime:
    """An instant given in Taipei time."""
    return dt.datetime.fromisoformat(f"{text}+08:00").astimezone(dt.UTC)


@st.composite
def pause_lists(draw: st.DrawFn) -> tuple[dt.datetime, list[Pause], dt.datetime]:
    """A start, pauses one after the other behind it, and an instant behind them."""
    start = draw(INSTANTS)
    steps = draw(
        st.lists(
            st.timedeltas(min_value=dt.timedelta(0), max_value=dt.timedelta(days=9)), max_size=8
        )
    )
    moments = [start]
    for step in steps:
        moments.append(moments[-1] + step)
    pauses = [Pause(a, b) for a, b in list(pairwise(moments[1:]))[::2] if a < b]
    now = moments[-1] + draw(st.timedeltas(dt.timedelta(0), dt.timedelta(days=9)))
    return start, pauses, now


def test_the_clock_runs_through_the_night_of_a_working_day() -> None:
    assert clocks.due_at(TAIPEI, at("2026-11-17T09:40"), 24 * H) == at("2026-11-18T09:40")


def test_the_clock_stands_still_on_the_weekend() -> None:
    friday = at("2026-11-20T16:00")
    assert clocks.due_at(TAIPEI, friday, 24 * H) == at("2026-11-23T16:00")
    assert clocks.worked(TAIPEI, at("2026-11-21T00:00"), at("2026-11-23T00:00")) == 0 * H


def test_the_clock_stands_still_on_a_holiday() -> None:
    assert clocks.due_at(TAIPEI, at("2026-12-24T12:00"), 24 * H) == at("2026-12-28T12:00")


def test_a_make_up_saturday_counts() -> None:
    assert clocks.worked(CHINA, at("2026-10-10T00:00"), at("2026-10-11T00:00")) == 24 * H


def test_there_is_no_gap_at_midnight() -> None:
    assert clocks.worked(TAIPEI, at("2026-11-17T23:59"), at("2026-11-18T00:01")) == H / 30


def test_the_day_of_the_clock_change_has_its_real_hours() -> None:
    """Berlin's working week around 25 October 2026 loses nothing: the change is on a Sunday."""
    everyday = clocks.service_days(
        WorkCalendar("7", zone="Europe/Berlin", weekdays=frozenset(range(7)))
    )
    day = dt.datetime(2026, 10, 24, 22, tzinfo=dt.UTC)  # midnight in Berlin
    assert clocks.worked(everyday, day, day + 25 * H) == 25 * H
    assert clocks.due_at(everyday, day, 72 * H) == day + 72 * H


def test_a_pause_moves_the_due_time_by_its_service_time_only() -> None:
    start = at("2026-11-19T10:00")  # Thursday
    pause = Pause(at("2026-11-20T10:00"), at("2026-11-23T10:00"))  # over the weekend: 24 h
    plain = clocks.due_at(TAIPEI, start, 72 * H)
    assert plain == at("2026-11-24T10:00")
    assert clocks.due_at(TAIPEI, start, 72 * H, [pause]) == at("2026-11-25T10:00")


def test_a_clock_that_waits_has_no_due_time_and_says_so() -> None:
    start = at("2026-11-17T09:00")
    reading = clocks.read(
        TAIPEI, start, 72 * H, at("2026-11-18T09:00"), pauses=[Pause(at("2026-11-17T12:00"))]
    )
    assert (reading.due_at, reading.stopped, reading.status) == (None, True, "idle")
    assert (reading.counted, reading.paused, reading.closed) == (3 * H, 21 * H, 0 * H)


def test_a_clock_explains_what_it_counted() -> None:
    start = at("2026-11-20T20:00")  # Friday evening
    reading = clocks.read(
        TAIPEI,
        start,
        72 * H,
        at("2026-11-23T12:00"),
        pauses=[Pause(at("2026-11-23T06:00"), at("2026-11-23T09:00"))],
    )
    assert (reading.counted, reading.paused, reading.closed) == (13 * H, 3 * H, 48 * H)


def test_it_warns_below_a_quarter_and_is_late_when_over() -> None:
    start = at("2026-11-17T00:00")

    def status(now: str) -> str:
        return clocks.read(TAIPEI, start, 24 * H, at(now)).status

    assert status("2026-11-17T18:00") == "ok"
    assert status("2026-11-17T18:01") == "risk"
    assert status("2026-11-18T00:00") == "risk"
    assert status("2026-11-18T00:01") == "late"


def test_a_clock_that_was_met_in_time_is_done_for_ever() -> None:
    start = at("2026-11-17T00:00")
    reading = clocks.read(
        TAIPEI, start, 24 * H, at("2026-12-17T00:00"), met_at=at("2026-11-17T05:00")
    )
    assert (reading.status, reading.counted) == ("done", 5 * H)


def test_a_clock_that_ran_out_before_a_pause_stays_over() -> None:
    start = at("2026-11-16T09:00")
    late = clocks.due_at(TAIPEI, start, 24 * H)
    pauses = [Pause(at("2026-11-17T12:00"), at("2026-11-19T12:00"))]
    assert clocks.due_at(TAIPEI, start, 24 * H, pauses) == late


@given(CALENDARS, INSTANTS, BUDGETS)
def test_due_is_never_earlier_than_the_budget_after_the_start(
    calendar: WorkCalendar, start: dt.datetime, budget: dt.timedelta
) -> None:
    due = clocks.due_at(calendar, start, budget)
    assert due is not None
    assert due >= start + budget
    assert clocks.worked(calendar, start, due) == budget


@given(CALENDARS, pause_lists(), BUDGETS)
def test_pause_and_resume_conserve_the_time(
    calendar: WorkCalendar,
    story: tuple[dt.datetime, list[Pause], dt.datetime],
    budget: dt.timedelta,
) -> None:
    start, pauses, now = story
    reading = clocks.read(calendar, start, budget, now, pauses=pauses)
    assert reading.counted + reading.paused + reading.closed == now - start
    assert reading.counted >= dt.timedelta(0)
    assert reading.closed >= dt.timedelta(0)
    assert reading.due_at is not None
    at_due = clocks.read(calendar, start, budget, reading.due_at, pauses=pauses)
    assert at_due.counted == budget
    assert (now > reading.due_at) == reading.over or reading.left == dt.timedelta(0)


@given(CALENDARS, pause_lists(), BUDGETS, st.randoms())
def test_the_order_in_which_pauses_are_told_does_not_matter(
    calendar: WorkCalendar,
    story: tuple[dt.datetime, list[Pause], dt.datetime],
    budget: dt.timedelta,
    random: object,
) -> None:
    start, pauses, now = story
    shuffled = list(pauses)
    random.shuffle(shuffled)
    assert clocks.read(calendar, start, budget, now, pauses=shuffled) == clocks.read(
        calendar, start, budget, now, pauses=pauses
    )


@given(CALENDARS, pause_lists(), BUDGETS)
def test_a_pause_told_twice_or_in_two_halves_counts_once(
    calendar: WorkCalendar,
    story: tuple[dt.datetime, list[Pause], dt.datetime],
    budget: dt.timedelta,
) -> None:
    start, pauses, now = story
    halves = [
        half
        for p in pauses
        for half in (
            Pause(p.from_at, p.from_at + (p.to_at - p.from_at) / 2),
            Pause(p.from_at + (p.to_at - p.from_at) / 2, p.to_at),
            p,
        )
    ]
    assert clocks.read(calendar, start, budget, now, pauses=halves) == clocks.read(
        calendar, start, budget, now, pauses=pauses
    )


@given(CALENDARS, pause_lists(), BUDGETS)
def test_another_pause_never_makes_it_due_earlier(
    calendar: WorkCalendar,
    story: tuple[dt.datetime, list[Pause], dt.datetime],
    budget: dt.timedelta,
) -> None:
    start, pauses, _now = story
    for n in range(len(pauses)):
        fewer = clocks.due_at(calendar, start, budget, pauses[:n])
        more = clocks.due_at(calendar, start, budget, pauses[: n + 1])
        assert fewer is not None
        assert more is not None
        assert more >= fewer


@given(CALENDARS, pause_lists(), BUDGETS)
def test_what_is_counted_only_grows(
    calendar: WorkCalendar,
    story: tuple[dt.datetime, list[Pause], dt.datetime],
    budget: dt.timedelta,
) -> None:
    start, pauses, now = story
    moments = sorted({start, *(p.from_at for p in pauses), *(p.to_at for p in pauses), now})
    counted = [clocks.read(calendar, start, budget, m, pauses=pauses).counted for m in moments]
    assert counted == sorted(counted)
