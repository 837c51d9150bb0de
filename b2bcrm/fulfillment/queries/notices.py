"""What the customer is told of a line's new date, what he may choose, and what he chose."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from b2bcrm.customers.models import Account, Contact
from b2bcrm.documents.environment import known_locale
from b2bcrm.documents.mails import compose
from b2bcrm.fulfillment.models import LineProjection, PromiseNotice
from b2bcrm.fulfillment.planning.facts import Asked
from b2bcrm.fulfillment.planning.notices import (
    Ahead,
    Choice,
    answer_sentence,
    next_step,
    offered,
)
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.queries import visible_to
from b2bcrm.ports.mail import Mail


class NoticeRow(NamedTuple):
    """A later day that the customer was told, with the line as it now stands.

    ``ahead`` as a projection keeps it; the columns from ``choice`` on are his answer.
    """

    id: int
    order_no: str
    promise_id: int
    line_id: int
    line_no: int
    unit: str
    previous_on: dt.date
    promised_on: dt.date
    counts: bool
    ahead: list[dict[str, str]] | None
    choice: Choice | None
    qty: Decimal | None
    arrives_on: dt.date | None
    text: str
    by_name: str
    at: dt.datetime | None
    proposal_id: int | None
    settled_at: dt.datetime | None

    @property
    def open(self) -> bool:
        """Whether the customer may choose."""
        return self.counts and self.choice is None

    @property
    def waits(self) -> bool:
        """Whether he has chosen something that waits for us."""
        return self.counts and self.choice is not None and self.settled_at is None

    def part(self, today: dt.date) -> Ahead | None:
        """The pieces that are offered to be sent ahead."""
        return offered(
            self.ahead, previous_on=self.previous_on, promised_on=self.promised_on, today=today
        )

    @property
    def answer(self) -> Message | None:
        """Who answered what."""
        if self.choice is None:
            return None
        return answer_sentence(
            self.choice,
            by=self.by_name,
            line_no=self.line_no,
            on=self.arrives_on or self.promised_on,
            qty=self.qty,
            unit=self.unit,
            text=self.text,
        )


def _counts() -> sa.ColumnElement[bool]:
    """A notice counts while it is its line's newest, its day stands, and the line is open."""
    newer = sa.orm.aliased(PromiseNotice)
    newest = ~sa.exists().where(
        newer.order_line_id == PromiseNotice.order_line_id, newer.id > PromiseNotice.id
    )
    return sa.and_(
        newest,
        OrderLine.promised_on == PromiseNotice.promised_on,
        Order.state == OrderState.CONFIRMED,
        ~OrderLine.cancelled,
        OrderLine.delivered_qty < OrderLine.due_qty,
    )


def customer_is_asked() -> sa.ColumnElement[bool]:
    """Whether the customer of an order may choose, in a statement that selects from orders."""
    return (
        sa.select(PromiseNotice.id)
        .join(OrderLine, OrderLine.id == PromiseNotice.order_line_id)
        .where(OrderLine.order_id == Order.id, PromiseNotice.choice.is_(None), _counts())
        .correlate(Order)
        .exists()
    )


def _statement() -> Any:
    return (
        sa.select(
            PromiseNotice.id,
            Order.no,
            PromiseNotice.promise_id,
            PromiseNotice.order_line_id,
            OrderLine.line_no,
            OrderLine.unit,
            PromiseNotice.previous_on,
            PromiseNotice.promised_on,
            _counts(),
            LineProjection.ahead,
            PromiseNotice.choice,
            PromiseNotice.qty,
            PromiseNotice.arrives_on,
            PromiseNotice.text,
            PromiseNotice.by_name,
            PromiseNotice.at,
            PromiseNotice.proposal_id,
            PromiseNotice.settled_at,
        )
        .join(OrderLine, OrderLine.id == PromiseNotice.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
        .where(Order.id.in_(sa.bindparam("orders", expanding=True)))
        .order_by(PromiseNotice.id)
    )


_NOTICES = _statement()


def notices_of(work: Work, order_ids: Collection[int]) -> list[NoticeRow]:
    """All notices of orders that the caller may show, the oldest first."""
    found = work.rows(_NOTICES, {"orders": list(order_ids)})
    return [NoticeRow._make(row) for row in found]


def order_of_notice(work: Work, notice_id: int) -> int:
    """The id of the order that a notice is about; NotFound if absent or another account's."""
    query = (
        visible_to(work.actor)
        .join(OrderLine, OrderLine.order_id == Order.id)
        .join(PromiseNotice, PromiseNotice.order_line_id == OrderLine.id)
        .where(PromiseNotice.id == notice_id)
    )
    found: int | None = work.session.scalar(query.with_only_columns(Order.id))
    if found is None:
        raise not_found(Message("This notice"))
    return found


def notice_of(work: Work, order_id: int, notice_id: int) -> NoticeRow:
    """One of the notices of an order."""
    return next(row for row in notices_of(work, [order_id]) if row.id == notice_id)


def asked(work: Work, order_ids: Collection[int]) -> dict[int, Asked]:
    """Lines whose customer waits for our answer, by id."""
    found: dict[int, Asked] = {}
    for row in notices_of(work, order_ids):
        if row.waits and row.choice is not None and row.answer is not None:
            step = next_step(row.choice, qty=row.qty, unit=row.unit)
            found[row.line_id] = Asked(Message("%(answer)s.", answer=row.answer), step)
    return found


def promise_notice(
    work: Work,
    order: Order,
    line_no: int,
    *,
    promised_on: dt.date,
    previous_on: dt.date | None,
    asks: bool,
    base_url: str,
) -> Mail | None:
    """The mail to the order's contact, in his language and without our internal reason.

    None if nobody at the customer has an address. ``asks``: he may choose, on the portal.
    ``base_url`` is what its link begins with.
    """
    account = work.session.get_one(Account, order.account_id)
    contact = work.session.scalar(
        sa.select(Contact)
        .where(Contact.account_id == account.id, Contact.email != "")
        .order_by(Contact.id != (order.contact_id or 0), Contact.id)
        .limit(1)
    )
    if contact is None:
        return None
    company = work.session.get_one(Company, order.company_id)
    unit, kept = _unit_and_ahead(work, order.id, line_no)
    part = None
    if asks and previous_on is not None:
        part = offered(kept, previous_on=previous_on, promised_on=promised_on, today=work.today)
    return compose(
        "promise_moved",
        known_locale(contact.language or account.language),
        to=(contact.email,),
        message_id=(
            f"promise-{order.id}-{line_no}-{promised_on.isoformat()}"
            f"-{(previous_on or promised_on).isoformat()}"
        ),
        reply_to=company.email,
        name=contact.name,
        order_no=order.no,
        customer_po=order.customer_po,
        line_no=line_no,
        promised_on=promised_on,
        previous_on=previous_on,
        asks=asks,
        part=part,
        unit=unit,
        url=f"{base_url}/portal/orders/{order.no}" + ("#decide" if asks else ""),
        firm=company.name,
    )


def _unit_and_ahead(
    work: Work, order_id: int, line_no: int
) -> tuple[str, list[dict[str, str]] | None]:
    query = (
        sa.select(OrderLine.unit, LineProjection.ahead)
        .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
        .where(OrderLine.order_id == order_id, OrderLine.line_no == line_no)
    )
    found = work.session.execute(query).one_or_none()
    return ("", None) if found is None else (found[0], found[1])
