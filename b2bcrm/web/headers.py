"""What every answer carries (a strict content policy, no framing, no sniffing) and may weigh.

The only inline styles are custom properties (``--p:62%``), hence ``style-src-attr``. No inline
script runs anywhere. CSRF tokens are flask-wtf's.
"""

from __future__ import annotations

from flask import Flask, Response, abort, request
from flask_wtf.csrf import CSRFProtect

CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
YEAR_S = 365 * 24 * 3600
STATIC_CACHE = f"public, max-age={YEAR_S}, immutable"

LARGEST_TEXT = 1_000_000

csrf = CSRFProtect()


def _bound() -> None:
    """Text and JSON may weigh a megabyte, only files more; no address holds a NUL."""
    if request.mimetype != "multipart/form-data":
        request.max_content_length = LARGEST_TEXT
    if "\0" in request.path or b"%00" in request.query_string:
        abort(400)


def _secure(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CONTENT_POLICY)
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", f"max-age={YEAR_S}; includeSubDomains")
    if request.endpoint == "static":
        if "v" in request.args:
            headers["Cache-Control"] = STATIC_CACHE
    else:
        headers.setdefault("Cache-Control", "private, no-store")
    return response


def init_app(app: Flask) -> None:
    """Protect every form and set the headers of every answer."""
    app.config.update(WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=True)
    app.before_request(_bound)
    app.after_request(_secure)
    csrf.init_app(app)
