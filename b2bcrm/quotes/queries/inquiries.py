"""Inquiries: one, a page of them, and which of their wishes no quote line answers yet."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.customers.models import Account
from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.matching import holds
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.quotes.lifecycle import Channel, InquiryState
from b2bcrm.quotes.models import Inquiry, InquiryLine, Quote
from b2bcrm.quotes.queries.quotes import visible_to
from b2bcrm.users.models import User


def inquiry_visible_to(actor: Actor) -> sa.Select[Inquiry]:
    """The inquiries that ``actor`` may know of: a buyer's own account only."""
    query = sa.select(Inquiry)
    return query.where(Inquiry.account_id == actor.account_id) if actor.is_portal else query


def inquiry_by_id(work: Work, inquiry_id: int) -> Inquiry:
    """The inquiry with its lines; NotFound if absent or another account's."""
    return _one(work, Inquiry.id == inquiry_id)


def inquiry_by_no(work: Work, no: str) -> Inquiry:
    """The inquiry numbered ``no`` with its lines; NotFound if absent or another account's."""
    return _one(work, Inquiry.no == no)


def _one(work: Work, where: sa.ColumnElement[bool]) -> Inquiry:
    query = inquiry_visible_to(work.actor).where(where)
    inquiry: Inquiry | None = work.session.scalar(query.options(selectinload(Inquiry.lines)))
    if inquiry is None:
        raise not_found(Message("This inquiry"))
    return inquiry


def quote_of_inquiry(work: Work, inquiry_id: int) -> Quote | None:
    """The current revision of the quote that answers an inquiry, if the actor may see it."""
    query = visible_to(work.actor).where(Quote.inquiry_id == inquiry_id, Quote.current)
    return work.session.scalars(query.order_by(Quote.id.desc()).limit(1)).first()


def open_wishes(inquiry: Inquiry, quote: Quote) -> list[InquiryLine]:
    """Wishes without an item or a quantity, for which no line of the quote was added yet.

    A wish is answered by a quote line of its own number.
    """
    answered = {line.line_no for line in quote.lines}
    return [wish for wish in inquiry.lines if wish.line_no not in answered]


@dataclass(frozen=True)
class InquiryRow:
    """One row of the list."""

    id: int
    no: str
    subject: str
    account_id: int
    account_name: str
    channel: Channel
    state: InquiryState
    received_at: dt.datetime
    reply_by_at: dt.datetime | None
    replied_at: dt.datetime | None
    owner_name: str
    line_count: int


_SORTS = {
    "no": Inquiry.no,
    "account": Account.name,
    "received": Inquiry.received_at,
    "reply": Inquiry.reply_by_at,
}
INQUIRY_SORTS = tuple(_SORTS)


def inquiry_list(
    work: Work,
    *,
    words: str = "",
    state: str = "",
    owner_id: int | None = None,
    sort: str = "received",
    descending: bool = True,
    offset: int = 0,
    limit: int = 50,
) -> tuple[Sequence[InquiryRow], int]:
    """Two statements: the number of all, and one page with names joined."""
    query = inquiry_visible_to(work.actor).join(Account, Account.id == Inquiry.account_id)
    if state in set(InquiryState):
        query = query.where(Inquiry.state == InquiryState(state))
    if owner_id is not None:
        query = query.where(Inquiry.owner_id == owner_id)
    if words:
        query = query.where(
            sa.or_(
                holds(Inquiry.no, words), holds(Inquiry.subject, words), holds(Account.name, words)
            )
        )
    total = work.session.scalar(
        sa.select(sa.func.count()).select_from(query.with_only_columns(Inquiry.id).subquery())
    )
    lines = (
        sa.select(sa.func.count())
        .where(InquiryLine.inquiry_id == Inquiry.id)
        .correlate(Inquiry)
        .scalar_subquery()
    )
    order = _SORTS[sort]
    page = (
        query.outerjoin(User, User.id == Inquiry.owner_id)
        .with_only_columns(
            Inquiry.id,
            Inquiry.no,
            Inquiry.subject,
            Inquiry.account_id,
            Account.name,
            Inquiry.channel,
            Inquiry.state,
            Inquiry.received_at,
            Inquiry.reply_by_at,
            Inquiry.replied_at,
            sa.func.coalesce(User.name, ""),
            lines,
        )
        .order_by(order.desc() if descending else order.asc(), Inquiry.id.desc())
        .offset(offset)
        .limit(limit)
    )
    return [InquiryRow(*tuple(row)) for row in work.session.execute(page)], total or 0
