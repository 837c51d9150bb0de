"""The certificate of an ERP connection: on paper and as one page, in all languages."""

from __future__ import annotations

import datetime as dt
import io

import pytest
from pypdf import PdfReader

from b2bcrm.documents import certificates, pdf
from b2bcrm.documents.certificates import (
    ACT_WORDS,
    OUTCOME_WORDS,
    VERDICTS,
    CertificateContent,
    CheckRow,
    EntityRow,
    SpeedRow,
)
from b2bcrm.documents.contents import Firm
from b2bcrm.kernel.words import LOCALES, Message, render
from b2bcrm.ports.erp import Act


def content(language="en", result="failed"):
    return CertificateContent(
        firm=Firm(name="Formosa Precision Drives Co., Ltd."),
        language=language,
        at=dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC),
        connection="main",
        address="https://erp.example/soap?a=1&b=2",
        company="FPD-TW",
        user="crm",
        product="Formosa ERP",
        profile="twin",
        profile_version="1",
        profile_digest="a" * 64,
        wsdl_digest="b" * 64,
        result=result,
        prefix="CRM-CERT-X",
        checks=tuple(
            CheckRow(
                name=f"check-{outcome}",
                sentence=Message("Texts arrive undamaged."),
                outcome=outcome,
                evidence=Message("Kept: %(names)s", names="<&> 料號"),
            )
            for outcome in OUTCOME_WORDS
        ),
        entities=(
            EntityRow(
                name=Message("Customers"),
                acts=(ACT_WORDS[Act.LIST],),
                off=((ACT_WORDS[Act.GET], "not offered <by> its service"),),
                manner="delta=none",
            ),
        ),
        oddities=(Message("Texts come with blanks around them: %(names)s.", names="a.b (3)"),),
        speeds=(SpeedRow(name=Message("Customers"), rows=12000, seconds=0.0),),
        calls_per_second=12.5,
    )


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("result", VERDICTS)
def test_the_page_says_its_verdict_in_the_readers_language(language, result):
    html = certificates.certificate_html(content(language, result))
    assert render(VERDICTS[result], language) in html
    assert "packaged:" not in html
    assert "&lt;&amp;&gt; 料號" in html
    assert "not offered &lt;by&gt; its service" in html
    assert "2026-11-17 01:40 UTC" in html


@pytest.mark.parametrize("language", LOCALES)
def test_the_paper_has_every_check_and_room_to_sign(language):
    reader = PdfReader(io.BytesIO(certificates.certificate_pdf(content(language))))
    text = " ".join("".join(page.extract_text() for page in reader.pages).split())
    assert all(f"check-{outcome}" in text for outcome in OUTCOME_WORDS)
    assert "For the integrator" in text
    box = reader.pages[0].mediabox
    assert (round(box.width), round(box.height)) == (595, 842)
    context = {"content": content(language), "outcomes": OUTCOME_WORDS}
    assert pdf.missing_glyphs("certificate", language, context) == frozenset()


def test_every_act_of_the_port_has_a_word():
    assert set(ACT_WORDS) == set(Act)
