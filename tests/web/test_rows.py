"""Rows of lists are remembered as pieces: what is remembered is never out of date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest
from jinja2 import meta

from b2bcrm.desk import order_rows as desk
from b2bcrm.kernel.words import Message
from b2bcrm.orders.lifecycle import ErpSync, OrderState, Stage, Status
from b2bcrm.orders.models import Origin
from b2bcrm.portal import order_rows as portal
from b2bcrm.web.work import reading

DESK = desk.OrderRow(
    no="SO-26-00001",
    state=OrderState.CONFIRMED,
    origin=Origin.QUOTE,
    customer_po="PO-1",
    total=Decimal("1200.00"),
    currency="EUR",
    rate=Decimal(35),
    ordered_on=dt.date(2026, 10, 1),
    hold_reason=None,
    erp_sync=ErpSync.ACCEPTED,
    erp_no="S-1",
    account_id=7,
    account="Kessler",
    country="DE",
    requested_on=dt.date(2026, 12, 1),
    promised_on=dt.date(2026, 12, 2),
    projected_on=dt.date(2026, 12, 3),
    stage=Stage.MATERIAL,
    stage_pct=40,
    status=Status.LATE,
    status_reason=Message("Late %(days)s wd", days=1),
    cause=Message("Line %(line)s: %(cause)s", line=10, cause="x"),
    next_step=None,
    base_currency="TWD",
)
PORTAL = portal.OrderRow(
    no="SO-26-00001",
    state=OrderState.CONFIRMED,
    customer_po="PO-1",
    total=Decimal("1200.00"),
    currency="EUR",
    ordered_on=dt.date(2026, 10, 1),
    requested_on=dt.date(2026, 12, 1),
    promised_on=dt.date(2026, 12, 2),
    projected_on=dt.date(2026, 12, 3),
    stage=Stage.MATERIAL,
    stage_pct=40,
    status=Status.OK,
    asked=False,
)
OTHERS = {
    "state": [OrderState.SUBMITTED, OrderState.CLOSED, OrderState.CANCELLED],
    "total": [Decimal("1200.01")],
    "rate": [Decimal(36)],
    "currency": ["USD"],
    "base_currency": ["EUR"],
    "hold_reason": ["Credit"],
    "erp_sync": [ErpSync.WAITING, ErpSync.REFUSED, ErpSync.UNKNOWN],
    "account_id": [8],
    "stage": [Stage.SHIPPING, None],
    "stage_pct": [41, None],
    "status": [Status.OK, Status.RISK, Status.DONE, None],
    "status_reason": [Message("Late %(days)s wd", days=2), None],
    "cause": [Message("Line %(line)s: %(cause)s", line=20, cause="x"), None],
    "requested_on": [dt.date(2027, 1, 1), None],
    "promised_on": [dt.date(2027, 1, 2), None],
    "projected_on": [dt.date(2027, 1, 3), None],
    "no": ["SO-26-00002"],
    "customer_po": ["", "<PO>"],
    "account": ["Kessler & Co"],
    "country": ["", "JP"],
    "asked": [True],
}
LISTS = {"desk/order_row.html": DESK, "portal/order_row.html": PORTAL}
FROM_VALUES = {"_", "today"}  # language and day count as values


def changed(row) -> Iterator[desk.OrderRow | portal.OrderRow]:
    """The row with one of its fields changed, each in turn."""
    for name, values in OTHERS.items():
        if name in row._fields:
            yield from (row._replace(**{name: value}) for value in values)


@pytest.mark.parametrize("template", [*LISTS, "desk/order_parts.html"])
def test_a_piece_shows_nothing_but_its_values(app, template):
    english = app.jinja_env.of("en")
    source = english.loader.get_source(english, template)[0]
    assert meta.find_undeclared_variables(english.parse(source)) <= FROM_VALUES


@pytest.mark.db
@pytest.mark.parametrize("template", LISTS)
def test_a_row_of_which_anything_changed_is_drawn_anew(app, template):
    row = LISTS[template]
    with app.test_request_context("/"):
        reading()
        piece = app.jinja_env.globals["piece"]
        piece(template, "row", row)
        plain = app.jinja_env.get_template(template).module.row
        for other in changed(row):
            assert piece(template, "row", other) == plain(other), other
