"""Projections in the database: rows, events, produced quantities, reservations, promise history."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import BomRow
from b2bcrm.fulfillment.actions import (
    Promises,
    change_promise,
    mark_open_stale,
    mark_stale,
    project,
    project_all,
    project_due,
)
from b2bcrm.fulfillment.models import (
    LineProjection,
    OrderProjection,
    Promise,
    PurchaseLine,
    Reservation,
    ShortPart,
    WorkOrder,
)
from b2bcrm.fulfillment.queries.resting import orders_using
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Conflict, Invalid, NotAllowed, Refused, StaleVersion
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.timeline import history
from b2bcrm.kernel.words import Message
from b2bcrm.orders.lifecycle import OrderState, Stage, Status
from b2bcrm.orders.models import Origin
from b2bcrm.ports.promise import AskLine
from b2bcrm.sync.models import Feed
from tests.factories import make_item, make_line, make_order, staff
from tests.fulfillment.conftest import day

D = Decimal


@pytest.fixture
def order(work, plant):
    """Sixty reducers for 15 December, made from ring blanks on PO-33107."""
    item = make_item(work, no="SW-25", family="SW")
    work.session.add(BomRow(item_no="SW-25", component_no="RB-25", qty_per=D(1), unit="pcs"))
    order = make_order(work, incoterm="DAP", lines=[make_line(work, item, ordered_qty=D(60))])
    plant.make("WO-2", "SW-25", 60, "11-30", "12-04", ref=f"{order.erp_no}/10")
    plant.buy("PO-33107", "RB-25", 60, "11-20", ref="WO-2")
    return order


def blanks(work, due):
    row = work.session.scalars(sa.select(PurchaseLine).filter_by(po_no="PO-33107")).one()
    row.confirmed_on = day(due)


def line_of(work, order):
    return work.session.get_one(LineProjection, order.lines[0].id)


def test_an_order_gets_its_rows_and_its_first_promise_is_remembered(work, order):
    assert project(work, [order.id]) == 1
    row, line = work.session.get_one(OrderProjection, order.id), line_of(work, order)
    assert (row.status, row.stage) == (Status.OK, Stage.MATERIAL)
    assert row.open_value == D(1200) * D("36.10")
    assert line.projected_on == day("12-11")  # 7 Dec and four days of transit
    assert [link["no"] for link in line.chain] == ["WO-2", "PO-33107"]
    promise = work.session.scalars(sa.select(Promise)).one()
    assert (promise.kind, promise.promised_on) == ("first", day("12-15"))


def test_projecting_again_changes_nothing(work, order):
    project(work, [order.id])
    assert project(work, [order.id]) == 0
    assert work.session.scalar(sa.select(sa.func.count(Promise.id))) == 1


def test_a_line_that_turns_late_is_told_with_its_cause(work, order):
    project(work, [order.id])
    blanks(work, "12-07")
    project(work, [order.id])
    row = work.session.get_one(OrderProjection, order.id)
    assert (row.status, row.cause_kind, row.deciding_line_no) == (Status.LATE, "material", 10)
    told = history(work.session, order_id=order.id)[0]
    assert told.name == "projection.moved"
    assert "PO-33107" in str(told.sentence)
    assert told.portal_sentence is None
    short = work.session.scalars(sa.select(ShortPart)).one()
    assert (short.document_no, short.slip_days, short.critical) == ("PO-33107", 11, True)
    blanks(work, "11-20")
    project(work, [order.id])
    assert "back in time" in str(history(work.session, order_id=order.id)[0].sentence)
    assert work.session.scalar(sa.select(sa.func.count(ShortPart.id))) == 0


@pytest.mark.parametrize(("change", "lacks"), [("11-30", "NEW"), ("12-01", "OLD")])
def test_a_work_order_waits_for_what_its_bill_tells_on_its_first_day(work, plant, change, lacks):
    item = make_item(work, no="SW-25")
    for no, facts in (
        ("OLD", {"valid_to": day(change) - dt.timedelta(days=1)}),
        ("NEW", {"valid_from": day(change)}),
        ("OTHER", {"stands_in_for": "OLD"}),
    ):
        make_item(work, no=no)
        row = BomRow(item_no="SW-25", component_no=no, qty_per=D(1), unit="pcs", **facts)
        work.session.add(row)
    order = make_order(work, lines=[make_line(work, item, ordered_qty=D(60))])
    plant.make("WO-2", "SW-25", 60, "11-30", "12-04", ref=f"{order.erp_no}/10")
    project(work, [order.id])
    assert [link["item"] for link in line_of(work, order).chain] == ["SW-25", lacks]
    resting = [no for no in ("OLD", "NEW", "OTHER") if orders_using(work, [no])]
    assert resting == [lacks]


def test_a_work_order_with_a_substitute_of_its_own_waits_for_that_alone(work, plant, order):
    work.session.execute(sa.delete(PurchaseLine))
    make_item(work, no="RB-25", lead_time_days=60)
    work.session.add(
        BomRow(item_no="SW-25", component_no="RC-25", qty_per=D(1), unit="pcs",
               stands_in_for="RB-25")
    )  # fmt: skip
    plant.buy("PO-9", "RC-25", 60, "12-07", ref="WO-2")
    project(work, [order.id])
    assert [link["no"] for link in line_of(work, order).chain] == ["WO-2", "PO-9"]


@pytest.mark.parametrize(
    ("in_parts", "said"),
    [
        (False, ("12-18", "12-28", "12-24", 20, Status.OK)),
        (True, ("12-11", "12-21", "12-21", 10, Status.OK)),
    ],
)
def test_the_orders_dates_are_those_of_the_whole_or_of_the_next_part(work, plant, in_parts, said):
    item = make_item(work, no="PG-7")
    plant.stock("PG-7", 100)
    days = (("12-11", "12-21", "12-17"), ("12-18", "12-28", "12-20"))
    lines = [
        make_line(
            work,
            item,
            line_no=10 * n,
            requested_on=day(wish),
            promised_on=day(promise),
            planned_on=day(plan),
        )
        for n, (wish, promise, plan) in enumerate(days, 1)
    ]
    order = make_order(work, incoterm="DAP", partial_delivery=in_parts, lines=lines)
    project(work, [order.id])
    row = work.session.get_one(OrderProjection, order.id)
    found = (row.requested_on, row.promised_on, row.projected_on, row.deciding_line_no, row.status)
    wish, promise, expected, *rest = said
    assert found == (day(wish), day(promise), day(expected), *rest)


def test_finished_pieces_become_produced_pieces(work, order, plant):
    project(work, [order.id])
    row = work.session.scalars(sa.select(WorkOrder).filter_by(no="WO-2")).one()
    row.status, row.completed_qty, row.actual_start_on = "running", D(20), day("11-10")
    project(work, [order.id])
    assert order.lines[0].produced_qty == 20
    assert line_of(work, order).stage is Stage.PRODUCTION


def test_an_order_pulled_from_the_erp_is_promised_as_first_seen(work, order):
    order.origin = Origin.ERP
    project(work, [order.id])
    assert work.session.scalars(sa.select(Promise)).one().kind == "erp_first_seen"


def test_a_reservation_ends_when_the_erp_supplies_the_line(work, order, plant):
    plant.stock("SW-25", 100)
    ask = AskLine("10", order.lines[0].item_id, D(60), day("12-15"))
    Promises(work).convert("", order.no, [ask])
    project(work, [order.id])
    assert work.session.scalars(sa.select(Reservation)).one().ended_at is not None


def test_before_the_erp_knows_an_order_its_reservation_stays_and_is_shown(work, plant):
    item = make_item(work, no="PG-1", lead_time_days=10)
    plant.stock("PG-1", 10)
    order = make_order(work, erp_no=None, lines=[make_line(work, item)])
    Promises(work).convert("", order.no, [AskLine("10", item.id, D(10), day("12-15"))])
    project(work, [order.id])
    assert work.session.scalars(sa.select(Reservation)).one().ended_at is None
    assert line_of(work, order).projected_on is not None


def test_an_order_not_yet_confirmed_has_no_promise_to_keep(work, plant):
    lines = [make_line(work, first_promised_on=None, promised_on=None)]
    order = make_order(work, state=OrderState.SUBMITTED, erp_no=None, lines=lines)
    project(work, [order.id])
    row = work.session.get_one(OrderProjection, order.id)
    assert (row.status, row.stage) == (Status.RISK, Stage.ORDER)
    assert work.session.scalar(sa.select(sa.func.count(Promise.id))) == 0


def test_closed_orders_are_done_and_free_what_they_reserved(work, order):
    Promises(work).convert(
        "", order.no, [AskLine("10", order.lines[0].item_id, D(60), day("12-15"))]
    )
    order.state, order.closed_at = OrderState.CLOSED, work.now
    project(work, [order.id])
    row = work.session.get_one(OrderProjection, order.id)
    assert (row.status, row.open_value) == (Status.DONE, 0)
    assert work.session.scalars(sa.select(Reservation)).one().ended_at is not None


def test_the_job_takes_what_is_new_stale_or_of_yesterday_and_then_rests(work, order):
    assert project_due(work) == 1
    assert project_due(work) == 0
    mark_stale(work, [order.id])
    assert project_due(work) == 1
    row = work.session.get_one(OrderProjection, order.id)
    row.computed_at = work.now - dt.timedelta(days=1)
    assert project_due(work) == 1
    mark_open_stale(work)
    assert project_due(work) == 1
    assert project_all(work) == 1


def test_the_number_of_statements_does_not_grow_with_the_orders(work, plant, engine):
    orders = [make_order(work) for _ in range(12)]
    project(work, [order.id for order in orders])
    work.session.flush()
    counts = []
    for ids in ([orders[0].id], [order.id for order in orders]):
        seen = []
        listener = lambda *facts, seen=seen: seen.append(facts[2])  # noqa: E731
        sa.event.listen(engine, "before_cursor_execute", listener)
        project(work, ids)
        sa.event.remove(engine, "before_cursor_execute", listener)
        counts.append(len(seen))
    assert counts[0] == counts[1]


# --------------------------------------------------------------------------- moving a promise
def change(work, order, **facts):
    values = {
        "expected_version": order.version,
        "promised_on": day("12-18"),
        "reason_code": "material",
    }
    return change_promise(work, order.lines[0].id, **(values | facts))


def test_on_old_data_no_promise_is_moved_and_the_sentence_names_the_feed(planner, order):
    feed = Feed(
        connection_code="main",
        entity="work_order",
        limit_minutes=30,
        data_as_of=planner.now - dt.timedelta(hours=2),
        next_at=planner.tick,
    )
    planner.session.add(feed)
    planner.session.flush()
    with pytest.raises(Refused, match="Work orders from the ERP are 120 minutes old") as no:
        change(planner, order)
    assert no.value.code == "stale_feeds"
    feed.connection_code = "cn"  # another company's ERP
    planner.session.flush()
    change(planner, order)


def test_a_planner_moves_a_promise_and_the_customer_is_told(planner, order):
    project(planner, [order.id])
    version = order.version
    change(planner, order, text="blanks from Tai-Hung")
    planner.session.flush()
    line = order.lines[0]
    assert (line.first_promised_on, line.promised_on) == (day("12-15"), day("12-18"))
    assert order.version > version
    entries = planner.session.scalars(sa.select(Promise).order_by(Promise.id)).all()
    assert [(e.kind, e.promised_on) for e in entries] == [
        ("first", day("12-15")),
        ("moved", day("12-18")),
    ]
    told = history(planner.session, order_id=order.id, portal=True)[0]
    assert "18 Dec" in str(told.portal_sentence)
    assert "Tai-Hung" not in str(told.portal_sentence)
    rows = planner.session.scalars(sa.select(Delivery.handler)).all()
    assert "mail.promise_moved" in rows


def test_projecting_after_a_moved_promise_adds_no_second_entry(planner, order):
    change(planner, order)
    project(planner, [order.id])
    kinds = planner.session.scalars(sa.select(Promise.kind).order_by(Promise.id)).all()
    assert kinds == ["first", "moved"]


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"promised_on": dt.date(2026, 11, 16)}, "promised_on"),
        ({"promised_on": dt.date(2046, 11, 16)}, "promised_on"),
        ({"promised_on": day("12-15")}, "promised_on"),
        ({"reason_code": "mood"}, "reason_code"),
    ],
)
def test_a_date_or_reason_that_makes_no_sense_is_said_at_its_field(planner, order, facts, field):
    with pytest.raises(Invalid) as wrong:
        change(planner, order, **facts)
    assert field in wrong.value.fields


def test_only_who_may_move_a_promise_moves_it(work, order):
    work.actor = staff(Role.SALES)
    with pytest.raises(NotAllowed):
        change(work, order)


def test_a_promise_on_an_old_version_is_a_conflict_with_who_and_when(planner, order):
    with pytest.raises(StaleVersion):
        change(planner, order, expected_version=order.version - 1)


def test_a_delivered_line_or_a_closed_order_keeps_its_promise(planner, order):
    order.lines[0].shipped_qty = order.lines[0].delivered_qty = D(60)
    with pytest.raises(Conflict):
        change(planner, order)
    order.state = OrderState.CLOSED
    with pytest.raises(Conflict):
        change(planner, order)


def test_orders_record_their_promises_through_the_port(planner, order):
    Promises(planner).record([order.id], kind="first", reason=Message("Order confirmed"))
    assert planner.session.scalars(sa.select(Promise)).one().by_name == "Chen Wei-Ting"
    assert planner.session.get(OrderProjection, order.id) is not None
