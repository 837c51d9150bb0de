"""The order lines behind a figure of the board: a cell of its weeks, or what was not on time."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.models import LineProjection, OrderProjection
from b2bcrm.fulfillment.planning.figures import PAST_WEEKS, WEEK, Period, days_of
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.fulfillment.queries.sums import COUNTED, OPEN_STATUSES, on_time
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import Status
from b2bcrm.orders.models import Order, OrderLine


class Missed(enum.StrEnum):
    """Lines not on time in full: of the past weeks, or of the coming ones as projected."""

    PAST = "past"
    NEXT = "next"


@dataclass(frozen=True, kw_only=True)
class Behind:
    """Which lines: those promised in a ``week`` (its Monday), those ``missed``, or those of a
    ``period`` that lost days, all or at one ``kind`` of place.
    """

    site_id: int | None = None
    family: str = ""
    week: dt.date | None = None
    missed: Missed | None = None
    period: Period | None = None
    kind: str = ""


class BehindLine(NamedTuple):
    """One line; ``status`` and ``reason`` None while nothing is projected.

    ``lost`` and ``came_on`` as its projection has them.
    """

    no: str
    line_no: int
    account_id: int
    account: str
    language: str
    item_no: str
    item_name: str
    ordered: Decimal
    delivered: Decimal
    first_promised_on: dt.date | None
    promised_on: dt.date | None
    projected_on: dt.date | None
    status: Status | None
    reason: Message | None
    came_on: dt.date | None
    lost: list[dict[str, Any]] | None

    def days(self, kind: str = "") -> int:
        """Working days after the first promise, all or those lost at one kind of place."""
        return sum(one["days"] for one in self.lost or () if kind in {"", one["kind"]})


def lines_behind(
    work: Work, wanted: Behind, *, offset: int = 0, limit: int = 50
) -> tuple[list[BehindLine], int]:
    """The lines, the earliest promise or what came last first, and how many there are."""
    staff_only(work)
    newest = [LineProjection.came_on.desc()] if wanted.period is not None else []
    query = (
        sa.select(
            Order.no,
            OrderLine.line_no,
            Account.id,
            Account.name,
            Account.language,
            Item.no,
            Item.name,
            OrderLine.ordered_qty,
            OrderLine.delivered_qty,
            OrderLine.first_promised_on,
            OrderLine.promised_on,
            LineProjection.projected_on,
            LineProjection.status,
            LineProjection.status_reason,
            LineProjection.came_on,
            LineProjection.lost,
            sa.func.count().over().label("total"),
        )
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Account, Account.id == Order.account_id)
        .join(Item, Item.id == OrderLine.item_id)
        .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
        .where(sa.not_(OrderLine.cancelled), *_where(work, wanted))
        .order_by(*newest, OrderLine.promised_on, Order.no, OrderLine.line_no)
    )
    rows = work.session.execute(query.offset(offset).limit(limit)).all()
    return [BehindLine._make(row[:-1]) for row in rows], rows[0].total if rows else 0


def _where(work: Work, wanted: Behind) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    if wanted.site_id is not None:
        where.append(Order.site_id == wanted.site_id)
    if wanted.family:
        where.append(Item.family == wanted.family)
    if wanted.missed is not None:
        weeks = WEEK * PAST_WEEKS
        first = work.today - weeks if wanted.missed is Missed.PAST else work.today
        return [
            *where,
            Order.state.in_(COUNTED),
            OrderLine.first_promised_on >= first,
            OrderLine.first_promised_on < first + weeks,
            on_time(work) == 0,
        ]
    if wanted.period is not None:
        where += _lost(work, wanted.period, wanted.kind)
        if wanted.period is not Period.COMING:
            return where
    in_open_order = sa.exists().where(
        OrderProjection.order_id == Order.id, OrderProjection.status.in_(OPEN_STATUSES)
    )
    where += [in_open_order, LineProjection.status.in_(OPEN_STATUSES)]
    if wanted.week is None:
        return where
    first, last = days_of(wanted.week, work.today)
    return [*where, OrderLine.promised_on.between(first, last)]


def _lost(work: Work, period: Period, kind: str) -> list[sa.ColumnElement[bool]]:
    """Lines of the period that lost days; ``kind`` is found in their shares' text."""
    came, since = LineProjection.came_on, period.since(work.today)
    where = [came.is_(None) if since is None else came >= since, LineProjection.lost.is_not(None)]
    if kind:
        text = sa.cast(LineProjection.lost, sa.Text)
        where.append(text.contains(f'"kind": "{kind}"', autoescape=True))
    return where
