"""The customer's orders: his own, in words meant for him, and nothing of anybody else."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re

import pytest

from b2bcrm.customers import actions as customers
from b2bcrm.customers.models import TouchKind
from b2bcrm.fulfillment.actions import change_promise
from b2bcrm.fulfillment.models import LineProjection
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.words import Message
from b2bcrm.orders import events
from b2bcrm.orders.lifecycle import OrderState, Status
from tests.clients import client_for, make_app
from tests.factories import D, make_account, make_item, make_line, make_order
from tests.pages import SUPPLIER, full_order, project_line, project_order


@pytest.fixture
def app(office, tmp_path):
    return make_app(office, tmp_path)


@pytest.fixture
def account(work):
    account = make_account(work)
    work.session.commit()
    return account


@pytest.fixture
def buyer(app, office, account):
    return client_for(app, office, Role.BUYER, account)


def read(client, order, query="") -> str:
    answer = client.get(f"/portal/orders/{order.no}{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def listed(client, query="") -> str:
    answer = client.get(f"/portal/orders{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_an_account_without_orders_sees_an_empty_list(buyer):
    assert "Your open orders appear here." in listed(buyer)


def test_a_foreign_order_is_not_found_and_leaves_no_trace(work, buyer):
    foreign = full_order(work, make_account(work, name="CANARY Inc."), customer_po="CANARY-PO")
    work.session.commit()
    for url in (f"/portal/orders/{foreign.no}", f"/portal/orders/{foreign.no}/version"):
        answer = buyer.get(url)
        assert answer.status_code == 404
        assert "CANARY" not in answer.text
    for query in ("", "?show=all", "?q=CANARY", "?format=csv", "?show=all&format=csv"):
        page = listed(buyer, query)
        assert foreign.no not in page
        assert "CANARY-PO" not in page


def test_a_draft_is_not_his_yet(work, account, buyer):
    order = make_order(work, account, state=OrderState.DRAFT)
    work.session.commit()
    assert buyer.get(f"/portal/orders/{order.no}").status_code == 404
    assert order.no not in listed(buyer, "?show=all")


@pytest.mark.db
def test_causes_suppliers_costs_and_notes_stay_with_us(work, account, buyer):
    item = make_item(work, standard_cost=D("417.31"))
    order = full_order(
        work, account, item=item, note="CANARY note", hold_reason="CANARY credit reason"
    )
    customers.log_touch(
        work, account.id, kind=TouchKind.NOTE, subject="CANARY touch", order_id=order.id
    )
    work.publish(
        events.OrderHeld(
            subject_id=order.id,
            order_id=order.id,
            account_id=account.id,
            no=order.no,
            reason="CANARY hold",
        )
    )
    work.session.commit()
    page = read(buyer, order, "?more=1") + listed(buyer, "?show=all") + listed(buyer, "?format=csv")
    for secret in ("CANARY", SUPPLIER, "PO-33107", "WO-88190", "417.31", "RB-25", "G-3", "3 wd"):
        assert secret not in page, secret


def test_the_factory_shows_where_each_piece_stands(work, account, buyer):
    order = full_order(work, account)
    work.session.commit()
    page = read(buyer, order)
    assert "Your virtual factory" in page
    assert page.count("<i></i>") == 10
    assert "7 pcs" in page
    assert "Each dot is one piece" in page
    assert 'class="station none"' in page


def test_many_pieces_share_a_dot(work, account, buyer):
    order = make_order(work, account, lines=[make_line(work, ordered_qty=D(300))])
    stations = {"prep": {"state": "here", "qty": "300"}}
    project_line(work, order, stations=stations)
    project_order(work, order)
    work.session.commit()
    page = read(buyer, order)
    assert "Each dot is 5 pieces" in page
    assert page.count("<i></i>") == 60


def test_without_a_projection_there_is_no_factory_and_no_expected_date(work, account, buyer):
    order = make_order(work, account)
    work.session.commit()
    page = read(buyer, order)
    assert "virtual factory" not in page
    assert "Expected delivery" not in page


def test_a_late_line_is_told_with_both_dates(work, account, buyer):
    order = full_order(work, account)
    work.session.commit()
    page = read(buyer, order)
    assert "is expected on 18 Dec instead of 15 Dec." in page
    assert "Comes later" in page


def two_dates(work, account, *, in_parts, **facts):
    """Line 10 stays at 15 Dec, late; line 20 was moved to 28 Dec and comes on 24 Dec."""
    lines = [make_line(work), make_line(work, line_no=20, promised_on=dt.date(2026, 12, 28))]
    order = make_order(work, account, lines=lines, partial_delivery=in_parts)
    project_line(work, order)
    in_time = {"projected_on": dt.date(2026, 12, 24), "status": Status.OK, "cause": None}
    project_line(work, order, 20, **in_time)
    project_order(work, order, **facts)
    work.session.commit()
    return order


def cells(page) -> str:
    return re.sub(r"<[^>]+>|\s+", " ", page[page.index('<dl class="cells">') : page.index("</dl>")])


def test_a_complete_delivery_is_told_with_the_last_date_of_its_lines(work, account, buyer):
    order = two_dates(work, account, in_parts=False, status=Status.OK, deciding_line_no=20)
    page = read(buyer, order)
    assert "28 Dec" in cells(page)
    assert "24 Dec" in cells(page)
    assert "18 Dec" not in cells(page)
    assert "instead of" not in page
    assert "dates are those of line" not in page


def test_delivery_in_parts_names_the_line_whose_dates_it_tells(work, account, buyer):
    order = two_dates(work, account, in_parts=True)
    page = read(buyer, order)
    assert "dates are those of line 10" in page
    assert "15 Dec" in cells(page)
    assert "18 Dec" in cells(page)
    assert "28 Dec" not in cells(page)
    assert "is expected on 18 Dec instead of 15 Dec." in page


def test_our_buffers_and_holds_are_our_own(work, account, buyer):
    order = make_order(work, account, hold_reason="Credit")
    reason = Message("On hold")
    project_line(work, order, status=Status.RISK, status_reason=reason, cause=None)
    project_order(work, order, status=Status.RISK, status_reason=reason)
    work.session.commit()
    page = read(buyer, order)
    assert "On hold" not in page
    assert "On track" in page
    assert 'data-status="risk"' not in page


def test_recent_progress_holds_only_sentences_meant_for_him(work, account, buyer):
    order = make_order(work, account)
    facts = {"subject_id": order.id, "order_id": order.id, "account_id": account.id, "no": order.no}
    work.publish(events.LineShipped(**facts, line_no=10, qty="4", unit="pcs"))
    work.publish(events.OrderAcceptedByErp(**facts, erp_no="E-777"))
    work.session.commit()
    page = read(buyer, order)
    assert "Line 10: 4 pcs shipped" in page
    assert "E-777" not in page


def test_shipments_invoices_and_a_way_to_complain(work, account, buyer):
    order = full_order(work, account)
    work.session.commit()
    page = read(buyer, order)
    assert f"DN-{order.no}" in page
    assert "DHL" in page
    assert "Confirm receipt" in page
    assert "35.50" in page
    assert f"/portal/cases/new?line={order.lines[0].id}" in page


@pytest.mark.db
def test_the_list_filters_sorts_and_exports(work, account, buyer):
    late = full_order(work, account, customer_po="CY-1")
    done = make_order(work, account, state=OrderState.CLOSED)
    work.session.commit()
    assert done.no not in listed(buyer)
    assert done.no in listed(buyer, "?show=done")
    assert late.no in listed(buyer, "?q=cy-1")
    assert late.no not in listed(buyer, "?q=cy-2")
    for sort in ("no", "-no", "ordered", "promised", "-projected", "value", "nonsense"):
        assert late.no in listed(buyer, f"?sort={sort}")
    rows = list(csv.reader(io.StringIO(listed(buyer, "?show=all&format=csv"))))
    assert {row[0] for row in rows[1:]} == {late.no, done.no}


def test_the_list_has_pages(work, account, buyer):
    orders = [make_order(work, account) for _ in range(27)]
    work.session.commit()
    pages = [listed(buyer), listed(buyer, "?page=2")]
    assert [sum(f">{o.no}<" in page for page in pages) for o in orders] == [1] * 27
    assert "26–27 of 27" in pages[1]


def test_the_number_of_statements_does_not_grow(work, account, buyer, statements):
    small, large = full_order(work, account), full_order(work, account, lines=12)
    work.session.commit()
    read(buyer, small)
    counted = []
    for order in (small, large):
        with statements() as seen:
            read(buyer, order)
        counted.append(len(seen))
    assert counted[0] == counted[1]
    assert counted[0] <= 9
    with statements() as seen:
        listed(buyer)
    assert len(seen) <= 3


def test_the_version_is_his_orders_counter(work, account, buyer):
    order = full_order(work, account)
    work.session.commit()
    url = f"/portal/orders/{order.no}/version"
    first = buyer.get(url)
    assert buyer.get(url, headers={"If-None-Match": first.headers["ETag"]}).status_code == 304
    work.bump(f"order:{order.id}")
    work.settle()
    work.session.commit()
    assert buyer.get(url).text == str(int(first.text) + 1)


def test_the_page_speaks_his_language(work, account, buyer):
    item = make_item(work, name_zh_hant="滾珠螺桿", name_zh_hans="滚珠丝杠")
    order = full_order(work, account, item=item)
    work.session.commit()
    buyer.send("/language", locale="zh_Hans")
    page = read(buyer, order)
    assert "滚珠丝杠" in page
    assert "滾珠螺桿" not in page


class TestALaterDay:
    """A promise moved from 15 to 22 December; four pieces could be there on 18 November."""

    @pytest.fixture
    def order(self, work, account):
        order = make_order(work, account, customer_po="CY-1")
        ready = [{"qty": "4", "on": "2026-11-18"}]
        project_line(work, order, projected_on=dt.date(2026, 12, 22), status=Status.OK, ahead=ready)
        project_order(work, order, status=Status.OK)
        change_promise(
            work,
            order.lines[0].id,
            expected_version=None,
            promised_on=dt.date(2026, 12, 22),
            reason_code="material",
            text="CANARY supplier",
        )
        work.session.get_one(LineProjection, order.lines[0].id).ahead = ready
        work.session.commit()
        return order

    def test_he_chooses_on_the_page_and_then_reads_his_answer(self, order, buyer):
        page = read(buyer, order)
        assert "is now promised for 22 Dec instead of 15 Dec" in page
        assert "A new day: please choose" in page
        assert "Send 4 pcs ahead, there on 18 Nov" in page
        assert "CANARY" not in page
        assert "A new day: please choose" in listed(buyer)
        url = re.search(r'action="(/portal/notices/\d+)"', page)[1]
        assert "22 Dec 2026 instead of Tue 15 Dec 2026" in buyer.get(url).text
        assert buyer.send(url, choice="part", qty="4", on="2026-11-18").status_code == 303
        assert "please choose" not in listed(buyer)
        page = read(buyer, order)
        assert "asks to have 4 pcs of line 10 sent ahead" in page
        assert "please choose" not in page
        assert buyer.send(url, choice="accept").status_code == 409

    def test_a_message_without_words_is_asked_for_again_in_its_place(self, order, buyer):
        url = re.search(r'action="(/portal/notices/\d+)"', read(buyer, order))[1]
        answer = buyer.send(url, choice="talk")
        assert answer.status_code == 422
        assert "Please write something." in answer.text

    def test_what_he_wants_stands_on_the_order_and_the_board_until_it_is_settled(
        self, app, office, order, buyer
    ):
        url = re.search(r'action="(/portal/notices/\d+)"', read(buyer, order))[1]
        buyer.send(url, choice="talk", text="Two weeks is too long.")
        planner = client_for(app, office, Role.PLANNER)
        assert "Customer wants to talk" in planner.get("/fulfillment").text
        page = planner.get(f"/orders/{order.no}").text
        assert page.count("Two weeks is too long.") >= 2  # above, and in the line's promises
        settle = re.search(r'action="(/notices/\d+/settled)"', page)[1]
        assert client_for(app, office, Role.ENGINEER).send(settle).status_code == 403
        assert planner.send(settle).status_code == 303
        assert settle not in planner.get(f"/orders/{order.no}").text
