"""The service desk through real requests: list, case, a new case, and how many statements."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.actor import Role
from b2bcrm.orders.actions import LineQuantities, record_quantities
from b2bcrm.service import actions, queries
from b2bcrm.service.lifecycle import CaseKind
from b2bcrm.service.models import Case
from b2bcrm.threads.models import InternalNote
from tests.clients import client_for
from tests.service.conftest import PNG, SERVICE, D, case_of, upload

pytestmark = pytest.mark.db


class TestDeskList:
    def test_the_list_shows_cases_with_their_clocks(self, seeded):
        page = seeded.service.get("/service")
        assert page.status_code == 200
        assert seeded.mine.case in page.text
        assert "24 h" in page.text
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

    def test_the_list_names_three_serial_numbers_and_counts_the_others(self, seeded, office):
        with office.open(SERVICE) as work:
            case = work.session.scalars(sa.select(Case).where(Case.no == seeded.mine.case)).one()
            case.serial_nos = "S-1, S-2,S-3, S-4, S-5"
        page = seeded.service.get("/service?q=S-4").text
        assert "S-1, S-2, S-3 +2" in page

    def test_taking_from_the_list(self, seeded, office):
        answer = seeded.service.send(
            f"/service/{seeded.mine.case}/take", version=seeded.mine.version
        )
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
            f"/service/new/{seeded.mine.line}",
            kind="return",
            subject="KEPT",
            text="t",
            affected_qty="7",
        )
        assert answer.status_code == 422
        assert "Only 6 of this line are delivered." in answer.text
        assert "KEPT" in answer.text

    @pytest.mark.parametrize("line", ["0", "999999", "-1", "x", "9" * 30])
    def test_a_line_that_is_not_there_is_no_form(self, seeded, line):
        assert seeded.service.get(f"/service/new?line={line}").status_code in {200, 404}


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


def test_a_case_goes_on_though_the_erp_took_the_delivery_back(seeded, office):
    mine = seeded.mine
    with office.open() as work:
        gone = LineQuantities(order_line_id=mine.line, shipped_qty=D(0), delivered_qty=D(0))
        record_quantities(work, [gone])
    for client, url in (
        (seeded.service, f"/service/{mine.case}"),
        (seeded.service, "/service"),
        (seeded.customer, f"/portal/cases/{mine.case}"),
        (seeded.customer, f"/portal/orders/{mine.order}"),
    ):
        assert client.get(url).status_code == 200, url
    with office.open(SERVICE) as work:
        case = actions.take(work, mine.id, expected_version=None)
    assert case.no == mine.case
