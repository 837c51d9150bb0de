"""Clear to build: which work orders can start as planned, and what the others wait for. Pure.

A work order that has not started takes its components in this order: what came of the documents
pegged to it, what these still bring, what lies at its site, and what comes there for nobody. Work
orders are served by their start, so that no piece counts twice; what came for another of them
lies at the site and is its own. What comes by the start is in time. What should have come before
today and did not is missing, like all that comes later.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple

from b2bcrm.fulfillment.planning.figures import PLACES, Sheet
from b2bcrm.fulfillment.planning.plant import BomLine
from b2bcrm.fulfillment.planning.sums import (
    ALL_SITES,
    FIRST_PARTS,
    MOST_PARTS,
    SheetKey,
    Sheets,
)

WITHIN = dt.timedelta(days=14)
ZERO = Decimal(0)

Part = tuple[str, str]  # an item at a site


class Start(NamedTuple):
    """A work order that has not started, planned to do so ``on`` a day. Site 0: no known site."""

    no: str
    item: str
    site: str
    site_id: int
    qty: Decimal
    on: dt.date


class Supply(NamedTuple):
    """A purchase line or work order: ``there`` pieces came, ``coming`` more come ``on`` a day."""

    kind: str
    no: str
    item: str
    site: str
    there: Decimal
    coming: Decimal
    on: dt.date
    demand_ref: str


@dataclass(frozen=True, kw_only=True)
class Missing:
    """``qty`` of a part that a work order lacks at its start, and what brings the last of it.

    ``supply_on`` is None, and the document empty, where some of it is not ordered.
    """

    work_order: str
    item_no: str
    start_on: dt.date
    part_no: str
    qty: Decimal
    kind: str = ""
    document_no: str = ""
    supply_on: dt.date | None = None


class Cleared(NamedTuple):
    """A work order, whether all it takes is there already, and what is missing at its start."""

    start: Start
    here: bool
    missing: list[Missing]


@dataclass(frozen=True, kw_only=True)
class Clear:
    """``clear`` of ``starts`` work orders can start as planned, ``here`` from what is there.

    ``rows`` are the first of ``row_count``, by start.
    """

    starts: int
    clear: int
    here: int
    rows: tuple[Missing, ...]
    row_count: int


def clear_to_build(
    starts: Iterable[Start],
    bom: Iterable[BomLine],
    on_hand: Mapping[Part, Decimal],
    supplies: Iterable[Supply],
    today: dt.date,
) -> list[Cleared]:
    """What each work order has and lacks, by start."""
    lines: dict[str, list[BomLine]] = defaultdict(list)
    for line in bom:
        lines[line.item].append(line)
    store = _Store(on_hand, supplies, today)
    in_order = sorted(starts, key=lambda start: (start.on, start.no))
    return [store.serve(start, lines[start.item]) for start in in_order]


class _Store:
    """What is there and comes, less what was given out."""

    def __init__(
        self, on_hand: Mapping[Part, Decimal], supplies: Iterable[Supply], today: dt.date
    ) -> None:
        self._today = today
        self._left = defaultdict(Decimal, on_hand)
        self._pegged: dict[tuple[str, str], list[Supply]] = defaultdict(list)
        self._free: dict[Part, list[Supply]] = defaultdict(list)
        for supply in sorted(supplies, key=lambda supply: (supply.on, supply.no)):
            part = supply.item, supply.site
            if supply.demand_ref:
                self._pegged[supply.demand_ref, supply.item].append(supply)
                self._left[part] = max(ZERO, self._left[part] - supply.there)
            else:
                self._free[part].append(supply)

    def serve(self, start: Start, bom: Sequence[BomLine]) -> Cleared:
        """Give a work order its components."""
        needs: dict[str, Decimal] = defaultdict(Decimal)
        for line in bom:
            if line.counts_on(start.on):
                needs[line.component] += line.takes(start.qty)
        here, found = True, []
        for component, need in sorted(needs.items()):
            brings = self._brings(start, component, need, bom, needs)
            rest = need - sum((supply.there for supply in brings), ZERO)
            rest, coming = _give(rest, brings)
            part = component, start.site
            taken = max(ZERO, min(rest, self._left[part]))
            self._left[part] -= taken
            rest, more = _give(rest - taken, self._free[part])
            coming += more
            here = here and not coming and rest <= 0
            if (missing := self._missing(start, component, max(ZERO, rest), coming)) is not None:
                found.append(missing)
        return Cleared(start, here, found)

    def _brings(
        self,
        start: Start,
        component: str,
        need: Decimal,
        bom: Sequence[BomLine],
        needs: Mapping[str, Decimal],
    ) -> list[Supply]:
        """Documents pegged for the component, and for what stands in for it in pieces of it.

        What is pegged of something that may stand in for several serves the first of them alone.
        """
        found = list(self._pegged[start.no, component])
        for line in bom:
            takes, other = line.takes(start.qty), line.component
            stands_in = line.stands_in_for == component and line.holds_on(start.on)
            if stands_in and other not in needs and takes:
                found += [
                    supply._replace(
                        there=supply.there * need / takes, coming=supply.coming * need / takes
                    )
                    for supply in self._pegged.pop((start.no, other), ())
                ]
        return sorted(found, key=lambda supply: (supply.on, supply.no))

    def _missing(
        self, start: Start, component: str, rest: Decimal, coming: Iterable[Supply]
    ) -> Missing | None:
        last = max(start.on, self._today)
        late = [supply for supply in coming if not self._today <= supply.on <= last]
        qty = rest + sum((supply.coming for supply in late), ZERO)
        if qty <= 0:
            return None
        missing = Missing(
            work_order=start.no,
            item_no=start.item,
            start_on=start.on,
            part_no=component,
            qty=qty.quantize(Decimal(1).scaleb(-PLACES), ROUND_CEILING),
        )
        if rest > 0:
            return missing
        brings = max(late, key=lambda supply: (supply.on, supply.no))
        return replace(missing, kind=brings.kind, document_no=brings.no, supply_on=brings.on)


def _give(rest: Decimal, supplies: list[Supply]) -> tuple[Decimal, list[Supply]]:
    """What of ``rest`` the supplies do not bring, and what each brings; taken from the list."""
    given = []
    for n, supply in enumerate(supplies):
        qty = min(rest, supply.coming)
        if qty > 0:
            given.append(supply._replace(coming=qty))
            supplies[n] = supply._replace(coming=supply.coming - qty)
            rest -= qty
    return rest, given


# -------------------------------------------------------------------------------------- sheets
def clear_sheets(cleared: Iterable[Cleared]) -> Sheets:
    """Per site a sheet ``clear`` with the first rows, and ``missing`` with all where more are."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    rows: dict[int, list[list[Any]]] = defaultdict(list)
    for start, here, missing in cleared:
        for site in {ALL_SITES, start.site_id}:
            counts = sums[site]
            counts[0] += 1
            counts[1] += not missing
            counts[2] += here
            rows[site] += [_stored(row) for row in missing]
    found = Sheets()
    for site, counts in sums.items():
        found.data[SheetKey("clear", site)] = {
            "counts": counts,
            "first": rows[site][:FIRST_PARTS],
            "rows": len(rows[site]),
        }
        if len(rows[site]) > FIRST_PARTS:
            found.data[SheetKey("missing", site)] = {"rows": rows[site][:MOST_PARTS]}
    return found


def _stored(row: Missing) -> list[Any]:
    return [
        row.work_order,
        row.item_no,
        row.start_on.isoformat(),
        row.part_no,
        int(row.qty.scaleb(PLACES)),
        row.kind,
        row.document_no,
        None if row.supply_on is None else row.supply_on.isoformat(),
    ]


def clear(sheet: Sheet, every: Sheet) -> Clear:
    """What the sheets say; ``every`` is empty where the first rows will do."""
    starts, good, here = sheet.get("counts", (0, 0, 0))
    return Clear(
        starts=starts,
        clear=good,
        here=here,
        rows=tuple(
            Missing(
                work_order=no,
                item_no=item,
                start_on=dt.date.fromisoformat(start),
                part_no=part,
                qty=Decimal(qty).scaleb(-PLACES),
                kind=kind,
                document_no=document,
                supply_on=None if on is None else dt.date.fromisoformat(on),
            )
            for no, item, start, part, qty, kind, document, on in every.get("rows")
            or sheet.get("first", ())
        ),
        row_count=sheet.get("rows", 0),
    )
