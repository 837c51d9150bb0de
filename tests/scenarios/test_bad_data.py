"""Stories of bad data: a named problem, and the rest is planned."""

from __future__ import annotations

from fractions import Fraction

import pytest

from b2bcrm.fulfillment.planning.engine.records import (
    Bucket,
    Component,
    Line,
    Load,
    Need,
    Supply,
    SupplyKind,
)
from tests.scenarios.plant import buy, facts, make, receipt, tell, weeks

GOOD = Line("good", "valve", 1, 9)


def story_with(*lines: Line, sources=(), supplies=(), **more):
    """A plant in which the valve is in order, and something else is not."""
    told = facts(
        GOOD,
        *lines,
        sources=[buy("valve", 5), *sources],
        supplies=supplies,
        buckets=more.pop("buckets", weeks(10)),
        **more,
    )
    story = tell(told)
    assert story.arrives("good") == 9
    return story


def test_a_cyclic_bill_of_material_is_named_with_its_path_and_has_no_date():
    circle = [
        make("a", 1, 0, Component("b")),
        make("b", 1, 0, Component("c")),
        make("c", 1, 0, Component("a")),
    ]
    story = story_with(Line("x", "a", 1, 9), sources=circle)
    (problem,) = story.problems
    assert (problem.kind, problem.text) == ("cyclic bill of material", "a > b > c > a")
    assert story.arrives("x") == -1


def test_stock_of_a_part_in_a_circle_is_still_promised():
    story = story_with(
        Line("x", "a", 1, 9), sources=[make("a", 1, 0, Component("a"))], supplies=[Supply("a", 1)]
    )
    assert story.problems[0].text == "a > a"
    assert story.arrives("x") == 9


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("missing lead time", {"sources": [buy("pump", None)]}),
        ("missing lead time", {"sources": [buy("pump", -1)]}),
        ("wrong lot size", {"sources": [buy("pump", 1, step=0)]}),
        ("wrong factor", {"sources": [make("pump", 1, 0, Component("x", Fraction(0)))]}),
        ("wrong factor", {"sources": [make("pump", 1, 0, Component("x", scrap=Fraction(1)))]}),
        ("wrong factor", {"sources": [make("pump", 1, 1, output=Fraction(2))]}),
        ("unknown work centre", {"sources": [make("pump", 1, 1)], "buckets": weeks(1, "saw")}),
        ("unknown calendar", {"sources": [buy("pump", 1, calendar="moon")]}),
        ("negative stock", {"supplies": [Supply("pump", -4)]}),
        ("wrong quantity", {"supplies": [receipt("pump", 10**15, 3)]}),
        ("absurd date", {"supplies": [receipt("pump", 1, -46_000)]}),
        ("absurd date", {"supplies": [receipt("pump", 1, 26_000)]}),
    ],
)
def test_a_fault_is_named_and_what_it_touches_has_no_date(kind, told):
    story = story_with(Line("x", "pump", 1, 9), **told)
    assert [problem.kind for problem in story.problems] == [kind]
    assert story.arrives("x") == -1


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("wrong quantity", Line("x", "pump", 0, 9)),
        ("wrong quantity", Line("x", "pump", 10**13, 9)),
        ("absurd date", Line("x", "pump", 1, -46_000)),
        ("absurd date", Line("x", "pump", 1, 26_000)),
        ("unknown calendar", Line("x", "pump", 1, 9, calendar="moon")),
        ("wrong delivery policy", Line("x", "pump", 1, 9, shipments=0)),
        ("wrong delivery policy", Line("x", "pump", 1, 9, shipments=2, least=-1)),
    ],
)
def test_a_line_that_cannot_be_meant_is_named_and_not_planned(kind, line):
    story = story_with(line, supplies=[Supply("pump", 5)])
    assert [(problem.kind, problem.name) for problem in story.problems] == [(kind, "x")]
    assert story.names.lines == ["good"]


def test_an_orphan_work_order_is_named():
    told = facts(GOOD, sources=[buy("valve", 5)])
    orphan = Supply("ghost", 5, 3, SupplyKind.WORK, "WO-7")
    story = tell(
        type(told)(**{**{f: getattr(told, f) for f in told.__slots__}, "supplies": [orphan]})
    )
    assert [(p.kind, p.name) for p in story.problems] == [("orphan work order", "WO-7")]


def test_a_huge_quantity_that_can_be_meant_is_planned_or_late_but_never_wrong():
    told = [make("pump", 1, 0, Component("body", Fraction(10**6))), buy("body", 5)]
    story = story_with(Line("x", "pump", 10**12, 30), Line("y", "pump", 10**6, 30), sources=told)
    assert (story.arrives("x"), story.arrives("y")) == (-1, 30)


def test_need_without_supply_capacity_twice_and_load_without_capacity_are_named():
    story = story_with(
        needs=[Need("valve", 3, 2, "WO-1"), Need("ghost", 1, 2, "WO-2")],
        buckets=[*weeks(10), Bucket("mill", 3, 4, 1000), Bucket("mill", 200, 300, -1)],
        loads=[Load("ghost", 3, 5)],
    )
    assert sorted(problem.kind for problem in story.problems) == [
        "uncovered need",
        "work without capacity",
        "wrong capacity",
        "wrong capacity",
        "wrong need",
    ]
