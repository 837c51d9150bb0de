"""The account's page about the ERPs: entering it as a new customer, or why that is not offered."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from b2bcrm.customers.entering import PUSH_CUSTOMER
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.words import Message
from b2bcrm.sync.models import ErpConnection
from tests.clients import client_for, make_app
from tests.factories import make_account

OFFER = "Enter it in the ERP</button>"


@pytest.fixture
def app(office, tmp_path):
    return make_app(office, tmp_path)


@pytest.fixture
def sales(app, office):
    return client_for(app, office, Role.SALES_MANAGER)


@pytest.fixture
def prospect(work):
    work.session.add(ErpConnection(code="main", profile="twin", base_url="http://erp.test"))
    made = make_account(
        work, erp_id=None, name="Kessler GmbH", tax_id="DE-1", payment_terms="NET30"
    )
    work.session.commit()
    return made


def page(client, account):
    answer = client.get(f"/accounts/{account.id}/erp")
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def waiting(work):
    return work.session.scalars(sa.select(Delivery).where(Delivery.handler == PUSH_CUSTOMER)).all()


@pytest.mark.db
def test_what_is_sent_is_shown_first_and_then_the_account_is_on_its_way(work, sales, prospect):
    shown = page(sales, prospect)
    assert OFFER in shown
    for value in (f"ACCOUNT-{prospect.id}", prospect.name, "DE-1", "NET30"):
        assert value in shown
    sales.send(f"/accounts/{prospect.id}/erp/new/send", version=prospect.version)
    (row,) = waiting(work)
    assert row.stream == f"account:{prospect.id}"
    shown = page(sales, prospect)
    assert OFFER not in shown
    assert "It is on its way to the ERP." in shown


@pytest.mark.db
def test_a_refusal_is_on_the_page_with_what_can_be_done(work, sales, prospect):
    sales.send(f"/accounts/{prospect.id}/erp/new/send", version=prospect.version)
    (row,) = waiting(work)
    row.state, row.reason = DeliveryState.PARKED, Message("Customer 20417 has this tax number.")
    work.session.commit()
    work.session.refresh(prospect)
    assert "Customer 20417 has this tax number." in page(sales, prospect)
    sales.send(f"/accounts/{prospect.id}/erp/new/again", version=prospect.version)
    work.session.refresh(row)
    assert row.state is DeliveryState.WAITING
    sales.send(f"/accounts/{prospect.id}/erp/new/stop", version=prospect.version)
    work.session.refresh(row)
    assert row.state is DeliveryState.GIVEN_UP
    assert OFFER in page(sales, prospect)


def test_a_connection_that_cannot_says_why_and_takes_no_order_to(work, sales, prospect):
    row = work.session.scalars(sa.select(ErpConnection)).one()
    row.profile = "dynamics-nav"
    work.session.commit()
    shown = page(sales, prospect)
    assert OFFER not in shown
    assert "This ERP connection cannot do that" in shown
    answer = sales.send(f"/accounts/{prospect.id}/erp/new/send", version=prospect.version)
    assert (answer.status_code, waiting(work)) == (409, [])


def test_what_is_missing_is_named_before_it_is_offered(work, sales, prospect):
    prospect.payment_terms = ""
    work.session.commit()
    shown = page(sales, prospect)
    assert OFFER not in shown
    assert "Fill this in first: Payment terms" in shown


def test_an_account_that_the_erp_knows_is_not_entered_again(work, sales, prospect):
    known = make_account(work)
    work.session.commit()
    assert "as a new customer" not in page(sales, known)
