"""The API's limits: each token and each unknown address has its own count; pages have none."""

from __future__ import annotations

import pytest

from b2bcrm.app import create_app
from b2bcrm.users import actions as users
from tests.clients import make_settings, make_user

URL = "/api/v1/orders"


@pytest.fixture
def app(office, tmp_path):
    """Three requests per minute and token, two per address."""
    return create_app(office, make_settings(tmp_path, api_per_token=3, api_per_address=2))


@pytest.fixture
def tokens(office):
    user = make_user(office)
    with office.open(user.actor()) as work:
        return [users.create_api_token(work, name, ["orders:read"]) for name in ("one", "two")]


def ask(app, token="", address="10.0.0.1"):
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return app.test_client().get(URL, headers=headers, environ_base={"REMOTE_ADDR": address})


def test_a_token_that_asks_too_often_is_told_when_to_come_back_and_others_go_on(app, tokens):
    one, two = tokens
    assert [ask(app, one).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = ask(app, one)
    assert answer.mimetype == "application/problem+json"
    assert (answer.json["status"], answer.json["code"]) == (429, "too_many_requests")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert ask(app, two).status_code == 200


def test_an_address_without_a_valid_token_has_its_own_smaller_count(app, tokens):
    assert [ask(app, "guessed").status_code for _ in range(2)] == [401, 401]
    assert ask(app).status_code == 429
    assert ask(app, address="10.0.0.2").status_code == 401
    assert ask(app, tokens[0]).status_code == 200


def test_pages_are_not_counted(app):
    client = app.test_client()
    assert {client.get("/login").status_code for _ in range(5)} == {200}


def test_a_redis_that_is_down_does_not_stop_the_api(office, tmp_path, tokens):
    settings = make_settings(tmp_path, api_per_token=3, redis_url="redis://127.0.0.1:26399/0")
    app = create_app(office, settings)
    assert [ask(app, tokens[0]).status_code for _ in range(4)] == [200, 200, 200, 429]
