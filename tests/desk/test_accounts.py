"""The list of accounts and the account page: only what the database can produce."""

from __future__ import annotations

import datetime as dt

import pytest

from b2bcrm.desk.account_facts import account_page
from b2bcrm.orders.lifecycle import OrderState, Stage, Status
from tests.desk.account_rows import TODAY, D, delivered, projection
from tests.factories import (
    make_account,
    make_line,
    make_order,
)


@pytest.mark.db
class TestPromisesKept:
    def order(self, work, account, promised: dt.date, **facts):
        line = make_line(work, first_promised_on=promised, promised_on=promised)
        return make_order(work, account, lines=[line], **facts)

    def test_without_a_due_promise_there_is_no_rate(self, work):
        account = make_account(work)
        self.order(work, account, TODAY + dt.timedelta(days=20))
        assert account_page(work, account.id).kept.pct is None

    def test_counts_on_time_and_in_full_only(self, work):
        account, day = make_account(work), dt.date(2026, 10, 1)
        kept = self.order(work, account, day)
        delivered(work, kept, day)
        late = self.order(work, account, day)
        delivered(work, late, day + dt.timedelta(days=1))
        short = self.order(work, account, day)
        delivered(work, short, day, 9)
        split = self.order(work, account, day)
        delivered(work, split, day - dt.timedelta(days=3), 4)
        delivered(work, split, day, 6)
        rate = account_page(work, account.id).kept
        assert (rate.due, rate.kept, rate.missed, rate.pct) == (4, 2, 2, D(50))

    def test_a_line_past_its_date_and_not_delivered_is_missed(self, work):
        account = make_account(work)
        self.order(work, account, TODAY - dt.timedelta(days=1))
        assert account_page(work, account.id).kept.pct == 0

    def test_d_terms_count_at_the_customer_and_others_at_the_gate(self, work):
        account, day = make_account(work), dt.date(2026, 10, 1)
        for incoterm in ("DAP", "FCA"):
            order = self.order(work, account, day, incoterm=incoterm)
            delivered(work, order, day, arrived=day + dt.timedelta(days=4))
        rate = account_page(work, account.id).kept
        assert (rate.due, rate.kept) == (2, 1)

    def test_a_later_promise_does_not_heal_the_first_one(self, work):
        account, day = make_account(work), dt.date(2026, 10, 1)
        order = self.order(work, account, day)
        order.lines[0].promised_on = day + dt.timedelta(days=9)
        delivered(work, order, day + dt.timedelta(days=9))
        assert account_page(work, account.id).kept.kept == 0

    def test_what_is_older_than_a_year_or_cancelled_does_not_count(self, work):
        account = make_account(work)
        self.order(work, account, dt.date(2025, 11, 1))
        order = self.order(work, account, dt.date(2026, 10, 1))
        order.lines[0].cancelled = True
        self.order(work, account, dt.date(2026, 10, 1), state=OrderState.CANCELLED)
        work.session.flush()
        assert account_page(work, account.id).kept.pct is None


@pytest.mark.db
class TestFigures:
    def test_bought_counts_confirmed_orders_of_twelve_months(self, work):
        account = make_account(work)
        make_order(work, account)  # 200.00
        make_order(work, account, state=OrderState.CANCELLED)
        make_order(work, account, state=OrderState.SUBMITTED)
        make_order(work, account, ordered_on=dt.date(2025, 3, 1))
        make_order(work, account, currency="USD")
        page = account_page(work, account.id)
        assert (page.bought.amount, page.bought.currency) == (D(200), "EUR")
        assert page.bought_before.amount == D(200)
        assert page.bought_elsewhere == 1

    def test_open_orders_add_up_by_stage_and_the_worst_status_shows(self, work):
        account = make_account(work)
        projection(work, make_order(work, account), status=Status.OK)
        projection(work, make_order(work, account))
        projection(work, make_order(work, account), stage=Stage.DELIVERED, status=Status.DONE)
        make_order(work, account)  # not computed yet
        page = account_page(work, account.id)
        material = page.stages()[Stage.MATERIAL]
        assert (material.count, material.value, material.late, material.status) == (
            2,
            D(370600),
            1,
            "late",
        )
        assert page.stages()[Stage.ORDER].count == 1
        assert Stage.DELIVERED not in page.stages()
        assert (len(page.open_orders), len(page.done_orders)) == (3, 1)

    def test_another_companys_figures_stay_out(self, work):
        account, other = make_account(work), make_account(work)
        make_order(work, other)
        page = account_page(work, account.id)
        assert not page.orders
        assert not page.bought.amount
