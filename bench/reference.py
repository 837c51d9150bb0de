"""The reference page: plain Flask, 50 rows of one query in a Jinja table; nothing of ours.

Served the same way as the product, in the same run, so that the ratio says what our pages add.
"""

from __future__ import annotations

import os
import sqlite3

from flask import Flask, render_template_string

PAGE = """<!doctype html><html><head><title>Orders</title></head><body><table>
{% for row in rows %}<tr>{% for cell in row %}<td>{{ cell }}</td>{% endfor %}</tr>{% endfor %}
</table></body></html>"""


def make_app() -> Flask:
    """The application; BENCH_DATABASE names the product's SQLite file."""
    app = Flask(__name__)
    path = os.environ["BENCH_DATABASE"]

    @app.get("/reference")
    def page() -> str:
        with sqlite3.connect(path) as connection:
            rows = connection.execute(
                'SELECT no, state, currency, total, ordered_on, customer_po FROM "order"'
                " ORDER BY id DESC LIMIT 50"
            ).fetchall()
        return render_template_string(PAGE, rows=rows)

    return app
