"""The board's figures: read from stored sheets, or summed on the spot where those will not do.

A run of sheets is good if it was made today from the rows as they are. One that is behind the
rows is good for ``BEHIND`` after it was made: time enough for the worker's next look. Otherwise,
and where nothing is stored, the page sums for itself: slower, and right without any worker.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.fulfillment.models import FigureRun, FigureSheet
from b2bcrm.fulfillment.planning import clearing
from b2bcrm.fulfillment.planning import figures as planning
from b2bcrm.fulfillment.planning.clearing import Clear
from b2bcrm.fulfillment.planning.figures import (
    LOAD_WEEKS,
    Heat,
    LoadWeek,
    Lost,
    Otif,
    Period,
    Sheet,
    ShortRow,
    Totals,
)
from b2bcrm.fulfillment.planning.sums import (
    ALL_FAMILIES,
    ALL_SITES,
    BUSIEST,
    SheetKey,
    Sheets,
)
from b2bcrm.fulfillment.queries.ages import FEEDS
from b2bcrm.fulfillment.queries.board import BoardFilter, staff_only
from b2bcrm.fulfillment.queries.clearing import sum_clear
from b2bcrm.fulfillment.queries.sums import sum_load, sum_orders
from b2bcrm.kernel.timeline import version
from b2bcrm.kernel.work import Work
from b2bcrm.sync.models import Feed

BEHIND = dt.timedelta(seconds=10)


@dataclass(frozen=True)
class Run:
    """Sheets that are summed together, and the topics of all that goes into them."""

    name: str
    topics: tuple[str, ...]
    sum_up: Callable[[Work], Sheets]


RUNS = (
    Run("orders", ("order", "projection", "catalog"), sum_orders),
    Run("load", ("work_order", "catalog"), sum_load),
    Run("clear", ("work_order", "purchase_order", "stock", "catalog"), sum_clear),
)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Everything on the board but its orders. ``center`` is the code of the work centre shown;
    ``lost`` says where the lines of the period that was asked for lost their days.

    ``computed_at`` is the oldest projection of an open order, ``erp_as_of`` the oldest feed.
    """

    totals: Totals
    otif: Otif
    heat: Heat
    parts: list[ShortRow]
    part_count: int
    held_up: int
    clear: Clear
    lost: tuple[Lost, ...]
    center: str
    weeks: list[LoadWeek]
    computed_at: dt.datetime | None
    erp_as_of: dt.datetime | None


def figures(
    work: Work,
    found: BoardFilter,
    *,
    center: str = "",
    all_parts: bool = False,
    period: Period = Period.COMING,
) -> Figures:
    """What the board shows of all open orders that site and family leave.

    ``all_parts``: all short parts and all that work orders lack, not only the first of them.
    """
    staff_only(work)
    site = ALL_SITES if found.site_id is None else found.site_id
    scope = SheetKey("orders", site, found.family or ALL_FAMILIES)
    of_load = SheetKey("load", site, center or BUSIEST)
    of_weeks, of_parts = SheetKey("weeks", site), scope._replace(kind="parts")
    of_suppliers, of_clear = SheetKey("suppliers", site), SheetKey("clear", site)
    of_missing = SheetKey("missing", site)
    wanted = [scope, of_weeks, of_load, of_suppliers, of_clear]
    wanted += [of_parts, of_missing] * all_parts
    sheets, erp_as_of = _sheets(work, wanted)

    def sheet(key: SheetKey) -> Sheet:
        return sheets.data.get(key, {})

    orders = sheet(scope)
    parts = sheet(of_parts).get("rows") if all_parts else None
    code, weeks = planning.load(sheet(of_load), work.today, found.weeks)
    return Figures(
        totals=planning.totals(orders),
        otif=planning.otif(orders, work.today),
        heat=planning.heat(sheet(of_weeks), work.today, found.weeks),
        parts=planning.short_rows(
            parts or orders.get("first", []), sheet(of_suppliers).get("of", {})
        ),
        part_count=orders.get("parts", 0),
        held_up=orders.get("held_up", 0),
        clear=clearing.clear(sheet(of_clear), sheet(of_missing) if all_parts else {}),
        lost=planning.lost(orders, period),
        center=code,
        weeks=weeks,
        computed_at=sheets.computed_at.get(scope),
        erp_as_of=erp_as_of,
    )


def loads(work: Work, centers: Iterable[str]) -> dict[str, list[LoadWeek]]:
    """The coming weeks of each of the work centres, by code."""
    staff_only(work)
    wanted = [SheetKey("load", ALL_SITES, code) for code in centers]
    if not wanted:
        return {}
    sheets, _ = _sheets(work, wanted)
    found = (planning.load(sheets.data.get(key, {}), work.today, LOAD_WEEKS) for key in wanted)
    return {code: weeks for code, weeks in found if weeks}


_OLDEST_FEED = (
    sa.select(sa.func.min(Feed.data_as_of, type_=Feed.data_as_of.type).label("as_of"))
    .where(Feed.entity.in_(FEEDS))
    .subquery()
)
_SOURCE_NOW = sa.case(
    *((FigureRun.name == run.name, version(*run.topics).scalar_subquery()) for run in RUNS)
)
# Built once: a page asks this at each look.
_STORED = (
    sa.select(
        _OLDEST_FEED.c.as_of,
        FigureRun.name,
        FigureRun.made_on,
        FigureRun.made_at,
        FigureRun.source == _SOURCE_NOW,
        FigureSheet.kind,
        FigureSheet.site_id,
        FigureSheet.code,
        FigureSheet.data,
        FigureSheet.computed_at,
    )
    .select_from(_OLDEST_FEED)
    .outerjoin(FigureRun, sa.true())
    .outerjoin(
        FigureSheet,
        sa.and_(
            FigureSheet.run == FigureRun.name,
            FigureSheet.kind.in_(sa.bindparam("kinds", expanding=True)),
            FigureSheet.site_id == sa.bindparam("site_id"),
            FigureSheet.code.in_(sa.bindparam("codes", expanding=True)),
        ),
    )
)


def _sheets(work: Work, wanted: list[SheetKey]) -> tuple[Sheets, dt.datetime | None]:
    """The wanted sheets of one site, perhaps among others, and the age of the oldest feed."""
    values = {
        "kinds": {key.kind for key in wanted},
        "site_id": wanted[0].site_id,
        "codes": {key.code for key in wanted},
    }
    found, erp_as_of = Sheets(), None
    missing = {run.name: run for run in RUNS}
    for as_of, run, made_on, made_at, up_to_date, *key, data, computed_at in work.session.execute(
        _STORED, values
    ):
        erp_as_of = as_of
        if run is None or made_on != work.today:
            continue
        if up_to_date or abs(work.tick - made_at) <= BEHIND:
            missing.pop(run, None)
            if data is not None:
                found.add(SheetKey(*key), data, computed_at)
    for late in missing.values():
        summed = late.sum_up(work)
        found.data |= summed.data
        found.computed_at |= summed.computed_at
    return found, erp_as_of
