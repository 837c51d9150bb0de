"""The history of what we promised: entries are added, never changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.fulfillment.models import Promise
from b2bcrm.fulfillment.planning.facts import ASKED_FOR
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order, OrderLine, Origin


def record_history(
    work: Work, order_ids: Collection[int], *, kind: str, reason: Message | None = None
) -> None:
    """Add an entry for each line whose promise differs from its last entry.

    ``kind`` names a line's later entries; its first one is ``first``, or ``erp_first_seen`` for
    an order typed in the ERP. Lines without a first promise (not confirmed yet) get none. What an
    amendment moves, the customer has asked for.
    """
    session = work.session
    session.flush()  # flush: lines of a new order need their ids
    lines = session.scalars(
        sa.select(OrderLine)
        .where(OrderLine.order_id.in_(order_ids), OrderLine.first_promised_on.is_not(None))
        .options(selectinload(OrderLine.order))
    ).all()
    last = _last(work, [line.id for line in lines])
    for line in lines:
        if line.promised_on is None or last.get(line.id) == line.promised_on:
            continue
        before = last.get(line.id)
        first = "erp_first_seen" if line.order.origin is Origin.ERP else "first"
        session.add(
            Promise(
                order_line_id=line.id,
                kind=first if before is None else ("amended" if kind == "first" else kind),
                promised_on=line.promised_on,
                previous_on=before,
                reason_code="" if before is None else ASKED_FOR,
                reason=reason or _usual(line.order, first_entry=before is None),
                by_name=work.actor.name,
                at=(line.order.confirmed_at or work.now) if before is None else work.now,
            )
        )


def _usual(order: Order, *, first_entry: bool) -> Message:
    if not first_entry:
        return Message("Changed with the order")
    if order.origin is Origin.ERP:
        return Message("As first seen in the ERP")
    return Message("Order confirmed")


def _last(work: Work, line_ids: Collection[int]) -> dict[int, dt.date]:
    newest = (
        sa.select(sa.func.max(Promise.id))
        .where(Promise.order_line_id.in_(line_ids))
        .group_by(Promise.order_line_id)
    )
    query = sa.select(Promise.order_line_id, Promise.promised_on).where(Promise.id.in_(newest))
    return dict(work.session.execute(query).all())
