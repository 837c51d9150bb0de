"""The portal's list of orders, in one statement that is built once per account."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from b2bcrm.fulfillment.models import OrderProjection
from b2bcrm.fulfillment.queries.notices import customer_is_asked
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.database import STATEMENTS
from b2bcrm.kernel.matching import holds, starts
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OPEN_ORDERS, STAGE_WORDS, OrderState, Stage, Status
from b2bcrm.orders.models import Order
from b2bcrm.orders.queries import visible_to

STAGES = tuple(Stage)
_P = OrderProjection
SORTS: dict[str, Any] = {
    "no": Order.no,
    "ordered": Order.ordered_on,
    "promised": _P.promised_on,
    "projected": _P.projected_on,
    "value": Order.total,
}


class OrderRow(NamedTuple):
    """One order as its customer sees it in the list."""

    no: str
    state: OrderState
    customer_po: str
    total: Decimal
    currency: str
    ordered_on: dt.date
    requested_on: dt.date | None
    promised_on: dt.date | None
    projected_on: dt.date | None
    stage: Stage | None
    stage_pct: int | None
    status: Status | None
    asked: bool

    @property
    def value(self) -> Money:
        """In the order's currency, net."""
        return Money(self.total, self.currency)

    @property
    def stages_done(self) -> int:
        """How many stages of the life line lie behind; 8 for a closed order."""
        if self.state is OrderState.CLOSED:
            return len(STAGES)
        return STAGES.index(self.stage or Stage.ORDER)

    @property
    def stage_word(self) -> Message:
        """Where it is now."""
        return STAGE_WORDS[self.stage or Stage.ORDER]

    @property
    def chip(self) -> tuple[str, Message]:
        """Colour and words."""
        return chip_of(self.state, self.status, asked=self.asked)


def chip_of(
    state: OrderState, status: Status | None, *, asked: bool = False
) -> tuple[str, Message]:
    """What the customer is told: late is late, but our buffers and holds are our own.

    ``asked``: a day has moved, and he may choose.
    """
    if asked:
        return "risk", Message("A new day: please choose")
    if state is OrderState.CANCELLED:
        return "idle", Message("Cancelled")
    if state is OrderState.CLOSED or status is Status.DONE:
        return "done", Message("Delivered")
    if state is OrderState.SUBMITTED:
        return "idle", Message("Received, not confirmed yet")
    if status is Status.LATE:
        return "late", Message("Comes later")
    return "ok", Message("On track")


def orders(
    work: Work,
    *,
    show: str,
    words: str,
    sort: str,
    descending: bool,
    offset: int,
    limit: int,
) -> tuple[list[OrderRow], int]:
    """One page of the account's orders and how many there are, in one statement."""
    query = _list_of(work.actor.account_id, show, sort, descending=descending)
    if words:
        query = query.where(sa.or_(starts(Order.no, words), holds(Order.customer_po, words)))
    found = work.rows(query, {"skip": offset, "take": limit})
    return [OrderRow._make(row[:-1]) for row in found], found[0][-1] if found else 0


def own(account_id: int | None) -> sa.Select[Any]:
    """Where every statement starts; they are built once per account and keep their text."""
    return visible_to(Actor(name="-", role=Role.BUYER, account_id=account_id))


@lru_cache(maxsize=STATEMENTS)
def _list_of(account_id: int | None, show: str, sort: str, *, descending: bool) -> Any:
    by = SORTS[sort].desc() if descending else SORTS[sort].asc()
    query = (
        own(account_id)
        .outerjoin(_P, _P.order_id == Order.id)
        .with_only_columns(
            Order.no,
            Order.state,
            Order.customer_po,
            Order.total,
            Order.currency,
            Order.ordered_on,
            _P.requested_on,
            _P.promised_on,
            _P.projected_on,
            _P.stage,
            _P.stage_pct,
            _P.status,
            customer_is_asked(),
            sa.func.count().over(),
        )
        .order_by(by.nulls_last(), Order.id.desc())
        .offset(sa.bindparam("skip"))
        .limit(sa.bindparam("take"))
    )
    if show == "done":
        return query.where(Order.state.in_((OrderState.CLOSED, OrderState.CANCELLED)))
    return query if show == "all" else query.where(Order.state.in_(OPEN_ORDERS))
