"""Lists in parts: what is asked for a page, and what the answer says about itself and the next.

A list ends where its page is empty, unless the ERP says it better: a page shorter than asked for
proves nothing, since the ERP may cap pages below that.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from b2bcrm.ports.erp import Drifted, Page
from connectors.erp import errors, paths
from connectors.erp.profile.model import Call, Paged, PageStyle
from connectors.erp.replies import Reply
from connectors.erp.transforms import Drift, Formats, converter

NUMBERED = frozenset({PageStyle.OFFSET, PageStyle.PAGE})


def asked(call: Call, cursor: str | None, page_size: int) -> dict[str, Any]:
    """The values of a list call for its page."""
    paged = call.paged
    size = min(page_size, paged.size)
    if paged.style in NUMBERED:
        return {"cursor": cursor or str(paged.start), "page_size": size}
    if paged.style is PageStyle.SEARCH_ID and cursor is not None:
        search, _, number = cursor.rpartition("|")
        return {"cursor": number, "search_id": search, "page_size": size}
    return {"cursor": cursor, "page_size": size}


def page_of(
    call: Call,
    reply: Reply,
    formats: Formats,
    *,
    cursor: str | None,
    page_size: int,
    server_time: dt.datetime | None,
) -> Page:
    """The port's page. It is complete when every announced row was read and understood."""
    paged, rows, drift = call.paged, list(reply.rows[0]), list(reply.drift)
    seen = reply.seen[0]
    said = _Said(reply, formats)
    announced = said.number(paged.announced) if paged.announced is not None else reply.announced
    if paged.inclusive and cursor is not None and rows and _first_is(reply, cursor):
        rows, seen = rows[1:], seen - 1
    complete = said.flag(paged.complete) if paged.complete is not None else True
    if announced is not None and announced != reply.seen[0]:
        complete = False
        text = f"{announced} rows announced, {reply.seen[0]} read"
        drift.append(Drifted("", "announced", text))
    following = _next(call, said, cursor, seen, min(page_size, paged.size))
    if following is not None and following == cursor:
        drift.append(Drifted("", "next_cursor", f"the cursor does not advance: {cursor[:60]}"))
        following = None
    return Page(
        records=rows,
        next_cursor=following,
        high_watermark=_watermark(paged, said, rows, server_time),
        complete=complete and not drift,
        announced=announced,
        drift=tuple(drift),
        unknown=dict(reply.unknown),
    )


def _next(call: Call, said: _Said, cursor: str | None, seen: int, size: int) -> str | None:
    """The cursor of the page after this one; None at the end."""
    paged, style = call.paged, call.paged.style
    if style is PageStyle.NONE or (paged.more is not None and not said.flag(paged.more)):
        return None
    if style is PageStyle.CURSOR:
        return said.text(paged.next) or None
    if not seen or (paged.ends_short and seen < size):
        return None
    if style is PageStyle.SEARCH_ID:
        search = said.text(paged.next)
        number = int(cursor.rpartition("|")[2]) if cursor else paged.start
        return f"{search}|{number + 1}" if search else None
    if style in NUMBERED:
        at = int(cursor) if cursor else paged.start
        following = at + seen if style is PageStyle.OFFSET else at + 1
        total = said.number(paged.total) if paged.total is not None else None
        reached = style is PageStyle.OFFSET and total is not None
        return None if reached and following - paged.start >= (total or 0) else str(following)
    return said.last_row or cursor  # a row without a key stands still, which is an error


def _first_is(reply: Reply, cursor: str) -> bool:
    return str(getattr(reply.rows[0][0], "erp_id", "")) == cursor


def _watermark(
    paged: Paged, said: _Said, rows: list[Any], server_time: dt.datetime | None
) -> dt.datetime | None:
    if paged.watermark is not None:
        return said.instant(paged.watermark)
    if paged.watermark_from == "http_date":
        return server_time
    if paged.watermark_from == "updated_at":
        times = [row.updated_at for row in rows if row.updated_at is not None]
        return max(times, default=None)
    return None


class _Said:
    """What an answer says about itself. Raises ErpDrift where it cannot be understood."""

    def __init__(self, reply: Reply, formats: Formats) -> None:
        self._root = reply.root
        self.last_row = reply.last_row
        self._formats = formats

    def text(self, path: paths.Path | None) -> str:
        return paths.first(self._root, path)

    def flag(self, path: paths.Path) -> bool:
        return bool(self._value(path, "bool"))

    def number(self, path: paths.Path) -> int | None:
        found: int | None = self._value(path, "int")
        return found

    def instant(self, path: paths.Path) -> dt.datetime | None:
        found: dt.datetime | None = self._value(path, "datetime")
        return found

    def _value(self, path: paths.Path, kind: str) -> Any:
        text = self.text(path)
        if not text:
            return None
        try:
            return converter(kind, "", self._formats)(text)
        except Drift as error:
            raise errors.drifted([Drifted("", path.text, error.reason)]) from None
