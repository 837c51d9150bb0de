"""The rows that say which work orders can start as planned, and which suppliers keep their word:
one statement for all of them.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from b2bcrm.catalog.models import BomRow
from b2bcrm.fulfillment.models import OPEN_WORK, WAITING_WORK, PurchaseLine, Stock, WorkOrder
from b2bcrm.fulfillment.planning.clearing import (
    WITHIN,
    Part,
    Start,
    Supply,
    clear_sheets,
    clear_to_build,
)
from b2bcrm.fulfillment.planning.figures import PLACES, Period
from b2bcrm.fulfillment.planning.plant import BomLine
from b2bcrm.fulfillment.planning.sums import ALL_SITES, Sheets
from b2bcrm.fulfillment.queries.suppliers import kept_words, supplier_sheets
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.work import Work

_RAW = sa.BigInteger()
_START, _BOM, _STOCK, _WORD = "start", "bom", "stock", "word"
_PURCHASE, _WORK = "purchase_order", "work_order"  # as the page of what rests on them says
PRICE_PLACES = 6


def sum_clear(work: Work) -> Sheets:
    """Work orders that start soon, those of them that can, and what the others lack; suppliers."""
    starts: list[Start] = []
    bom: list[BomLine] = []
    on_hand: dict[Part, Decimal] = {}
    supplies: list[Supply] = []
    words: list[tuple[int, str, int, int]] = []
    asked = {"last": work.today + WITHIN, "since": Period.YEAR.since(work.today)}
    for kind, no, item, site, a, b, first, last, ref in work.rows(_statement(), asked):
        if kind == _START:
            starts.append(Start(no, item, site, b, _exact(a), first))
        elif kind == _BOM:
            per, scrap = _exact(a, PRICE_PLACES), _exact(b)
            bom.append(BomLine(item, no, per, scrap, "", first, last, ref))
        elif kind == _STOCK:
            on_hand[item, site] = _exact(a)
        elif kind == _WORD:
            words.append((int(site), no, a, b))
        else:
            supplies.append(Supply(kind, no, item, site, _exact(a), _exact(b), first, ref))
    found = clear_sheets(clear_to_build(starts, bom, on_hand, supplies, work.today))
    found.data |= supplier_sheets(words).data
    return found


def _exact(value: int, places: int = PLACES) -> Decimal:
    return Decimal(value).scaleb(-places)


@cache
def _statement() -> sa.CompoundSelect[Any]:
    """Rows of every kind: its name, number, item, site, two quantities, two days, reference.

    Quantities are whole numbers, as the database keeps them.
    """
    soon = aliased(WorkOrder)
    waits = (soon.status.in_(WAITING_WORK), soon.actual_start_on.is_(None))
    starts_soon = soon.planned_start_on <= sa.bindparam("last")
    waiting = sa.select(soon.no).where(*waits)
    made = sa.select(soon.item_no).where(*waits, starts_soon)
    taken = sa.select(BomRow.component_no).where(BomRow.item_no.in_(made))
    start, site_id = soon.planned_start_on, sa.func.coalesce(Site.id, ALL_SITES)
    starts = (
        _rows(_START, soon.no, soon, _raw(soon.qty), site_id, start, start, _NONE)
        .outerjoin(Site, Site.code == soon.site_code)
        .where(*waits, starts_soon)
    )
    bom = sa.select(
        _text(_BOM),
        BomRow.component_no,
        BomRow.item_no,
        _NONE,
        _raw(BomRow.qty_per),
        _raw(BomRow.scrap_pct),
        BomRow.valid_from,
        BomRow.valid_to,
        BomRow.stands_in_for,
    ).where(BomRow.item_no.in_(made))
    never = sa.cast(sa.null(), sa.Date)
    stock = _rows(_STOCK, _NONE, Stock, _raw(Stock.on_hand), sa.literal(0), never, never, _NONE)
    query, told = kept_words()
    site = sa.cast(told["site"], sa.String)
    columns = (told["supplier"], _NONE, site, told["kept"], told["came"], never, never, _NONE)
    return sa.union_all(
        query.add_columns(_text(_WORD), *columns),
        starts,
        bom,
        stock.where(Stock.item_no.in_(taken)),
        *_supplies(_purchases(), PurchaseLine, PurchaseLine.status == "open", waiting, taken),
        *_supplies(_works(), WorkOrder, WorkOrder.status.in_(OPEN_WORK), waiting, taken),
    )


def _purchases() -> sa.Select[Any]:
    came = _raw(PurchaseLine.received_qty)
    coming = sa.case((PurchaseLine.status == "open", _raw(PurchaseLine.qty) - came), else_=0)
    due = sa.func.coalesce(PurchaseLine.confirmed_on, PurchaseLine.requested_on)
    ref = PurchaseLine.demand_ref
    return _rows(_PURCHASE, PurchaseLine.po_no, PurchaseLine, came, coming, due, due, ref)


def _works() -> sa.Select[Any]:
    came, spoilt = _raw(WorkOrder.completed_qty), _raw(WorkOrder.scrapped_qty)
    left = _raw(WorkOrder.qty) - came - spoilt
    coming = sa.case((WorkOrder.status.in_(OPEN_WORK), left), else_=0)
    due, ref = WorkOrder.planned_end_on, WorkOrder.demand_ref
    return _rows(_WORK, WorkOrder.no, WorkOrder, came, coming, due, due, ref)


def _supplies(
    every: sa.Select[Any],
    row: type[PurchaseLine | WorkOrder],
    is_open: sa.ColumnElement[bool],
    waiting: sa.Select[str],
    taken: sa.Select[str],
) -> tuple[sa.Select[Any], sa.Select[Any]]:
    """Documents pegged to what waits, done ones too; and open ones that are for nobody."""
    return (
        every.where(row.demand_ref.in_(waiting)),
        every.where(row.item_no.in_(taken), row.demand_ref == "", is_open),
    )


def _rows(kind: str, no: Any, row: Any, *rest: Any) -> sa.Select[Any]:
    return sa.select(_text(kind), no, row.item_no, row.site_code, *rest)


def _text(value: str) -> sa.ColumnElement[str]:
    return sa.literal(value, sa.String)


def _raw(column: Any) -> sa.ColumnElement[int]:
    return sa.type_coerce(column, _RAW)


_NONE = _text("")
