"""Rows of lists, drawn once per content.

A row's HTML follows from its record, the language and the day. It is remembered under just these,
so it cannot be out of date, and nobody has to tell that something changed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Iterable
from functools import lru_cache

from flask import current_app
from markupsafe import Markup

from b2bcrm.web.locale import current_locale

REMEMBERED = 2048

Draw = Callable[[Iterable[Hashable], dt.date], list[Markup]]


def drawn_by(template: str) -> Draw:
    """Draws records by macro ``row`` of ``template``, which must show nothing but the record."""

    @lru_cache(maxsize=REMEMBERED)
    def drawn(record: Hashable, _today: dt.date, _locale: str) -> Markup:
        found: Markup = current_app.jinja_env.get_template(template).module.row(record)  # type: ignore[attr-defined]
        return found

    def draw(records: Iterable[Hashable], today: dt.date) -> list[Markup]:
        locale = current_locale()
        return [drawn(record, today, locale) for record in records]

    return draw
