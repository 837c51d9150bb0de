"""Staff and portal pages of inquiries and quotes, as a browser sees them."""

from __future__ import annotations

import datetime as dt
import io
import re
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.files.models import StoredFile
from b2bcrm.kernel.actor import Role
from b2bcrm.orders.models import Order
from b2bcrm.quotes import actions, queries
from b2bcrm.quotes.lifecycle import QuoteState
from b2bcrm.quotes.models import Inquiry, Quote
from tests.clients import client_for, make_app
from tests.factories import make_account, make_item, make_order, make_price, make_site, staff
from tests.quotes.standins import Dates, make_draft, make_sent

D = Decimal
pytestmark = pytest.mark.db
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc000000003000101"
    "27c9be3b0000000049454e44ae426082"
)


@pytest.fixture
def dates():
    return Dates()


@pytest.fixture
def app(office, tmp_path, dates):
    return make_app(office, tmp_path, promises=lambda _work: dates, files_dir=tmp_path)


@pytest.fixture
def sales(app, office):
    return client_for(app, office, Role.SALES)


def account_of(office, quote):
    with office.open() as work:
        return queries.facts_of(work, queries.by_id(work, quote.id)).account


@pytest.fixture
def draft(office, dates):
    with office.open(staff(Role.ADMIN)) as work:
        return make_draft(work, dates, lines=2)


@pytest.fixture
def sent(office, dates):
    with office.open(staff(Role.ADMIN)) as work:
        return make_sent(work, dates, lines=2)


@pytest.fixture
def customer(app, office, sent):
    return client_for(app, office, Role.BUYER, account_of(office, sent))


def reload(office, quote):
    with office.open() as work:
        return queries.by_id(work, quote.id)


class TestEditor:
    def test_a_draft_shows_its_lines_prices_margin_and_dates(self, sales, draft):
        page = sales.get(f"/quotes/{draft.no}").text
        for text in ("400.00", "20.00 each", "50+", "10 Dec", "Total EUR", "margin floor"):
            assert text in page, text

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
        assert "changed this quote at 09:40" in second.text

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


class TestPortal:
    def test_the_customer_sees_the_sealed_content_and_nothing_internal(
        self, customer, office, sent
    ):
        page = customer.get(f"/portal/quotes/{sent.no}").text
        assert "400.00" in page
        assert sent.seal[:16] in page
        for secret in ("argin", "standard cost", "win chance", "Win chance"):
            assert secret not in page
        assert sent.no in customer.get("/portal/quotes").text
        assert reload(office, sent).opened_at is not None

    def test_he_accepts_and_gets_one_order_however_often_he_presses(self, customer, office, sent):
        signed = {
            "seal": sent.seal,
            "name": "Jonas Kessler",
            "customer_po": "PO-77",
            "agreed": "true",
            "request_key": "k1",
        }
        first = customer.send(f"/portal/quotes/{sent.id}/accept", **signed)
        again = customer.send(f"/portal/quotes/{sent.id}/accept", **signed)
        other = customer.send(f"/portal/quotes/{sent.id}/accept", **{**signed, "request_key": "k2"})
        assert first.status_code == again.status_code == other.status_code == 303
        assert first.location == again.location == other.location
        with office.open() as work:
            assert [o.customer_po for o in work.session.scalars(sa.select(Order))] == ["PO-77"]
        assert "Accepted by Jonas Kessler" in customer.get(f"/portal/quotes/{sent.no}").text

    def test_without_the_tick_nothing_is_signed(self, customer, office, sent):
        answer = customer.send(
            f"/portal/quotes/{sent.id}/accept", seal=sent.seal, name="J", customer_po="P"
        )
        assert answer.status_code == 422
        assert "This field is needed." in answer.text
        assert reload(office, sent).state is QuoteState.SENT

    def test_an_expired_quote_says_so_and_cannot_be_accepted(self, customer, office, sent):
        with office.open() as work:
            quote = queries.by_id(work, sent.id)
            quote.valid_until = dt.date(2026, 11, 16)
        page = customer.get(f"/portal/quotes/{sent.no}").text
        assert "expired" in page
        assert "Accept and order" not in page
        answer = customer.send(
            f"/portal/quotes/{sent.id}/accept", seal=sent.seal, name="J", agreed="true"
        )
        assert answer.status_code == 409
        assert "was valid until" in answer.text

    def test_a_superseded_one_leads_to_the_newer(self, customer, office, dates, sent):
        with office.open(staff(Role.ADMIN)) as work:
            new = actions.revise(work, sent.id, promises=dates)
        page = customer.get(f"/portal/quotes/{sent.no}").text
        assert "We are preparing a new revision." in page
        assert "Accept and order" not in page
        with office.open(staff(Role.ADMIN)) as work:
            actions.send(work, new.id, promises=dates)
        assert "Accept and order" in customer.get(f"/portal/quotes/{sent.no}").text
        old = customer.get(f"/portal/quotes/{sent.no}?rev=A").text
        assert "There is a newer revision" in old
        assert (
            customer.send(
                f"/portal/quotes/{sent.id}/accept", seal=sent.seal, name="J", agreed="true"
            ).status_code
            == 409
        )

    def test_a_moved_date_gives_a_new_revision_to_sign(self, customer, office, dates, sent):
        dates.holds.clear()
        dates.ready_on = dt.date(2027, 1, 15)
        answer = customer.send(
            f"/portal/quotes/{sent.id}/accept", seal=sent.seal, name="J", agreed="true"
        )
        assert answer.status_code == 303
        page = customer.get(answer.location).text
        assert "Nothing was ordered." in page
        assert "15 Jan 2027" in page
        with office.open() as work:
            assert work.session.scalars(sa.select(Order)).all() == []
            new = queries.current_of(work, sent.no)
        assert (new.letter, new.state) == ("B", QuoteState.SENT)
        ok = customer.send(
            f"/portal/quotes/{new.id}/accept", seal=new.seal, name="J", agreed="true"
        )
        assert "/portal/orders/SO-" in ok.location

    def test_he_declines_with_a_reason(self, customer, office, sent):
        answer = customer.send(
            f"/portal/quotes/{sent.id}/decline", reason="price", comment="too dear"
        )
        assert answer.status_code == 303
        assert reload(office, sent).loss_comment == "too dear"

    def test_a_foreign_quote_does_not_exist(self, app, office, sent, draft):
        other = client_for(app, office, Role.BUYER, account_of(office, draft))
        own = {"seal": sent.seal, "name": "J", "agreed": "true"}
        assert other.get(f"/portal/quotes/{sent.no}").status_code == 404
        assert other.get(f"/portal/quotes/{sent.id}/pdf").status_code == 404
        assert other.send(f"/portal/quotes/{sent.id}/accept", **own).status_code == 404
        assert other.send(f"/portal/quotes/{sent.id}/accept", name="J").status_code == 404
        assert other.send(f"/portal/quotes/{sent.id}/decline", reason="price").status_code == 404
        assert other.get(f"/portal/quotes/{draft.no}").status_code == 404  # own, never sent
        assert sent.no not in other.get("/portal/quotes").text
        assert other.get(f"/quotes/{sent.no}").status_code == 404

    def test_an_inquiry_from_the_portal_with_a_file(self, app, office, customer, sent):
        with office.open() as work:
            item = make_item(work)
        made = customer.post(
            "/portal/inquiries",
            data={
                "csrf_token": customer.csrf_token(),
                "subject": "Spring order",
                "text": "as last year",
                "lines-0-part": item.no,
                "lines-0-qty": "1,200",
                "lines-0-wanted_on": "2026-12-18",
                "files": (io.BytesIO(PNG), "sketch.png"),
            },
            content_type="multipart/form-data",
        )
        assert made.status_code == 303, made.text
        page = customer.get(made.location).text
        for text in ("Spring order", item.no, "1,200", "sketch.png"):
            assert text in page
        with office.open() as work:
            inquiry = work.session.scalars(sa.select(Inquiry)).one()
            kept = work.session.scalars(sa.select(StoredFile)).one()
        assert (kept.subject, kept.subject_id, kept.account_id) == (
            "inquiry",
            inquiry.id,
            inquiry.account_id,
        )
        assert "Spring order" in customer.get("/portal/inquiries").text
        with office.open() as work:
            stranger = make_account(work)
        other = client_for(app, office, Role.BUYER, stranger)
        assert other.get(f"/portal/inquiries/{inquiry.no}").status_code == 404

    def test_a_file_that_is_not_what_it_says_is_refused_whole(self, customer, office, sent):
        answer = customer.post(
            "/portal/inquiries",
            data={
                "csrf_token": customer.csrf_token(),
                "text": "see drawing",
                "files": (io.BytesIO(b"MZ\x90\x00 not a picture"), "sketch.png"),
            },
            content_type="multipart/form-data",
        )
        assert answer.status_code == 422
        with office.open() as work:
            assert work.session.scalars(sa.select(Inquiry)).all() == []

    def test_an_empty_account_has_empty_pages(self, app, office):
        with office.open() as work:
            account = make_account(work)
        client = client_for(app, office, Role.BUYER_ADMIN, account)
        for path in ("/portal/quotes", "/portal/inquiries", "/portal/inquiries/new"):
            assert client.get(path).status_code == 200

    def test_one_current_revision_per_number(self, office, dates, sent):
        with office.open(staff(Role.ADMIN)) as work:
            new = actions.revise(work, sent.id, promises=dates)
            actions.send(work, new.id, promises=dates)
            actions.revise(work, new.id, promises=dates)
            query = sa.select(Quote.rev).where(Quote.no == sent.no, Quote.current)
            assert work.session.scalars(query).all() == [2]
