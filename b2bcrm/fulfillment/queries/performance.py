"""On time, in full: the share of order lines delivered completely by their first promised date.

A line counts in the week of its first promise; a later promise does not move it (FU10). It is on
time when the whole ordered quantity arrived by that day: at the customer for D-terms, handed
over to the carrier for all others. Open lines whose day has passed are not on time.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.fulfillment.models import LineProjection, Shipment, ShipmentLine
from b2bcrm.fulfillment.queries.board import WEEK, BoardFilter, monday
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine

PAST_WEEKS = 4
SPARK_WEEKS = 8
COUNTED = (OrderState.CONFIRMED, OrderState.CLOSED)


@dataclass(frozen=True)
class Share:
    """``good`` of ``total`` lines; no lines means no figure, not 100 %."""

    good: int
    total: int

    @property
    def pct(self) -> float | None:
        """In percent, None without lines."""
        return None if self.total == 0 else 100 * self.good / self.total


@dataclass(frozen=True)
class Otif:
    """The past weeks' share, the one before it, the coming weeks' as projected, one per week."""

    past: Share
    before: Share
    projected: Share
    weekly: list[tuple[dt.date, Share]]


def _lines(found: BoardFilter) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = [
        Order.state.in_(COUNTED),
        sa.not_(OrderLine.cancelled),
    ]
    if found.site_id is not None:
        where.append(Order.site_id == found.site_id)
    if found.family:
        where.append(OrderLine.item_id.in_(sa.select(Item.id).where(Item.family == found.family)))
    return where


def otif(work: Work, found: BoardFilter) -> Otif:
    """The past four weeks up to yesterday, and eight whole weeks for the spark."""
    start = monday(work.today) - WEEK * SPARK_WEEKS
    point = sa.case((Order.incoterm.like("D%"), Shipment.delivered_on), else_=Shipment.shipped_on)
    raw = sa.type_coerce(ShipmentLine.qty, sa.BigInteger)
    in_time = sa.func.coalesce(
        sa.func.sum(sa.case((point <= OrderLine.first_promised_on, raw), else_=0)), 0
    )
    per_line = (
        sa.select(
            OrderLine.id,
            OrderLine.first_promised_on.label("day"),
            sa.type_coerce(OrderLine.ordered_qty, sa.BigInteger).label("ordered"),
            in_time.label("in_time"),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(ShipmentLine, ShipmentLine.order_line_id == OrderLine.id)
        .outerjoin(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(
            OrderLine.first_promised_on >= start,
            OrderLine.first_promised_on < work.today,
            *_lines(found),
        )
        .group_by(OrderLine.id, OrderLine.first_promised_on, OrderLine.ordered_qty)
        .subquery()
    )
    good = sa.func.sum(sa.case((per_line.c.in_time >= per_line.c.ordered, 1), else_=0))
    gone = sa.select(per_line.c.day, good, sa.func.count()).group_by(per_line.c.day)
    days = {
        day: (int(ok), count)
        for day, ok, count in work.session.execute(sa.union_all(gone, _coming(work, found)))
    }

    def share(first: dt.date, last: dt.date) -> Share:
        inside = [counts for day, counts in days.items() if first <= day < last]
        return Share(sum(ok for ok, _ in inside), sum(count for _, count in inside))

    weeks = [start + WEEK * n for n in range(SPARK_WEEKS)]
    edge = work.today - WEEK * PAST_WEEKS
    return Otif(
        past=share(edge, work.today),
        before=share(max(start, edge - WEEK * PAST_WEEKS), edge),
        projected=share(work.today, work.today + WEEK * PAST_WEEKS),
        weekly=[(week, share(week, week + WEEK)) for week in weeks],
    )


def _coming(work: Work, found: BoardFilter) -> sa.Select[dt.date | None, Any, int]:
    """Lines first promised for the coming weeks: in time as projected now, if nobody acts."""
    fine = sa.or_(
        OrderLine.delivered_qty >= OrderLine.ordered_qty,
        LineProjection.projected_on <= OrderLine.first_promised_on,
    )
    return (
        sa.select(
            OrderLine.first_promised_on, sa.func.sum(sa.case((fine, 1), else_=0)), sa.func.count()
        )
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
        .where(
            OrderLine.first_promised_on >= work.today,
            OrderLine.first_promised_on < work.today + WEEK * PAST_WEEKS,
            *_lines(found),
        )
        .group_by(OrderLine.first_promised_on)
    )
