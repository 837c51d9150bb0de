"""Saved views of the board: one's own and those shared, and nobody else's."""

from __future__ import annotations

import pytest

from b2bcrm.kernel.actor import Role
from tests.clients import client_for, make_app

pytestmark = pytest.mark.db
URL = "/fulfillment/views"


@pytest.fixture
def app(office, tmp_path):
    return make_app(office, tmp_path)


def test_a_view_keeps_filters_and_order_and_is_opened_by_its_name(app, office):
    client = client_for(app, office, Role.ENGINEER)
    query = "cause=material&sort=-value&weeks=26&evil=1&panel=what-if"
    page = client.get(f"/fulfillment?{query}").text
    assert 'value="weeks=26&amp;cause=material&amp;sort=-value"' in page
    done = client.send(URL, name="Dear material", query=query)
    assert done.location == "/fulfillment?cause=material&sort=-value&weeks=26"
    page = client.get("/fulfillment").text
    assert 'href="/fulfillment?cause=material&amp;sort=-value&amp;weeks=26">Dear material<' in page
    assert client.send(URL, name=" ", query=query).status_code == 422


def test_the_same_name_again_replaces_it(app, office):
    client = client_for(app, office, Role.PLANNER)
    client.send(URL, name="Mine", query="cause=material")
    client.send(URL, name="Mine", query="cause=capacity")
    page = client.get("/fulfillment").text
    assert page.count(">Mine<") == 1
    assert 'href="/fulfillment?cause=capacity"' in page


def test_only_what_is_shared_is_seen_and_only_ones_own_is_forgotten(app, office):
    client, other = (client_for(app, office, Role.PLANNER) for _ in range(2))
    client.send(URL, name="For me", query="cause=material")
    client.send(URL, name="For all", query="cause=capacity", shared="yes")
    theirs = other.get("/fulfillment?cause=capacity").text
    assert "For all" in theirs
    assert "For me" not in theirs
    assert "Forget" not in theirs
    mine = client.get("/fulfillment?cause=capacity").text
    forget = mine.split('action="/fulfillment/views/')[1].split('"')[0]
    assert other.send(f"{URL}/{forget}").status_code == 404
    assert client.send(f"{URL}/{forget}").status_code == 303
    assert "For all" not in other.get("/fulfillment").text
