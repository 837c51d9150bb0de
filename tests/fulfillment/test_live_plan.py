"""Dates from the live plan: components, hours, and every promise made since."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import BomRow, ItemKind, RoutingRow, WorkCenter
from b2bcrm.fulfillment.actions import Promises, project, project_due, replanning
from b2bcrm.fulfillment.models import (
    HoldLine,
    LineProjection,
    OrderProjection,
    PlanRun,
    PurchaseLine,
    Stock,
)
from b2bcrm.fulfillment.planning import readiness
from b2bcrm.fulfillment.queries.plans import plan_state
from b2bcrm.orders.lifecycle import Status
from b2bcrm.ports.promise import AskLine, Mode, PromiseMoved
from tests.factories import make_account, make_item, make_line, make_order
from tests.fulfillment.conftest import day

D = Decimal
pytestmark = pytest.mark.db

WISH = day("11-27")
DAY = dt.timedelta(days=1)
TODAY = day("11-17")


def publish(work) -> PlanRun:
    """What the worker does, in this Work."""
    readiness.prepare()
    due = replanning.plan_due(work, anyway=True)
    assert replanning.publish_plan(work, replanning.make_plan(due))
    return work.session.scalars(sa.select(PlanRun).order_by(PlanRun.id.desc())).first()


def wish(item, qty, ref="10", **facts) -> AskLine:
    return AskLine(ref=ref, item_id=item.id, qty=D(qty), wanted_on=WISH, **facts)


def ask(work, item, qty, **facts):
    return Promises(work).ask([wish(item, qty, **facts)], Mode.QUOTE)[0]


@pytest.fixture
def pump(work, plant):
    """Made on the mill, an hour a piece, from one shaft each; ten shafts are in stock."""
    pump = make_item(work, no="PG-115", lead_time_days=35)
    make_item(work, no="SHAFT", kind=ItemKind.BUY, lead_time_days=10, sellable=False)
    rows = [
        BomRow(item_no="PG-115", component_no="SHAFT", qty_per=D(1), scrap_pct=D(0), unit="pcs"),
        RoutingRow(
            item_no="PG-115",
            step_no=10,
            name="Milling",
            work_center="M-1",
            setup_hours=D(0),
            unit_hours=D(1),
        ),
        WorkCenter(
            code="M-1",
            name="Mill",
            site_code="TC",
            station="turning",
            hours_per_day=D(8),
            calendar_code="TW",
        ),
    ]
    work.session.add_all(rows)
    plant.stock("SHAFT", 10)
    return pump


def test_components_in_stock_are_made_within_the_hours_of_the_work_centre(work, pump):
    publish(work)
    assert ask(work, pump, 8).full_on == day("11-18")
    assert ask(work, pump, 10).full_on == day("11-19")


@pytest.mark.parametrize("seed", range(12))
def test_what_was_told_can_be_held_while_nothing_changes(work, plant, pump, seed):
    dice = random.Random(seed)
    plant.buy("PO-1", "SHAFT", dice.choice((5, 40, 200)), "11-25")
    publish(work)
    for quote in ("Q-1/0", "Q-2/0", "Q-3/0"):
        lines = [
            AskLine(
                str(n), pump.id, D(dice.randint(1, 25)), day("11-17") + dice.randint(1, 45) * DAY
            )
            for n in range(1, dice.randint(2, 6))
        ]
        told = Promises(work).ask(lines, Mode.QUOTE)
        worst = {
            ln.ref: max(one.full_on, ln.wanted_on) for ln, one in zip(lines, told, strict=True)
        }
        held = Promises(work).hold(quote, lines, work.today, at_worst=worst)
        assert all(one.full_on <= worst[one.ref] for one in held)


def test_many_wishes_send_no_more_statements_than_one(work, pump):
    publish(work)
    ask(work, pump, 1)  # the plan is in memory from here on
    sent: list[str] = []

    def count(_connection, _cursor, statement, *_rest):
        sent.append(statement)

    def statements(number: int) -> int:
        sent.clear()
        wishes = [wish(pump, 9, ref=str(10 * (n + 1))) for n in range(number)]
        first = Promises(work).ask(wishes, Mode.INQUIRY)[0]
        assert "Mill" in str(first.reason)  # hours decide
        return len(sent)

    engine = work.session.connection().engine
    sa.event.listen(engine, "before_cursor_execute", count)
    try:
        assert statements(8) == statements(1)
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)


def test_a_component_that_is_short_moves_the_date_by_its_lead_time(work, pump):
    publish(work)
    answer = ask(work, pump, 11)
    assert answer.full_on == day("12-02")
    assert str(answer.reason) == (
        "made anew by Wed 2 Dec 2026, as SHAFT has to be bought and comes on Tue 1 Dec 2026"
    )


def test_where_hours_decide_the_sentence_names_the_work_centre(work, pump, plant):
    plant.buy("PO-6", "SHAFT", 40, "11-17")
    publish(work)
    Promises(work).hold("Q-26-1/0", [wish(pump, 16)], WISH, at_worst={})
    answer = ask(work, pump, 8)
    assert answer.full_on == day("11-20")
    assert str(answer.reason) == (
        "made anew by Fri 20 Nov 2026: Mill (M-1) has hours free again on Thu 19 Nov 2026"
    )


def test_where_a_purchase_order_decides_the_sentence_names_it(work, pump, plant):
    plant.buy("PO-7", "SHAFT", 20, "11-24")
    publish(work)
    reason = str(ask(work, pump, 12).reason)
    assert reason == "made anew by Wed 25 Nov 2026, as SHAFT of PO-7 comes on Tue 24 Nov 2026"


def test_the_answer_names_what_it_rests_on(work, pump):
    publish(work)
    found = [(s.kind, s.document_no, s.item_no, s.qty) for s in ask(work, pump, 8).sources]
    assert found == [
        ("planned_order", "", "", 8),
        ("stock", "", "SHAFT", 8),
        ("capacity", "M-1", "", 8),
    ]


def test_pieces_that_are_there_by_the_wish_are_told_apart(work, pump, plant):
    plant.stock("PG-115", 5)
    publish(work)
    answer = ask(work, pump, 40)
    assert answer.by_wish_qty == 15
    assert answer.sources[0].kind == "stock"
    assert sum(s.qty for s in answer.sources if not s.item_no and s.kind != "capacity") == 40


def test_a_hold_is_seen_by_the_next_ask_before_the_next_plan(work, pump):
    publish(work)
    Promises(work).hold("Q-26-1/0", [wish(pump, 8)], WISH, at_worst={})
    assert ask(work, pump, 2).full_on == day("11-19")
    assert ask(work, pump, 3).full_on == day("12-02")
    Promises(work).release("Q-26-1/0")
    assert ask(work, pump, 8).full_on == day("11-18")


def test_a_hold_for_a_later_day_leaves_the_early_hours_to_others(work, pump):
    publish(work)
    assert ask(work, pump, 2).full_on == day("11-18")
    Promises(work).hold("Q-26-1/0", [wish(pump, 8)], WISH, at_worst={"10": WISH})
    assert ask(work, pump, 2).full_on == day("11-18")
    assert ask(work, pump, 3).full_on == day("12-02"), "the shafts are kept"
    (kept,) = work.session.scalars(sa.select(HoldLine))
    assert day("11-18") < kept.ready_on <= WISH


def test_a_hold_stays_where_it_is_when_the_plan_is_made_again(work, pump):
    publish(work)
    Promises(work).hold("Q-26-1/0", [wish(pump, 8)], WISH, at_worst={})
    run = publish(work)
    assert (run.figures["lines"], run.figures["on_time"], run.problems) == (1, 1, [])
    assert ask(work, pump, 2).full_on == day("11-19")
    Promises(work).release("Q-26-1/0")
    assert ask(work, pump, 8).full_on == day("11-18")


def test_a_date_that_got_worse_holds_nothing(work, pump):
    publish(work)
    Promises(work).hold("Q-26-1/0", [wish(pump, 8)], WISH, at_worst={})
    with pytest.raises(PromiseMoved) as moved:
        Promises(work).hold("Q-26-2/0", [wish(pump, 8)], WISH, at_worst={"10": day("11-18")})
    assert moved.value.answers[0].full_on == day("12-02")
    assert len(work.session.scalars(sa.select(HoldLine)).all()) == 1


def test_converting_keeps_the_date_and_everything_it_rests_on(work, pump):
    publish(work)
    Promises(work).hold("Q-26-1/0", [wish(pump, 8)], WISH, at_worst={})
    (kept,) = Promises(work).convert("Q-26-1/0", "SO-1", [wish(pump, 8)])
    assert kept.full_on == day("11-18")
    assert [s.kind for s in Promises(work).why("SO-1")[0].sources] == [
        "planned_order",
        "stock",
        "capacity",
    ]
    assert ask(work, pump, 3).full_on == day("12-02")
    Promises(work).reduce("SO-1", "10", D(3))
    assert ask(work, pump, 3).full_on == day("11-18")


def test_a_purchase_order_that_slips_in_the_erp_moves_the_next_answer(work, pump, plant):
    plant.buy("PO-7", "SHAFT", 20, "11-19")
    publish(work)
    assert ask(work, pump, 16).full_on == day("11-20")
    work.session.execute(sa.update(PurchaseLine).values(confirmed_on=day("11-25")))
    publish(work)
    assert ask(work, pump, 16).full_on == day("11-26")


def test_orders_take_hours_and_components_before_the_next_quote(work, pump):
    line = make_line(work, pump, ordered_qty=D(8), promised_on=day("11-18"))
    make_order(work, make_account(work, incoterm="EXW"), incoterm="EXW", lines=[line])
    publish(work)
    assert ask(work, pump, 2).full_on == day("11-19")


def unplanned_order(work, pump, qty, promised_on):
    """An order that the ERP knows and has given a date, but made nothing for."""
    days = {"promised_on": promised_on, "planned_on": promised_on}
    line = make_line(work, pump, ordered_qty=D(qty), **days)
    account = make_account(work, incoterm="EXW")
    erp_no = f"418-{promised_on:%m%d}"
    return make_order(work, account, incoterm="EXW", erp_no=erp_no, lines=[line])


def projection(work, order) -> LineProjection:
    project(work, [order.id])
    return work.session.scalars(
        sa.select(LineProjection).where(LineProjection.order_id == order.id)
    ).one()


def test_a_line_that_the_erp_has_not_planned_is_expected_on_the_day_of_the_plan(work, pump):
    order = unplanned_order(work, pump, 11, day("11-24"))
    publish(work)
    found = projection(work, order)
    assert found.projected_on == day("12-03")
    assert (found.status, found.cause_kind) == (Status.LATE, "material")
    assert str(found.cause) == (
        "No document brings it yet; made anew by Wed 2 Dec 2026,"
        " as SHAFT has to be bought and comes on Tue 1 Dec 2026."
    )


def test_a_line_whose_hours_are_gone_says_so_and_one_that_has_them_is_in_time(work, pump, plant):
    pump.lead_time_days = 10
    plant.buy("PO-6", "SHAFT", 400, "11-17")
    order = unplanned_order(work, pump, 40, day("11-20"))
    publish(work)
    found = projection(work, order)
    assert found.projected_on == day("11-25")
    assert (found.status, found.cause_kind) == (Status.LATE, "capacity")
    assert "Mill (M-1) has hours free again on" in str(found.cause)
    early = unplanned_order(work, pump, 8, day("12-21"))
    publish(work)
    found = projection(work, early)
    assert (found.projected_on, found.status, found.cause_kind) == (day("12-21"), Status.OK, "")


def test_a_new_plan_has_those_orders_computed_anew_whose_dates_it_moves(work, pump, plant):
    pump.lead_time_days = 10
    plant.buy("PO-6", "SHAFT", 400, "11-17")
    late = unplanned_order(work, pump, 12, day("11-23"))
    fine = unplanned_order(work, pump, 8, day("12-21"))
    publish(work)
    project(work, [late.id, fine.id])
    work.session.execute(sa.update(PurchaseLine).values(confirmed_on=day("12-10")))
    publish(work)
    stale = dict(work.rows(sa.select(OrderProjection.order_id, OrderProjection.stale)))
    assert stale == {late.id: True, fine.id: False}
    project_due(work)
    assert projection(work, late).status is Status.LATE


def test_lines_of_one_ask_do_not_get_the_same_hours(work, pump):
    publish(work)
    one, two = Promises(work).ask([wish(pump, 8, "10"), wish(pump, 2, "20")], Mode.QUOTE)
    assert (one.full_on, two.full_on) == (day("11-18"), day("11-19"))


def test_an_ask_leaves_no_trace(work, pump):
    publish(work)
    assert {ask(work, pump, 10).full_on for _ in range(100)} == {day("11-19")}


def test_an_item_that_came_after_the_plan_is_promised_by_its_own_lead_time(work, pump):
    publish(work)
    new = make_item(work, no="NEW", lead_time_days=5)
    assert ask(work, new, 3).full_on == day("11-24")


def test_what_the_night_gained_outlives_the_feeds_of_the_day(work, pump, plant, monkeypatch):
    monkeypatch.setattr(replanning, "COMPILED", True)
    work.session.execute(sa.update(Stock).values(on_hand=D(100)))
    account = make_account(work, customer_class="C", incoterm="EXW")
    for qty, first, price in ((16, "11-18", 10), (8, "11-19", 20), (8, "11-19", 20)):
        days = {"promised_on": day("11-20"), "first_promised_on": day(first)}
        line = make_line(work, pump, ordered_qty=D(qty), unit_price=D(price), **days)
        make_order(work, account, incoterm="EXW", lines=[line])
    greedy = publish(work).figures
    night = replanning.make_plan(replanning.plan_due(work, anyway=True), improve_s=0.3)
    assert replanning.publish_plan(work, night)
    assert night.figures["on_time"] > greedy["on_time"]
    assert night.figures["lost"] < night.figures["lost_greedy"] == greedy["lost"]
    state = plan_state(work)
    assert (state.lost, state.lost_greedy) == (night.figures["lost"], greedy["lost"])
    plant.stock("OTHER", 1)
    by_day = publish(work).figures
    assert [by_day[n] for n in ("on_time", "rounds")] == [
        night.figures[n] for n in ("on_time", "rounds")
    ]
    work.session.execute(sa.update(Stock).values(on_hand=D(0)))
    assert publish(work).figures["on_time"] == 0  # nothing is kept that is not there


def test_a_plan_of_yesterday_is_not_asked(work, pump):
    publish(work)
    work.session.execute(sa.update(PlanRun).values(made_on=day("11-16")))
    assert ask(work, pump, 8).full_on == day("01-06")


def test_a_plan_that_the_verifier_refuses_is_told_and_the_last_good_one_stays(
    work, pump, monkeypatch
):
    good = publish(work)
    monkeypatch.setattr(replanning, "check", lambda _book, _plan: ["supplies given twice: 1"])
    made = replanning.make_plan(replanning.plan_due(work, anyway=True))
    work.session.execute(sa.update(Stock).values(on_hand=D(0)))
    assert not replanning.publish_plan(work, made)
    refused = work.session.scalars(sa.select(PlanRun).order_by(PlanRun.id.desc())).first()
    assert (refused.plan, refused.faults) == (None, ["supplies given twice: 1"])
    assert refused.id != good.id
    assert ask(work, pump, 8).full_on == day("11-18")


def test_old_plans_are_pruned(work, pump):
    for _ in range(replanning.KEPT_RUNS + 3):
        publish(work)
    assert work.session.scalar(sa.select(sa.func.count(PlanRun.id))) == replanning.KEPT_RUNS


def test_a_plan_older_than_the_stored_one_is_not_published(work, pump):
    old = replanning.make_plan(replanning.plan_due(work, anyway=True))
    work.bump("stock")
    work.settle()
    publish(work)
    assert not replanning.publish_plan(work, old)


def test_nothing_is_planned_while_nothing_changes(work, pump):
    publish(work)
    assert replanning.plan_due(work) is None
    work.bump("purchase_order")
    work.settle()
    assert replanning.plan_due(work) is not None


def test_an_empty_database_has_no_plan(work):
    assert replanning.plan_due(work) is None


def test_the_board_names_what_is_wrong_under_the_plan_promises_first(work, pump, plant):
    plant.make("WO-1", "PG-115", 30, "11-18", "11-20", ref="")
    make_item(work, no="OILER", kind=ItemKind.BUY, lead_time_days=0)
    publish(work)
    state = plan_state(work)
    assert (state.refused, state.count) == (False, 2)
    assert [(str(p.word), p.name, p.is_item) for p in state.problems] == [
        ("released work lacks material", "WO-1", False),
        ("no lead time", "OILER", True),
    ]
