"""A browser for page tests: an app over the test's office, and clients that are signed in.

``client = client_for(app, office, Role.SALES)``; ``client.send(url, field=...)`` posts a form
with its CSRF token, as a page would.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.test import TestResponse

from b2bcrm.app import create_app
from b2bcrm.bootstrap import vault_of
from b2bcrm.bootstrap.connections import Listening
from b2bcrm.customers.models import Account
from b2bcrm.kernel.actor import SYSTEM, Role
from b2bcrm.kernel.work import Office
from b2bcrm.settings import Settings
from b2bcrm.users import actions
from b2bcrm.users.models import User
from b2bcrm.users.passwords import Passwords
from b2bcrm.web import auth

PASSWORD = "correct horse battery"
CHEAP = Passwords(cheap=True)
_n = itertools.count(1)


def make_settings(data_dir: Path, **facts: Any) -> Settings:
    """Settings of a demo with cheap passwords."""
    values: dict[str, Any] = {
        "data_dir": data_dir,
        "database_url": "",
        "demo": True,
        "secret_key": "k" * 40,
        "cheap_passwords": True,
        "api_per_token": 100_000,
        "api_per_address": 100_000,
    }
    return Settings(**{**values, **facts})


def make_user(office: Office, role: Role = Role.SALES, **facts: Any) -> User:
    """A login; its password is ``PASSWORD``. A portal role needs ``account_id``."""
    n = next(_n)
    values = {"email": f"person{n}@formosa.example", "name": f"Person {n}", "password": PASSWORD}
    with office.open(SYSTEM) as work:
        return actions.create_user(work, role=role, passwords=CHEAP, **{**values, **facts})


class Client(FlaskClient):
    """A browser; ``user`` is who is signed in."""

    user: User | None = None

    def send(self, url: str, **fields: Any) -> TestResponse:
        """Post a form with a valid CSRF token."""
        return self.post(url, data={"csrf_token": self.csrf_token(), **fields})

    def csrf_token(self, base_url: str = "http://localhost") -> str:
        """A token that fits this browser's form cookie."""
        with self.session_transaction(base_url=base_url) as mine:
            raw = mine.get("csrf_token")
            with self.application.test_request_context():
                if raw:
                    session["csrf_token"] = raw
                token: str = generate_csrf()
                mine["csrf_token"] = session["csrf_token"]
        return token


class CompiledTemplates(BytecodeCache):
    """Templates of one process: compiled once, not once for each test's application."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Take what another application has compiled for the same language."""
        bucket.code = self.code.get(self._key(bucket))

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it for the next one."""
        self.code[self._key(bucket)] = bucket.code

    @staticmethod
    def _key(bucket: Bucket) -> tuple[str, str, str]:
        return bucket.environment.locale, bucket.key, bucket.checksum


COMPILED = CompiledTemplates()


def make_app(office: Office, data_dir: Path, **supplies: Any) -> Flask:
    """The whole application over the test's database."""
    settings = make_settings(data_dir)
    given = {"vault": vault_of(settings), "listening": Listening(settings)} | supplies
    app = create_app(office, settings, **given)
    app.test_client_class = Client
    app.jinja_env.bytecode_cache = COMPILED
    return app


def sign_in(client: Client, office: Office, user: User) -> Client:
    """Start a session for ``user`` without asking for the password."""
    app = client.application
    with office.open(SYSTEM) as work:
        attempt = actions.Attempt(0, user.id, None)
        secret = actions.finish_sign_in(work, attempt, "127.0.0.1", "test")
    with app.app_context():
        signed = auth._signer().sign(secret).decode()
        client.set_cookie(auth.cookie_name(), signed)
    client.user = user
    return client


def client_for(
    app: Flask, office: Office, role: Role = Role.SALES, account: Account | None = None
) -> Client:
    """A browser in which a person with ``role`` (a buyer of ``account``) is signed in."""
    user = make_user(office, role, account_id=account.id if account else None)
    return sign_in(app.test_client(), office, user)
