"""The order list: filters, sorts and pages in the URL; downloads with the same filter."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from openpyxl import load_workbook

from b2bcrm.kernel.actor import Role
from b2bcrm.orders.lifecycle import ErpSync, OrderState, Status
from b2bcrm.orders.models import Origin
from tests.clients import client_for, make_app
from tests.factories import make_account, make_item, make_line, make_order
from tests.pages import full_order, project_order

pytestmark = pytest.mark.db


@pytest.fixture
def app(office, tmp_path):
    return make_app(office, tmp_path)


@pytest.fixture
def sales(app, office):
    return client_for(app, office, Role.SALES)


def shown(client, query="") -> str:
    answer = client.get(f"/orders{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_empty_database_shows_an_empty_list(sales):
    page = shown(sales)
    assert "No order here" in page
    assert "0 open orders" in page


def test_a_row_shows_dates_cause_and_value_in_both_currencies(work, sales):
    order = full_order(work)
    work.session.commit()
    page = shown(sales)
    assert f'href="/orders/{order.no}"' in page
    assert "18 Dec" in page
    assert "PO-33107" in page
    assert "200.00" in page
    assert "7,220" in page  # TWD at 36.10


def test_each_filter_keeps_what_it_says(work, sales):
    user = sales.user
    late = full_order(work, owner_id=user.id)
    other = make_account(work, country="US", name="Northfork Packaging")
    item = make_item(work, family="SW")
    calm = make_order(
        work, other, origin=Origin.ERP, lines=[make_line(work, item)], hold_reason="Drawing"
    )
    project_order(work, calm, status=Status.OK, cause=None, next_step=None)
    fresh = make_order(work, state=OrderState.SUBMITTED, erp_sync=ErpSync.REFUSED)
    done = make_order(work, state=OrderState.CLOSED)
    work.session.commit()
    expected = {
        "": {late, calm, fresh},
        "?show=late": {late},
        "?show=risk": set(),
        "?show=done": {done},
        "?show=all": {late, calm, fresh, done},
        "?mine=1": {late},
        f"?account={other.id}": {calm},
        "?country=US": {calm},
        "?origin=erp": {calm},
        "?family=SW": {calm},
        "?focus=confirm": {fresh},
        "?focus=hold": {calm},
        "?focus=erp": {fresh},
        "?q=northfork": {calm},
        f"?q={late.no.lower()}": {late},
        "?q=%25": set(),
        "?account=99999999999999999999": set(),
    }
    for query, orders in expected.items():
        page = shown(sales, query)
        found = {o for o in (late, calm, fresh, done) if f'href="/orders/{o.no}"' in page}
        assert found == orders, query


def test_the_list_is_sorted_by_any_heading_and_empty_dates_come_last(work, sales):
    early = make_order(work)
    project_order(work, early, promised_on=dt.date(2026, 12, 1))
    later = make_order(work)
    project_order(work, later, promised_on=dt.date(2026, 12, 24))
    none = make_order(work)
    work.session.commit()
    for query, order in (
        ("", [early, later, none]),
        ("?sort=-promised", [later, early, none]),
        ("?sort=no", [early, later, none]),
        ("?sort=-no", [none, later, early]),
    ):
        page = shown(sales, query)
        places = [page.index(f'href="/orders/{o.no}"') for o in order]
        assert places == sorted(places), query


def test_pages_do_not_overlap(work, sales):
    orders = [make_order(work) for _ in range(53)]
    work.session.commit()
    first, second = shown(sales), shown(sales, "?page=2")
    seen = [sum(f'href="/orders/{o.no}"' in page for page in (first, second)) for o in orders]
    assert seen == [1] * 53
    assert "1–50 of 53" in first
    assert "51–53 of 53" in second


def test_downloads_carry_the_same_filter(work, sales):
    late = full_order(work)
    make_order(work)
    work.session.commit()
    csv = sales.get("/orders?show=late&format=csv")
    assert csv.mimetype == "text/csv"
    assert csv.text.count("SO-26-") == 1
    assert late.no in csv.text
    book = load_workbook(io.BytesIO(sales.get("/orders?show=late&format=xlsx").data))
    rows = list(book.active.iter_rows(values_only=True))
    assert [len(rows), rows[1][0]] == [2, late.no]


def test_the_number_of_statements_does_not_grow_with_the_rows(work, sales, statements):
    full_order(work)
    work.session.commit()
    shown(sales)
    counted = []
    for _ in range(2):
        with statements() as seen:
            shown(sales)
        counted.append(len(seen))
        for _n in range(20):
            full_order(work)
        work.session.commit()
    assert counted[0] == counted[1]
    assert counted[0] <= 8


def test_a_saved_filter_is_a_link(sales):
    page = shown(sales)
    assert 'href="/orders?mine=1&amp;show=late"' in page
    assert 'aria-current="true"' in shown(sales, "?focus=hold")
