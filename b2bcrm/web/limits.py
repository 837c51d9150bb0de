"""How often the API may be asked: per token, and per address while no token is known.

Counted in Redis where one is configured, else in each process apart. Pages are not counted here:
sign-in has its own throttle in the database.
"""

from __future__ import annotations

import math

from flask import Flask, Response, request
from flask_limiter import Limiter, RequestLimit

from b2bcrm.web import errors
from b2bcrm.web.auth import API_PREFIX, current
from b2bcrm.web.work import office

WINDOW_S = 60
TOO_MANY = 429


def _who() -> str:
    found = current()
    return f"address:{request.remote_addr}" if found is None else f"token:{found.token_id}"


def _refuse(limit: RequestLimit) -> Response:
    """The problem, with the seconds until the next minute of this caller begins."""
    left = math.ceil(limit.reset_at - office().clock.tick().timestamp())
    response = errors.answer(TOO_MANY, errors.SENTENCES[TOO_MANY], code="too_many_requests")
    response.headers["Retry-After"] = str(min(WINDOW_S, max(1, left)))
    return response


def init_app(app: Flask, *, redis_url: str, per_token: int, per_address: int) -> None:
    """Limits in requests per minute, shared by all addresses of the API.

    Comes after ``auth``, which finds out whose token it is, and before the gate, so that guessed
    tokens are counted too.
    """

    def rate() -> str:
        return f"{per_address if current() is None else per_token} per minute"

    Limiter(
        _who,
        app=app,
        application_limits=[rate],
        application_limits_exempt_when=lambda: not request.path.startswith(API_PREFIX),
        on_breach=_refuse,
        storage_uri=redis_url or "memory://",
        in_memory_fallback_enabled=bool(redis_url),  # a Redis that is down must not stop the API
    )
