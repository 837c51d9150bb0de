"""Stories of bills of material in time: engineering changes and substitutes, from rows to dates."""

from __future__ import annotations

from decimal import Decimal

import pytest

from b2bcrm.fulfillment.planning import telling
from b2bcrm.fulfillment.planning.atp import PURCHASE
from b2bcrm.fulfillment.planning.plant import (
    BUY,
    MAKE,
    BomLine,
    Document,
    ItemRow,
    Level,
    OpenLine,
    Rows,
)
from b2bcrm.kernel.calendar import WorkCalendar
from tests.fulfillment.test_plant import TODAY, on
from tests.scenarios.plant import tell

D = Decimal
PUMP = ItemRow("PUMP", MAKE, "PCS", 5, D(1))  # takes its lead time, five working days
SHAFT, ROD = (ItemRow(no, BUY, "PCS", 20, D(1)) for no in ("SHAFT", "ROD"))
OLD, NEW = "SHAFT", "ROD"


def made_of(component, qty="1", **facts):
    return BomLine("PUMP", component, D(qty), D(0), "PCS", **facts)


def pumps(wish, qty="10", name="SO-1/10"):
    """A customer wants pumps; they leave the day after they are there."""
    wanted = D(qty), D(0), on(wish + 1), "A", on(wish), (TODAY, 1)
    return OpenLine("", name, "PUMP", "TC", *wanted)


def planned(*rows, lines, stock=None, documents=(), items=(PUMP, SHAFT, ROD)):
    told = telling.tell(
        Rows(
            today=TODAY,
            items=items,
            bom=rows,
            lines=lines,
            levels=[Level(no, "TC", D(qty), D(0)) for no, qty in (stock or {}).items()],
            documents=documents,
            calendars={"TW": WorkCalendar("TW")},
            site_calendars={"TC": "TW"},
        )
    )
    assert told.problems == []
    return tell(told.facts)


def taken(story):
    """Pieces of each component that the plan takes for pumps."""
    found = {}
    for part, qty in zip(story.plan.take_part, story.plan.take_qty, strict=True):
        name = story.names.parts[part].partition("@")[0]
        found[name] = found.get(name, 0) + int(qty)
    return found


CHANGE = [made_of(OLD, valid_to=on(41)), made_of(NEW, valid_from=on(42))]
BOTH = {OLD: 100, NEW: 100}


@pytest.mark.parametrize(
    ("wish", "component"),
    [(37, OLD), (70, NEW)],
    ids=["begun before the change", "begun after it"],
)
def test_an_order_takes_what_the_bill_tells_on_the_day_it_is_begun(wish, component):
    story = planned(*CHANGE, lines=[pumps(wish)])
    assert story.arrives("SO-1/10") == wish + 1
    bought = [no for no in (OLD, NEW) if story.orders(f"{no}@TC")]
    assert bought == [component]


def test_old_stock_does_not_serve_orders_after_the_change():
    story = planned(*CHANGE, lines=[pumps(70)], stock={OLD: 100})
    assert OLD not in taken(story)
    assert [qty for qty, _, _ in story.orders("ROD@TC")] == [10]


def test_what_is_wanted_soon_after_the_change_is_begun_before_it():
    story = planned(*CHANGE, lines=[pumps(46)])
    assert story.arrives("SO-1/10") == 47
    assert [start for _, start, _ in story.orders("PUMP@TC")] == [39]
    assert [qty for qty, _, _ in story.orders("SHAFT@TC")] == [10]


SUBSTITUTE = [made_of(OLD), made_of(NEW, stands_in_for=OLD)]


def test_a_substitute_is_left_alone_while_the_component_is_there():
    story = planned(*SUBSTITUTE, lines=[pumps(9)], stock=BOTH)
    assert story.arrives("SO-1/10") == 10
    assert taken(story) == {OLD: 10}


def test_a_substitute_is_left_alone_while_the_component_comes_in_time():
    story = planned(*SUBSTITUTE, lines=[pumps(60)], stock={NEW: 100})
    assert story.arrives("SO-1/10") == 61
    assert taken(story) == {}
    assert [qty for qty, _, _ in story.orders("SHAFT@TC")] == [10]


def test_a_substitute_makes_an_order_be_in_time():
    late = planned(made_of(OLD), lines=[pumps(9)], stock={NEW: 10})
    story = planned(*SUBSTITUTE, lines=[pumps(9)], stock={NEW: 10})
    assert (late.arrives("SO-1/10") > 30, story.arrives("SO-1/10")) == (True, 10)
    assert taken(story) == {NEW: 10}


def test_an_order_takes_both_where_neither_is_enough():
    story = planned(*SUBSTITUTE, lines=[pumps(9)], stock={OLD: 6, NEW: 4})
    assert story.arrives("SO-1/10") == 10
    assert taken(story) == {OLD: 6, NEW: 4}


@pytest.mark.parametrize(("rods", "in_time"), [(20, True), (19, False)])
def test_two_pieces_stand_in_for_one(rods, in_time):
    rows = [made_of(OLD, "2"), made_of(NEW, "4", stands_in_for=OLD)]
    story = planned(*rows, lines=[pumps(9, "5")], stock={NEW: rods})
    assert (story.arrives("SO-1/10") == 10) == in_time


@pytest.mark.parametrize(("last", "in_time"), [(2, True), (1, False)])
def test_a_substitute_that_comes_after_its_last_day_serves_nobody(last, in_time):
    """Pumps that are there on Wednesday of next week are begun on Wednesday of this one, day 2."""
    rows = [made_of(OLD), made_of(NEW, stands_in_for=OLD, valid_to=on(last))]
    rods = Document(PURCHASE, "PO-1", NEW, "TC", D(10), D(10), TODAY, on(2), "")
    story = planned(*rows, lines=[pumps(9)], documents=[rods])
    assert (story.arrives("SO-1/10") == 10) == in_time


@pytest.mark.parametrize(("since", "in_time"), [(2, True), (3, False)])
def test_a_substitute_serves_what_is_begun_from_its_first_day_on(since, in_time):
    rows = [made_of(OLD), made_of(NEW, stands_in_for=OLD, valid_from=on(since))]
    story = planned(*rows, lines=[pumps(9)], stock={NEW: 10})
    assert (story.arrives("SO-1/10") == 10) == in_time


def test_of_two_that_stand_in_for_each_other_one_direction_is_planned():
    valve = ItemRow("VALVE", MAKE, "PCS", 5, D(1))
    rows = [
        *SUBSTITUTE,
        BomLine("VALVE", NEW, D(1), D(0), "PCS"),
        BomLine("VALVE", OLD, D(1), D(0), "PCS", stands_in_for=NEW),
    ]
    story = planned(*rows, lines=[pumps(9)], stock={NEW: 10}, items=[PUMP, valve, SHAFT, ROD])
    assert [(p.kind, p.name) for p in story.problems] == [("circle of substitutes", "ROD@TC")]
    assert story.arrives("SO-1/10") == 10
