"""What the ERP closes with less shipped than ordered, and what it opens again."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.fulfillment.actions import Promises, project
from b2bcrm.fulfillment.models import LineProjection, OrderProjection, Reservation
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Conflict
from b2bcrm.kernel.timeline import history
from b2bcrm.orders import actions, queries
from b2bcrm.orders.intake import apply_sales_orders
from b2bcrm.orders.lifecycle import ErpSync, OrderState, Stage, Status
from b2bcrm.orders.models import Origin
from b2bcrm.ports.erp import SalesOrder, SalesOrderLine
from b2bcrm.ports.promise import AskLine
from tests.clients import client_for, make_app
from tests.factories import make_account, make_item, make_line, make_order, make_site

pytestmark = pytest.mark.db
D = Decimal
DAY = dt.date(2026, 12, 15)


@pytest.fixture
def account(work):
    return make_account(work)


@pytest.fixture
def order(work, account):
    """Ten pieces in the ERP, four of them delivered."""
    item = make_item(work, no="PG-115")
    line = make_line(work, item, shipped_qty=D(4), delivered_qty=D(4))
    order = make_order(work, account, lines=[line], erp_version="1")
    project(work, [order.id])
    return order


def theirs(work, order, account, *, status="open", header="open", shipped=4, **facts):
    """The ERP's record of the order; one line."""
    ours = order.lines[0]
    line = SalesOrderLine(
        line_no=10,
        item="PG-115",
        qty=D(10),
        uom="pcs",
        unit_price=ours.unit_price,
        discount_pct=D(0),
        requested_on=ours.requested_on,
        promised_on=DAY,
        planned_on=None,
        shipped_qty=D(shipped),
        invoiced_qty=D(0),
        status=status,
    )
    values = {
        "erp_id": order.erp_no,
        "version": f"{status}/{header}/{shipped}",
        "company": "FPD",
        "updated_at": work.now,
        "deleted": False,
        "reference": order.reference,
        "customer": account.erp_id,
        "customer_po": "",
        "ordered_on": order.ordered_on,
        "currency": order.currency,
        "ship_to": "S1",
        "incoterm": "DAP",
        "incoterm_place": "",
        "payment_terms": "",
        "status": header,
        "site": make_site(work).code,
        "lines": (line,),
    }
    return SalesOrder(**(values | facts))


@pytest.fixture
def pull(work, order, account):
    """The order as the ERP shows it now, through the applier; answers how many rows changed."""

    def do(**facts):
        record = theirs(work, order, account, **facts)
        applied = apply_sales_orders(work, [record], promises=Promises(work))
        assert applied.parked == ()
        work.session.flush()
        project(work, [order.id])
        return applied.changed

    return do


def told(work, order, *, portal=False):
    entries = history(work.session, order_id=order.id, portal=portal)
    return [str(e.portal_sentence if portal else e.sentence) for e in entries]


@pytest.mark.parametrize("origin", [Origin.QUOTE, Origin.ERP])
@pytest.mark.parametrize(("status", "header"), [("closed", "open"), ("open", "closed")])
def test_a_rest_that_the_erp_closed_is_shown_with_who_and_when_and_ends_the_order(
    work, order, pull, origin, status, header
):
    order.origin = origin
    assert pull(status=status, header=header) == 1
    line = order.lines[0]
    assert (line.ordered_qty, line.short_qty, line.due_qty) == (10, 6, 4)
    assert (line.short_by, line.short_at, line.cancelled) == ("ERP", work.now, False)
    assert (order.state, order.closed_at) == (OrderState.CLOSED, work.now)
    row = work.session.get_one(OrderProjection, order.id)
    assert (row.stage, row.status, row.open_value) == (Stage.DELIVERED, Status.DONE, 0)
    assert told(work, order)[:2] == [
        "Order closed: nothing more will be delivered",
        "Line 10: the remaining 6 pcs were closed in the ERP",
    ]
    assert told(work, order, portal=True)[:2] == [
        "Order closed: nothing more will be delivered",
        "Line 10: the remaining 6 pcs will not be delivered",
    ]
    assert pull(status=status, header=header) == 0
    assert len(told(work, order)) == 2


def test_what_is_still_on_its_way_keeps_the_order_open_until_it_is_there(work, order, pull):
    pull(status="closed", shipped=7)
    line = order.lines[0]
    assert (line.short_qty, order.state) == (3, OrderState.CONFIRMED)
    assert work.session.get_one(LineProjection, line.id).stage is Stage.SHIPPING
    actions.record_quantities(
        work,
        [actions.LineQuantities(order_line_id=line.id, shipped_qty=D(7), delivered_qty=D(7))],
    )
    assert order.state is OrderState.CLOSED


@pytest.mark.parametrize("status", ["closed", "cancelled"])
def test_a_line_of_which_nothing_left_is_cancelled_and_the_others_go_on(
    work, order, account, pull, status
):
    second = make_line(work, make_item(work), line_no=20)
    order.lines.append(second)
    order.add_up()
    order.lines[0].shipped_qty = order.lines[0].delivered_qty = D(0)
    pull(status=status, shipped=0)
    assert (order.lines[0].cancelled, order.lines[0].short_qty) == (True, 10)
    assert (order.state, order.total) == (OrderState.CONFIRMED, second.net)


def test_an_order_of_which_nothing_left_is_closed_without_being_delivered(work, order, pull):
    order.lines[0].shipped_qty = order.lines[0].delivered_qty = D(0)
    pull(status="closed", header="closed", shipped=0)
    assert order.state is OrderState.CLOSED
    row = work.session.get_one(OrderProjection, order.id)
    assert (row.stage, row.stage_pct, row.status) == (Stage.ORDER, 0, Status.DONE)


def test_what_was_promised_of_the_rest_is_free_again(work, order, pull):
    second = make_line(work, make_item(work), line_no=20)
    order.lines.append(second)
    work.session.flush()
    wish = AskLine("10", order.lines[0].item_id, D(6), DAY)
    Promises(work).convert("", order.no, [wish])
    pull(status="closed")
    assert order.state is OrderState.CONFIRMED
    assert work.session.scalars(sa.select(Reservation.ended_at)).all() == [work.now]


@pytest.mark.parametrize("shipped", [0, 4])
def test_what_the_erp_opens_again_comes_back(work, order, pull, shipped):
    order.lines[0].shipped_qty = order.lines[0].delivered_qty = D(shipped)
    pull(status="closed", header="closed", shipped=shipped)
    assert order.state is OrderState.CLOSED
    assert pull(shipped=shipped) == 1
    line = order.lines[0]
    assert (line.short_qty, line.short_at, line.short_by) == (0, None, "")
    assert (line.cancelled, order.state, order.closed_at) == (False, OrderState.CONFIRMED, None)
    assert order.total == 200
    assert told(work, order, portal=True)[:2] == [
        "Order open again: line 10 is not delivered in full",
        f"Line 10: the remaining {10 - shipped} pcs will be delivered after all",
    ]
    row = work.session.get_one(OrderProjection, order.id)
    assert (row.status is Status.DONE, row.open_value > 0) == (False, True)


def test_an_amendment_on_its_way_is_not_taken_for_a_rest(work, order, pull):
    order.origin, order.erp_sync = Origin.QUOTE, ErpSync.WAITING
    pull(status="closed", shipped=8)
    assert (order.lines[0].short_qty, order.state) == (0, OrderState.CONFIRMED)


def test_an_order_first_seen_closed_short_says_so(work, order, account):
    record = theirs(work, order, account, status="closed", header="closed", erp_id="E-NEW")
    record = dataclasses.replace(record, reference="")
    apply_sales_orders(work, [record], promises=Promises(work))
    work.session.flush()
    found = queries.by_erp_nos(work.session, "main", ["E-NEW"])[0]["E-NEW"]
    assert (found.state, found.lines[0].short_qty) == (OrderState.CLOSED, 6)
    assert apply_sales_orders(work, [record], promises=Promises(work)).changed == 0


def test_a_rest_closed_in_the_erp_cannot_be_amended_here(work, order, pull, promises):
    order.lines.append(make_line(work, make_item(work), line_no=20))
    pull(status="closed")
    with pytest.raises(Conflict, match="closed in the ERP"):
        actions.amend_line(work, order.id, 10, expected_version=None, promises=promises, qty=D(12))


def test_the_pages_say_in_plain_words_what_will_not_come(
    work, office, tmp_path, order, account, pull
):
    pull(status="closed")
    work.session.commit()
    app = make_app(office, tmp_path)
    page = client_for(app, office, Role.SALES).get(f"/orders/{order.no}").text
    assert "6 closed in the ERP, 17 Nov" in page
    page = client_for(app, office, Role.BUYER, account).get(f"/portal/orders/{order.no}").text
    assert "the remaining 6 pcs will not be delivered" in page
    assert "ERP" not in page
