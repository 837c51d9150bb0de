"""A later day for a customer of class A, on the pages: asked by a planner, decided by a manager."""

from __future__ import annotations

import pytest

from b2bcrm.fulfillment.actions import Promises
from b2bcrm.kernel.actor import Role
from b2bcrm.orders import queries
from tests.clients import client_for, make_app
from tests.factories import make_account, make_item, make_line, make_order
from tests.fulfillment.conftest import day

pytestmark = pytest.mark.db


@pytest.fixture
def order(office):
    with office.open() as work:
        line = make_line(work, make_item(work), promised_on=day("12-15"))
        return make_order(work, make_account(work, customer_class="A"), lines=[line])


@pytest.fixture
def people(office, tmp_path):
    app = make_app(office, tmp_path, promises=Promises)
    return {role: client_for(app, office, role) for role in (Role.PLANNER, Role.SALES_MANAGER)}


def ask(people, order, on="2026-12-18"):
    return people[Role.PLANNER].send(
        f"/orders/{order.no}/lines/10/promise",
        version=order.version,
        promised_on=on,
        reason_code="material",
        text="blanks",
    )


def promised(office, order):
    with office.open(read_only=True) as work:
        return queries.by_no(work, order.no).lines[0].promised_on


def test_the_form_says_that_a_sales_manager_is_asked_first(people, order):
    form = f"/orders/{order.no}/lines/10/promise"
    assert "asked of a sales manager first" in people[Role.PLANNER].get(form).text
    assert "asked of a sales manager first" not in people[Role.SALES_MANAGER].get(form).text


def test_a_request_stands_on_the_order_and_among_the_proposals_until_it_is_approved(
    people, office, order
):
    assert ask(people, order).status_code == 303
    assert promised(office, order) == day("12-15")
    for page in (f"/orders/{order.no}", "/fulfillment/proposals"):
        assert ">Approve<" not in people[Role.PLANNER].get(page).text
        text = people[Role.SALES_MANAGER].get(page).text
        assert "blanks" in text
        assert ">Approve<" in text
    address = text.split("/promise-requests/")[1].split('"')[0]
    where = f"/orders/{order.no}/promise-requests/{address}"
    assert people[Role.PLANNER].send(where, approved="true").status_code == 403
    assert people[Role.SALES_MANAGER].send(where, approved="perhaps").status_code == 422
    assert people[Role.SALES_MANAGER].send(where, approved="true").status_code == 303
    assert promised(office, order) == day("12-18")
    assert "Later days to approve" not in people[Role.PLANNER].get("/fulfillment/proposals").text


def test_declined_the_promise_stays(people, office, order):
    ask(people, order)
    text = people[Role.SALES_MANAGER].get(f"/orders/{order.no}").text
    number = text.split("/promise-requests/")[1].split('"')[0]
    where = f"/orders/{order.no}/promise-requests/{number}"
    assert "Why not" in people[Role.SALES_MANAGER].get(f"{where}/decline").text
    assert people[Role.SALES_MANAGER].send(where, approved="false").status_code == 422
    people[Role.SALES_MANAGER].send(where, approved="false", text="He would lose his slot.")
    assert promised(office, order) == day("12-15")
    assert people[Role.SALES_MANAGER].send(where, approved="true").status_code == 409
    assert "He would lose his slot." in people[Role.PLANNER].get(f"/orders/{order.no}").text
