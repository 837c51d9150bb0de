"""Acts on an order over HTTP: forms in a dialog, complaints at the field, 409: who and when."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.words import Message
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.orders.models import Order, OrderLine, OrderRevision
from tests.clients import client_for, make_app
from tests.factories import D, make_account, make_line, make_order


@pytest.fixture
def app(office, tmp_path, promises):
    return make_app(office, tmp_path, promises=lambda _work: promises)


@pytest.fixture
def sales(app, office):
    return client_for(app, office, Role.SALES)


@pytest.fixture
def order(work):
    order = make_order(work)
    work.session.commit()
    return order


def again(work, order) -> Order:
    """The order as it stands now."""
    work.session.expire_all()
    return work.session.get_one(Order, order.id)


def act(client, order, name, **fields):
    return client.send(f"/orders/{order.no}/acts/{name}", version=order.version, **fields)


def submitted(work, **facts) -> Order:
    values = {
        "state": OrderState.SUBMITTED,
        "erp_sync": ErpSync.NONE,
        "erp_no": None,
        "confirmed_at": None,
        "lines": [make_line(work, first_promised_on=None)],
    }
    order = make_order(work, **(values | facts))
    work.session.commit()
    return order


def test_confirming_leads_back_to_the_order_and_starts_the_push(work, sales):
    order = submitted(work)
    answer = act(sales, order, "confirm")
    assert (answer.status_code, answer.location) == (303, f"/orders/{order.no}")
    now = again(work, order)
    assert (now.state, now.erp_sync) == (OrderState.CONFIRMED, ErpSync.WAITING)
    assert work.session.scalar(sa.select(sa.func.count()).select_from(OrderRevision)) == 1


def test_what_cannot_be_confirmed_is_refused_with_the_reason(work, sales):
    order = submitted(work, account=make_account(work, credit_hold=True))
    answer = act(sales, order, "confirm")
    assert answer.status_code == 409
    assert "blocked in the ERP" in answer.text
    assert again(work, order).state is OrderState.SUBMITTED


def test_the_second_of_two_people_is_told_who_changed_it_and_when(work, app, office, order):
    first, second = client_for(app, office, Role.SALES), client_for(app, office, Role.SALES)
    version = order.version
    url = f"/orders/{order.no}/acts/hold"
    assert first.send(url, version=version, reason="Drawing changed").status_code == 303
    answer = second.send(url, version=version, reason="Price unclear")
    assert answer.status_code == 409
    assert f"{first.user.name} changed this at" in answer.text
    assert re.search(r"\d\d:\d\d", answer.text)
    assert again(work, order).hold_reason == "Drawing changed"


def test_a_hold_without_a_reason_is_refused_at_the_field(work, sales, order):
    for reason in ("", "   "):
        answer = act(sales, order, "hold", reason=reason)
        assert answer.status_code == 422
        assert "Say why." in answer.text
        assert 'aria-invalid="true"' in answer.text
    assert again(work, order).hold_reason is None


def test_holding_and_releasing_come_back_to_where_the_order_was(work, sales, order):
    act(sales, order, "hold", reason="Drawing changed")
    held = again(work, order)
    assert (held.hold_reason, held.state) == ("Drawing changed", OrderState.CONFIRMED)
    act(sales, held, "release")
    assert again(work, order).hold_reason is None


def test_an_amended_line_is_numbered_and_sealed(work, sales, order):
    answer = sales.send(f"/orders/{order.no}/lines/10/amend", version=order.version, qty="12")
    assert answer.status_code == 303
    now = again(work, order)
    assert (now.amendment_no, now.erp_sync) == (1, ErpSync.WAITING)
    assert now.total == D(240)


def test_a_date_that_moved_comes_back_in_the_form_and_sent_again_it_is_agreed_to(
    work, sales, order, promises
):
    url, promises.full_on = f"/orders/{order.no}/lines/10/amend", dt.date(2027, 1, 8)
    answer = sales.send(url, version=order.version, qty="12")
    assert (answer.status_code, answer.headers["X-Form"]) == (409, "again")
    assert "has moved from Tue 15 Dec 2026 to Fri 8 Jan 2027" in answer.text
    assert 'name="promised_on" value="2027-01-08"' in answer.text
    assert again(work, order).amendment_no == 0
    agreed = {"version": order.version, "promised_on": "2027-01-08"}
    answer = sales.send(url, qty="1.5", **agreed)
    assert (answer.status_code, 'value="2027-01-08"' in answer.text) == (422, True)
    answer = sales.send(url, qty="12", **agreed)
    assert answer.status_code == 303
    assert again(work, order).amendment_no == 1


def test_added_pieces_that_cannot_be_promised_now_say_why_in_the_form(
    work, sales, order, promises, monkeypatch
):
    def extend(*_asked, **_facts):
        raise Refused(
            Message("No firm date can be given now: %(why)s", why="x"), code="stale_feeds"
        )

    monkeypatch.setattr(promises, "extend", extend)
    url = f"/orders/{order.no}/lines/10/amend"
    answer = sales.send(url, version=order.version, qty="12")
    assert (answer.status_code, "No firm date can be given now: x" in answer.text) == (422, True)
    assert again(work, order).amendment_no == 0


@pytest.mark.parametrize(
    ("qty", "sentence"),
    [
        ("1.5", "Whole pieces only."),
        ("0", "The quantity must be greater than zero."),
        ("many", "This is not a number."),
        ("1e400", "At most"),
        ("3", "4 have already shipped."),
    ],
)
def test_an_impossible_quantity_is_refused_at_its_field(work, sales, qty, sentence):
    order = make_order(work, lines=[make_line(work, shipped_qty=D(4))])
    work.session.commit()
    answer = sales.send(f"/orders/{order.no}/lines/10/amend", version=order.version, qty=qty)
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'id="f-qty-e"' in answer.text
    assert again(work, order).amendment_no == 0


def test_a_form_without_any_change_is_refused(work, sales, order):
    answer = sales.send(f"/orders/{order.no}/lines/10/amend", version=order.version, qty="10")
    assert answer.status_code == 422
    assert "Nothing was changed." in answer.text


def test_the_same_form_sent_twice_amends_once(work, sales, order):
    fields = {"version": order.version, "qty": "12", "request_key": "k1"}
    answers = [sales.send(f"/orders/{order.no}/lines/10/amend", **fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert again(work, order).amendment_no == 1


def test_a_cancelled_order_keeps_its_reason_and_gives_its_supply_back(work, sales, order, promises):
    assert act(sales, order, "cancel", reason="Machine was not built").status_code == 303
    assert again(work, order).state is OrderState.CANCELLED
    assert promises.released == [order.no]


def test_an_order_of_which_something_shipped_cannot_be_cancelled(work, sales):
    order = make_order(work, lines=[make_line(work, shipped_qty=D(1))])
    work.session.commit()
    answer = act(sales, order, "cancel", reason="Too late")
    assert answer.status_code == 409
    assert "already shipped" in answer.text


def test_the_customers_number_is_written_while_the_order_is_submitted(work, sales, order):
    fresh = submitted(work, customer_po="")
    assert act(sales, fresh, "customer-po", customer_po="4500-1").status_code == 303
    assert again(work, fresh).customer_po == "4500-1"
    assert act(sales, order, "customer-po", customer_po="4500-1").status_code == 409


def test_a_refused_push_is_sent_again_once_a_person_has_looked(work, sales, order):
    order.erp_sync, order.erp_reason = ErpSync.REFUSED, Message("Blocked.")
    delivery = Delivery(
        event="order.confirmed",
        handler="erp.push_order",
        stream=f"order:{order.id}",
        payload={},
        created_at=work.tick,
        next_at=work.tick,
        state=DeliveryState.PARKED,
    )
    work.session.add(delivery)
    work.session.commit()
    assert act(sales, order, "send-again").status_code == 303
    work.session.refresh(delivery)
    assert delivery.state is DeliveryState.WAITING
    assert again(work, order).erp_sync is ErpSync.WAITING


def test_nothing_to_send_is_said(sales, order):
    answer = act(sales, order, "send-again")
    assert answer.status_code == 409
    assert "Nothing of this order waits for the ERP." in answer.text


def test_a_role_without_the_right_cannot_act(app, office, work, order):
    quality = client_for(app, office, Role.QUALITY)
    assert act(quality, order, "hold", reason="x").status_code == 403
    assert act(quality, order, "send-again").status_code == 403
    assert again(work, order).hold_reason is None


def test_a_buyer_does_not_learn_that_the_acts_exist(app, office, work, order):
    account = make_account(work)
    work.session.commit()
    buyer = client_for(app, office, Role.BUYER, account)
    assert act(buyer, order, "hold", reason="x").status_code == 404
    assert buyer.get(f"/orders/{order.no}/acts/hold").status_code == 404


@pytest.mark.parametrize("name", ["confirm", "hold", "release", "cancel", "customer-po"])
def test_each_form_carries_version_and_token(sales, order, name):
    form = sales.get(f"/orders/{order.no}/acts/{name}")
    assert form.status_code == 200
    for field in ('name="version"', 'name="csrf_token"', 'name="request_key"'):
        assert field in form.text


def test_the_amend_form_shows_what_was_before(sales, order):
    form = sales.get(f"/orders/{order.no}/lines/10/amend").text
    assert "So far 10 pcs, shipped 0 pcs" in form
    assert "amendment 1" in form


def test_unknown_acts_lines_and_orders_are_not_found(sales, order):
    assert sales.get(f"/orders/{order.no}/acts/explode").status_code == 404
    assert sales.get(f"/orders/{order.no}/lines/77/amend").status_code == 404
    assert sales.get("/orders/SO-26-00000/acts/hold").status_code == 404


def test_revisions_are_shown_when_asked_for(work, sales):
    order = submitted(work)
    act(sales, order, "confirm")
    assert sales.get(f"/orders/{order.no}/revisions").text.count("<tr>") == 2


def test_how_a_line_leaves_is_settled_in_a_dialog(sales, work, order):
    form = f"/orders/{order.no}/lines/10/policy"
    assert "How line 10 of" in sales.get(form).text
    wrong = sales.send(form, version=order.version, least_shipment="11")
    assert wrong.status_code == 422
    assert "The line has no more than 10." in wrong.text
    assert sales.send(form, version=order.version, max_late_days="soon").status_code == 422
    right = {"leaves_with": "A", "least_shipment": "2", "max_late_days": "0"}
    assert sales.send(form, version=order.version, **right).status_code == 303
    assert sales.send(form, version=order.version).status_code == 409
    work.session.expire_all()
    line = work.session.scalars(sa.select(OrderLine)).one()
    assert (line.leaves_with, line.least_shipment, line.max_late_days) == ("A", 2, 0)
    assert 'value="A"' in sales.get(form).text
