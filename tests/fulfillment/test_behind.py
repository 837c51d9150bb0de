"""Every figure of the board leads to the lines behind it, and they are as many as it says."""

from __future__ import annotations

from html import unescape

import pytest

from b2bcrm.fulfillment.actions import project
from b2bcrm.fulfillment.models import Promise
from b2bcrm.fulfillment.planning.figures import Period
from b2bcrm.fulfillment.queries import board
from b2bcrm.fulfillment.queries.behind import Behind, Missed, lines_behind
from b2bcrm.fulfillment.queries.board import BoardFilter
from b2bcrm.fulfillment.queries.figures import figures
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import NotAllowed
from b2bcrm.kernel.words import Message
from b2bcrm.orders.lifecycle import OrderState, Status
from tests.clients import client_for, make_app
from tests.factories import buyer, make_account
from tests.fulfillment.company import CHIEF, Company
from tests.fulfillment.conftest import Plant, day
from tests.fulfillment.test_board import delivered, past_order, troubled

pytestmark = pytest.mark.db


@pytest.mark.parametrize("seed", range(2))
def test_the_lines_are_as_many_as_the_figure_counts(office, seed):
    company = Company(office, seed)
    for _ in range(40):
        company.act()
    with office.open(CHIEF, read_only=True) as work:
        shown = figures(work, BoardFilter())
        for (family, week), cell in shown.heat.cells.items():
            assert lines_behind(work, Behind(family=family, week=week))[1] == cell.total
        for missed, share in (
            (Missed.PAST, shown.otif.past),
            (Missed.NEXT, shown.otif.projected),
        ):
            assert lines_behind(work, Behind(missed=missed))[1] == share.total - share.good
        for period in Period:
            for lost in figures(work, BoardFilter(), period=period).lost:
                rows, total = lines_behind(work, Behind(period=period, kind=lost.kind))
                assert total == lost.lines
                assert sum(row.days(lost.kind) for row in rows) == lost.days


def test_what_was_not_on_time_is_named(work):
    delivered(work, past_order(work, incoterm="DAP"), 10, "11-05", "11-09")
    late = past_order(work, incoterm="DAP")
    delivered(work, late, 10, "11-06", "11-11")
    rows, total = lines_behind(work, Behind(missed=Missed.PAST))
    assert ([row.no for row in rows], total) == ([late.no], 1)


def test_a_promise_of_the_past_stands_in_the_current_week_on_the_board_too(work, plant):
    order = troubled(work, plant, n=3, promised="11-02", due="11-20")
    week = BoardFilter(week=day("11-16"))
    assert [row.no for row in board.rows(work, week)[0]] == [order.no]


def test_late_orders_and_those_at_risk_can_be_seen_apart(work, plant):
    order = troubled(work, plant)
    assert board.rows(work, BoardFilter(status=Status.RISK))[1] == 0
    assert [row.no for row in board.rows(work, BoardFilter(status=Status.LATE))[0]] == [order.no]


def test_a_customer_sees_none_of_it(work):
    work.actor = buyer(make_account(work))
    with pytest.raises(NotAllowed):
        lines_behind(work, Behind())


def test_each_key_figure_and_each_cell_is_a_link(office, tmp_path):
    with office.open() as work:
        plant = Plant(work)
        order = troubled(work, plant, n=1, promised="12-11")
        fine = troubled(work, plant, n=2, promised="12-22", due="11-20")
        delivered(work, past_order(work, incoterm="FCA"), 10, "11-05", "11-09")
    client = client_for(make_app(office, tmp_path), office, Role.PLANNER)
    page = client.get("/fulfillment").text
    for link in (
        "/fulfillment/lines?otif=past",
        "/fulfillment/lines?otif=next",
        "/fulfillment?status=late#risk",
        "/fulfillment?status=risk#risk",
        "/fulfillment?sort=-value#risk",
        "/fulfillment?parts=all#short",
        "/fulfillment/lines?family=SW&amp;week=2026-12-21",
        "/fulfillment?family=SW&amp;week=2026-12-07#risk",
    ):
        assert f'href="{link}"' in page, link
    shown = client.get("/fulfillment/lines?family=SW&week=2026-12-21").text
    assert fine.no in shown
    assert order.no not in shown
    assert order.no in client.get("/fulfillment?status=late").text
    assert "only late" in client.get("/fulfillment?status=late").text
    assert client.get("/fulfillment/lines?otif=next&format=xlsx").data.startswith(b"PK")
    assert client.get("/fulfillment/lines?week=nonsense&site=x&otif=never").status_code == 200


def came_late(work):
    """Promised for 10 November and moved to the 11th by the customer; there on the 16th."""
    order = past_order(work, incoterm="DAP")
    line = order.lines[0]
    line.first_promised_on, line.promised_on = day("11-10"), day("11-11")
    facts = {"order_line_id": line.id, "by_name": "", "at": work.now}
    work.session.add(Promise(kind="first", promised_on=day("11-10"), reason=Message("x"), **facts))
    work.session.flush()
    work.session.add(
        Promise(kind="moved", promised_on=day("11-11"), previous_on=day("11-10"),
                reason_code="customer", reason=Message("x"), **facts)
    )  # fmt: skip
    line.shipped_qty = line.delivered_qty = line.ordered_qty
    delivered(work, order, 10, "11-12", "11-16")
    order.state, order.closed_at = OrderState.CLOSED, work.now
    project(work, [order.id])
    return order


def test_where_days_were_lost_is_told_for_lines_that_came(office, tmp_path):
    with office.open() as work:
        order = came_late(work)
    client = client_for(make_app(office, tmp_path), office, Role.PLANNER)
    assert "No day is lost" not in (board_page := client.get("/fulfillment?lost=month").text)
    link = "/fulfillment/lines?lost=month&amp;kind=customer"
    assert f'href="{link}"' in board_page
    shown = unescape(client.get(unescape(link)).text)
    assert order.no in shown
    assert "customer's change 1, " in shown
    assert order.no not in client.get("/fulfillment/lines?lost=coming").text
    csv = client.get("/fulfillment/lines?lost=year&format=csv").text
    assert "Days lost: transport" in csv
    assert "customer's change 1, " in csv
    page = unescape(client.get(f"/orders/{order.no}").text)
    assert "Line 10 came on Mon 16 Nov 2026; promised was Wed 11 Nov 2026." in page
    assert "3 working days late:" in page
    assert "4 working days after the first promise: customer's change 1, " in page
