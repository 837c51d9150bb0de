"""Scenarios: before and after, whoever planned the line; what a page will say, said before."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.fulfillment.actions import Promises, project, whatif
from b2bcrm.fulfillment.actions.prices import set_prices
from b2bcrm.fulfillment.models import LineProjection, PlanRun, PurchaseLine, WorkOrder
from b2bcrm.fulfillment.planning.engine.records import Strategy
from b2bcrm.fulfillment.planning.measures import (
    Allocate,
    Down,
    First,
    Last,
    Move,
    Overtime,
    Rush,
    Split,
)
from b2bcrm.fulfillment.planning.prices import Prices
from b2bcrm.fulfillment.queries.prices import prices
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import NotAllowed
from b2bcrm.orders.models import Order
from b2bcrm.ports.promise import AskLine
from tests.factories import buyer, make_account, make_line, make_order, staff
from tests.fulfillment.conftest import day
from tests.fulfillment.test_impact import pegged, publish, pump  # noqa: F401 - a fixture

D = Decimal
pytestmark = pytest.mark.db


def tried(work, *measures, line=""):
    question = whatif.ask(work, measures, line)
    return whatif.tell(work, question, whatif.solve(question))


def moves(answer):
    return {one.line.key: (one.before, one.after) for one in answer.moved}


def wanted(work, item, qty, promised, **facts):
    """An order that the ERP has not planned, at our door."""
    line = make_line(
        work, item, ordered_qty=D(qty), promised_on=day(promised), first_promised_on=day(promised)
    )
    order = make_order(work, lines=[line], incoterm="EXW", **facts)
    project(work, [order.id])
    return order


def test_a_scenario_says_what_the_projection_says_once_the_erp_has_it(work, plant, pump):  # noqa: F811
    order = pegged(work, plant, pump)
    answer = tried(work, Move("PO-1", day("12-18")))
    (moved,) = answer.moved
    assert moved.before == day("12-08")
    assert (moved.late_before, moved.late_after) == (0, 9)
    assert (answer.before.on_time, answer.after.late, answer.after.late_days) == (1, 1, 9)
    assert answer.after.value_late == order.total * D("36.10")
    assert [one.line.key for one in answer.bill] == [f"{order.no}/10"]
    work.session.execute(sa.update(PurchaseLine).values(confirmed_on=day("12-18")))
    project(work, [order.id])
    kept = work.session.scalar(sa.select(LineProjection.projected_on))
    assert (moved.after, kept) == (day("12-28"), day("12-28"))


def test_a_scenario_changes_nothing(work, plant, pump):  # noqa: F811
    pegged(work, plant, pump)
    publish(work)
    before = work.session.scalars(sa.select(LineProjection.projected_on)).all()
    runs = work.session.scalars(sa.select(PlanRun.id)).all()
    tried(work, Move("PO-1", day("12-18")), Down("M-1", day("11-18"), day("12-31")))
    work.session.expire_all()
    assert work.session.scalars(sa.select(LineProjection.projected_on)).all() == before
    assert work.session.scalars(sa.select(PlanRun.id)).all() == runs
    assert work.session.scalars(sa.select(PurchaseLine.confirmed_on)).all() == [day("11-25")]


def test_a_standstill_holds_up_the_work_orders_that_meet_it(work, plant, pump):  # noqa: F811
    order = pegged(work, plant, pump)
    answer = tried(work, Down("M-1", day("12-02"), day("12-03")))
    assert moves(answer) == {f"{order.no}/10": (day("12-08"), day("12-10"))}
    assert moves(tried(work, Down("M-1", day("12-08"), day("12-09")))) == {}


def test_a_free_purchase_order_that_slips_moves_the_lines_of_our_plan(work, plant, pump):  # noqa: F811
    plant.buy("PO-2", "SHAFT", 4, "11-25")
    order = wanted(work, pump, 4, "12-01")
    publish(work)
    ((key, (before, after)),) = moves(tried(work, Move("PO-2", day("12-10")))).items()
    assert key == f"{order.no}/10"
    assert before <= day("12-01")
    assert day("12-10") < after <= day("12-14")


def test_a_reservation_whose_supply_slips_arrives_as_much_later(work, plant, pump):  # noqa: F811
    plant.buy("PO-2", "SHAFT", 8, "11-25")
    publish(work)
    line = make_line(work, pump, ordered_qty=D(8), promised_on=day("11-30"))
    order = make_order(work, lines=[line], incoterm="EXW")
    asked = AskLine(ref="10", item_id=pump.id, qty=D(8), wanted_on=day("11-30"))
    Promises(work).hold("Q-26-1/0", [asked], day("11-27"), at_worst={})
    Promises(work).convert("Q-26-1/0", order.no, [asked])
    project(work, [order.id])
    publish(work)
    (moved,) = tried(work, Move("PO-2", day("12-10"))).moved
    assert moved.line.key == f"{order.no}/10"
    assert moved.before <= day("11-30")
    assert moved.after > day("12-10")


def test_the_bill_of_a_rush_order_names_who_slips_and_the_best_swap(work, plant, pump):  # noqa: F811
    plant.stock("SHAFT", 100)
    small = wanted(work, pump, 8, "11-19")
    large = wanted(work, pump, 16, "11-23")
    publish(work)
    assert moves(tried(work)) == {}
    rush = Rush("PG-115", D(8), day("11-18"))
    answer = tried(work, rush)
    assert answer.rushes[rush] is not None
    assert answer.rushes[rush] <= day("11-18")
    assert {one.line.no for one in answer.bill} <= {small.no, large.no}
    assert all(one.at_stake > 0 for one in answer.bill)


def test_overtime_and_order_of_service_move_lines_back(work, plant, pump):  # noqa: F811
    plant.stock("SHAFT", 100)
    first = wanted(work, pump, 8, "11-19")
    second = wanted(work, pump, 8, "11-19")
    publish(work)
    late = [one for one in (first, second) if is_late(work, one)]
    assert len(late) == 1
    key = f"{late[0].no}/10"
    more = tried(work, Overtime("M-1", day("11-17"), day("11-20"), D(8)))
    assert moves(more)[key][1] <= day("11-19")
    assert (more.before.late, more.after.late) == (1, 0)
    assert key in moves(tried(work, First(key)))
    other = f"{(second if late[0] is first else first).no}/10"
    assert other in moves(tried(work, Last(other)))


def test_an_item_allocated_anew_goes_to_the_class_that_wins(work, plant, pump):  # noqa: F811
    plant.buy("PO-2", "SHAFT", 8, "11-17")
    gives = wanted(work, pump, 8, "11-23", account=make_account(work, customer_class="A"))
    gets = wanted(work, pump, 8, "11-23", account=make_account(work, customer_class="C"))
    publish(work)
    anew = Allocate("SHAFT", Strategy.LOSE, Strategy.GAIN, Strategy.WIN)
    moved = moves(tried(work, anew))
    assert set(moved) == {f"{gives.no}/10", f"{gets.no}/10"}
    assert moved[f"{gets.no}/10"][1] <= day("11-23") < moved[f"{gives.no}/10"][1]
    stays = Allocate("SHAFT", Strategy.GAIN, Strategy.GAIN, Strategy.WIN)
    assert moves(tried(work, stays)) == {}
    nobody = Allocate("BOLT", Strategy.WIN, Strategy.WIN, Strategy.WIN)
    assert "BOLT" in str(tried(work, nobody).refused[nobody])


def test_a_scenario_says_whose_hours_it_moves(work, plant, pump):  # noqa: F811
    plant.stock("SHAFT", 100)
    wanted(work, pump, 8, "11-19")
    publish(work)
    assert tried(work).loads == []
    (load,) = tried(work, Rush("PG-115", D(8), day("11-26"))).loads
    assert load.center == "M-1"
    assert [week.week for week in load.before[:2]] == [day("11-16"), day("11-23")]
    assert [week.load for week in load.before[:3]] == [8, 0, 0]
    assert sum(week.load for week in load.after) == 16
    (more,) = tried(work, Overtime("M-1", day("11-23"), day("11-24"), D(4))).loads
    assert [week.capacity for week in more.before[:2]] == [32, 40]  # from Tuesday on
    assert [week.capacity for week in more.after[:2]] == [32, 48]
    assert more.moved == 8


def is_late(work, order):
    answer = tried(work, Overtime("M-1", day("11-17"), day("11-20"), D(8)))
    return f"{order.no}/10" in moves(answer)


def test_a_split_says_when_the_first_pieces_arrive(work, plant, pump):  # noqa: F811
    plant.stock("SHAFT", 10)
    order = wanted(work, pump, 20, "11-23")
    publish(work)
    key = f"{order.no}/10"
    answer = tried(work, Split(key, D(8)))
    assert answer.ahead[key] <= day("11-23")
    assert tried(work, Split(key, D(20))).refused
    twice = tried(work, Split(key, D(8)), Split(key, D(4)))
    assert list(twice.refused) == [Split(key, D(4))]
    assert twice.ahead == answer.ahead


def test_sending_ahead_what_is_there_is_one_of_the_ways(work, plant, pump):  # noqa: F811
    plant.stock("SHAFT", 10)
    order = wanted(work, pump, 20, "11-23")
    publish(work)
    key = f"{order.no}/10"
    found = tried(work, line=key)
    (way,) = [way for way in found.ways if isinstance(way.measure, Split)]
    assert (way.measure.qty, way.price) == (10, None)
    answer = tried(work, way.measure)
    assert answer.ahead[key] <= day("11-23")
    assert tried(work, Split(key, D(11))).ahead[key] > day("11-23")
    assert found.chosen_on - answer.ahead[key] >= dt.timedelta(way.gained)


def test_ways_to_make_a_late_line_earlier_are_told_with_what_they_gain(work, plant, pump):  # noqa: F811
    theirs = pegged(work, plant, pump)
    work.session.execute(sa.update(PurchaseLine).values(confirmed_on=day("12-18")))
    project(work, [theirs.id])
    (way,) = tried(work, line=f"{theirs.no}/10").ways
    assert way.measure.no == "PO-1"
    after = tried(work, way.measure).moved[0]
    assert (after.late_after, (after.before - after.after).days) == (0, way.gained)
    plant.buy("PO-2", "SHAFT", 4, "12-14")
    ours = wanted(work, pump, 4, "12-01")
    publish(work)
    found = tried(work, line=f"{ours.no}/10")
    best = found.ways[0]
    assert isinstance(best.measure, Move)
    assert best.gained > 0
    ((key, (before, then)),) = moves(tried(work, best.measure)).items()
    assert (key, (before - then).days) == (f"{ours.no}/10", best.gained)


def test_once_prices_are_known_measures_penalties_and_ways_have_theirs(work, plant, pump):  # noqa: F811
    order = pegged(work, plant, pump)
    later, sooner = Move("PO-1", day("12-18")), Move("PO-1", day("11-25"))
    assert tried(work, later, sooner).price is None
    assert tried(work, later).penalty is None
    set_prices(work, Prices(hour=D(900), day=D(1500), penalty_pct=D("0.5"), penalty_most_pct=D(3)))
    answer = tried(work, later)
    (moved,) = answer.moved
    assert answer.prices == {later: 0}  # what comes later costs nothing but the lateness
    assert moved.penalty == moved.line.value * D("0.03")  # nine days, but at most 3 %
    assert answer.penalty == moved.penalty
    assert answer.bought[moved.line.account_id] == order.total * D("36.10")
    work.session.execute(sa.update(PurchaseLine).values(confirmed_on=day("12-18")))
    project(work, [order.id])
    assert tried(work, sooner).prices == {sooner: 23 * 1500}
    assert tried(work, sooner).penalty < 0
    (way,) = tried(work, line=f"{order.no}/10").ways
    assert way.price == (day("12-18") - way.measure.on).days * 1500
    assert way.price_per_day == way.price / way.gained


def test_overtime_costs_its_hours_on_the_days_that_the_centre_works(work, plant, pump):  # noqa: F811
    plant.stock("SHAFT", 100)
    wanted(work, pump, 8, "11-19")
    publish(work)
    set_prices(work, Prices(hour=D(900)))
    week = Overtime("M-1", day("11-17"), day("11-23"), D(2))  # Tuesday to Monday
    assert tried(work, week).prices == {week: 5 * 2 * 900}
    ours = wanted(work, pump, 60, "11-19")
    publish(work)
    ways = tried(work, line=f"{ours.no}/10").ways
    assert ways
    assert [one.price_per_day for one in ways] == sorted(one.price_per_day for one in ways)


def test_prices_said_again_replace_those_said_before(work):
    set_prices(work, Prices(hour=D(900), day=D(1500)))
    set_prices(work, Prices(hour=D(950)))
    assert prices(work) == Prices(hour=D(950))


def test_a_buyer_and_sales_may_not_set_prices(work):
    for role in (Role.SALES, Role.SERVICE):
        with pytest.raises(NotAllowed):
            set_prices(dataclasses.replace(work, actor=staff(role)), Prices(hour=D(1)))


def test_what_cannot_be_is_refused_with_a_reason_and_the_rest_is_tried(work, plant, pump):  # noqa: F811
    order = pegged(work, plant, pump)
    publish(work)
    wrong = [
        Move("PO-9", day("12-01")),
        Overtime("X-1", day("12-01"), day("12-02"), D(2)),
        Down("M-1", day("11-21"), day("11-22")),  # a weekend
        Rush("NONE", D(1), day("12-01")),
        Rush("PG-115", D(1), day("11-02")),
        First(f"{order.no}/10"),
        Down("M-1", day("11-30"), day("11-30").replace(year=9999)),
    ]
    answer = tried(work, *wrong, Move("PO-1", day("12-18")))
    assert set(answer.refused) == set(wrong)
    assert list(moves(answer)) == [f"{order.no}/10"]


def test_without_a_plan_documents_can_still_be_tried(work, plant, pump):  # noqa: F811
    pegged(work, plant, pump)
    rush = Rush("PG-115", D(1), day("12-01"))
    answer = tried(work, Move("PO-1", day("12-18")), Move("PO-9", day("12-18")), rush)
    assert len(answer.moved) == 1
    assert {type(one) for one in answer.refused} == {Move, Rush}


def test_a_buyer_may_not_try(work, plant):
    order: Order = make_order(work)
    work.actor = buyer(work.session.get(type(make_account(work)), order.account_id))
    with pytest.raises(NotAllowed):
        whatif.ask(work, [])


def test_what_was_put_off_for_a_late_purchase_goes_back_when_it_comes_earlier(work, plant, pump):  # noqa: F811
    """The ERP has planned its work orders and shipping day again, after the purchase slipped."""
    order = pegged(work, plant, pump)
    work.session.execute(sa.update(PurchaseLine).values(confirmed_on=day("12-18")))
    put_off = {"planned_start_on": day("12-21"), "planned_end_on": day("12-25")}
    work.session.execute(sa.update(WorkOrder).values(**put_off))
    order.lines[0].planned_on = day("12-28")
    project(work, [order.id])
    (moved,) = tried(work, Move("PO-1", day("12-04"))).moved
    assert (moved.before, moved.after) == (day("12-28"), day("12-15"))  # just in time
    (later,) = tried(work, Move("PO-1", day("12-14"))).moved
    assert (later.after, later.late_after) == (day("12-22"), 5)
    (way,) = tried(work, line=f"{order.no}/10").ways
    assert (way.measure, way.gained) == (Move("PO-1", day("12-07")), 13)


def test_a_line_that_stays_in_time_does_not_move(work, plant, pump):  # noqa: F811
    plant.buy("PO-2", "SHAFT", 4, "11-25")
    wanted(work, pump, 4, "12-31")
    publish(work)
    assert moves(tried(work, Move("PO-2", day("12-10")))) == {}
