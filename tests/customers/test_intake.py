"""The ERP's customers: what it owns, what we own, and what happens to what it drops."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.customers import intake
from b2bcrm.customers.models import Account, Contact, CustomerPart, ShipTo, Touch, TouchKind
from b2bcrm.kernel.timeline import history
from b2bcrm.kernel.work import Work
from b2bcrm.ports import erp
from tests.factories import make_account, make_company, make_item, make_order

pytestmark = pytest.mark.db
D = Decimal


def ship_to(code: str = "S1", **facts) -> erp.Address:
    values = {
        "kind": "ship_to",
        "code": code,
        "name": "Werk 1",
        "street": "Industriestr. 5",
        "city": "Augsburg",
        "country": "DE",
        "receiving_days": "1110000",
        "transit_days": 4,
    }
    return erp.Address(**(values | facts))


def person(name: str = "Jonas Kessler", **facts) -> erp.ContactInfo:
    values = {"name": name, "email": "jonas@brandt.example", "role": "Purchasing"}
    return erp.ContactInfo(**(values | facts))


def customer(erp_id: str = "20417", **facts) -> erp.Customer:
    values = {
        "erp_id": erp_id,
        "company": "FPD",
        "name": "Brandt & Kessler Maschinenbau GmbH",
        "short_name": "Brandt & Kessler",
        "tax_id": f"DE{erp_id}",
        "country": "DE",
        "language": "en",
        "currency": "EUR",
        "price_list": "EXPORT",
        "payment_terms": "30 days net",
        "incoterm": "DAP",
        "incoterm_place": "Augsburg",
        "customer_class": "A",
        "credit_limit": D(500000),
        "credit_used": D(305000),
        "overdue_amount": D(0),
        "credit_hold": False,
        "partial_delivery": True,
        "sales_rep": "Mei-Ling Lin",
        "addresses": (
            ship_to("B", kind="bill_to", street="Hauptstr. 1", city="München"),
            ship_to(),
        ),
        "contacts": (person(),),
    }
    return erp.Customer(**(values | facts))


@pytest.fixture(autouse=True)
def company(work: Work) -> None:
    make_company(work)


def account(work: Work, erp_id: str = "20417") -> Account:
    return work.session.scalars(sa.select(Account).where(Account.erp_id == erp_id)).one()


def people(work: Work) -> list[str]:
    return sorted(work.session.scalars(sa.select(Contact.name)))


class TestAccounts:
    def test_a_new_customer_comes_with_people_sites_and_dated_credit(self, work: Work) -> None:
        assert intake.apply_customers(work, [customer()]).changed == 3
        row = account(work)
        assert (row.city, row.address) == ("München", "Hauptstr. 1")
        assert (row.credit_used, row.credit_as_of) == (D(305000), work.now)
        site = work.session.scalars(sa.select(ShipTo)).one()
        assert (site.code, site.receiving_days, site.transit_days) == ("S1", "1110000", 4)
        assert people(work) == ["Jonas Kessler"]

    def test_the_same_page_twice_changes_nothing(self, work: Work) -> None:
        page = [customer(f"C{n}") for n in range(20)]
        assert intake.apply_customers(work, page).changed == 60
        assert intake.apply_customers(work, page).changed == 0

    def test_the_age_of_the_credit_grows_younger_without_a_change(self, work: Work) -> None:
        intake.apply_customers(work, [customer()])
        work.now += dt.timedelta(hours=2)
        assert intake.apply_customers(work, [customer()]).changed == 0
        assert account(work).credit_as_of == work.now

    def test_only_real_changes_are_counted(self, work: Work) -> None:
        page = [customer("C1"), customer("C2"), customer("C3")]
        intake.apply_customers(work, page)
        page[1] = dataclasses.replace(page[1], credit_hold=True)
        assert intake.apply_customers(work, page).changed == 1
        assert account(work, "C2").credit_light() == "late"

    def test_what_we_own_is_not_overwritten(self, work: Work) -> None:
        intake.apply_customers(work, [customer()])
        row = account(work)
        row.language = "zh_Hant"
        version = row.version
        work.session.flush()
        intake.apply_customers(work, [customer(name="New name GmbH", language="en")])
        assert (row.language, row.name) == ("zh_Hant", "New name GmbH")
        assert row.version == version + 1  # the person's own change; the pull added none

    def test_a_customer_of_an_unknown_company_is_parked(self, work: Work) -> None:
        result = intake.apply_customers(work, [customer("C1", company="XX"), customer("C2")])
        assert [key for key, _reason in result.parked] == ["C1"]
        assert account(work, "C2")

    def test_a_customer_deleted_in_the_erp_stays_inactive(self, work: Work) -> None:
        intake.apply_customers(work, [customer()])
        gone = customer(deleted=True)
        assert intake.apply_customers(work, [gone]).changed == 1
        assert intake.apply_customers(work, [gone]).changed == 0
        assert not account(work).active
        assert intake.apply_customers(work, [customer()]).changed == 1
        assert account(work).active

    def test_few_statements_for_a_page_of_five_hundred(self, work: Work, statements) -> None:
        page = [customer(f"C{n:04d}") for n in range(500)]
        with statements() as first:
            intake.apply_customers(work, page)
        with statements() as again:
            intake.apply_customers(work, page)
        assert len(first) <= 16
        assert len(again) <= 8


class TestProspects:
    def test_a_prospect_with_the_same_tax_number_becomes_the_customer(self, work: Work) -> None:
        prospect = make_account(work, erp_id=None, tax_id="DE20417", name="Brandt")
        intake.apply_customers(work, [customer()])
        assert account(work).id == prospect.id
        assert prospect.name == "Brandt & Kessler Maschinenbau GmbH"
        entry = history(work.session, account_id=prospect.id)[0]
        assert "20417" in str(entry.sentence)

    def test_two_prospects_with_one_tax_number_are_left_to_a_person(self, work: Work) -> None:
        first = make_account(work, erp_id=None, tax_id="DE20417")
        second = make_account(work, erp_id=None, tax_id="DE20417")
        intake.apply_customers(work, [customer()])
        assert account(work).id not in {first.id, second.id}

    def test_a_customer_we_know_already_takes_no_prospect(self, work: Work) -> None:
        intake.apply_customers(work, [customer()])
        prospect = make_account(work, erp_id=None, tax_id="DE20417")
        intake.apply_customers(work, [customer()])
        assert prospect.erp_id is None

    def test_an_empty_tax_number_joins_nobody(self, work: Work) -> None:
        prospect = make_account(work, erp_id=None, tax_id="")
        intake.apply_customers(work, [customer(tax_id="")])
        assert prospect.erp_id is None


class TestContacts:
    def test_a_contact_removed_in_the_erp_disappears(self, work: Work) -> None:
        intake.apply_customers(work, [customer()])
        assert intake.apply_customers(work, [customer(contacts=())]).changed == 1
        assert people(work) == []

    def test_a_contact_that_a_document_names_stays_and_becomes_ours(self, work: Work) -> None:
        intake.apply_customers(work, [customer()])
        contact = work.session.scalars(sa.select(Contact)).one()
        make_order(work, account(work), contact_id=contact.id)
        assert intake.apply_customers(work, [customer(contacts=())]).changed == 1
        assert intake.apply_customers(work, [customer(contacts=())]).changed == 0
        assert people(work) == ["Jonas Kessler"]
        assert not contact.from_erp

    def test_a_contact_we_added_stays(self, work: Work) -> None:
        intake.apply_customers(work, [customer()])
        work.session.add(Contact(account_id=account(work).id, name="Timo Maurer"))
        assert intake.apply_customers(work, [customer(contacts=())]).changed == 1
        assert people(work) == ["Timo Maurer"]

    def test_a_contact_we_added_is_recognised_by_his_address(self, work: Work) -> None:
        intake.apply_customers(work, [customer(contacts=())])
        row = account(work)
        work.session.add(Contact(account_id=row.id, name="J. K.", email="JONAS@brandt.example"))
        intake.apply_customers(work, [customer()])
        assert people(work) == ["Jonas Kessler"]

    def test_contacts_without_address_are_told_apart_by_name(self, work: Work) -> None:
        page = customer(contacts=(person("A", email=""), person("B", email="")))
        intake.apply_customers(work, [page])
        assert intake.apply_customers(work, [page]).changed == 0
        assert people(work) == ["A", "B"]


class TestShipTos:
    def test_a_site_removed_in_the_erp_goes_unless_an_order_names_it(self, work: Work) -> None:
        both = customer(addresses=(ship_to("S1"), ship_to("S2"), ship_to("S3")))
        intake.apply_customers(work, [both])
        sites = {row.code: row for row in work.session.scalars(sa.select(ShipTo))}
        make_order(work, account(work), ship_to_id=sites["S2"].id)
        assert intake.apply_customers(work, [customer(addresses=(ship_to("S1"),))]).changed == 1
        assert sorted(work.session.scalars(sa.select(ShipTo.code))) == ["S1", "S2"]

    def test_a_changed_receiving_calendar_is_taken_over(self, work: Work) -> None:
        intake.apply_customers(work, [customer()])
        changed = customer(addresses=(ship_to(receiving_days="0000110"),))
        intake.apply_customers(work, [changed])
        assert work.session.scalar(sa.select(ShipTo.receiving_days)) == "0000110"


def item_with_parts(no: str, parts: dict[str, str]) -> erp.Item:
    return erp.Item(
        erp_id=no, name=no, name_zh_hant="", name_zh_hans="", spec="", family="PG", kind="make",
        base_uom="pcs", lead_time_days=1, lot_size=D(1), standard_cost=D(1), cost_currency="TWD",
        weight_kg=D(1), sellable=True, active=True, customer_part_nos=parts,
    )  # fmt: skip


class TestParts:
    def numbers(self, work: Work) -> list[str]:
        return sorted(work.session.scalars(sa.select(CustomerPart.part_no)))

    def test_the_customers_numbers_come_with_the_items(self, work: Work) -> None:
        make_item(work, no="PG-1")
        make_account(work, erp_id="C1")
        page = [item_with_parts("PG-1", {"C1": "BK-1"})]
        assert intake.apply_customer_parts(work, page).changed == 1
        assert intake.apply_customer_parts(work, page).changed == 0
        assert self.numbers(work) == ["BK-1"]

    def test_a_number_of_an_unknown_customer_is_parked_and_the_rest_goes_on(
        self, work: Work
    ) -> None:
        make_item(work, no="PG-1")
        make_account(work, erp_id="C1")
        page = [item_with_parts("PG-1", {"C1": "BK-1", "C9": "ZZ"})]
        result = intake.apply_customer_parts(work, page)
        assert result.changed == 1
        assert [key for key, _reason in result.parked] == ["PG-1"]

    def test_a_number_dropped_in_the_erp_goes_but_ours_stays(self, work: Work) -> None:
        item = make_item(work, no="PG-1")
        make_account(work, erp_id="C1")
        other = make_account(work, erp_id="C2")
        intake.apply_customer_parts(work, [item_with_parts("PG-1", {"C1": "BK-1"})])
        work.session.add(CustomerPart(account_id=other.id, item_id=item.id, part_no="OURS"))
        result = intake.apply_customer_parts(work, [item_with_parts("PG-1", {})])
        assert result.changed == 1
        assert self.numbers(work) == ["OURS"]


def test_a_touch_also_keeps_a_contact(work: Work) -> None:
    intake.apply_customers(work, [customer()])
    contact = work.session.scalars(sa.select(Contact)).one()
    work.session.add(
        Touch(
            account_id=contact.account_id,
            contact_id=contact.id,
            kind=TouchKind.CALL,
            at=work.now,
            subject="Where is it?",
        )
    )
    intake.apply_customers(work, [customer(contacts=())])
    assert people(work) == ["Jonas Kessler"]
