"""A prospect and a customer of the ERP are one: people see the evidence and decide."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from b2bcrm.customers import actions, linking
from b2bcrm.customers.models import Account, Contact, ShipTo
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import NotAllowed, Refused
from tests.factories import D, make_account, make_order, staff

pytestmark = pytest.mark.db


@pytest.fixture
def prospect(work):
    account = make_account(
        work, erp_id=None, name="Brandt", tax_id="DE1", country="DE", credit_limit=D(0)
    )
    account.ship_tos.clear()
    work.session.flush()
    return account


def link(work, account, erp_id):
    return actions.link_to_erp(
        work, account.id, expected_version=account.version, erp_id=erp_id, take_over=True
    )


def test_evidence_comes_first_and_customers_with_documents_are_no_candidates(work, prospect):
    prospect.contacts[0].email = "a@brandt.example"
    far = make_account(work, erp_id="C-FAR", country="US", tax_id="")
    far.contacts[0].email = "far@other.example"
    same = make_account(work, erp_id="C-TAX", country="DE", tax_id="DE1")
    mail = make_account(work, erp_id="C-MAIL", country="US", tax_id="")
    mail.contacts[0].email = "b@BRANDT.example"
    same.contacts[0].email = "x@other.example"
    make_order(work, make_account(work, erp_id="C-BUSY", tax_id="DE1"))
    work.session.flush()
    found = linking.candidates(work, prospect.id)
    assert [c.erp_id for c in found][:2] == ["C-TAX", "C-MAIL"]
    assert (found[0].same_tax_id, found[0].same_domain, found[0].same_country) == (
        True,
        False,
        True,
    )
    assert "C-BUSY" not in {c.erp_id for c in found}
    assert [c.erp_id for c in linking.candidates(work, prospect.id, "mail")] == ["C-MAIL"]


def test_linking_takes_the_pulled_customer_over_with_its_facts(work, prospect):
    pulled = make_account(work, erp_id="C-1", name="Brandt GmbH", credit_limit=D(900))
    gone = pulled.id
    prospect.owner_id = 5
    work.session.flush()
    link(work, prospect, "C-1")
    work.session.flush()
    work.session.expire_all()
    account = work.session.get_one(Account, prospect.id)
    assert (account.erp_id, account.name, account.credit_limit) == ("C-1", "Brandt GmbH", D(900))
    assert account.owner_id == 5
    assert work.session.get(Account, gone) is None
    codes = work.session.scalars(sa.select(ShipTo.code).where(ShipTo.account_id == account.id))
    assert list(codes) == ["S1"]
    people = sa.select(sa.func.count()).where(Contact.account_id == account.id)
    assert work.session.scalar(people) == 2


def test_a_customer_with_documents_of_its_own_is_not_mixed_in(work, prospect):
    make_order(work, make_account(work, erp_id="C-2"))
    with pytest.raises(Refused):
        link(work, prospect, "C-2")
    assert prospect.erp_id is None


def test_linking_is_sales_work(office, work, prospect):
    work.session.flush()
    work.actor = staff(Role.ENGINEER)
    with pytest.raises(NotAllowed):
        linking.candidates(work, prospect.id)
