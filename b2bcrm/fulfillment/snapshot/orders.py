"""Open orders with the documents that supply them, as planning's facts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.models import BomRow, Item, ItemKind, RoutingRow, WorkCenter
from b2bcrm.customers.models import Account, ShipTo
from b2bcrm.fulfillment.models import (
    OPEN_WORK,
    Operation,
    PurchaseLine,
    Stock,
    WorkOrder,
)
from b2bcrm.fulfillment.planning.atp import PURCHASE, STOCK, WORK
from b2bcrm.fulfillment.planning.chain import DEEPEST
from b2bcrm.fulfillment.planning.facts import (
    ZERO,
    Buy,
    FirmPieces,
    Line,
    Make,
    Part,
    Step,
    Supplies,
)
from b2bcrm.fulfillment.planning.firming import Spot, taken
from b2bcrm.fulfillment.queries.notices import asked
from b2bcrm.fulfillment.snapshot import firm, outcome, policies, pools, witness
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order, OrderLine

HUNDRED = Decimal(100)


@dataclass(frozen=True)
class OrderFacts:
    """``lines`` by line id, without cancelled ones; ``sites`` calendar measures working days."""

    order: Order
    credit_hold: bool
    calendar: WorkCalendar
    lines: dict[int, Line]


@dataclass(frozen=True)
class Snapshot:
    """Several orders and all their supply."""

    orders: list[OrderFacts]
    supplies: Supplies


def line_ref(order: Order, line: OrderLine) -> str:
    """How the ERP's documents name the line; empty before the ERP has the order."""
    return f"{order.erp_no}/{line.line_no}" if order.erp_no else ""


def take(work: Work, orders: Sequence[Order]) -> Snapshot:
    """Facts of ``orders`` (their lines loaded)."""
    refs = {line_ref(o, ln) for o in orders for ln in o.lines if o.erp_no and not ln.cancelled}
    kept = firm.take(work)
    gone = taken(kept)
    supplies = _supplies(work, refs, gone)
    items = _items(work, {line.item_id for order in orders for line in order.lines})
    sites = {site.id: site for site in work.session.scalars(sa.select(Site))}
    stored = pools.calendars(work)
    blocked = set(
        work.session.scalars(
            sa.select(Account.id).where(
                Account.id.in_({order.account_id for order in orders}), Account.credit_hold
            )
        )
    )
    ship_tos = _ship_tos(work, orders)
    stock = _stock(work, {item.no for item in items.values()})
    reserved = pools.reserved(work, [order.no for order in orders])
    waiting = asked(work, [order.id for order in orders])
    planned = witness.planned(work, {f"{o.no}/{ln.line_no}" for o in orders for ln in o.lines})
    ids = [line.id for order in orders for line in order.lines]
    out, moves = outcome.ways_out(work, ids), outcome.moves(work, ids)
    facts = []
    for order in orders:
        site = sites[order.site_id]
        calendar = stored.get(site.calendar_code) or WorkCalendar(site.calendar_code)
        transit, receiving = ship_tos.get(order.id, (0, "1111111"))
        lines, latest = {}, policies.latest(order)
        for line in order.lines:
            if line.cancelled:
                continue
            item = items[line.item_id]
            level = kept_at(stock, item.no, site.code)
            lines[line.id] = Line(
                ref=line_ref(order, line),
                line_no=line.line_no,
                item=item.no,
                ordered=line.due_qty,
                shipped=line.shipped_qty,
                delivered=line.delivered_qty,
                promised_on=line.promised_on,
                planned_on=line.planned_on,
                incoterm=order.incoterm,
                transit_days=transit,
                receiving_days=receiving,
                calendar=calendar,
                on_hand=_unpegged(level, gone),
                stock_item=item.kind is not ItemKind.SERVICE,
                lead_days=item.lead_time_days,
                **reserved.get((order.no, str(line.line_no)), {}),
                shipped_on=out[line.id][0] if line.id in out else None,
                family=item.family,
                plan=planned.get(f"{order.no}/{line.line_no}"),
                firm=tuple(
                    FirmPieces(one.spot.kind, one.spot.no, one.qty, one.on)
                    for one in kept
                    if one.line_id == line.id
                ),
                asked=waiting.get(line.id),
                came_on=outcome.came_on(order, line, out.get(line.id)),
                moves=tuple(moves.get(line.id, ())),
                leaves_with=line.leaves_with if order.partial_delivery else "",
                latest_on=latest.get(line.id),
            )
        facts.append(OrderFacts(order, order.account_id in blocked, calendar, lines))
    return Snapshot(facts, supplies)


def _items(work: Work, ids: Collection[int]) -> dict[int, Item]:
    return {item.id: item for item in work.session.scalars(sa.select(Item).where(Item.id.in_(ids)))}


def _ship_tos(work: Work, orders: Sequence[Order]) -> dict[int, tuple[int, str]]:
    """Transit and receiving days per order: its ship-to, else the account's first one."""
    query = (
        sa.select(ShipTo)
        .where(ShipTo.account_id.in_({order.account_id for order in orders}))
        .order_by(ShipTo.account_id, ShipTo.code)
    )
    rows = work.session.scalars(query).all()
    by_id = {row.id: row for row in rows}
    first: dict[int, ShipTo] = {}
    for row in rows:
        first.setdefault(row.account_id, row)
    found = {}
    for order in orders:
        where = by_id.get(order.ship_to_id or 0) or first.get(order.account_id)
        if where is not None:
            found[order.id] = (where.transit_days, where.receiving_days)
    return found


def _stock(work: Work, nos: Collection[str]) -> dict[str, dict[str, Stock]]:
    """Stock rows by item and site."""
    found: dict[str, dict[str, Stock]] = defaultdict(dict)
    for row in work.session.scalars(
        sa.select(Stock).where(Stock.item_no.in_(nos)).order_by(Stock.site_code)
    ):
        found[row.item_no][row.site_code] = row
    return found


def kept_at(stock: dict[str, dict[str, Stock]], item_no: str, site_code: str) -> Stock | None:
    """The item's stock at the site; where it is kept elsewhere, the largest of the others."""
    rows = stock.get(item_no, {})
    return rows.get(site_code) or max(rows.values(), key=lambda r: r.on_hand, default=None)


# ----------------------------------------------------------------------------------- documents
def _supplies(work: Work, refs: Collection[str], gone: Mapping[Spot, Decimal]) -> Supplies:
    """Everything made or bought for ``refs``, level by level."""
    work_rows: list[WorkOrder] = []
    buys: dict[str, list[Buy]] = defaultdict(list)
    level = set(refs)
    for _ in range(DEEPEST):
        if not level:
            break
        for row in work.session.scalars(
            sa.select(PurchaseLine)
            .where(PurchaseLine.demand_ref.in_(level))
            .order_by(PurchaseLine.po_no, PurchaseLine.line_no)
        ):
            buys[row.demand_ref].append(_buy(row))
        found = work.session.scalars(
            sa.select(WorkOrder).where(WorkOrder.demand_ref.in_(level)).order_by(WorkOrder.no)
        ).all()
        work_rows += found
        level = {row.no for row in found}
    steps = _steps(work, work_rows)
    parts = _parts(work, work_rows, buys, gone)
    makes: dict[str, list[Make]] = defaultdict(list)
    for make in work_rows:
        facts = _make(make, steps.get(make.id, ()), parts.get(make.no, ()))
        makes[make.demand_ref].append(facts)
    return Supplies(makes, buys)


def _buy(row: PurchaseLine) -> Buy:
    return Buy(
        no=row.po_no,
        line_no=row.line_no,
        item=row.item_no,
        supplier=row.supplier_name,
        qty=row.qty,
        received=row.received_qty,
        due_on=row.due_on,
        first_on=row.first_confirmed_on or row.requested_on,
        requested_on=row.requested_on,
        received_on=row.received_on,
        shown_open_on=row.shown_open_on,
        status=row.status,
    )


def _make(row: WorkOrder, steps: Sequence[Step], parts: Sequence[Part]) -> Make:
    return Make(
        no=row.no,
        item=row.item_no,
        qty=row.qty,
        completed=row.completed_qty,
        status=row.status,
        start_on=row.planned_start_on,
        end_on=row.planned_end_on,
        first_end_on=row.first_planned_end_on,
        started_on=row.actual_start_on,
        ended_on=row.actual_end_on,
        scrapped=row.scrapped_qty,
        shown_open_on=row.shown_open_on,
        steps=tuple(steps),
        parts=tuple(parts),
    )


def _steps(work: Work, rows: Sequence[WorkOrder]) -> dict[int, list[Step]]:
    """Operations per work order with the hours their routing plans for the lot."""
    by_id = {row.id: row for row in rows}
    if not by_id:
        return {}
    routing = {
        (item, step): (setup, unit)
        for item, step, setup, unit in work.session.execute(
            sa.select(
                RoutingRow.item_no,
                RoutingRow.step_no,
                RoutingRow.setup_hours,
                RoutingRow.unit_hours,
            ).where(RoutingRow.item_no.in_({row.item_no for row in rows}))
        )
    }
    names = dict(work.session.execute(sa.select(WorkCenter.code, WorkCenter.name)).all())
    found: dict[int, list[Step]] = defaultdict(list)
    operations = work.session.scalars(
        sa.select(Operation)
        .where(Operation.work_order_id.in_(by_id))
        .order_by(Operation.work_order_id, Operation.step_no)
    )
    for row in operations:
        make = by_id[row.work_order_id]
        setup, unit = routing.get((make.item_no, row.step_no), (Decimal(1), ZERO))
        found[make.id].append(
            Step(
                step_no=row.step_no,
                name=row.name,
                center=names.get(row.work_center, row.work_center),
                station=row.station,
                done=row.status == "done",
                qty_done=row.qty_done,
                start_on=row.planned_start_on,
                end_on=row.planned_end_on,
                hours=setup + unit * make.qty,
            )
        )
    return found


def _parts(
    work: Work,
    rows: Sequence[WorkOrder],
    buys: dict[str, list[Buy]],
    gone: Mapping[Spot, Decimal],
) -> dict[str, list[Part]]:
    """Components of work orders that no document was pegged for: they come from stock."""
    pegged = {(row.demand_ref, row.item_no) for row in rows}
    pegged |= {(ref, buy.item) for ref, group in buys.items() for buy in group}
    waiting = [row for row in rows if row.status not in {"done", "closed", "cancelled"}]
    if not waiting:
        return {}
    bom: dict[str, list[BomRow]] = defaultdict(list)
    for line in work.session.scalars(
        sa.select(BomRow).where(BomRow.item_no.in_({row.item_no for row in waiting}))
    ):
        bom[line.item_no].append(line)
    needs = {row.no: _needs(row, bom[row.item_no], pegged) for row in waiting}
    nos = {item for group in needs.values() for item in group}
    stock = _stock(work, nos)
    coming, lead = _coming(work, nos, gone), _lead_days(work, nos)
    found: dict[str, list[Part]] = {}
    for row in waiting:
        parts = []
        for item, need in needs[row.no].items():
            level = kept_at(stock, item, row.site_code)
            site = level.site_code if level else row.site_code
            parts.append(
                Part(
                    item=item,
                    need=need.quantize(ONE4),
                    on_hand=_unpegged(level, gone),
                    allocated=level.allocated if level else ZERO,
                    coming=tuple(coming.get((item, site), ())),
                    lead_days=lead.get(item, 0),
                )
            )
        found[row.no] = parts
    return found


def _needs(
    row: WorkOrder, bom: Sequence[BomRow], pegged: Collection[tuple[str, str]]
) -> dict[str, Decimal]:
    """What a work order takes that no document was pegged for, itself or a substitute."""
    own = [line for line in bom if line.counts_on(row.planned_start_on)]
    brought = {line.component_no for line in bom if (row.no, line.component_no) in pegged}
    others = brought - {line.component_no for line in own}
    brought |= {line.stands_in_for for line in bom if line.component_no in others}
    found: dict[str, Decimal] = defaultdict(Decimal)
    for line in own:
        if line.component_no not in brought:
            scrap = (HUNDRED + line.scrap_pct) / HUNDRED
            found[line.component_no] += line.qty_per * row.qty * scrap
    return found


ONE4 = Decimal("0.0001")


def _unpegged(level: Stock | None, gone: Mapping[Spot, Decimal]) -> Decimal:
    """Pieces on hand that no firm peg keeps for a line."""
    if level is None:
        return ZERO
    return level.on_hand - gone.get(Spot(STOCK, "", level.item_no, level.site_code), ZERO)


def _coming(
    work: Work, nos: Collection[str], gone: Mapping[Spot, Decimal]
) -> dict[tuple[str, str], list[Receipt]]:
    """Open receipts that nobody has pegged, oldest first."""
    found: dict[tuple[str, str], list[Receipt]] = defaultdict(list)
    if not nos:
        return found
    for buy in work.session.scalars(
        sa.select(PurchaseLine).where(
            PurchaseLine.item_no.in_(nos),
            PurchaseLine.status == "open",
            PurchaseLine.demand_ref == "",
            PurchaseLine.received_qty < PurchaseLine.qty,
        )
    ):
        pegged = gone.get(Spot(PURCHASE, buy.po_no, buy.item_no, buy.site_code), ZERO)
        found[buy.item_no, buy.site_code].append(
            (buy.po_no, buy.due_on, buy.qty - buy.received_qty - pegged)
        )
    for make in work.session.scalars(
        sa.select(WorkOrder).where(
            WorkOrder.item_no.in_(nos),
            WorkOrder.status.in_(OPEN_WORK),
            WorkOrder.demand_ref == "",
        )
    ):
        pegged = gone.get(Spot(WORK, make.no, make.item_no, make.site_code), ZERO)
        found[make.item_no, make.site_code].append(
            (make.no, make.planned_end_on, make.qty - make.completed_qty - pegged)
        )
    for receipts in found.values():
        receipts.sort(key=lambda receipt: receipt[1])
    return found


Receipt = tuple[str, dt.date, Decimal]


def _lead_days(work: Work, nos: Collection[str]) -> dict[str, int]:
    query = sa.select(Item.no, Item.lead_time_days).where(Item.no.in_(nos))
    return dict(work.session.execute(query).all())
