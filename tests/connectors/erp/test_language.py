"""The language's corners: what the documentation says, pages of all styles, encoded answers."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import io
import re
import tomllib
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from lxml import etree

from b2bcrm.ports.erp import Connection, Record
from connectors.erp import paths
from connectors.erp.decoded import Decoded
from connectors.erp.judging import IssueAt, Rule, Rules, Verdict
from connectors.erp.listing import asked, page_of
from connectors.erp.profile import PROFILE_DIR, compile_profile, load
from connectors.erp.profile.model import Call, Paged, PageStyle
from connectors.erp.profile.plans import Planner
from connectors.erp.profile.table import Table
from connectors.erp.replies import ReplyBroken, Wanted, read_document, read_envelope
from connectors.erp.requesting import build
from connectors.erp.shapes import OPEN, SampleShape
from connectors.erp.transforms import Formats

from .test_bad_answers import DRAFT

DOC = Path(__file__).resolve().parents[3] / "docs" / "profile-language.md"
FORMATS = Formats(ZoneInfo("UTC"))


def test_the_documentations_example_compiles_and_says_what_it_says():
    (block,) = re.findall(r"```toml\n(.*?)```", DOC.read_text(encoding="utf-8"), re.DOTALL)
    data = tomllib.loads((PROFILE_DIR / "twin.toml").read_text(encoding="utf-8"))
    data = copy.deepcopy(data)
    written = {target for target, _ in tomllib.loads(block)["set"]}
    rest = [pair for pair in data["draft"]["set"] if pair[0] not in written]
    data["draft"]["set"] = tomllib.loads(block)["set"] + rest
    profile = compile_profile(data)
    tree = build(profile.calls["create"].settings, {**vars(DRAFT), "conn.company": "FPD"})
    sent = tree.arguments()["Draft"]
    assert sent["Customer"] == "SO-26-10482/0-C001"
    assert sent["CustomerPo"] == "PO PO-7"
    assert sent["Site"] == "FPD"
    assert sent["Lines"]["Line"][0]["Qty"] == "10.000"


def test_the_documentation_names_every_transform_and_class_and_style():
    text = DOC.read_text(encoding="utf-8")
    from connectors.erp import outgoing, transforms

    words = {*transforms._MAKERS, *transforms._NOT_STEPS, *outgoing._STEPS}
    words |= {v.value for v in Verdict} | {s.value for s in PageStyle}
    assert {w for w in words if not re.search(rf"`[^`]*\b{w}\b", text)} == set()


SHIPPED = {path.stem: path.read_text(encoding="utf-8") for path in PROFILE_DIR.glob("*.toml")}


@pytest.mark.parametrize("name", sorted(n for n, text in SHIPPED.items() if '"site:' not in text))
def test_every_shipped_profile_loads_and_gives_a_reason_for_what_it_lacks(name):
    profile = load(name)
    for capability in profile.capabilities.values():
        assert all(len(reason) > 10 for reason in capability.off.values())
    assert profile.contract_checks > 0


# ------------------------------------------------------------------------------------------ pages


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row(Record):
    """A row of nothing but its key."""


def listed(paged, names, *, cursor=None, size=2, head=""):
    sample = etree.fromstring("<R><N/><M/><T/><Row><Id/></Row></R>")
    plan = Planner(FORMATS, None).plan(
        Row, Table({"erp_id": "Id"}, "f"), SampleShape([sample.find("Row")])
    )
    call = Call("list x", "main", "X", "R", (), (Wanted(paths.parse("Row"), plan),), paged=paged)
    rows = "".join(f"<Row><Id>{n}</Id></Row>" for n in names)
    reply = read_document(f"<R>{head}{rows}</R>", "R", call.wanted, mark=paged.mark)
    return page_of(call, reply, FORMATS, cursor=cursor, page_size=size, server_time=None)


def path(text):
    return paths.parse(text)


def test_an_offset_counts_what_was_read_not_what_was_asked_for():
    paged = Paged(PageStyle.OFFSET)
    page = listed(paged, "ab", cursor="4", size=500)
    assert page.next_cursor == "6"
    assert listed(paged, "", cursor="6").next_cursor is None
    assert listed(Paged(PageStyle.OFFSET, ends_short=True), "a", cursor="4").next_cursor is None
    total = Paged(PageStyle.OFFSET, total=path("T"))
    assert listed(total, "ab", cursor="4", head="<T>6</T>").next_cursor is None
    assert listed(total, "ab", cursor="4", head="<T>7</T>").next_cursor == "6"


def test_pages_are_counted_from_one_until_one_is_empty():
    paged = Paged(PageStyle.PAGE, start=1)
    call = Call("list x", "main", "X", "R", (), paged=paged)
    assert asked(call, None, 500)["cursor"] == "1"
    assert listed(paged, "a").next_cursor == "2"
    assert listed(paged, "", cursor="2").next_cursor is None


def test_a_bookmark_is_the_last_rows_key_and_must_move():
    paged = Paged(PageStyle.BOOKMARK, mark=path("Id"))
    assert listed(paged, "ab").next_cursor == "b"
    still = listed(paged, "ab", cursor="b")
    assert (still.next_cursor, still.complete) == (None, False)
    assert "does not advance" in still.drift[0].reason


def test_a_key_that_comes_again_is_dropped():
    paged = Paged(PageStyle.KEY_RESTART, mark=path("Id"), inclusive=True)
    page = listed(paged, "bc", cursor="b")
    assert [row.erp_id for row in page.records] == ["c"]
    assert page.next_cursor == "c"
    assert listed(paged, "c", cursor="c").next_cursor is None


def test_a_search_is_asked_for_its_pages_by_number():
    paged = Paged(PageStyle.SEARCH_ID, start=1, next=path("N"))
    page = listed(paged, "ab", head="<N>s-1</N>")
    assert page.next_cursor == "s-1|2"
    call = Call("list x", "main", "X", "R", (), paged=paged)
    more = asked(call, "s-1|2", 500)
    assert (more["search_id"], more["cursor"]) == ("s-1", "2")
    assert listed(paged, "", cursor="s-1|2", head="<N>s-1</N>").next_cursor is None


def test_more_and_counts_are_believed_only_when_they_fit():
    paged = Paged(PageStyle.BOOKMARK, mark=path("Id"), more=path("M"), announced=path("N"))
    assert listed(paged, "ab", head="<M>false</M><N>2</N>").next_cursor is None
    page = listed(paged, "ab", head="<M>true</M><N>3</N>")
    assert (page.complete, page.announced) == (False, 3)


# ------------------------------------------------------------------------ encoded, JSON, one string


ENC = 'xmlns:e="http://schemas.xmlsoap.org/soap/encoding/"'


def encoded(body, rows="list/item"):
    plan = Planner(FORMATS, None).plan(Row, Table({"erp_id": "id"}, "f"), OPEN_ROW)
    text = f'<s:Envelope xmlns:s="x" {ENC}><s:Body>{body}</s:Body></s:Envelope>'
    stream = Decoded(io.BytesIO(text.encode()))
    return read_envelope(stream, "", (Wanted(paths.parse(rows), plan),), keep=True).reply


OPEN_ROW = SampleShape([etree.fromstring("<item><id/></item>")])


def test_references_are_put_where_they_are_meant():
    reply = encoded(
        '<r><list href="#1"/></r><m id="1"><item href="#2"/><item href="#2"/></m>'
        '<m id="2"><id href="#3"/></m><m id="3">7</m>'
    )
    assert [row.erp_id for row in reply.rows[0]] == ["7", "7"]


@pytest.mark.parametrize(
    "body",
    [
        '<r><list href="#9"/></r><m id="1"/>',
        '<r><list href="#1"/></r><m id="1"><item href="#1"/></m>',
    ],
)
def test_a_reference_into_nothing_or_into_itself_is_no_answer(body, monkeypatch):
    monkeypatch.setattr("connectors.erp.replies.MOST_ELEMENTS", 1000)
    with pytest.raises(ReplyBroken):
        encoded(body)


def test_an_encoded_array_says_how_many_rows_it_has():
    body = '<r><list e:arrayType=":[{}]"><item><id>1</id></item><item><id>2</id></item></list></r>'
    assert encoded(body.format(2)).announced == 2
    assert encoded(body.format(3)).announced == 3
    assert len(encoded(body.format(3)).rows[0]) == 2


def test_json_is_read_by_the_same_paths_with_its_digits():
    plan = Planner(FORMATS, None).plan(Row, Table({"erp_id": "id"}, "f"), OPEN_ROW)
    wanted = (Wanted(paths.parse("list"), plan),)
    text = '{"list": [{"id": "007"}, {"id": 1.10}, {"id": null}], "ok": true}'
    reply = read_document(text, "", wanted, style="json")
    assert [row.erp_id for row in reply.rows[0]] == ["007", "1.10"]
    assert reply.drift[0].path == "list.erp_id"
    with pytest.raises(ReplyBroken):
        read_document("{", "", wanted, style="json")


def test_json_leaves_with_numbers_as_they_are():
    settings = load("twin").calls["create"].settings
    text = build(settings, vars(DRAFT)).json()
    assert '"UnitPrice": 0.345000' in text
    assert '"Item": "007"' in text
    assert '"Line": [{' in text


# ------------------------------------------------------------------------------------------ judging


def test_the_first_rule_that_matches_decides_and_each_message_is_an_issue():
    rules = Rules(
        (
            Rule(Verdict.OK, path=path("S/@code"), among=("0",), operations=frozenset({"ask"})),
            Rule(
                Verdict.REJECTED,
                each=path("RETURN/item"),
                path=path("TYPE"),
                among=("E", "A"),
                issue=IssueAt(path("NUMBER"), path("MESSAGE"), path("FIELD"), path("ROW")),
            ),
            Rule(Verdict.UNKNOWN, path=path("S/@code"), absent=True),
        )
    )
    bad = etree.fromstring(
        "<r><S code='0'/><RETURN><item><TYPE>W</TYPE></item><item><TYPE>E</TYPE><NUMBER>1</NUMBER>"
        "<MESSAGE>no</MESSAGE><FIELD>qty</FIELD><ROW>2</ROW></item><item><TYPE>A</TYPE>"
        "<MESSAGE>ORA-00060 deadlock, SELECT a FROM b</MESSAGE><ROW>0</ROW></item></RETURN></r>"
    )
    assert rules.of_answer("ask", bad, None).verdict is Verdict.OK
    judged = rules.of_answer("write", bad, None)
    assert judged.verdict is Verdict.REJECTED
    first, second = judged.issues
    assert (first.code, first.text, first.field, first.line_no) == ("1", "no", "qty", 2)
    assert (second.text, second.line_no) == ("", None)
    assert "ORA-00060" in second.code
    assert (
        rules.of_answer("write", etree.fromstring("<r><S/></r>"), None).verdict is Verdict.UNKNOWN
    )


def test_open_shapes_take_any_name():
    assert OPEN.picked("a", "b") is OPEN


def test_times_by_format_and_by_seconds():
    from connectors.erp.transforms import converter

    formats = Formats(ZoneInfo("Asia/Taipei"), date="%Y/%m/%d", datetime="%Y/%m/%d %H:%M")
    assert converter("date", "", formats)("2026/11/17") == dt.date(2026, 11, 17)
    at = converter("datetime", "", formats)("2026/11/17 09:40")
    assert at == dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)
    assert converter("unix_date", "", formats)("1798066800") == dt.date(2026, 12, 24)
    assert converter("strip_zeros", "", formats)("000") == "0"
    assert converter("pad", "10", formats)("4711") == "0000004711"
    assert Decimal(1) == converter("decimal", "", formats)("1")


def test_a_company_with_blanks_fits_into_an_address():
    connection = Connection("main", "dynamics-nav", "http://erp.test/", "Krämer & Co", "u", "s")
    address = load("dynamics-nav").services["item"].address(connection)
    assert address == "http://erp.test/WS/Kr%C3%A4mer%20%26%20Co/Page/Item"
