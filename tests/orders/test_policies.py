"""How a line may leave is settled by who may change the order, and told to nobody outside."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from b2bcrm.customers.models import Account
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound, StaleVersion
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.orders import actions
from b2bcrm.orders.lifecycle import OrderState
from tests.factories import D, buyer, make_line, make_order, staff

pytestmark = pytest.mark.db


@pytest.fixture
def order(work):
    lines = [make_line(work, line_no=no) for no in (10, 20, 30)]
    return make_order(work, lines=lines)


@pytest.fixture
def settle(work, promises):
    def settled(order, line_no=10, **facts):
        terms = {"expected_version": order.version, "promises": promises}
        return actions.set_policy(work, order.id, line_no, **terms | facts)

    return settled


def told(work):
    query = sa.select(TimelineEntry).where(TimelineEntry.name == "order.line_policy")
    rows = work.session.scalars(query.order_by(TimelineEntry.id)).all()
    assert all(row.portal_sentence is None for row in rows)
    return [str(row.sentence) for row in rows]


def test_it_stands_on_the_line_on_the_timeline_and_goes_nowhere_else(work, order, settle, promises):
    settle(order, 20, leaves_with="A")
    settle(order, leaves_with=" A ", least_shipment=D(5), max_late_days=0)
    line = order.lines[0]
    assert (line.leaves_with, line.least_shipment, line.max_late_days) == ("A", 5, 0)
    assert told(work) == [
        "Line 20: marked A, as no other line is",
        (
            "Line 10: leaves with line 20, at least 5 pcs per shipment, "
            "not more than 0 calendar days late"
        ),
    ]
    assert order.amendment_no == 0
    assert work.session.scalars(sa.select(Delivery)).all() == []
    assert promises.recorded == [((order.id,), "amended")] * 2  # its dates are looked at anew


def test_it_is_lifted_by_saying_nothing(work, order, settle):
    settle(order, max_late_days=3)
    settle(order)
    assert order.lines[0].max_late_days is None
    assert told(work)[-1] == "Line 10: leaves alone, whole, on any day"


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"leaves_with": "A" * 21}, "leaves_with"),
        ({"least_shipment": D(11)}, "least_shipment"),
        ({"least_shipment": D(0)}, "least_shipment"),
        ({"least_shipment": D(-1)}, "least_shipment"),
        ({"least_shipment": D("1.5")}, "least_shipment"),
        ({"max_late_days": -1}, "max_late_days"),
        ({"max_late_days": 1000}, "max_late_days"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(order, settle, wanted, field):
    with pytest.raises(Invalid) as wrong:
        settle(order, **wanted)
    assert list(wrong.value.fields) == [field]


def test_nothing_new_is_nothing(order, settle):
    with pytest.raises(Invalid, match="Nothing was changed"):
        settle(order)


def test_who_saw_an_older_order_is_told_so(order, settle):
    seen = order.version
    settle(order, max_late_days=3)
    with pytest.raises(StaleVersion):
        settle(order, max_late_days=4, expected_version=seen)


@pytest.mark.parametrize("state", [OrderState.CLOSED, OrderState.CANCELLED])
def test_an_order_that_has_ended_is_left_alone(work, settle, state):
    with pytest.raises(Conflict):
        settle(make_order(work, state=state), max_late_days=3)


def test_only_living_lines_have_a_policy(work, order, settle):
    order.lines[0].cancelled = True
    for line_no in (10, 40):
        with pytest.raises(NotFound):
            settle(order, line_no, max_late_days=3)


def test_who_may_not_change_an_order_may_not_settle_it(work, order, settle):
    account = work.session.get_one(Account, order.account_id)
    for actor in (staff(Role.SERVICE), buyer(account)):
        work.actor = actor
        with pytest.raises(NotAllowed):
            settle(order, max_late_days=3)
