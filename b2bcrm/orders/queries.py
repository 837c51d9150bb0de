"""Every SELECT on orders. Each starts from ``visible_to``: a buyer sees his account only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.database import STATEMENTS
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine, OrderRevision


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


def by_id(work: Work, order_id: int) -> Order:
    """The order with its lines; NotFound if absent or another account's."""
    return _one(work, Order.id == order_id)


def _one(work: Work, where: sa.ColumnElement[bool]) -> Order:
    query = visible_to(work.actor).where(where).options(selectinload(Order.lines))
    order: Order | None = work.session.scalar(query)
    if order is None:
        raise not_found(Message("This order"))
    return order


def by_erp_nos(session: Session, erp_nos: Sequence[str]) -> dict[str, Order]:
    """Orders with lines by the ERP's number, for intake."""
    query = sa.select(Order).where(Order.erp_no.in_(erp_nos)).options(selectinload(Order.lines))
    return {order.erp_no or "": order for order in session.scalars(query)}


def by_nos(session: Session, nos: Sequence[str]) -> dict[str, Order]:
    """Orders with lines by our number, for intake."""
    query = sa.select(Order).where(Order.no.in_(nos)).options(selectinload(Order.lines))
    return {order.no: order for order in session.scalars(query)}


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
