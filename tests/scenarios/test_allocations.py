"""Stories of allocations: what is kept for a class of customers, and what a class gets at most."""

from __future__ import annotations

import pytest

from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.records import Cap, Component, Facts, Keep, Line, Supply
from b2bcrm.fulfillment.planning.packing import Packed
from b2bcrm.fulfillment.planning.standing import Standing
from b2bcrm.fulfillment.planning.takes import Wish
from tests.scenarios.plant import buy, facts, make, receipt, tell, weeks

TEN = [Supply("pump", 10)]
KEPT = Keep("pump", "A", 6, 30)
CAPPED = Cap("pump", "B", 5, 0, 14)


def wanted(name: str, qty: int, wish: int, who: str = "", **more: object) -> Line:
    return Line(name, "pump", qty, wish, customer_class=who, **more)


def plant(*lines: Line, **more: object) -> Facts:
    """Ten pumps in stock and no more, for classes A and B."""
    return facts(*lines, classes=["A", "B"], **({"supplies": TEN} | more))


def test_what_is_kept_for_a_class_goes_to_it_though_others_are_served_first():
    story = tell(plant(wanted("b", 5, 5, "B", rank=0), wanted("a", 4, 5, "A"), keeps=[KEPT]))
    assert (story.arrives("a"), story.arrives("b")) == (5, 30)


def test_nobody_without_a_class_gets_what_is_kept():
    story = tell(plant(wanted("x", 10, 5), keeps=[KEPT]))
    assert (story.ask(wanted("y", 10, 5))[0].by_wish, story.arrives("x")) == (0, 30)


def test_on_its_release_day_what_is_left_falls_to_all():
    story = tell(plant(wanted("a", 2, 5, "A"), keeps=[KEPT]))
    asked = [wanted(f"on {day}", 10, day, "B") for day in (29, 30)]
    assert [answer.by_wish for answer in story.ask(*asked)] == [4, 8]


def test_a_class_uses_what_is_kept_for_it_before_what_is_for_all():
    story = tell(plant(wanted("a", 6, 9, "A"), keeps=[KEPT]))
    assert story.ask(wanted("b", 10, 9, "B"))[0].by_wish == 4
    assert story.ask(wanted("c", 10, 9, "A"))[0].by_wish == 4


def test_kept_are_the_first_to_come_after_safety_and_released_work():
    told = plant(supplies=[receipt("pump", 9, 12), *TEN], keeps=[Keep("pump", "A", 15, 30)])
    story = tell(told)
    asked = [wanted(f"{who} on {day}", 20, day, who) for day in (5, 12) for who in "AB"]
    assert [answer.by_wish for answer in story.ask(*asked)] == [10, 0, 19, 4]


def test_components_are_kept_for_what_a_class_orders():
    told = plant(
        wanted("b", 2, 9, "B", rank=0),
        wanted("a", 2, 9, "A"),
        sources=[make("pump", 1, 0, Component("seal")), buy("seal", 40)],
        supplies=[Supply("seal", 2)],
        buckets=weeks(10),
        keeps=[Keep("seal", "A", 2, 30)],
    )
    story = tell(told)
    assert (story.arrives("a"), story.arrives("b")) == (9, 41)


def test_a_class_gets_no_more_than_its_cap_within_the_window():
    story = tell(plant(wanted("b", 5, 5, "B"), wanted("c", 3, 6, "B"), caps=[CAPPED]))
    assert (story.arrives("b"), story.arrives("c")) == (5, 14)


def test_a_cap_binds_its_own_class_only():
    story = tell(plant(caps=[CAPPED]))
    asked = [wanted("b", 9, 5, "B"), wanted("a", 9, 5, "A"), wanted("x", 9, 5)]
    assert [answer.by_wish for answer in story.ask(*asked)] == [5, 9, 9]


def test_what_is_made_anew_counts_for_a_cap_too():
    told = plant(wanted("b", 9, 5, "B"), sources=[buy("pump", 2)], supplies=[], caps=[CAPPED])
    assert tell(told).arrives("b") == 14


def test_components_count_for_a_cap_on_the_day_they_are_taken():
    told = plant(
        wanted("b", 9, 5, "B"),
        sources=[make("pump", 1, 0, Component("seal")), buy("seal", 1)],
        buckets=weeks(10),
        supplies=[],
        caps=[Cap("seal", "B", 5, 0, 14)],
    )
    assert tell(told).arrives("b") == 15


def test_of_two_caps_of_one_class_both_hold():
    months = Cap("pump", "B", 7, 0, 60)
    story = tell(plant(wanted("b", 5, 5, "B"), wanted("c", 3, 6, "B"), caps=[CAPPED, months]))
    assert (story.arrives("b"), story.arrives("c")) == (5, 60)


def test_what_a_cap_leaves_is_sent_ahead_where_a_line_may_leave_in_two():
    story = tell(plant(wanted("b", 9, 5, "B", shipments=2), caps=[CAPPED]))
    assert (story.arrives("b"), story.plan.line_ahead.tolist()) == (14, [5])


def test_what_stands_offers_a_class_what_is_kept_for_it():
    story = tell(plant(keeps=[KEPT], caps=[Cap("pump", "A", 8, 0, 14)]))
    standing = Standing(Packed(story.book, story.names, story.ledger, {}))
    wishes = [Wish(["pump"], qty, 5, who) for qty, who in ((8, "A"), (9, "A"), (4, "B"), (5, "B"))]
    assert [standing.offers([wish])[0][1].full for wish in wishes] == [0, 14, 0, 30]
    assert standing.keep("R/1", "pump", 6, 5, fresh=False, customer_class="A")
    assert standing.offers([Wish(["pump"], 4, 5)])[0][1].full == 0


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("unknown class", {"keeps": [Keep("pump", "Z", 6, 30)]}),
        ("unknown class", {"caps": [Cap("pump", "Z", 6, 0, 30)]}),
        ("unknown part", {"keeps": [Keep("ghost", "A", 6, 30)]}),
        ("unknown part", {"caps": [Cap("ghost", "A", 6, 0, 30)]}),
        ("wrong quantity", {"keeps": [Keep("pump", "A", -1, 30)]}),
        ("absurd date", {"keeps": [Keep("pump", "A", 6, 26_000)]}),
        ("empty window", {"caps": [Cap("pump", "A", 6, 30, 30)]}),
    ],
)
def test_an_allocation_that_cannot_be_is_named_and_not_counted(kind, told):
    story = tell(plant(wanted("b", 10, 5, "B"), **told))
    assert [problem.kind for problem in story.problems] == [kind]
    assert story.arrives("b") == 5


def test_a_cap_below_zero_is_named_and_lets_nothing_through():
    story = tell(plant(wanted("b", 1, 5, "B"), caps=[Cap("pump", "B", -1, 0, 14)]))
    assert [problem.kind for problem in story.problems] == ["negative cap"]
    assert story.arrives("b") == 14


def test_a_line_of_an_unknown_class_is_named_and_not_planned():
    story = tell(plant(wanted("z", 1, 5, "Z")))
    assert [(problem.kind, problem.name) for problem in story.problems] == [("unknown class", "z")]


def test_the_verifier_finds_what_is_taken_from_others_and_what_is_above_a_cap():
    story = tell(plant(wanted("a", 10, 5, "A"), keeps=[KEPT]))
    other = story.book._replace(line_class=story.book.line_class + 1)
    assert check(other, story.plan) == ["takings of what is kept for others: 1, the first is 0"]
    story = tell(plant(wanted("b", 5, 5, "B"), caps=[CAPPED]))
    less = story.book._replace(rule=story.book.rule - [0, 0, 0, 1])
    assert check(less, story.plan) == ["caps that a class is above: 1, the first is 0"]
