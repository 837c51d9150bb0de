"""Rows that the account tests share: a projection, a delivery."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from b2bcrm.fulfillment.models import OrderProjection, Shipment, ShipmentLine
from b2bcrm.kernel.words import Message
from b2bcrm.orders.lifecycle import Stage, Status

D = Decimal
TODAY = dt.date(2026, 11, 17)


def projection(work, order, **facts) -> OrderProjection:
    values = {
        "order_id": order.id,
        "account_id": order.account_id,
        "promised_on": dt.date(2026, 12, 15),
        "requested_on": dt.date(2026, 12, 11),
        "projected_on": dt.date(2026, 12, 18),
        "stage": Stage.MATERIAL,
        "stage_pct": 87,
        "status": Status.LATE,
        "status_reason": Message("Late %(days)s wd", days=3),
        "open_value": D(185300),
        "computed_at": work.now,
    }
    row = OrderProjection(**(values | facts))
    work.session.add(row)
    work.session.flush()
    return row


def delivered(work, order, on: dt.date, qty: int = 10, *, arrived: dt.date | None = None) -> None:
    line = order.lines[0]
    shipment = Shipment(
        no=f"DN{line.id}-{on}",
        account_id=order.account_id,
        shipped_on=on,
        delivered_on=arrived or on,
    )
    shipment.lines = [ShipmentLine(order_line_id=line.id, qty=D(qty))]
    work.session.add(shipment)
    line.shipped_qty += D(qty)
    line.delivered_qty += D(qty)
    work.session.flush()
