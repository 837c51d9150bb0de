"""What a case's page shows from fulfillment: the deliveries of the line it is about."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.fulfillment.models import Shipment, ShipmentLine
from b2bcrm.kernel.work import Work

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
