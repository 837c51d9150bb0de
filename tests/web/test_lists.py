"""Lists in the URL, downloads, files, forms, live pages and the manner of values."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal

import marshmallow as ma
import pytest
from marshmallow import validate
from openpyxl import load_workbook

from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.timeline import bump
from b2bcrm.kernel.words import Message
from b2bcrm.web import access, filters
from b2bcrm.web.export import Column, export, safe_text
from b2bcrm.web.files import send_content
from b2bcrm.web.forms import WHOLE, read_form
from b2bcrm.web.live import version_response
from b2bcrm.web.paging import Listing, asked
from b2bcrm.web.work import in_work

D = Decimal
AT = dt.datetime(2026, 11, 17, 1, 38, tzinfo=dt.UTC)


# ------------------------------------------------------------------------------------------ lists


def _asked(app, query):
    with app.test_request_context(f"/orders?{query}"):
        return asked(sorts=("no", "promised"), default="-promised", filters=("q", "status"))


def test_the_url_says_page_order_and_filters(app):
    wish = _asked(app, "page=3&sort=no&status=late&q=SW-25&other=x")
    assert (wish.offset, wish.limit, wish.sort, wish.descending) == (100, 50, "no", False)
    assert dict(wish.filters) == {"status": "late", "q": "SW-25"}
    assert wish.url(page=4) == "/orders?q=SW-25&status=late&sort=no&page=4"
    assert wish.url(status=None) == "/orders?q=SW-25&sort=no"


@pytest.mark.parametrize(
    "query",
    [
        "page=0",
        "page=-1",
        "page=x",
        "page=²",
        "page=99999999999",
        "sort=drop",
        "sort=--no",
        "q=%00",
    ],
)
def test_a_bent_url_falls_back_to_the_default(app, query):
    wish = _asked(app, query)
    assert wish.url() == "/orders"
    assert wish.page == 1


def test_a_second_click_turns_the_order_around(app):
    assert _asked(app, "").sort_url("promised") == "/orders?sort=promised"
    assert _asked(app, "sort=promised").sort_url("promised") == "/orders"
    assert _asked(app, "").sort_url("no") == "/orders?sort=no"


def test_a_listing_knows_where_it_is(app):
    wish = _asked(app, "page=2&sort=no")
    listing = Listing(list(range(50)), 120, wish)
    assert (listing.first, listing.last, listing.pages) == (51, 100, 3)
    assert listing.next_url == "/orders?sort=no&page=3"
    assert listing.previous_url == "/orders?sort=no"
    empty = Listing([], 0, _asked(app, ""))
    assert (empty.first, empty.last, empty.pages, empty.next_url) == (0, 0, 1, "")


# --------------------------------------------------------------------------------------- downloads

COLUMNS = [
    Column(Message("Order"), lambda r: r[0]),
    Column(Message("Order value"), lambda r: r[1]),
    Column(Message("Date"), lambda r: r[2]),
    Column(Message("Status"), lambda r: r[3]),
]
ROWS = [
    ("=HYPERLINK(1)", Money(D("1234.50"), "EUR"), dt.date(2026, 12, 18), Message("Late")),
    ('啟業, "A"', D("0.5"), AT, None),
]


def _download(app, fmt, language="en"):
    with app.test_request_context("/", headers={"Accept-Language": language}):
        return export(ROWS, COLUMNS, fmt, "訂單").make()


def test_csv_has_a_mark_for_spreadsheets_and_no_formula(app):
    response = _download(app, "csv")
    text = response.get_data().decode("utf-8-sig")
    assert response.get_data().startswith(b"\xef\xbb\xbf")
    assert text.splitlines() == [
        "Order,Order value,Date,Status",
        "'=HYPERLINK(1),1234.50,2026-12-18,Late",
        '"啟業, ""A""",0.5,2026-11-17 09:38,',
    ]
    assert "filename*=UTF-8''%E8%A8%82%E5%96%AE.csv" in response.headers["Content-Disposition"]


def test_xlsx_keeps_numbers_and_dates_as_such(app):
    sheet = load_workbook(io.BytesIO(_download(app, "xlsx", "zh-TW").get_data())).active
    rows = list(sheet.values)
    assert rows[0] == ("訂單", "訂單金額", "日期", "狀態")
    assert rows[1] == ("'=HYPERLINK(1)", 1234.5, dt.datetime(2026, 12, 18), "延遲")  # noqa: DTZ001 - a cell has no zone
    assert rows[2][2] == dt.datetime(2026, 11, 17, 9, 38)  # noqa: DTZ001 - same


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1"])
def test_no_text_becomes_a_formula(text):
    assert safe_text(text).startswith("'")


def test_control_characters_do_not_break_a_download(app):
    assert safe_text("a\x00b\x0bc") == "abc"


def test_another_format_is_refused(app):
    with app.test_request_context("/"), pytest.raises(Invalid):
        export(ROWS, COLUMNS, "exe", "x")


# ------------------------------------------------------------------------------------------- files


def test_a_stored_page_is_downloaded_in_a_sandbox_never_shown(app):
    with app.test_request_context("/"):
        response = send_content(b"<script>", "a.html", "text/html", inline=True)
    assert response.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response.headers["Content-Security-Policy"]


def test_a_files_name_cannot_bend_the_header(app):
    with app.test_request_context("/"):
        response = send_content(b"x", 'a"\r\nX: y/圖.pdf', "application/pdf", inline=True)
    header = response.headers["Content-Disposition"]
    assert header.startswith('inline; filename="a___X_ y__.pdf"')
    assert "\n" not in header


# ------------------------------------------------------------------------------------------- forms


class LineForm(ma.Schema):
    qty = ma.fields.Integer(required=True, validate=validate.Range(min=1, max=9))
    note = ma.fields.String(validate=validate.Length(max=5))


class OrderForm(ma.Schema):
    po = ma.fields.String(required=True)
    on = ma.fields.Date()
    lines = ma.fields.List(ma.fields.Nested(LineForm), validate=validate.Length(min=1))

    @ma.validates_schema
    def _never(self, data, **_kwargs):
        if data.get("po") == "bad":
            raise ma.ValidationError([Message("This value is not possible.")])


def _form(app, **fields):
    with app.test_request_context("/", method="POST", data=fields):
        return read_form(OrderForm())


def test_numbered_fields_become_rows(app):
    form = _form(
        app,
        po=" 4500 ",
        on="2026-12-18",
        **{"lines-0-qty": "3", "lines-7-qty": "4", "lines-7-note": ""},
    )
    assert form.ok
    assert form.data == {
        "po": "4500",
        "on": dt.date(2026, 12, 18),
        "lines": [{"qty": 3}, {"qty": 4}],
    }


def test_each_field_gets_one_sentence(app):
    form = _form(
        app,
        on="18.12.",
        **{
            "lines-0-qty": "0",
            "lines-1-qty": "many",
            "lines-2-qty": "2",
            "lines-2-note": "too long",
        },
    )
    assert {name: str(text) for name, text in form.errors.items()} == {
        "po": "This field is needed.",
        "on": "This is not a date.",
        "lines.0.qty": "At least 1.",
        "lines.1.qty": "This is not a whole number.",
        "lines.2.note": "At most 5 characters.",
    }
    assert form.values["on"] == "18.12."


def test_a_rule_over_several_fields_stands_above_the_form(app):
    form = _form(app, po="bad")
    assert form.errors == {WHOLE: Message("This value is not possible.")}


def test_an_actions_complaint_lands_at_its_field(app):
    form = _form(app, po="4500")
    with form.catching():
        raise Invalid(Message("x"), fields={"po": Message("Whole pieces only.")})
    assert not form.ok
    assert form.errors["po"] == Message("Whole pieces only.")
    with pytest.raises(Invalid):
        form.raise_if_wrong()


# -------------------------------------------------------------------------------------- live pages


@pytest.mark.db
def test_a_live_page_is_told_only_of_changes(app, client, office, monkeypatch):
    @in_work(read_only=True)
    def version(work):
        return version_response(work, "order:7", "erp")

    monkeypatch.setitem(access.ACCESS, "version", access.ANYONE)
    app.add_url_rule("/version", "version", version)
    first = client.get("/version")
    assert (first.status_code, first.data) == (200, b"0")
    unchanged = client.get("/version", headers={"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    with office.open() as work:
        bump(work.session, "order:7")
        bump(work.session, "order:8")
    changed = client.get("/version", headers={"If-None-Match": first.headers["ETag"]})
    assert (changed.status_code, changed.data) == (200, b"1")


# ------------------------------------------------------------------------------- manner of values


@pytest.fixture
def shown(app):
    def show(source, language="en", **values):
        with app.test_request_context("/", headers={"Accept-Language": language}):
            return app.jinja_env.from_string(source).render(**values)

    return show


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Fri 18 Dec 2026;82 %;TWD 48.6 M;3 wd;5 h 30 min"),
        ("zh-TW", "2026年12月18日（五）;82 %;TWD 4,860 萬;3 工作天;5 小時 30 分"),
        ("zh-CN", "2026年12月18日 周五;82%;TWD 4,860 万;3 个工作日;5 小时 30 分钟"),
    ],
)
def test_values_follow_the_reader(shown, language, expected):
    source = "{{ d|date }};{{ 82|pct }};{{ m|compact }};{{ 3|wd }};{{ 19800|span }}"
    text = shown(source, language, d=dt.date(2026, 12, 18), m=Money(D(48_600_000), "TWD"))
    assert text == expected


def test_money_has_its_code_in_front_and_the_currencys_decimals(shown):
    source = "{{ a|money|striptags }} {{ b|money|striptags }} {{ a|amount }} {{ none|money }}"
    values = {"a": Money(D(185300), "EUR"), "b": Money(D(2184000), "TWD")}
    assert shown(source, **values) == "EUR 185,300.00 TWD 2,184,000 185,300.00 –"


def test_prices_and_quantities_keep_what_they_have(shown):
    source = "{{ p|price }} {{ q|price }} {{ x|qty }} {{ y|qty('pcs') }} {{ none|qty }}"
    values = {"p": D("0.003450"), "q": D(612), "x": D("12.5000"), "y": D(60)}
    assert shown(source, **values) == "0.00345 612.00 12.5 60 pcs –"


def test_instants_are_shown_in_the_home_zone(shown):
    source = "{{ at|clock }} {{ at|moment }} {{ at|age(later) }} {{ none|moment }}"
    later = AT + dt.timedelta(minutes=2)
    text = shown(source, at=AT, later=later)
    assert text == "09:38 17 Nov 09:38 as of 17 Nov 09:38, 2 min old –"


def test_a_message_is_said_in_the_readers_language(shown):
    message = Message("At most %(n)s characters.", n=5)
    assert shown("{{ m|say }}", "zh-CN", m=message) == "最多 5 个字符。"


def test_names_have_initials_in_any_script():
    names = ["Mei-Ling Lin", "陳建宏", "Bo", "", "  "]
    assert [filters.initials(name) for name in names] == ["ML", "陳", "B", "?", "?"]


def test_sizes_and_shares():
    assert [filters.size(n) for n in (1, 840_000, 1_200_000)] == ["1 kB", "840 kB", "1.2 MB"]
    assert [filters.percent_of(*p) for p in ((1, 4), (5, 4), (1, 0))] == [
        "25.00%",
        "100.00%",
        "0.00%",
    ]
