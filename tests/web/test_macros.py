"""The component macros: every one drawn once, in three languages, as well-formed HTML."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from tests.clients import client_for


@pytest.mark.db
@pytest.mark.parametrize("language", ["en", "zh-TW", "zh-CN"])
def test_the_catalogue_of_components_is_drawn(client, language):
    page = client.get("/demo/components", headers={"Accept-Language": language})
    assert page.status_code == 200
    tree = etree.fromstring(page.data, etree.HTMLParser())
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids)), "an id is used twice"
    labels = set(tree.xpath("//label/@for"))
    assert labels <= set(ids)
    described = {i for text in tree.xpath("//@aria-describedby") for i in text.split()}
    assert described <= set(ids)
    for name in ("lifeline", "lifeline sum", "lifeline mini", "peg", "floor", "kpis", "touches"):
        assert tree.xpath(f"//*[@class='{name}']"), name


def test_every_icon_in_use_is_named_in_the_style_sheet(app):
    names = set()
    for loader in [app.jinja_loader, *(bp.jinja_loader for bp in app.blueprints.values())]:
        for template in loader.list_templates() if loader else ():
            source = loader.get_source(app.jinja_env, template)[0]
            names |= set(re.findall(r"\bi-([a-z0-9-]+)", source))
            names |= set(re.findall(r'm\.icon\("([a-z0-9-]+)"\)', source))
    with app.open_resource("static/icons.css") as sheet:
        known = set(re.findall(r"\.i-([a-z0-9-]+) ", sheet.read().decode()))
    assert not names - known, f"add to icons.css: {sorted(names - known)}"


@pytest.mark.db
def test_the_frame_shows_only_links_to_pages_that_exist_and_are_ones_own(app, office):
    page = client_for(app, office).get("/profile").get_data(as_text=True)
    adapter = app.url_map.bind("localhost")
    nav = re.search(r'<nav class="appnav".*?</nav>', page, re.DOTALL)[0]
    found = re.findall(r'href="([^"]+)"', nav)
    assert found
    for href in found:
        assert adapter.test(href, "GET"), href


@pytest.mark.db
def test_a_field_shows_what_was_typed_and_ties_the_error_to_it(app):
    source = (
        '{% import "macros.html" as m %}'
        '{{ m.field(form, "qty", "Qty", hint="pieces", num=True, required=True) }}'
    )
    from b2bcrm.kernel.words import Message
    from b2bcrm.web.forms import Form

    form = Form(values={"qty": '"><b>'}, errors={"qty": Message("Whole pieces only.")})
    with app.test_request_context("/"):
        text = app.jinja_env.from_string(source).render(form=form)
    assert 'aria-invalid="true" aria-describedby="f-qty-e"' in text
    assert '<span class="error" id="f-qty-e">Whole pieces only.</span>' in text
    assert "<b>" not in text
