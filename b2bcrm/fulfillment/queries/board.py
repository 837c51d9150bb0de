"""The fulfilment board: late and at-risk orders, promises by week and family.

For staff only: rows name suppliers' documents and other accounts.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.models import LineProjection, OrderProjection
from b2bcrm.fulfillment.queries.ages import FEEDS
from b2bcrm.kernel.errors import NotAllowed
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import STAGE_WORDS, Stage, Status
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.sync.models import Feed

WEEK = dt.timedelta(days=7)
TROUBLED = (Status.LATE, Status.RISK)
STAGES = tuple(Stage)


@dataclass(frozen=True, kw_only=True)
class BoardFilter:
    """``weeks`` from today on; ``week`` (its Monday) narrows the orders to one heat cell."""

    site_id: int | None = None
    family: str = ""
    weeks: int = 12
    cause: str = ""
    week: dt.date | None = None


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Open orders in the horizon-free whole; money in base currency. ``causes`` count orders."""

    orders: int
    value: Decimal
    late: int
    risk: int
    troubled_value: Decimal
    causes: dict[str, int]
    computed_at: dt.datetime | None
    erp_as_of: dt.datetime | None


@dataclass(frozen=True, kw_only=True)
class BoardRow:
    """One late or at-risk order. ``days`` working days late (negative), or the buffer."""

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
    reason: Message
    line_no: int | None
    promised_on: dt.date | None
    projected_on: dt.date | None
    days: int | None
    cause_kind: str
    cause: Message | None
    next_step: Message | None

    @property
    def stages_done(self) -> int:
        """How many of the eight stages lie behind."""
        return STAGES.index(self.stage)

    @property
    def stage_word(self) -> Message:
        """The stage it is in, in words."""
        return STAGE_WORDS[self.stage]

    @property
    def value(self) -> Money:
        """What is open, in the customer's currency."""
        return Money.of(self.base_value / self.rate, self.currency)

    @property
    def open_base(self) -> Money:
        """What is open, in the base currency."""
        return Money.of(self.base_value, self.base_currency)


@dataclass(frozen=True)
class HeatCell:
    """Order lines promised in one week: all of them, those at risk, those late."""

    total: int
    risk: int
    late: int

    @property
    def troubled(self) -> int:
        """Late or at risk."""
        return self.risk + self.late

    @property
    def third_late(self) -> bool:
        """Whether a third or more are late."""
        return self.late * 3 >= self.total > 0


@dataclass(frozen=True)
class Heat:
    """Weeks by their Monday, families in use, and the cells that are not empty."""

    weeks: list[dt.date]
    families: list[str]
    cells: dict[tuple[str, dt.date], HeatCell]


def monday(day: dt.date) -> dt.date:
    """The first day of the ISO week of ``day``."""
    return day - dt.timedelta(days=day.weekday())


def staff_only(work: Work) -> None:
    """Raise NotAllowed for a buyer."""
    if work.actor.is_portal:
        raise NotAllowed(Message("Your role does not allow this."))


def open_orders(found: BoardFilter) -> list[sa.ColumnElement[bool]]:
    """Orders that are not done, at the site, with the family in one of their lines."""
    where: list[sa.ColumnElement[bool]] = [OrderProjection.status != Status.DONE]
    if found.site_id is not None:
        where.append(Order.site_id == found.site_id)
    if found.family:
        where.append(
            sa.exists()
            .where(OrderLine.order_id == Order.id)
            .where(Item.id == OrderLine.item_id, Item.family == found.family)
        )
    return where


def totals(work: Work, found: BoardFilter) -> Totals:
    """Counts and values of open orders by status, and the causes of the troubled ones."""
    staff_only(work)
    query = (
        sa.select(
            OrderProjection.status,
            OrderProjection.cause_kind,
            sa.func.count(),
            sa.func.sum(OrderProjection.open_value, type_=OrderProjection.open_value.type),
            sa.func.min(OrderProjection.computed_at, type_=OrderProjection.computed_at.type),
            sa.select(sa.func.min(Feed.data_as_of, type_=Feed.data_as_of.type))
            .where(Feed.entity.in_(FEEDS))
            .scalar_subquery(),
        )
        .join(Order, Order.id == OrderProjection.order_id)
        .where(*open_orders(found))
        .group_by(OrderProjection.status, OrderProjection.cause_kind)
    )
    counts: dict[Status, int] = defaultdict(int)
    values: dict[Status, Decimal] = defaultdict(Decimal)
    causes: dict[str, int] = {}
    oldest: dt.datetime | None = None
    groups = work.session.execute(query).all()
    for status, kind, count, value, computed_at, _as_of in groups:
        counts[status] += count
        values[status] += value or Decimal(0)
        if status in TROUBLED:
            causes[kind] = causes.get(kind, 0) + count
        oldest = computed_at if oldest is None else min(oldest, computed_at)
    return Totals(
        orders=sum(counts.values()),
        value=sum(values.values(), Decimal(0)),
        late=counts[Status.LATE],
        risk=counts[Status.RISK],
        troubled_value=values[Status.LATE] + values[Status.RISK],
        causes=causes,
        computed_at=oldest,
        erp_as_of=groups[0][5] if groups else None,
    )


def _rank() -> sa.ColumnElement[Any]:
    """Open value times working days late; what is only at risk follows by value."""
    late = sa.case((OrderProjection.buffer_days < 0, -OrderProjection.buffer_days), else_=0)
    return sa.type_coerce(OrderProjection.open_value, sa.BigInteger) * late


SORTS: dict[str, Any] = {
    "rank": None,
    "order": Order.no,
    "customer": Account.name,
    "value": OrderProjection.open_value,
    "promised": OrderProjection.promised_on,
    "projected": OrderProjection.projected_on,
}


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
    where = [*open_orders(found), OrderProjection.status.in_(TROUBLED)]
    until = work.today + WEEK * found.weeks
    where.append(
        sa.or_(OrderProjection.promised_on.is_(None), OrderProjection.promised_on <= until)
    )
    if found.cause:
        where.append(OrderProjection.cause_kind == found.cause)
    if found.week is not None:
        in_week = sa.and_(
            OrderLine.order_id == Order.id,
            OrderLine.promised_on.between(found.week, found.week + WEEK - dt.timedelta(days=1)),
            Item.id == OrderLine.item_id,
        )
        if found.family:
            in_week = sa.and_(in_week, Item.family == found.family)
        where.append(sa.exists().where(in_week))
    column = SORTS.get(sort)
    if column is None:
        first = sa.case((OrderProjection.status == Status.LATE, 0), else_=1)
        order_by = [first, _rank().desc(), OrderProjection.open_value.desc()]
    else:
        order_by = [column.desc() if descending else column.asc()]
    query = (
        sa.select(
            OrderProjection,
            Order.no,
            Order.currency,
            Order.rate,
            Account.name,
            Account.language,
            Account.city,
            Account.country,
            Account.customer_class,
            Company.currency,
            sa.func.count().over(),
        )
        .join(Order, Order.id == OrderProjection.order_id)
        .join(Account, Account.id == Order.account_id)
        .join(Company, Company.id == Order.company_id)
        .where(*where)
        .order_by(*order_by, Order.id)
        .offset(offset)
        .limit(limit)
    )
    page, total = [], 0
    for (
        p,
        no,
        currency,
        rate,
        name,
        language,
        city,
        country,
        rank,
        base,
        total_,
    ) in work.session.execute(query):
        total = total_
        page.append(
            BoardRow(
                order_id=p.order_id,
                no=no,
                account_id=p.account_id,
                account=name,
                language=language,
                city=city,
                country=country,
                customer_class=rank,
                currency=currency,
                base_currency=base,
                base_value=p.open_value,
                rate=rate,
                stage=p.stage,
                stage_pct=p.stage_pct,
                status=p.status,
                reason=p.status_reason,
                line_no=p.deciding_line_no,
                promised_on=p.promised_on,
                projected_on=p.projected_on,
                days=p.buffer_days,
                cause_kind=p.cause_kind,
                cause=p.cause,
                next_step=p.next_step,
            )
        )
    return page, total


def heat(work: Work, found: BoardFilter) -> Heat:
    """Open lines by the week of their promise and family. Past promises stand in this week."""
    staff_only(work)
    first = monday(work.today)
    weeks = [first + WEEK * n for n in range(found.weeks)]
    where = [
        LineProjection.status != Status.DONE,
        OrderLine.promised_on < weeks[-1] + WEEK,
        sa.not_(OrderLine.cancelled),
    ]
    if found.site_id is not None:
        where.append(Order.site_id == found.site_id)
    query = (
        sa.select(Item.family, OrderLine.promised_on, LineProjection.status, sa.func.count())
        .select_from(LineProjection)
        .join(OrderLine, OrderLine.id == LineProjection.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Item, Item.id == OrderLine.item_id)
        .where(*where)
        .group_by(Item.family, OrderLine.promised_on, LineProjection.status)
    )
    sums: dict[tuple[str, dt.date], dict[Status, int]] = defaultdict(lambda: defaultdict(int))
    families: dict[str, int] = defaultdict(int)
    for family, day, status, count in work.session.execute(query):
        if day is None:
            continue
        sums[family, max(first, monday(day))][status] += count
        families[family] += count
    cells = {
        key: HeatCell(sum(by.values()), by[Status.RISK], by[Status.LATE])
        for key, by in sums.items()
    }
    return Heat(weeks, sorted(families), cells)


def causes_in_order(kinds: Sequence[str], counts: dict[str, int]) -> list[tuple[str, int]]:
    """Only the causes that occur, in the order of ``kinds``."""
    return [(kind, counts[kind]) for kind in kinds if counts.get(kind)]
