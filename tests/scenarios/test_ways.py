"""Stories of ways to get a part: one after the other in time, one instead of another, over days."""

from __future__ import annotations

from fractions import Fraction

from b2bcrm.fulfillment.planning.engine.records import (
    Bucket,
    Component,
    Kind,
    Line,
    Operation,
    Source,
    Supply,
)
from tests.scenarios.plant import Story, buy, facts, make, receipt, tell

NEVER_SHORT = [buy("steel", 1), buy("alloy", 1)]


def instead(part: str, by: str, per: Fraction | int = 1, **more) -> Source:
    step = Operation(components=[Component(by, Fraction(per))])
    return Source(part, Kind.MOVE, 0, operations=[step], stands_in=True, **more)


def days(hours: int, first: int, last: int, centre: str = "mill") -> list[Bucket]:
    return [Bucket(centre, day, day + 1, 1000 * hours) for day in range(first, last + 1)]


def spread_over(count: int, *components: Component, hours: int) -> Source:
    step = Operation("mill", Fraction(hours * 1000), 0, count, components, spread=True)
    return Source("shaft", Kind.MAKE, 0, operations=[step])


# ------------------------------------------------------------------------------ changes by date
def change(day: int) -> list[Source]:
    """The shaft is made of alloy from ``day`` on, of steel until then."""
    new = make("shaft", 2, 0, Component("alloy"), fence=day)
    return [new, make("shaft", 2, 0, Component("steel"), until=day - 1), *NEVER_SHORT]


def taken(story, part: str) -> int:
    return sum(qty for qty, _, _ in story.orders(part))


def test_what_starts_before_the_change_takes_the_old_component() -> None:
    lines = [Line("L", "shaft", 5, wish=20)]
    story = tell(facts(*lines, sources=change(30), buckets=days(9, 0, 60)))
    assert (taken(story, "steel"), taken(story, "alloy")) == (5, 0)


def test_what_starts_after_the_change_takes_the_new_one() -> None:
    lines = [Line("L", "shaft", 5, wish=40)]
    story = tell(facts(*lines, sources=change(30), buckets=days(9, 0, 60)))
    assert (taken(story, "steel"), taken(story, "alloy")) == (0, 5)


def test_what_is_wanted_just_after_the_change_is_begun_before_it() -> None:
    lines = [Line("L", "shaft", 5, wish=31)]
    story = tell(facts(*lines, sources=change(30), buckets=days(9, 0, 60)))
    assert story.orders("shaft") == [(5, 29, 31)]
    assert taken(story, "steel") == 5


def test_hours_that_are_short_after_the_change_are_those_before_it_with_the_old_component() -> None:
    new = make("shaft", 0, 1, Component("alloy"), fence=30)
    old = make("shaft", 0, 1, Component("steel"), until=29)
    told = facts(
        Line("L", "shaft", 5, wish=31),
        sources=[new, old, *NEVER_SHORT],
        buckets=days(2, 0, 60),
    )
    story = tell(told)
    assert story.arrives("L") == 31
    assert (taken(story, "alloy"), taken(story, "steel")) == (4, 1)


def test_a_way_whose_time_is_over_is_none() -> None:
    told = facts(Line("L", "shaft", 5, wish=31), sources=[buy("shaft", 3, until=-1)])
    assert tell(told).arrives("L") == -1


def test_a_part_with_no_way_after_a_day_is_ordered_by_then() -> None:
    told = facts(Line("L", "shaft", 5, wish=50), sources=[buy("shaft", 3, until=10)])
    assert tell(told).orders("shaft") == [(5, 10, 13)]


# ----------------------------------------------------------------------------------- substitutes
def test_a_substitute_is_taken_where_the_part_cannot_be_there_in_time() -> None:
    told = facts(
        Line("L", "seal", 5, wish=4),
        sources=[buy("seal", 20), instead("seal", "ring"), buy("ring", 20)],
        supplies=[Supply("ring", 9)],
    )
    assert tell(told).arrives("L") == 4


def test_a_substitute_is_left_alone_where_the_part_can_be_there_in_time() -> None:
    told = facts(
        Line("L", "seal", 5, wish=25),
        sources=[buy("seal", 20), instead("seal", "ring"), buy("ring", 20)],
        supplies=[Supply("ring", 9)],
    )
    story = tell(told)
    assert story.orders("seal") == [(5, 5, 25)]
    assert len(story.plan.take_part) == 0


def test_what_is_there_of_the_part_goes_before_its_substitute() -> None:
    told = facts(
        Line("L", "seal", 5, wish=4),
        sources=[buy("seal", 20), instead("seal", "ring"), buy("ring", 20)],
        supplies=[Supply("seal", 2), Supply("ring", 9)],
    )
    story = tell(told)
    assert story.arrives("L") == 4
    assert sorted(story.plan.take_qty.tolist()) == [2, 3]


def test_two_pieces_may_stand_in_for_one() -> None:
    sources = [buy("seal", 20), instead("seal", "ring", 2), buy("ring", 20)]
    line = Line("L", "seal", 5, wish=4)
    enough = tell(facts(line, sources=sources, supplies=[Supply("ring", 10)]))
    short = tell(facts(line, sources=sources, supplies=[Supply("ring", 9)]))
    assert (enough.arrives("L"), short.arrives("L")) == (4, 20)


def test_what_one_substitute_lacks_the_next_has() -> None:
    told = facts(
        Line("L", "seal", 5, wish=4),
        sources=[
            *(buy(part, 20) for part in ("seal", "ring", "cord")),
            instead("seal", "ring"),
            instead("seal", "cord"),
        ],
        supplies=[Supply("ring", 2), Supply("cord", 3)],
    )
    assert tell(told).arrives("L") == 4


def test_a_substitute_that_can_be_bought_in_time_is_bought() -> None:
    told = facts(
        Line("L", "seal", 5, wish=8),
        sources=[buy("seal", 20), instead("seal", "ring"), buy("ring", 6)],
    )
    story = tell(told)
    assert story.arrives("L") == 8
    assert story.orders("ring") == [(5, 2, 8)]


def test_a_substitute_counts_until_its_last_day_only() -> None:
    sources = [buy("seal", 20), instead("seal", "ring", until=6), buy("ring", 99)]
    ring = receipt("ring", 9, 5)
    soon = tell(facts(Line("L", "seal", 5, wish=6), sources=sources, supplies=[ring]))
    late = tell(facts(Line("L", "seal", 5, wish=6), sources=sources,
                      supplies=[receipt("ring", 9, 7)]))  # fmt: skip
    assert (soon.arrives("L"), late.arrives("L")) == (6, 20)


def test_a_component_far_below_may_have_a_substitute() -> None:
    told = facts(
        Line("L", "pump", 2, wish=6),
        sources=[
            make("pump", 2, 0, Component("seal")),
            buy("seal", 20),
            instead("seal", "ring"),
            buy("ring", 20),
        ],
        supplies=[Supply("ring", 2)],
        buckets=days(9, 0, 60),
    )
    assert tell(told).arrives("L") == 6


# A pump is made from one seal, in a day; seals take twenty.
PUMP = [make("pump", 1, 1, Component("seal")), buy("seal", 20), buy("ring", 20)]


def pumps(qty: int, *sources: Source, supplies: list[Supply]) -> Story:
    line = Line("L", "pump", qty, wish=6)
    return tell(facts(line, sources=[*PUMP, *sources], supplies=supplies, buckets=days(9, 0, 60)))


def test_another_part_stands_in_for_what_cannot_be_made_in_time() -> None:
    story = pumps(5, instead("pump", "other"), supplies=[Supply("seal", 2), Supply("other", 3)])
    assert story.arrives("L") == 6
    assert (taken(story, "pump"), len(story.orders("seal"))) == (5, 0)
    assert sorted(qty for qty, _, _ in story.orders("pump")) == [2, 3]


def test_what_can_be_made_of_what_is_there_goes_before_what_stands_in() -> None:
    story = pumps(5, instead("pump", "other"), supplies=[Supply("seal", 5), Supply("other", 9)])
    assert story.orders("pump") == [(5, 5, 6)]


def test_of_all_parts_above_what_is_short_the_nearest_is_replaced() -> None:
    sources = [instead("seal", "ring"), instead("pump", "other")]
    story = pumps(5, *sources, supplies=[Supply("ring", 5), Supply("other", 5)])
    assert (taken(story, "seal"), story.orders("pump")) == (5, [(5, 5, 6)])
    story = pumps(5, *sources, supplies=[Supply("ring", 4), Supply("other", 5)])
    assert (taken(story, "seal"), story.orders("pump")) == (0, [(5, 6, 6)])


def test_own_stock_is_used_up_before_something_stands_in_where_hours_are_short() -> None:
    told = facts(
        Line("L", "shaft", 5, wish=9),
        sources=[make("shaft", 1, 1), instead("shaft", "other")],
        supplies=[Supply("shaft", 2), Supply("other", 9)],
        buckets=days(2, 8, 8),
    )
    story = tell(told)
    assert story.arrives("L") == 9
    assert sorted(story.plan.take_qty.tolist()) == [1, 2]


def test_parts_that_stand_in_for_each_other_do_so_one_way_and_it_is_said() -> None:
    told = facts(
        Line("L", "seal", 5, wish=4),
        sources=[buy("seal", 20), instead("seal", "ring"), instead("ring", "seal"),
                 buy("ring", 20)],
        supplies=[Supply("ring", 9), Supply("seal", 1)],
    )  # fmt: skip
    story = tell(told)
    assert [(p.kind, p.name) for p in story.problems] == [("circle of substitutes", "ring")]
    assert story.arrives("L") == 4


def test_a_substitute_of_two_parts_is_a_named_fault() -> None:
    step = Operation(components=[Component("ring"), Component("cord")])
    wrong = Source("seal", Kind.MOVE, 0, operations=[step], stands_in=True)
    story = tell(facts(Line("L", "seal", 5, wish=4), sources=[buy("seal", 20), wrong]))
    assert [problem.kind for problem in story.problems] == ["wrong substitute"]
    assert story.arrives("L") == 20


# ----------------------------------------------------------------------- make, buy, or both
def test_what_the_machine_has_no_hours_for_is_bought_where_it_can_be() -> None:
    told = facts(
        Line("L", "shaft", 5, wish=9),
        sources=[make("shaft", 1, 1), buy("shaft", 6)],
        buckets=days(3, 8, 8),
    )
    story = tell(told)
    assert story.arrives("L") == 9
    assert story.orders("shaft") == [(2, 3, 9), (3, 8, 9)]


# ---------------------------------------------------------------------------------- spread hours
def test_hours_are_shared_by_the_days_of_an_operation() -> None:
    told = facts(
        Line("L", "shaft", 4, wish=10), sources=[spread_over(4, hours=3)], buckets=days(3, 0, 60)
    )
    story = tell(told)
    assert story.orders("shaft") == [(4, 6, 10)]
    assert [story.ledger.bucket_free[n] for n in (5, 6, 7, 8, 9, 10)] == [3000, 0, 0, 0, 0, 3000]


def test_at_its_start_the_same_work_finds_no_day() -> None:
    step = Operation("mill", Fraction(3000), 0, 4)
    told = facts(
        Line("L", "shaft", 4, wish=10),
        sources=[Source("shaft", Kind.MAKE, 0, operations=[step])],
        buckets=days(3, 0, 60),
    )
    assert tell(told).orders("shaft") == [(1, 3, 7), (1, 4, 8), (1, 5, 9), (1, 6, 10)]


def test_shares_are_rounded_up_to_whole_units_of_hours() -> None:
    step = Operation("mill", Fraction(1), 0, 3, spread=True)  # 10 of 1/1000 h over three days
    told = facts(
        Line("L", "shaft", 10, wish=10),
        sources=[Source("shaft", Kind.MAKE, 0, operations=[step])],
        buckets=[Bucket("mill", day, day + 1, 4) for day in range(20)],
    )
    story = tell(told)
    assert story.orders("shaft") == [(10, 7, 10)]
    assert story.ledger.bucket_free[7:10].tolist() == [0, 0, 0]


def test_days_in_one_week_share_its_hours() -> None:
    told = facts(
        Line("L", "shaft", 4, wish=10),
        sources=[spread_over(6, hours=3)],
        buckets=[Bucket("mill", 0, 7, 6000), Bucket("mill", 7, 14, 6000)],
    )
    story = tell(told)
    assert story.orders("shaft") == [(4, 4, 10)]  # three days in each week, 2 h each
    assert story.ledger.bucket_free.tolist() == [0, 0]


def test_an_order_does_not_start_where_a_day_of_it_is_closed() -> None:
    told = facts(
        Line("L", "shaft", 4, wish=12),
        sources=[spread_over(4, hours=1)],
        buckets=[*days(3, 0, 9), *days(3, 11, 60)],
    )
    assert tell(told).orders("shaft") == [(4, 6, 10)]


def test_what_does_not_fit_over_its_days_is_cut_and_starts_earlier() -> None:
    told = facts(
        Line("L", "shaft", 4, wish=10), sources=[spread_over(2, hours=2)], buckets=days(2, 0, 60)
    )
    assert tell(told).orders("shaft") == [(2, 6, 8), (2, 8, 10)]


# ------------------------------------------------------------------------- what stock can help to
def test_the_old_component_in_stock_is_used_for_what_must_begin_before_the_change() -> None:
    sources = [
        make("shaft", 2, 0, Component("alloy"), fence=8),
        make("shaft", 2, 0, Component("steel"), until=7),
        buy("steel", 30),
        buy("alloy", 30),
    ]
    told = facts(Line("L", "shaft", 5, wish=9), sources=sources, buckets=days(9, 0, 60),
                 supplies=[Supply("steel", 9)])  # fmt: skip
    assert tell(told).arrives("L") == 9


def test_what_lots_bring_too_much_of_stands_in_for_nothing_they_are_given_back_for() -> None:
    ring = make("ring", 1, 0, Component("raw"), step=3)
    told = facts(
        Line("L", "seal", 1, wish=6),
        sources=[make("seal", 1, 0, Component("ring")), ring, instead("seal", "ring"),
                 buy("raw", 90)],
        buckets=days(9, 0, 120),
    )  # fmt: skip
    assert tell(told).arrives("L") > 90


def test_a_substitute_in_stock_goes_before_one_that_is_to_be_made() -> None:
    sources = [buy("seal", 20), instead("seal", "ring"), instead("seal", "cord")]
    told = facts(
        Line("L", "seal", 5, wish=8),
        sources=[*sources, make("ring", 1, 9), buy("cord", 20)],
        supplies=[Supply("cord", 10)],
        buckets=days(9, 0, 9),
    )
    assert tell(told).arrives("L") == 8


def test_a_component_told_twice_is_one_with_what_is_lost_of_each() -> None:
    twice = make("pump", 1, 0, Component("seal"), Component("seal", scrap=Fraction(1, 2)))
    told = facts(
        Line("L", "pump", 2, wish=9),
        sources=[twice, buy("seal", 20), instead("seal", "ring")],
        supplies=[Supply("ring", 6)],
        buckets=days(9, 0, 60),
    )
    story = tell(told)
    assert (story.arrives("L"), story.orders("seal")) == (9, [(6, 8, 8)])


def test_a_line_that_can_never_come_in_time_is_left_out_and_breaks_no_rule() -> None:
    told = facts(
        Line("L", "seal", 5, wish=1, transit=5, max_late=0),
        sources=[buy("seal", 1)],
    )
    assert tell(told).arrives("L") == -1


def test_a_circle_that_was_opened_is_not_opened_again_elsewhere() -> None:
    told = facts(
        Line("L", "A", 1, wish=5),
        sources=[buy("A", 40), instead("A", "B"), instead("A", "B"), buy("B", 40),
                 instead("B", "A"), instead("B", "C"), buy("C", 40), instead("C", "A")],
    )  # fmt: skip
    story = tell(told)
    assert len({problem.name for problem in story.problems}) == len(story.problems)
