"""The ERP's documents under measures: what comes on another day, what waits, what goes back."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from b2bcrm.fulfillment.planning.facts import Buy, Make, Part, Step, Supplies
from b2bcrm.fulfillment.planning.measures import Down, Move, Overtime
from b2bcrm.fulfillment.planning.shifting import earlier, shifted
from b2bcrm.kernel.calendar import WorkCalendar
from tests.fulfillment.conftest import day

D = Decimal
CALENDAR = WorkCalendar("TW")
CENTERS = {"G-2": "Grinding", "P-1": "Packing"}


def step(no, center, first, last, passed=0):
    return Step(
        step_no=no, name=center, center=center, station="x", done=passed == 10,
        qty_done=D(passed), start_on=day(first), end_on=day(last),
    )  # fmt: skip


def make(no, start, end, *steps, first=None, **facts):
    return Make(
        no=no, item="X", qty=D(10), completed=D(0), status=facts.pop("status", "released"),
        start_on=day(start), end_on=day(end), first_end_on=day(first or end), steps=steps, **facts,
    )  # fmt: skip


def buy(no, due, received=0):
    return Buy(
        no=no, line_no=1, item="RAW", supplier="V", qty=D(10), received=D(received),
        due_on=day(due), first_on=day(due), requested_on=day(due),
    )  # fmt: skip


def after(supplies, *measures):
    return shifted(supplies, measures, CENTERS, CALENDAR)


def one_make(made, *measures):
    return after(Supplies(makes={"E/1": [made]}), *measures).makes["E/1"][0]


def days(made):
    return made.start_on, made.end_on


def test_a_purchase_order_comes_on_the_day_that_is_asked_about_unless_it_came():
    supplies = Supplies(buys={"W": [buy("PO-1", "12-01"), buy("PO-2", "12-01")]})
    moved = after(supplies, Move("PO-1", day("12-09"))).buys["W"]
    assert [one.due_on for one in moved] == [day("12-09"), day("12-01")]
    came = Supplies(buys={"W": [buy("PO-1", "12-01", received=10)]})
    assert after(came, Move("PO-1", day("12-09"))) == came


def test_a_free_receipt_stands_where_its_new_day_puts_it():
    coming = (("PO-1", day("12-01"), D(5)), ("PO-2", day("12-04"), D(5)))
    made = make("W", "12-07", "12-11", parts=(Part(item="RAW", need=D(10), coming=coming),))
    (part,) = one_make(made, Move("PO-1", day("12-09"))).parts
    assert [no for no, _, _ in part.coming] == ["PO-2", "PO-1"]


def test_work_waits_through_a_standstill_and_what_follows_it_waits_as_long():
    made = make(
        "W", "12-01", "12-09", step(1, "Grinding", "12-01", "12-03"),
        step(2, "Packing", "12-04", "12-09"),
    )  # fmt: skip
    whole = one_make(made, Down("G-2", day("12-01"), day("12-02")))
    assert days(whole) == (day("12-03"), day("12-11"))
    assert [(s.start_on, s.end_on) for s in whole.steps] == [
        (day("12-03"), day("12-07")),
        (day("12-08"), day("12-11")),
    ]
    interrupted = one_make(made, Down("G-2", day("12-02"), day("12-02")))
    assert days(interrupted) == (day("12-01"), day("12-10"))


def test_work_that_does_not_meet_the_standstill_does_not_wait():
    made = make("W", "12-01", "12-03", step(1, "Grinding", "12-01", "12-03"))
    assert one_make(made, Down("G-2", day("12-04"), day("12-09"))) == made
    assert one_make(made, Down("P-1", day("12-01"), day("12-09"))) == made
    done = make("W", "12-01", "12-03", step(1, "Grinding", "12-01", "12-03", passed=10))
    assert one_make(done, Down("G-2", day("12-01"), day("12-09"))) == done
    closed = replace(made, status="closed")
    assert one_make(closed, Down("G-2", day("12-01"), day("12-09"))) == closed


def test_more_hours_move_no_document():
    made = make("W", "12-01", "12-03", step(1, "Grinding", "12-01", "12-03"))
    assert one_make(made, Overtime("G-2", day("12-01"), day("12-03"), D(8))) == made


def put_off(**facts):
    """A work order put off by five working days for a late purchase."""
    top = make("TOP", "12-15", "12-18", first="12-11", **facts)
    return Supplies(
        makes={"E/1": [top], "TOP": [make("SUB", "12-08", "12-11", first="12-04")]},
        buys={"SUB": [buy("PO-1", "12-07")]},
    )


def test_what_was_put_off_goes_back_to_its_first_days_through_all_levels():
    supplies, measure = put_off(), Move("PO-1", day("11-30"))
    assert earlier(supplies, [measure]) == {"PO-1", "SUB", "TOP"}
    moved = after(supplies, measure).makes
    assert days(moved["TOP"][0]) == (day("12-01"), day("12-04"))
    assert days(moved["E/1"][0]) == (day("12-08"), day("12-11"))


def test_nothing_goes_back_for_what_comes_later_or_has_started():
    later = Move("PO-1", day("12-21"))
    assert earlier(put_off(), [later]) == frozenset()
    assert days(after(put_off(), later).makes["E/1"][0]) == (day("12-15"), day("12-18"))
    running = put_off(status="running", started_on=day("12-15"))
    moved = after(running, Move("PO-1", day("11-30"))).makes["E/1"][0]
    assert days(moved) == (day("12-15"), day("12-18"))
