"""Cases and documents on the portal, and that nothing foreign or internal is ever there."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from b2bcrm.files import actions as files
from b2bcrm.kernel.actor import Role
from b2bcrm.service import actions
from b2bcrm.service.lifecycle import CaseCause
from b2bcrm.service.models import Case
from tests.clients import client_for
from tests.factories import make_account
from tests.service.conftest import SERVICE, case_of, upload

pytestmark = pytest.mark.db
CANARIES = ("CANARY-NOTE", "CANARY-FILE")


class TestPortal:
    def test_the_customer_opens_a_case_on_his_delivered_line(self, seeded, office):
        choose = seeded.customer.get("/portal/cases/new").text
        assert f"line={seeded.mine.line}" in choose
        assert seeded.foreign.order not in choose
        answer = seeded.customer.send(
            f"/portal/cases/new/{seeded.mine.line}", kind="complaint", subject="Loud",
            text="It is loud.", affected_qty="1", files=[upload(), upload("m.csv", b"a,b")],
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
        page = seeded.customer.get(answer.location).text
        for text in ("Loud", "It is loud.", "photo.png", "m.csv", "in work"):
            assert text in page
        assert "Loud" in seeded.customer.get("/portal/cases").text
        assert "Loud" in seeded.service.get("/service").text

    def test_the_same_form_sent_twice_opens_one_case(self, seeded, office):
        fields = {"kind": "question", "subject": "Oil?", "text": "Which?", "request_key": "once"}
        first, second = (
            seeded.customer.send(f"/portal/cases/new/{seeded.mine.line}", **fields)
            for _ in range(2)
        )
        assert first.location == second.location
        with office.open(SERVICE, read_only=True) as work:
            assert work.session.scalar(sa.select(sa.func.count()).select_from(Case)) == 3

    def test_he_writes_confirms_and_reopens(self, seeded, office):
        url, no = f"/portal/cases/{seeded.mine.case}", seeded.mine.case

        def solve():
            with office.open(SERVICE) as work:
                actions.solve(
                    work, seeded.mine.id, solution="SOLUTION", cause=CaseCause.ASSEMBLY,
                    expected_version=None,
                )  # fmt: skip

        solve()
        page = seeded.customer.get(url).text
        assert "SOLUTION" in page
        assert "Assembly" not in page
        assert (
            seeded.customer.send(f"{url}/reopen", version=case_of(office, no).version).status_code
            == 303
        )
        assert case_of(office, no).state == "open"
        solve()
        assert (
            seeded.customer.send(f"{url}/message", text="Still loud", files=upload()).status_code
            == 303
        )
        assert case_of(office, no).state == "open"
        solve()
        assert (
            seeded.customer.send(f"{url}/confirm", version=case_of(office, no).version).status_code
            == 303
        )
        assert case_of(office, no).state == "closed"
        late = seeded.customer.send(f"{url}/message", text="MORE")
        assert late.status_code == 409
        assert seeded.customer.get(url).status_code == 200

    def test_confirming_twice_is_a_conflict_and_not_an_error(self, seeded):
        answer = seeded.customer.send(
            f"/portal/cases/{seeded.mine.case}/confirm", version=seeded.mine.version
        )
        assert answer.status_code == 409

    def test_documents_show_files_and_invoices_of_the_account(self, seeded):
        page = seeded.customer.get("/portal/documents").text
        for text in ("QUOTE-OF-1.pdf", "INV-1", "40.00", "open, due"):
            assert text in page
        only = seeded.customer.get("/portal/documents?kind=delivery_note").text
        assert "QUOTE-OF-1.pdf" not in only
        assert "INV-1" not in only
        invoices = seeded.customer.get("/portal/documents?kind=invoice").text
        assert "INV-1" in invoices
        assert "QUOTE-OF-1.pdf" not in invoices

    def test_empty_pages_are_pages(self, app, office):
        with office.open(SERVICE) as work:
            account = make_account(work)
        client = client_for(app, office, Role.BUYER_ADMIN, account)
        for url in (
            "/portal/cases",
            "/portal/cases/new",
            "/portal/documents",
            "/portal/documents?kind=invoice",
        ):
            assert client.get(url).status_code == 200


class TestIsolation:
    def test_a_foreign_case_line_and_file_are_not_found(self, seeded, office):
        foreign = seeded.foreign
        for url in (
            f"/portal/cases/{foreign.case}",
            f"/portal/cases/{foreign.case}/version",
            f"/portal/cases/new?line={foreign.line}",
            f"/portal/files/{foreign.quote}",
        ):
            answer = seeded.customer.get(url)
            assert answer.status_code == 404, url
            assert "OF-2" not in answer.text
        for url in (
            f"/portal/cases/{foreign.case}/message",
            f"/portal/cases/{foreign.case}/confirm",
            f"/portal/cases/{foreign.case}/reopen",
            f"/portal/cases/new/{foreign.line}",
        ):
            answer = seeded.customer.send(
                url, version=foreign.version, text="x", kind="question", subject="s"
            )
            assert answer.status_code == 404, url
        assert case_of(office, foreign.case).version == foreign.version

    def test_no_portal_page_holds_anything_internal_or_foreign(self, seeded, office):
        with office.open(SERVICE) as work:
            actions.take(work, seeded.mine.id, expected_version=None)
        urls = [
            "/portal/cases", "/portal/cases?format=csv", "/portal/cases/new", "/portal/documents",
            "/portal/documents?format=csv", f"/portal/cases/{seeded.mine.case}",
            f"/portal/cases/{seeded.mine.case}?show=internal",
            f"/portal/cases/new?line={seeded.mine.line}",
        ]  # fmt: skip
        for url in urls:
            answer = seeded.customer.get(url)
            assert answer.status_code == 200, url
            seen = answer.text + str(answer.headers)
            for canary in (*CANARIES, "OF-2", "INV-2", seeded.foreign.case, seeded.foreign.order):
                assert canary not in seen, url

    def test_an_internal_file_is_not_found_by_its_number(self, seeded, office):
        with office.open(SERVICE, read_only=True) as work:
            found = (
                work.session.execute(
                    sa.text("SELECT id FROM stored_file WHERE name = 'CANARY-FILE.png'")
                )
                .scalars()
                .all()
            )
        assert found
        for file_id in found:
            assert seeded.customer.get(f"/portal/files/{file_id}", buffered=True).status_code == 404
            assert seeded.service.get(f"/files/{file_id}", buffered=True).status_code == 200

    def test_a_customer_does_not_know_the_staff_pages(self, seeded):
        for url in (
            "/service",
            f"/service/{seeded.mine.case}",
            f"/files/{seeded.mine.quote}",
            "/service/new",
        ):
            assert seeded.customer.get(url).status_code == 404


class TestDownload:
    def test_a_pdf_is_shown_and_nothing_is_sniffed(self, seeded):
        answer = seeded.customer.get(f"/portal/files/{seeded.mine.quote}", buffered=True)
        assert answer.data == b"%PDF-1.7"
        headers = answer.headers
        assert headers["Content-Disposition"].startswith('inline; filename="QUOTE-OF-1.pdf"')
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Type"] == "application/pdf"
        assert headers["Cache-Control"] == "private, no-cache"

    def test_other_kinds_are_downloaded_under_their_own_name(self, seeded, app, office):
        with office.open(SERVICE) as work:
            row = files.store(
                work, files_dir=app.extensions["supplies"]["files_dir"], name="量測.csv",
                content=b"a,b", subject="quote", subject_id=1, kind="attachment",
                account_id=seeded.mine.account.id,
            )  # fmt: skip
        headers = seeded.customer.get(f"/portal/files/{row.id}", buffered=True).headers
        assert headers["Content-Disposition"].startswith("attachment;")
        assert "filename*=UTF-8''%E9%87%8F%E6%B8%AC.csv" in headers["Content-Disposition"]
        assert "sandbox" in headers["Content-Security-Policy"]

    def test_a_content_that_is_gone_is_said_so(self, seeded, app):
        for path in app.extensions["supplies"]["files_dir"].rglob("*"):
            if path.is_file():
                path.unlink()
        answer = seeded.customer.get(f"/portal/files/{seeded.mine.quote}", buffered=True)
        assert answer.status_code == 503
        assert "cannot be read right now" in answer.text
