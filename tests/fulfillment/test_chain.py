"""Forward dates over a supply tree, the critical chain, causes, and where the pieces stand."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from b2bcrm.fulfillment.planning.chain import outlook
from b2bcrm.fulfillment.planning.explain import explain, rows
from b2bcrm.fulfillment.planning.facts import Buy, Line, Make, Part, Step, Supplies
from b2bcrm.fulfillment.planning.progress import KNOWN_NAMES, measure, word_of
from b2bcrm.fulfillment.planning.verdict import Terms, judge, summary
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.words import render
from b2bcrm.orders.lifecycle import OrderState, Stage, Status
from connectors.erp.twin.parts import CENTERS
from connectors.erp.twin.products import catalogue

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


def on(month: int, number: int) -> dt.date:
    return dt.date(2026, month, number)


def line(**facts) -> Line:
    values = {
        "ref": "418/20",
        "line_no": 20,
        "item": "SW-25",
        "ordered": D(60),
        "shipped": D(0),
        "delivered": D(0),
        "promised_on": on(12, 15),
        "planned_on": None,
        "incoterm": "DAP",
        "transit_days": 3,
        "receiving_days": "1111100",
        "calendar": CAL,
    }
    return Line(**(values | facts))


def make(no="WO-2", **facts) -> Make:
    values = {
        "no": no,
        "item": "SW-25",
        "qty": D(60),
        "completed": D(0),
        "status": "planned",
        "start_on": on(12, 1),
        "end_on": on(12, 4),
        "first_end_on": on(12, 4),
    }
    return Make(**(values | facts))


def buy(**facts) -> Buy:
    values = {
        "no": "PO-33107",
        "line_no": 1,
        "item": "RB-25",
        "supplier": "Tai-Hung",
        "qty": D(60),
        "received": D(0),
        "due_on": on(11, 20),
        "first_on": on(11, 20),
        "requested_on": on(11, 20),
    }
    return Buy(**(values | facts))


def late_blanks(due=dt.date(2026, 11, 30)) -> Supplies:
    """Assembly over a flexspline over ring blanks that come on 30 Nov instead of 20 Nov."""
    spline = make(
        "WO-1", item="FS-25", start_on=on(11, 23), end_on=on(11, 27), first_end_on=on(11, 27)
    )
    top = make(start_on=on(11, 30), end_on=on(12, 4))
    return Supplies(
        {"418/20": [top], "WO-2": [spline]},
        {"WO-1": [buy(due_on=due)], "WO-2": [buy(no="PO-9", item="WG-25")]},
    )


def test_on_plan_the_line_leaves_the_day_after_its_work_order_ends():
    view = outlook(line(), late_blanks(due=on(11, 20)), TODAY)
    assert view.ready_on == on(12, 7)
    assert view.projected_on == on(12, 10)
    assert view.buffer == 4  # working days from 7 Dec to 11 Dec, the last day to leave


def test_a_late_purchase_moves_everything_above_it():
    view = outlook(line(), late_blanks(), TODAY)
    assert [node.no for node in view.driver()] == ["WO-2", "WO-1", "PO-33107"]
    assert view.tops[0].end_on == on(12, 14)  # six working days later
    assert view.projected_on == on(12, 18)
    assert view.buffer == -3


def test_what_does_not_drive_the_date_has_slack():
    tree = {row["no"]: row for row in rows(outlook(line(), late_blanks(), TODAY).tops)}
    assert not tree["PO-9"]["critical"]
    assert tree["PO-9"]["slack"] == 11
    assert tree["PO-33107"]["slack"] == 0
    assert tree["PO-33107"]["delay"] == 6


def test_the_cause_is_the_purchase_and_the_next_step_names_the_day_that_helps():
    view = outlook(line(), late_blanks(), TODAY)
    why = explain(line(), view, TODAY)
    assert why.kind == "material"
    assert str(why.cause) == "PO-33107 (RB-25) comes on Mon 30 Nov 2026, not Fri 20 Nov 2026."
    assert str(why.next_step) == "Have PO-33107 delivered by Wed 25 Nov 2026."


def test_nothing_unfinished_is_ready_before_today():
    view = outlook(
        line(), Supplies({"418/20": [make(end_on=on(11, 2), start_on=on(11, 2))]}), TODAY
    )
    assert view.tops[0].end_on >= TODAY


def test_an_overdue_purchase_asks_for_a_date():
    found = Supplies({}, {"418/20": [buy(due_on=on(11, 10), first_on=on(11, 10))]})
    one = line(promised_on=on(11, 18))
    why = explain(one, outlook(one, found, TODAY), TODAY)
    assert str(why.next_step) == "Ask the supplier of PO-33107 for a date."


def running(qty_done: int) -> Supplies:
    steps = (
        Step(
            step_no=10,
            name="Grind",
            center="Grinding G-3",
            station="grinding",
            done=False,
            qty_done=D(qty_done),
            start_on=on(11, 9),
            end_on=on(11, 18),
            hours=D(80),
        ),
        Step(
            step_no=20,
            name="Test",
            center="Test bench",
            station="test",
            done=False,
            qty_done=D(0),
            start_on=on(11, 19),
            end_on=on(11, 20),
            hours=D(20),
        ),
    )
    return Supplies(
        {
            "418/20": [
                make(
                    status="running",
                    started_on=on(11, 9),
                    start_on=on(11, 9),
                    end_on=on(11, 20),
                    first_end_on=on(11, 20),
                    steps=steps,
                )
            ]
        }
    )


def test_a_running_work_order_in_step_with_its_plan_keeps_its_end():
    assert outlook(line(), running(48), TODAY).tops[0].end_on == on(11, 20)


def test_a_running_work_order_behind_its_plan_slips_and_names_the_work_centre():
    one = line(promised_on=on(11, 26))
    view = outlook(one, running(15), TODAY)
    assert view.tops[0].end_on == on(11, 26)  # six of eight days are still to be worked
    why = explain(one, view, TODAY)
    assert why.kind == "capacity"
    assert str(why.cause) == "WO-2 is 4 wd behind plan at Grinding G-3."


def test_a_work_centre_that_we_know_is_named_in_the_readers_language():
    one = line(promised_on=on(11, 26))
    found = running(15)
    steps = found.makes["418/20"][0].steps
    named = replace(found.makes["418/20"][0], steps=(replace(steps[0], center="Packing"), steps[1]))
    why = explain(one, outlook(one, Supplies({"418/20": [named]}), TODAY), TODAY)
    assert render(why.cause, "zh_Hans") == "WO-2 在“包装”落后计划 4 个工作日。"
    assert render(why.next_step, "zh_Hant") == "在「包裝」加快 WO-2。"


def test_all_names_of_the_twin_are_known_and_others_stay_as_they_are():
    parts = catalogue(full=True).values()
    names = {center.name for center in CENTERS} | {step.name for p in parts for step in p.steps}
    assert names == {message.id for message in KNOWN_NAMES}
    assert word_of("Grinding G-3") == "Grinding G-3"


def test_quantities_are_stored_without_trailing_zeros():
    blanks = buy(qty=D("1200.0000"))
    tree = rows(outlook(line(), Supplies({}, {"418/20": [blanks]}), TODAY).tops)
    assert [(row["qty"], row["short"]) for row in tree] == [("1200", "0")]
    found = measure(line(ordered=D("60.0000")), running(48), TODAY, in_stock=False)
    assert found.stations["test"]["qty"] == "48"


def test_a_part_without_supply_waits_for_its_lead_time():
    part = Part(item="SEAL-52", need=D(60), on_hand=D(10), lead_days=20)
    one = line()
    view = outlook(one, Supplies({"418/20": [make(parts=(part,))]}), TODAY)
    assert view.driver()[-1].end_on == CAL.add_days(TODAY, 20)
    assert str(explain(one, view, TODAY).cause) == "SEAL-52 is 50 short and nothing is ordered."


def test_a_part_in_stock_holds_nothing_up():
    part = Part(item="SEAL-52", need=D(60), on_hand=D(60), allocated=D(60))
    view = outlook(line(), Supplies({"418/20": [make(parts=(part,))]}), TODAY)
    assert [node.no for node in view.driver()] == ["WO-2"]


def test_a_line_from_stock_is_ready_today_and_has_no_buffer_to_lose():
    view = outlook(line(on_hand=D(100), planned_on=on(12, 11)), Supplies(), TODAY)
    assert view.source == "stock"
    assert view.ready_on == TODAY
    assert view.projected_on == on(12, 14)
    assert view.buffer is None


def test_a_line_the_erp_will_ship_late_is_late_though_it_is_ready():
    one = line(on_hand=D(100), planned_on=on(12, 18))
    verdict = judge({1: one}, Supplies(), TERMS, TODAY)[1]
    assert verdict.status is Status.LATE
    assert verdict.why.kind == "shipping"


def test_before_the_erp_knows_the_line_its_reservation_counts():
    view = outlook(line(ref="", reserved_on=on(11, 30)), Supplies(), TODAY)
    assert view.source == "reservation"
    assert view.projected_on == on(12, 3)


@pytest.mark.parametrize(("incoterm", "expected"), [("DAP", on(12, 10)), ("FCA", on(12, 7))])
def test_only_d_terms_count_the_way_to_the_customer(incoterm, expected):
    view = outlook(line(incoterm=incoterm), late_blanks(due=on(11, 20)), TODAY)
    assert view.projected_on == expected


def test_each_piece_stands_at_one_station():
    found = measure(line(), running(48), TODAY, in_stock=False)
    here = {code: cell["qty"] for code, cell in found.stations.items() if cell["state"] == "here"}
    assert here == {"grinding": "12", "test": "48"}
    assert found.stations["turning"]["state"] == "none"
    assert found.stations["prep"]["state"] == "past"
    assert str(found.now_at) == "Inspection, 48 of 60"


def test_hours_make_the_progress_and_the_plan():
    found = measure(line(), running(48), TODAY, in_stock=False)
    assert found.production_pct == 64  # 48 of 60 pieces through 80 of 100 hours
    assert found.plan_pct == 60  # six of eight days of grinding


def test_pieces_wait_for_material_while_a_part_is_missing():
    found = measure(line(), late_blanks(), TODAY, in_stock=False)
    assert found.stations["prep"] == {"state": "here", "qty": "60"}
    assert found.material == 0
    assert str(found.now_at) == "Material is being prepared"


def test_the_worst_line_decides_for_the_order():
    lines = {1: line(ref="418/10", line_no=10, on_hand=D(99)), 2: line()}
    verdicts = judge(lines, late_blanks(), TERMS, TODAY)
    assert verdicts[1].status is Status.OK
    found = summary(verdicts, TERMS, TODAY)
    assert (found.decides, found.status, found.stage) == (2, Status.LATE, Stage.MATERIAL)
    assert (found.promised_on, found.projected_on) == (on(12, 15), on(12, 18))


def test_delivery_in_parts_shows_the_next_line_where_nothing_is_wrong():
    lines = {
        1: line(ref="418/10", line_no=10, on_hand=D(99), promised_on=on(12, 28)),
        2: line(ref="418/20", on_hand=D(99), promised_on=on(12, 21)),
        3: line(ref="418/30", shipped=D(60), delivered=D(60), promised_on=on(11, 16)),
    }
    found = summary(judge(lines, Supplies(), TERMS, TODAY), TERMS, TODAY)
    assert (found.decides, found.promised_on, found.status) == (2, on(12, 21), Status.OK)


WHOLE = replace(TERMS, partial_delivery=False)


def whole(lines, supplies=None):
    verdicts = judge(lines, supplies or Supplies(), WHOLE, TODAY)
    return verdicts, summary(verdicts, WHOLE, TODAY)


def test_a_complete_delivery_has_the_last_date_of_its_lines():
    """Line 20 was promised anew for 28 Dec and is expected on 24 Dec; line 10 stays as it was."""
    lines = {
        1: line(ref="418/10", line_no=10, planned_on=on(12, 18), promised_on=on(12, 21)),
        2: line(planned_on=on(12, 21), promised_on=on(12, 28)),
    }
    verdicts, found = whole(lines)
    assert verdicts[1].view.projected_on == on(12, 21)
    assert verdicts[2].view.projected_on == on(12, 24)
    assert (found.promised_on, found.projected_on) == (on(12, 28), on(12, 24))
    assert (found.decides, found.status) == (2, Status.OK)
    assert found.verdict.why is None


def test_a_late_line_leaves_a_complete_delivery_in_time_while_the_whole_is():
    lines = {
        1: line(ref="418/10", line_no=10, on_hand=D(99), promised_on=on(12, 28)),
        2: line(),
    }
    verdicts, found = whole(lines, late_blanks())
    assert verdicts[2].status is Status.LATE
    assert (found.promised_on, found.projected_on) == (on(12, 28), on(12, 18))
    assert (found.status, found.decides) == (Status.OK, 2)
    assert found.verdict.view.buffer == 8  # ready 15 Dec, leaves 25 Dec at the latest


def test_the_line_that_makes_a_complete_delivery_late_decides_with_its_cause():
    lines = {
        1: line(ref="418/10", line_no=10, on_hand=D(99), planned_on=on(12, 18)),
        2: line(promised_on=on(12, 10)),
    }
    verdicts, found = whole(lines, late_blanks(due=on(12, 4)))
    assert {v.status for v in verdicts.values()} == {Status.LATE}
    assert (found.decides, found.status) == (2, Status.LATE)
    assert (found.promised_on, found.projected_on) == (on(12, 15), on(12, 24))
    assert str(found.verdict.reason) == "Late 7 wd"
    assert found.verdict.why.kind == "material"
    assert found.projected_on == max(v.view.projected_on for v in verdicts.values())


def test_a_complete_delivery_is_not_promised_while_one_line_is_not():
    lines = {1: line(ref="418/10", line_no=10, on_hand=D(99)), 2: line(promised_on=None)}
    _verdicts, found = whole(lines, late_blanks())
    assert (found.decides, found.status, found.promised_on) == (2, Status.RISK, None)
    assert found.verdict.why.kind == "data"


def test_a_complete_delivery_is_done_with_its_last_line():
    done = {"shipped": D(60), "delivered": D(60), "shipped_on": on(11, 12)}
    lines = {
        1: line(ref="418/10", line_no=10, promised_on=on(11, 20), **done),
        2: line(promised_on=None, **done),
    }
    _verdicts, found = whole(lines)
    assert (found.status, found.stage) == (Status.DONE, Stage.DELIVERED)
    assert found.promised_on == on(11, 20)


def test_a_finished_line_names_the_line_it_waits_for_when_the_order_ships_complete():
    lines = {1: line(ref="418/10", line_no=10, on_hand=D(99), promised_on=on(11, 16)), 2: line()}
    terms = Terms(**{**vars(TERMS), "partial_delivery": False})
    why = judge(lines, late_blanks(), terms, TODAY)[1].why
    assert str(why.cause) == "Ready; the order ships complete and waits for line 20."


def test_a_hold_is_a_risk_with_its_reason():
    terms = Terms(**{**vars(TERMS), "hold_reason": "Drawing release missing"})
    verdict = judge({1: line(on_hand=D(99))}, Supplies(), terms, TODAY)[1]
    assert (verdict.status, verdict.why.kind) == (Status.RISK, "customer")


def test_a_reference_that_leads_back_to_itself_ends():
    found = Supplies({"418/20": [make()], "WO-2": [make()]})
    assert outlook(line(), found, TODAY).ready_on is not None
