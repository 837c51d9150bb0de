"""One table says which role may open which route; what is not in it does not exist."""

from __future__ import annotations

import pytest

from b2bcrm.kernel.actor import Role
from b2bcrm.web import access
from tests.clients import client_for
from tests.factories import make_account

pytestmark = pytest.mark.db


def test_every_route_is_in_the_table(app):
    missing = {rule.endpoint for rule in app.url_map.iter_rules()} - set(access.ACCESS)
    assert not missing, f"add to web/access.py: {sorted(missing)}"


def test_every_line_of_the_table_is_a_route(app):
    unknown = set(access.ACCESS) - {rule.endpoint for rule in app.url_map.iter_rules()}
    assert not unknown, f"remove from web/access.py: {sorted(unknown)}"


def test_portal_pages_lie_under_portal_and_are_for_buyers_only(app):
    for rule in app.url_map.iter_rules():
        roles = access.ACCESS.get(rule.endpoint, access.ANYONE)
        if rule.rule.startswith("/portal/"):
            assert roles <= access.PORTAL, rule.endpoint
            assert roles, rule.endpoint
        elif not rule.rule.startswith("/api/") and roles != access.SIGNED_IN:
            assert not roles & access.PORTAL, rule.endpoint


@pytest.fixture
def staff_page(app, monkeypatch):
    monkeypatch.setitem(access.ACCESS, "for_sales", access.SALES)
    app.add_url_rule("/for-sales", "for_sales", lambda: "sales only")


def test_a_route_that_is_not_in_the_table_is_not_found_for_anybody(app, office):
    app.add_url_rule("/forgotten", "forgotten", lambda: "secret")
    for client in (app.test_client(), client_for(app, office, Role.ADMIN)):
        answer = client.get("/forgotten")
        assert answer.status_code == 404
        assert b"secret" not in answer.data


def test_a_stranger_is_asked_to_sign_in(staff_page, client):
    assert client.get("/for-sales").location == "/login?next=/for-sales"


def test_htmx_is_told_where_to_sign_in(staff_page, client):
    answer = client.get("/for-sales", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


def test_staff_without_the_role_are_told_so(staff_page, app, office):
    assert client_for(app, office, Role.SALES).get("/for-sales").data == b"sales only"
    assert client_for(app, office, Role.PLANNER).get("/for-sales").status_code == 403


def test_a_buyer_does_not_learn_that_a_staff_page_exists(staff_page, app, office, work):
    account = make_account(work)
    work.session.commit()
    buyer = client_for(app, office, Role.BUYER, account)
    there, nowhere = buyer.get("/for-sales"), buyer.get("/not-at-all")
    assert there.status_code == nowhere.status_code == 404


def test_a_number_larger_than_any_id_is_not_found(app, monkeypatch, client):
    monkeypatch.setitem(access.ACCESS, "thing", access.ANYONE)
    app.add_url_rule("/things/<int:thing_id>", "thing", lambda thing_id: f"{thing_id}")
    assert client.get("/things/7").status_code == 200
    assert client.get(f"/things/{2**63}").status_code == 404
