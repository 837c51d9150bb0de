"""Bytes of a reply to clean UTF-8, chunk by chunk."""

from __future__ import annotations

import io

import pytest

from connectors.erp.decoded import BadBytes, Decoded


def read(data, size=7, **how):
    stream = Decoded(io.BytesIO(data), **how)
    parts = []
    while part := stream.read(size):
        parts.append(part)
    return b"".join(parts).decode(), stream.bad


@pytest.mark.parametrize(
    ("data", "how"),
    [
        ("<?xml version='1.0'?><a>鼎新 é</a>".encode(), {}),
        ("\ufeff  <a>鼎新 é</a>".encode(), {}),
        ("<?xml version='1.0' encoding='big5'?><a>鼎新</a>".encode("big5"), {}),
        ("<a>鼎新</a>".encode("big5"), {"header": "Big5"}),
        ("<a>鼎新</a>".encode("gb18030"), {"header": "gb2312"}),
        ("<?xml version='1.0' encoding='utf-8'?><a>鼎新</a>".encode("gbk"), {"profiled": "gbk"}),
        ("<a>鼎新 é</a>".encode("utf-16"), {}),
        ("<a>鼎新 é</a>".encode(), {"header": "no-such-charset"}),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_every_charset_arrives_as_the_same_text(data, how, size):
    text, bad = read(data, size, **how)
    assert "<a>鼎新" in text
    assert not text.startswith(("\ufeff", " "))
    assert bad == 0


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
def test_signs_that_xml_forbids_are_dropped_and_counted(size):
    text, bad = read(b"<a>b\x0bc&#11;d&#x1F;e&#10;f&amp;#11;</a>", size)
    assert text == "<a>bcde&#10;f&amp;#11;</a>"
    assert bad == 3


def test_bytes_of_another_charset_make_the_reply_unusable_unless_the_profile_bears_them():
    data = "<a>鼎新</a>".encode("big5")
    with pytest.raises(BadBytes):
        read(data)
    text, bad = read(data, replace=True)
    assert text.startswith("<a>\ufffd")
    assert bad >= 2


def test_an_empty_reply_stays_empty():
    assert read(b"") == ("", 0)
