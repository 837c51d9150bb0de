"""What delivery policies do to dates and to what is said of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from b2bcrm.fulfillment.planning.facts import Planned, Supplies
from b2bcrm.fulfillment.planning.policies import in_two, outlooks
from b2bcrm.fulfillment.planning.verdict import Terms, judge
from b2bcrm.orders.lifecycle import OrderState, Status
from tests.fulfillment.test_chain import TODAY, buy, line, make, on

D = Decimal
TERMS = Terms(
    state=OrderState.CONFIRMED,
    hold_reason=None,
    credit_hold=False,
    partial_delivery=True,
    known_to_erp=True,
)


def of(no, **facts):
    """60 pieces that are fetched at our door."""
    known = {"ref": f"418/{no}", "line_no": no, "incoterm": "EXW", "transit_days": 0}
    return line(**(known | facts))


def pair(**facts):
    """The first line's pieces are there on 10 December, the second one's on the 4th."""
    lines = {10: of(10, **facts), 20: of(20, **facts)}
    made = {"418/10": [make(end_on=on(12, 10))], "418/20": [make(end_on=on(12, 4), no="WO-2")]}
    return lines, Supplies(made, {})


def test_lines_that_leave_together_leave_when_the_last_of_them_can():
    views = outlooks(*pair(leaves_with="A"), TODAY)
    assert [(v.ready_on, v.ship_on) for v in views.values()] == [
        (on(12, 11), on(12, 11)),
        (on(12, 7), on(12, 11)),
    ]


def test_lines_without_a_label_or_with_different_ones_do_not_wait():
    alone, supplies = pair()
    assert [v.ship_on for v in outlooks(alone, supplies, TODAY).values()] == [
        on(12, 11),
        on(12, 7),
    ]
    other = {10: of(10, leaves_with="A"), 20: of(20, leaves_with="B")}
    assert outlooks(other, supplies, TODAY)[20].ship_on == on(12, 7)


def test_what_has_left_and_what_nobody_has_planned_hold_up_nobody():
    lines, supplies = pair(leaves_with="A")
    lines[30] = of(30, leaves_with="A", shipped=D(60), shipped_on=on(12, 20))
    lines[40] = of(40, leaves_with="A", ref="", promised_on=None)
    views = outlooks(lines, supplies, TODAY)
    assert [views[n].ship_on for n in (10, 20, 40)] == [on(12, 11), on(12, 11), None]


def test_a_line_that_is_late_for_another_says_for_which():
    lines, supplies = pair(leaves_with="A", promised_on=on(12, 8))
    verdict = judge(lines, supplies, TERMS, TODAY)[20]
    assert verdict.status is Status.LATE
    assert str(verdict.why.cause) == "It leaves with line 10, on Fri 11 Dec 2026."
    assert "It leaves with" not in str(judge(lines, supplies, TERMS, TODAY)[10].why.cause)


NEVER = {"plan": Planned(None, late=True), "latest_on": on(12, 18), "promised_on": on(12, 8)}


def test_what_the_plan_cannot_bring_in_time_is_a_risk_without_a_day():
    verdict = judge({10: of(10, planned_on=on(12, 1), **NEVER)}, Supplies(), TERMS, TODAY)[10]
    assert (verdict.view.projected_on, verdict.status) == (None, Status.RISK)
    assert str(verdict.reason) == "Would come too late"
    assert "by Fri 18 Dec 2026, the last day on which it may come" in str(verdict.why.cause)


def test_past_its_promise_it_is_late_for_the_same_cause():
    late = NEVER | {"promised_on": on(11, 16)}
    verdict = judge({10: of(10, **late)}, Supplies(), TERMS, TODAY)[10]
    assert verdict.status is Status.LATE
    assert "the last day on which it may come" in str(verdict.why.cause)


def test_pieces_that_documents_do_not_bring_leave_the_line_without_a_day_too():
    short = Supplies({"418/10": [make(qty=D(40))]}, {})
    assert judge({10: of(10, **NEVER)}, short, TERMS, TODAY)[10].view.projected_on is None


def test_where_no_last_day_is_said_lead_times_judge_what_the_plan_has_no_day_for():
    facts = NEVER | {"latest_on": None, "planned_on": on(12, 1)}
    verdict = judge({10: of(10, **facts)}, Supplies(), TERMS, TODAY)[10]
    assert verdict.view.projected_on is not None


@pytest.mark.parametrize(("latest", "said"), [(on(12, 12), True), (on(12, 20), False)])
def test_documents_that_bring_it_later_than_it_may_come_say_so(latest, said):
    bought = Supplies({}, {"418/10": [buy(item="SW-25", qty=D(60), due_on=on(12, 15))]})
    lines = {10: of(10, promised_on=on(12, 8), latest_on=latest)}
    verdict = judge(lines, bought, TERMS, TODAY)[10]
    assert ("at the latest" in str(verdict.why.cause)) is said
    assert verdict.status is Status.LATE


def planned(**facts):
    plan = Planned(on(12, 20), late=True, ahead=D(30), ahead_on=on(12, 7))
    return of(10, planned_on=on(12, 8), promised_on=on(12, 8), **{"plan": plan} | facts)


def test_what_the_plan_sends_ahead_leaves_on_the_day_after_it_is_there():
    one = planned()
    (view,) = outlooks({10: one}, Supplies(), TODAY).values()
    assert in_two(one, view) == {"qty": "30", "on": "2026-12-08", "rest_on": "2026-12-21"}


def test_what_lies_ready_or_leaves_at_once_is_not_in_two():
    for one in (planned(on_hand=D(60)), planned(plan=Planned(on(12, 20), late=True))):
        (view,) = outlooks({10: one}, Supplies(), TODAY).values()
        assert in_two(one, view) is None
