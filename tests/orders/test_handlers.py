"""The push to the ERP: once, whatever happens between the two sides."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.customers.models import Account
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.courier import Courier
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.orders import actions, queries
from b2bcrm.orders.events import EVENTS
from b2bcrm.orders.handlers import PushOrder
from b2bcrm.orders.intake import apply_sales_orders
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order, Origin
from b2bcrm.ports.erp import Entity
from connectors.erp.twin.faults import Fault
from tests.factories import D
from tests.pulled import everything, pull_masters

pytestmark = pytest.mark.db
CLERK = Actor(name="Mei-Ling Lin", role=Role.ADMIN)


@pytest.fixture
def courier(office, twin):
    push = PushOrder(twin.gateway)
    routes = {f"order.{name}": (push.name,) for name in ("confirmed", "amended", "cancelled")}
    object.__setattr__(office, "routes", routes)
    return Courier(
        open_work=office.open,
        events={event.name: event for event in EVENTS},
        handlers={push.name: push},
    )


@pytest.fixture
def order_id(office, twin, promises, courier):
    """A confirmed order like one the ERP has, but new."""
    with office.open(CLERK) as work:
        pull_masters(work, twin.gateway)
        known = everything(twin.gateway, Entity.SALES_ORDER)
        apply_sales_orders(work, known, promises=promises)
        pattern = next(r for r in known if r.status == "open")
        model = queries.by_erp_nos(work.session, [pattern.erp_id])[pattern.erp_id]
        account = work.session.get_one(Account, model.account_id)
        account.credit_hold = False
        line = model.lines[0]
        order = actions.open_order(
            work,
            actions.OrderDraft(
                account_id=model.account_id,
                company_id=model.company_id,
                site_id=model.site_id,
                ship_to_id=model.ship_to_id,
                origin=Origin.STAFF,
                currency=model.currency,
                rate=D(1),
                customer_po="PO-1",
                payment_terms=model.payment_terms,
                incoterm=model.incoterm,
                incoterm_place=model.incoterm_place,
                lines=(
                    actions.OrderDraftLine(
                        line_no=10,
                        item_id=line.item_id,
                        unit=line.unit,
                        qty=D(5),
                        unit_price=line.unit_price,
                        requested_on=dt.date(2027, 2, 1),
                        promised_on=dt.date(2027, 2, 1),
                    ),
                ),
            ),
        )
        actions.confirm(work, order.id, expected_version=None, promises=promises)
        return order.id


def order(office, order_id):
    with office.open(read_only=True) as work:
        found = work.session.get_one(Order, order_id)
        work.session.expunge_all()
        return found


def due_again(office):
    with office.open() as work:
        work.session.execute(sa.update(Delivery).values(next_at=work.tick, leased_until=None))


def in_erp(twin, no):
    return list(twin.world.lookup(Entity.SALES_ORDER, "reference", no))


def test_a_confirmed_order_is_in_the_erp_with_the_same_lines(office, twin, courier, order_id):
    assert order(office, order_id).erp_sync is ErpSync.WAITING
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_reason is None, ours.erp_reason
    (theirs,) = in_erp(twin, ours.no)
    assert (ours.erp_sync, ours.erp_no) == (ErpSync.ACCEPTED, theirs.erp_id)
    assert theirs.reference == f"{ours.no}/0"
    assert [(ln.line_no, ln.qty) for ln in theirs.lines] == [(10, D(5))]


@pytest.mark.parametrize("fault", [Fault.TIMEOUT_AFTER_COMMIT, Fault.HTML_200])
def test_a_lost_answer_is_looked_up_before_anything_is_sent_again(
    office, twin, courier, order_id, fault
):
    twin.faults["CreateSalesOrder"] = fault
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.UNKNOWN
    assert ours.erp_since is not None
    due_again(office)
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.ACCEPTED
    assert len(in_erp(twin, ours.no)) == 1


def test_an_erp_that_is_down_leaves_the_order_waiting_since_then(office, twin, courier, order_id):
    since = order(office, order_id).erp_since
    twin.faults["CreateSalesOrder"] = Fault.DOWN_503
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync in {ErpSync.WAITING, ErpSync.UNKNOWN}
    assert ours.erp_since == since
    assert in_erp(twin, ours.no) == []


def test_a_refusal_is_on_the_order_with_the_erps_reason(office, twin, courier, order_id):
    with office.open() as work:
        work.session.get_one(
            Account, work.session.get_one(Order, order_id).account_id
        ).erp_id = "NOBODY"
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.REFUSED
    assert "NOBODY" in str(ours.erp_reason)
    with office.open(read_only=True) as work:
        assert work.session.scalar(sa.select(Delivery.state)) is DeliveryState.PARKED


def test_an_order_cancelled_after_a_refusal_is_never_entered_in_the_erp(
    office, twin, courier, order_id, promises
):
    with office.open() as work:
        account = work.session.get_one(Account, work.session.get_one(Order, order_id).account_id)
        known, account.erp_id = account.erp_id, "NOBODY"
    courier.deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.REFUSED
    with office.open(CLERK) as work:
        account = work.session.get_one(Account, account.id)
        account.erp_id = known
        actions.cancel(work, order_id, expected_version=None, reason="stopped", promises=promises)
    while courier.deliver_one():
        pass
    ours = order(office, order_id)
    assert in_erp(twin, ours.no) == []
    assert (ours.erp_sync, ours.erp_no) == (ErpSync.NONE, None)
    with office.open(read_only=True) as work:
        assert set(work.session.scalars(sa.select(Delivery.state))) == {DeliveryState.DONE}


def test_an_order_cancelled_while_the_answer_was_lost_is_cancelled_in_the_erp_too(
    office, twin, courier, order_id, promises
):
    twin.faults["CreateSalesOrder"] = Fault.TIMEOUT_AFTER_COMMIT
    courier.deliver_one()
    with office.open(CLERK) as work:
        actions.cancel(work, order_id, expected_version=None, reason="stopped", promises=promises)
    due_again(office)
    while courier.deliver_one():
        pass
    assert [o.status for o in in_erp(twin, order(office, order_id).no)] == ["cancelled"]


def test_an_amendment_changes_the_same_order_in_the_erp(office, twin, courier, order_id, promises):
    courier.deliver_one()
    with office.open(CLERK) as work:
        actions.amend_line(work, order_id, 10, expected_version=None, promises=promises, qty=D(7))
    courier.deliver_one()
    ours = order(office, order_id)
    (theirs,) = in_erp(twin, ours.no)
    assert (theirs.reference, theirs.lines[0].qty) == (f"{ours.no}/1", D(7))


@pytest.mark.parametrize("lost", [False, True])
def test_a_cancellation_reaches_the_erp_even_if_its_first_answer_is_lost(
    office, twin, courier, order_id, promises, lost
):
    courier.deliver_one()
    with office.open(CLERK) as work:
        actions.cancel(work, order_id, expected_version=None, reason="stopped", promises=promises)
    if lost:
        twin.faults["CancelSalesOrder"] = Fault.TIMEOUT_AFTER_COMMIT
        courier.deliver_one()
        due_again(office)
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.ACCEPTED
    assert [o.status for o in in_erp(twin, ours.no)] == ["cancelled"]
