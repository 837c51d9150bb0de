"""Messages survive storage and are shown in the reader's manner."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from b2bcrm.kernel.words import Message, render, show_date, show_decimal

DAY = dt.date(2026, 12, 18)


@pytest.mark.parametrize(
    ("locale", "text"),
    [
        ("en", "Fri 18 Dec 2026"),
        ("zh_Hant", "2026年12月18日（五）"),
        ("zh_Hans", "2026年12月18日 周五"),
    ],
)
def test_a_date_is_written_as_its_reader_writes_it(locale, text):
    assert show_date(DAY, locale) == text


def test_a_message_comes_back_from_json_as_it_was():
    inner = Message("On hold")
    message = Message("a %(x)s %(d)s %(m)s", x=Decimal("1.50"), d=DAY, m=inner)
    assert Message.from_json(message.to_json()) == message
    assert str(message) == "a 1.5 Fri 18 Dec 2026 On hold"


def test_a_percent_sign_without_parameters_stands_for_itself():
    assert render(Message("82 %%"), "en") == "82 %"


def test_numbers_have_separators_and_no_idle_zeros():
    assert show_decimal(Decimal("1234567.5000")) == "1,234,567.5"
    assert show_decimal(Decimal(1200), 2) == "1,200.00"
