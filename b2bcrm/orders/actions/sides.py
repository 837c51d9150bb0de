"""One order as flat texts by field, ours and theirs, so that the two can be compared.

A field of the head has its bare name, one of a line ``<line>.<name>``. ``<line>.line`` says
whether the line is there at all; the rest of a line is compared only where both sides have it.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from b2bcrm.kernel.money import digits
from b2bcrm.orders.models import Order, OrderLine, OrderRevision
from b2bcrm.ports.erp import OrderDraft, OrderDraftLine, SalesOrder, SalesOrderLine
from b2bcrm.sync.ownership import text_of

Values = dict[str, str]
THERE, NOT_THERE = "present", ""
OPEN, CANCELLED = "open", "cancelled"
HEAD = ("customer_po", "ship_to", "incoterm", "incoterm_place", "payment_terms")
LINE = ("item", "qty", "uom", "unit_price", "discount_pct", "requested_on")
SEALED_HEAD = ("customer_po", "payment_terms")
SEALED_LINE = ("qty", "unit_price", "discount_pct", "requested_on")


def split(field: str) -> tuple[int | None, str]:
    """Line number (None for the head) and bare name of a field."""
    line, _, name = field.rpartition(".")
    return (int(line) if line else None), name


def theirs(record: SalesOrder) -> Values:
    """What the ERP holds. Of a cancelled order only that; a price is per one unit."""
    if record.status == CANCELLED:
        return {"status": CANCELLED}
    values = {"status": OPEN} | {name: getattr(record, name) for name in HEAD}
    if record.total is not None:
        values["total"] = text_of(record.total) or ""
    for line in record.lines:
        if line.status == CANCELLED and not line.shipped_qty:
            values[f"{line.line_no}.line"] = NOT_THERE
            continue
        per_one = dataclasses.replace(line, unit_price=line.unit_price / (line.price_per or 1))
        values |= _line_values(per_one)
    return values


def ours(order: Order, item_nos: Mapping[int, str], ship_to: str) -> Values:
    """What we agreed. What the order's head does not say is left to the ERP."""
    values = {
        "status": OPEN,
        "total": text_of(order.total) or "",
        "customer_po": order.customer_po,
        "ship_to": ship_to,
        "incoterm": order.incoterm,
        "incoterm_place": order.incoterm_place,
        "payment_terms": order.payment_terms,
    }
    values = {name: value for name, value in values.items() if value}
    for line in order.lines:
        no = line.line_no
        if line.cancelled:
            values[f"{no}.line"] = NOT_THERE
            continue
        values |= {
            f"{no}.line": THERE,
            f"{no}.item": item_nos[line.item_id],
            f"{no}.qty": text_of(line.ordered_qty) or "",
            f"{no}.uom": line.unit,
            f"{no}.unit_price": text_of(line.unit_price) or "",
            f"{no}.discount_pct": text_of(line.discount_pct) or "",
            f"{no}.requested_on": line.requested_on.isoformat(),
        }
    return values


def drafted(draft: OrderDraft) -> Values:
    """What a draft would have the ERP hold."""
    values = {"status": OPEN} | {name: getattr(draft, name) for name in HEAD}
    values = {name: value for name, value in values.items() if value}
    for line in draft.lines:
        values |= _line_values(line)
    return values


def sealed(revision: OrderRevision) -> Values:
    """What a revision has sealed, as far as it names it: what was sent under its number."""
    content = revision.snapshot
    values: Values = {name: content[name] for name in SEALED_HEAD}
    for line in content["lines"]:
        no = line["line_no"]
        values[f"{no}.line"] = NOT_THERE if line["cancelled"] else THERE
        for name in SEALED_LINE:
            value = line[name]
            if name != "requested_on":
                value = text_of(Decimal(value))
            values[f"{no}.{name}"] = value
        values[f"{no}.promised_on"] = line["promised_on"] or ""
    return values


def sent_as(reference: str, sealed_by_amendment: Mapping[int, Values]) -> list[Values]:
    """What may have gone to the ERP under a reference: its own amendment and every later one.

    A push sends the order as it stands when it goes, which may be further on than its number.
    """
    number = reference.rpartition("/")[2]
    if not number.isdecimal():
        return []
    return [values for no, values in sealed_by_amendment.items() if no >= int(number)]


def differing(mine: Mapping[str, str], shown: Mapping[str, str]) -> list[str]:
    """The fields that both sides say and that are not the same, and lines that one side lacks."""
    mine, shown = both_sides(mine, shown)
    return [f for f in mine if f in shown and mine[f] != shown[f] and f != "total"]


def both_sides(mine: Mapping[str, str], shown: Mapping[str, str]) -> tuple[Values, Values]:
    """The two with each line said by both: a line that one side does not name is not there."""
    if shown.get("status") == CANCELLED:
        return dict(mine), dict(shown)
    one, other = dict(mine), dict(shown)
    for field in {*mine, *shown}:
        if field.endswith(".line"):
            one.setdefault(field, NOT_THERE)
            other.setdefault(field, NOT_THERE)
    return one, other


def line_detail(record: SalesOrder, line_no: int) -> dict[str, Any] | None:
    """What taking over a line that is only there needs."""
    line = next((row for row in record.lines if row.line_no == line_no), None)
    if line is None:
        return None
    return {
        "item": line.item,
        "qty": str(line.qty),
        "uom": line.uom,
        "unit_price": str(line.unit_price / (line.price_per or 1)),
        "discount_pct": str(line.discount_pct),
        "requested_on": line.requested_on.isoformat(),
        "promised_on": line.promised_on.isoformat(),
        "planned_on": line.planned_on.isoformat() if line.planned_on else None,
        "customer_part_no": line.customer_part_no,
        "customer_po_line": line.customer_po_line,
    }


def line_from(detail: Mapping[str, Any], line_no: int, item_id: int) -> OrderLine:
    """A line of ours as ``line_detail`` tells of it; its first promise is the ERP's date."""

    def day(name: str) -> dt.date | None:
        return dt.date.fromisoformat(detail[name]) if detail[name] else None

    promised = day("promised_on")
    return OrderLine(
        line_no=line_no,
        item_id=item_id,
        unit=detail["uom"],
        ordered_qty=Decimal(detail["qty"]),
        unit_price=Decimal(detail["unit_price"]),
        discount_pct=Decimal(detail["discount_pct"]),
        requested_on=dt.date.fromisoformat(detail["requested_on"]),
        first_promised_on=promised,
        promised_on=promised,
        planned_on=day("planned_on"),
        customer_part_no=detail["customer_part_no"],
        customer_po_line=detail["customer_po_line"],
    )


def tolerance(order: Order) -> Decimal:
    """How far the two totals may be apart: rounding of half a minor unit on each line."""
    unit = Decimal(1).scaleb(-digits(order.currency))
    return unit * max(1, sum(not line.cancelled for line in order.lines)) / 2


def _line_values(line: SalesOrderLine | OrderDraftLine) -> Values:
    no = line.line_no
    values = {f"{no}.{name}": text_of(getattr(line, name)) or "" for name in LINE}
    return {f"{no}.line": THERE} | values
