"""The fulfilment board's orders: which are late or at risk, and what its filter means.

For staff only: rows name suppliers' documents and other accounts. What the board says of all
orders together is in ``figures``.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.models import OrderCare, OrderProjection
from b2bcrm.fulfillment.planning.explain import CAUSE_WORDS
from b2bcrm.fulfillment.planning.figures import WEEK, days_of
from b2bcrm.kernel.errors import NotAllowed
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import STAGE_WORDS, Stage, Status
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.users.models import User

TROUBLED = (Status.LATE, Status.RISK)
STAGES = tuple(Stage)


@dataclass(frozen=True, kw_only=True)
class BoardFilter:
    """``weeks`` from today on; ``week`` (its Monday) narrows the orders to one heat cell."""

    site_id: int | None = None
    family: str = ""
    weeks: int = 12
    cause: str = ""
    status: Status | None = None
    week: dt.date | None = None


class BoardRow(NamedTuple):
    """One late or at-risk order. ``days`` working days late (negative), or the buffer.

    Sentences stay the JSON that the database keeps until they are read: equal rows are equal
    values, and a page that has shown a row before need not read them again.
    """

    order_id: int
    no: str
    account_id: int
    account: str
    language: str
    city: str
    country: str
    customer_class: str
    currency: str
    base_currency: str
    base_value: Decimal
    rate: Decimal
    stage: Stage
    stage_pct: int
    status: Status
    reason_json: str
    line_no: int | None
    promised_on: dt.date | None
    projected_on: dt.date | None
    days: int | None
    cause_kind: str
    cause_json: str | None
    next_step_json: str | None
    in_charge: str | None

    @property
    def stages_done(self) -> int:
        """How many of the eight stages lie behind."""
        return STAGES.index(self.stage)

    @property
    def stage_word(self) -> Message:
        """The stage it is in, in words."""
        return STAGE_WORDS[self.stage]

    @property
    def reason(self) -> Message | None:
        """Why it has its status."""
        return _message(self.reason_json)

    @property
    def cause(self) -> Message | None:
        """What makes it late or risky."""
        return _message(self.cause_json)

    @property
    def cause_word(self) -> Message | None:
        """The kind of its cause, in a word."""
        return CAUSE_WORDS.get(self.cause_kind)

    @property
    def next_step(self) -> Message | None:
        """What to do about it."""
        return _message(self.next_step_json)

    @property
    def value(self) -> Money:
        """What is open, in the customer's currency."""
        return Money.of(self.base_value / self.rate, self.currency)

    @property
    def open_base(self) -> Money:
        """What is open, in the base currency."""
        return Money.of(self.base_value, self.base_currency)


def _message(text: str | None) -> Message | None:
    return None if text is None else Message.from_json(json.loads(text))


def staff_only(work: Work) -> None:
    """Raise NotAllowed for a buyer."""
    if work.actor.is_portal:
        raise NotAllowed(Message("Your role does not allow this."))


def _rank() -> sa.ColumnElement[Any]:
    """Open value times working days late; what is only at risk follows by value."""
    late = sa.case((OrderProjection.buffer_days < 0, -OrderProjection.buffer_days), else_=0)
    return sa.type_coerce(OrderProjection.open_value, sa.BigInteger) * late


def _looked_up(column: Any, key: sa.ColumnElement[bool]) -> sa.ScalarSelect[Any]:
    return sa.select(column).where(key).correlate(OrderProjection).scalar_subquery()


SORTS: dict[str, Any] = {
    "rank": None,
    "order": _looked_up(Order.no, Order.id == OrderProjection.order_id),
    "customer": _looked_up(Account.name, Account.id == OrderProjection.account_id),
    "value": OrderProjection.open_value,
    "promised": OrderProjection.promised_on,
    "projected": OrderProjection.projected_on,
}
_COLUMNS: tuple[Any, ...] = (  # as BoardRow names them
    OrderProjection.order_id,
    Order.no,
    OrderProjection.account_id,
    Account.name,
    Account.language,
    Account.city,
    Account.country,
    Account.customer_class,
    Order.currency,
    Company.currency,
    OrderProjection.open_value,
    Order.rate,
    OrderProjection.stage,
    OrderProjection.stage_pct,
    OrderProjection.status,
    sa.cast(OrderProjection.status_reason, sa.Text),
    OrderProjection.deciding_line_no,
    OrderProjection.promised_on,
    OrderProjection.projected_on,
    OrderProjection.buffer_days,
    OrderProjection.cause_kind,
    sa.cast(OrderProjection.cause, sa.Text),
    sa.cast(OrderProjection.next_step, sa.Text),
    User.name,
)


class _Shape(NamedTuple):
    """What a statement asks; the values come with each look."""

    sort: str
    descending: bool
    site: bool
    family: bool
    week: bool
    cause: bool
    status: bool


def _where(shape: _Shape) -> list[sa.ColumnElement[bool]]:
    """Late and at-risk orders of the horizon that the filter leaves."""
    shown = OrderProjection
    where: list[sa.ColumnElement[bool]] = [
        shown.status.in_(TROUBLED),
        sa.or_(shown.promised_on.is_(None), shown.promised_on <= sa.bindparam("until")),
    ]
    if shape.cause:
        where.append(shown.cause_kind == sa.bindparam("cause"))
    if shape.status:
        where.append(shown.status == sa.bindparam("status"))
    if shape.site:
        at_site = sa.and_(Order.id == shown.order_id, Order.site_id == sa.bindparam("site_id"))
        where.append(sa.exists().where(at_site))
    line = [OrderLine.order_id == shown.order_id]
    if shape.family:
        line += [Item.id == OrderLine.item_id, Item.family == sa.bindparam("family")]
    if shape.week:
        days = OrderLine.promised_on.between(sa.bindparam("first"), sa.bindparam("last"))
        line.append(days)
    if len(line) > 1:
        where.append(sa.exists().where(*line))
    return where


@cache
def _statement(shape: _Shape) -> sa.Select[Any]:
    """Built once for each shape: a page asks it at each look."""
    column = SORTS.get(shape.sort)
    order_by: list[Any]
    if column is None:
        first = sa.case((OrderProjection.status == Status.LATE, 0), else_=1)
        order_by = [first, _rank().desc(), OrderProjection.open_value.desc()]
    else:
        order_by = [column.desc() if shape.descending else column.asc()]
    order_by.append(OrderProjection.order_id)
    # Sorted by what the projection itself says, and only then joined with the rest.
    page = (
        sa.select(OrderProjection.order_id, sa.func.count().over().label("total"))
        .where(*_where(shape))
        .order_by(*order_by)
        .offset(sa.bindparam("offset", type_=sa.Integer))
        .limit(sa.bindparam("limit", type_=sa.Integer))
        .subquery()
    )
    return (
        sa.select(page.c.total, *_COLUMNS)
        .select_from(page)
        .join(OrderProjection, OrderProjection.order_id == page.c.order_id)
        .join(Order, Order.id == page.c.order_id)
        .join(Account, Account.id == OrderProjection.account_id)
        .join(Company, Company.id == Order.company_id)
        .outerjoin(OrderCare, OrderCare.order_id == page.c.order_id)
        .outerjoin(User, User.id == OrderCare.user_id)
        .order_by(*order_by)
    )


def rows(
    work: Work,
    found: BoardFilter,
    *,
    sort: str = "rank",
    descending: bool = True,
    offset: int = 0,
    limit: int = 50,
) -> tuple[list[BoardRow], int]:
    """Late and at-risk orders of the horizon, the costliest first, and how many there are."""
    staff_only(work)
    shape = _Shape(
        sort,
        descending,
        site=found.site_id is not None,
        family=bool(found.family),
        week=found.week is not None,
        cause=bool(found.cause),
        status=found.status is not None,
    )
    first, last = days_of(found.week or work.today, work.today)
    values = {
        "until": work.today + WEEK * found.weeks,
        "site_id": found.site_id,
        "family": found.family,
        "cause": found.cause,
        "status": found.status,
        "first": first,
        "last": last,
        "offset": offset,
        "limit": limit,
    }
    shown = work.session.execute(_statement(shape), values).all()
    return [BoardRow._make(row[1:]) for row in shown], shown[0].total if shown else 0
