"""Stock, free dated supply and everything already promised, per item and site."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import Item, ItemKind
from b2bcrm.fulfillment.models import (
    OPEN_WORK,
    Hold,
    HoldLine,
    PurchaseLine,
    Reservation,
    Stock,
    WorkOrder,
)
from b2bcrm.fulfillment.planning import atp
from b2bcrm.fulfillment.snapshot import firm
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.organization import CalendarRow, Site
from b2bcrm.kernel.work import Work
from b2bcrm.sync.models import Feed

SUPPLY_FEEDS = ("stock", "purchase_order", "work_order")
ZERO = Decimal(0)


@dataclass(frozen=True)
class Pools:
    """``by_key`` holds the sites that keep or get the item; else the asked or the first site."""

    by_key: dict[tuple[int, int], atp.Pool]
    services: frozenset[int]
    data_as_of: dt.datetime | None

    def of(self, item_id: int, site_id: int | None) -> list[tuple[int, atp.Pool]]:
        """The pools a wish may be met from: the named site's, or every site that has the item."""
        if site_id is not None and (item_id, site_id) in self.by_key:
            return [(site_id, self.by_key[item_id, site_id])]
        return [(s, pool) for (i, s), pool in self.by_key.items() if i == item_id]


def calendars(work: Work) -> dict[str, WorkCalendar]:
    """All stored calendars by code."""
    return {row.code: row.value() for row in work.session.scalars(sa.select(CalendarRow))}


def data_as_of(work: Work) -> dt.datetime | None:
    """Business time of the oldest of the feeds that dates rest on; None before the first pull."""
    query = sa.select(sa.func.min(Feed.data_as_of)).where(Feed.entity.in_(SUPPLY_FEEDS))
    return work.session.scalar(query)


def stock_read_to(work: Work) -> dt.datetime | None:
    """Business time up to which the ERP's stock was read in full; None before the first pull."""
    query = sa.select(sa.func.min(Feed.watermark, type_=Feed.watermark.type))
    return work.session.scalar(query.where(Feed.entity == "stock"))


def take(
    work: Work, wanted: Iterable[tuple[int, int | None]], *, without: Sequence[str] = ()
) -> Pools:
    """Pools for (item, site) pairs; site None asks for every site that has the item.

    What the holds named in ``without`` keep counts as free.
    """
    pairs = set(wanted)
    items = _items(work, {item_id for item_id, _ in pairs})
    nos = {facts["no"]: item_id for item_id, facts in items.items()}
    sites = {site.code: site for site in work.session.scalars(sa.select(Site).order_by(Site.id))}
    stored = calendars(work)
    today = work.today
    stock, supplies = _stock(work, nos), _supplies(work, nos)
    keys = {(nos[no], sites[code].id) for no, code in {*stock, *supplies} if code in sites}
    nowhere = set(items) - {item_id for item_id, _ in keys}
    first = next((site.id for site in sites.values()), None)
    for item_id, site_id in pairs:
        where = site_id or first
        if item_id in nowhere and where is not None:
            keys.add((item_id, where))
    codes = {site.id: site for site in sites.values()}
    demands, firm_ones = _demands(work, set(items), without), _firm(work, nos, sites)
    by_key = {}
    for item_id, site_id in sorted(keys):
        site = codes.get(site_id)
        if site is None or item_id not in items:
            continue
        spot = (items[item_id]["no"], site.code)
        calendar = stored.get(site.calendar_code) or WorkCalendar(site.calendar_code)
        by_key[item_id, site_id] = atp.Pool(
            today=today,
            calendar=calendar,
            on_hand=stock.get(spot, ZERO),
            supplies=sorted(supplies.get(spot, ()), key=lambda s: (s.on, s.no)),
            demands=[
                *demands.get((item_id, site_id), ()),
                *firm_ones.get((item_id, site_id), ()),
            ],
            lead_days=items[item_id]["lead"],
        )
    services = frozenset(i for i, facts in items.items() if facts["kind"] is ItemKind.SERVICE)
    return Pools(by_key, services, data_as_of(work))


def _items(work: Work, ids: set[int]) -> dict[int, dict[str, Any]]:
    query = sa.select(Item.id, Item.no, Item.kind, Item.lead_time_days).where(Item.id.in_(ids))
    return {
        item_id: {"no": no, "kind": kind, "lead": lead}
        for item_id, no, kind, lead in work.session.execute(query)
    }


def _stock(work: Work, nos: Iterable[str]) -> dict[tuple[str, str], Decimal]:
    """Pieces on hand that the ERP has not allocated; may be negative."""
    query = sa.select(Stock.item_no, Stock.site_code, Stock.on_hand, Stock.allocated)
    rows = work.session.execute(query.where(Stock.item_no.in_(nos)))
    return {(no, code): on_hand - allocated for no, code, on_hand, allocated in rows}


def _supplies(work: Work, nos: Iterable[str]) -> dict[tuple[str, str], list[atp.Supply]]:
    """Open purchase lines and work orders that were not made for another demand."""
    found: dict[tuple[str, str], list[atp.Supply]] = defaultdict(list)
    buys = sa.select(PurchaseLine).where(
        PurchaseLine.item_no.in_(nos),
        PurchaseLine.status == "open",
        PurchaseLine.demand_ref == "",
        PurchaseLine.received_qty < PurchaseLine.qty,
    )
    for buy in work.session.scalars(buys):
        found[buy.item_no, buy.site_code].append(
            atp.Supply(
                atp.PURCHASE, buy.po_no, buy.qty - buy.received_qty, max(buy.due_on, work.today)
            )
        )
    makes = sa.select(WorkOrder).where(
        WorkOrder.item_no.in_(nos), WorkOrder.status.in_(OPEN_WORK), WorkOrder.demand_ref == ""
    )
    for make in work.session.scalars(makes):
        left = make.qty - make.completed_qty - make.scrapped_qty
        if left > 0:
            found[make.item_no, make.site_code].append(
                atp.Supply(atp.WORK, make.no, left, max(make.planned_end_on, work.today))
            )
    return found


def _demands(
    work: Work, item_ids: set[int], without: Sequence[str]
) -> dict[tuple[int, int], list[atp.Demand]]:
    """What reservations and live holds keep, dated by the supply it rests on."""
    found: dict[tuple[int, int], list[atp.Demand]] = defaultdict(list)
    reserved = sa.select(Reservation.item_id, Reservation.site_id, Reservation.sources).where(
        Reservation.item_id.in_(item_ids), Reservation.ended_at.is_(None)
    )
    held = (
        sa.select(HoldLine.item_id, HoldLine.site_id, HoldLine.sources)
        .join(Hold, Hold.id == HoldLine.hold_id)
        .where(
            HoldLine.item_id.in_(item_ids),
            Hold.ended_at.is_(None),
            Hold.until >= work.today,
            Hold.ref.not_in(without),
        )
    )
    for query in (reserved, held):
        for item_id, site_id, sources in work.session.execute(query):
            found[item_id, site_id] += atp.demands_of(supplies_of(sources))
    return found


def _firm(
    work: Work, nos: Mapping[str, int], sites: Mapping[str, Site]
) -> dict[tuple[int, int], list[atp.Demand]]:
    """What firm pegs keep, dated by their supply."""
    found: dict[tuple[int, int], list[atp.Demand]] = defaultdict(list)
    for one in firm.take(work):
        spot = one.spot
        if spot.item in nos and spot.site in sites:
            on = max(one.on or work.today, work.today)
            found[nos[spot.item], sites[spot.site].id].append(atp.Demand(one.qty, on))
    return found


def reserved(work: Work, nos: Collection[str]) -> dict[tuple[str, str], dict[str, Any]]:
    """Ready day of a line's reservation, and what of it lies in stock."""
    query = sa.select(
        Reservation.order_ref, Reservation.line_ref, Reservation.ready_on, Reservation.sources
    ).where(Reservation.order_ref.in_(nos), Reservation.ended_at.is_(None))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for ref, line, day, sources in work.session.execute(query):
        lies = [take.qty for take in supplies_of(sources) if take.kind == atp.STOCK]
        found[ref, line] = {"reserved_on": day, "reserved_stock": sum(lies, ZERO)}
    return found


def supplies_of(sources: Iterable[dict[str, Any]]) -> list[atp.Supply]:
    """The promised pieces of a stored witness as values."""
    return [_supply(s) for s in sources if _is_piece(s)]


def details_of(sources: Iterable[dict[str, Any]]) -> list[atp.Supply]:
    """What the pieces of a stored witness rest on: components and hours."""
    return [_supply(s) for s in sources if not _is_piece(s)]


def _is_piece(stored: dict[str, Any]) -> bool:
    return not stored.get("item") and stored["kind"] != atp.CAPACITY


def _supply(stored: dict[str, Any]) -> atp.Supply:
    return atp.Supply(
        stored["kind"],
        stored["no"],
        Decimal(stored["qty"]),
        dt.date.fromisoformat(stored["on"]),
        stored.get("item", ""),
    )


def sources_of(
    takes: Iterable[atp.Supply], details: Iterable[atp.Supply] = ()
) -> list[dict[str, Any]]:
    """The inverse of ``supplies_of`` and ``details_of``."""
    return [
        {"kind": t.kind, "no": t.no, "qty": str(t.qty), "on": t.on.isoformat()}
        | ({"item": t.item} if t.item else {})
        for t in (*takes, *details)
    ]
