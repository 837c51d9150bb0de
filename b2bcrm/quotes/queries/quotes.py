"""Quotes and their revisions: one, all of a number, what changed, what was paid before."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.quotes.lifecycle import QuoteState
from b2bcrm.quotes.models import Quote, QuoteLine


def visible_to(actor: Actor) -> sa.Select[Quote]:
    """The revisions that ``actor`` may know of. A buyer: his account's that were ever sent."""
    query = sa.select(Quote)
    if actor.is_portal:
        query = query.where(Quote.account_id == actor.account_id, Quote.sent_at.is_not(None))
    return query


def by_id(work: Work, quote_id: int, *, for_update: bool = False) -> Quote:
    """The revision with its lines; NotFound if absent or another account's.

    ``for_update`` locks the row, so that two acceptances follow each other.
    """
    query = visible_to(work.actor).where(Quote.id == quote_id).options(selectinload(Quote.lines))
    if for_update:
        query = query.with_for_update(of=Quote).execution_options(populate_existing=True)
    quote: Quote | None = work.session.scalar(query)
    if quote is None:
        raise not_found(Message("This quote"))
    return quote


def revisions_of(work: Work, no: str, *, with_lines: bool = False) -> Sequence[Quote]:
    """All revisions of a number that the actor may see, A first."""
    query = visible_to(work.actor).where(Quote.no == no).order_by(Quote.rev)
    if with_lines:
        query = query.options(selectinload(Quote.lines))
    return work.session.scalars(query).all()


def current_of(work: Work, no: str) -> Quote | None:
    """The current revision of a number, if the actor may see it."""
    query = visible_to(work.actor).where(Quote.no == no, Quote.current)
    quote: Quote | None = work.session.scalar(query.options(selectinload(Quote.lines)))
    return quote


def due_to_expire(session: Session, today: dt.date, limit: int) -> Sequence[Quote]:
    """Sent revisions whose last valid day has passed, oldest first, locked.

    One that somebody is just acting on is left for the next time.
    """
    query = (
        sa.select(Quote)
        .where(Quote.state == QuoteState.SENT, Quote.valid_until < today)
        .order_by(Quote.valid_until, Quote.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return session.scalars(query).all()


@dataclass(frozen=True)
class Change:
    """One difference between two revisions; both sides are None for a line added or removed.

    ``kind`` says how to write the sides: qty (also percent), price, amount or date.
    """

    what: Message
    kind: str
    before: Decimal | dt.date | None
    after: Decimal | dt.date | None


_LINE_FIELDS: tuple[tuple[str, str, Callable[[int], Message]], ...] = (
    ("qty", "qty", lambda no: Message("Line %(line)s quantity", line=no)),
    ("list_price", "price", lambda no: Message("Line %(line)s price", line=no)),
    ("discount_pct", "qty", lambda no: Message("Line %(line)s discount, %%", line=no)),
    ("wanted_on", "date", lambda no: Message("Line %(line)s wanted", line=no)),
    ("promised_on", "date", lambda no: Message("Line %(line)s ready", line=no)),
)


def changes(before: Quote, after: Quote) -> list[Change]:
    """What is different in ``after``, line by line, then validity and total."""
    found: list[Change] = []
    old = {ln.line_no: ln for ln in before.lines}
    new = {ln.line_no: ln for ln in after.lines}
    for no in sorted(old.keys() | new.keys()):
        was, is_ = old.get(no), new.get(no)
        if was is None or is_ is None or was.item_id != is_.item_id:
            found.extend(_swapped(no, was, is_))
            continue
        for name, kind, text in _LINE_FIELDS:
            a, b = getattr(was, name), getattr(is_, name)
            if a != b:
                found.append(Change(text(no), kind, a, b))
    if before.valid_until != after.valid_until:
        found.append(Change(Message("Valid until"), "date", before.valid_until, after.valid_until))
    if before.total != after.total:
        found.append(Change(Message("Total"), "amount", before.total, after.total))
    return found


def _swapped(no: int, was: QuoteLine | None, is_: QuoteLine | None) -> list[Change]:
    found = []
    if was is not None:
        text = Message("Line %(line)s %(item)s removed", line=no, item=was.description)
        found.append(Change(text, "", None, None))
    if is_ is not None:
        text = Message("Line %(line)s %(item)s added", line=no, item=is_.description)
        found.append(Change(text, "", None, None))
    return found


@dataclass(frozen=True)
class Paid:
    """The last time this account bought an item. ``unit_net`` is after the discount."""

    item_id: int
    order_id: int
    order_no: str
    ordered_on: dt.date
    qty: Decimal
    unit_net: Decimal


def paid_before(
    session: Session, account_id: int, item_ids: Collection[int], currency: str
) -> dict[int, Paid]:
    """By item: the account's last order in this currency, cancelled ones left out."""
    newest = sa.func.row_number().over(
        partition_by=OrderLine.item_id, order_by=(Order.ordered_on.desc(), OrderLine.id.desc())
    )
    inner = (
        sa.select(
            OrderLine.item_id,
            Order.id.label("order_id"),
            Order.no,
            Order.ordered_on,
            OrderLine.ordered_qty,
            OrderLine.unit_price,
            OrderLine.discount_pct,
            newest.label("n"),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.account_id == account_id,
            Order.currency == currency,
            Order.state != OrderState.CANCELLED,
            OrderLine.item_id.in_(set(item_ids)),
            ~OrderLine.cancelled,
        )
        .subquery()
    )
    rows = session.execute(sa.select(inner).where(inner.c.n == 1))
    return {
        row.item_id: Paid(
            row.item_id,
            row.order_id,
            row.no,
            row.ordered_on,
            row.ordered_qty,
            row.unit_price * (100 - row.discount_pct) / 100,
        )
        for row in rows
    }
