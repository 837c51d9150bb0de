"""Parts that every resource of the API shares: pages of a list, versions as ETags.

A record's ETag is its version. A program that sends ``If-Match`` acts on that version only.
"""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask import Response, make_response, request

from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.words import Message

MAX_PAGE_SIZE = 100
MAX_PAGE = 100_000
_POSITIVE = ma.validate.Range(min=1, max=MAX_PAGE)


class PageQuery(ma.Schema):
    """Which page of a list: ``number`` from 1, ``size`` up to 100."""

    number = ma.fields.Integer(load_default=1, validate=_POSITIVE)
    size = ma.fields.Integer(load_default=25, validate=ma.validate.Range(min=1, max=MAX_PAGE_SIZE))


def part(query: dict[str, Any]) -> tuple[int, int]:
    """Offset and limit of the page that was asked for."""
    return (query["number"] - 1) * query["size"], query["size"]


def expected_version() -> int | None:
    """The version in ``If-Match``; None if the program did not say. Invalid if it is no ETag."""
    text = request.headers.get("If-Match", "").strip().removeprefix("W/").strip('"')
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:  # noqa: PLR2004 - no record is changed that often
        raise Invalid(Message("If-Match must be the ETag of the record."), code="bad_etag")
    return int(text)


def with_etag(body: Response, version: int) -> Response:
    """``body`` with its ETag; 304 where ``If-None-Match`` names it."""
    response = make_response(body)
    response.set_etag(str(version))
    response.make_conditional(request)  # 304 without a body for whoever has this version
    return response
