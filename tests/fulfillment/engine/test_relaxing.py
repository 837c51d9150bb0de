"""What would let a late line leave earlier, and that nothing cheaper of its kind was missed."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings

from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.records import Component, Line
from b2bcrm.fulfillment.planning.engine.relaxing import Limits, relaxations, sent_ahead
from b2bcrm.fulfillment.planning.engine.solving import solve
from tests.fulfillment.engine.plants import plants
from tests.scenarios.plant import buy, facts, make, receipt, weeks

LIMITS = Limits(days=6, hours=4, day_price=100, hour_price=30)


def planned(told) -> Planned:
    book, names, _ = build(told)
    return Planned(book, names, solve(book))


def late_pump():
    """A pump that waits for a body on day 12; ten hours a week, an hour a piece."""
    return facts(
        Line("a", "pump", 5, 7, 1),
        sources=[make("pump", 1, 1, Component("body")), buy("body", 40)],
        supplies=[receipt("body", 5, 12, "PO7")],
        buckets=weeks(10),
    )


def test_the_purchase_order_that_binds_is_to_come_earlier_day_by_day():
    found = relaxations(planned(late_pump()), "a", LIMITS)
    assert {(one.supply, one.amount, one.gained, one.price) for one in found} == {
        (0, n, n, 100 * n) for n in range(1, 7)
    }
    assert {one.price_per_day for one in found} == {100}


def test_overtime_is_told_where_hours_bind():
    told = facts(Line("a", "pump", 12, 7, 1), sources=[make("pump", 1, 1)], buckets=weeks(10))
    found = relaxations(planned(told), "a", LIMITS)
    assert [(one.bucket, one.amount, one.gained, one.price) for one in found] == [(0, 2, 1, 60)]


def test_nothing_is_tried_once_the_time_is_over():
    assert relaxations(planned(late_pump()), "a", LIMITS, lambda: False) == []


def test_a_line_on_time_needs_nothing():
    told = facts(Line("a", "pump", 5, 7, 1), sources=[make("pump", 1, 1)], buckets=weeks(10))
    assert relaxations(planned(told), "a", LIMITS) == []


def test_what_can_leave_of_a_late_line_when_it_is_due_is_found_to_the_piece():
    told = facts(
        Line("a", "pump", 20, 7, 1),
        Line("b", "pump", 4, 7, 0),
        sources=[buy("pump", 40)],
        supplies=[receipt("pump", 11, 6), receipt("pump", 40, 16)],
    )
    plan = planned(told)
    assert sent_ahead(plan, "a") == (7, 9)
    assert sent_ahead(plan, "b") == (0, 0)


def test_nothing_is_sent_ahead_of_lines_that_leave_together_or_have_nothing_in_time():
    both = [Line(name, "pump", 5, 7, 1, together="S") for name in "ab"]
    told = facts(*both, sources=[buy("pump", 40)], supplies=[receipt("pump", 4, 6)])
    assert sent_ahead(planned(told), "a") == (0, 0)
    told = facts(Line("a", "pump", 5, 7), sources=[buy("pump", 40)])
    assert sent_ahead(planned(told), "a") == (0, 0)


def alone(told):
    """The facts with their first line only, and nothing kept back."""
    parts = [replace(part, safety=0) for part in told.parts]
    supplies = [
        replace(one, day=max(0, one.day), ref=f"S{n}") for n, one in enumerate(told.supplies)
    ]
    line = told.lines[0]
    lines = [replace(line, wish=min(line.wish, 12), qty=line.qty // 4 + 1, max_late=None)]
    return replace(told, lines=lines, needs=[], loads=[], parts=parts, supplies=supplies)


def all_changes(told):
    """Every change within the limits: its price and the facts after it."""
    for n, one in enumerate(told.supplies):
        for days in range(1, min(LIMITS.days, one.day) + 1 if one.day < told.horizon else 0):
            earlier = replace(one, day=one.day - days)
            yield (
                100 * days,
                replace(told, supplies=[*told.supplies[:n], earlier, *told.supplies[n + 1 :]]),
            )
    for n, one in enumerate(told.buckets):
        for hours in range(1, LIMITS.hours + 1):
            more = replace(one, hours=one.hours + 1000 * hours)
            yield (
                30 * hours,
                replace(told, buckets=[*told.buckets[:n], more, *told.buckets[n + 1 :]]),
            )


def leaves(told) -> int:
    """The day on which the only line leaves; the horizon where it does not."""
    day = int(planned(told).ledger.unit_day[0])
    return day if day >= 0 else told.horizon


@given(plants())
@settings(max_examples=30)
def test_by_brute_force_no_expedited_supply_or_overtime_is_cheaper(plant):
    told = alone(plant)
    plan = planned(told)
    if not plan.names.lines or 0 <= plan.ledger.unit_day[0] <= plan.book.unit_due[0]:
        return
    base, cheapest = leaves(told), {}
    for price, changed in all_changes(told):
        gained = base - leaves(changed)
        if gained > 0:
            cheapest[gained] = min(price, cheapest.get(gained, price))
    found = relaxations(plan, plan.names.lines[0], LIMITS)
    for gained, price in cheapest.items():
        assert min(one.price for one in found if one.gained >= gained) <= price
    for one in found:
        assert cheapest[one.gained] <= one.price
