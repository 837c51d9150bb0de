"""The service pages on both sides of the glass, through real requests."""

from __future__ import annotations

import io
from decimal import Decimal
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from b2bcrm.files.kinds import FileKind
from b2bcrm.files import actions as files
from b2bcrm.fulfillment.models import Invoice, Shipment, ShipmentLine
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.service import actions, queries
from b2bcrm.service.lifecycle import CaseCause, CaseKind
from b2bcrm.service.models import Case
from b2bcrm.threads.models import InternalNote
from tests.clients import client_for
from tests.factories import buyer, make_account, make_line, make_order
from tests.service.conftest import SERVICE

pytestmark = pytest.mark.db
D = Decimal
PNG = b"\x89PNG\r\n\x1a\n...."
CANARIES = ("CANARY-NOTE", "CANARY-FILE", "CANARY-SUPPLIER")


def upload(name="photo.png", content=PNG):
    return (io.BytesIO(content), name)


@pytest.fixture
def seeded(app, office):
    """Two customers with a delivered line and a case each; the first one's has a note."""
    found = SimpleNamespace(sides=[])
    with office.open(Actor(name="Grace Wu", role=Role.ADMIN)) as work:
        for n in (1, 2):
            account = make_account(work)
            order = make_order(
                work, account, lines=[make_line(work, shipped_qty=D(6), delivered_qty=D(6))]
            )
            shipment = Shipment(
                no=f"DN-{n}", account_id=account.id, shipped_on=work.today, carrier="DHL"
            )
            shipment.lines = [ShipmentLine(order_line_id=order.lines[0].id, qty=D(6))]
            work.session.add(shipment)
            work.session.add(
                Invoice(
                    no=f"INV-{n}", account_id=account.id, order_id=order.id, currency="EUR",
                    invoiced_on=work.today, due_on=work.today, total=D(100), open_amount=D(40),
                )
            )  # fmt: skip
            work.actor = buyer(account)
            case = actions.open_case(
                work, order.lines[0].id, kind=CaseKind.COMPLAINT,
                subject=f"SUBJECT-OF-{n}", text=f"TEXT-OF-{n}", affected_qty=D(2),
            )  # fmt: skip
            work.actor = SERVICE
            note = actions.note(work, case.id, "CANARY-NOTE")
            files.store(
                work, files_dir=app.extensions["supplies"]["files_dir"], name="CANARY-FILE.png",
                content=PNG, subject=queries.NOTE_FILES, subject_id=note.id,
                kind=FileKind.ATTACHMENT, account_id=account.id, order_id=order.id, internal=True,
            )  # fmt: skip
            quote = files.store(
                work, files_dir=app.extensions["supplies"]["files_dir"], name=f"QUOTE-OF-{n}.pdf",
                content=b"%PDF-1.7", subject="quote", subject_id=n, kind=FileKind.QUOTE,
                account_id=account.id,
            )  # fmt: skip
            found.sides.append(
                SimpleNamespace(
                    account=account, order=order.no, line=order.lines[0].id, case=case.no, id=case.id,
                    version=case.version, quote=quote.id, invoice=f"INV-{n}",
                )
            )  # fmt: skip
    found.mine, found.foreign = found.sides
    found.service = client_for(app, office, Role.SERVICE)
    found.customer = client_for(app, office, Role.BUYER, found.mine.account)
    return found


def case_of(office, no):
    with office.open(SERVICE, read_only=True) as work:
        case = queries.by_no(work, no)
        work.session.expunge_all()
        return case


class TestDeskList:
    def test_the_list_shows_cases_with_their_clocks(self, seeded):
        page = seeded.service.get("/service")
        assert page.status_code == 200
        assert seeded.mine.case in page.text
        assert "1 d" in page.text
        assert "first answer" in page.text

    @pytest.mark.parametrize("query", ["", "?show=mine", "?show=unassigned", "?show=waiting",
        "?show=overdue", "?show=solved", "?show=closed", "?q=SUBJECT", "?kind=complaint",
        "?sort=-account", "?page=99", "?sort=nonsense&show=nonsense&kind=nonsense"])  # fmt: skip
    def test_every_filter_is_a_page(self, seeded, query):
        assert seeded.service.get(f"/service{query}").status_code == 200

    def test_words_are_found_in_subject_order_and_customer(self, seeded):
        for words in ("of-1", seeded.mine.order.lower(), seeded.mine.account.name):
            page = seeded.service.get("/service", query_string={"q": words})
            assert seeded.mine.case in page.text
            assert seeded.foreign.case not in page.text

    def test_a_wildcard_is_a_plain_character(self, seeded):
        assert seeded.mine.case not in seeded.service.get("/service?q=%25").text

    @pytest.mark.parametrize("kind", ["csv", "xlsx"])
    def test_the_list_is_downloaded_with_its_filter(self, seeded, kind):
        answer = seeded.service.get(f"/service?q=SUBJECT-OF-1&format={kind}")
        assert f"cases.{kind}" in answer.headers["Content-Disposition"]
        if kind == "csv":
            assert "SUBJECT-OF-1" in answer.text
            assert "SUBJECT-OF-2" not in answer.text

    def test_an_empty_desk_is_a_page(self, app, office):
        page = client_for(app, office, Role.SERVICE).get("/service")
        assert "No case here" in page.text
        assert "median" not in page.text

    def test_taking_from_the_list(self, seeded, office):
        answer = seeded.service.send(f"/service/{seeded.mine.case}/take", version=seeded.mine.version)
        assert answer.status_code == 303
        assert case_of(office, seeded.mine.case).owner_id == seeded.service.user.id
        assert seeded.mine.case in seeded.service.get("/service?show=mine").text


class TestDeskCase:
    def test_the_page_shows_conversation_notes_clocks_and_delivery(self, seeded):
        page = seeded.service.get(f"/service/{seeded.mine.case}").text
        for text in ("SUBJECT-OF-1", "TEXT-OF-1", "CANARY-NOTE", "CANARY-FILE", "Internal",
                     "DN-1", "DHL", "Runs around the clock", seeded.mine.order):  # fmt: skip
            assert text in page

    def test_the_conversation_can_be_shown_without_notes(self, seeded):
        page = seeded.service.get(f"/service/{seeded.mine.case}?show=customer").text
        assert "TEXT-OF-1" in page
        assert "CANARY-NOTE" not in page

    def test_an_answer_with_a_file(self, seeded, office):
        url = f"/service/{seeded.mine.case}"
        answer = seeded.service.send(
            f"{url}/answer", version=seeded.mine.version, text="Hello", act="answer", files=upload()
        )
        assert answer.status_code == 303, answer.text
        page = seeded.service.get(url).text
        assert "Hello" in page
        assert "photo.png" in page
        assert case_of(office, seeded.mine.case).answered_at

    def test_the_same_form_sent_twice_is_one_answer(self, seeded):
        url = f"/service/{seeded.mine.case}"
        for _ in range(2):
            answer = seeded.service.send(
                f"{url}/answer", version=seeded.mine.version, text="ONCE-ONLY", request_key="k1"
            )
            assert answer.status_code == 303
        assert seeded.service.get(url).text.count("ONCE-ONLY") == 1

    def test_two_people_answer_and_the_second_keeps_what_he_typed(self, seeded, app, office):
        url = f"/service/{seeded.mine.case}/answer"
        other = client_for(app, office, Role.QUALITY)
        other.send(url, version=seeded.mine.version, text="First")
        answer = seeded.service.send(url, version=seeded.mine.version, text="MY-LONG-TEXT")
        assert answer.status_code == 409
        assert f"{other.user.name} changed this case at 09:40" in answer.text
        assert "MY-LONG-TEXT" in answer.text
        assert "First" in answer.text

    @pytest.mark.parametrize(
        ("files_", "sentence"),
        [
            (upload("setup.pdf", b"MZ\x90\0"), "is not a real PDF"),
            (upload("empty.png", b""), "This file is empty"),
            (upload("page.html", b"<b>"), "Files of this kind are not taken"),
            ([upload(f"{n}.png") for n in range(6)], "At most 5 files"),
        ],
    )
    def test_a_bad_file_stops_the_answer(self, seeded, office, files_, sentence):
        url = f"/service/{seeded.mine.case}/answer"
        answer = seeded.service.send(url, version=seeded.mine.version, text="MINE", files=files_)
        assert answer.status_code == 422
        assert sentence in answer.text
        assert "MINE" in answer.text  # still in the form
        with office.open(SERVICE, read_only=True) as work:
            assert len(queries.page(work, seeded.mine.case).entries) == 2

    def test_a_file_of_21_megabytes_stops_the_answer(self, seeded):
        head = "".join(
            f'--cut\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in (
                ("csrf_token", seeded.service.csrf_token()), ("text", "MINE"), ("version", "1"),
            )
        )  # fmt: skip
        head += '--cut\r\nContent-Disposition: form-data; name="files"; filename="big.png"\r\n\r\n'
        answer = seeded.service.post(
            f"/service/{seeded.mine.case}/answer",
            data=head.encode() + PNG + b"0" * 21_000_000 + b"\r\n--cut--\r\n",
            content_type="multipart/form-data; boundary=cut",
        )
        assert answer.status_code == 422
        assert "at most 20 MB" in answer.text
        assert "MINE" in answer.text

    @pytest.mark.parametrize("text", ["", "   ", "x" * 20_001])
    def test_a_bad_text_is_refused_at_its_field(self, seeded, text):
        answer = seeded.service.send(
            f"/service/{seeded.mine.case}/answer", version=seeded.mine.version, text=text
        )
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.text

    def test_ten_megabytes_of_text_are_refused(self, seeded, office):
        answer = seeded.service.send(
            f"/service/{seeded.mine.case}/note", version=1, text="x" * 10_000_000
        )
        assert answer.status_code == 413
        assert "too large" in answer.text
        with office.open(SERVICE, read_only=True) as work:
            assert work.session.scalar(sa.select(sa.func.count()).select_from(InternalNote)) == 2

    def test_a_whole_life_by_forms(self, seeded, office):
        url = f"/service/{seeded.mine.case}"

        def send(path, **fields):
            version = case_of(office, seeded.mine.case).version
            answer = seeded.service.send(f"{url}/{path}", version=version, **fields)
            assert answer.status_code == 303, answer.text
            page = seeded.service.get(url)
            assert page.status_code == 200
            return page.text

        assert "Waits for the customer" in send("answer", text="Which motor?", act="ask")
        assert "note" in send("note", text="note")
        assert "solved" in send("solve", solution="Align it.", cause="installation")
        assert "Installation or use" in seeded.service.get(url).text
        send("reopen")
        send("hand-over", owner_id=seeded.service.user.id)
        send("solve", solution="Now really.", cause="no_fault")
        assert "closed" in send("close")

    def test_solving_needs_both_a_solution_and_a_cause(self, seeded):
        answer = seeded.service.send(
            f"/service/{seeded.mine.case}/solve", version=seeded.mine.version, cause="magic"
        )
        assert answer.status_code == 422
        assert "This field is needed." in answer.text
        assert "This value is not possible." in answer.text

    def test_a_planner_reads_and_notes_but_does_not_serve(self, seeded, app, office):
        planner = client_for(app, office, Role.PLANNER)
        url = f"/service/{seeded.mine.case}"
        page = planner.get(url)
        assert page.status_code == 200
        assert "Solve…" not in page.text
        assert planner.send(f"{url}/note", version=1, text="A hint").status_code == 303
        assert planner.send(f"{url}/answer", version=1, text="x").status_code == 403

    @pytest.mark.parametrize("no", ["CS-26-9999", "x", "CS-26-0001'--"])
    def test_an_unknown_number_is_not_found(self, seeded, no):
        assert seeded.service.get(f"/service/{no}").status_code == 404

    def test_the_version_changes_with_each_act(self, seeded):
        url = f"/service/{seeded.mine.case}/version"
        before = seeded.service.get(url)
        same = seeded.service.get(url, headers={"If-None-Match": before.headers["ETag"]})
        assert same.status_code == 304
        seeded.service.send(f"/service/{seeded.mine.case}/note", version=1, text="n")
        assert seeded.service.get(url).text != before.text


class TestNewCaseByStaff:
    def test_from_a_search_to_an_open_case(self, seeded, office):
        found = seeded.service.get("/service/new", query_string={"q": seeded.mine.order}).text
        assert f"line={seeded.mine.line}" in found
        form = seeded.service.get(f"/service/new?line={seeded.mine.line}")
        assert "Affected pieces" in form.text
        answer = seeded.service.send(
            f"/service/new/{seeded.mine.line}", kind="return", subject="Wrong nipple",
            text="He called.", affected_qty="2", urgent="yes", files=upload(),
            contact_id=seeded.mine.account.contacts[0].id,
        )  # fmt: skip
        assert answer.status_code == 303, answer.text
        page = seeded.service.get(answer.location).text
        assert "Jonas Kessler" in page
        assert "photo.png" in page
        assert "Urgent" in page

    def test_a_wrong_quantity_comes_back_with_what_was_typed(self, seeded):
        answer = seeded.service.send(
            f"/service/new/{seeded.mine.line}", kind="return", subject="KEPT", text="t", affected_qty="7"
        )
        assert answer.status_code == 422
        assert "Only 6 of this line are delivered." in answer.text
        assert "KEPT" in answer.text

    @pytest.mark.parametrize("line", ["0", "999999", "-1", "x", "9" * 30])
    def test_a_line_that_is_not_there_is_no_form(self, seeded, line):
        assert seeded.service.get(f"/service/new?line={line}").status_code in {200, 404}


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
            seeded.customer.send(f"/portal/cases/new/{seeded.mine.line}", **fields) for _ in range(2)
        )
        assert first.location == second.location
        with office.open(SERVICE, read_only=True) as work:
            assert work.session.scalar(sa.select(sa.func.count()).select_from(Case)) == 3

    def test_he_writes_confirms_and_reopens(self, seeded, office):
        url, no = f"/portal/cases/{seeded.mine.case}", seeded.mine.case

        def solve():
            with office.open(SERVICE) as work:
                actions.solve(
                    work, seeded.mine.id, solution="SOLUTION", cause=CaseCause.ASSEMBLY, expected_version=None
                )  # fmt: skip

        solve()
        page = seeded.customer.get(url).text
        assert "SOLUTION" in page
        assert "Assembly" not in page
        assert seeded.customer.send(f"{url}/reopen", version=case_of(office, no).version).status_code == 303
        assert case_of(office, no).state == "open"
        solve()
        assert seeded.customer.send(f"{url}/message", text="Still loud", files=upload()).status_code == 303
        assert case_of(office, no).state == "open"
        solve()
        assert seeded.customer.send(f"{url}/confirm", version=case_of(office, no).version).status_code == 303
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
        for url in ("/portal/cases", "/portal/cases/new", "/portal/documents", "/portal/documents?kind=invoice"):
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
            f"/portal/cases/{seeded.mine.case}?show=internal", f"/portal/cases/new?line={seeded.mine.line}",
        ]  # fmt: skip
        for url in urls:
            answer = seeded.customer.get(url)
            assert answer.status_code == 200, url
            seen = answer.text + str(answer.headers)
            for canary in (*CANARIES, "OF-2", "INV-2", seeded.foreign.case, seeded.foreign.order):
                assert canary not in seen, url

    def test_an_internal_file_is_not_found_by_its_number(self, seeded, office):
        with office.open(SERVICE, read_only=True) as work:
            found = work.session.execute(
                sa.text("SELECT id FROM stored_file WHERE name = 'CANARY-FILE.png'")
            ).scalars().all()
        for file_id in found:
            assert seeded.customer.get(f"/portal/files/{file_id}", buffered=True).status_code == 404
            assert seeded.service.get(f"/files/{file_id}", buffered=True).status_code == 200

    def test_a_customer_does_not_know_the_staff_pages(self, seeded):
        for url in ("/service", f"/service/{seeded.mine.case}", f"/files/{seeded.mine.quote}", "/service/new"):
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


class TestStatements:
    @pytest.fixture
    def counted(self, engine):
        seen = []

        def note(_connection, _cursor, statement, *_rest):
            if "SAVEPOINT" not in statement:
                seen.append(statement)

        sa.event.listen(engine, "before_cursor_execute", note)
        yield seen
        sa.event.remove(engine, "before_cursor_execute", note)

    def test_pages_send_few_statements_however_many_rows_there_are(self, seeded, office, counted):
        def measure():
            sizes = {}
            for client, url in (
                (seeded.service, "/service"),
                (seeded.service, f"/service/{seeded.mine.case}"),
                (seeded.customer, "/portal/cases"),
                (seeded.customer, f"/portal/cases/{seeded.mine.case}"),
                (seeded.customer, "/portal/documents"),
            ):
                client.get(url)
                counted.clear()
                assert client.get(url).status_code == 200
                sizes[url] = len(counted)
            return sizes

        with office.open(SERVICE) as work:
            actions.answer(work, seeded.mine.id, "One", expected_version=None)
        few = measure()
        with office.open(SERVICE) as work:
            for _ in range(8):
                case = actions.open_case(
                    work, seeded.mine.line, kind=CaseKind.QUESTION, subject="s", text="t"
                )
                actions.answer(work, seeded.mine.id, "More", expected_version=None)
                actions.answer(work, case.id, "More", expected_version=None)
        many = measure()
        assert many == few
        assert max(many.values()) <= 12, many
