"""Papers: text, pages, glyphs and bytes of the PDFs, in all languages."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
from decimal import Decimal
from pathlib import Path

import pytest
from pypdf import PdfReader

from b2bcrm.documents import contents, pdf
from b2bcrm.documents.contents import (
    Customer,
    Firm,
    Line,
    OrderContent,
    QuoteContent,
    Step,
    Terms,
    from_json,
    to_json,
)
from b2bcrm.documents.environment import environment
from b2bcrm.kernel.words import LOCALES

D = Decimal

GOLDEN = Path(__file__).parent / "golden"
STEPS = tuple(Step(min_qty=D(q), price=D(p)) for q, p in ((1, 42500), (10, 38600), (25, 36200)))
NAMES = {
    "en": ("Planetary gearbox 115 mm, i = 5", "", "Chi-Yeh Machine Tools Co., Ltd."),
    "zh_Hant": (
        "行星減速機 115 mm，減速比 5，背隙 ≤ 3′",
        "Planetary gearbox 115 mm, i = 5",
        "啟業工具機股份有限公司",
    ),
    "zh_Hans": (
        "行星减速机 115 mm，减速比 5，背隙 ≤ 3′",
        "Planetary gearbox 115 mm, i = 5",
        "苏州启业机床有限公司，绞链锈报单",
    ),
}
FIRMS = {
    "en": "Formosa Precision Drives Co., Ltd.",
    "zh_Hant": "福爾摩沙精密傳動股份有限公司",
    "zh_Hans": "福尔摩沙精密传动股份有限公司",
}


def quote_content(locale: str, lines: int = 3) -> QuoteContent:
    name, second, customer = NAMES[locale]
    return QuoteContent(
        no="Q-26-2187",
        revision="A",
        language=locale,
        issued_on=dt.date(2026, 11, 10),
        valid_until=dt.date(2026, 12, 10),
        held_until=dt.date(2026, 11, 20),
        inquiry_no="IN-26-0342",
        inquired_on=dt.date(2026, 11, 3),
        currency="TWD",
        firm=Firm(
            name=FIRMS[locale],
            name_second="" if locale == "en" else FIRMS["en"],
            address="No. 88, Gongyequ 27th Rd., Taichung",
            email="sales@formosa.example",
        ),
        customer=Customer(name=customer, address="台中市大雅區", contact="陳建宏"),
        clerk="林美玲",
        lines=tuple(
            Line(
                line_no=10 * (n + 1),
                item_no="PG-115-05-S1",
                name=name,
                name_second=second,
                customer_part_no="CY-99" if n == 1 else "",
                qty=D(12),
                unit="pcs",
                unit_price=D(38600),
                discount_pct=D("2.5") if n == 2 else D(0),
                net=D(451620) if n == 2 else D(463200),
                ready_on=dt.date(2027, 1, 15),
                steps=STEPS,
            )
            for n in range(lines)
        ),
        terms=Terms(incoterm="DAP", incoterm_place="Daya", payment="60 days net", note="謝謝"),
        total=D(1378020),
    )


def order_content(locale: str) -> OrderContent:
    quote = quote_content(locale)
    return OrderContent(
        no="SO-26-10482",
        language=locale,
        issued_on=dt.date(2026, 11, 17),
        ordered_on=dt.date(2026, 11, 17),
        quote_no=quote.label,
        customer_po="PO-115-77",
        currency="TWD",
        firm=quote.firm,
        customer=quote.customer,
        lines=quote.lines,
        terms=quote.terms,
        total=quote.total,
    )


def context(template: str, locale: str) -> dict:
    if template == "quote":
        return {"content": quote_content(locale), "seal": "ab" * 32}
    return {"content": order_content(locale)}


def text_of(content: bytes) -> tuple[int, str]:
    pages = PdfReader(io.BytesIO(content)).pages
    text = "\n".join(page.extract_text() for page in pages)
    return len(pages), "\n".join(line.strip() for line in text.splitlines() if line.strip())


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", ["quote", "order"])
def test_a_paper_says_what_it_should_in_every_language(template, locale):
    made = pdf._document(pdf.render_html(template, locale, context(template, locale)))
    pages, text = text_of(made.write_pdf())
    assert pages <= 2
    boxes = {chr(point) for font in made.fonts.values() for point in font.missing}
    assert boxes == set()  # characters without a glyph, which the text would not show
    facts = context(template, locale)["content"]
    for expected in (facts.no, "PG-115-05-S1", "38,600", "1,378,020", "CY-99", NAMES[locale][2]):
        assert expected in text, expected


@pytest.mark.slow
def test_equal_contents_give_equal_bytes():
    first, second = (pdf.render_pdf("quote", "en", context("quote", "en")) for _ in range(2))
    assert first == second


@pytest.mark.slow
def test_the_english_quote_reads_as_agreed():
    _pages, text = text_of(pdf.render_pdf("quote", "en", context("quote", "en")))
    golden = GOLDEN / "quote_en.txt"
    assert text == golden.read_text(encoding="utf-8").strip()


@pytest.mark.slow
@pytest.mark.parametrize("locale", LOCALES)
def test_a_quote_of_three_full_lines_fits_on_one_page(locale):
    content = quote_content(locale, lines=3)
    lines = tuple(
        dataclasses.replace(line, spec="IP65, backlash ≤ 3′", customer_part_no="CY-99")
        for line in content.lines
    )
    customer = dataclasses.replace(
        content.customer, tax_id="12345675", contact_role="Purchasing", ship_to="S1 · Taichung"
    )
    full = dataclasses.replace(content, lines=lines, customer=customer)
    pages, _text = text_of(pdf.render_pdf("quote", locale, {"content": full, "seal": "ab" * 32}))
    assert pages == 1


@pytest.mark.parametrize("locale", ["zh_Hant", "zh_Hans"])
def test_the_english_half_of_a_chinese_quote_names_us_in_english(locale):
    html = pdf.render_html("quote", locale, context("quote", locale))
    assert f"For {FIRMS['en']}" in html
    assert f"For {FIRMS[locale]}" not in html


def test_units_are_words_of_the_documents_language():
    qty = environment("zh_Hant").filters["qty"]
    assert (qty(D(12), "PCS"), qty(D(2), "DAY"), qty(D(3), "ROLL")) == ("12 件", "2 天", "3 ROLL")


@pytest.mark.slow
def test_a_long_quote_repeats_its_head_and_counts_its_pages():
    long = {"content": quote_content("zh_Hant", lines=16), "seal": ""}
    pages, text = text_of(pdf.render_pdf("quote", "zh_Hant", long))
    assert pages > 2
    assert f"{pages} / {pages}" in text
    assert text.count("Q-26-2187 A") == pages


@pytest.mark.slow
@pytest.mark.parametrize(
    "address", ["https://example.org/x.png", "file:///etc/hostname", "packaged:missing.png"]
)
def test_a_paper_that_wants_anything_else_is_not_made(address):
    with pytest.raises(BaseException, match="Error fetching"):
        pdf._document(f'<p>x</p><img src="{address}">')


@pytest.mark.parametrize("make", [quote_content, order_content])
def test_a_content_survives_json_and_equal_ones_have_equal_digests(make):
    content = make("zh_Hant")
    data = to_json(content)
    assert from_json(type(content), data) == content
    assert contents.digest_of(data) == contents.digest_of(to_json(from_json(type(content), data)))


def test_equal_numbers_are_written_alike():
    assert [contents.plain_number(D(x)) for x in ("120.0000", "120", "0.50", "0.000", "1E+2")] == [
        "120",
        "120",
        "0.5",
        "0",
        "100",
    ]


@pytest.mark.slow
def test_a_character_that_no_font_has_is_found():
    strange = quote_content("en")
    with_box = dataclasses.replace(strange, clerk="\U0010fffd")
    assert pdf.missing_glyphs("quote", "en", {"content": with_box, "seal": ""}) == {"\U0010fffd"}
