"""The board's figures the slow way: every row of the database, one loop per figure.

Shares nothing with the sums that are tested against it but the names of what is counted.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.catalog.models import BomRow, Item, RoutingRow, WorkCenter
from b2bcrm.fulfillment.models import (
    LineProjection,
    OrderProjection,
    PurchaseLine,
    Shipment,
    ShortPart,
    Stock,
    WorkOrder,
)
from b2bcrm.fulfillment.planning.clearing import Clear, Missing
from b2bcrm.fulfillment.planning.figures import (
    Heat,
    HeatCell,
    LoadWeek,
    Lost,
    Otif,
    Period,
    Share,
    ShortRow,
    Totals,
)
from b2bcrm.fulfillment.queries.board import BoardFilter
from b2bcrm.fulfillment.queries.figures import Figures
from b2bcrm.kernel.organization import CalendarRow, Site
from b2bcrm.orders.lifecycle import OrderState, Status
from b2bcrm.orders.models import Order

DAY, WEEK = dt.timedelta(days=1), dt.timedelta(days=7)


def monday(day):
    return day - DAY * day.weekday()


@dataclass
class Books:
    """All rows of a database, and the figures that they add up to."""

    work: object
    orders: dict = field(default_factory=dict)

    def __post_init__(self):
        self.today = self.work.today
        session = self.work.session
        every = session.scalars(sa.select(Order).options(selectinload(Order.lines)))
        self.orders = {order.id: order for order in every}
        self.lines = {line.id: line for order in self.orders.values() for line in order.lines}
        self.items = {item.id: item for item in session.scalars(sa.select(Item))}
        self.by_order = {row.order_id: row for row in session.scalars(sa.select(OrderProjection))}
        rows = session.scalars(sa.select(LineProjection))
        self.by_line = {row.order_line_id: row for row in rows}
        self.shorts = session.scalars(sa.select(ShortPart)).all()
        self.sites = {site.code: site.id for site in session.scalars(sa.select(Site))}
        self.bought = session.scalars(sa.select(PurchaseLine)).all()
        self.sent = defaultdict(list)
        every = session.scalars(sa.select(Shipment).options(selectinload(Shipment.lines)))
        for shipment in every:
            for part in shipment.lines:
                self.sent[part.order_line_id].append((shipment, part.qty))

    def figures(
        self, found: BoardFilter, *, center="", all_parts=False, period=Period.COMING
    ) -> Figures:
        parts, held_up = self._parts(found)
        code, weeks = self._load(found, center)
        return Figures(
            totals=self._totals(found),
            otif=self._otif(found),
            heat=self._heat(found),
            parts=parts[: 200 if all_parts else 6],
            part_count=len(parts),
            held_up=held_up,
            clear=self._clear(found, all_parts),
            lost=self._lost(found, period),
            center=code,
            weeks=weeks,
            computed_at=min((row.computed_at for row in self._open(found)), default=None),
            erp_as_of=None,
        )

    def _here(self, order, found):
        return found.site_id is None or order.site_id == found.site_id

    def _open(self, found):
        for row in self.by_order.values():
            order = self.orders[row.order_id]
            families = {self.items[line.item_id].family for line in order.lines}
            of_family = not found.family or found.family in families
            if row.status is not Status.DONE and self._here(order, found) and of_family:
                yield row

    def _totals(self, found):
        rows = list(self._open(found))
        troubled = [row for row in rows if row.status in {Status.LATE, Status.RISK}]
        causes = defaultdict(int)
        for row in troubled:
            causes[row.cause_kind] += 1
        return Totals(
            orders=len(rows),
            value=sum((row.open_value for row in rows), Decimal(0)),
            late=sum(row.status is Status.LATE for row in rows),
            risk=sum(row.status is Status.RISK for row in rows),
            troubled_value=sum((row.open_value for row in troubled), Decimal(0)),
            causes=dict(causes),
        )

    def _lost(self, found, period):
        days, lines = defaultdict(int), defaultdict(set)
        weeks = {Period.MONTH: 4, Period.YEAR: 52}
        for line_id, row in self.by_line.items():
            line = self.lines[line_id]
            order, family = self.orders[line.order_id], self.items[line.item_id].family
            if period is Period.COMING:
                counts = row.came_on is None and row.status is not Status.DONE
            else:
                since = self.today - weeks[period] * WEEK
                counts = row.came_on is not None and row.came_on >= since
            here = not line.cancelled and self._here(order, found)
            if counts and here and found.family in {"", family}:
                for share in row.lost or ():
                    days[share["kind"]] += share["days"]
                    lines[share["kind"]].add(line_id)
        most = sorted(days, key=lambda kind: (-days[kind], kind))
        return tuple(Lost(kind, days[kind], len(lines[kind])) for kind in most)

    def _otif(self, found):
        good, total = defaultdict(int), defaultdict(int)
        for line in self.lines.values():
            order, day = self.orders[line.order_id], line.first_promised_on
            if (
                day is not None
                and not line.cancelled
                and order.state in {OrderState.CONFIRMED, OrderState.CLOSED}
                and self._here(order, found)
                and found.family in {"", self.items[line.item_id].family}
            ):
                total[day] += 1
                good[day] += self._kept(line) if day < self.today else self._will_be(line)

        def share(first, last):
            days = [day for day in total if first <= day < last]
            return Share(sum(good[d] for d in days), sum(total[d] for d in days))

        start, four = monday(self.today) - 8 * WEEK, 4 * WEEK
        return Otif(
            past=share(self.today - four, self.today),
            before=share(max(start, self.today - 2 * four), self.today - four),
            projected=share(self.today, self.today + four),
            weekly=tuple((w, share(w, w + WEEK)) for w in (start + n * WEEK for n in range(8))),
        )

    def _kept(self, line):
        """Whether the whole quantity was there (D-terms) or handed over by the first promise."""
        at_customer = self.orders[line.order_id].incoterm.startswith("D")
        days = [
            (shipment.delivered_on if at_customer else shipment.shipped_on, qty)
            for shipment, qty in self.sent[line.id]
        ]
        return sum(q for d, q in days if d and d <= line.first_promised_on) >= line.ordered_qty

    def _will_be(self, line):
        row = self.by_line.get(line.id)
        projected = row.projected_on if row else None
        in_time = projected is not None and projected <= line.first_promised_on
        return in_time or line.delivered_qty >= line.ordered_qty

    def _heat(self, found):
        first = monday(self.today)
        weeks = tuple(first + WEEK * n for n in range(found.weeks))
        cells = defaultdict(list)
        for row in self.by_line.values():
            line = self.lines[row.order_line_id]
            day = line.promised_on
            shown = row.status is not Status.DONE and not line.cancelled and day is not None
            if shown and day < weeks[-1] + WEEK and self._here(self.orders[line.order_id], found):
                family = self.items[line.item_id].family
                cells[family, max(first, monday(day))].append(row.status)
        return Heat(
            weeks=weeks,
            families=sorted({family for family, _week in cells}),
            cells={
                key: HeatCell(len(all_), all_.count(Status.RISK), all_.count(Status.LATE))
                for key, all_ in cells.items()
            },
        )

    def _parts(self, found):
        open_rows = {row.order_id: row for row in self._open(found)}
        names = {item.no: item.name for item in self.items.values()}
        groups = defaultdict(list)
        for short in self.shorts:
            if short.order_id in open_rows:
                groups[short.item_no, short.document_no].append(short)
        rows = []
        for (item_no, document_no), shorts in groups.items():
            held_up = [open_rows[order_id] for order_id in {s.order_id for s in shorts}]
            rows.append(
                ShortRow(
                    item_no=item_no,
                    item_name=names.get(item_no, ""),
                    document_no=document_no,
                    qty=sum(s.qty for s in shorts),
                    need_on=min(s.need_on for s in shorts),
                    supply_on=max(s.supply_on for s in shorts),
                    slip_days=max(s.slip_days for s in shorts),
                    orders=len(held_up),
                    value=sum(row.open_value for row in held_up),
                    late=any(row.status is Status.LATE for row in held_up),
                    **self._supplier(document_no, found),
                )
            )
        rows.sort(key=lambda row: (not row.late, -row.value, row.item_no, row.document_no))
        return rows, len({s.order_id for shorts in groups.values() for s in shorts})

    def _supplier(self, document_no, found):
        """Name of the supplier, and how many of his lines came in the last year, and in time."""
        mine = [row for row in self.bought if row.po_no == document_no]
        if not mine:
            return {}
        since = Period.YEAR.since(self.today)
        came = [
            row
            for row in self.bought
            if row.supplier_no == mine[0].supplier_no
            and found.site_id in {None, self.sites.get(row.site_code)}
            and row.received_on is not None
            and row.received_on >= since
            and row.received_qty >= row.qty
        ]
        kept = [r for r in came if r.received_on <= (r.first_confirmed_on or r.requested_on)]
        return {"supplier": mine[0].supplier_name, "kept": len(kept), "came": len(came)}

    def _clear(self, found, all_parts):
        """Where no document is pegged to a work order and nothing stands in; else None."""
        session = self.work.session
        makes = session.scalars(sa.select(WorkOrder)).all()
        if {row.demand_ref for row in [*self.bought, *makes]} & {make.no for make in makes}:
            return None
        left = {(r.item_no, r.site_code): r.on_hand for r in session.scalars(sa.select(Stock))}
        made_of = session.scalars(sa.select(BomRow)).all()
        waiting = [
            make
            for make in makes
            if make.status in {"planned", "released"}
            and make.planned_start_on <= self.today + 2 * WEEK
        ]
        counts, rows = [0, 0], []
        for make in sorted(waiting, key=lambda make: (make.planned_start_on, make.no)):
            lacks = []
            for line in (line for line in made_of if line.item_no == make.item_no):
                need, spot = line.qty_per * make.qty, (line.component_no, make.site_code)
                missing = max(Decimal(0), need - left.get(spot, Decimal(0)))
                left[spot] = left.get(spot, Decimal(0)) - need + missing
                if missing:
                    lacks.append(
                        Missing(
                            work_order=make.no,
                            item_no=make.item_no,
                            start_on=make.planned_start_on,
                            part_no=line.component_no,
                            qty=missing,
                        )
                    )
            if found.site_id in {None, self.sites[make.site_code]}:
                counts[0] += 1
                counts[1] += not lacks
                rows += lacks
        return Clear(
            starts=counts[0],
            clear=counts[1],
            here=counts[1],
            rows=tuple(rows[: 200 if all_parts else 6]),
            row_count=len(rows),
        )

    def _load(self, found, wanted):
        session = self.work.session
        sites = {site.code: site.id for site in session.scalars(sa.select(Site))}
        calendars = {row.code: row.value() for row in session.scalars(sa.select(CalendarRow))}
        per_step = {(r.item_no, r.step_no): r for r in session.scalars(sa.select(RoutingRow))}
        needed, busy = defaultdict(Fraction), defaultdict(Fraction)
        centers = {
            center.code: center
            for center in session.scalars(sa.select(WorkCenter))
            if found.site_id is None or sites.get(center.site_code) == found.site_id
        }
        query = sa.select(WorkOrder).options(selectinload(WorkOrder.operations))
        for make in session.scalars(query):
            for step in make.operations:
                center = centers.get(step.work_center)
                hours = per_step.get((make.item_no, step.step_no))
                open_ = make.status in {"planned", "released", "running"} and step.status != "done"
                if center is None or hours is None or not open_:
                    continue
                left = make.qty - step.qty_done
                busy[center.code] += Fraction(hours.unit_hours * left)
                need = Fraction(hours.unit_hours * max(Decimal(0), left))
                need += Fraction(hours.setup_hours) if step.qty_done == 0 else 0
                for day, share in self._days(step, calendars[center.calendar_code], need):
                    needed[center.code, monday(day)] += share
        if not wanted and centers:
            wanted = min(centers, key=lambda c: (-busy[c] / Fraction(centers[c].hours_per_day), c))
        if wanted not in centers:
            return "", []
        return wanted, [
            self._week(centers[wanted], calendars, needed, monday(self.today) + WEEK * n)
            for n in range(min(found.weeks, 12))
        ]

    def _days(self, step, calendar, hours):
        begin = max(step.planned_start_on, self.today)
        end = max(step.planned_end_on, begin)
        span = [begin + DAY * n for n in range((end - begin).days + 1)]
        days = [day for day in span if calendar.is_working(day)] or [begin]
        return [(day, hours / len(days)) for day in days]

    def _week(self, center, calendars, needed, week):
        days = [week + DAY * n for n in range(7) if week + DAY * n >= self.today]
        calendar = calendars[center.calendar_code]
        load = needed[center.code, week]
        exact = Decimal(load.numerator) / Decimal(load.denominator)
        return LoadWeek(
            week,
            exact.quantize(Decimal("0.1"), ROUND_HALF_EVEN),
            center.hours_per_day * sum(calendar.is_working(day) for day in days),
        )
