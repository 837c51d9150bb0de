"""Differences to the ERP over HTTP: both values, who wins, the decision; only for staff."""

from __future__ import annotations

import datetime as dt

import pytest

from b2bcrm.kernel.actor import Role
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order
from b2bcrm.sync.conflicts import ConflictState, ErpConflict, Found
from b2bcrm.sync.ownership import Owner
from tests.clients import client_for, make_app
from tests.factories import D, make_order


@pytest.fixture
def app(office, tmp_path, promises):
    return make_app(office, tmp_path, promises=lambda _work: promises)


@pytest.fixture
def row(work):
    """The ERP holds twelve where ten were agreed."""
    order = make_order(work)
    row = ErpConflict(
        connection_code="main",
        entity="sales_order",
        erp_id=order.erp_no,
        order_id=order.id,
        account_id=order.account_id,
        line_no=10,
        field="10.qty",
        owner=Owner.AGREED,
        found=Found.CHANGED_THERE,
        base="10",
        ours="10",
        theirs="12",
        opened_at=work.now,
        changed_at=work.now,
    )
    work.session.add(row)
    work.session.commit()
    return row


def order_of(work, row):
    work.session.expire_all()
    return work.session.get_one(Order, row.order_id)


def decide(client, work, row, how, **more):
    order = order_of(work, row)
    url = f"/orders/{order.no}/differences/{row.id}"
    return client.send(url, version=order.version, how=how, **more)


def test_both_values_and_the_decision_are_shown_to_those_who_may_decide(app, office, work, row):
    url = f"/orders/{order_of(work, row).no}/differences"
    page = client_for(app, office, Role.SALES).get(url).get_data(as_text=True)
    for text in ("Quantity", ">10<", ">12<", "Take the ERP", "Keep ours", "only by an amendment"):
        assert text in page
    assert "Leave both" not in page
    seen = client_for(app, office, Role.ENGINEER).get(url).get_data(as_text=True)
    assert ">12<" in seen
    assert "Keep ours" not in seen


def test_the_order_page_says_that_something_waits_for_a_decision(app, office, work, row):
    url = f"/orders/{order_of(work, row).no}"
    page = client_for(app, office, Role.SALES).get(url).get_data(as_text=True)
    assert "The ERP holds something else than we agreed (1)." in page
    assert f"{url}/differences" in page


def test_taking_theirs_leads_back_to_the_amended_order(app, office, work, row):
    answer = decide(client_for(app, office, Role.SALES), work, row, "take")
    order = order_of(work, row)
    assert (answer.status_code, answer.location) == (303, f"/orders/{order.no}")
    assert (order.amendment_no, order.erp_sync) == (1, ErpSync.WAITING)


def test_a_later_date_for_added_pieces_is_shown_before_anything_is_changed(
    app, office, work, row, promises
):
    promises.full_on = dt.date(2027, 3, 1)
    sales = client_for(app, office, Role.SALES)
    answer = decide(sales, work, row, "take")
    assert answer.status_code == 422
    assert 'name="promised_on" value="2027-03-01"' in answer.get_data(as_text=True)
    assert order_of(work, row).amendment_no == 0
    assert work.session.get_one(ErpConflict, row.id).state is ConflictState.OPEN
    assert decide(sales, work, row, "take", promised_on="2027-03-01").status_code == 303
    assert order_of(work, row).amendment_no == 1


def test_keeping_ours_sends_it_back(app, office, work, row):
    assert decide(client_for(app, office, Role.SALES), work, row, "keep").status_code == 303
    order_of(work, row)
    assert work.session.get_one(ErpConflict, row.id).state is ConflictState.SENT_BACK


def test_a_word_that_is_no_decision_and_a_role_that_may_not_decide_change_nothing(
    app, office, work, row
):
    assert decide(client_for(app, office, Role.SALES), work, row, "burn").status_code == 422
    assert decide(client_for(app, office, Role.ENGINEER), work, row, "keep").status_code == 403
    order = order_of(work, row)
    assert (order.amendment_no, order.erp_sync) == (0, ErpSync.ACCEPTED)
    assert work.session.get_one(ErpConflict, row.id).state is ConflictState.OPEN
    assert D(row.theirs) == D(12)
