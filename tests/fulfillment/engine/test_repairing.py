"""An improved plan after a feed: sound, and as it was where nothing changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.changing import Hours, Receipt, changed
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.improving import (
    guards,
    improve,
    lines_first,
    lost,
)
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.plan import plan_of
from b2bcrm.fulfillment.planning.engine.records import Line
from b2bcrm.fulfillment.planning.engine.repairing import repaired
from b2bcrm.fulfillment.planning.engine.solving import solve
from tests.fulfillment.engine.plants import feeds, plants
from tests.scenarios.plant import buy, facts, make, receipt, weeks


def improved(told) -> Planned:
    book, names, _ = build(told)
    greedy = solve(book)
    ledger, _ = improve(
        book,
        greedy,
        guards(book, greedy, 0),
        lines_first(book),
        fill=lambda n: n < 128,
        shorten=lambda n: n < 256,
    )
    return Planned(book, names, ledger)


@given(plants())
@settings(max_examples=25)
def test_a_plan_of_the_same_book_stays_or_has_somebody_earlier(told):
    plan = improved(told)
    ledger = repaired(plan, plan.book, plan.names)
    was = plan.ledger.unit_day
    assert check(plan.book, plan_of(plan.book, ledger)) == []
    assert (ledger.unit_day[was >= 0] <= was[was >= 0]).all()
    assert (ledger.unit_day[was >= 0] >= 0).all()


@given(st.data(), plants())
@settings(max_examples=30)
def test_after_any_feeds_it_is_sound_and_the_same_each_time(data, told):
    plan = improved(told)
    for number in range(data.draw(st.integers(1, 3))):
        told = data.draw(feeds(told, number))
        book, names, _ = build(told)
        ledger = repaired(plan, book, names)
        assert check(book, plan_of(book, ledger)) == []
        again = repaired(plan, book, names)
        np.testing.assert_array_equal(ledger.unit_day, again.unit_day)
        plan = Planned(book, names, ledger)


def tight() -> Planned:
    """Ten hours a week. First come, first served: two small lines wait for the large one."""
    lines = [Line("large", "pump", 10, 7, 3, rank=0)]
    lines += [Line(name, "pump", 5, 7, 3, rank=1) for name in ("one", "two")]
    sources = [make("pump", 1, 1), buy("valve", 60)]
    told = facts(
        *lines,
        Line("other", "valve", 1, 20, 3),
        sources=sources,
        buckets=weeks(10),
        supplies=[receipt("valve", 1, 9)],
    )
    return improved(told)


def days(plan: Planned, book, ledger) -> dict[str, int]:
    return dict(zip(plan.names.lines, plan_of(book, ledger).line_arrives.tolist(), strict=True))


def test_what_improvement_gained_outlives_a_feed_that_touches_something_else():
    plan = tight()
    before = days(plan, plan.book, plan.ledger)
    assert (before["one"], before["two"]) == (7, 7)
    stakes = lines_first(plan.book)
    assert lost(plan.book, plan.ledger, stakes) < lost(plan.book, solve(plan.book), stakes)
    book, names = changed(plan.book, plan.names, [Receipt(0, day=25)])
    after = days(plan, book, repaired(plan, book, names))
    assert after["other"] == 25
    assert {n: after[n] for n in ("large", "one", "two")} == {
        n: before[n] for n in ("large", "one", "two")
    }


def test_a_book_that_looks_further_ahead_is_planned_anew():
    plan = tight()
    lines = [Line(name, "pump", 5, 7, 3) for name in ("one", "far")]
    told = facts(*lines, sources=[make("pump", 1, 1)], buckets=weeks(10))
    book, names, _ = build(replace(told, horizon=told.horizon + 30))
    np.testing.assert_array_equal(repaired(plan, book, names).unit_day, solve(book).unit_day)


def test_whoever_is_late_comes_earlier_where_more_hours_are_there():
    plan = tight()
    book, names = changed(plan.book, plan.names, [Hours("mill", 0, 6, 10_000)])
    after = days(plan, book, repaired(plan, book, names))
    assert [after[n] for n in ("large", "one", "two")] == [7, 7, 7]
