"""Allocating anew: who gets a part by strategy, and that nobody else's turn changes."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from b2bcrm.fulfillment.planning.engine.changing import Receipt, changed
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.plan import plan_of
from b2bcrm.fulfillment.planning.engine.reallocating import reallocated, users_of
from b2bcrm.fulfillment.planning.engine.records import Component, Line, Strategy
from b2bcrm.fulfillment.planning.engine.whatif import whatif
from tests.fulfillment.engine.plants import plants
from tests.fulfillment.engine.test_whatif import mill, planned
from tests.scenarios.plant import buy, facts, make, receipt, weeks

WIN, GAIN, BOTH, FILL, LOSE = Strategy


def stock(first: int, second: int, *lines: Line):
    """So many pieces now, so many on day 20; more takes 60 days."""
    return planned(
        facts(
            *lines,
            sources=[buy("pump", 60)],
            supplies=[receipt("pump", first, 0), receipt("pump", second, 20)],
        )
    )


def wanted(name: str, qty: int, day: int, priority: int = 3) -> Line:
    return Line(name, "pump", qty, day, priority)


def days(plan, strategies, changes=()):
    """Day of each named line before and after."""
    found = whatif(plan, [*changes, *reallocated(plan, changes, strategies)])
    arrives = plan_of(plan.book, plan.ledger).line_arrives.tolist()
    before = dict(zip(plan.names.lines, arrives, strict=True))
    moved = {move.line: move.after for move in found.moves}
    return {name: (before[name], moved.get(name, before[name])) for name in strategies}


def test_a_winner_takes_what_a_loser_gives_up():
    plan = stock(10, 10, wanted("first", 10, 5), wanted("second", 10, 6))
    assert days(plan, {"first": LOSE, "second": WIN}) == {"first": (5, 20), "second": (20, 6)}


def test_who_may_gain_is_not_put_back_by_a_winner():
    plan = stock(10, 10, wanted("has", 10, 5), wanted("wants", 10, 6))
    assert days(plan, {"has": GAIN, "wants": WIN}) == {"has": (5, 5), "wants": (20, 20)}


def test_who_may_gain_gets_what_a_loser_gives_up():
    plan = stock(10, 10, wanted("gives", 10, 5), wanted("gains", 10, 6))
    assert days(plan, {"gives": LOSE, "gains": GAIN}) == {"gives": (5, 20), "gains": (20, 6)}


def test_who_fills_does_not_become_earlier():
    lines = wanted("gives", 10, 5), wanted("fills", 10, 6), wanted("takes", 10, 7)
    plan = stock(10, 20, *lines)
    assert days(plan, {"gives": LOSE, "fills": FILL, "takes": BOTH}) == {
        "gives": (5, 20),
        "fills": (20, 20),
        "takes": (20, 7),
    }


def test_classes_of_service_go_with_the_turns():
    plan = stock(10, 10, wanted("a", 10, 5, 1), wanted("c", 10, 5, 3))
    assert days(plan, {"a": BOTH, "c": WIN}) == {"a": (5, 20), "c": (20, 5)}


def test_it_comes_on_top_of_other_measures():
    plan = stock(10, 10, wanted("first", 10, 5), wanted("second", 10, 6))
    sooner = [Receipt(1, day=9)]
    assert days(plan, {"first": LOSE, "second": WIN}, sooner)["first"] == (5, 9)


def test_users_of_a_part_are_the_lines_that_may_be_made_of_it():
    sources = [buy("seal", 5), make("body", 1, 1, Component("seal")), buy("other", 5)]
    lines = [Line(part, part, 1, 30) for part in ("seal", "body", "other")]
    plan = planned(facts(*lines, sources=sources, buckets=weeks(10)))
    parts = [plan.names.parts.index("seal")]
    assert users_of(plan.book, parts).tolist() == [0, 1]


@settings(max_examples=60)
@given(plants(), st.data())
def test_any_strategies_give_a_sound_plan_and_keep_their_word(told, data):
    plan = planned(told)
    chosen = st.fixed_dictionaries({line: st.sampled_from(Strategy) for line in plan.names.lines})
    strategies = data.draw(chosen)
    kept = [array.copy() for array in plan.book if isinstance(array, np.ndarray)]
    changes = reallocated(plan, (), strategies) if strategies else []
    book, _ = changed(plan.book, plan.names, changes)
    after = whatif(plan, changes).planned
    assert check(book, plan_of(book, after.ledger)) == []
    assert sorted(book.unit_priority[book.sequence]) == book.unit_priority[book.sequence].tolist()
    for old, new in zip(kept, [a for a in plan.book if isinstance(a, np.ndarray)], strict=True):
        np.testing.assert_array_equal(old, new)
    before = plan_of(plan.book, plan.ledger).line_leaves
    leaves = plan_of(book, after.ledger).line_leaves
    for n, line in enumerate(plan.names.lines):
        if strategies[line] is FILL and before[n] >= 0 <= leaves[n]:
            assert leaves[n] >= before[n]


@settings(max_examples=30)
@given(plants())
def test_lines_that_may_all_move_stay_where_they_are(told):
    plan = planned(told)
    changes = reallocated(plan, (), dict.fromkeys(plan.names.lines, BOTH))
    assert whatif(plan, changes).moves == []


def test_hours_are_allocated_as_pieces_are():
    lines = Line("a", "pump", 5, 7, 3), Line("b", "pump", 5, 7, 3), Line("c", "pump", 5, 7, 3)
    plan = mill(*lines)
    found = days(plan, {"a": LOSE, "b": GAIN, "c": WIN})
    assert found["c"][1] == 7
    assert found["b"][1] == 7
    assert found["a"][1] > 7
