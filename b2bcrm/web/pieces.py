"""Pieces of a page that follow from values alone are rendered once and remembered.

``piece(template, macro, *values)`` in a template is the text of that macro for these values, and
``pieces(template, macro, rows, *values)`` one after another for each row. Values compare by what
they hold (text, numbers, dates, tuples of them), and they are all that the macro may look at,
besides the reader's language and the business day, which count as values too. So a remembered
piece is what would be rendered now, whoever asked for it first: a list that is fetched again
because one row changed renders one row.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Any

from flask import Flask
from markupsafe import Markup

from b2bcrm.web.locale import current_locale
from b2bcrm.web.work import current_work

KEPT = 4096  # a kilobyte or two each


def init_app(app: Flask) -> None:
    """Give templates ``piece`` and ``pieces``."""
    env = app.jinja_env

    def render(
        template: str,
        macro: str,
        _language_and_day: tuple[str, dt.date | None],
        *values: Hashable,
    ) -> Markup:
        module: Any = env.get_template(template).module
        return Markup(getattr(module, macro)(*values))  # noqa: S704 - a macro escapes its values

    # While templates are edited, nothing is remembered of what they were.
    remembered = render if app.debug else lru_cache(maxsize=KEPT)(render)

    def language_and_day() -> tuple[str, dt.date | None]:
        work = current_work()
        return current_locale(), None if work is None else work.today

    def piece(template: str, macro: str, *values: Hashable) -> Markup:
        return remembered(template, macro, language_and_day(), *values)

    def pieces(template: str, macro: str, rows: Iterable[Hashable], *values: Hashable) -> Markup:
        common = language_and_day()
        return Markup().join(remembered(template, macro, common, row, *values) for row in rows)

    env.globals.update(piece=piece, pieces=pieces)
