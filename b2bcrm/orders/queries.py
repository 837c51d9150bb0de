"""Every SELECT on orders. Each starts from ``visible_to``: a buyer sees his account only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.database import STATEMENTS
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine, OrderRevision
from b2bcrm.sync import connections
from b2bcrm.sync.conflicts import UNSETTLED, ErpConflict
from b2bcrm.sync.models import Envelope
from b2bcrm.sync.writes import ErpWrite

PUSH = "erp.push_order"


def visible_to(actor: Actor) -> sa.Select[Order]:
    """The orders that ``actor`` may know of. A buyer never sees drafts or other accounts."""
    query = sa.select(Order)
    if actor.is_portal:
        query = query.where(Order.account_id == actor.account_id, Order.state != OrderState.DRAFT)
    return query


def by_no(work: Work, no: str) -> Order:
    """The order numbered ``no`` with its lines; NotFound if absent or another account's."""
    return _one(work, Order.no == no)


def id_of(work: Work, no: str) -> int:
    """The id of the order numbered ``no``, for a live page's question; NotFound otherwise."""
    found = work.rows(_id_of(work.actor), {"no": no})
    if not found:
        raise not_found(Message("This order"))
    order_id: int = found[0][0]
    return order_id


@lru_cache(maxsize=STATEMENTS)
def _id_of(actor: Actor) -> sa.Select[int]:
    return visible_to(actor).where(Order.no == sa.bindparam("no")).with_only_columns(Order.id)


def by_id(work: Work, order_id: int, *, for_update: bool = False) -> Order:
    """The order with its lines; NotFound if absent or another account's.

    ``for_update`` locks the row and reads it anew, so that two changes follow each other.
    """
    return _one(work, Order.id == order_id, for_update=for_update)


def _one(work: Work, where: sa.ColumnElement[bool], *, for_update: bool = False) -> Order:
    query = visible_to(work.actor).where(where).options(selectinload(Order.lines))
    if for_update:
        query = locked(query).execution_options(populate_existing=True)
    order: Order | None = work.session.scalar(query)
    if order is None:
        raise not_found(Message("This order"))
    return order


def connection_of(work: Work, order: Order) -> str:
    """The ERP connection that the order is written to: the one that has it, else its company's."""
    return order.erp_connection or connections.of_company(work, order.company_id)


def locked(query: sa.Select[Any], *, skip_locked: bool = False) -> sa.Select[Any]:
    """The orders of ``query`` in the one order of locks: by id, each before its projection.

    Rows that merely refer to an order (a case, a shipment line) are still written meanwhile.
    """
    query = query.order_by(Order.id)
    return query.with_for_update(of=Order, key_share=True, skip_locked=skip_locked)


def by_erp_nos(
    session: Session, connection: str, erp_nos: Sequence[str], nos: Sequence[str] = ()
) -> tuple[dict[str, Order], dict[str, Order]]:
    """Orders with lines, locked, for intake: by their number in one ERP, and by ours."""
    theirs = sa.and_(Order.erp_connection == connection, Order.erp_no.in_(erp_nos))
    query = sa.select(Order).where(theirs | Order.no.in_(nos)).options(selectinload(Order.lines))
    orders = session.scalars(locked(query)).all()
    numbers = set(erp_nos)
    known = {
        order.erp_no: order
        for order in orders
        if order.erp_no in numbers and order.erp_connection == connection
    }
    return known, {order.no: order for order in orders}


def by_quote(session: Session, quote_id: int) -> Order | None:
    """The order that came from a quote revision, if it has been accepted."""
    return session.scalar(sa.select(Order).where(Order.quote_id == quote_id))


def line_by_id(work: Work, line_id: int) -> OrderLine:
    """One line with its order; NotFound if absent or another account's."""
    query = (
        sa.select(OrderLine)
        .join(OrderLine.order)
        .where(
            OrderLine.id == line_id,
            Order.id.in_(visible_to(work.actor).with_only_columns(Order.id)),
        )
        .options(selectinload(OrderLine.order).selectinload(Order.lines))
    )
    line = work.session.scalar(query)
    if line is None:
        raise not_found(Message("This order line"))
    return line


def revisions(session: Session, order_id: int) -> Sequence[OrderRevision]:
    """What was confirmed, newest first."""
    query = sa.select(OrderRevision).where(OrderRevision.order_id == order_id)
    return session.scalars(query.order_by(OrderRevision.amendment_no.desc())).all()


def listed(
    work: Work, *, state: OrderState | None, offset: int, limit: int
) -> tuple[Sequence[Order], int]:
    """One page of orders with their lines, newest first, and how many there are in all."""
    query = visible_to(work.actor)
    if state is not None:
        query = query.where(Order.state == state)
    total = work.session.scalar(
        sa.select(sa.func.count()).select_from(query.with_only_columns(Order.id).subquery())
    )
    page = query.options(selectinload(Order.lines)).order_by(Order.id.desc())
    return work.session.scalars(page.offset(offset).limit(limit)).all(), total or 0


@dataclass(frozen=True)
class Stuck:
    """A push that waits for a person. ``envelope_id`` is the last exchange under its reference,
    ``issues`` what the ERP objected to, each with ``field`` and ``line_no`` where it said so.
    """

    delivery_id: int
    connection: str
    order_no: str
    account_id: int
    reference: str
    event: str
    since: dt.datetime
    tries: int
    code: str
    reason: Message | None
    issues: Sequence[Mapping[str, Any]]
    envelope_id: int | None


def stuck(work: Work, *, offset: int = 0, limit: int = 50) -> list[Stuck]:
    """The parked pushes of orders, oldest first, each with all that is known about it."""
    _staff(work)
    stream = sa.literal("order:") + sa.cast(Order.id, sa.String)
    query = (
        visible_to(work.actor)
        .join(Delivery, Delivery.stream == stream)
        .where(Delivery.handler == PUSH, Delivery.state == DeliveryState.PARKED)
        .with_only_columns(Order.no, Order.account_id, Delivery)
        .order_by(Delivery.id)
        .offset(offset)
        .limit(limit)
    )
    rows = work.session.execute(query).all()
    if not rows:
        return []
    references = [_reference(no, row.payload) for no, _account, row in rows]
    issues: dict[str, list[dict[str, Any]]] = dict(
        work.session.execute(
            sa.select(ErpWrite.reference, ErpWrite.issues)
            .where(ErpWrite.reference.in_(references))
            .order_by(ErpWrite.id)
        ).all()
    )
    envelopes: dict[str, int] = dict(
        work.session.execute(
            sa.select(Envelope.reference, sa.func.max(Envelope.id))
            .where(Envelope.reference.in_(references))
            .group_by(Envelope.reference)
        ).all()
    )
    return [
        Stuck(
            delivery_id=row.id,
            connection=row.target,
            order_no=no,
            account_id=account_id,
            reference=reference,
            event=row.event,
            since=row.created_at,
            tries=row.attempts,
            code=row.code,
            reason=row.reason,
            issues=issues.get(reference, ()),
            envelope_id=envelopes.get(reference),
        )
        for reference, (no, account_id, row) in zip(references, rows, strict=True)
    ]


def _staff(work: Work) -> None:
    """A customer sees the order as agreed, never what our two systems make of it."""
    if work.actor.is_portal:
        raise not_found(Message("This page"))


def _reference(no: str, payload: Mapping[str, Any]) -> str:
    return f"{no}/{payload.get('amendment_no', 0)}"


def differences(
    work: Work, *, offset: int = 0, limit: int = 50
) -> tuple[list[tuple[str, ErpConflict]], int]:
    """The conflict inbox: order numbers with their differences, oldest first, and how many."""
    _staff(work)
    query = (
        visible_to(work.actor)
        .join(ErpConflict, ErpConflict.order_id == Order.id)
        .where(ErpConflict.state.in_(UNSETTLED))
    )
    count = query.with_only_columns(sa.func.count())
    page = query.with_only_columns(Order.no, ErpConflict).order_by(ErpConflict.id)
    rows = work.session.execute(page.offset(offset).limit(limit)).all()
    return [(no, row) for no, row in rows], work.session.scalar(count) or 0
