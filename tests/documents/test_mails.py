"""Mails from templates: complete, escaped, in all languages."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from b2bcrm.documents.mails import compose
from b2bcrm.kernel.words import LOCALES, Message
from tests.documents.test_papers import order_content, quote_content


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", ["quote_sent", "order_confirmed"])
def test_a_mail_names_its_document_in_subject_text_and_html(template, locale):
    content = quote_content(locale) if template == "quote_sent" else order_content(locale)
    mail = compose(
        template, locale, to=["a@b.example"], message_id="m1", content=content, url="https://crm/x"
    )
    assert content.label in mail.subject
    assert "\n" not in mail.subject
    for body in (mail.text, mail.html):
        assert content.label in body
        assert "https://crm/x" in body
        assert "TWD 1,378,020" in body
    assert f'lang="{locale.replace("_", "-")}"' in mail.html


def test_what_a_customer_typed_is_escaped_in_html():
    mail = compose(
        "note_to_owner",
        "en",
        to=["a@b.example"],
        message_id="m1",
        headline=Message("Inquiry %(no)s received", no="IN-1"),
        facts=((Message("Customer"), "<script>"),),
        text="<img src=x>",
        url="https://crm/x",
    )
    assert "<script>" not in mail.html
    assert "<img" not in mail.html
    assert "<script>" in mail.text


def test_a_forgotten_value_is_an_error_not_a_gap():
    with pytest.raises(UndefinedError):
        compose("note_to_owner", "en", to=["a@b.example"], message_id="m1")
