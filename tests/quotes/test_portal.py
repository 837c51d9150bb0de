"""Portal pages of inquiries and quotations, as the customer sees them."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.files.models import StoredFile
from b2bcrm.kernel.actor import Role
from b2bcrm.orders.models import Order
from b2bcrm.quotes import actions, queries
from b2bcrm.quotes.lifecycle import QuoteState
from b2bcrm.quotes.models import Inquiry, Quote
from tests.clients import client_for
from tests.factories import make_account, make_item, staff
from tests.quotes.standins import account_of, reload

D = Decimal
pytestmark = pytest.mark.db
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc000000003000101"
    "27c9be3b0000000049454e44ae426082"
)


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
