"""The account pages as people open them."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from b2bcrm.customers import actions as customers
from b2bcrm.customers.models import Account, Contact, CustomerPart, ShipTo, TouchKind
from b2bcrm.desk.account_facts import account_page
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.quotes import actions as quotes
from tests.clients import client_for
from tests.desk.account_rows import D, projection
from tests.factories import (
    make_account,
    make_item,
    make_order,
    make_price,
    make_site,
)


class TestPages:
    @pytest.fixture
    def seller(self, app, office):
        return client_for(app, office, Role.SALES)

    def test_an_empty_list_says_so(self, seller):
        page = seller.get("/accounts")
        assert page.status_code == 200
        assert "No account matches" in page.text

    @pytest.mark.db
    def test_the_list_filters_sorts_and_downloads(self, office, seller):
        with office.open() as work:
            late = make_account(work, name="Late GmbH", country="DE")
            make_account(work, name="蘇州澄衡", country="CN", customer_class="B")
            make_account(work, name="Prospect Ltd", erp_id=None, country="US")
            projection(work, make_order(work, late))
        text = seller.get("/accounts").text
        assert text.index("Late GmbH") < text.index("蘇州澄衡")
        assert "185,300" in text
        only = seller.get("/accounts?country=CN").text
        assert "蘇州澄衡" in only
        assert "Late GmbH" not in only
        assert "Prospect Ltd" in seller.get("/accounts?kind=prospect").text
        assert "Late GmbH" not in seller.get("/accounts?kind=prospect").text
        csv = seller.get("/accounts?country=CN&format=csv")
        assert csv.text.count("\n") == 2
        assert "蘇州澄衡" in csv.text
        assert seller.get("/accounts?format=xlsx").data[:2] == b"PK"

    @pytest.mark.parametrize(
        ("facts", "light"),
        [
            ({"credit_used": D(100)}, "ok"),
            ({"credit_used": D(400000)}, "risk"),
            ({"overdue_amount": D("0.01")}, "risk"),
            ({"credit_used": D("500000.01")}, "late"),
            ({"credit_hold": True}, "late"),
            ({"credit_limit": D(0), "credit_used": D(10)}, "ok"),
        ],
    )
    def test_the_credit_filter_obeys_the_same_rule_as_the_light(self, office, seller, facts, light):
        with office.open() as work:
            account = make_account(work, name="Probe GmbH", **facts)
            assert account.credit_light() == light
        for name in ("ok", "risk", "late"):
            assert ("Probe GmbH" in seller.get(f"/accounts?credit={name}").text) == (name == light)

    @pytest.mark.db
    def test_every_sort_works(self, office, seller):
        with office.open() as work:
            make_account(work)
        for key in ("name", "class", "country", "open", "late", "quotes", "credit", "touch"):
            assert seller.get(f"/accounts?sort={key}").status_code == 200
            assert seller.get(f"/accounts?sort=-{key}").status_code == 200

    def test_the_account_page_shows_what_belongs_to_it(self, office, seller):
        with office.open() as work:
            account = make_account(work, name="Brandt & Kessler", credit_as_of=work.now)
            item = make_item(work, no="SW-25")
            part = CustomerPart(account_id=account.id, item_id=item.id, part_no="BK-77")
            work.session.add(part)
            order = make_order(work, account)
            projection(work, order)
            account_id, number = account.id, order.no
        text = seller.get(f"/accounts/{account_id}").text
        for expected in ("Brandt &amp; Kessler", number, "BK-77", "SW-25", "Jonas Kessler"):
            assert expected in text
        assert "Late 3 wd" in text
        assert "no promise was due yet" in text
        assert "as of 09:40" in text

    def test_an_account_that_is_not_there_is_not_found(self, seller):
        assert seller.get("/accounts/999999").status_code == 404

    def test_a_new_account_renders_without_any_figure(self, office, seller):
        with office.open() as work:
            account = make_account(work, erp_id=None)
            account.contacts, account.ship_tos = [], []
            account_id = account.id
        text = seller.get(f"/accounts/{account_id}").text
        assert "100 %" not in text
        assert "Bought, 12 months" not in text
        assert "Overdue" not in text

    def test_a_prospect_is_created_edited_and_linked(self, office, seller):
        with office.open() as work:
            make_account(work, erp_id="20417")
        facts = {
            "name": "Halvorsen Medical", "country": "US", "currency": "USD",
            "price_list": "EXPORT", "contact_name": "Ann", "contact_email": "ann@h.example",
        }  # fmt: skip
        bad = seller.send("/accounts/new", **(facts | {"country": "usa", "contact_email": "x"}))
        assert bad.status_code == 422
        assert "Two capital letters" in bad.text
        assert "Halvorsen Medical" in bad.text
        made = seller.send("/accounts/new", **facts)
        assert made.status_code == 303
        own = made.headers["Location"]
        assert "not in the ERP yet" in seller.get(own).text
        saved = seller.send(f"{own}/edit", **(facts | {"name": "Halvorsen", "version": "1"}))
        assert saved.status_code == 303
        stale = seller.send(f"{own}/edit", **(facts | {"version": "1"}))
        assert stale.status_code == 409
        taken = seller.send(f"{own}/link", version="2", erp_id="20417")
        assert taken.status_code == 422
        assert "is the ERP number of" in taken.text
        linked = seller.send(f"{own}/link", version="2", erp_id="30001")
        assert linked.status_code == 303
        assert "ERP customer 30001" in seller.get(own).text

    def test_a_prospect_is_quoted_like_any_customer(self, office):
        with office.open(Actor(name="Mei-Ling Lin", role=Role.SALES)) as work:
            make_site(work)
            item = make_item(work, no="PG-1")
            make_price(work, item, unit_price=D(20))
            prospect = customers.create_prospect(
                work, name="Halvorsen", country="US", currency="EUR", price_list="EXPORT"
            )
            promises = Promises(work)
            quote = quotes.new_quote(work, account_id=prospect.id, promises=promises)
            quotes.add_line(work, quote.id, part="PG-1", qty=D(10), promises=promises)
            assert quote.total == D(200)
            assert account_page(work, prospect.id).open_quotes == [quote]

    def test_what_the_erp_owns_is_not_in_the_form(self, office, seller):
        with office.open() as work:
            account = make_account(work, name="Kept GmbH")
            account_id = account.id
        own = f"/accounts/{account_id}"
        text = seller.get(f"{own}/edit").text
        assert "kept in the ERP" in text
        assert 'name="name"' not in text
        seller.send(f"{own}/edit", version="1", language="zh_Hans", name="Other")
        with office.open() as work:
            row = work.session.get(Account, account_id)
            assert (row.name, row.language) == ("Kept GmbH", "zh_Hans")

    def test_a_touch_contact_and_part_number_are_logged_from_the_page(self, office, seller):
        with office.open() as work:
            account = make_account(work)
            order = make_order(work, account)
            make_item(work, no="PG-1")
            account_id, order_id = account.id, order.id
        own = f"/accounts/{account_id}"
        touch = {"kind": "visit", "subject": "Line 4 seen", "about": f"order:{order_id}",
                 "on": "2026-11-12", "inbound": "yes"}  # fmt: skip
        assert seller.send(f"{own}/touches", **touch).status_code == 303
        assert "Line 4 seen" in seller.get(own).text
        assert "12 Nov" in seller.get(own).text
        tomorrow = touch | {"on": "2026-11-18"}
        assert seller.send(f"{own}/touches", **tomorrow).status_code == 422
        added = seller.send(f"{own}/contacts", name="Timo Maurer", role="Design")
        assert added.status_code == 303
        with office.open() as work:
            timo = work.session.scalar(sa.select(Contact.id).where(Contact.name == "Timo Maurer"))
        edited = seller.send(f"{own}/contacts/{timo}", name="Timo M.")
        assert edited.status_code == 303
        assert "Timo M." in seller.get(own).text
        assert seller.send(f"{own}/contacts/{timo}/remove").status_code == 303
        assert seller.send(f"{own}/contacts/{timo}/remove").status_code == 404
        part = {"item_no": "PG-1", "part_no": "BK-9"}
        assert seller.send(f"{own}/parts", **part).status_code == 303
        assert "BK-9" in seller.get(own).text
        unknown = seller.send(f"{own}/parts", item_no="NOPE", part_no="1")
        assert unknown.status_code == 404

    def test_a_service_person_reads_but_does_not_create(self, app, office):
        service = client_for(app, office, Role.SERVICE)
        with office.open() as work:
            account_id = make_account(work).id
        assert service.get(f"/accounts/{account_id}").status_code == 200
        assert service.get("/accounts/new").status_code == 403
        assert service.get(f"/accounts/{account_id}/edit").status_code == 403

    def test_a_buyer_learns_of_no_staff_page(self, app, office):
        with office.open() as work:
            account = make_account(work)
            account_id = account.id
        guest = client_for(app, office, Role.BUYER, account)
        for path in (f"/accounts/{account_id}", "/accounts", "/search?q=x", "/items", "/planning"):
            assert guest.get(path).status_code == 404

    def test_the_pages_send_few_statements_however_many_rows(self, office, seller, statements):
        with office.open() as work:
            account = make_account(work)
            account_id = account.id
            for n in range(3):
                projection(work, make_order(work, account))
                customers.log_touch(work, account_id, kind=TouchKind.NOTE, subject=f"n{n}")
        own = f"/accounts/{account_id}"
        seller.get(own)
        with statements() as few:
            seller.get(own)
        with statements() as few_rows:
            seller.get("/accounts")
        with office.open() as work:
            account = work.session.get(Account, account_id)
            for n in range(25):
                make_account(work)
                projection(work, make_order(work, account))
                customers.log_touch(work, account_id, kind=TouchKind.NOTE, subject=f"m{n}")
                work.session.add(ShipTo(account_id=account_id, code=f"X{n}", name="Werk"))
                part = CustomerPart(
                    account_id=account_id, item_id=make_item(work).id, part_no=f"B{n}"
                )
                work.session.add(part)
        with statements() as many:
            seller.get(own)
        with statements() as many_rows:
            seller.get("/accounts")
        assert len(few) == len(many) <= 12
        assert len(few_rows) == len(many_rows) <= 12
