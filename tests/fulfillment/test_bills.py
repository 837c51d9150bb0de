"""Bills of material in time: which rows the engine is told for which days, and substitutes."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest

from b2bcrm.fulfillment.planning.atp import PURCHASE
from b2bcrm.fulfillment.planning.engine.records import Kind
from b2bcrm.fulfillment.planning.plant import BUY, MAKE, BomLine, Document, ItemRow
from tests.fulfillment.test_plant import line, on, told, work_order

D = Decimal
ALL = [
    ItemRow("PUMP", MAKE, "PCS", 20, D(1)),
    ItemRow("VALVE", MAKE, "PCS", 20, D(1)),
    *(ItemRow(no, BUY, "PCS", 10, D(1)) for no in ("SHAFT", "ROD", "AXLE")),
]
AGO, NEVER = on(-400), on(900)


def row(component, item="PUMP", qty="1", **facts):
    """A row of a bill that always holds, unless it is said otherwise."""
    return BomLine(item, component, D(qty), D(0), "PCS", **facts)


def bills(*rows, **more):
    return told(items=more.pop("items", ALL), bom=list(rows), steps=[], **more)


def ways(found, part="PUMP@TC", kind=Kind.MAKE):
    """First and last day on which an order may start, and what it takes, as preferred."""
    return [
        (s.fence, s.until, {c.part: c.qty for c in s.operations[0].components})
        for s in found.facts.sources
        if s.part == part and s.kind is kind
    ]


def instead(found, part="SHAFT@TC"):
    return ways(found, part, Kind.MOVE)


def named(found):
    return [(problem.kind, problem.name) for problem in found.problems]


def test_from_the_day_of_a_change_on_the_item_is_made_of_other_components():
    found = bills(row("SHAFT", valid_to=on(29)), row("ROD", valid_from=on(30)), row("AXLE"))
    assert ways(found) == [
        (30, None, {"ROD@TC": 1, "AXLE@TC": 1}),
        (0, 29, {"SHAFT@TC": 1, "AXLE@TC": 1}),
    ]
    assert found.problems == []


def test_rows_of_other_days_leave_a_bill_as_it_always_was():
    found = bills(row("SHAFT"), row("ROD", valid_to=on(-1)), row("AXLE", valid_from=NEVER))
    assert ways(found) == [(0, None, {"SHAFT@TC": 1})]


def test_a_component_that_two_rows_name_on_a_day_is_taken_twice():
    found = bills(row("SHAFT", valid_from=AGO), row("SHAFT", qty="2", valid_from=on(5)))
    (_, second), (_, first) = [
        (s.fence, s.operations[0].components) for s in found.facts.sources if s.part == "PUMP@TC"
    ]
    assert [[c.qty for c in components] for components in (first, second)] == [[1], [1, 2]]


def test_an_item_is_not_made_while_no_row_of_its_bill_holds():
    gap = bills(row("SHAFT", valid_to=on(9)), row("ROD", valid_from=on(20)))
    assert [(first, until) for first, until, _ in ways(gap)] == [(20, None), (0, 9)]
    assert named(gap) == [("bill of material with a gap", "PUMP")]
    over = bills(row("SHAFT", valid_to=on(-1)))
    assert (ways(over), named(over)) == ([], [("bill of material with a gap", "PUMP")])


def test_a_bill_that_is_yet_to_begin_is_no_fault():
    found = bills(row("SHAFT", valid_from=on(20)))
    assert (ways(found), found.problems) == ([(20, None, {"SHAFT@TC": 1})], [])


def test_a_work_order_that_waits_takes_what_holds_on_its_first_day():
    documents = [work_order("WO-1", start=on(9)), work_order("WO-2", start=on(10))]
    rows = [
        row("SHAFT", valid_to=on(9)),
        row("ROD", qty="2", valid_from=on(10)),
        row("ROD", qty="3", valid_from=on(5)),
        row("AXLE", stands_in_for="SHAFT"),
    ]
    found = bills(*rows, documents=documents)
    assert {(need.ref, need.part, need.qty) for need in found.facts.needs} == {
        ("WO-1", "SHAFT@TC", 10),
        ("WO-1", "ROD@TC", 30),
        ("WO-2", "ROD@TC", 50),
    }


@pytest.mark.parametrize(("brought", "left"), [(5, 15), (20, 0)])
def test_what_is_bought_of_a_substitute_for_a_work_order_is_not_needed_of_the_component(
    brought, left
):
    rods = Document(PURCHASE, "PO-1", "ROD", "TC", D(brought), D(brought), on(0), on(3), "WO-1")
    rows = [row("SHAFT", qty="2"), row("ROD", qty="2", stands_in_for="SHAFT"), row("AXLE")]
    found = bills(*rows, documents=[work_order("WO-1"), rods])
    needs = {need.part: need.qty for need in found.facts.needs}
    assert needs == {"AXLE@TC": 10} | ({"SHAFT@TC": left} if left else {})


def test_a_substitute_of_which_nothing_would_be_taken_stands_in_for_nothing():
    rods = Document(PURCHASE, "PO-1", "ROD", "TC", D(5), D(5), on(0), on(3), "WO-1")
    rows = [row("SHAFT"), row("ROD", qty="0", stands_in_for="SHAFT")]
    found = bills(*rows, documents=[work_order("WO-1"), rods])
    assert [(need.part, need.qty) for need in found.facts.needs] == [("SHAFT@TC", 10)]
    assert instead(found) == []


def test_a_substitute_is_another_source_of_what_it_stands_in_for():
    found = bills(
        row("SHAFT", qty="2"), row("ROD", qty="3", stands_in_for="SHAFT", valid_from=on(7))
    )
    (source,) = [s for s in found.facts.sources if s.kind is Kind.MOVE]
    assert (source.part, source.days, source.fence, source.until) == ("SHAFT@TC", 0, 7, None)
    assert source.stands_in
    assert [(c.part, c.qty) for c in source.operations[0].components] == [
        ("ROD@TC", Fraction(3, 2))
    ]
    assert ways(found) == [(0, None, {"SHAFT@TC": 2})]


def test_a_substitute_that_holds_for_some_days_is_taken_on_them():
    rows = [
        row("SHAFT", qty="2", valid_to=on(19)),
        row("SHAFT", qty="4", valid_from=on(20)),
        row("ROD", qty="2", stands_in_for="SHAFT", valid_from=on(10), valid_to=on(29)),
    ]
    assert instead(bills(*rows)) == [
        (10, 19, {"ROD@TC": 1}),
        (20, 29, {"ROD@TC": Fraction(1, 2)}),
    ]


def test_days_of_other_rows_do_not_cut_what_stays_the_same():
    rows = [
        row("SHAFT", valid_to=on(19)),
        row("SHAFT", valid_from=on(20)),
        row("ROD", stands_in_for="SHAFT"),
    ]
    assert instead(bills(*rows)) == [(0, None, {"ROD@TC": 1})]


@pytest.mark.parametrize(
    ("more", "planned"),
    [
        ([row("ROD", item="VALVE", stands_in_for="SHAFT")], [(0, None, {"ROD@TC": 1})]),
        ([row("ROD", item="VALVE", qty="2", stands_in_for="SHAFT")], []),
        ([], []),
    ],
    ids=["in all parents", "in another ratio", "in one of two"],
)
def test_a_substitute_is_planned_where_all_parents_allow_it_alike(more, planned):
    rows = [row("SHAFT"), row("SHAFT", item="VALVE"), row("ROD", stands_in_for="SHAFT"), *more]
    found = bills(*rows)
    assert instead(found) == planned
    kind = "substitute that some uses do not allow"
    assert named(found) == ([] if planned else [(kind, "SHAFT@TC")])


def test_a_parent_counts_only_on_days_on_which_it_takes_the_component():
    rows = [
        row("SHAFT"),
        row("ROD", stands_in_for="SHAFT"),
        row("SHAFT", item="VALVE", valid_to=on(9)),
        row("AXLE", item="VALVE"),
    ]
    found = bills(*rows)
    assert instead(found) == [(10, None, {"ROD@TC": 1})]
    assert named(found) == [("substitute that some uses do not allow", "SHAFT@TC")]


@pytest.mark.parametrize(
    "sold",
    [
        {"items": [one._replace(sold=one.no == "SHAFT") for one in ALL]},
        {"lines": [line(item="SHAFT")]},
    ],
    ids=["for sale", "ordered"],
)
def test_a_customer_who_orders_the_component_itself_gets_no_substitute(sold):
    found = bills(row("SHAFT"), row("ROD", stands_in_for="SHAFT"), **sold)
    assert instead(found) == []
    assert named(found) == [("substitute that some uses do not allow", "SHAFT@TC")]


def test_a_substitute_in_another_unit_than_it_is_kept_in_is_named_and_not_planned():
    rows = [row("SHAFT"), row("ROD", stands_in_for="SHAFT")._replace(unit="KG")]
    found = bills(*rows)
    assert instead(found) == []
    assert named(found) == [("unit that does not convert", "SHAFT@TC")]
    assert ways(found) == [(0, None, {"SHAFT@TC": 1})]


def needs_of(*rows, documents):
    waiting = work_order(qty=D(10), left=D(10), start=on(2))
    found = bills(*rows, documents=[waiting, *documents])
    return {need.part: need.qty for need in found.facts.needs}


def pegged(item, left):
    return Document(PURCHASE, "PO-1", item, "TC", D(left), D(left), on(0), on(1), "WO-1")


def test_what_is_pegged_of_a_substitute_counts_by_the_row_of_the_day_alone():
    later = row("ROD", stands_in_for="SHAFT", valid_from=on(30))
    first = row("ROD", stands_in_for="SHAFT", valid_to=on(29))
    assert needs_of(row("SHAFT"), first, later, documents=[pegged("ROD", 4)]) == {"SHAFT@TC": 6}


def test_what_is_pegged_of_a_substitute_is_spent_once():
    rows = [row("SHAFT"), row("AXLE")]
    rows += [row("ROD", stands_in_for=no) for no in ("SHAFT", "AXLE")]
    found = needs_of(*rows, documents=[pegged("ROD", 14)])
    assert found == {"AXLE@TC": 6}
