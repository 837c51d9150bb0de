"""The plant's rows for a plan, by a few SELECTs of plain columns."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import BomRow, Item, ItemKind, RoutingRow, WorkCenter
from b2bcrm.customers.models import Account, ShipTo
from b2bcrm.customers.receiving import at_customer
from b2bcrm.fulfillment.models import (
    OPEN_WORK,
    Hold,
    HoldLine,
    Operation,
    PurchaseLine,
    Reservation,
    Stock,
    WorkOrder,
)
from b2bcrm.fulfillment.planning.atp import FRESH, PURCHASE, WORK
from b2bcrm.fulfillment.planning.firming import without_firm
from b2bcrm.fulfillment.planning.plant import (
    SERVE_BY,
    BomLine,
    Center,
    Document,
    ItemRow,
    Kept,
    Level,
    OpenLine,
    OpenStep,
    Policy,
    Rows,
    ServeBy,
    Step,
)
from b2bcrm.fulfillment.snapshot import allocations, firm
from b2bcrm.fulfillment.snapshot.pools import calendars, supplies_of
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OPEN_ORDERS
from b2bcrm.orders.models import Order, OrderLine

ZERO = Decimal(0)
KEPT_ROWS = 20_000  # witnesses of promises whose meaning a process remembers


def take(work: Work, serve_by: Sequence[ServeBy] = SERVE_BY) -> Rows:
    """Everything that a plan made today needs."""
    session = work.session
    items = [
        ItemRow(no, kind.value, *rest)
        for no, kind, *rest in work.rows(
            sa.select(
                Item.no,
                Item.kind,
                Item.unit,
                Item.lead_time_days,
                Item.lot_size,
                Item.sellable,
            ).where(Item.kind != ItemKind.SERVICE)
        )
    ]
    bom = sa.select(
        BomRow.item_no,
        BomRow.component_no,
        BomRow.qty_per,
        BomRow.scrap_pct,
        BomRow.unit,
        BomRow.valid_from,
        BomRow.valid_to,
        BomRow.stands_in_for,
    ).order_by(BomRow.item_no, BomRow.id)
    steps = sa.select(
        RoutingRow.item_no,
        RoutingRow.step_no,
        RoutingRow.work_center,
        RoutingRow.setup_hours,
        RoutingRow.unit_hours,
    )
    centers = sa.select(
        WorkCenter.code, WorkCenter.site_code, WorkCenter.hours_per_day, WorkCenter.calendar_code
    ).order_by(WorkCenter.code)
    levels = sa.select(Stock.item_no, Stock.site_code, Stock.on_hand, Stock.allocated).order_by(
        Stock.id
    )
    rows = Rows(
        today=work.today,
        items=items,
        bom=[BomLine(*row) for row in work.rows(bom)],
        steps=[Step(*row) for row in work.rows(steps)],
        centers=[Center(*row) for row in work.rows(centers)],
        levels=[Level(*row) for row in work.rows(levels)],
        documents=[*_purchases(work), *_works(work)],
        open_steps=_open_steps(work),
        lines=_lines(work),
        kept=kept(work),
        allocations=allocations.take(work),
        calendars=calendars(work),
        site_calendars={
            site.code: site.calendar_code
            for site in session.scalars(sa.select(Site).order_by(Site.id))
        },
        serve_by=serve_by,
    )
    return without_firm(rows, firm.take(work))


# ----------------------------------------------------------------------------------- documents
def _purchases(work: Work) -> list[Document]:
    query = (
        sa.select(
            PurchaseLine.po_no,
            PurchaseLine.item_no,
            PurchaseLine.site_code,
            PurchaseLine.qty,
            PurchaseLine.received_qty,
            PurchaseLine.ordered_on,
            sa.func.coalesce(PurchaseLine.confirmed_on, PurchaseLine.requested_on),
            PurchaseLine.demand_ref,
        )
        .where(PurchaseLine.status == "open", PurchaseLine.received_qty < PurchaseLine.qty)
        .order_by(PurchaseLine.id)
    )
    return [
        Document(PURCHASE, no, item, site, qty, qty - received, *rest)
        for no, item, site, qty, received, *rest in work.rows(query)
    ]


def _works(work: Work) -> list[Document]:
    query = (
        sa.select(
            WorkOrder.no,
            WorkOrder.item_no,
            WorkOrder.site_code,
            WorkOrder.qty,
            WorkOrder.completed_qty,
            WorkOrder.scrapped_qty,
            WorkOrder.planned_start_on,
            WorkOrder.planned_end_on,
            WorkOrder.demand_ref,
            sa.and_(WorkOrder.status != "running", WorkOrder.actual_start_on.is_(None)),
        )
        .where(WorkOrder.status.in_(OPEN_WORK))
        .order_by(WorkOrder.id)
    )
    return [
        Document(WORK, no, item, site, qty, qty - completed - scrapped, *rest)
        for no, item, site, qty, completed, scrapped, *rest in work.rows(query)
    ]


def _open_steps(work: Work) -> list[OpenStep]:
    """Hours by the routing; fixed ones only before the first piece."""
    query = (
        sa.select(
            WorkOrder.no,
            Operation.work_center,
            Operation.planned_start_on,
            Operation.planned_end_on,
            WorkOrder.qty,
            Operation.qty_done,
            RoutingRow.setup_hours,
            RoutingRow.unit_hours,
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
    )
    return [
        OpenStep(
            no, center, start, end, (ZERO if done else setup) + per_piece * max(qty - done, ZERO)
        )
        for no, center, start, end, qty, done, setup, per_piece in work.rows(query)
    ]


# -------------------------------------------------------------------------------------- demand
def _lines(work: Work) -> list[OpenLine]:
    query = (
        sa.select(
            Order.no,
            Order.erp_no,
            Order.incoterm,
            Order.ordered_on,
            Order.account_id,
            Order.ship_to_id,
            Site.code,
            Account.customer_class,
            Item.no,
            OrderLine.id,
            OrderLine.line_no,
            OrderLine.ordered_qty,
            OrderLine.short_qty,
            OrderLine.shipped_qty,
            OrderLine.net,
            Order.rate,
            OrderLine.first_promised_on,
            OrderLine.promised_on,
            OrderLine.requested_on,
            OrderLine.leaves_with,
            OrderLine.least_shipment,
            OrderLine.max_late_days,
            sa.not_(Order.partial_delivery),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .join(Account, Account.id == Order.account_id)
        .join(Site, Site.id == Order.site_id)
        .join(Item, Item.id == OrderLine.item_id)
        .where(
            Order.state.in_(OPEN_ORDERS),
            sa.not_(OrderLine.cancelled),
            OrderLine.shipped_qty < OrderLine.due_qty,
            Item.kind != ItemKind.SERVICE,
        )
    )
    ways, reserved = _ways(work), _reserved(work)
    found = []
    for (
        no, erp_no, incoterm, ordered_on, account, ship_to, site, customer_class, item,
        line_id, line_no, ordered, short, shipped, net, rate, first, promised, requested,
        *policy,
    ) in work.rows(query):  # fmt: skip
        transit, receiving = ways.get(ship_to) or ways.get(-account) or (0, "")
        found.append(
            OpenLine(
                ref=f"{erp_no}/{line_no}" if erp_no else "",
                no=f"{no}/{line_no}",
                item=item,
                site=site,
                qty=ordered - short - shipped,
                kept=reserved.get((no, str(line_no)), ZERO),
                wish=promised or requested,
                customer_class=customer_class,
                promise=first or requested,
                entry=(ordered_on, line_id),
                transit=transit if at_customer(incoterm) else 0,
                receiving=receiving if at_customer(incoterm) else "",
                each=net * rate / ordered,
                policy=Policy(*policy),
            )
        )
    return found


def _ways(work: Work) -> dict[int | None, tuple[int, str]]:
    """Transit and receiving days by ship-to; by minus the account's id those of its first one."""
    query = sa.select(
        ShipTo.id, ShipTo.account_id, ShipTo.transit_days, ShipTo.receiving_days
    ).order_by(ShipTo.account_id, ShipTo.code)
    found: dict[int | None, tuple[int, str]] = {}
    for ship_to, account, transit, receiving in work.rows(query):
        found[ship_to] = (transit, receiving)
        found.setdefault(-account, (transit, receiving))
    return found


def _reserved(work: Work) -> dict[tuple[str, str], Decimal]:
    query = sa.select(Reservation.order_ref, Reservation.line_ref, Reservation.qty).where(
        Reservation.ended_at.is_(None)
    )
    return {(order, line): qty for order, line, qty in work.rows(query)}


def _witness(kind: type[Reservation | HoldLine]) -> tuple[Any, ...]:
    return (
        kind.id,
        kind.line_ref,
        Item.no,
        Site.code,
        sa.cast(kind.sources, sa.Text),
        kind.customer_class,
    )


# Built once: every question asks them.
_RESERVED_NOW = (
    sa.select(sa.literal("R"), *_witness(Reservation), Reservation.seq, Reservation.order_ref)
    .join(Item, Item.id == Reservation.item_id)
    .join(Site, Site.id == Reservation.site_id)
    .where(Reservation.ended_at.is_(None))
)
_HELD_NOW = (
    sa.select(sa.literal("H"), *_witness(HoldLine), Hold.seq, Hold.ref)
    .join(Hold, Hold.id == HoldLine.hold_id)
    .join(Item, Item.id == HoldLine.item_id)
    .join(Site, Site.id == HoldLine.site_id)
    .where(
        Hold.ended_at.is_(None),
        Hold.until >= sa.bindparam("today", type_=sa.Date),
        Hold.ref.not_in(sa.bindparam("without", expanding=True)),
    )
)


def kept(work: Work, *, without: tuple[str, ...] = ()) -> list[Kept]:
    """What live reservations and holds keep, a row per day of their witness, in their order.

    Holds of the references in ``without`` keep nothing.
    """
    held = work.rows(_HELD_NOW, {"today": work.today, "without": list(without)})
    rows = [*work.rows(_RESERVED_NOW), *held]
    return sorted(
        (one for row in rows for one in _kept(tuple(row))), key=lambda one: (one.seq, one.key)
    )


@lru_cache(maxsize=KEPT_ROWS)  # every question asks all of them, and few have changed since
def _kept(row: tuple[Any, ...]) -> tuple[Kept, ...]:
    """One per day and way. The key says everything, so that a row that changed is another one."""
    mark, row_id, line, item, site, sources, customer_class, seq, ref = row
    days: dict[tuple[dt.date, bool], Decimal] = defaultdict(Decimal)
    for take in supplies_of(json.loads(sources)):
        days[take.on, take.kind in FRESH] += take.qty
    return tuple(
        Kept(
            key=f"{mark}/{row_id}/{on:%y%m%d}/{int(fresh)}/{qty.normalize():f}",
            seq=seq,
            no=f"{ref}/{line}",
            item=item,
            site=site,
            qty=qty,
            on=on,
            fresh=fresh,
            customer_class=customer_class,
        )
        for (on, fresh), qty in days.items()
    )
