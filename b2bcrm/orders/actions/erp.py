"""What the ERP answered, written by the delivery handler only; and a person's wish to try again."""

from __future__ import annotations

import sqlalchemy as sa

from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import NotAllowed, Refused
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events, queries
from b2bcrm.orders.actions.life import PUSH, load, touch, wait_for_erp
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order


def accepted_by_erp(
    work: Work, order_id: int, *, erp_no: str, erp_version: str, amendment_no: int
) -> Order:
    """The ERP has the order as of an amendment, under ``erp_no``; a later one may still wait."""
    order = queries.by_id(work, order_id, for_update=True)
    first = order.erp_no is None
    order.erp_no, order.erp_version, order.erp_reason = erp_no, erp_version, None
    known_to_erp(work, order, amendment_no)
    if first:
        work.publish(
            events.OrderAcceptedByErp(
                subject_id=order.id,
                order_id=order.id,
                account_id=order.account_id,
                no=order.no,
                erp_no=erp_no,
            )
        )
    work.bump(f"order:{order.id}")
    return order


def known_to_erp(work: Work, order: Order, amendment_no: int) -> None:
    """Accepted, unless the delivery of a later amendment is open: then the order waits."""
    query = sa.select(outbox.Delivery.payload).where(
        outbox.Delivery.stream == f"order:{order.id}",
        outbox.Delivery.handler == PUSH,
        outbox.Delivery.state != outbox.DeliveryState.DONE,
    )
    later = any(row["amendment_no"] > amendment_no for row in work.session.scalars(query))
    if later:
        order.erp_sync = ErpSync.WAITING
    else:
        order.erp_sync, order.erp_since = ErpSync.ACCEPTED, work.now


def not_taken_by_erp(
    work: Work, order_id: int, *, reason: Message, refused: bool, unknown: bool
) -> Order:
    """It waits (since when stays), its outcome is unknown, or it was refused with a reason."""
    order = queries.by_id(work, order_id)
    order.erp_reason = reason
    if refused:
        order.erp_sync, order.erp_since = ErpSync.REFUSED, work.now
        work.publish(
            events.OrderRefusedByErp(
                subject_id=order.id,
                order_id=order.id,
                account_id=order.account_id,
                no=order.no,
                reason=reason,
            )
        )
    else:
        order.erp_sync = ErpSync.UNKNOWN if unknown else ErpSync.WAITING
    work.bump(f"order:{order.id}")
    return order


def unknown_to_erp(work: Work, order_id: int) -> Order:
    """Our order was cancelled before the ERP had taken it: nobody waits for the ERP any more."""
    order = queries.by_id(work, order_id)
    order.erp_sync, order.erp_since, order.erp_reason = ErpSync.NONE, None, None
    work.bump(f"order:{order.id}")
    return order


def send_again(work: Work, order_id: int, *, expected_version: int | None) -> Order:
    """Put the order's open delivery back in line, after a person has looked at the reason."""
    if not (work.actor.may(Right.ORDER) or work.actor.may(Right.OPERATE_ERP)):
        raise NotAllowed(Message("Your role does not allow this."))
    order = load(work, order_id, expected_version)
    query = (
        sa.select(outbox.Delivery.id)
        .where(
            outbox.Delivery.stream == f"order:{order.id}",
            outbox.Delivery.handler == PUSH,
            outbox.Delivery.state != outbox.DeliveryState.DONE,
        )
        .order_by(outbox.Delivery.id)
        .limit(1)
    )
    delivery_id = work.session.scalar(query)
    if delivery_id is None:
        raise Refused(Message("Nothing of this order waits for the ERP."), code="nothing_waits")
    outbox.retry(work.session, delivery_id, work.tick)
    wait_for_erp(work, order)
    touch(work, order)
    work.bump(f"order:{order.id}")
    work.bump("erp")
    return order
