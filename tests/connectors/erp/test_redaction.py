"""What the exchange log keeps: never a masked value, in whatever dress it comes."""

from __future__ import annotations

import json

import pytest

from connectors.erp.exchange import Redactor

MASK = Redactor(["Price", "password", "oeb13"], 's3c<"ret')


def text_of(kept):
    return MASK(kept.encode()).decode()


@pytest.mark.parametrize(
    "kept",
    [
        "<a:Price>77.5</a:Price>",
        '<Price currency="EUR">77.5</Price>',
        "<Price><![CDATA[77.5 < 80]]></Price>",
        '<Login user="crm" password="77.5"/>',
        "<Login password = '77.5'/>",
        '<Field name="oeb13" value="77.5"/>',
        '<FLD NAME="oeb13">77.5</FLD>',
        "<s>&lt;Price&gt;77.5&lt;/Price&gt;</s>",
        "<s>&lt;Field name=&quot;oeb13&quot; value=&quot;77.5&quot;/&gt;</s>",
        '<s>&lt;Field name="oeb13" value="77.5"/&gt;</s>',
        '<s>&lt;Login password="77.5"/&gt;</s>',
        '<s>{"Price": "77.5", "qty": 3}</s>',
        '<s>{"Price": 77.5, "qty": 3}</s>',
        "<s>{&quot;Price&quot;:77.5}</s>",
    ],
)
def test_a_masked_value_is_gone_in_every_dress(kept):
    assert "77.5" not in text_of(kept)
    assert "***" in text_of(kept)


def test_everything_else_stays():
    kept = '<Item>Price list 77.5</Item><Field name="oeb12" value="500"/>&lt;Qty&gt;3&lt;/Qty&gt;'
    assert text_of(kept) == kept
    assert "<Qty>3</Qty>" in text_of("<Price>1</Price><Qty>3</Qty>")
    assert "&lt;Qty&gt;3" in text_of("&lt;Price&gt;1&lt;/Price&gt;&lt;Qty&gt;3&lt;/Qty&gt;")
    assert '"qty": 3' in text_of('{"Price": 1, "qty": 3}')


def test_an_empty_masked_element_does_not_swallow_its_neighbour():
    assert text_of("<Price/><Qty>3</Qty>") == "<Price/><Qty>3</Qty>"
    assert text_of("<Price></Price><Qty>3</Qty>") == "<Price></Price><Qty>3</Qty>"


@pytest.mark.parametrize(
    "dress",
    [
        's3c<"ret',
        's3c&lt;"ret',
        "s3c&lt;&quot;ret",
        's3c&amp;lt;"ret',
        json.dumps('s3c<"ret')[1:-1],
    ],
)
def test_the_secret_is_gone_though_nobody_named_its_element(dress):
    kept = text_of(f"<pwd>{dress}</pwd>")
    assert "ret" not in kept


def test_a_wide_encoding_is_not_kept_at_all():
    assert b"77.5" not in MASK("<Price>77.5</Price>".encode("utf-16"))
