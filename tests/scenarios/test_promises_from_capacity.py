"""Stories of CTP: levels, lead times, calendars, lots and hours."""

from __future__ import annotations

from fractions import Fraction

from b2bcrm.fulfillment.planning.engine.records import (
    Bucket,
    Calendar,
    Component,
    Kind,
    Line,
    Load,
    Operation,
    Source,
    Supply,
)
from tests.scenarios.plant import HORIZON, WORKING, buy, facts, make, tell, weeks

BODY = Component("body", Fraction(2))


def test_what_is_bought_comes_after_its_lead_time():
    story = tell(facts(Line("a", "pump", 5, 3), sources=[buy("pump", 10)]))
    assert (story.arrives("a"), story.orders("pump")) == (10, [(5, 0, 10)])


def test_nothing_is_bought_before_it_has_to_be():
    assert tell(facts(Line("a", "pump", 5, 33), sources=[buy("pump", 10)])).orders("pump") == [
        (5, 23, 33)
    ]


def test_lead_times_of_all_levels_add_up():
    sources = [make("pump", 2, 0, BODY), make("body", 3, 0, Component("iron")), buy("iron", 20)]
    story = tell(facts(Line("a", "pump", 4, 1), sources=sources, buckets=weeks(1)))
    assert story.arrives("a") == 25
    assert story.orders("iron") == [(8, 0, 20)]


def test_a_week_that_is_full_sends_work_to_an_earlier_one():
    story = tell(facts(Line("a", "pump", 25, 30), sources=[make("pump", 1, 1)], buckets=weeks(10)))
    assert story.orders("pump") == [(5, 20, 21), (10, 27, 28), (10, 29, 30)]


def test_what_does_not_fit_before_the_wish_is_late():
    story = tell(facts(Line("a", "pump", 25, 6), sources=[make("pump", 1, 1)], buckets=weeks(10)))
    assert story.arrives("a") == 15


def test_released_work_has_its_hours_already():
    told = facts(
        Line("a", "pump", 10, 5),
        sources=[make("pump", 1, 1)],
        buckets=weeks(10),
        loads=[Load("mill", 2, 4000)],
    )
    assert tell(told).arrives("a") == 8


def test_fixed_hours_count_once_per_order():
    step = Operation("mill", Fraction(1000), setup=4000)
    told = facts(
        Line("a", "pump", 7, 30),
        sources=[Source("pump", Kind.MAKE, 1, operations=[step])],
        buckets=weeks(10),
    )
    assert [qty for qty, _, _ in tell(told).orders("pump")] == [1, 6]


def test_overtime_is_another_bucket():
    buckets = [Bucket("mill", 0, 5, 10_000), Bucket("mill", 5, 7, 5_000)]
    story = tell(facts(Line("a", "pump", 15, 7), sources=[make("pump", 1, 1)], buckets=buckets))
    assert story.arrives("a") == 7


def test_a_closed_work_centre_makes_nothing():
    buckets = [Bucket("mill", 21, 28, 10_000)]
    story = tell(facts(Line("a", "pump", 1, 3), sources=[make("pump", 1, 1)], buckets=buckets))
    assert story.arrives("a") == 22


def test_lead_times_are_working_days_of_the_calendar():
    told = facts(
        Line("a", "pump", 1, 0),
        sources=[buy("pump", 6, calendar="supplier")],
        calendars=[Calendar("supplier", WORKING)],
    )
    assert tell(told).arrives("a") == 8  # Monday and six working days: Tuesday of the next week


def test_customers_receive_on_their_days_and_the_way_takes_time():
    told = facts(
        Line("a", "pump", 1, 13, transit=3, calendar="dock"),
        Line("b", "pump", 1, 0, transit=3, calendar="dock"),
        supplies=[Supply("pump", 2)],
        calendars=[Calendar("dock", [2, 4, 11, 16])],
    )
    story = tell(told)
    assert (story.arrives("a"), int(story.plan.line_leaves[0])) == (11, 8)
    assert story.arrives("b") == 4


def test_no_new_order_starts_inside_the_fence():
    story = tell(facts(Line("a", "pump", 5, 3), sources=[buy("pump", 4, fence=14)]))
    assert story.arrives("a") == 18


def test_stock_is_promised_inside_the_fence():
    told = facts(Line("a", "pump", 5, 3), sources=[buy("pump", 4, fence=14)])
    assert (
        tell(facts(*told.lines, sources=told.sources, supplies=[Supply("pump", 5)])).arrives("a")
        == 3
    )


def test_lots_are_kept_and_what_is_above_need_serves_others():
    told = facts(
        Line("a", "pump", 3, 20),
        Line("b", "pump", 4, 30),
        sources=[buy("pump", 10, least=6, step=4)],
    )
    story = tell(told)
    assert story.orders("pump") == [(8, 10, 20)]


def test_scrap_and_yield_are_made_up_for_and_rounded_up_per_order():
    part = Component("body", Fraction(2), scrap=Fraction(1, 10))
    told = facts(
        Line("a", "pump", 9, 60),
        sources=[make("pump", 1, 1, part, output=Fraction(9, 10)), buy("body", 5)],
        buckets=weeks(100),
    )
    assert [qty for qty, _, _ in tell(told).orders("body")] == [23]  # 9 / 0.9 * 2 / 0.9 = 22.2


def test_operations_follow_each_other_on_their_own_work_centres():
    steps = [
        Operation("saw", Fraction(1000), days=2, components=[Component("iron")]),
        Operation("mill", Fraction(1000), days=3),
    ]
    told = facts(
        Line("a", "pump", 10, 40),
        sources=[Source("pump", Kind.MAKE, 0, operations=steps), buy("iron", 5)],
        buckets=[*weeks(10), *weeks(4, "saw")],
    )
    story = tell(told)
    assert story.orders("pump") == [(10, 37, 40)]
    assert [qty for qty, _, _ in story.orders("pump / 1 / 1")] == [2, 4, 4]
    assert sum(qty for qty, _, _ in story.orders("iron")) == 10


def test_another_site_sends_what_it_has_and_the_way_is_the_lead_time():
    move = Source("pump@N", Kind.MOVE, 4, operations=[Operation(components=[Component("pump@S")])])
    story = tell(facts(Line("a", "pump@N", 5, 2), sources=[move], supplies=[Supply("pump@S", 5)]))
    assert story.arrives("a") == 4


def test_the_second_source_is_used_where_the_first_is_too_slow():
    sources = [buy("pump", 30), buy("pump", 10)]
    told = facts(Line("soon", "pump", 1, 12), Line("then", "pump", 1, 60), sources=sources)
    story = tell(told)
    assert story.orders("pump") == [(1, 2, 12), (1, 30, 60)]


def test_stock_is_left_to_those_who_cannot_wait():
    told = facts(
        Line("far", "pump", 5, 60, rank=0),
        Line("near", "pump", 5, 3, rank=1),
        sources=[buy("pump", 20)],
        supplies=[Supply("pump", 5)],
    )
    story = tell(told)
    assert (story.arrives("far"), story.arrives("near")) == (60, 3)


def test_a_late_line_takes_nothing_from_one_that_can_be_on_time():
    told = facts(
        Line("big", "pump", 25, 6, rank=0),
        Line("small", "pump", 9, 13, rank=1),
        sources=[make("pump", 1, 1)],
        buckets=weeks(10),
    )
    story = tell(told)
    assert story.arrives("small") == 13
    assert story.arrives("big") > 6


def test_the_horizon_is_the_end():
    story = tell(facts(Line("a", "pump", 1, 3), sources=[buy("pump", HORIZON)]))
    assert story.arrives("a") == -1
