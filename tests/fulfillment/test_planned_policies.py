"""Lines that leave together, in two, or not too late: from the order to the page by the plan."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import ItemKind
from b2bcrm.fulfillment.actions import project, whatif
from b2bcrm.fulfillment.models import LineProjection, OrderProjection
from b2bcrm.fulfillment.planning.measures import Split
from b2bcrm.fulfillment.planning.plant import Policy
from b2bcrm.fulfillment.snapshot import plant as snapshot
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.orders.lifecycle import ErpSync, Status
from b2bcrm.orders.models import Order, OrderLine
from tests.factories import make_account, make_item, make_line, make_order
from tests.fulfillment.conftest import day
from tests.fulfillment.test_live_plan import publish

pytestmark = pytest.mark.db
D = Decimal


@pytest.fixture
def projected(work, plant):
    """An order of ten pumps, of which four are there, and twenty hoses, all of them there.

    Both are bought and promised for 27 November; the other pumps come on 7 December. ``terms`` are
    those of both lines. Answers the lines' projections.
    """
    items = [
        make_item(work, no=no, kind=ItemKind.BUY, lead_time_days=60) for no in ("PUMP", "HOSE")
    ]
    plant.stock("PUMP", 4)
    plant.stock("HOSE", 20)
    plant.buy("PO-1", "PUMP", 10, "12-07")

    def given(*, partial_delivery=True, **terms):
        lines = [
            make_line(work, items[0], line_no=10, ordered_qty=D(10), **terms),
            make_line(work, items[1], line_no=20, ordered_qty=D(20), **terms),
        ]
        for line in lines:
            line.requested_on = line.promised_on = day("11-27")
        order = make_order(
            work,
            make_account(work, customer_class="B"),
            lines=lines,
            partial_delivery=partial_delivery,
            erp_no=None,
            erp_sync=ErpSync.WAITING,
            incoterm="EXW",
        )
        publish(work)
        project(work, [order.id])
        return [work.session.get_one(LineProjection, line.id) for line in lines]

    return given


def test_the_snapshot_tells_what_the_lines_and_their_order_say(work, projected):
    projected(partial_delivery=False, leaves_with="A", least_shipment=D(4), max_late_days=90)
    assert [row.policy for row in snapshot.take(work).lines] == [Policy("A", D(4), 90, True)] * 2


def test_lines_that_leave_alone_each_have_their_own_day(projected):
    pump, hose = projected()
    assert (pump.projected_on, hose.projected_on) == (day("12-08"), day("11-27"))


@pytest.mark.parametrize(
    "terms", [{"leaves_with": "A"}, {"partial_delivery": False, "least_shipment": D(2)}]
)
def test_what_leaves_together_is_late_together_and_says_for_what_it_waits(projected, terms):
    pump, hose = projected(**terms)
    assert (pump.projected_on, hose.projected_on) == (day("12-08"), day("12-08"))
    assert "it leaves with line 10: " in str(hose.cause)
    assert "PO-1 on Mon 7 Dec 2026" in str(hose.cause)
    assert "it leaves with" not in str(pump.cause)
    assert (pump.in_two, hose.in_two) == (None, None)


def test_a_what_if_does_not_split_one_line_of_several_and_says_why(work, projected):
    pump, _ = projected(leaves_with="A")
    key = f"{work.session.get_one(Order, pump.order_id).no}/10"
    question = whatif.ask(work, [Split(key, D(4))], "")
    (why,) = whatif.tell(work, question, whatif.solve(question)).refused.values()
    assert "leaves with other lines" in str(why)


def test_a_what_if_does_not_split_a_line_of_a_complete_delivery(work, projected):
    pump, _ = projected(partial_delivery=False)
    key = f"{work.session.get_one(Order, pump.order_id).no}/10"
    question = whatif.ask(work, [Split(key, D(4))], "")
    (why,) = whatif.tell(work, question, whatif.solve(question)).refused.values()
    assert "delivered complete" in str(why)


def test_what_can_leave_in_time_is_sent_ahead_in_one_ratio(projected):
    pump, hose = projected(leaves_with="A", least_shipment=D(2))
    days = {"on": "2026-11-27", "rest_on": "2026-12-08"}
    assert (pump.in_two, hose.in_two) == ({"qty": "4", **days}, {"qty": "8", **days})


def test_what_would_come_too_late_is_a_risk_and_has_no_day(projected):
    pump, hose = projected(max_late_days=5)
    assert (pump.projected_on, pump.status) == (None, Status.RISK)
    assert "cannot bring it by Wed 2 Dec 2026" in str(pump.cause)
    assert hose.projected_on == day("11-27")


def test_what_has_a_day_no_more_in_a_new_plan_is_looked_at_anew(work, projected):
    pump, _ = projected()
    order = work.session.get_one(OrderProjection, pump.order_id)
    work.session.get_one(OrderLine, pump.order_line_id).max_late_days = 5
    order.status = Status.OK  # or it would be looked at for what it was before
    assert not order.stale
    publish(work)
    work.session.refresh(order)
    assert order.stale


def test_what_was_late_and_has_lost_its_day_is_not_said_to_be_back_in_time(work, projected):
    pump, _ = projected()
    assert pump.status is Status.LATE
    work.session.get_one(OrderLine, pump.order_line_id).max_late_days = 5
    publish(work)
    project(work, [pump.order_id])
    assert pump.status is Status.RISK
    moved = sa.select(TimelineEntry.sentence).where(TimelineEntry.name == "projection.moved")
    (said,) = work.session.scalars(moved)
    assert str(said).startswith("Line 10 has no day any more: The plan cannot bring it by")
    project(work, [pump.order_id])
    assert len(work.session.scalars(moved).all()) == 1
