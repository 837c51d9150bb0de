"""Who is signed in: a random session id in a signed cookie, looked up in the database.

``users`` implements ``SessionStore`` and ``app.py`` joins the two, so this package stays free
of the users' tables. A session can be ended on the server at any time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Protocol

from flask import Flask, Response, current_app, g, request
from itsdangerous import BadSignature, Signer

from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.errors import NotAllowed
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.web.work import office, reading, stop_reading

SEEN_EVERY = dt.timedelta(minutes=1)
COOKIE_DAYS = 30
API_PREFIX = "/api/"


@dataclass(frozen=True, kw_only=True)
class SignedIn:
    """One valid session or API token: the other's id is 0.

    ``scopes`` is None for a browser session.
    """

    actor: Actor
    session_id: int
    last_seen_at: dt.datetime
    theme: str = "auto"
    title: str = ""
    account_name: str = ""
    scopes: frozenset[str] | None = None
    token_id: int = 0


class SessionStore(Protocol):
    """Implemented by ``users.sessions``."""

    def find_session(self, work: Work, token: str) -> SignedIn | None:
        """The session of this secret, or None if it is unknown, ended or too old."""

    def find_api_token(self, work: Work, token: str) -> SignedIn | None:
        """The API token of this secret, or None."""

    def touch(self, work: Work, session_id: int) -> None:
        """Note that the session was used now."""


def current() -> SignedIn | None:
    """The signed-in person of this request, or None."""
    found: SignedIn | None = g.get("signed_in")
    return found


def current_actor() -> Actor:
    """The signed-in actor; raises NotAllowed when nobody is."""
    found = current()
    if found is None:
        raise NotAllowed(Message("Please sign in."), code="not_signed_in")
    return found.actor


def must_scope(scope: str) -> None:
    """Raise NotAllowed unless the API token carries ``scope``; a browser session may all."""
    found = current()
    if found is not None and found.scopes is not None and scope not in found.scopes:
        raise NotAllowed(
            Message("This token does not allow %(scope)s.", scope=scope), code="scope_missing"
        )


def identify() -> None:
    """Find out who sends this request and keep it in ``g.signed_in``; called before each one."""
    store: SessionStore | None = current_app.extensions.get("sessions")
    g.signed_in = None
    if store is None or request.endpoint == "static":
        return
    if request.path.startswith(API_PREFIX):
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() == "bearer" and token:
            g.signed_in = store.find_api_token(reading(), token.strip())
        return  # a browser's cookie never opens the API: it is free of CSRF tokens
    token = _token_in_cookie()
    if not token:
        return
    work = reading()
    found = store.find_session(work, token)
    g.signed_in = found
    if found is not None and work.tick - found.last_seen_at >= SEEN_EVERY:
        stop_reading()
        with office().open() as short:
            store.touch(short, found.session_id)


def _signer() -> Signer:
    secret = current_app.secret_key
    assert secret is not None  # noqa: S101 - create_app always sets it
    return Signer(secret, salt="session-id")


def cookie_name() -> str:
    """Over https the name binds the cookie to this very host and to https."""
    return "__Host-session" if current_app.config["SESSION_COOKIE_SECURE"] else "crm_session"


def _token_in_cookie() -> str:
    try:
        return _signer().unsign(request.cookies.get(cookie_name(), "")).decode()
    except BadSignature:
        return ""


def set_cookie(response: Response, token: str) -> None:
    """Give the browser the session's secret."""
    response.set_cookie(
        cookie_name(),
        _signer().sign(token).decode(),
        max_age=COOKIE_DAYS * 24 * 3600,
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
        path="/",
    )


def clear_cookie(response: Response) -> None:
    """Take the session's secret back."""
    response.delete_cookie(
        cookie_name(),
        path="/",
        secure=current_app.config["SESSION_COOKIE_SECURE"],
        httponly=True,
        samesite="Lax",
    )


def init_app(app: Flask, sessions: SessionStore | None) -> None:
    """Join the app with the place where sessions are kept; each request is looked up there."""
    if sessions is not None:
        app.extensions["sessions"] = sessions
    app.before_request(identify)
