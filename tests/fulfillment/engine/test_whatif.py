"""Scenarios on top of a plan: what moves, who pays, and that the plan stays as it is."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from b2bcrm.fulfillment.planning.engine.book import Book, Names
from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.changing import (
    Hours,
    Instead,
    Receipt,
    Rush,
    Service,
    Split,
    changed,
    made_with,
)
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.plan import plan_of
from b2bcrm.fulfillment.planning.engine.records import (
    Component,
    Kind,
    Line,
    Operation,
    Source,
)
from b2bcrm.fulfillment.planning.engine.solving import solve
from b2bcrm.fulfillment.planning.engine.whatif import best_swap, whatif
from tests.fulfillment.engine.plants import plants
from tests.scenarios.plant import buy, facts, make, receipt, weeks


def planned(told) -> Planned:
    book, names, _ = build(told)
    return Planned(book, names, solve(book))


def mill(*lines: Line) -> Planned:
    """Ten hours a week, an hour a piece."""
    return planned(facts(*lines, sources=[make("pump", 1, 1)], buckets=weeks(10)))


def full_week() -> Planned:
    return mill(Line("a", "pump", 5, 7, 3), Line("b", "pump", 5, 7, 3), Line("c", "pump", 4, 14, 3))


def days(outcome):
    return {move.line: (move.before, move.after) for move in outcome.moves}


def test_the_bill_of_a_rush_order_names_who_slips_and_for_how_long():
    outcome = whatif(full_week(), [Rush(Line("rush", "pump", 5, 7, 1))], {"a": 10, "b": 70})
    assert days(outcome) == {"rush": (None, 7), "b": (7, 8)}
    assert [(move.line, move.late) for move in outcome.slips] == [("b", 1)]
    assert (outcome.value_late_before, outcome.value_late_after) == (0, 70)
    assert (outcome.before.on_time, outcome.after.on_time) == (3, 3)


def test_the_best_swap_lets_the_line_of_least_value_wait():
    plan, changes, values = full_week(), [Rush(Line("rush", "pump", 5, 7, 1))], {"a": 10, "b": 70}
    swap = best_swap(plan, changes, values, whatif(plan, changes, values))
    assert swap is not None
    assert swap.line == "a"
    assert swap.outcome.value_late_after == 10
    assert [move.line for move in swap.outcome.slips] == ["a"]


def test_where_nothing_slips_there_is_nothing_to_swap():
    plan, changes = full_week(), [Rush(Line("rush", "pump", 2, 20, 1))]
    assert best_swap(plan, changes, {}, whatif(plan, changes)) is None


def test_a_purchase_order_that_slips_moves_who_waits_for_it():
    told = facts(
        Line("a", "pump", 5, 9), sources=[buy("pump", 40)], supplies=[receipt("pump", 5, 9)]
    )
    plan = planned(told)
    assert days(whatif(plan, [Receipt(0, day=16)])) == {"a": (9, 16)}
    assert days(whatif(plan, [Receipt(0, qty=4)])) == {"a": (9, 40)}
    assert days(whatif(plan, [Receipt(0, day=5)])) == {}


def test_a_machine_that_is_down_and_overtime_that_makes_up_for_it():
    down = Hours("mill", 0, 0, -10_000)
    assert days(whatif(full_week(), [down])) == {"a": (7, 8), "b": (7, 15)}
    assert days(whatif(full_week(), [down, Hours("mill", 0, 0, 10_000)])) == {}


def test_who_is_served_first_is_on_time():
    plan = mill(Line("a", "pump", 10, 7, 3), Line("b", "pump", 10, 7, 3))
    assert days(whatif(plan, [Service("b", 1)])) == {"a": (7, 8), "b": (8, 7)}


def test_a_line_in_two_parts_has_one_of_them_on_time():
    plan = mill(Line("a", "pump", 15, 7, 3))
    assert days(whatif(plan, [Split("a", 10, "a/2")])) == {"a": (8, 7), "a/2": (None, 8)}


@pytest.mark.parametrize(
    "change",
    [
        Split("a", 5, "rest"),
        Split("a", 2, "b"),
        Split("none", 2, "rest"),
        Rush(Line("a", "pump", 1, 7)),
        Rush(Line("new", "unknown", 1, 7)),
        Hours("unknown", 0, 7, 1),
        Instead("pump", "unknown"),
        Instead("pump", "pump"),
    ],
)
def test_a_change_that_cannot_be_is_refused(change):
    with pytest.raises(ValueError, match=r"."):
        whatif(full_week(), [change])


@st.composite
def stand_ins(draw, book: Book, names: Names) -> Instead:
    """Something of the same level, or of one below, in place of a part."""
    part, by = draw(st.sampled_from([("raw0", "raw1"), ("body1", "raw0"), ("pump0", "pump1")]))
    assume(not made_with(book, [names.parts.index(part)])[names.parts.index(by)])
    ratio = draw(st.sampled_from([Fraction(1), Fraction(3), Fraction(2, 3)]))
    return Instead(part, by, ratio.numerator, ratio.denominator, draw(st.integers(0, 9)))


@st.composite
def scenarios(draw, plan: Planned):
    """One to three changes of any kind."""
    lines = st.sampled_from(plan.names.lines)
    kinds = [
        st.builds(
            Hours,
            st.just("mill"),
            st.integers(0, 60),
            st.integers(0, 120),
            st.integers(-9_000, 9_000),
        ),
        st.builds(
            Rush,
            st.builds(
                Line,
                st.just("rush"),
                st.just("pump0"),
                st.integers(1, 30),
                st.integers(0, 100),
                st.integers(1, 3),
            ),
        ),
    ]
    kinds.append(stand_ins(plan.book, plan.names))
    if plan.names.lines:
        kinds.append(st.builds(Service, lines, st.integers(0, 4), st.booleans()))
    if plan.names.supplies:
        kinds.append(
            st.builds(
                Receipt,
                st.integers(0, len(plan.names.supplies) - 1),
                st.integers(0, 150) | st.none(),
                st.integers(0, 40) | st.none(),
            )
        )
    chosen = draw(st.lists(st.sampled_from(range(len(kinds))), min_size=1, max_size=3, unique=True))
    return [draw(kinds[n]) for n in chosen]


@given(st.data(), plants())
@settings(max_examples=60)
def test_a_scenario_is_a_plan_made_anew_and_leaves_the_plan_as_it_is(data, told):
    plan = planned(told)
    changes = data.draw(scenarios(plan))
    arrays = [*plan.book[1:], *plan.ledger]
    before = [array.copy() for array in arrays]
    outcome = whatif(plan, changes)
    assert all(np.array_equal(a, b) for a, b in zip(before, arrays, strict=True))
    book, names = changed(plan.book, plan.names, changes)
    anew, ours = plan_of(book, solve(book)), plan_of(book, outcome.planned.ledger)
    assert all((a == b).all() for a, b in zip(anew, ours, strict=True))
    assert check(book, ours) == []
    moved = {move.line for move in outcome.moves}
    same = plan_of(plan.book, plan.ledger).line_arrives
    for n, line in enumerate(names.lines):
        if line not in moved:
            assert ours.line_arrives[n] == same[n]


@given(st.data(), plants())
@settings(max_examples=30)
def test_what_stands_in_makes_the_book_that_the_facts_with_it_make(data, told):
    book, names, _ = build(told)
    change = data.draw(stand_ins(book, names))
    source = Source(
        change.part,
        Kind.MOVE,
        change.days,
        next(one.calendar for one in told.sources if one.part == change.part),
        [Operation(components=[Component(change.by, Fraction(change.num, change.den))])],
        stands_in=True,
    )
    anew, _, _ = build(replace(told, sources=[*told.sources, source]))
    after, _ = changed(book, names, [change])
    assert all(np.array_equal(a, b) for a, b in zip(after[1:], anew[1:], strict=True))


def test_a_rush_order_that_is_late_itself_is_no_reason_for_a_swap():
    changes = [Rush(Line("rush", "pump", 30, 7, 1))]
    plan, values = mill(Line("a", "pump", 2, 40, 3)), {"rush": 100}
    outcome = whatif(plan, changes, values)
    assert [move.line for move in outcome.slips] == ["rush"]
    assert best_swap(plan, changes, values, outcome) is None


def test_no_swap_is_tried_once_the_time_is_over():
    plan, changes, values = full_week(), [Rush(Line("rush", "pump", 5, 7, 1))], {"a": 10, "b": 70}
    outcome = whatif(plan, changes, values)
    assert best_swap(plan, changes, values, outcome, lambda: False) is None
