"""One account, several customers of the ERPs: linked by a person, undone by a person."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from b2bcrm.bootstrap import appliers
from b2bcrm.customers import intake, joining, queries
from b2bcrm.customers.models import Account, Contact, ErpCustomer, ShipTo
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Conflict, NotAllowed
from b2bcrm.kernel.timeline import history
from b2bcrm.orders import queries as order_queries
from b2bcrm.orders.handlers.drafting import draft
from b2bcrm.ports.erp import Entity
from tests.customers.test_intake import customer, person, ship_to
from tests.factories import D, make_company, make_order, staff

pytestmark = pytest.mark.db


@pytest.fixture(autouse=True)
def company(work):
    make_company(work)


def pull(work, *records, connection="main"):
    result = intake.apply_customers(work, list(records), connection=connection)
    work.session.flush()
    return result


def account(work, erp_id):
    work.session.expire_all()
    return work.session.scalars(
        sa.select(Account).where(Account.erp_id == erp_id).order_by(Account.id)
    ).first()


def of_erp(work, erp_id, connection="main"):
    return queries.erp_customers(work, connection, [erp_id])[erp_id]


def join(work, erp_id, to):
    row = account(work, to)
    joined = joining.join(work, row.id, of_erp(work, erp_id).id, expected_version=row.version)
    work.session.flush()
    work.session.expire_all()
    return joined


def part(work, erp_id, of):
    row = account(work, of)
    joining.part(work, row.id, of_erp(work, erp_id).id, expected_version=row.version)
    work.session.flush()
    work.session.expire_all()


class TestFirstPull:
    def test_each_customer_of_an_erp_becomes_an_account_of_its_own(self, work):
        pull(work, customer("1001"), customer("2001"))
        assert account(work, "1001").id != account(work, "2001").id
        assert of_erp(work, "1001").main

    def test_two_erps_may_use_the_same_number_for_different_customers(self, work):
        pull(work, customer("1001", name="Brandt", tax_id="DE1"))
        pull(work, customer("1001", name="Osei", tax_id="GH2"), connection="cn")
        ours, theirs = of_erp(work, "1001"), of_erp(work, "1001", "cn")
        assert ours.account_id != theirs.account_id
        pull(work, customer("1001", name="Osei Ltd", tax_id="GH2"), connection="cn")
        assert work.session.get_one(Account, ours.account_id).name == "Brandt"
        assert work.session.get_one(Account, theirs.account_id).name == "Osei Ltd"


class TestEvidence:
    def test_tax_number_and_mail_domain_are_evidence_and_a_name_is_none(self, work):
        pull(work, customer("1001", tax_id="DE1"))
        pull(work, customer("2001", tax_id="DE1", country="AT", contacts=()))
        pull(work, customer("3001", tax_id="X", contacts=(person(email="x@BRANDT.example"),)))
        pull(work, customer("4001", tax_id="Y", contacts=(person(email="x@other.example"),)))
        found = joining.joinable(work, account(work, "1001").id)
        assert [row.customer.erp_id for row in found] == ["2001", "3001"]
        assert (found[0].same_tax_id, found[0].same_domain) == (True, False)
        assert (found[1].same_tax_id, found[1].same_country) == (False, True)

    def test_others_are_found_by_number_when_a_person_asks(self, work):
        pull(work, customer("1001"), customer("4001", contacts=()))
        found = joining.joinable(work, account(work, "1001").id, "400")
        assert [row.customer.erp_id for row in found] == ["4001"]


class TestLinking:
    def test_a_linked_customer_keeps_its_own_credit_and_the_light_is_the_worst(self, work):
        pull(work, customer("1001"), customer("2001", credit_limit=D(100), credit_used=D(50)))
        join(work, "2001", "1001")
        row = account(work, "1001")
        assert row.credit_light() == "ok"
        pull(work, customer("2001", credit_limit=D(100), credit_used=D(150)))
        row = account(work, "1001")
        assert (row.credit_limit, row.own_light(), row.credit_light()) == (D(500000), "ok", "late")
        assert of_erp(work, "2001").credit_used == D(150)

    def test_sites_and_people_come_along_and_follow_their_own_customer(self, work):
        pull(work, customer("1001"), customer("2001", addresses=(ship_to("S1", name="Graz"),)))
        home = account(work, "2001").id
        join(work, "2001", "1001")
        sites = sa.select(ShipTo.name).where(ShipTo.account_id == account(work, "1001").id)
        assert sorted(work.session.scalars(sites)) == ["Graz", "Werk 1"]
        pull(work, customer("2001", addresses=(ship_to("S1", name="Linz"),), contacts=()))
        assert sorted(work.session.scalars(sites)) == ["Linz", "Werk 1"]
        people = sa.select(sa.func.count()).where(Contact.account_id == account(work, "1001").id)
        assert work.session.scalar(people) == 1
        assert not work.session.get_one(Account, home).active

    def test_linking_twice_is_refused(self, work):
        pull(work, customer("1001"), customer("2001"), customer("3001"))
        join(work, "2001", "1001")
        for to in ("1001", "3001"):
            with pytest.raises(Conflict):
                join(work, "2001", to)

    def test_it_is_sales_work(self, work):
        pull(work, customer("1001"), customer("2001"))
        work.actor = staff(Role.ENGINEER)
        with pytest.raises(NotAllowed):
            join(work, "2001", "1001")

    def test_undone_everything_is_as_before_and_the_history_says_both(self, work):
        pull(work, customer("1001"), customer("2001", credit_hold=True))
        home = account(work, "2001").id
        join(work, "2001", "1001")
        assert account(work, "1001").credit_light() == "late"
        part(work, "2001", "1001")
        row = account(work, "1001")
        assert (row.credit_light(), of_erp(work, "2001").account_id) == ("ok", home)
        sites = sa.select(sa.func.count()).where(ShipTo.account_id == row.id)
        assert work.session.scalar(sites) == 1
        back = work.session.get_one(Account, home)
        assert (back.active, back.erp_id, back.credit_hold) == (True, "2001", True)
        said = [
            str(entry.sentence.id) for entry in history(work.session, account_id=row.id, limit=10)
        ]
        assert sum("ERP customer" in text for text in said) == 2

    def test_when_the_main_one_is_deleted_over_there_the_account_lives_on_the_other(self, work):
        pull(work, customer("1001"), customer("2001"))
        join(work, "2001", "1001")
        pull(work, customer("1001", deleted=True))
        assert account(work, "1001").active
        pull(work, customer("2001", deleted=True))
        assert not account(work, "1001").active

    def test_a_person_chooses_the_main_one(self, work):
        pull(work, customer("1001"), customer("2001", credit_limit=D(7), credit_used=D(0)))
        join(work, "2001", "1001")
        row = account(work, "1001")
        joining.make_main(work, row.id, of_erp(work, "2001").id, expected_version=row.version)
        work.session.flush()
        row = work.session.get_one(Account, row.id)
        assert (row.erp_id, row.credit_limit) == ("2001", D(7))
        pull(work, customer("2001", credit_limit=D(8)))
        work.session.expire_all()
        assert work.session.get_one(Account, row.id).credit_limit == D(8)


class TestOrders:
    @pytest.fixture
    def linked(self, work):
        pull(work, customer("1001"), customer("2001", addresses=(ship_to("S9"),)))
        join(work, "2001", "1001")
        return account(work, "1001")

    def test_an_order_is_entered_under_the_customer_of_its_ship_to_site(self, work, linked):
        order = make_order(work, linked, erp_no=None)
        assert draft(work, order, "SO-1/0", "main").customer == "1001"
        site = work.session.scalars(
            sa.select(ShipTo).where(ShipTo.account_id == linked.id, ShipTo.code == "S9")
        ).one()
        order.ship_to_id = site.id
        assert draft(work, order, "SO-1/0", "main").customer == "2001"

    def test_an_order_that_the_erp_has_stays_with_its_customer(self, work, linked):
        order = make_order(work, linked, erp_no=None)
        draft(work, order, "SO-1/0", "main")
        order.erp_no = "70001"
        joining.make_main(work, linked.id, of_erp(work, "2001").id, expected_version=linked.version)
        work.session.flush()
        assert draft(work, order, "SO-1/1", "main").customer == "1001"

    def test_an_order_of_another_company_goes_to_its_customer(self, work, linked):
        other = make_company(work, code="FPC", erp_company="FPC", name="Formosa China")
        of_erp(work, "2001").company_id = other.id
        order = make_order(work, linked, erp_no=None)
        order.company_id = other.id
        work.session.flush()
        assert draft(work, order, "SO-1/0", "main").customer == "2001"

    def test_an_order_of_before_goes_on_under_its_own_customer(self, work):
        pull(work, customer("1001"), customer("2001"))
        order_id = make_order(work, account(work, "2001"), erp_no=None).id
        join(work, "2001", "1001")
        order = order_queries.by_id(work, order_id)
        assert draft(work, order, "SO-1/0", "main").customer == "2001"


def test_every_feed_that_names_customers_knows_its_connection(work):
    for entity in (Entity.CUSTOMER, Entity.ITEM, Entity.SALES_ORDER, Entity.INVOICE):
        assert appliers("cn")[entity] != appliers("main")[entity]
    assert work.session.scalar(sa.select(sa.func.count()).select_from(ErpCustomer)) == 0
