"""What a POST answers when it worked: go there, and say so once.

``see_other`` is the end of every form that was accepted; the sentence appears as a toast.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, flash, make_response, redirect, request

from b2bcrm.kernel.words import Message
from b2bcrm.web.locale import say


def see_other(url: str, message: Message | None = None, *, status: str = "ok") -> Response:
    """Send the browser to ``url`` (303; htmx: HX-Redirect) with an optional toast."""
    if message is not None:
        flash(say(message), status)
    if request.headers.get("HX-Request"):
        response = make_response("", 204)
        response.headers["HX-Redirect"] = url
        return response
    return make_response(redirect(url, 303))


def safe_next(url: str, otherwise: str) -> str:
    """``url`` if it is a path of this very site, else ``otherwise``."""
    parts = urlsplit(url)
    if parts.scheme or parts.netloc or "\\" in url or not url.startswith("/"):
        return otherwise
    return otherwise if url.startswith("//") or any(c < " " for c in url) else url
