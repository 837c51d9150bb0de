"""Item list and item page: stock with its age, supply against demand, parts and prices."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest

from b2bcrm.catalog.models import BomRow
from b2bcrm.desk import item_facts as facts
from b2bcrm.fulfillment.models import Stock
from b2bcrm.fulfillment.queries.allocations import rules_of
from b2bcrm.kernel.actor import Role
from tests.clients import client_for
from tests.desk.test_search import DAY, add, purchase, work_order
from tests.factories import (
    make_account,
    make_company,
    make_item,
    make_line,
    make_order,
    make_price,
    make_site,
)

D = Decimal


def stock(work, item, on_hand: int, allocated: int = 0, site: str = "TC") -> Stock:
    return add(
        work,
        Stock(
            item_no=item.no,
            site_code=site,
            on_hand=D(on_hand),
            allocated=D(allocated),
            as_of=work.now - dt.timedelta(minutes=40),
        ),
    )


@pytest.mark.db
def test_the_balance_runs_through_supply_and_demand_in_order_of_date(work):
    item, parent = make_item(work, no="BRG-1"), make_item(work, no="PG-1")
    add(work, BomRow(item_no="PG-1", component_no="BRG-1", qty_per=D(2), unit="pcs"))
    line = make_line(work, item, ordered_qty=D(30), shipped_qty=D(5), delivered_qty=D(5))
    order = make_order(work, lines=[line])  # 25 wanted on 15 Dec
    purchase(work, "PO-1", qty=D(100), received_qty=D(40), confirmed_on=dt.date(2026, 12, 1))
    work_order(work, "WO-1", "", qty=D(10), planned_start_on=dt.date(2026, 11, 20))
    work_order(work, "WO-2", "", item_no="BRG-1", qty=D(7), planned_end_on=dt.date(2026, 12, 20))
    purchase(work, "PO-OLD", status="closed")
    rows = facts.moves(work, "BRG-1", D(8), facts.open_lines(work, item.id))
    assert [(m.kind, m.number, m.qty, m.balance) for m in rows] == [
        ("use", "WO-1", D(-20), D(-12)),
        ("purchase", "PO-1", D(60), D(48)),
        ("order", order.no, D(-25), D(23)),
        ("work", "WO-2", D(7), D(30)),
    ]
    assert rows[0].party == parent.no


def test_a_work_order_uses_what_its_bill_tells_on_its_first_day(work):
    make_item(work, no="BRG-1")
    for first, last, qty in ((dt.date.min, DAY, 2), (DAY + dt.timedelta(days=1), dt.date.max, 3)):
        row = BomRow(item_no="PG-1", component_no="BRG-1", qty_per=D(qty), unit="pcs",
                     valid_from=first, valid_to=last)  # fmt: skip
        add(work, row)
    instead = BomRow(item_no="PG-1", component_no="BRG-1", qty_per=D(5), unit="pcs",
                     stands_in_for="BRG-2")  # fmt: skip
    add(work, instead)
    work_order(work, "WO-1", "")
    assert [move.qty for move in facts.moves(work, "BRG-1", D(0), [])] == [D(-20)]


def test_a_started_work_order_has_taken_its_parts_already(work):
    make_item(work, no="BRG-1")
    add(work, BomRow(item_no="PG-1", component_no="BRG-1", qty_per=D(2), unit="pcs"))
    work_order(work, "WO-1", "", actual_start_on=dt.date(2026, 11, 10))
    assert not facts.moves(work, "BRG-1", D(0), [])


class TestPages:
    @pytest.fixture
    def seller(self, app, office):
        return client_for(app, office, Role.SALES)

    @pytest.mark.db
    def test_the_list_finds_filters_sorts_and_downloads(self, office, seller):
        with office.open() as work:
            item = make_item(work, no="PG-1", family="PG")
            stock(work, item, 12, 5)
            stock(work, item, 3, 0, site="SZ")
            make_item(work, no="RAW-1", family="RAW", sellable=False)
        text = seller.get("/items?sort=-free").text
        assert "15 pcs" in text
        assert "10 pcs" in text
        assert "RAW-1" not in seller.get("/items?sold=yes").text
        assert "PG-1" not in seller.get("/items?family=RAW").text
        assert "No item matches" in seller.get("/items?q=nope&kind=buy").text
        assert seller.get("/items?format=csv&q=PG").text.count("\n") == 2
        for key in ("no", "name", "family", "lead", "stock", "free"):
            assert seller.get(f"/items?sort={key}").status_code == 200

    @pytest.mark.db
    def test_the_page_shows_names_prices_components_and_their_age(self, office, seller):
        with office.open() as work:
            item = make_item(work, no="PG/1", name_zh_hant="行星減速機")
            make_price(work, item, min_qty=D(10), unit_price=D("0.00345"))
            stock(work, item, 12)
            part = make_item(work, no="C-1", name="Carrier")
            last = work.today + dt.timedelta(days=9)
            row = BomRow(item_no="PG/1", component_no=part.no, qty_per=D(3), unit="pcs",
                         valid_to=last)  # fmt: skip
            add(work, row)
            other = BomRow(item_no="PG/1", component_no="C-2", qty_per=D(6), unit="pcs",
                           stands_in_for="C-1", valid_from=last)  # fmt: skip
            add(work, other)
            make_item(work, no="C-2")
            make_order(work, lines=[make_line(work, item)])
        text = seller.get("/items/PG/1").text
        for expected in ("行星減速機", "0.00345", "C-1", "Carrier", "40 min old", "Standard cost"):
            assert expected in text
        plain = re.sub(r"<[^>]+>", "", text)
        assert "or 6 pcs of C-2 instead · from 26 Nov" in plain
        assert "until 26 Nov" in plain
        assert "PG/1" in seller.get("/items/C-1").text
        assert "instead of C-1" in seller.get("/items/C-2").text

    def test_an_item_without_anything_shows_no_figure(self, office, seller):
        with office.open() as work:
            make_item(work, no="NEW")
        text = seller.get("/items/NEW").text
        assert "the ERP sent no stock" in text
        assert "Nothing is on order" in text

    def test_cost_is_shown_only_to_those_who_may_see_it(self, app, office):
        with office.open() as work:
            make_item(work, no="PG-1", standard_cost=D("412.5"))
        planner = client_for(app, office, Role.PLANNER)
        assert "412.50" not in planner.get("/items/PG-1").text

    def test_an_unknown_item_is_not_found(self, seller):
        assert seller.get("/items/NOPE").status_code == 404

    def test_few_statements_however_many_rows(self, office, seller, statements):
        with office.open() as work:
            make_company(work)
            item = make_item(work, no="BRG-1")
            add(work, BomRow(item_no="BRG-1", component_no="X", qty_per=D(3), unit="pcs"))
            make_price(work, item)
        seller.get("/items/BRG-1")
        with statements() as few:
            seller.get("/items/BRG-1")
        with office.open() as work:
            account = make_account(work)
            for n in range(20):
                purchase(work, f"PO-{n}")
                row = BomRow(item_no="BRG-1", component_no=f"C{n}", qty_per=D(1), unit="pcs")
                add(work, row)
                make_order(work, account, lines=[make_line(work, item)])
        with statements() as many:
            seller.get("/items/BRG-1")
        assert len(few) == len(many) <= 12
        with statements() as listed:
            seller.get("/items")
        assert len(listed) <= 12


@pytest.mark.db
def test_a_planner_keeps_supply_for_a_class_and_ends_it_on_the_items_page(app, office):
    with office.open() as work:
        make_item(work, no="PUMP-1")
        make_site(work)
    planner, url = client_for(app, office, Role.PLANNER), "/items/PUMP-1"
    assert "Every class takes from all supply." in planner.get(url).text
    wanted = {
        "kind": "keep",
        "customer_class": "A",
        "site_code": "TC",
        "qty": "40",
        "first_on": "2026-11-17",
        "last_on": "2026-12-31",
    }
    wrong = planner.send(f"{url}/allocations", **(wanted | {"last_on": "2026-11-01"}))
    assert "It has to end on a day to come" in planner.get(wrong.location).text
    planner.send(f"{url}/allocations", **wanted)
    planner.send(f"{url}/allocations", **(wanted | {"kind": "cap", "customer_class": "C"}))
    page = planner.get(url).text
    for words in ("Class A · TC", "40 pcs kept", "until 31 Dec", "Class C · TC", "at most 40 pcs"):
        assert words in page
    sales = client_for(app, office, Role.SALES)
    assert "40 pcs kept" in sales.get(url).text
    assert "/allocations/" not in sales.get(url).text
    with office.open(read_only=True) as work:
        first = rules_of(work, "PUMP-1")[0]
    planner.send(f"{url}/allocations/{first.id}/end")
    assert "40 pcs kept" not in planner.get(url).text
