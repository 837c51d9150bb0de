"""How documents and ways out have erred in the last year, and which kind each open one is.

A document that was never moved since it was first confirmed errs as all did from their first day;
one that was moved as those did that were, from the day they were moved to.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import ShipTo
from b2bcrm.customers.receiving import arrival_on, at_customer, leave_by
from b2bcrm.fulfillment.models import (
    OPEN_WORK,
    PurchaseLine,
    Shipment,
    ShipmentLine,
    WorkOrder,
)
from b2bcrm.fulfillment.planning.odds import Errors, History, Path
from b2bcrm.fulfillment.planning.sureness_paths import weekdays_between
from b2bcrm.fulfillment.snapshot.pools import calendars
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OPEN_ORDERS
from b2bcrm.orders.models import Order, OrderLine

YEAR = dt.timedelta(days=365)


def take(work: Work) -> History:
    """The errors of what came in the last year, and the kinds of what is open."""
    errors, since = Errors(), work.today - YEAR
    documents = _bought(work, errors, since) | _made(work, errors, since)
    return History(errors, documents, _ways_out(work, errors, since))


def _kind(thing: str, finer: str, *, moved: bool) -> Path:
    return (f"{thing} moved",) if moved else (thing, finer)


def _bought(work: Work, errors: Errors, since: dt.date) -> dict[str, Path]:
    bought = PurchaseLine
    query = sa.select(
        bought.po_no, bought.supplier_no, bought.first_confirmed_on, bought.confirmed_on,
        bought.received_on, bought.received_qty >= bought.qty,
    ).where(sa.or_(bought.status == "open", bought.received_on >= since))  # fmt: skip
    open_ones = {}
    for no, supplier, first, last, came, whole in work.rows(query):
        moved = last is not None and first is not None and last != first
        if not whole:
            open_ones[no] = _kind("bought", supplier, moved=moved)
        elif came is not None and first is not None:
            errors.add(("bought", supplier), weekdays_between(first, came))
            if moved:
                errors.add(("bought moved",), weekdays_between(last, came))
    return open_ones


def _made(work: Work, errors: Errors, since: dt.date) -> dict[str, Path]:
    made = WorkOrder
    query = (
        sa.select(
            made.no, Item.family, made.first_planned_end_on, made.planned_end_on,
            made.actual_end_on, made.status,
        )
        .join(Item, Item.no == made.item_no)
        .where(sa.or_(made.status.in_(OPEN_WORK), made.actual_end_on >= since))
    )  # fmt: skip
    open_ones = {}
    for no, family, first, last, came, status in work.rows(query):
        moved = last != first
        if status in OPEN_WORK:
            open_ones[no] = _kind("made", family, moved=moved)
        elif came is not None:
            errors.add(("made", family), weekdays_between(first, came))
            if moved:
                errors.add(("made moved",), weekdays_between(last, came))
    return open_ones


def _ways_out(work: Work, errors: Errors, since: dt.date) -> dict[str, Path]:
    """From the day after a line's work orders were done, or its last day to leave, to delivery."""
    ready = sa.func.max(WorkOrder.actual_end_on, type_=WorkOrder.actual_end_on.type)
    query = (
        sa.select(
            Order.incoterm, Order.state, Order.no, OrderLine.line_no, Order.site_id,
            OrderLine.first_promised_on, ShipTo.transit_days, ShipTo.receiving_days, ready,
            sa.func.max(Shipment.shipped_on), sa.func.max(Shipment.delivered_on),
            OrderLine.delivered_qty >= OrderLine.due_qty,
        )
        .select_from(OrderLine)
        .join(Order, Order.id == OrderLine.order_id)
        .outerjoin(ShipTo, ShipTo.id == Order.ship_to_id)
        .outerjoin(ShipmentLine, ShipmentLine.order_line_id == OrderLine.id)
        .outerjoin(Shipment, Shipment.id == ShipmentLine.shipment_id)
        .outerjoin(
            WorkOrder,
            WorkOrder.demand_ref == Order.erp_no + "/" + sa.cast(OrderLine.line_no, sa.String),
        )
        .where(OrderLine.first_promised_on >= since, sa.not_(OrderLine.cancelled))
        .group_by(OrderLine.id, Order.id, ShipTo.id)
    )  # fmt: skip
    sites = _calendars(work)
    open_ones: dict[str, Path] = {}
    for (
        incoterm, state, no, line_no, site, promised, transit, receiving, done, left, there, whole,
    ) in work.rows(query):  # fmt: skip
        path = ("out", "at customer" if at_customer(incoterm) else "at our door")
        if state in OPEN_ORDERS and not whole:
            open_ones[f"{no}/{line_no}"] = path
        came = there if at_customer(incoterm) else left
        if not whole or came is None or done is None:
            continue
        way = {
            "incoterm": incoterm,
            "transit_days": transit or 0,
            "receiving_days": receiving or "1111111",
        }
        calendar = sites[site]
        leaves = max(calendar.add_days(done, 1), leave_by(promised, calendar=calendar, **way))
        errors.add(path, weekdays_between(arrival_on(leaves, **way), came))
    return open_ones


def _calendars(work: Work) -> dict[int, WorkCalendar]:
    known = calendars(work)
    return {
        site.id: known.get(site.calendar_code) or WorkCalendar(site.calendar_code)
        for site in work.session.scalars(sa.select(Site))
    }
