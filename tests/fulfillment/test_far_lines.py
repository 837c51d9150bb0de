"""Order lines of far dates: the ERP gives a date and plans their supply much later."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from b2bcrm.fulfillment.planning.chain import outlook
from b2bcrm.fulfillment.planning.facts import Buy, Line, Supplies
from b2bcrm.fulfillment.planning.verdict import Terms, judge
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.orders.lifecycle import OrderState, Stage, Status

D = Decimal
TODAY = dt.date(2026, 11, 17)
CAL = WorkCalendar("TW")
TERMS = Terms(
    state=OrderState.CONFIRMED,
    hold_reason=None,
    credit_hold=False,
    partial_delivery=True,
    known_to_erp=True,
)
FAR = Line(
    ref="418/20",
    line_no=20,
    item="SW-25",
    ordered=D(60),
    shipped=D(0),
    delivered=D(0),
    promised_on=dt.date(2027, 6, 21),
    planned_on=dt.date(2027, 6, 18),
    incoterm="DAP",
    transit_days=3,
    receiving_days="1111100",
    calendar=CAL,
    lead_days=23,
)


def due_in(days: int, **facts) -> Line:
    """The line, planned to leave and promised in ``days`` working days."""
    day = CAL.add_days(TODAY, days)
    return replace(FAR, planned_on=day, promised_on=day, incoterm="FCA", **facts)


def test_a_line_of_a_far_date_is_on_track_by_its_lead_time():
    verdict = judge({1: FAR}, Supplies(), TERMS, TODAY)[1]
    assert (verdict.status, verdict.stage, verdict.why) == (Status.OK, Stage.MATERIAL, None)
    assert verdict.view.projected_on == FAR.promised_on
    assert verdict.view.ready_on == CAL.add_days(TODAY, 23)
    assert verdict.view.buffer == CAL.days_between(verdict.view.ready_on, dt.date(2027, 6, 18))
    assert str(verdict.progress.now_at) == "Not started yet"


@pytest.mark.parametrize(
    ("days", "lead_days", "expected"),
    [(25, 23, Status.OK), (24, 23, Status.RISK), (10, 23, Status.RISK), (90, 0, Status.RISK)],
)
def test_without_supply_a_line_is_at_risk_as_soon_as_its_lead_time_would_not_do(
    days, lead_days, expected
):
    verdict = judge({1: due_in(days, lead_days=lead_days)}, Supplies(), TERMS, TODAY)[1]
    assert verdict.status is expected


@pytest.mark.parametrize(("days", "source"), [(65, "stock"), (66, "plan")])
def test_pieces_that_lie_there_are_not_those_of_a_line_beyond_a_quarter(days, source):
    assert outlook(due_in(days, on_hand=D(60)), Supplies(), TODAY).source == source


def test_what_is_bought_for_a_line_has_begun():
    buy = Buy(
        no="PO-1", line_no=1, item="SW-25", supplier="Kao-Feng", qty=D(60), received=D(0),
        due_on=dt.date(2027, 5, 3), first_on=dt.date(2027, 5, 3),
        requested_on=dt.date(2027, 5, 3),
    )  # fmt: skip
    verdict = judge({1: FAR}, Supplies(buys={"418/20": [buy]}), TERMS, TODAY)[1]
    assert str(verdict.progress.now_at) == "Material is being prepared"
