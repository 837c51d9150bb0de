"""Rows of lists and tables, drawn once per content.

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


def drawn_by(template: str, macro: str = "row") -> Draw:
    """Draws records by a macro of ``template``, which must show nothing but its record."""

    @lru_cache(maxsize=REMEMBERED)
    def drawn(record: Hashable, _today: dt.date, _locale: str) -> Markup:
        module = current_app.jinja_env.get_template(template).module
        found: Markup = getattr(module, macro)(record)
        return found

    def draw(records: Iterable[Hashable], today: dt.date) -> list[Markup]:
        locale = current_locale()
        return [drawn(record, today, locale) for record in records]

    return draw
