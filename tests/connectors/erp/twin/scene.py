"""A clock that tests move, order drafts, and all records of a twin at once."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from b2bcrm.ports.erp import Entity, OrderDraft, OrderDraftLine

TODAY = dt.date(2026, 11, 17)
MORNING = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)  # 09:40 in Taichung


class Clock:
    def __init__(self, now=MORNING):
        self.now = now

    def __call__(self):
        return self.now

    def move(self, **delta):
        self.now += dt.timedelta(**delta)
        return self.now


def everything(world, entity):
    """All records of an entity, page by page."""
    records, cursor = [], None
    while True:
        page = world.list(entity, cursor=cursor, page_size=200)
        records += page.records
        cursor = page.next_cursor
        if cursor is None:
            return records


def dump(world):
    return {entity: everything(world, entity) for entity in Entity}


def draft(reference="SO-26-20001/0", **changes):
    """A valid order of two lines for a customer who takes parts."""
    lines = changes.pop("lines", None) or (line(10), line(20, "LG-25HA-2-1200", 30))
    values = {
        "reference": reference, "customer": "20463", "customer_po": "PO77001",
        "ordered_on": TODAY, "currency": "USD", "ship_to": "01", "incoterm": "FCA",
        "incoterm_place": "Taichung", "payment_terms": "NET45", "site": "TC1", "note": "",
        "lines": lines,
    }  # fmt: skip
    return OrderDraft(**(values | changes))


def line(no, item="SW-25-100-U", qty=20, **changes):
    values = {
        "line_no": no, "item": item, "qty": Decimal(qty), "uom": "PCS",
        "unit_price": Decimal("1250.00"), "discount_pct": Decimal(0),
        "requested_on": dt.date(2027, 1, 15), "promised_on": dt.date(2027, 1, 22),
    }  # fmt: skip
    return OrderDraftLine(**(values | changes))
