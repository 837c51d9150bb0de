"""Staff pages of inquiries and quotes, as a browser sees them."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.fulfillment.models import Hold, HoldLine
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.words import Message
from b2bcrm.quotes import actions, queries
from b2bcrm.quotes.lifecycle import QuoteState
from b2bcrm.quotes.models import Inquiry
from tests.clients import client_for
from tests.factories import (
    make_account,
    make_item,
    make_order,
    make_price,
    make_site,
    make_sureness,
    staff,
)
from tests.quotes.standins import make_sent, reload

D = Decimal
pytestmark = pytest.mark.db
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc000000003000101"
    "27c9be3b0000000049454e44ae426082"
)


class TestEditor:
    def test_a_draft_shows_its_lines_prices_margin_and_dates(self, sales, draft):
        page = sales.get(f"/quotes/{draft.no}").text
        for text in ("400.00", "20.00 each", "50+", "10 Dec", "Total EUR", "margin floor"):
            assert text in page, text

    def test_each_date_says_how_sure_it_is_by_promises_like_it(self, sales, office, draft):
        with office.open() as work:
            make_sureness(work, incoterm=draft.incoterm, shares=[[0, 0.85], [3, 0.15]])
        page = sales.get(f"/quotes/{draft.no}").text
        assert page.count(">85 % sure</a>") == len(draft.lines)
        assert "95 % by Tue 15 Dec" in page
        answer = sales.post(
            f"/quotes/{draft.id}/lines/10",
            data={"qty": "60", "version": draft.version, "csrf_token": sales.csrf_token()},
            headers={"HX-Request": "true"},
        )
        assert ">85 % sure</a>" in answer.text

    def test_a_date_without_enough_history_says_no_chance(self, sales, draft):
        assert "% sure" not in sales.get(f"/quotes/{draft.no}").text

    def test_the_margin_is_absent_without_the_right_to_see_cost(self, app, office, draft):
        page = client_for(app, office, Role.PLANNER).get(f"/quotes/{draft.no}").text
        assert "400.00" in page
        assert "argin" not in page

    def test_typing_a_quantity_answers_with_figures_but_not_the_input(self, sales, office, draft):
        answer = sales.post(
            f"/quotes/{draft.id}/lines/10",
            data={"qty": "60", "version": draft.version, "csrf_token": sales.csrf_token()},
            headers={"HX-Request": "true"},
        )
        assert answer.status_code == 200
        assert "1,080.00" in answer.text
        assert 'id="l10-net" hx-swap-oob="true"' in answer.text
        assert 'id="l10-qty"' not in answer.text
        version = re.search(r'name="version" value="(\d+)"', answer.text)
        assert int(version[1]) == reload(office, draft).version > draft.version

    def test_a_wrong_quantity_is_a_sentence_at_its_field_and_changes_nothing(
        self, sales, office, draft
    ):
        for qty, sentence in (
            ("1.23456", "Whole pieces only."),
            ("abc", "This is not a number."),
            ("1e400", "At most 10000000."),
            ("0", "greater than zero"),
        ):
            answer = sales.post(
                f"/quotes/{draft.id}/lines/10",
                data={"qty": qty, "version": draft.version, "csrf_token": sales.csrf_token()},
                headers={"HX-Request": "true"},
            )
            assert answer.status_code == 422, qty
            assert sentence in answer.text
            assert 'id="l10-qty-e"' in answer.text
        assert reload(office, draft).lines[0].qty == D(10)

    def test_an_old_form_gets_409_with_who_and_when(self, sales, office, draft):
        first = sales.send(f"/quotes/{draft.id}/lines/10", qty="11", version=draft.version)
        assert first.status_code == 303
        second = sales.send(f"/quotes/{draft.id}/lines/10", qty="12", version=draft.version)
        assert second.status_code == 409
        assert "changed this at 09:40" in second.text

    def test_items_are_suggested_by_number_and_added(self, sales, office, draft):
        with office.open() as work:
            item = make_item(work)
        found = sales.get(f"/quotes/{draft.id}/items?part={item.no}").text
        assert f'value="{item.no}"' in found
        sales.send(f"/quotes/{draft.id}/lines", part=item.no, qty="3", version=draft.version)
        assert reload(office, draft).lines[-1].qty == D(3)
        wrong = sales.send(f"/quotes/{draft.id}/lines", part="NO-SUCH", qty="3")
        assert wrong.status_code == 422
        assert "No item is called" in wrong.text

    def test_pasted_rows_that_fail_are_named(self, sales, office, draft):
        with office.open() as work:
            item = make_item(work)
        answer = sales.send(f"/quotes/{draft.id}/paste", text=f"{item.no}\t7\nNOPE\t1")
        assert answer.status_code == 200
        assert "Row 2" in answer.text
        assert len(reload(office, draft).lines) == 3

    def test_terms_are_saved_and_wrong_ones_marked(self, sales, office, draft):
        ok = sales.send(f"/quotes/{draft.id}/terms", note="Thank you", valid_until="2026-12-31")
        assert ok.status_code == 303
        assert reload(office, draft).valid_until == dt.date(2026, 12, 31)
        wrong = sales.send(f"/quotes/{draft.id}/terms", valid_until="2020-01-01")
        assert wrong.status_code == 422
        assert "This day has passed." in wrong.text

    def test_ten_megabytes_of_note_are_refused(self, sales, draft):
        answer = sales.send(f"/quotes/{draft.id}/terms", note="x" * 10_000_000)
        assert answer.status_code in {413, 422}

    def test_sending_seals_and_a_moved_date_is_shown_instead(self, sales, office, dates, draft):
        dates.ready_on = dt.date(2027, 1, 8)
        moved = sales.send(f"/quotes/{draft.id}/send", version=draft.version)
        assert moved.status_code == 303
        fresh = reload(office, draft)
        assert (fresh.state, fresh.lines[0].promised_on) == (QuoteState.DRAFT, dates.ready_on)
        assert "has moved from" in sales.get(f"/quotes/{draft.no}").text
        assert sales.send(f"/quotes/{draft.id}/send", version=fresh.version).status_code == 303
        assert reload(office, draft).state is QuoteState.SENT

    def test_a_new_revision_shows_what_changed(self, sales, office, sent):
        assert sales.send(f"/quotes/{sent.id}/revise").status_code == 303
        page = sales.get(f"/quotes/{sent.no}").text
        assert "Changed since rev A" in page
        old = sales.get(f"/quotes/{sent.no}?rev=A").text
        assert "superseded" in old
        assert sales.get(f"/quotes/{sent.no}?rev=Z").status_code == 404

    def test_a_sent_quote_tells_what_its_dates_are_held_on(self, sales, office, sent):
        assert "What it rests on" not in sales.get(f"/quotes/{sent.no}").text
        source = {"kind": "purchase_order", "no": "PO-4711", "qty": "7", "on": "2026-12-01"}
        with office.open() as work:
            quote = queries.by_id(work, sent.id)
            line = HoldLine(
                line_ref="10",
                item_id=quote.lines[0].item_id,
                site_id=quote.site_id,
                qty=quote.lines[0].qty,
                ready_on=quote.lines[0].wanted_on,
                reason=Message("bought anew"),
                sources=[source],
            )
            work.session.add(Hold(ref=quote.hold_ref, seq=1, until=work.today, lines=[line]))
        page = sales.get(f"/quotes/{sent.no}").text
        assert "What it rests on" in page
        assert "Purchase order PO-4711" in page

    def test_sales_accepts_for_the_customer(self, sales, office, sent):
        signed = {"seal": sent.seal, "name": "Jonas", "agreed": "true", "customer_po": "P-1"}
        answer = sales.send(f"/quotes/{sent.id}/accept", **signed)
        assert answer.status_code == 303
        assert "/orders/SO-26-" in answer.location

    def test_what_was_paid_before_is_shown_only_if_there_was_something(self, sales, office, draft):
        assert "What this customer paid before" not in sales.get(f"/quotes/{draft.no}").text
        with office.open() as work:
            quote = queries.by_id(work, draft.id)
            account = queries.facts_of(work, quote).account
            from tests.factories import make_line

            line = make_line(work)
            line.item_id = quote.lines[0].item_id
            order = make_order(work, account, lines=[line])
        page = sales.get(f"/quotes/{draft.no}").text
        assert "What this customer paid before" in page
        assert order.no in page

    @pytest.mark.slow
    def test_the_draft_can_be_previewed_as_pdf(self, sales, draft):
        answer = sales.get(f"/quotes/{draft.id}/pdf")
        assert answer.mimetype == "application/pdf"
        assert answer.data.startswith(b"%PDF")

    @pytest.mark.parametrize("lines", [1, 30])
    def test_the_editor_needs_few_statements_whatever_the_number_of_lines(
        self, sales, office, dates, engine, lines
    ):
        with office.open(staff(Role.ADMIN)) as work:
            quote = make_sent(work, dates, lines=lines)
            actions.revise(work, quote.id, promises=dates)
        sales.get(f"/quotes/{quote.no}")
        seen = []

        def note(_c, _cur, statement, *_rest):
            if "SAVEPOINT" not in statement:
                seen.append(statement)

        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            assert sales.get(f"/quotes/{quote.no}").status_code == 200
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
        assert len(seen) <= 12, "\n\n".join(seen)


class TestLists:
    @pytest.mark.parametrize("path", ["/quotes", "/inquiries", "/quotes?state=all&mine=1"])
    def test_an_empty_house_has_empty_lists(self, sales, path):
        page = sales.get(path)
        assert page.status_code == 200
        assert "None" in page.text

    def test_the_list_filters_sorts_and_downloads_alike(self, sales, draft, sent):
        assert draft.no in (page := sales.get("/quotes").text)
        assert sent.no in page
        only = sales.get("/quotes?state=sent&sort=-total").text
        assert sent.no in only
        assert draft.no not in only
        csv = sales.get("/quotes?state=sent&format=csv").data.decode("utf-8-sig")
        assert sent.no in csv
        assert draft.no not in csv
        assert sales.get("/quotes?format=xlsx").status_code == 200
        for sort in ("no", "account", "created", "valid", "total", "win"):
            assert sales.get(f"/quotes?sort={sort}&q=Brandt").status_code == 200

    def test_an_inquiry_typed_by_sales_becomes_a_quote(self, sales, office):
        with office.open() as work:
            make_site(work)
            account, item = make_account(work), make_item(work)
            make_price(work, item)
        fields = {
            "account_id": account.id,
            "channel": "phone",
            "subject": "RFQ 7",
            "lines-0-part": item.no,
            "lines-0-qty": "12",
            "lines-2-text": "a drawing part",
        }
        made = sales.send("/inquiries", **fields)
        assert made.status_code == 303
        page = sales.get(made.location).text
        assert item.no in page
        assert "a drawing part" in page
        assert "RFQ 7" in sales.get("/inquiries").text
        with office.open() as work:
            inquiry = work.session.scalars(sa.select(Inquiry)).one()
        quoted = sales.send(f"/inquiries/{inquiry.id}/quote")
        page = sales.get(quoted.location).text
        assert "240.00" in page
        assert "a drawing part" in page
        assert "Wishes without an item: 1." in page

    def test_a_wrong_inquiry_keeps_what_was_typed(self, sales, office):
        with office.open() as work:
            account = make_account(work)
        fields = {"account_id": account.id, "lines-0-part": "ABC", "lines-0-qty": "0"}
        answer = sales.send("/inquiries", **fields)
        assert answer.status_code == 422
        assert 'value="ABC"' in answer.text
        assert "greater than zero" in answer.text
