"""Pieces of a page: rendered once for the same values, and never shown for others."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import pytest
from jinja2 import DictLoader

from b2bcrm.web import pieces
from b2bcrm.web.work import reading

TEMPLATE = """
{% macro row(r, more="") %}
{{ count() }}<b>{{ r.name }}</b>{{ _("Orders") }} {{ r.on|day }}{{ more }}
{% endmacro %}
"""


class Row(NamedTuple):
    name: str
    on: dt.date = dt.date(2026, 12, 15)


@pytest.fixture
def drawn(app, client):
    """Renders a template in a request; ``drawn.calls`` tells how often the macro ran."""
    calls = []
    app.jinja_env.loader = DictLoader({"parts.html": TEMPLATE})
    app.jinja_env.globals["count"] = lambda: calls.append(1) or ""

    def draw(source, *, language="en", today=None, **values):
        with app.test_request_context(headers={"Accept-Language": language}):
            work = reading()
            if today is not None:
                work.now = dt.datetime.combine(today, dt.time(4), dt.UTC)
            return app.jinja_env.from_string(source).render(**values)

    draw.calls = calls
    return draw


ONE = '{{ piece("parts.html", "row", r) }}'
ALL = '{{ pieces("parts.html", "row", rows, more) }}'


def test_equal_values_are_rendered_once(drawn):
    first = drawn(ONE, r=Row("SO-1"))
    assert "<b>SO-1</b>" in first
    assert drawn(ONE, r=Row("SO-1")) == first
    assert len(drawn.calls) == 1


def test_any_other_value_is_rendered_anew(drawn):
    drawn(ONE, r=Row("SO-1"))
    assert "SO-2" in drawn(ONE, r=Row("SO-2"))
    assert "16 Dec" in drawn(ONE, r=Row("SO-1", dt.date(2026, 12, 16)))
    assert len(drawn.calls) == 3


def test_language_and_business_day_count_as_values(drawn):
    assert "Orders 15 Dec" in drawn(ONE, r=Row("SO-1"))
    assert "訂單 12月15日" in drawn(ONE, r=Row("SO-1"), language="zh-TW")
    assert "15 Dec 2026" in drawn(ONE, r=Row("SO-1"), today=dt.date(2027, 1, 4))
    assert len(drawn.calls) == 3


def test_of_a_list_only_what_changed_is_rendered(drawn):
    rows = [Row("SO-1"), Row("SO-2"), Row("SO-3")]
    drawn(ALL, rows=rows, more="x")
    page = drawn(ALL, rows=[rows[0], Row("SO-9"), rows[2]], more="x")
    assert [page.count(no) for no in ("SO-1", "SO-9", "SO-3", "SO-2")] == [1, 1, 1, 0]
    assert len(drawn.calls) == 4


def test_values_are_escaped_as_anywhere(drawn):
    assert "&lt;script&gt;" in drawn(ONE, r=Row("<script>"))


def test_memory_is_bounded(drawn):
    rows = [Row(str(n)) for n in range(pieces.KEPT + 1)]
    drawn(ALL, rows=rows, more="")
    drawn.calls.clear()
    drawn(ALL, rows=rows[-1:], more="")
    assert not drawn.calls
    drawn(ALL, rows=rows[:1], more="")
    assert len(drawn.calls) == 1


def test_while_templates_are_edited_nothing_is_remembered(app, drawn):
    app.debug = True
    pieces.init_app(app)
    drawn(ONE, r=Row("SO-1"))
    drawn(ONE, r=Row("SO-1"))
    assert len(drawn.calls) == 2
