"""How a quote ends: accepted, lost, expired; and that it was opened."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import (
    Invalid,
    NotFound,
    Refused,
)
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order
from b2bcrm.quotes import actions, queries
from b2bcrm.quotes.lifecycle import LossReason, QuoteState
from tests.factories import buyer, make_account, staff
from tests.quotes.standins import READY, make_draft, make_sent

D = Decimal
pytestmark = pytest.mark.db


class TestAccept:
    def accept(self, work, quote, promises, **facts):
        values = {"seal": quote.seal, "name": "Jonas Kessler", "customer_po": "PO-1"}
        return actions.accept(work, quote.id, promises=promises, **(values | facts))

    def orders(self, work):
        return work.session.scalars(sa.select(Order)).all()

    def test_the_customer_accepts_and_the_order_is_confirmed_by_rule(self, work, promises):
        quote = make_sent(work, promises, lines=2)
        account = queries.facts_of(work, quote).account
        work.actor = buyer(account)
        order = self.accept(work, quote, promises)
        assert quote.state is QuoteState.ACCEPTED
        assert (quote.accepted_by, quote.customer_po) == ("Jonas Kessler", "PO-1")
        assert order.state is OrderState.CONFIRMED
        assert order.total == quote.total
        assert order.quote_id == quote.id
        assert [ln.promised_on for ln in order.lines] == [READY, READY]
        assert [ln.first_promised_on for ln in order.lines] == [READY, READY]
        assert ("convert", quote.hold_ref) in promises.log

    def test_accepting_twice_makes_one_order(self, work, promises):
        quote = make_sent(work, promises)
        first = self.accept(work, quote, promises)
        assert self.accept(work, quote, promises) is first
        assert len(self.orders(work)) == 1

    def test_a_wrong_seal_is_refused(self, work, promises):
        quote = make_sent(work, promises)
        with pytest.raises(Refused) as caught:
            self.accept(work, quote, promises, seal="0" * 64)
        assert caught.value.code == "seal"

    def test_content_changed_behind_the_seal_is_refused(self, work, promises):
        quote = make_sent(work, promises)
        quote.sealed_content = quote.sealed_content | {"total": "1"}
        with pytest.raises(Refused) as caught:
            self.accept(work, quote, promises)
        assert caught.value.code == "seal"
        assert self.orders(work) == []

    def test_a_superseded_revision_cannot_be_accepted(self, work, promises):
        quote = make_sent(work, promises)
        actions.revise(work, quote.id, promises=promises)
        with pytest.raises(Refused) as caught:
            self.accept(work, quote, promises)
        assert caught.value.code == "superseded"

    @pytest.mark.parametrize(("days", "stands"), [(0, True), (-1, False)])
    def test_the_last_valid_day_is_inclusive(self, work, promises, days, stands):
        quote = make_sent(work, promises)
        quote.valid_until = work.today + dt.timedelta(days=days)
        work.session.flush()
        if stands:
            assert self.accept(work, quote, promises).quote_id == quote.id
            return
        with pytest.raises(Refused) as caught:
            self.accept(work, quote, promises)
        assert caught.value.code == "expired"

    def test_another_accounts_quote_is_not_found(self, work, promises):
        quote = make_sent(work, promises)
        work.actor = buyer(make_account(work))
        with pytest.raises(NotFound):
            self.accept(work, quote, promises)

    def test_a_draft_is_not_found_by_the_customer(self, work, promises):
        quote = make_draft(work, promises)
        work.actor = buyer(queries.facts_of(work, quote).account)
        with pytest.raises(NotFound):
            queries.by_id(work, quote.id)

    def test_a_signature_needs_a_name(self, work, promises):
        quote = make_sent(work, promises)
        with pytest.raises(Invalid) as caught:
            self.accept(work, quote, promises, name=" ")
        assert caught.value.fields.keys() == {"name"}

    def test_after_the_hold_a_moved_date_needs_a_new_signature(self, office, promises):
        with office.open(staff(Role.ADMIN)) as work:
            quote_id = make_sent(work, promises).id
        promises.holds.clear()  # the hold is over
        promises.ready_on = dt.date(2026, 12, 24)
        with pytest.raises(Refused) as caught, office.open(staff(Role.ADMIN)) as work:
            self.accept(work, queries.by_id(work, quote_id), promises)
        assert caught.value.code == "date_moved"
        assert "10 Dec 2026 to Thu 24 Dec 2026" in str(caught.value)
        with office.open() as work:  # what the edge does then
            assert self.orders(work) == []
            old = queries.by_id(work, quote_id)
            assert old.state is QuoteState.SENT
            new = actions.reoffer(work, quote_id, promises=promises)
            assert (new.letter, new.state, old.state) == (
                "B",
                QuoteState.SENT,
                QuoteState.SUPERSEDED,
            )
            assert new.total == old.total
            assert new.lines[0].promised_on == dt.date(2026, 12, 24)
            assert actions.reoffer(work, quote_id, promises=promises) is new
        with office.open(staff(Role.ADMIN)) as work:
            order = self.accept(work, queries.by_id(work, new.id), promises)
            assert order.lines[0].promised_on == dt.date(2026, 12, 24)

    def test_after_the_hold_a_date_that_stands_needs_nothing(self, work, promises):
        quote = make_sent(work, promises)
        promises.holds.clear()
        promises.ready_on = dt.date(2026, 12, 1)
        order = self.accept(work, quote, promises)
        assert order.lines[0].promised_on == READY

    def test_a_prospects_order_waits_for_a_person(self, work, promises):
        quote = make_sent(work, promises, account=make_account(work, erp_id=None))
        assert self.accept(work, quote, promises).state is OrderState.SUBMITTED


class TestEnd:
    def test_the_customer_declines_with_a_reason(self, work, promises):
        quote = make_sent(work, promises)
        work.actor = buyer(queries.facts_of(work, quote).account)
        actions.decline(
            work, quote.id, reason=LossReason.PRICE, comment="too dear", promises=promises
        )
        assert (quote.state, quote.loss_reason) == (QuoteState.LOST, "price")
        assert promises.holds == {}

    def test_sales_marks_a_quote_lost_to_a_competitor(self, work, promises):
        quote = make_sent(work, promises)
        actions.mark_lost(
            work, quote.id, reason=LossReason.COMPETITOR, competitor="Acme", promises=promises
        )
        assert (quote.state, quote.competitor) == (QuoteState.LOST, "Acme")

    def test_only_sent_quotes_past_their_last_day_expire(self, work, promises):
        due, last_day = make_sent(work, promises), make_sent(work, promises)
        won, lost = make_sent(work, promises), make_sent(work, promises)
        actions.accept(work, won.id, seal=won.seal, name="J", promises=promises)
        actions.mark_lost(work, lost.id, reason=LossReason.PRICE, promises=promises)
        for quote in (due, won, lost):
            quote.valid_until = work.today - dt.timedelta(days=1)
        last_day.valid_until = work.today
        work.session.flush()
        assert actions.expire(work, promises=promises) == 1
        assert actions.expire(work, promises=promises) == 0
        assert due.state is QuoteState.EXPIRED
        assert due.hold_ref not in promises.holds
        assert last_day.state is QuoteState.SENT
        assert (won.state, lost.state) == (QuoteState.ACCEPTED, QuoteState.LOST)

    def test_an_expired_quote_can_be_revised(self, work, promises):
        quote = make_sent(work, promises)
        quote.valid_until = work.today - dt.timedelta(days=1)
        work.session.flush()
        actions.expire(work, promises=promises)
        new = actions.revise(work, quote.id, promises=promises)
        assert new.valid_until > work.today

    def test_opening_is_noted_at_most_once_a_minute_and_leaves_the_version(self, work, promises):
        quote = make_sent(work, promises)
        version = quote.version
        assert actions.mark_opened(work, quote.id) is False  # staff looking is no news
        work.actor = buyer(queries.facts_of(work, quote).account)
        assert actions.mark_opened(work, quote.id) is True
        work.session.refresh(quote)
        assert quote.version == version
        assert actions.mark_opened(work, quote.id) is False
