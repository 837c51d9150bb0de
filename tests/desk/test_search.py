"""Global search: numbers of all kinds, names in any script, and what a purchase order holds up."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from b2bcrm.customers.models import CustomerPart
from b2bcrm.desk.search_facts import find
from b2bcrm.fulfillment.models import PurchaseLine, WorkOrder
from b2bcrm.kernel.actor import Role
from b2bcrm.quotes.lifecycle import Channel, InquiryState, QuoteState
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.service.lifecycle import CaseKind, CaseState
from b2bcrm.service.models import Case
from tests.clients import client_for
from tests.factories import make_account, make_item, make_order

D = Decimal
DAY = dt.date(2026, 11, 30)


def add(work, row):
    work.session.add(row)
    work.session.flush()
    return row


def purchase(work, no: str, demand: str = "", **facts) -> PurchaseLine:
    values = {
        "po_no": no, "line_no": 10, "supplier_no": "V1", "supplier_name": "Bearings Ltd",
        "site_code": "TC", "item_no": "BRG-1", "qty": D(100), "ordered_on": DAY,
        "requested_on": DAY, "confirmed_on": DAY, "status": "open", "demand_ref": demand,
    }  # fmt: skip
    return add(work, PurchaseLine(**(values | facts)))


def work_order(work, no: str, demand: str, **facts) -> WorkOrder:
    values = {
        "no": no, "item_no": "PG-1", "site_code": "TC", "qty": D(10), "status": "released",
        "planned_start_on": DAY, "planned_end_on": DAY, "first_planned_end_on": DAY,
        "demand_ref": demand,
    }  # fmt: skip
    return add(work, WorkOrder(**(values | facts)))


def hits(work, text: str) -> list[tuple[str, str, str]]:
    return [(hit.kind, hit.title, hit.href) for hit in find(work, text).hits]


@pytest.mark.db
class TestDocuments:
    @pytest.mark.parametrize("text", ["SO-26-77001", "so-26-77", "77001", "E4711", "4500-77812"])
    def test_an_order_is_found_by_each_of_its_numbers(self, work, text):
        make_order(work, no="SO-26-77001", erp_no="E4711-X", customer_po="4500-77812")
        assert hits(work, text) == [("order", "SO-26-77001", "/orders/SO-26-77001")]

    def test_quotes_inquiries_and_cases_are_found_by_number_or_subject(self, work):
        account = make_account(work)
        order = make_order(work, account)
        for rev in (0, 1):
            add(
                work,
                Quote(
                    no="Q-26-9001",
                    rev=rev,
                    current=rev == 1,
                    company_id=account.company_id,
                    site_id=order.site_id,
                    account_id=account.id,
                    state=QuoteState.SENT,
                    currency="EUR",
                    created_at=work.now,
                    valid_until=DAY,
                ),
            )
        add(
            work,
            Inquiry(
                no="IN-26-9002",
                company_id=account.company_id,
                account_id=account.id,
                channel=Channel.MAIL,
                state=InquiryState.OPEN,
                subject="Drives for line 9003",
                received_at=work.now,
            ),
        )
        add(
            work,
            Case(
                no="CS-26-9004",
                company_id=account.company_id,
                account_id=account.id,
                kind=CaseKind.COMPLAINT,
                state=CaseState.OPEN,
                subject="Noise",
                serial_nos="SN-88123",
                opened_at=work.now,
                answer_due_at=work.now,
                solve_due_at=work.now,
            ),
        )
        assert hits(work, "Q-26-9001") == [("quote", "Q-26-9001", "/quotes/Q-26-9001")]
        assert hits(work, "line 9003") == [("inquiry", "IN-26-9002", "/inquiries/IN-26-9002")]
        assert hits(work, "sn-88123") == [("case", "CS-26-9004", "/service/CS-26-9004")]

    def test_the_number_typed_in_full_comes_first(self, work):
        make_order(work, no="SO-26-80")
        make_order(work, no="SO-26-801")
        assert find(work, "so-26-80").hits[0].title == "SO-26-80"
        assert find(work, "so-26-80").only.href == "/orders/SO-26-80"


@pytest.mark.db
class TestNames:
    @pytest.mark.parametrize("text", ["澄衡", "苏", "自动化"])
    def test_a_chinese_name_is_found_by_any_part_of_it(self, work, text):
        account = make_account(work, name="苏州澄衡自动化设备", short_name="澄衡")
        assert hits(work, text) == [("account", "苏州澄衡自动化设备", f"/accounts/{account.id}")]

    def test_an_item_is_found_by_the_customers_number(self, work):
        account, item = make_account(work), make_item(work, no="SW-25", name="Strain-wave")
        add(work, CustomerPart(account_id=account.id, item_id=item.id, part_no="KX-100"))
        assert hits(work, "kx-1") == [("item", "SW-25", "/items/SW-25")]
        assert "KX-100" in str(find(work, "kx-1").hits[0].under)

    def test_one_letter_finds_nothing_and_signs_are_only_signs(self, work):
        make_account(work, name="A")
        assert not find(work, "A").hits
        assert not find(work, "%%").hits
        assert not find(work, "__").hits
        assert not find(work, "").hits


@pytest.mark.db
class TestSupply:
    def test_a_purchase_order_leads_to_the_order_it_holds_up(self, work):
        order = make_order(work, erp_no="E900001")
        work_order(work, "WO-70001", "E900001/10")
        work_order(work, "WO-70002", "WO-70001")
        purchase(work, "PO-33107", "WO-70002")
        assert hits(work, "PO-33107") == [("supply", "PO-33107", f"/orders/{order.no}")]
        assert hits(work, "WO-70002") == [("supply", "WO-70002", f"/orders/{order.no}")]
        assert order.no in str(find(work, "PO-33107").hits[0].under)
        assert "30 Nov" in str(find(work, "PO-33107").hits[0].under)

    def test_one_bought_for_the_order_itself_does_too(self, work):
        order = make_order(work, erp_no="E900002")
        purchase(work, "PO-33108", "E900002/10")
        assert hits(work, "33108") == [("supply", "PO-33108", f"/orders/{order.no}")]

    def test_one_for_stock_leads_to_its_item(self, work):
        purchase(work, "PO-33109")
        assert hits(work, "PO-33109") == [("supply", "PO-33109", "/items/BRG-1")]

    def test_a_purchase_order_of_many_lines_is_one_hit(self, work):
        purchase(work, "PO-33110")
        purchase(work, "PO-33110", line_no=20)
        assert len(hits(work, "PO-33110")) == 1


class TestPages:
    def test_a_full_number_leads_straight_to_its_page(self, app, office):
        seller = client_for(app, office, Role.SALES)
        with office.open() as work:
            make_order(work, no="SO-26-77001")
        answer = seller.get("/search?q=SO-26-77001")
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/orders/SO-26-77001"

    def test_the_page_lists_and_an_empty_one_says_so(self, app, office):
        seller = client_for(app, office, Role.SALES)
        with office.open() as work:
            make_account(work, name="Halvorsen & Söhne")
        assert "Halvorsen &amp; Söhne" in seller.get("/search?q=halvorsen").text
        assert "Nothing found" in seller.get("/search?q=zzzzz").text
        assert seller.get("/search").status_code == 200
        assert seller.get("/search?q=" + "x" * 5000).status_code == 200

    def test_what_is_typed_never_becomes_markup(self, app, office):
        seller = client_for(app, office, Role.SALES)
        text = seller.get("/search?q=<script>alert(1)</script>").text
        assert "<script>alert" not in text

    def test_suggestions_are_a_list_and_few_statements(self, app, office, statements):
        seller = client_for(app, office, Role.SALES)
        with office.open() as work:
            for n in range(12):
                make_order(work, no=f"SO-26-77{n:03d}", erp_no=f"E77{n}")
                purchase(work, f"PO-77{n}", f"E77{n}/10")
        with statements() as seen:
            answer = seller.get("/search/suggest?q=77")
        assert len(seen) <= 8
        assert answer.text.lstrip().startswith("<ul")
        assert answer.text.count("SO-26-77") >= 5
