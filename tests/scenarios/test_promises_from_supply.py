"""Stories of ATP: stock and receipts, in the order of service."""

from __future__ import annotations

import pytest

from b2bcrm.fulfillment.planning.engine.records import Line, Need, Part, Supply
from tests.scenarios.plant import HORIZON, buy, facts, receipt, tell

# A textbook table: 20 on hand, 50 in week 3 and in week 5; orders of 18 in week 1, 8 and 15 in
# weeks 2 and 3, 33 in week 5.
TEXTBOOK = facts(
    Line("a", "pump", 18, 7),
    Line("b", "pump", 15, 21),
    Line("c", "pump", 33, 35),
    supplies=[Supply("pump", 20), receipt("pump", 50, 21), receipt("pump", 50, 35)],
)


@pytest.mark.parametrize(
    ("day", "free"), [(0, 2), (20, 2), (21, 37), (34, 37), (35, 54), (HORIZON - 1, 54)]
)
def test_what_is_free_by_a_day_is_cumulative_atp(day, free):
    (answer,) = tell(TEXTBOOK).ask(Line("x", "pump", 60, day))
    assert answer.by_wish == free


def test_a_later_shortage_takes_from_an_earlier_surplus():
    story = tell(
        facts(
            Line("late", "pump", 70, 35),
            supplies=[Supply("pump", 20), receipt("pump", 50, 21), receipt("pump", 10, 35)],
        )
    )
    assert [story.ask(Line("x", "pump", 80, day))[0].by_wish for day in (0, 21, 35)] == [10, 10, 10]


def test_the_latest_receipt_in_time_is_taken_and_stock_is_left():
    story = tell(
        facts(Line("a", "pump", 5, 30), supplies=[Supply("pump", 5), receipt("pump", 5, 28)])
    )
    assert story.ask(Line("x", "pump", 5, 0))[0].full_on == 0


def test_overdue_supply_counts_from_today():
    assert tell(facts(Line("a", "pump", 5, 0), supplies=[receipt("pump", 5, -9)])).arrives("a") == 0


def test_a_past_wish_is_served_today():
    assert tell(facts(Line("a", "pump", 5, -3), supplies=[Supply("pump", 5)])).arrives("a") == 0


def test_what_nobody_brings_has_no_date():
    assert tell(facts(Line("a", "pump", 5, 3), supplies=[Supply("pump", 4)])).arrives("a") == -1


def test_safety_stock_is_promised_to_nobody():
    story = tell(facts(parts=[Part("pump", safety=8)], supplies=[Supply("pump", 10)]))
    assert story.ask(Line("x", "pump", 5, 3))[0].by_wish == 2


def test_what_a_released_work_order_still_needs_is_its_own():
    story = tell(facts(supplies=[Supply("pump", 10)], needs=[Need("pump", 7, 4, "WO-1")]))
    assert story.ask(Line("x", "pump", 5, 3))[0].by_wish == 3


def test_the_smaller_priority_is_served_first_then_the_earlier_wish_then_the_name():
    story = tell(
        facts(
            Line("c", "pump", 5, 3, priority=2),
            Line("b", "pump", 5, 3, priority=2),
            Line("a", "pump", 5, 4, priority=2),
            Line("z", "pump", 5, 9, priority=1),
            supplies=[Supply("pump", 10), receipt("pump", 5, 20), receipt("pump", 5, 30)],
        )
    )
    assert [story.arrives(name) for name in "zbca"] == [9, 3, 20, 30]


def test_a_rank_of_its_own_goes_before_the_wish():
    story = tell(
        facts(
            Line("new", "pump", 5, 3, rank=2),
            Line("old", "pump", 5, 5, rank=1),
            supplies=[Supply("pump", 5), receipt("pump", 5, 20)],
        )
    )
    assert (story.arrives("old"), story.arrives("new")) == (5, 20)


def test_the_best_split_is_what_is_there_and_the_rest_later():
    story = tell(facts(supplies=[Supply("pump", 6), receipt("pump", 9, 12)]))
    (answer,) = story.ask(Line("x", "pump", 10, 5))
    assert (answer.full_on, answer.by_wish, answer.rest_on) == (12, 6, 12)


def test_lines_of_one_quote_see_each_other_and_alternatives_do_not():
    story = tell(facts(sources=[buy("pump", 30)], supplies=[Supply("pump", 10)]))
    lines = [Line("1", "pump", 8, 5), Line("2", "pump", 8, 5)]
    assert [a.full_on for a in story.ask(*lines, quotes=["Q", "Q"])] == [5, 30]
    assert [a.full_on for a in story.ask(*lines)] == [5, 5]


def test_an_answer_disturbs_nothing():
    story = tell(TEXTBOOK)
    first = story.ask(Line("x", "pump", 30, 21))
    assert story.ask(Line("x", "pump", 30, 21)) == first


def test_lines_that_leave_together_wait_for_the_last():
    story = tell(
        facts(
            Line("a", "pump", 1, 3, together="S"),
            Line("b", "hose", 1, 3, together="S"),
            supplies=[Supply("pump", 1), receipt("hose", 1, 17)],
        )
    )
    assert (story.arrives("a"), story.arrives("b")) == (17, 17)


def test_a_line_later_than_its_limit_is_not_planned():
    late = {"supplies": [receipt("pump", 1, 17)]}
    assert tell(facts(Line("a", "pump", 1, 3, max_late=13), **late)).arrives("a") == -1
    assert tell(facts(Line("a", "pump", 1, 3, max_late=14), **late)).arrives("a") == 17
