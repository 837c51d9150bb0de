"""What the plan's arrays say, in the items' own units, on days of the calendar and in words."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
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


def supply(take: Take, part: str, standing: Standing, today: dt.date) -> atp.Supply:
    """A take of a part as a supply."""
    item = item_of(take.part) if take.part else ""
    if take.kind == atp.CAPACITY:
        qty = Decimal(take.qty) / HOURS
    else:
        qty = standing.quantity(item or item_of(part), take.qty)
    return atp.Supply(take.kind, take.no, qty, today + dt.timedelta(days=take.day), item)


def centers(work: Work, decided: Iterable[Take | None]) -> dict[str, str]:
    """Names by code of the work centres among what decides."""
    codes = {take.no for take in decided if take is not None and take.kind == atp.CAPACITY}
    if not codes:
        return {}
    query = sa.select(WorkCenter.code, WorkCenter.name).where(WorkCenter.code.in_(codes))
    return dict(work.rows(query))


def reason(
    qty: Decimal,
    takes: Iterable[atp.Supply],
    decides: atp.Supply | None,
    centers: Mapping[str, str],
) -> Message:
    """Why a planned day is the first, in one sentence; a work centre has its name in it."""
    own = [take for take in takes if not take.item and take.kind != atp.CAPACITY]
    return because(qty, own, decides, centers.get(decides.no, "") if decides else "")


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
    with plan.standing() as standing:
        days = {
            name: placed
            for name in names
            if (placed := _last_day(standing, (*keys[name], name))) is not None
        }
        late = {
            name: standing.told(key) for name, (day, key) in days.items() if day > standing.due(key)
        }
        known = centers(work, (decides for *_, decides in late.values()))
        found: dict[str, Planned] = {}
        for name, (day, _) in days.items():
            found[name] = Planned(plan.today + dt.timedelta(days=day))
            if name in late:
                part, qty, takes, last = late[name]
                rows = [supply(take, part, standing, plan.today) for take in takes]
                decides = supply(last, part, standing, plan.today) if last else None
                why = reason(standing.quantity(item_of(part), qty), rows, decides, known)
                material = decides is None or decides.kind != atp.CAPACITY
                found[name] = replace(found[name], late=True, why=why, material=material)
    return found


def _last_day(standing: Standing, keys: Iterable[str]) -> tuple[int, str] | None:
    """The last of the days on which the plan has them, with whose it is."""
    days = ((standing.day(key), key) for key in keys)
    return max(((day, key) for day, key in days if day is not None), default=None)
