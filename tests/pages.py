"""Orders with everything a page can show of them, for tests of the order pages."""

from __future__ import annotations

import datetime as dt
from typing import Any

from b2bcrm.catalog.models import Item
from b2bcrm.fulfillment.models import (
    Invoice,
    LineProjection,
    OrderProjection,
    Promise,
    Shipment,
    ShipmentLine,
)
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import Stage, Status
from b2bcrm.orders.models import Order
from tests.factories import D, make_line, make_order

PROMISED, PROJECTED = dt.date(2026, 12, 15), dt.date(2026, 12, 18)
SUPPLIER = "Tai-Hung Special Steel"
CAUSE = Message(
    "%(no)s (%(item)s) comes on %(day)s, not %(was)s.",
    no="PO-33107",
    item="RB-25",
    day=dt.date(2026, 11, 30),
    was=dt.date(2026, 11, 20),
)


def link(kind: str, no: str, depth: int, **facts: Any) -> dict[str, Any]:
    """A row of a supply chain as fulfillment stores it."""
    values = {
        "depth": depth,
        "kind": kind,
        "no": no,
        "line_no": 10,
        "item": "RB-25",
        "qty": "60",
        "start": None,
        "end": "2026-11-30",
        "was": "2026-11-20",
        "delay": 6,
        "slack": 0,
        "short": "0",
        "critical": True,
        "finished": False,
        "overdue": False,
        "detail": SUPPLIER,
        "center": "",
    }
    return values | facts


CHAIN = [
    link("work_order", "WO-88190", 1, detail="released", center="H-1", start="2026-12-01"),
    link("purchase_order", "PO-33107", 2),
]
STATIONS = {
    code: {"state": state, "qty": qty}
    for code, state, qty in (
        ("prep", "past", "0"),
        ("turning", "none", "0"),
        ("heat", "past", "0"),
        ("grinding", "here", "7"),
        ("assembly", "here", "3"),
        ("test", "ahead", "0"),
        ("packing", "ahead", "0"),
        ("ready", "ahead", "0"),
    )
}


def project_line(work: Work, order: Order, line_no: int = 10, **facts: Any) -> LineProjection:
    """What we expect of a line: three working days late, because of a supplier."""
    line = order.line(line_no)
    assert line is not None
    values = {
        "order_line_id": line.id,
        "order_id": order.id,
        "projected_on": PROJECTED,
        "buffer_days": -3,
        "stage": Stage.PRODUCTION,
        "status": Status.LATE,
        "status_reason": Message("Late %(days)s wd", days=3),
        "material_pct": 87,
        "production_pct": 18,
        "progress_pct": 18,
        "plan_pct": 46,
        "now_at": Message("%(station)s, %(qty)s of %(total)s", station="G-2", qty=7, total=10),
        "cause_kind": "material",
        "cause": CAUSE,
        "next_step": Message("Have %(no)s delivered earlier.", no="PO-33107"),
        "chain": CHAIN,
        "stations": STATIONS,
        "computed_at": work.now,
    }
    row = LineProjection(**(values | facts))
    work.session.add(row)
    work.session.flush()
    return row


def project_order(work: Work, order: Order, **facts: Any) -> OrderProjection:
    """The order's own row, as the worst line decides."""
    values = {
        "order_id": order.id,
        "account_id": order.account_id,
        "requested_on": dt.date(2026, 12, 11),
        "promised_on": PROMISED,
        "projected_on": PROJECTED,
        "buffer_days": -3,
        "stage": Stage.PRODUCTION,
        "stage_pct": 41,
        "status": Status.LATE,
        "status_reason": Message("Late %(days)s wd", days=3),
        "deciding_line_no": 10,
        "cause_kind": "material",
        "cause": CAUSE,
        "next_step": Message("Have %(no)s delivered earlier.", no="PO-33107"),
        "open_value": D(7220),
        "stages": {
            "order": {"status": "done", "pct": 100},
            "material": {"status": "done", "pct": 100},
            "production": {"status": "late", "pct": 41},
            "shipping": {"status": "idle", "pct": 0},
            "delivered": {"status": "idle", "pct": 0},
        },
        "computed_at": work.now,
    }
    row = OrderProjection(**(values | facts))
    work.session.add(row)
    work.session.flush()
    return row


def full_order(work: Work, account: Any = None, *, lines: int = 1, **facts: Any) -> Order:
    """An order on its way: late, with promises, one shipment and one open invoice."""
    item: Item | None = facts.pop("item", None)
    order = make_order(
        work,
        account,
        lines=[make_line(work, item, line_no=10 * (n + 1)) for n in range(lines)],
        **facts,
    )
    for line in order.lines:
        project_line(work, order, line.line_no)
        work.session.add(
            Promise(
                order_line_id=line.id,
                kind="first",
                promised_on=PROMISED,
                reason=Message("Order confirmed"),
                by_name="Mei-Ling Lin",
                at=work.now,
            )
        )
    project_order(work, order)
    shipment = Shipment(
        no=f"DN-{order.no}",
        account_id=order.account_id,
        shipped_on=dt.date(2026, 11, 13),
        delivered_on=dt.date(2026, 11, 16),
        carrier="DHL",
        tracking_no=f"T-{order.id}",
    )
    shipment.lines = [ShipmentLine(order_line_id=order.lines[0].id, qty=D(4))]
    order.lines[0].shipped_qty = order.lines[0].delivered_qty = D(4)
    work.session.add(shipment)
    work.session.add(
        Invoice(
            no=f"IV-{order.no}",
            account_id=order.account_id,
            order_id=order.id,
            invoiced_on=dt.date(2026, 11, 13),
            due_on=dt.date(2027, 1, 12),
            currency=order.currency,
            total=D("80.00"),
            open_amount=D("35.50"),
        )
    )
    work.session.flush()
    return order
