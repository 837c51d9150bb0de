"""Lists that live in the URL: page, order and filters are query parameters, so a link keeps them.

``Asked`` is what the reader wants, ``Listing`` what a query found for it. Queries take
``asked.offset``, ``asked.limit``, ``asked.sort`` and ``asked.descending``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar
from urllib.parse import urlencode

from flask import request

Row = TypeVar("Row")

PER_PAGE = 50
MAX_PAGE = 100_000
MAX_TEXT = 200
EXPORT_LIMIT = 100_000


@dataclass(frozen=True)
class Asked:
    """One reader's wish. ``filters`` holds only known names with a value; ``sort`` a known key."""

    path: str
    sort: str
    descending: bool = False
    page: int = 1
    per_page: int = PER_PAGE
    filters: Mapping[str, str] = field(default_factory=dict, hash=False)
    format: str = ""
    default_sort: str = ""

    @property
    def offset(self) -> int:
        """Rows to leave out."""
        return 0 if self.format else (self.page - 1) * self.per_page

    @property
    def limit(self) -> int:
        """Rows to fetch; an export takes all, up to a cap."""
        return EXPORT_LIMIT if self.format else self.per_page

    def get(self, name: str, default: str = "") -> str:
        """The value of a filter."""
        return self.filters.get(name, default)

    def url(
        self,
        *,
        page: int = 1,
        sort: str | None = None,
        fmt: str = "",
        **filters: str | None,
    ) -> str:
        """This list with something changed; a filter set to None or "" is left out."""
        pairs = {**self.filters, **filters}
        query = {name: value for name, value in pairs.items() if value}
        order = self.order if sort is None else sort
        if order != self.default_sort:
            query["sort"] = order
        if page > 1:
            query["page"] = str(page)
        if fmt:
            query["format"] = fmt
        return f"{self.path}?{urlencode(query)}" if query else self.path

    @property
    def order(self) -> str:
        """The sort as the URL writes it: ``-promised`` is descending."""
        return f"-{self.sort}" if self.descending else self.sort

    def sort_url(self, key: str) -> str:
        """The list ordered by ``key``; a second click turns the order around."""
        turned = key == self.sort and not self.descending
        return self.url(sort=f"-{key}" if turned else key)

    def on(self, page: int) -> Asked:
        """The same wish for another page."""
        return replace(self, page=page)


def asked(
    *, sorts: Sequence[str], default: str, filters: Sequence[str] = (), per_page: int = PER_PAGE
) -> Asked:
    """Read the wish from the URL; unknown sorts fall back to ``default`` (``-x`` descends)."""
    order = request.args.get("sort", default)
    if order.removeprefix("-") not in sorts:
        order = default
    page = request.args.get("page", "1")
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 7 else 1  # noqa: PLR2004 - digits of MAX_PAGE
    found = {
        name: value
        for name in filters
        if (value := request.args.get(name, "").strip().replace("\0", "")[:MAX_TEXT])
    }
    wanted = request.args.get("format", "")
    return Asked(
        path=request.path,
        sort=order.removeprefix("-"),
        descending=order.startswith("-"),
        page=max(1, min(number, MAX_PAGE)),
        per_page=per_page,
        filters=found,
        format=wanted if wanted in {"csv", "xlsx"} else "",
        default_sort=default,
    )


@dataclass(frozen=True)
class Listing(Generic[Row]):
    """One page of rows out of ``total``, and the wish it answers."""

    rows: Sequence[Row]
    total: int
    asked: Asked

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.total // self.asked.per_page))

    @property
    def first(self) -> int:
        """Number of the first row shown, 0 when there is none."""
        return self.asked.offset + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Number of the last row shown."""
        return self.asked.offset + len(self.rows)

    @property
    def previous_url(self) -> str:
        """The page before; empty on the first."""
        return self.asked.url(page=self.asked.page - 1) if self.asked.page > 1 else ""

    @property
    def next_url(self) -> str:
        """The page after; empty on the last."""
        return self.asked.url(page=self.asked.page + 1) if self.asked.page < self.pages else ""
