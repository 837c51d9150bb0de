"""The rows that the board's figures are summed from: open ones, and the weeks that count.

Each function answers all sheets of a run at once, in a few statements that no number of closed
orders and finished operations makes slower.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import Item, RoutingRow, WorkCenter
from b2bcrm.fulfillment.models import (
    OPEN_WORK,
    LineProjection,
    Operation,
    OrderProjection,
    PurchaseLine,
    Shipment,
    ShipmentLine,
    ShortPart,
    SurenessRun,
    WorkOrder,
)
from b2bcrm.fulfillment.planning.figures import Period, Promised, otif_window
from b2bcrm.fulfillment.planning.sums import (
    ALL_SITES,
    Center,
    FirstPromises,
    LateLine,
    OpenHours,
    OpenLine,
    OpenOrder,
    SheetKey,
    Sheets,
    Short,
    load_sheets,
    order_sheets,
)
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.organization import CalendarRow, Site
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState, Status
from b2bcrm.orders.models import Order, OrderLine

OPEN_STATUSES = tuple(status for status in Status if status is not Status.DONE)
COUNTED = (OrderState.CONFIRMED, OrderState.CLOSED)
_RAW = sa.BigInteger()


def sum_orders(work: Work) -> Sheets:
    """Totals, first promises and their odds, short parts and open lines by week."""
    lines, late, families = _lines(work)
    orders = _orders(work, families)
    days, odds = _days(work)
    found = order_sheets(orders, lines, days, _shorts(work), late, today=work.today)
    if odds and (everything := found.data.get(SheetKey("orders"))):
        everything["coming"] = odds
    return found


def _orders(work: Work, families: dict[int, set[str]]) -> dict[int, OpenOrder]:
    query = (
        sa.select(
            OrderProjection.order_id,
            Order.site_id,
            OrderProjection.status,
            OrderProjection.cause_kind,
            sa.type_coerce(OrderProjection.open_value, _RAW),
            OrderProjection.computed_at,
        )
        .join(Order, Order.id == OrderProjection.order_id)
        .where(OrderProjection.status.in_(OPEN_STATUSES))
    )
    return {
        order_id: OpenOrder(site_id, status, cause, value, at, families[order_id])
        for order_id, site_id, status, cause, value, at in work.session.execute(query)
    }


def _lines(work: Work) -> tuple[list[OpenLine], list[LateLine], dict[int, set[str]]]:
    """Open lines with a promise; lines that come late or did in the last year; the families of
    each open order.
    """
    lines, late = [], []
    families: dict[int, set[str]] = defaultdict(set)
    for order_id, site_id, family, day, status, came_on, shares in work.session.execute(
        _LINES, {"since": Period.YEAR.since(work.today)}
    ):
        if order_id is not None:
            families[order_id].add(family)
            if status not in OPEN_STATUSES:
                continue
            if day is not None:
                lines.append(OpenLine(site_id, family, day, status))
        if shares:
            late.append(LateLine(site_id, family, came_on, _by_kind(shares)))
    return lines, late, families


_LINE = (
    Order.site_id,
    Item.family,
    OrderLine.promised_on,
    sa.case((OrderLine.cancelled, sa.null()), else_=LineProjection.status).label("status"),
    LineProjection.came_on,
    LineProjection.lost,
)
# All lines of open orders, and once more, without their order, those that came late.
_LINES = sa.union_all(
    sa.select(OrderLine.order_id, *_LINE)
    .select_from(OrderProjection)
    .join(Order, Order.id == OrderProjection.order_id)
    .join(OrderLine, OrderLine.order_id == Order.id)
    .join(Item, Item.id == OrderLine.item_id)
    .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
    .where(OrderProjection.status.in_(OPEN_STATUSES)),
    sa.select(sa.cast(sa.null(), sa.BigInteger), *_LINE)
    .select_from(LineProjection)
    .join(OrderLine, OrderLine.id == LineProjection.order_line_id)
    .join(Order, Order.id == OrderLine.order_id)
    .join(Item, Item.id == OrderLine.item_id)
    .where(LineProjection.came_on >= sa.bindparam("since"), sa.not_(OrderLine.cancelled)),
)


def _by_kind(shares: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The days of a line's shares, as its projection keeps them, by kind of place."""
    found: dict[str, int] = defaultdict(int)
    for share in shares:
        found[share["kind"]] += share["days"]
    return dict(found)


def on_time(work: Work) -> sa.Case[int]:
    """1 for a line that is on time in full by its first promise, or projected to be; else 0.

    Asked of OrderLine with its Order, and its LineProjection where there is one.
    """
    point = sa.case((Order.incoterm.like("D%"), Shipment.delivered_on), else_=Shipment.shipped_on)
    in_time = (
        sa.select(sa.func.coalesce(sa.func.sum(sa.type_coerce(ShipmentLine.qty, _RAW)), 0))
        .join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .where(ShipmentLine.order_line_id == OrderLine.id, point <= OrderLine.first_promised_on)
        .correlate(OrderLine, Order)
        .scalar_subquery()
    )
    return sa.case(
        (
            OrderLine.first_promised_on < work.today,
            sa.case((in_time >= sa.type_coerce(OrderLine.ordered_qty, _RAW), 1), else_=0),
        ),
        (OrderLine.delivered_qty >= OrderLine.ordered_qty, 1),
        (LineProjection.projected_on <= OrderLine.first_promised_on, 1),
        else_=0,
    )


def first_promises(work: Work) -> list[Promised]:
    """The lines first promised for a day of the coming weeks that the board's share counts."""
    _, last = otif_window(work.today)
    query = (
        sa.select(
            Order.state, Order.no, OrderLine.line_no, OrderLine.first_promised_on, on_time(work)
        )
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
        .where(
            OrderLine.first_promised_on >= work.today,
            OrderLine.first_promised_on < last,
            sa.not_(OrderLine.cancelled),
        )
    )
    return [
        Promised(f"{no}/{line_no}", day, bool(good))
        for state, no, line_no, day, good in work.session.execute(query)
        if state in COUNTED and day is not None
    ]


def _days(work: Work) -> tuple[list[FirstPromises], list[float] | None]:
    """Past days count what was delivered in time, coming ones what is projected so now; and the
    odds of the coming ones, where the night could draw them.
    """
    first, last = otif_window(work.today)
    good = on_time(work)
    query = (
        sa.select(
            Order.state,
            Order.site_id,
            Item.family,
            OrderLine.first_promised_on,
            sa.func.sum(good),
            sa.func.count(),
            sa.select(SurenessRun.report["coming"]).scalar_subquery(),
        )
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Item, Item.id == OrderLine.item_id)
        .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
        .where(
            OrderLine.first_promised_on >= first,
            OrderLine.first_promised_on < last,
            sa.not_(OrderLine.cancelled),
        )
        # The state is told apart here: asked for in WHERE it would lead over all closed orders.
        .group_by(Order.state, Order.site_id, Item.family, OrderLine.first_promised_on)
    )
    rows = work.session.execute(query).all()
    return [
        FirstPromises(site_id, family, day, int(ok), count)
        for state, site_id, family, day, ok, count, _ in rows
        if state in COUNTED and day is not None
    ], next((odds for *_, odds in rows), None)


# A document that is no purchase order has none.
_SUPPLIER = [
    sa.func.coalesce(
        sa.select(sa.func.max(one)).where(PurchaseLine.po_no == ShortPart.document_no)
        .correlate(ShortPart).scalar_subquery(),
        "",
    )
    for one in (PurchaseLine.supplier_no, PurchaseLine.supplier_name)
]  # fmt: skip


def _shorts(work: Work) -> list[Short]:
    query = (
        sa.select(
            ShortPart.order_id,
            ShortPart.item_no,
            sa.func.coalesce(Item.name, ""),
            ShortPart.document_no,
            sa.type_coerce(ShortPart.qty, _RAW),
            ShortPart.need_on,
            ShortPart.supply_on,
            ShortPart.slip_days,
            *_SUPPLIER,
        )
        .join(OrderProjection, OrderProjection.order_id == ShortPart.order_id)
        .outerjoin(Item, Item.no == ShortPart.item_no)
        .where(OrderProjection.status.in_(OPEN_STATUSES))
    )
    return [Short(*row) for row in work.session.execute(query)]


def sum_load(work: Work) -> Sheets:
    """Hours that open operations need per work centre and week, against what it can give."""
    found = sa.union_all(_centers(), _hours()).subquery()
    query = sa.select(found, CalendarRow).outerjoin(
        CalendarRow, CalendarRow.code == found.c.calendar_code
    )
    centers, hours = [], []
    for (
        code,
        site_id,
        per_day,
        calendar_code,
        start,
        end,
        whole,
        pieces,
        *stored,
    ) in work.session.execute(query):
        if start is not None:
            hours.append(OpenHours(code, start, end, int(whole), int(pieces)))
            continue
        row: CalendarRow | None = stored[0]
        calendar = WorkCalendar(calendar_code) if row is None else row.value()
        centers.append(Center(code, site_id, per_day, calendar))
    return load_sheets(centers, hours, work.today)


def _centers() -> sa.Select[*tuple[Any, ...]]:
    """Work centres as rows beside those of hours, which have no calendar."""
    never = sa.cast(sa.null(), sa.Date)
    return sa.select(
        WorkCenter.code,
        sa.func.coalesce(Site.id, ALL_SITES).label("site_id"),
        sa.type_coerce(WorkCenter.hours_per_day, _RAW).label("per_day"),
        WorkCenter.calendar_code,
        never.label("start_on"),
        never.label("end_on"),
        sa.literal(0, _RAW).label("hours"),
        sa.literal(0, _RAW).label("pieces"),
    ).outerjoin(Site, Site.code == WorkCenter.site_code)


def _hours() -> sa.Select[*tuple[Any, ...]]:
    per_piece = sa.type_coerce(RoutingRow.unit_hours, _RAW)
    left = sa.type_coerce(WorkOrder.qty, _RAW) - sa.type_coerce(Operation.qty_done, _RAW)
    setup = sa.case(
        (Operation.qty_done == 0, sa.type_coerce(RoutingRow.setup_hours, _RAW) * 1_000_000),
        else_=0,
    )
    return (
        sa.select(
            Operation.work_center,
            sa.literal(ALL_SITES, _RAW),
            sa.literal(0, _RAW),
            sa.cast(sa.null(), sa.String),
            Operation.planned_start_on,
            Operation.planned_end_on,
            sa.func.sum(per_piece * sa.case((left > 0, left), else_=0) + setup, type_=_RAW),
            sa.func.sum(per_piece * left, type_=_RAW),
        )
        .join(WorkOrder, WorkOrder.id == Operation.work_order_id)
        .join(
            RoutingRow,
            sa.and_(
                RoutingRow.item_no == WorkOrder.item_no, RoutingRow.step_no == Operation.step_no
            ),
        )
        # In so many words, or SQLite does not see that the index of open operations fits.
        .where(Operation.status != sa.literal_column("'done'"), WorkOrder.status.in_(OPEN_WORK))
        .group_by(Operation.work_center, Operation.planned_start_on, Operation.planned_end_on)
    )
