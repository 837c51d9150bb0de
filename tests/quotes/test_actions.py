"""Acts on inquiries and drafts, and sending."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.customers.models import CustomerPart
from b2bcrm.documents.contents import digest_of
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import (
    Conflict,
    IllegalAct,
    Invalid,
    NotAllowed,
    NotFound,
    Refused,
    StaleVersion,
)
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.quotes import actions, queries
from b2bcrm.quotes.actions import Wish
from b2bcrm.quotes.lifecycle import InquiryState, QuoteState
from tests.factories import buyer, make_account, make_item, make_price, make_site, staff
from tests.quotes.standins import READY, make_draft, make_sent

D = Decimal
pytestmark = pytest.mark.db


class TestInquiry:
    def test_a_buyer_asks_for_his_own_account_with_his_own_part_number(self, work):
        make_site(work)
        account, other = make_account(work), make_account(work)
        item = make_item(work)
        work.session.add(CustomerPart(account_id=account.id, item_id=item.id, part_no="BK-77"))
        work.session.flush()
        work.actor = buyer(account)
        inquiry = actions.create_inquiry(
            work,
            account_id=other.id,
            wishes=[Wish(part="bk-77", qty=D(5)), Wish(text="something round", part="X1")],
        )
        assert inquiry.account_id == account.id
        assert [ln.item_id for ln in inquiry.lines] == [item.id, None]
        assert [ln.customer_part_no for ln in inquiry.lines] == ["BK-77", "X1"]
        assert inquiry.no.startswith("IN-26-")
        assert inquiry.reply_by_at > work.now

    @pytest.mark.parametrize(
        ("wish", "field"),
        [
            (Wish(part="X", qty=D("1.23456")), "lines.0.qty"),
            (Wish(part="X", qty=D(0)), "lines.0.qty"),
            (Wish(qty=D(1)), "lines.0.part"),
            (Wish(part="X", wanted_on=dt.date(2026, 11, 16)), "lines.0.wanted_on"),
        ],
    )
    def test_a_bad_line_is_named_at_its_field(self, work, wish, field):
        account = make_account(work)
        work.actor = buyer(account)
        with pytest.raises(Invalid) as caught:
            actions.create_inquiry(work, wishes=[wish])
        assert field in caught.value.fields

    def test_half_a_piece_cannot_be_asked_for(self, work):
        make_site(work)
        item = make_item(work)
        work.actor = buyer(make_account(work))
        with pytest.raises(Invalid) as caught:
            actions.create_inquiry(work, wishes=[Wish(part=item.no, qty=D("0.5"))])
        assert caught.value.fields.keys() == {"lines.0.qty"}

    def test_an_empty_inquiry_is_refused(self, work):
        work.actor = buyer(make_account(work))
        with pytest.raises(Invalid):
            actions.create_inquiry(work, wishes=[], text="  ")

    def test_another_accounts_inquiry_is_not_found(self, work):
        make_site(work)
        account = make_account(work)
        work.actor = buyer(account)
        inquiry = actions.create_inquiry(work, wishes=[], text="two gearboxes please")
        work.actor = buyer(make_account(work))
        with pytest.raises(NotFound):
            queries.inquiry_by_id(work, inquiry.id)

    def test_a_declined_inquiry_cannot_be_quoted(self, work, promises):
        make_site(work)
        inquiry = actions.create_inquiry(
            work, account_id=make_account(work).id, wishes=[], text="x"
        )
        actions.decline_inquiry(work, inquiry.id, reason="not our business")
        assert inquiry.state is InquiryState.DECLINED
        with pytest.raises(Conflict):
            actions.quote_from_inquiry(work, inquiry.id, promises=promises)
        with pytest.raises(Conflict):
            actions.decline_inquiry(work, inquiry.id, reason="again")


class TestDraft:
    def test_nothing_is_typed_twice_from_inquiry_to_quote(self, work, promises):
        make_site(work)
        account = make_account(work)
        item = make_item(work)
        make_price(work, item)
        wanted = dt.date(2026, 12, 4)
        inquiry = actions.create_inquiry(
            work,
            account_id=account.id,
            wishes=[
                Wish(part=item.no, qty=D(12), wanted_on=wanted),
                Wish(text="a special one", qty=D(2), wanted_on=wanted),
            ],
        )
        quote = actions.quote_from_inquiry(work, inquiry.id, promises=promises)
        assert [(ln.line_no, ln.item_id, ln.qty, ln.wanted_on) for ln in quote.lines] == [
            (10, item.id, D(12), wanted)
        ]
        assert quote.total == D(240)
        assert quote.lines[0].promised_on == READY
        assert quote.contact_id == account.contacts[0].id
        assert quote.ship_to_id == account.ship_tos[0].id
        assert (quote.incoterm, quote.payment_terms) == ("DAP", "30 days net")
        assert inquiry.state is InquiryState.QUOTED
        wishes = queries.open_wishes(inquiry, quote)
        assert [wish.line_no for wish in wishes] == [20]
        assert actions.quote_from_inquiry(work, inquiry.id, promises=promises) is quote

    def test_an_open_wish_becomes_a_line_with_its_date(self, work, promises):
        make_site(work)
        item = make_item(work)
        wanted = dt.date(2026, 12, 4)
        inquiry = actions.create_inquiry(
            work,
            account_id=make_account(work).id,
            wishes=[Wish(text="a special one", qty=D(2), wanted_on=wanted)],
        )
        quote = actions.quote_from_inquiry(work, inquiry.id, promises=promises)
        actions.add_line(work, quote.id, part=item.no, qty=D(2), wish_no=10, promises=promises)
        assert [(ln.line_no, ln.wanted_on) for ln in quote.lines] == [(10, wanted)]
        assert queries.open_wishes(inquiry, quote) == []
        actions.add_line(work, quote.id, part=item.no, promises=promises)
        assert quote.lines[-1].line_no == 20

    def test_the_quantity_decides_the_price(self, work, promises):
        quote = make_draft(work, promises)
        actions.set_line(work, quote.id, 10, qty=D(60), promises=promises)
        assert (quote.lines[0].list_price, quote.total) == (D(18), D(1080))
        actions.set_line(work, quote.id, 10, discount_pct=D("2.5"), promises=promises)
        assert quote.total == D(1053)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"qty": D("1.5")}, "qty"),
            ({"qty": D(-1)}, "qty"),
            ({"qty": D("Infinity")}, "qty"),
            ({"discount_pct": D("1.234")}, "discount_pct"),
            ({"discount_pct": D(100)}, "discount_pct"),
            ({"wanted_on": dt.date(2026, 11, 1)}, "wanted_on"),
        ],
    )
    def test_bad_figures_are_named_at_their_field(self, work, promises, change, field):
        quote = make_draft(work, promises)
        with pytest.raises(Invalid) as caught:
            actions.set_line(work, quote.id, 10, **change, promises=promises)
        assert caught.value.fields.keys() == {field}

    def test_two_people_on_one_draft_the_second_is_told_who_and_when(self, work, promises):
        quote = make_draft(work, promises)
        version = quote.version
        actions.set_line(work, quote.id, 10, qty=D(11), expected_version=version, promises=promises)
        work.session.flush()
        with pytest.raises(StaleVersion) as caught:
            actions.set_line(
                work, quote.id, 10, qty=D(12), expected_version=version, promises=promises
            )
        assert "Grace Wu" in str(caught.value)
        assert "09:40" in str(caught.value)

    def test_rows_from_a_spreadsheet_are_taken_and_bad_ones_named(self, work, promises):
        quote = make_draft(work, promises, lines=0)
        a, b = make_item(work), make_item(work)
        text = f"{a.no}\t12\nNO-SUCH\t3\n{b.no}; 1.5\n{b.no} 4\njust words\n"
        _, wrong = actions.paste_lines(work, quote.id, text=text, promises=promises)
        assert [(ln.item_id, ln.qty) for ln in quote.lines] == [(a.id, D(12)), (b.id, D(4))]
        assert [row.number for row in wrong] == [2, 3, 5]

    def test_a_prospect_without_erp_number_can_be_quoted(self, work, promises):
        quote = make_draft(work, promises, account=make_account(work, erp_id=None))
        assert actions.send(work, quote.id, promises=promises).state is QuoteState.SENT

    def test_another_accounts_contact_cannot_be_chosen(self, work, promises):
        quote, other = make_draft(work, promises), make_account(work)
        with pytest.raises(Invalid):
            actions.set_terms(work, quote.id, contact_id=other.contacts[0].id, promises=promises)
        with pytest.raises(Invalid):
            actions.set_terms(work, quote.id, ship_to_id=other.ship_tos[0].id, promises=promises)

    def test_a_planner_may_not_edit(self, work, promises):
        quote = make_draft(work, promises)
        work.actor = staff(Role.PLANNER)
        with pytest.raises(NotAllowed):
            actions.set_line(work, quote.id, 10, qty=D(2), promises=promises)


class TestSend:
    def test_what_was_sent_is_sealed_and_held(self, work, promises):
        quote = make_sent(work, promises, account=make_account(work, customer_class="A"))
        assert quote.state is QuoteState.SENT
        assert quote.seal == digest_of(quote.sealed_content)
        assert quote.held_until == dt.date(2026, 11, 20)
        assert promises.holds == {quote.hold_ref: READY}
        assert queries.sealed_content(quote).total == quote.total
        rows = work.session.scalars(sa.select(Delivery).where(Delivery.event == "quote.sent"))
        assert {row.handler for row in rows} <= {"mail.quote"}

    def test_a_sent_quote_cannot_be_edited(self, work, promises):
        quote = make_sent(work, promises)
        for act in (
            lambda: actions.set_line(work, quote.id, 10, qty=D(1), promises=promises),
            lambda: actions.remove_line(work, quote.id, 10, promises=promises),
            lambda: actions.set_terms(work, quote.id, note="x", promises=promises),
            lambda: actions.send(work, quote.id, promises=promises),
        ):
            with pytest.raises(IllegalAct):
                act()

    def test_dates_are_never_held_longer_than_the_price(self, work, promises):
        quote = make_sent(work, promises, valid_until=dt.date(2026, 11, 18))
        assert quote.held_until == dt.date(2026, 11, 18)

    def test_too_high_a_discount_needs_a_manager(self, work, promises):
        quote = make_draft(work, promises)
        actions.set_line(work, quote.id, 10, discount_pct=D(12), promises=promises)
        work.actor = staff(Role.SALES)
        with pytest.raises(Refused) as caught:
            actions.send(work, quote.id, promises=promises)
        assert caught.value.code == "approval"
        work.actor = staff(Role.SALES_MANAGER)
        assert actions.send(work, quote.id, promises=promises).state is QuoteState.SENT

    @pytest.mark.parametrize("code", ["empty", "no_price", "no_date", "no_contact", "expired"])
    def test_an_unfinished_quote_is_not_sent(self, work, promises, code):
        quote = make_draft(work, promises, lines=0 if code == "empty" else 1)
        if code == "no_price":
            quote.lines[0].list_price = D(0)
        if code == "no_date":
            quote.lines[0].promised_on = None
        if code == "no_contact":
            quote.contact_id = None
        if code == "expired":
            quote.valid_until = dt.date(2026, 11, 16)
        work.actor = staff(Role.ADMIN)
        with pytest.raises(Refused) as caught:
            actions.send(work, quote.id, promises=promises)
        assert caught.value.code == code
        assert promises.holds == {}

    def test_a_date_that_got_worse_before_sending_is_refused(self, work, promises):
        quote = make_draft(work, promises)
        promises.ready_on = dt.date(2026, 12, 20)
        with pytest.raises(Refused) as caught:
            actions.send(work, quote.id, promises=promises)
        assert caught.value.code == "date_moved"
        actions.refresh(work, quote.id, promises=promises)
        assert actions.send(work, quote.id, promises=promises).lines[0].promised_on == dt.date(
            2026, 12, 20
        )


class TestRevise:
    def test_a_new_revision_supersedes_the_old_one_and_frees_its_dates(self, work, promises):
        a = make_sent(work, promises)
        b = actions.revise(work, a.id, promises=promises)
        assert (a.state, a.current) == (QuoteState.SUPERSEDED, False)
        assert (b.no, b.letter, b.state, b.current) == (a.no, "B", QuoteState.DRAFT, True)
        assert promises.holds == {}
        assert [ln.qty for ln in b.lines] == [ln.qty for ln in a.lines]
        actions.set_line(work, b.id, 10, qty=D(12), promises=promises)
        assert a.lines[0].qty == D(10)
        assert [str(c.what) for c in queries.changes(a, b)] == ["Line 10 quantity", "Total"]

    def test_only_the_current_revision_can_be_revised(self, work, promises):
        a = make_sent(work, promises)
        actions.revise(work, a.id, promises=promises)
        with pytest.raises(IllegalAct):
            actions.revise(work, a.id, promises=promises)
