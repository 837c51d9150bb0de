"""Orders for programs: the pages' rules, exact numbers, versions as ETags."""

from __future__ import annotations

import datetime as dt

import pytest

from b2bcrm.kernel.actor import Role
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.users import actions as users
from tests.clients import make_app, make_user
from tests.factories import D, make_account, make_line, make_order

pytestmark = pytest.mark.db


@pytest.fixture
def app(office, tmp_path, promises):
    return make_app(office, tmp_path, promises=lambda _work: promises)


@pytest.fixture
def ask(app, office):
    """Call the API as a salesperson, or as ``user`` with ``scopes``."""

    def call(method, path, *, user=None, scopes=("orders:read", "orders:write"), **options):
        user = user or make_user(office)
        with office.open(user.actor()) as work:
            token = users.create_api_token(work, "t", list(scopes))
        headers = {"Authorization": f"Bearer {token}", **options.pop("headers", {})}
        return app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **options)

    return call


@pytest.fixture
def order(office):
    with office.open() as work:
        return make_order(
            work,
            state=OrderState.SUBMITTED,
            erp_no=None,
            erp_sync=ErpSync.NONE,
            lines=[make_line(work, ordered_qty=D("12"), unit_price=D("0.003450"))],
        )


def test_an_order_comes_with_exact_strings_and_its_version_as_etag(ask, order):
    answer = ask("GET", f"/orders/{order.no}")
    assert answer.status_code == 200
    assert answer.headers["ETag"] == f'"{order.version}"'
    assert answer.json["lines"][0]["unit_price"] == "0.003450"
    again = ask("GET", f"/orders/{order.no}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_the_list_is_paged_and_filtered(ask, order):
    answer = ask("GET", "/orders?state=submitted&size=1")
    assert answer.json["total"] == 1
    assert [row["no"] for row in answer.json["orders"]] == [order.no]
    assert ask("GET", "/orders?state=closed").json == {"total": 0, "orders": []}


def test_confirming_gives_the_new_version_and_an_old_one_is_409(ask, order):
    old = {"If-Match": f'"{order.version}"'}
    answer = ask("POST", f"/orders/{order.no}/confirm", headers=old)
    assert (answer.status_code, answer.json["state"]) == (200, "confirmed")
    assert answer.json["version"] > order.version
    stale = ask("POST", f"/orders/{order.no}/hold", headers=old, json={"reason": "x"})
    assert (stale.status_code, stale.json["code"]) == (409, "stale_version")


def test_amending_with_too_many_places_is_refused_at_the_field(ask, order):
    answer = ask("PATCH", f"/orders/{order.no}/lines/10", json={"qty": "1.23456"})
    assert answer.status_code == 422
    assert "qty" in answer.json["errors"]
    answer = ask("PATCH", f"/orders/{order.no}/lines/10", json={"qty": "7"})
    assert D(answer.json["lines"][0]["ordered_qty"]) == D(7)


def test_a_date_that_moved_is_409_with_the_new_date_for_a_program_to_agree_to(ask, order, promises):
    promises.full_on = dt.date(2027, 1, 8)
    path, wish = f"/orders/{order.no}/lines/10", {"qty": "14"}
    answer = ask("PATCH", path, json=wish)
    assert (answer.status_code, answer.json["code"]) == (409, "date_moved")
    assert answer.json["promised_on"] == "2027-01-08"
    answer = ask("PATCH", path, json={**wish, "promised_on": answer.json["promised_on"]})
    assert answer.json["lines"][0]["promised_on"] == "2027-01-08"


def test_the_same_idempotency_key_acts_once(ask, office, order):
    user, headers = make_user(office), {"Idempotency-Key": "k-1"}
    path = f"/orders/{order.no}/hold"
    first = ask("POST", path, user=user, headers=headers, json={"reason": "drawing"})
    again = ask("POST", path, user=user, headers=headers, json={"reason": "drawing"})
    assert (again.status_code, again.json) == (first.status_code, first.json)
    other = ask("POST", path, user=user, headers=headers, json={"reason": "something else"})
    assert (other.status_code, other.json["code"]) == (409, "key_reused")


def test_a_token_without_the_scope_may_not(ask, order):
    answer = ask("POST", f"/orders/{order.no}/confirm", scopes=("orders:read",))
    assert (answer.status_code, answer.json["code"]) == (403, "scope_missing")


def test_a_buyer_reads_his_own_orders_only_and_may_not_act(ask, office, order):
    with office.open() as work:
        foreign = make_account(work)
    stranger = make_user(office, Role.BUYER, account_id=foreign.id)
    assert ask("GET", f"/orders/{order.no}", user=stranger).status_code == 404
    assert ask("GET", "/orders", user=stranger).json["total"] == 0
    own = make_user(office, Role.BUYER, account_id=order.account_id)
    assert ask("GET", f"/orders/{order.no}", user=own).status_code == 200
    assert ask("POST", f"/orders/{order.no}/confirm", user=own).status_code == 404
