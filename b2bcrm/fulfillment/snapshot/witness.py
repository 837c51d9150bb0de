"""What the plan's arrays say, in the items' own units, on days of the calendar and in words."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import TYPE_CHECKING

import sqlalchemy as sa

from b2bcrm.catalog.models import WorkCenter
from b2bcrm.fulfillment.planning import atp
from b2bcrm.fulfillment.planning.because import because
from b2bcrm.fulfillment.planning.facts import Planned
from b2bcrm.fulfillment.planning.plant import item_of
from b2bcrm.fulfillment.snapshot import live
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

if TYPE_CHECKING:
    from b2bcrm.fulfillment.planning.standing import Standing
    from b2bcrm.fulfillment.planning.takes import Take

HOURS = 1000  # the engine counts 1/1000 h


def supplies(
    takes: Iterable[Take], part: str, standing: Standing, today: dt.date
) -> list[atp.Supply]:
    """Takes of a part as supplies."""
    found = []
    for take in takes:
        item = item_of(take.part) if take.part else ""
        if take.kind == atp.CAPACITY:
            qty = Decimal(take.qty) / HOURS
        else:
            qty = standing.quantity(item or item_of(part), take.qty)
        found.append(atp.Supply(take.kind, take.no, qty, today + dt.timedelta(days=take.day), item))
    return found


def reason(
    work: Work, qty: Decimal, takes: Iterable[atp.Supply], decides: atp.Supply | None
) -> Message:
    """Why a planned day is the first, in one sentence; a work centre has its name in it."""
    own = [take for take in takes if not take.item and take.kind != atp.CAPACITY]
    center = ""
    if decides is not None and decides.kind == atp.CAPACITY:
        query = sa.select(WorkCenter.name).where(WorkCenter.code == decides.no)
        center = work.session.scalar(query) or ""
    return because(qty, own, decides, center)


def planned(work: Work, names: Collection[str]) -> dict[str, Planned]:
    """What the live plan says of order lines ``<order>/<line>``; lines that it has no day for, and
    those that documents cover, are left out.
    """
    plan = live.take(work) if names else None
    if plan is None:
        return {}
    keys: dict[str, list[str]] = defaultdict(list)
    for one in plan.kept:
        if one.no in names:
            keys[one.no].append(one.key)
    found = {}
    with plan.standing() as standing:
        for name in names:
            placed = [
                (day, key) for key in (*keys[name], name) if (day := standing.day(key)) is not None
            ]
            if not placed:
                continue
            day, key = max(placed)
            late = day > standing.due(key)
            why, material = None, False
            if late:
                part, qty, takes, decides = standing.told(key)
                rows = supplies(takes, part, standing, plan.today)
                last = supplies([decides] if decides else [], part, standing, plan.today)
                first = last[0] if last else None
                why = reason(work, standing.quantity(item_of(part), qty), rows, first)
                material = first is None or first.kind != atp.CAPACITY
            on = plan.today + dt.timedelta(days=day)
            found[name] = Planned(on, late=late, why=why, material=material)
    return found
