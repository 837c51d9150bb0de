"""Sales planning: what is booked and weighted where, targets, gaps, and what is behind a cell."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from b2bcrm.catalog.actions import set_target
from b2bcrm.catalog.models import ItemFamily, SalesTarget
from b2bcrm.desk.planning_facts import behind, month_after, plan
from b2bcrm.kernel.actor import Role
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.quotes.lifecycle import QuoteState
from b2bcrm.quotes.models import Quote, QuoteLine
from tests.clients import client_for
from tests.factories import make_account, make_item, make_line, make_order, make_site

D = Decimal
NOV, DEC, JAN = dt.date(2026, 11, 1), dt.date(2026, 12, 1), dt.date(2027, 1, 1)
EUR = D("36.10")


def make_quote(work, item, net: int, **facts) -> Quote:
    account = facts.pop("account", None) or make_account(work)
    site = make_site(work)
    line_facts = {key: facts.pop(key) for key in ("promised_on", "wanted_on") if key in facts} or {
        "wanted_on": dt.date(2026, 12, 10)
    }
    line_facts.setdefault("wanted_on", dt.date(2026, 12, 10))
    values = {
        "no": f"Q-26-{account.id + 5000}", "company_id": account.company_id, "site_id": site.id,
        "account_id": account.id, "state": QuoteState.SENT, "currency": "EUR", "win_pct": 40,
        "created_at": work.now, "valid_until": dt.date(2026, 12, 31), "total": D(net),
    }  # fmt: skip
    quote = Quote(**(values | facts))
    quote.lines = [
        QuoteLine(
            line_no=10,
            item_id=item.id,
            unit="pcs",
            qty=D(1),
            list_price=D(net),
            net=D(net),
            **line_facts,
        )
    ]
    work.session.add(quote)
    work.session.flush()
    return quote


@pytest.mark.db
class TestPlan:
    def test_an_order_counts_in_the_month_of_its_promise_in_base_currency(self, work):
        item = make_item(work, family="PG")
        make_order(work, lines=[make_line(work, item)])  # 200 EUR, 15 December
        found = plan(work, NOV)
        assert found.cell(DEC, "PG").booked == D(200) * EUR
        assert found.cell(NOV, "PG").booked == 0
        assert found.whole.forecast == D(7220)

    def test_drafts_cancelled_orders_and_cancelled_lines_do_not_count(self, work):
        item = make_item(work, family="PG")
        make_order(work, state=OrderState.DRAFT, lines=[make_line(work, item)])
        make_order(work, state=OrderState.CANCELLED, lines=[make_line(work, item)])
        make_order(work, lines=[make_line(work, item, cancelled=True)])
        assert not plan(work, NOV).whole.forecast

    def test_an_order_without_a_promise_counts_when_it_is_wanted(self, work):
        item = make_item(work, family="PG")
        line = make_line(work, item, promised_on=None, requested_on=dt.date(2027, 1, 8))
        make_order(work, lines=[line])
        assert plan(work, NOV).cell(JAN, "PG").booked == D(7220)

    def test_a_quote_counts_with_its_chance(self, work):
        item = make_item(work, family="SW")
        make_quote(work, item, 1000, win_pct=40, promised_on=dt.date(2027, 1, 20))
        make_quote(work, item, 1000, win_pct=70, promised_on=dt.date(2027, 1, 20))
        cell = plan(work, NOV).cell(JAN, "SW")
        assert (cell.early, cell.likely) == (D(400) * EUR, D(700) * EUR)

    def test_a_quote_without_a_promise_counts_at_its_decision(self, work):
        item = make_item(work, family="SW")
        make_quote(work, item, 1000, win_pct=50, decision_on=dt.date(2027, 1, 5))
        assert plan(work, NOV).cell(JAN, "SW").likely == D(500) * EUR

    def test_an_open_quote_of_the_past_counts_this_month(self, work):
        item = make_item(work, family="SW")
        make_quote(work, item, 1000, win_pct=50, promised_on=dt.date(2026, 9, 5))
        assert plan(work, NOV).cell(NOV, "SW").likely == D(500) * EUR
        assert not plan(work, month_after(NOV, -6)).whole.forecast
        assert not plan(work, DEC).whole.forecast

    def test_decided_and_older_revisions_do_not_count(self, work):
        item = make_item(work, family="SW")
        make_quote(work, item, 1000, state=QuoteState.LOST)
        make_quote(work, item, 1000, state=QuoteState.ACCEPTED)
        make_quote(work, item, 1000, current=False)
        found = plan(work, NOV)
        assert not found.whole.forecast
        assert not found.quotes

    def test_a_currency_without_a_rate_is_left_out_and_named(self, work):
        item = make_item(work, family="PG")
        make_order(work, currency="GBP", lines=[make_line(work, item)])
        found = plan(work, NOV)
        assert not found.whole.forecast
        assert found.rates.missing == {"GBP"}

    def test_gap_and_share_against_target(self, work):
        item = make_item(work, family="PG")
        make_order(work, lines=[make_line(work, item)])
        set_target(work, month=DEC, family="PG", amount=D(10000))
        work.session.flush()
        cell = plan(work, NOV).cell(DEC, "PG")
        assert (cell.gap, cell.status) == (D(-2780), "risk")
        assert cell.share == D("72.2")
        assert plan(work, NOV).cell(JAN, "PG").share is None

    def test_what_is_behind_a_cell_adds_up_to_it(self, work):
        item = make_item(work, family="PG")
        for n in range(3):
            make_order(work, lines=[make_line(work, item, ordered_qty=D(n + 1))])
            make_quote(work, item, 100 * (n + 1), win_pct=30 + 10 * n)
        make_order(work, lines=[make_line(work, make_item(work, family="SW"))])
        rows = behind(work, DEC, "PG")
        assert len(rows) == 6
        assert sum(row.counted for row in rows) == plan(work, NOV).cell(DEC, "PG").forecast


@pytest.mark.parametrize(
    ("month", "count", "expected"),
    [
        (NOV, 0, NOV),
        (NOV, 1, DEC),
        (NOV, 2, JAN),
        (JAN, -1, DEC),
        (NOV, -11, dt.date(2025, 12, 1)),
        (NOV, 25, dt.date(2028, 12, 1)),
    ],
)
def test_months_are_counted_over_the_year(month, count, expected):
    assert month_after(month, count) == expected


class TestPages:
    def fill(self, office):
        with office.open() as work:
            item = make_item(work, family="PG")
            name = ItemFamily(code="PG", name="Planetary gearboxes", name_zh_hant="行星減速機")
            work.session.add(name)
            order = make_order(work, lines=[make_line(work, item)])
            quote = make_quote(work, item, 1000)
            return order.no, quote.no

    def test_an_empty_plan_shows_no_figure(self, app, office):
        text = client_for(app, office, Role.SALES).get("/planning").text
        assert "Nothing is booked or quoted for these months" in text
        assert 'class="kpi"' not in text

    def test_the_page_shows_family_names_chart_and_table(self, app, office):
        _order, quote_no = self.fill(office)
        text = client_for(app, office, Role.SALES).get("/planning").text
        assert "Planetary gearboxes" in text
        assert "21,660" in text
        assert quote_no in text
        assert "Show as table" in text
        assert "Against target" not in text
        assert "EUR 36.1" in text

    def test_a_cell_leads_to_its_orders_and_quotes_and_can_be_downloaded(self, app, office):
        order_no, quote_no = self.fill(office)
        seller = client_for(app, office, Role.SALES)
        url = "/planning/cell?month=2026-12&family=PG"
        text = seller.get(url).text
        assert order_no in text
        assert quote_no in text
        assert seller.get(f"{url}&format=csv").text.count("\n") == 3
        assert seller.get("/planning?format=xlsx").data[:2] == b"PK"
        assert seller.get("/planning?format=pdf").status_code == 422
        for wrong in ("?month=2026-13&family=PG", "?month=x", "?month=2026-12", ""):
            assert seller.get(f"/planning/cell{wrong}").status_code == 404

    def test_a_manager_fills_in_targets(self, app, office):
        self.fill(office)
        manager = client_for(app, office, Role.SALES_MANAGER)
        form = manager.get("/planning/targets")
        assert 'name="targets-0-amount"' in form.text
        grid = {"targets-0-month": "2026-12-01", "targets-0-family": "PG"}
        bad = manager.send("/planning/targets", **grid, **{"targets-0-amount": "many"})
        assert bad.status_code == 422
        assert "This is not a number." in bad.text
        assert "many" in bad.text
        good = manager.send("/planning/targets", **grid, **{"targets-0-amount": "40,000"})
        assert good.status_code == 303
        text = manager.get("/planning").text
        assert "Against target" in text
        assert "54.2 %" in text
        with office.open() as work:
            assert [t.amount for t in work.session.query(SalesTarget)] == [D(40000)]

    def test_a_seller_sees_no_form_for_targets(self, app, office):
        self.fill(office)
        seller = client_for(app, office, Role.SALES)
        assert "Set targets" not in seller.get("/planning").text
        assert seller.get("/planning/targets").status_code == 403
        grid = {"targets-0-month": "2026-12-01", "targets-0-family": "PG"}
        answer = seller.send("/planning/targets", **grid, **{"targets-0-amount": "1"})
        assert answer.status_code == 403

    def test_few_statements_however_many_rows(self, app, office, statements):
        self.fill(office)
        seller = client_for(app, office, Role.SALES)
        seller.get("/planning")
        with statements() as few:
            seller.get("/planning")
        with office.open() as work:
            for n in range(10):
                item = make_item(work, family=f"F{n}")
                make_order(work, lines=[make_line(work, item)])
                make_quote(work, item, 1000)
        with statements() as many:
            seller.get("/planning")
        assert len(few) == len(many) <= 12
