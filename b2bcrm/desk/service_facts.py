"""What a case's page shows beside the case: its line's deliveries, and the line's way to here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.fulfillment.models import Shipment, ShipmentLine
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.service.lifecycle import CaseState
from b2bcrm.service.queries import CasePage
from b2bcrm.web.locale import say

_MAX_SHOWN = 20


@dataclass(frozen=True)
class LineDelivery:
    """Pieces of one line in one shipment."""

    shipment_no: str
    qty: Decimal
    shipped_on: dt.date
    delivered_on: dt.date | None
    carrier: str
    tracking_no: str
    received_at: dt.datetime | None


def deliveries_of_line(work: Work, order_line_id: int | None) -> list[LineDelivery]:
    """Shipments of an order line, the newest first. For staff pages only."""
    if order_line_id is None:
        return []
    query = (
        sa.select(Shipment, ShipmentLine.qty)
        .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
        .where(ShipmentLine.order_line_id == order_line_id)
        .order_by(Shipment.shipped_on.desc(), Shipment.id.desc())
        .limit(_MAX_SHOWN)
    )
    return [
        LineDelivery(
            shipment_no=shipment.no,
            qty=qty,
            shipped_on=shipment.shipped_on,
            delivered_on=shipment.delivered_on,
            carrier=shipment.carrier,
            tracking_no=shipment.tracking_no,
            received_at=shipment.received_at,
        )
        for shipment, qty in work.session.execute(query)
    ]


def way_of_line(
    page: CasePage, deliveries: Sequence[LineDelivery], short: Callable[[dt.date], str]
) -> list[dict[str, Any]]:
    """The eight stages of the line that the case is about, the case itself last.

    From the line's own exact quantities; ``short`` writes a date in the reader's manner. Empty
    without a line.
    """
    if page.order is None or page.line is None:
        return []
    quoted = {"status": "done"}
    if page.order.quote_id is None:  # an order that was first seen in the ERP
        quoted = {"status": "idle", "when": say(Message("not recorded"))}
    stages: list[dict[str, Any]] = [
        dict(quoted),
        dict(quoted),
        {"status": "done", "when": short(page.order.ordered_on)},
        *_made(page.order, page.line),
        *_sent(page.line, deliveries, short),
    ]
    finished = page.case.state in {CaseState.SOLVED, CaseState.CLOSED}
    status = "done" if finished else page.clocks.next.status
    used = round((1 - page.clocks.solve.share_left) * 100)
    here = {"status": status, "p": used, "plain": True, "when": say(Message("this case"))}
    return [*stages, here]


def _made(order: Order, line: OrderLine) -> list[dict[str, Any]]:
    """Material and production: what has left the house was made, whatever was reported."""
    made = max(line.produced_qty, line.shipped_qty)
    if made >= line.due_qty or order.closed_at is not None:
        return [{"status": "done"}, {"status": "done"}]
    share = round(made * 100 / line.due_qty)
    return [{"status": "done" if made else "ok"}, {"status": "ok", "p": share}]


def _sent(
    line: OrderLine, deliveries: Sequence[LineDelivery], short: Callable[[dt.date], str]
) -> list[dict[str, Any]]:
    """Shipping and delivery with their last dates; a part of the quantity as a share."""
    shipped_on = max((d.shipped_on for d in deliveries), default=None)
    delivered_on = max((d.delivered_on for d in deliveries if d.delivered_on), default=None)
    result = []
    for qty, on in ((line.shipped_qty, shipped_on), (line.delivered_qty, delivered_on)):
        stage: dict[str, Any] = {"status": "done", "when": short(on) if on else ""}
        if qty < line.due_qty:
            stage.update(status="ok", p=round(qty * 100 / line.due_qty))
        result.append(stage)
    return result
