"""Hours that open operations need per work centre and week, against what the centre can give."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.models import RoutingRow, WorkCenter
from b2bcrm.fulfillment.models import Operation, WorkOrder
from b2bcrm.fulfillment.queries.board import WEEK, monday
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.organization import CalendarRow
from b2bcrm.kernel.work import Work

DAY = dt.timedelta(days=1)
OPEN = ("planned", "released", "running")


@dataclass(frozen=True)
class LoadWeek:
    """Hours of one week (its Monday); the current one counts from today on."""

    week: dt.date
    load: Decimal
    capacity: Decimal

    @property
    def within(self) -> Decimal:
        """What fits."""
        return min(self.load, self.capacity)

    @property
    def over(self) -> Decimal:
        """What does not."""
        return max(Decimal(0), self.load - self.capacity)


@dataclass(frozen=True)
class Center:
    """A work centre with its calendar."""

    code: str
    name: str
    hours_per_day: Decimal
    calendar: WorkCalendar


def center(work: Work, *, code: str = "", site_code: str = "") -> Center | None:
    """The named work centre, else the one with most open hours per hour of its day."""
    query = sa.select(WorkCenter, CalendarRow).outerjoin(
        CalendarRow, CalendarRow.code == WorkCenter.calendar_code
    )
    if site_code:
        query = query.where(WorkCenter.site_code == site_code)
    if code:
        query = query.where(WorkCenter.code == code)
    else:
        hours = sa.func.sum(
            sa.type_coerce(RoutingRow.unit_hours, sa.BigInteger)
            * sa.type_coerce(WorkOrder.qty - Operation.qty_done, sa.BigInteger)
            / 1_000_000
        )
        busy = (
            sa.select(Operation.work_center, hours.label("hours"))
            .join(WorkOrder, WorkOrder.id == Operation.work_order_id)
            .join(RoutingRow, _same_step())
            .where(Operation.status != "done", WorkOrder.status.in_(OPEN))
            .group_by(Operation.work_center)
            .subquery()
        )
        per_day = busy.c.hours / sa.type_coerce(WorkCenter.hours_per_day, sa.BigInteger)
        query = query.outerjoin(busy, busy.c.work_center == WorkCenter.code).order_by(
            sa.func.coalesce(per_day, 0).desc(), WorkCenter.code
        )
    row = work.session.execute(query.limit(1)).first()
    if row is None:
        return None
    found: WorkCenter = row[0]
    calendar: CalendarRow | None = row[1]
    return Center(
        found.code,
        found.name,
        found.hours_per_day,
        calendar.value() if calendar is not None else WorkCalendar(found.calendar_code),
    )


def _same_step() -> sa.ColumnElement[bool]:
    return sa.and_(RoutingRow.item_no == WorkOrder.item_no, RoutingRow.step_no == Operation.step_no)


def load(work: Work, where: Center, weeks: int) -> list[LoadWeek]:
    """Remaining hours of open operations, spread evenly over their planned working days.

    What should have been done before today counts today.
    """
    calendar = where.calendar
    first = monday(work.today)
    needed: dict[dt.date, Decimal] = defaultdict(Decimal)
    query = (
        sa.select(
            Operation.planned_start_on,
            Operation.planned_end_on,
            Operation.qty_done,
            WorkOrder.qty,
            RoutingRow.setup_hours,
            RoutingRow.unit_hours,
        )
        .join(WorkOrder, WorkOrder.id == Operation.work_order_id)
        .join(RoutingRow, _same_step())
        .where(
            Operation.work_center == where.code,
            Operation.status != "done",
            WorkOrder.status.in_(OPEN),
            Operation.planned_start_on < first + WEEK * weeks,
        )
    )
    for start, end, done, qty, setup, unit in work.session.execute(query):
        left = max(Decimal(0), qty - done)
        hours = unit * left + (setup if done == 0 else Decimal(0))
        begin = max(start, work.today)
        last = max(end, begin)
        days = [
            begin + DAY * n
            for n in range((last - begin).days + 1)
            if calendar.is_working(begin + DAY * n)
        ] or [begin]
        for day in days:
            needed[monday(day)] += hours / len(days)
    found = []
    for n in range(weeks):
        week = first + WEEK * n
        open_days = [
            day
            for k in range(7)
            if calendar.is_working(day := week + DAY * k) and day >= work.today
        ]
        capacity = where.hours_per_day * len(open_days)
        found.append(LoadWeek(week, needed[week].quantize(Decimal("0.1")), capacity))
    return found
