"""Forgotten passwords, new passwords, API tokens and one's own settings."""

from __future__ import annotations

import datetime as dt
import re

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.actor import SYSTEM, Actor, Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.errors import Conflict, Invalid, NotAllowed, Refused
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.users import actions
from b2bcrm.users.events import ResetAsked
from b2bcrm.users.handlers import MailReset
from b2bcrm.users.models import ResetToken, User
from b2bcrm.users.sessions import DatabaseSessions
from tests.clients import CHEAP, PASSWORD, client_for, make_user, sign_in
from tests.conftest import NOW
from tests.factories import make_account

pytestmark = pytest.mark.db
NEW = "another good password"


class Sent:
    def __init__(self):
        self.mails = []

    def send(self, mail):
        self.mails.append(mail)


def _mail(office, user):
    sent = Sent()
    handler = MailReset(sent, "https://crm.example")
    event = ResetAsked(subject_id=user.id)
    with office.open() as work:
        message = handler.prepare(work, event)
    handler.send(message, again=False)
    return sent.mails[0]


def _link(office, user):
    return re.search(r"https://crm\.example(/reset/\S+)", _mail(office, user).text)[1]


def test_asking_for_a_link_never_says_whether_the_address_exists(client, office):
    user = make_user(office)
    known = client.send("/forgot", email=user.email)
    unknown = client.send("/forgot", email="nobody@formosa.example")
    assert known.status_code == unknown.status_code == 200
    strip = re.compile(rb"value=\"[^\"]*\"|content=\"[^\"]*\"")
    assert strip.sub(b"", known.data) == strip.sub(b"", unknown.data)


def test_asking_puts_one_mail_into_the_outbox_and_not_another_one_at_once(client, office):
    user = make_user(office)
    client.send("/forgot", email=user.email)
    client.send("/forgot", email=user.email)
    with office.open() as work:
        rows = work.session.scalars(sa.select(Delivery)).all()
        assert [(row.handler, row.payload["subject_id"]) for row in rows] == [
            ("users.mail_reset", user.id)
        ]


def test_the_mail_speaks_the_persons_language_and_its_secret_is_nowhere_else(office):
    user = make_user(office, locale="zh_Hant", name="陳建宏")
    mail = _mail(office, user)
    assert mail.to == (user.email,)
    assert "陳建宏" in mail.text
    secret = re.search(r"/reset/(\S+)", mail.text)[1]
    with office.open() as work:
        token = work.session.scalars(sa.select(ResetToken)).one()
        assert secret not in token.digest


def test_a_link_sets_the_password_once_and_ends_all_sessions(app, client, office):
    user = make_user(office)
    signed_in = sign_in(app.test_client(), office, user)
    link = _link(office, user)
    assert client.get(link).status_code == 200
    assert client.send(link, password=NEW, again=NEW).status_code == 303
    assert signed_in.get("/profile").status_code == 303
    assert client.send(link, password=NEW, again=NEW).status_code == 409
    assert client.send("/login", email=user.email, password=PASSWORD).status_code == 422
    assert client.send("/login", email=user.email, password=NEW).status_code == 303


def test_a_link_of_more_than_an_hour_ago_is_dead(client, office):
    link = _link(office, make_user(office))
    object.__setattr__(office, "clock", pinned(NOW + dt.timedelta(minutes=61)))
    assert b"This link no longer works" in client.get(link).data
    assert client.send(link, password=NEW, again=NEW).status_code == 409


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("short", "short", b"At least 10 characters."),
        ("x" * 201, "x" * 201, b"At most 200 characters."),
        (NEW, NEW + "x", b"The two passwords differ."),
    ],
)
def test_a_bad_new_password_gets_its_sentence(client, office, password, again, sentence):
    answer = client.send(_link(office, make_user(office)), password=password, again=again)
    assert answer.status_code == 422
    assert sentence in answer.data


def test_changing_the_password_needs_the_old_one_and_keeps_only_this_session(app, office):
    here = client_for(app, office)
    there = sign_in(app.test_client(), office, here.user)
    wrong = here.send("/profile/password", old="wrong", password=NEW, again=NEW)
    assert wrong.status_code == 422
    assert b"This is not your present password." in wrong.data
    right = here.send("/profile/password", old=PASSWORD, password=NEW, again=NEW)
    assert right.status_code == 303
    assert here.get("/profile").status_code == 200
    assert there.get("/profile").status_code == 303


def test_a_login_needs_a_right_and_a_free_address(office, work):
    facts = {"name": "A", "role": Role.SALES, "password": PASSWORD, "passwords": CHEAP}
    actions.create_user(work, email="a@formosa.example", **facts)
    with pytest.raises(Conflict):
        actions.create_user(work, email="A@formosa.example", **facts)
    with pytest.raises(Invalid):
        actions.create_user(work, email="not an address", **facts)
    work.actor = Actor(name="S", role=Role.SALES)
    with pytest.raises(NotAllowed):
        actions.create_user(work, email="b@formosa.example", **facts)


def test_exactly_the_portals_people_belong_to_an_account(work):
    account = make_account(work)
    facts = {"name": "A", "password": PASSWORD, "passwords": CHEAP}
    with pytest.raises(Invalid):
        actions.create_user(work, email="a@x.example", role=Role.BUYER, **facts)
    with pytest.raises(Invalid):
        actions.create_user(
            work, email="a@x.example", role=Role.SALES, account_id=account.id, **facts
        )


def test_the_database_refuses_a_buyer_without_an_account(work):
    values = {"email": "a@x.example", "name": "A", "role": Role.BUYER, "password_hash": "x"}
    with pytest.raises(sa.exc.IntegrityError), work.session.begin_nested():
        work.session.add(User(**values, created_at=NOW))


def test_a_token_acts_for_its_maker_within_its_scopes_until_revoked(app, office):
    client = client_for(app, office)
    page = client.send("/profile/tokens", name="Report", scopes="orders:read")
    secret = re.search(r"crm_[\w-]+", page.get_data(as_text=True))[0]
    store = DatabaseSessions()
    with office.open() as work:
        found = store.find_api_token(work, secret)
        assert found.actor.user_id == client.user.id
        assert found.scopes == {"orders:read"}
        assert store.find_api_token(work, secret + "x") is None
    listed = client.get("/profile").get_data(as_text=True)
    assert secret not in listed
    token_id = re.search(r"/profile/tokens/(\d+)/revoke", listed)[1]
    stranger = client_for(app, office)
    assert stranger.send(f"/profile/tokens/{token_id}/revoke").status_code == 404
    assert client.send(f"/profile/tokens/{token_id}/revoke").status_code == 303
    with office.open() as work:
        assert store.find_api_token(work, secret) is None


def test_the_profile_keeps_language_and_colours(app, office):
    client = client_for(app, office)
    facts = {"name": "Mei-Ling Lin", "phone": "216", "locale": "zh_Hans", "theme": "dark"}
    assert client.send("/profile", **facts).status_code == 303
    page = client.get("/profile").get_data(as_text=True)
    assert '<html lang="zh-Hans" data-theme="dark">' in page
    wrong = client.send("/profile", **{**facts, "locale": "xx"})
    assert wrong.status_code == 422


def test_the_link_action_refuses_an_unknown_secret(office):
    with office.open(SYSTEM) as work, pytest.raises(Refused):
        actions.reset_password(work, "unknown", "hash")
