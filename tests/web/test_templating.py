"""Templates are compiled once per language; what they print is escaped as Jinja would."""

from __future__ import annotations

from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup, escape

from b2bcrm.kernel.words import Message, render
from b2bcrm.web.templating import text

ASKED = {"en": "en", "zh_Hant": "zh-TW", "zh_Hans": "zh-CN"}
LINE, SHIPPED = "line %(line)s: %(qty)s", "%(qty)s of %(total)s shipped"


class Drawn:
    """Something that knows its own HTML."""

    def __html__(self) -> str:
        return "<svg/>"


@pytest.fixture
def shown(app):
    def show(source: str, locale: str = "en", **values: object) -> str:
        with app.test_request_context("/", headers={"Accept-Language": ASKED[locale]}):
            return app.jinja_env.from_string(source).render(**values)

    return show


@given(st.text())
def test_a_text_is_printed_so_that_it_reads_the_same_and_holds_no_markup(value):
    printed = text(value)
    assert unescape(printed) == unescape(str(escape(value)))
    assert not set(printed) & set("<>\"'")


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (Markup("<b>1</b>"), "<b>1</b>"),
        (Drawn(), "<svg/>"),
        (7, "7"),
        (None, "None"),
        (["<"], "[&#x27;&lt;&#x27;]"),
    ],
)
def test_html_is_printed_as_it_is_and_everything_else_escaped(shown, value, printed):
    assert text(value) == printed
    assert shown("{{ value }}", value=value) == printed


@pytest.mark.parametrize("locale", ASKED)
@pytest.mark.parametrize("sentence", [LINE, SHIPPED])
def test_a_sentence_reads_the_same_printed_at_once_and_handed_on(shown, locale, sentence):
    values = {"line": 10, "qty": "<4>", "total": Markup("<i>9</i>")}
    named = ", ".join(f"{name}={name}" for name in values if f"%({name})s" in sentence)
    at_once = shown(f'{{{{ _("{sentence}", {named}) }}}}', locale, **values)
    handed_on = shown(
        f'{{% set said = _("{sentence}", {named}) %}}{{{{ said }}}}', locale, **values
    )
    assert at_once == handed_on
    in_words = render(Message(sentence, line=10, qty="4", total="9"), locale)
    assert at_once == in_words.replace("4", "&lt;4&gt;").replace("9", "<i>9</i>")


@pytest.mark.parametrize("locale", ASKED)
def test_each_language_has_its_own_template_whoever_came_first(shown, locale):
    for first in ASKED:
        shown("{{ _('Orders') }}", first)
    assert shown("{{ _('Orders') }}", locale) == render(Message("Orders"), locale)


def test_a_sentence_that_is_chosen_when_the_page_is_made_is_translated_too(shown):
    source = "{% set word = 'Order' ~ 's' %}{{ _(word) }}|{{ _('Orders') if late else _('Late') }}"
    late = render(Message("Late"), "zh_Hant")
    assert shown(source, "zh_Hant", late=False) == f"{render(Message('Orders'), 'zh_Hant')}|{late}"


def test_a_percent_sign_that_is_doubled_for_its_places_is_one_on_the_page(shown):
    assert shown("{{ _('100%%') }}|{{ _('%(n)s%% of <all>', n=5) }}") == "100%|5% of <all>"
