"""What fulfillment knows of one order's lines, for staff or for the customer.

The customer's version leaves out causes, next steps, the supply chain and who decided what:
they name suppliers and our inside.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.fulfillment.models import LineProjection, Promise, Shipment, ShipmentLine
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import Stage, Status
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.queries import visible_to


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """Pieces of one line in one shipment."""

    shipment_id: int
    no: str
    qty: Decimal
    shipped_on: dt.date
    delivered_on: dt.date | None
    received_at: dt.datetime | None
    received_by: str
    carrier: str
    tracking_no: str


@dataclass(frozen=True, kw_only=True)
class PromiseEntry:
    """One promise; ``reason`` and ``by_name`` are for staff only."""

    kind: str
    promised_on: dt.date
    previous_on: dt.date | None
    at: dt.datetime
    reason: Message | None
    by_name: str


@dataclass(frozen=True)
class LineView:
    """A line's promises (newest first), deliveries and projection; no status before the first."""

    line_id: int
    line_no: int
    promises: list[PromiseEntry]
    deliveries: list[Delivery]
    projected_on: dt.date | None = None
    buffer_days: int | None = None
    stage: Stage | None = None
    status: Status | None = None
    status_reason: Message | None = None
    material_pct: int = 0
    production_pct: int = 0
    now_at: Message | None = None
    stations: dict[str, Any] = field(default_factory=dict)
    computed_at: dt.datetime | None = None
    cause_kind: str = ""
    cause: Message | None = None
    next_step: Message | None = None
    chain: list[dict[str, Any]] = field(default_factory=list)


def line_views(work: Work, order_id: int) -> list[LineView]:
    """The lines of a visible order, as the actor may see them; NotFound otherwise."""
    inside = not work.actor.is_portal
    seen = visible_to(work.actor).where(Order.id == order_id).with_only_columns(Order.id)
    query = (
        sa.select(OrderLine.id, OrderLine.line_no, LineProjection)
        .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
        .where(OrderLine.order_id.in_(seen), sa.not_(OrderLine.cancelled))
        .order_by(OrderLine.line_no)
    )
    lines = work.session.execute(query).all()
    if not lines:
        raise not_found(Message("This order"))
    ids = [line_id for line_id, _no, _projection in lines]
    promises, deliveries = _promises(work, ids, inside=inside), _deliveries(work, ids)
    return [
        _view((line_id, line_no), p, promises[line_id], deliveries[line_id], inside=inside)
        for line_id, line_no, p in lines
    ]


def _view(
    key: tuple[int, int],
    p: LineProjection | None,
    promises: list[PromiseEntry],
    deliveries: list[Delivery],
    *,
    inside: bool,
) -> LineView:
    if p is None:
        return LineView(key[0], key[1], promises, deliveries)
    return LineView(
        key[0],
        key[1],
        promises,
        deliveries,
        projected_on=p.projected_on,
        buffer_days=p.buffer_days,
        stage=p.stage,
        status=p.status,
        status_reason=p.status_reason,
        material_pct=p.material_pct,
        production_pct=p.production_pct,
        now_at=p.now_at,
        stations=p.stations,
        computed_at=p.computed_at,
        cause_kind=p.cause_kind if inside else "",
        cause=p.cause if inside else None,
        next_step=p.next_step if inside else None,
        chain=p.chain if inside else [],
    )


def _promises(work: Work, line_ids: list[int], *, inside: bool) -> dict[int, list[PromiseEntry]]:
    found: dict[int, list[PromiseEntry]] = defaultdict(list)
    query = sa.select(Promise).where(Promise.order_line_id.in_(line_ids))
    for row in work.session.scalars(query.order_by(Promise.id.desc())):
        found[row.order_line_id].append(
            PromiseEntry(
                kind=row.kind,
                promised_on=row.promised_on,
                previous_on=row.previous_on,
                at=row.at,
                reason=row.reason if inside else None,
                by_name=row.by_name if inside else "",
            )
        )
    return found


def _deliveries(work: Work, line_ids: list[int]) -> dict[int, list[Delivery]]:
    found: dict[int, list[Delivery]] = defaultdict(list)
    query = (
        sa.select(ShipmentLine.order_line_id, ShipmentLine.qty, Shipment)
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ShipmentLine.order_line_id.in_(line_ids))
        .order_by(Shipment.shipped_on.desc(), Shipment.id.desc())
    )
    for line_id, qty, row in work.session.execute(query):
        found[line_id].append(
            Delivery(
                shipment_id=row.id,
                no=row.no,
                qty=qty,
                shipped_on=row.shipped_on,
                delivered_on=row.delivered_on,
                received_at=row.received_at,
                received_by=row.received_by,
                carrier=row.carrier,
                tracking_no=row.tracking_no,
            )
        )
    return found
