"""The order page: everything the database knows of an order, and nothing else."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest

from b2bcrm.customers import actions as customers
from b2bcrm.customers.models import TouchKind
from b2bcrm.desk import order_facts
from b2bcrm.desk import order_statements as statements
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.words import Message
from b2bcrm.orders.lifecycle import ErpSync, OrderState, Status
from tests.clients import client_for, make_app
from tests.factories import make_account, make_line, make_order
from tests.pages import full_order, link, project_line, project_order

DOWN = Message("The ERP is down.")


@pytest.fixture
def app(office, tmp_path):
    return make_app(office, tmp_path)


@pytest.fixture
def sales(app, office):
    return client_for(app, office, Role.SALES)


def read(client, order, query="") -> str:
    answer = client.get(f"/orders/{order.no}{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def stored(work, order):
    """What the page's own Work must see; the test's Work goes on."""
    work.session.flush()
    work.session.commit()
    return order


@pytest.mark.parametrize(
    ("statement", "row"),
    [
        (statements.LINES, order_facts.LineRow),
        (statements.PROMISES, order_facts.PromiseRow),
        (statements.timeline(""), order_facts.EventRow),
        (statements.INVOICES, order_facts.InvoiceRow),
        (statements.CASES, order_facts.CaseRow),
    ],
)
def test_the_columns_of_a_statement_are_the_fields_of_its_row(statement, row):
    assert tuple(statement.selected_columns.keys()) == row._fields


def test_an_unknown_number_is_not_found(sales):
    assert sales.get("/orders/SO-26-99999").status_code == 404
    assert sales.get("/orders/SO-26-99999/version").status_code == 404


def test_an_order_without_any_projection_shows_no_figure_that_nobody_computed(work, sales):
    order = stored(work, make_order(work))
    page = read(sales, order)
    assert "Projected</dt>" not in page
    assert "Not projected yet" in page
    for panel in ("shipments-h", "invoices-h", "docs-h", "cases-h", 'class="peg"'):
        assert panel not in page
    assert " % complete" not in page


def test_the_three_dates_stand_in_order_and_only_the_third_is_coloured(work, sales):
    page = read(sales, stored(work, full_order(work)))
    cells = re.findall(
        r'<div class="cell date"( data-status="\w+")?><dt>([^<]+)</dt><dd>([^<]+)', page
    )
    assert [(name, day) for _s, name, day in cells] == [
        ("Requested", "Fri 11 Dec"),
        ("Promised", "Tue 15 Dec"),
        ("Projected", "Fri 18 Dec"),
    ]
    assert [status for status, _n, _d in cells] == ["", "", ' data-status="late"']


def test_a_complete_delivery_shows_the_last_promise_of_its_lines(work, sales):
    order = full_order(work, lines=2, partial_delivery=False)
    order.lines[1].promised_on = dt.date(2026, 12, 28)
    work.session.commit()
    page = read(sales, order)
    head = page[page.index('<dl class="cells">') : page.index("</dl>")]
    assert "28 Dec" in head
    assert "first promised 15 Dec" in head
    assert "Tue 15 Dec" not in head


def test_a_late_order_says_its_cause_and_the_next_step(work, sales):
    page = read(sales, stored(work, full_order(work)))
    assert (
        "Line 10 decides: PO-33107 (RB-25) comes on Mon 30 Nov 2026, not Fri 20 Nov 2026." in page
    )
    assert "Have PO-33107 delivered earlier." in page
    assert page.count('class="banner"') == 1


def test_the_tree_shows_the_critical_chain_of_the_chosen_line(work, sales):
    order = full_order(work, lines=2)
    work.session.flush()
    page = read(sales, stored(work, order), "?line=20")
    assert "20 · " in page
    assert "PO-33107 RB-25" in page
    assert "Tai-Hung Special Steel · was 20 Nov, now 30 Nov" in page
    assert "−6 wd" in page
    assert 'aria-level="3"' in page


def test_a_line_that_does_not_exist_falls_back_to_the_deciding_one(work, sales):
    page = read(sales, stored(work, full_order(work, lines=2)), "?line=77")
    assert "Promises of line 10" in page


def test_shipments_invoices_and_promises_are_shown_with_their_figures(work, sales):
    order = stored(work, full_order(work))
    page = read(sales, order)
    assert f"DN-{order.no}" in page
    assert "line 10: 4 pcs" in page
    assert "open EUR 35.50, due 12 Jan 2027" in page
    assert "Mei-Ling Lin" in page


@pytest.mark.db
def test_touches_and_events_stand_on_one_line_of_time(work, sales):
    order = full_order(work)
    account_id = order.account_id
    customers.log_touch(
        work, account_id, kind=TouchKind.CALL, subject="Split?", text="Half now.", order_id=order.id
    )
    page = read(sales, stored(work, order))
    assert page.count("Split?") == 1
    assert "Half now." in page
    assert "Split?" not in read(sales, order, "?touches=erp")
    assert "Split?" in read(sales, order, "?touches=people")


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            {"erp_sync": ErpSync.WAITING, "erp_reason": DOWN},
            "The ERP is down.",
        ),
        (
            {"erp_sync": ErpSync.REFUSED, "erp_reason": DOWN},
            "The ERP refused this order",
        ),
        ({"erp_sync": ErpSync.UNKNOWN}, "no answer came back"),
        ({"erp_sync": ErpSync.WAITING}, "Waiting for the ERP since 11-17 09:40."),
        ({"hold_reason": "Drawing changed"}, "Drawing changed"),
        ({"state": OrderState.SUBMITTED, "confirmed_at": None}, "waits for our confirmation"),
    ],
)
def test_the_banner_is_the_one_thing_to_decide(work, sales, facts, text):
    page = read(sales, stored(work, make_order(work, **facts)))
    assert page.count('class="banner"') == 1
    assert text in page


def test_what_stands_in_the_way_of_a_confirmation_is_said(work, sales):
    account = make_account(work, credit_hold=True)
    order = make_order(work, account, state=OrderState.SUBMITTED, confirmed_at=None)
    page = read(sales, stored(work, order))
    assert "cannot be confirmed yet" in page
    assert "blocked in the ERP" in page


def test_a_closed_order_offers_no_acts(work, sales):
    order = stored(work, make_order(work, state=OrderState.CLOSED, closed_at=work.now))
    page = read(sales, order)
    assert "/acts/" not in page
    assert "/amend" not in page


def test_who_may_not_act_sees_no_buttons(app, office, work):
    order = stored(work, make_order(work, erp_sync=ErpSync.REFUSED))
    page = read(client_for(app, office, Role.QUALITY), order)
    assert "/acts/" not in page
    assert "/amend" not in page


@pytest.mark.db
def test_the_number_of_statements_does_not_grow_with_the_lines(work, sales, statements):
    small, large = full_order(work, lines=1), full_order(work, lines=15)
    stored(work, large)
    read(sales, small)
    counted = []
    for order in (small, large):
        with statements() as seen:
            read(sales, order)
        counted.append(len(seen))
    assert counted[0] == counted[1]
    assert counted[0] <= 11  # the production Office asks once more, for the business clock


def test_the_version_changes_with_the_order_and_not_without(work, sales):
    order = stored(work, full_order(work))
    url = f"/orders/{order.no}/version"
    first = sales.get(url)
    assert sales.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    work.bump(f"order:{order.id}")
    work.settle()
    stored(work, order)
    again = sales.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (200, str(int(first.text) + 1))
    assert f'data-live-version="{again.text}"' in read(sales, order)


def test_a_cancelled_line_counts_for_nothing(work, sales):
    lines = [make_line(work, line_no=10), make_line(work, line_no=20, cancelled=True)]
    order = make_order(work, lines=lines)
    project_line(work, order)
    project_order(work, order)
    page = read(sales, stored(work, order))
    assert 'Lines <span class="count">1</span>' in page
    assert "Cancelled" in page


def test_a_tree_of_finished_parts_has_no_bars(work, sales):
    order = make_order(work)
    chain = [link("stock", "", 1, finished=True, end=None, was=None, delay=0, critical=False)]
    project_line(work, order, chain=chain, status=Status.OK, cause=None, next_step=None)
    page = read(sales, stored(work, order))
    assert "Stock RB-25" in page
    assert "covered" in page


def test_old_supply_data_are_called_old(work, sales):
    from b2bcrm.sync.models import Feed

    work.session.add(
        Feed(
            connection_code="main",
            entity="stock",
            limit_minutes=30,
            data_as_of=work.now - dt.timedelta(minutes=41),
            next_at=work.tick,
        )
    )
    page = read(sales, stored(work, full_order(work)))
    assert "older than allowed" in page


def test_the_page_speaks_chinese(app, office, work):
    order = stored(work, full_order(work))
    client = client_for(app, office, Role.SALES)
    client.send("/language", locale="zh_Hant")
    page = read(client, order)
    assert 'lang="zh-Hant"' in page
    assert "承諾交期" in page


def test_a_discount_is_a_plain_number_of_percent(work, sales):
    order = full_order(work)
    order.lines[0].discount_pct = Decimal("10.0000")
    assert "−10%" in read(sales, stored(work, order))


def test_a_line_says_how_it_may_leave_and_what_the_plan_sends_ahead(work, sales):
    terms = {"leaves_with": "A", "least_shipment": Decimal(4), "max_late_days": 9}
    lines = [make_line(work, line_no=no, **terms) for no in (10, 20)]
    order = make_order(work, lines=lines)
    in_two = {"qty": "4", "on": "2026-11-27", "rest_on": "2026-12-08"}
    project_line(work, order, in_two=in_two)
    project_order(work, order, deciding_line_no=10)
    text = read(sales, stored(work, order))
    assert (
        "leaves with line 20, at least 4 pcs per shipment, not more than 9 calendar days late"
        in text
    )
    assert "4 leave on Fri 27 Nov 2026, the rest on Tue 8 Dec 2026." in text
    assert f"/orders/{order.no}/lines/10/policy" in text
    order.partial_delivery = False
    text = read(sales, stored(work, order))
    assert "per shipment" not in text
    assert "not more than 9 calendar days late" in text
