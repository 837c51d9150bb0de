"""Signing in and out, lock-out with back-off, sessions that can be ended."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.app import create_app
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.users import actions
from b2bcrm.users.models import SignInAttempt, User, UserSession
from tests.clients import PASSWORD, Client, client_for, make_settings, make_user, sign_in
from tests.conftest import NOW
from tests.factories import make_account

pytestmark = pytest.mark.db
MINUTE = dt.timedelta(minutes=1)


def _login(client, user, password=PASSWORD, **more):
    return client.send("/login", email=user.email, password=password, **more)


def _later(app, office, minutes):
    """Let machine time pass for the application."""
    object.__setattr__(office, "clock", pinned(NOW + minutes * MINUTE))


def test_the_right_password_opens_a_session(client, office):
    user = make_user(office)
    answer = _login(client, user)
    assert answer.status_code == 303
    cookie = answer.headers.get_all("Set-Cookie")
    session = next(c for c in cookie if c.startswith("crm_session="))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session
    assert client.get("/profile").status_code == 200


def test_the_address_is_taken_in_any_letter_case(client, office):
    user = make_user(office, email="Anna.Berg@Formosa.example")
    assert client.send("/login", email="ANNA.BERG@formosa.EXAMPLE", password=PASSWORD).location
    assert user.email == "anna.berg@formosa.example"


def test_staff_land_on_the_orders_and_buyers_on_their_own(app, office, work):
    staff = client_for(app, office, Role.PLANNER)
    assert staff.get("/").location == "/orders"
    account = make_account(work)
    work.session.commit()
    buyer = client_for(app, office, Role.BUYER, account)
    assert buyer.get("/").location == "/portal/orders"


def test_a_wrong_password_and_an_unknown_address_get_the_same_sentence(client, office):
    user = make_user(office)
    wrong = _login(client, user, "not this one")
    unknown = client.send("/login", email="nobody@formosa.example", password="not this one")
    assert wrong.status_code == unknown.status_code == 422
    assert b"The e-mail address or the password is wrong." in wrong.data
    assert b"The e-mail address or the password is wrong." in unknown.data
    assert b"not this one" not in wrong.data


def test_a_failed_try_is_kept_though_the_answer_is_an_error(client, office):
    user = make_user(office)
    _login(client, user, "wrong")
    with office.open() as work:
        rows = work.session.scalars(sa.select(SignInAttempt)).all()
        assert [(row.email, row.ok) for row in rows] == [(user.email, False)]


def test_after_five_failures_even_the_right_password_must_wait(client, app, office):
    user = make_user(office)
    for _ in range(5):
        _login(client, user, "wrong")
    locked = _login(client, user)
    assert locked.status_code == 422
    assert b"Too many attempts. Try again in 1 min." in locked.data
    _later(app, office, 1)
    assert _login(client, user).status_code == 303


def test_the_wait_doubles_up_to_a_quarter_of_an_hour():
    waits = [actions.back_off(n, 5).total_seconds() for n in (4, 5, 6, 7, 30)]
    assert waits == [0, 30, 60, 120, 900]


def test_the_lock_out_answers_alike_for_an_unknown_address(client):
    for _ in range(5):
        client.send("/login", email="nobody@formosa.example", password="wrong")
    answer = client.send("/login", email="nobody@formosa.example", password="wrong")
    assert b"Too many attempts" in answer.data


def test_one_address_that_tries_many_names_is_locked_out(client, office):
    for n in range(30):
        client.send("/login", email=f"p{n}@formosa.example", password="wrong")
    answer = _login(client, make_user(office))
    assert b"Too many attempts" in answer.data


def test_a_success_clears_ones_own_slate(client, app, office):
    user = make_user(office)
    for _ in range(4):
        _login(client, user, "wrong")
    assert _login(client, user).status_code == 303
    client.send("/logout")
    for _ in range(4):
        _login(client, user, "wrong")
    assert _login(client, user).status_code == 303


def test_a_blocked_user_cannot_sign_in_and_his_sessions_stop(app, office):
    client = client_for(app, office)
    with office.open() as work:
        work.session.execute(sa.update(User).where(User.id == client.user.id).values(active=False))
    assert client.get("/profile").status_code == 303
    assert _login(app.test_client(), client.user).status_code == 422


def test_signing_out_ends_the_session_on_the_server(app, office):
    client = client_for(app, office)
    cookie = client.get_cookie("crm_session").value
    assert client.send("/logout").status_code == 303
    thief = app.test_client()
    thief.set_cookie("crm_session", cookie)
    assert thief.get("/profile").location.startswith("/login")


def test_a_session_can_be_ended_from_another_browser(app, office):
    here = client_for(app, office)
    there = sign_in(app.test_client(), office, here.user)
    with office.open() as work:
        newest = work.session.scalar(
            sa.select(sa.func.max(UserSession.id)).where(UserSession.user_id == here.user.id)
        )
    assert here.send(f"/profile/sessions/{newest}/revoke").status_code == 303
    assert there.get("/profile").status_code == 303
    assert here.get("/profile").status_code == 200


def test_nobody_ends_somebody_elses_session(app, office):
    other = client_for(app, office)
    with office.open() as work:
        theirs = work.session.scalar(
            sa.select(UserSession.id).where(UserSession.user_id == other.user.id)
        )
    assert client_for(app, office).send(f"/profile/sessions/{theirs}/revoke").status_code == 404
    assert other.get("/profile").status_code == 200


def test_a_forged_or_unsigned_session_id_is_nobody(app, office):
    client = client_for(app, office)
    signed = client.get_cookie("crm_session").value
    unsigned, _, signature = signed.rpartition(".")
    forged = f"{unsigned}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
    for value in (forged, unsigned, "", "x" * 3000):
        thief = app.test_client()
        thief.set_cookie("crm_session", value)
        assert thief.get("/profile").status_code == 303


def test_an_idle_session_ends(app, office):
    client = client_for(app, office)
    _later(app, office, 12 * 60 + 1)
    assert client.get("/profile").status_code == 303


def test_last_seen_is_written_at_most_once_a_minute(app, office):
    client = client_for(app, office)

    def seen():
        with office.open() as work:
            return work.session.scalar(
                sa.select(UserSession.last_seen_at).where(UserSession.user_id == client.user.id)
            )

    _later(app, office, 0.5)
    client.get("/profile")
    assert seen() == NOW
    _later(app, office, 2)
    client.get("/profile")
    assert seen() == NOW + 2 * MINUTE


def test_the_cookie_is_bound_to_https_where_there_is_https(office, tmp_path):
    base = "https://crm.example"
    secure = create_app(office, make_settings(tmp_path, base_url=base))
    secure.test_client_class = Client
    user = make_user(office)
    client = secure.test_client()
    fields = {"email": user.email, "password": PASSWORD, "csrf_token": client.csrf_token(base)}
    answer = client.post("/login", data=fields, base_url=base, headers={"Referer": f"{base}/login"})
    cookies = answer.headers.get_all("Set-Cookie")
    assert any(c.startswith("__Host-session=") and "Secure" in c for c in cookies), cookies
    assert "Strict-Transport-Security" in answer.headers


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_after_sign_in_nobody_is_sent_to_another_site(client, office, target):
    answer = _login(client, make_user(office), next=target)
    assert answer.location == "/"


def test_after_sign_in_one_gets_the_page_one_asked_for(client, office):
    asked = client.get("/profile")
    assert asked.location == "/login?next=/profile"
    assert _login(client, make_user(office), next="/profile").location == "/profile"
