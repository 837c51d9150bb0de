"""What every API view stands on: tokens, exact decimals, problems, keys that count once."""

from __future__ import annotations

import marshmallow as ma
import pytest
from flask_smorest import Blueprint

from b2bcrm import app as app_module
from b2bcrm.users import actions
from b2bcrm.web import access, api, auth
from b2bcrm.web.work import in_work
from tests.clients import client_for, make_app, make_user

pytestmark = pytest.mark.db


class Thing(ma.Schema):
    """A thing."""

    price = api.MoneyField(required=True)


def _blueprint(done):
    bp = Blueprint("thing", "thing", url_prefix="/things")

    @bp.post("")
    @in_work()
    @bp.arguments(Thing)
    @bp.response(201, Thing)
    def create(work, data):
        """Makes a thing."""
        auth.must_scope("orders:write")
        done.append(work.actor.user_id)
        return data

    return bp


@pytest.fixture
def done():
    return []


@pytest.fixture
def app(office, tmp_path, monkeypatch, done):
    monkeypatch.setitem(access.ACCESS, "thing.create", access.SIGNED_IN)
    monkeypatch.setattr(app_module, "API_PAGES", ("thing",))
    real = app_module._blueprint
    chosen = lambda name: _blueprint(done) if name == "thing" else real(name)  # noqa: E731 - one line is clearer
    monkeypatch.setattr(app_module, "_blueprint", chosen)
    return make_app(office, tmp_path)


@pytest.fixture
def token(office):
    user = make_user(office)
    with office.open(user.actor()) as work:
        return actions.create_api_token(work, "t", ["orders:write"])


def _send(app, token, body, **headers):
    headers["Authorization"] = f"Bearer {token}"
    return app.test_client().post("/api/v1/things", json=body, headers=headers)


def test_a_token_opens_the_api_without_a_csrf_token(app, token, done):
    answer = _send(app, token, {"price": "0.00"})
    assert (answer.status_code, answer.json) == (201, {"price": "0.00"})
    assert done != [None]


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer wrong", "Basic x"])
def test_without_a_valid_token_it_is_401_as_a_problem(app, header):
    answer = app.test_client().post(
        "/api/v1/things", json={"price": "1"}, headers={"Authorization": header}
    )
    assert answer.status_code == 401
    assert answer.mimetype == "application/problem+json"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_browsers_cookie_does_not_open_the_api(app, office, done):
    client = client_for(app, office)
    assert client.post("/api/v1/things", json={"price": "1"}).status_code == 401
    assert done == []


def test_a_token_without_the_scope_is_refused(app, office, done):
    user = make_user(office)
    with office.open(user.actor()) as work:
        other = actions.create_api_token(work, "t", ["orders:read"])
    answer = _send(app, other, {"price": "1"})
    assert (answer.status_code, answer.json["code"]) == (403, "scope_missing")
    assert done == []


@pytest.mark.parametrize("price", ["1.23456", "1e400", "NaN", "", 1.5, 10**20, "1" * 15, None])
def test_a_number_that_is_not_exact_is_refused_at_its_field(app, token, price):
    answer = _send(app, token, {"price": price})
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == ["price"]
    assert answer.json["code"] == "invalid"


def test_the_same_key_gets_the_same_answer_and_acts_once(app, token, done):
    key = {"Idempotency-Key": "k1"}
    first = _send(app, token, {"price": "1.00"}, **key)
    second = _send(app, token, {"price": "1.00"}, **key)
    assert (second.status_code, second.json) == (first.status_code, first.json)
    assert len(done) == 1
    other = _send(app, token, {"price": "2.00"}, **key)
    assert (other.status_code, other.json["code"]) == (409, "key_reused")


def test_the_document_says_string_for_money_and_asks_for_a_token(app):
    document = app.test_client().get("/api/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    price = document["components"]["schemas"]["Thing"]["properties"]["price"]
    assert (price["type"], price["format"]) == ("string", "decimal")
    assert document["security"] == [{"token": []}]
    assert "/api/v1/things" in document["paths"]


def test_a_page_that_is_not_found_stays_a_page(app):
    assert app.test_client().get("/nothing").mimetype == "text/html"
