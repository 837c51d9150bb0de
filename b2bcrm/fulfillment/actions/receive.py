"""The customer says that a delivery reached him; delivered quantities follow from shipments."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.fulfillment.actions.projecting import project
from b2bcrm.fulfillment.events import ShipmentReceived
from b2bcrm.fulfillment.models import Shipment, ShipmentLine
from b2bcrm.kernel.errors import Conflict, NotAllowed, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.actions import LineQuantities, record_quantities
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.queries import locked


def confirm_receipt(work: Work, shipment_id: int) -> Shipment:
    """A buyer confirms a delivery of his own account; done once.

    Raises NotFound for another account's shipment, Conflict when it was confirmed before.
    """
    if not work.actor.is_portal:
        raise NotAllowed(Message("Only the customer confirms a receipt."))
    shipment = work.session.scalar(
        sa.select(Shipment)
        .where(Shipment.id == shipment_id, Shipment.account_id == work.actor.account_id)
        .options(selectinload(Shipment.lines))
        .with_for_update()
    )
    if shipment is None:
        raise not_found(Message("This shipment"))
    if shipment.received_at is not None:
        raise Conflict(
            Message("%(by)s has already confirmed this receipt.", by=shipment.received_by)
        )
    shipment.received_at, shipment.received_by = work.now, work.actor.name
    if shipment.delivered_on is None:
        shipment.delivered_on = work.today
    order_ids = orders_of_lines(work, {line.order_line_id for line in shipment.lines})
    for order_id in sorted(order_ids):
        work.publish(
            ShipmentReceived(
                subject_id=shipment.id,
                order_id=order_id,
                account_id=shipment.account_id,
                shipment_no=shipment.no,
                by=work.actor.name,
            )
        )
    add_up(work, {line.order_line_id for line in shipment.lines})
    project(work, order_ids)
    return shipment


def orders_of_lines(work: Work, line_ids: Collection[int]) -> set[int]:
    """The orders that the lines belong to."""
    query = sa.select(OrderLine.order_id).where(OrderLine.id.in_(line_ids)).distinct()
    return set(work.session.scalars(query))


def add_up(work: Work, line_ids: Collection[int]) -> set[int]:
    """Write shipped and delivered quantities of the lines as their shipments add up.

    Answers the ids of orders that changed.
    """
    if not line_ids:
        return set()
    work.session.flush()  # flush: the sums are taken by the database
    # Whoever adds up the same lines at the same time waits here, and then sees our shipments.
    ids = sa.select(OrderLine.order_id).where(OrderLine.id.in_(line_ids))
    work.session.execute(locked(sa.select(Order.id).where(Order.id.in_(ids))))
    arrived = sa.case((Shipment.delivered_on.is_not(None), ShipmentLine.qty), else_=Decimal(0))
    query = (
        sa.select(
            ShipmentLine.order_line_id,
            sa.func.sum(ShipmentLine.qty, type_=ShipmentLine.qty.type),
            sa.func.sum(arrived, type_=ShipmentLine.qty.type),
        )
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ShipmentLine.order_line_id.in_(line_ids))
        .group_by(ShipmentLine.order_line_id)
    )
    sums = {line_id: (sent, there) for line_id, sent, there in work.session.execute(query)}
    none = (Decimal(0), Decimal(0))
    changes = [
        LineQuantities(
            order_line_id=line_id,
            shipped_qty=sums.get(line_id, none)[0],
            delivered_qty=sums.get(line_id, none)[1],
        )
        for line_id in sorted(line_ids)
    ]
    return record_quantities(work, changes)
