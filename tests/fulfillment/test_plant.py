"""What the engine is told of the plant: each rule once, from rows alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b2bcrm.fulfillment.planning.atp import PURCHASE, WORK
from b2bcrm.fulfillment.planning.bills import factor
from b2bcrm.fulfillment.planning.covering import spread
from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.plan import plan_of
from b2bcrm.fulfillment.planning.engine.records import Kind
from b2bcrm.fulfillment.planning.engine.solving import solve
from b2bcrm.fulfillment.planning.plant import (
    BUY,
    MAKE,
    BomLine,
    Center,
    Document,
    ItemRow,
    Kept,
    Level,
    OpenLine,
    OpenStep,
    Policy,
    Rows,
    ServeBy,
    Step,
)
from b2bcrm.fulfillment.planning.telling import tell
from b2bcrm.kernel.calendar import WorkCalendar

D = Decimal
TODAY = dt.date(2026, 11, 16)  # a Monday


def on(days: int) -> dt.date:
    return TODAY + dt.timedelta(days=days)


PLANT = Rows(
    today=TODAY,
    items=[
        ItemRow("PUMP", MAKE, "PCS", 20, D(50)),
        ItemRow("SHAFT", BUY, "PCS", 10, D(40)),
        ItemRow("GREASE", BUY, "KG", 5, D(1)),
    ],
    bom=[
        BomLine("PUMP", "SHAFT", D(2), D(10), "PCS"),
        BomLine("PUMP", "GREASE", D("0.05"), D(0), "KG"),
    ],
    steps=[
        Step("PUMP", 10, "M-1", D("0.5"), D("0.25")),
        Step("PUMP", 20, "A-1", D(0), D(1)),
    ],
    centers=[Center("M-1", "TC", D(8), "TW"), Center("A-1", "TC", D(16), "TW")],
    calendars={"TW": WorkCalendar("TW", holidays=frozenset({on(1)}))},
    site_calendars={"TC": "TW"},
)


def told(**more):
    return tell(replace(PLANT, **more))


def work_order(no="WO-1", **facts):
    values = {
        "kind": WORK,
        "no": no,
        "item": "PUMP",
        "site": "TC",
        "qty": D(10),
        "left": D(10),
        "start": on(2),
        "due": on(4),
        "demand_ref": "",
        "waits": True,
    }
    return Document(**(values | facts))


def line(**facts):
    values = {
        "ref": "418/10",
        "no": "SO-1/10",
        "item": "PUMP",
        "site": "TC",
        "qty": D(10),
        "kept": D(0),
        "wish": on(30),
        "customer_class": "A",
        "promise": on(30),
        "entry": (TODAY, 1),
    }
    return OpenLine(**(values | facts))


def quantities(found):
    return [(row.part, row.qty) for row in found.facts.lines]


def test_a_made_item_takes_its_components_at_the_first_of_its_operations():
    source = next(s for s in told().facts.sources if s.part == "PUMP@TC")
    first, second = source.operations
    assert (source.kind, source.days, source.least) == (Kind.MAKE, 0, 1)
    assert (first.centre, first.setup, first.run, first.days) == ("M-1", 500, 250, 1)
    assert [(c.part, c.qty) for c in first.components] == [
        ("SHAFT@TC", Fraction(22, 10)),
        ("GREASE@TC", 50),  # grams
    ]
    assert (second.centre, second.components) == ("A-1", ())


def test_a_bought_item_takes_its_lead_time_and_comes_in_lots():
    source = next(s for s in told().facts.sources if s.part == "SHAFT@TC")
    assert (source.kind, source.days, source.least) == (Kind.BUY, 10, 40)


def test_an_item_without_operations_takes_its_lead_time():
    source = next(s for s in told(steps=[]).facts.sources if s.part == "PUMP@TC")
    assert source.days == 20
    assert [c.part for c in source.operations[0].components] == ["SHAFT@TC", "GREASE@TC"]


def test_hours_come_on_the_working_days_of_the_work_centre():
    buckets = [b for b in told().facts.buckets if b.centre == "M-1"]
    assert [(b.start, b.hours) for b in buckets[:5]] == [
        (0, 8000),
        (2, 8000),
        (3, 8000),
        (4, 8000),
        (7, 8000),
    ]


def test_a_component_in_another_unit_than_it_is_kept_in_is_named_and_not_planned():
    found = told(bom=[BomLine("PUMP", "GREASE", D(1), D(0), "L")])
    assert [(p.kind, p.name) for p in found.problems] == [("unit that does not convert", "PUMP")]
    assert "PUMP@TC" not in [source.part for source in found.facts.sources]


def test_stock_is_free_but_for_what_is_allocated():
    found = told(levels=[Level("PUMP", "TC", D(10), D(3)), Level("GREASE", "TC", D("1.5"), D(0))])
    assert [(s.part, s.qty) for s in found.facts.supplies] == [("PUMP@TC", 7), ("GREASE@TC", 1500)]


def test_more_allocated_than_is_there_is_taken_from_what_comes():
    (need,) = told(levels=[Level("SHAFT", "TC", D(5), D(9))]).facts.needs
    assert (need.part, need.qty, need.day) == ("SHAFT@TC", 4, 0)


def test_a_document_that_is_pegged_serves_its_demand_and_is_not_free():
    documents = [
        work_order("WO-1", demand_ref="418/10", waits=False, left=D(6)),
        work_order("WO-2", waits=False, left=D(4)),
    ]
    found = told(documents=documents, lines=[line()])
    assert [(s.ref, s.qty, s.day) for s in found.facts.supplies] == [("work_order|WO-2", 4, 4)]
    assert quantities(found) == [("PUMP@TC", 4)]


def test_a_work_order_that_waits_takes_what_no_document_brings_it():
    bought = Document(PURCHASE, "PO-1", "SHAFT", "TC", D(20), D(20), TODAY, on(3), "WO-1")
    found = told(documents=[work_order(), bought])
    assert {(n.part, n.qty, n.day, n.ref) for n in found.facts.needs} == {
        ("SHAFT@TC", 2, 2, "WO-1"),
        ("GREASE@TC", 500, 2, "WO-1"),
    }


def test_a_work_order_that_runs_has_its_components_already():
    assert told(documents=[work_order(waits=False)]).facts.needs == []


def test_allocated_pieces_serve_released_work_first_and_then_known_lines():
    levels = [Level("SHAFT", "TC", D(25), D(25)), Level("PUMP", "TC", D(4), D(4))]
    found = told(levels=levels, documents=[work_order()], lines=[line()])
    assert [n.part for n in found.facts.needs] == ["GREASE@TC"]
    assert quantities(found) == [("PUMP@TC", 6)]


def test_what_we_reserved_is_kept_before_all_else_and_not_asked_for_twice():
    kept = Kept("R/1", 7, "SO-1/10", "PUMP", "TC", D(4), on(9), fresh=False)
    found = told(lines=[line(kept=D(4))], kept=[kept])
    first, second = found.facts.lines
    assert (first.name, first.qty, first.wish, first.priority) == ("R/1", 4, 9, 0)
    assert (second.name, second.qty, second.priority) == ("SO-1/10", 6, 1)


def served(*rule):
    """(Priority, line) in the order of service by a rule; lines of which each is first by one."""
    lines = [
        line(no="late", promise=on(40), entry=(on(-9), 1), ref=""),
        line(no="small", customer_class="C", promise=on(1), entry=(on(-9), 2), ref=""),
        line(no="early", promise=on(30), entry=(on(-2), 3), wish=on(29), ref=""),
        line(no="dear", customer_class="B", promise=on(30), entry=(on(-5), 4), each=D(9), ref=""),
    ]
    by = {"serve_by": [ServeBy(word) for word in rule]} if rule else {}
    found = sorted(told(lines=lines, **by).facts.lines, key=lambda one: (one.priority, one.rank))
    return [(one.priority, one.name) for one in found]


def test_lines_are_served_by_class_and_then_by_first_promise():
    assert served() == [(1, "early"), (1, "late"), (2, "dear"), (3, "small")]
    assert served("class", "promise", "entry") == served()


def test_inside_a_class_the_rest_of_the_rule_puts_lines_in_order():
    assert served("class", "entry") == [(1, "late"), (1, "early"), (2, "dear"), (3, "small")]


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("promise", ["small", "dear", "early", "late"]),
        ("promise class", ["small", "early", "dear", "late"]),
        ("entry", ["late", "small", "dear", "early"]),
        ("value", ["dear", "late", "small", "early"]),
        ("wish", ["early", "late", "small", "dear"]),
    ],
)
def test_a_rule_that_does_not_begin_with_the_class_serves_all_lines_together(rule, names):
    assert served(*rule.split()) == [(1, name) for name in names]


def test_a_day_late_costs_the_value_that_waits_and_more_of_the_first_classes():
    each = D("12.50")
    lines = [
        line(no="A", each=each, ref=""),
        line(no="C", customer_class="C", kept=D(4), each=each, ref=""),
        line(no="free", customer_class="C", ref=""),
    ]
    kept = [
        Kept("R/1", 7, "C", "PUMP", "TC", D(4), on(9), fresh=False),
        Kept("H/1", 8, "Q-1/10", "PUMP", "TC", D(2), on(9), fresh=False),
    ]
    found = {one.name: one.value for one in told(lines=lines, kept=kept).facts.lines}
    assert found == {"A": 375, "C": 75, "free": 1, "R/1": 50, "H/1": 125}


def policies(*lines):
    """Of each line as the engine is told it: group, shipments, least, most days late."""
    found = told(lines=lines).facts.lines
    return [(one.together, one.shipments, one.least, one.max_late) for one in found]


def of(no, *, leaves_with="", least=None, max_late=None, complete=False, **facts):
    policy = Policy(leaves_with, least, max_late, complete)
    return line(no=no, ref="", policy=policy, **facts)


def test_a_line_without_a_policy_leaves_alone_and_whole_on_any_day():
    assert policies(of("SO-1/10")) == [("", 1, 1, None)]


def test_lines_of_one_order_with_one_label_leave_together():
    lines = [
        of("SO-1/10", leaves_with="A"),
        of("SO-1/20", leaves_with="A", wish=on(40)),
        of("SO-1/30", leaves_with="B"),
        of("SO-2/10", leaves_with="A"),
    ]
    assert [group for group, *_ in policies(*lines)] == ["SO-1|A", "SO-1|A", "SO-1|B", "SO-2|A"]


def test_the_least_shipment_is_told_in_the_pieces_of_the_engine():
    lines = [of("SO-1/10", least=D(4)), of("SO-1/20", item="GREASE", least=D("0.25"))]
    assert policies(*lines) == [("", 2, 4, None), ("", 2, 250, None)]


def test_a_complete_delivery_is_one_for_each_wish_and_never_in_parts():
    terms = {"complete": True, "leaves_with": "A", "least": D(4)}
    lines = [of("SO-1/10", **terms), of("SO-1/20", **terms), of("SO-1/30", **terms, wish=on(90))]
    assert policies(*lines) == [
        ("SO-1|2026-12-16", 1, 1, None),
        ("SO-1|2026-12-16", 1, 1, None),
        ("SO-1|2027-02-14", 1, 1, None),
    ]


@pytest.mark.parametrize(("kept", "shipments"), [(0, [2, 2]), (4, [1, 1]), (10, [1])])
def test_lines_of_which_others_bring_some_are_not_cut(kept, shipments):
    lines = [of("SO-1/10", leaves_with="A", least=D(2), kept=D(kept))]
    lines.append(of("SO-1/20", leaves_with="A", least=D(2)))
    assert [told_as for _, told_as, *_ in policies(*lines)] == shipments


@pytest.mark.parametrize(("wish", "most"), [(30, 5), (-3, 5), (-30, 31)])
def test_what_may_be_no_later_any_more_leaves_today_or_never(wish, most):
    assert policies(of("SO-1/10", max_late=5, wish=on(wish))) == [("", 1, 1, most)]


def test_what_is_past_its_last_day_leaves_on_the_first_day_that_the_customer_receives():
    receiving = {"transit": 2, "receiving": "1111100"}  # on the way on Monday and Tuesday
    assert policies(of("SO-1/10", max_late=0, wish=on(-30), **receiving)) == [("", 1, 1, 33)]


@st.composite
def policied(draw) -> OpenLine:
    """A line of one of two orders with any policy, wished for any day."""
    least = draw(st.sampled_from([None, D(1), D(3)]))
    max_late = draw(st.sampled_from([None, 0, 6]))
    order = draw(st.sampled_from(["SO-1", "SO-2"]))
    wish = on(draw(st.integers(-40, 40)))
    return of(
        f"{order}/{draw(st.integers(1, 99))}",
        leaves_with=draw(st.sampled_from(["", "A"])),
        least=least,
        max_late=max_late,
        complete=order == "SO-2",
        wish=wish,
        promise=wish,
        qty=D(draw(st.integers(1, 12))),
        transit=draw(st.integers(0, 3)),
        receiving=draw(st.sampled_from(["", "1111100", "0010000"])),
    )


@settings(max_examples=25, deadline=None)
@given(st.lists(policied(), max_size=6, unique_by=lambda row: row.no))
def test_a_plan_of_any_policies_keeps_them(lines):
    found = told(lines=lines, levels=[Level("PUMP", "TC", D(15), D(0))])
    book, names, problems = build(found.facts)
    assert (len(names.lines), problems) == (len(lines), [])
    assert check(book, plan_of(book, solve(book))) == []


def test_hours_of_a_full_day_go_on_to_the_next():
    step = OpenStep("WO-1", "M-1", on(-3), on(0), D(12))
    assert spread([step], {"M-1": {0: 8000, 2: 8000}}, TODAY) == [
        ("M-1", 0, 8000),
        ("M-1", 2, 4000),
    ]


def test_a_factor_too_fine_for_the_engine_is_rounded_up():
    exact = Fraction(1_234_567, 10_000_000)
    assert factor(exact) == Fraction(123_457, 10**6)
    assert factor(Fraction(1, 3)) == Fraction(1, 3)
