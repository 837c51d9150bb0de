"""What the plan's arrays say, in the items' own units, on days of the calendar and in words."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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
    from b2bcrm.fulfillment.planning.takes import Footing, Take

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
    """What the live plan says of order lines ``<order>/<line>``; those that documents cover, are
    left out.
    """
    plan = live.take(work) if names else None
    if plan is None:
        return {}
    keys: dict[str, list[str]] = defaultdict(list)
    for one in plan.kept:
        if one.no in names:
            keys[one.no].append(one.key)
    found: dict[str, Planned] = {}
    with plan.standing() as standing:
        late: dict[str, tuple[Footing, ...]] = {}
        for name in names:
            if standing.plans(name) and standing.day(name) is None:
                found[name] = Planned(None, late=True)
                continue
            placed = _last_day(standing, (*keys[name], name))
            if placed is None:
                continue
            day, key = placed
            found[name] = Planned(plan.today + dt.timedelta(days=day))
            if day > standing.due(key):
                late[name] = _decided(standing, key)
                due = plan.today + dt.timedelta(days=standing.due(key))
                found[name] = replace(found[name], ahead_on=due)
        known = centers(work, (one.decides for told in late.values() for one in told))
        for name, told in late.items():
            mine, decides = told[0], told[0].decides
            found[name] = replace(
                found[name],
                late=True,
                why=_why(told, standing, plan.today, known),
                material=decides is None or decides.kind != atp.CAPACITY,
                ahead=standing.quantity(item_of(mine.part), mine.ahead),
            )
    return found


def _decided(standing: Standing, name: str) -> tuple[Footing, ...]:
    """What it rests on; behind that what the line rests on whose supply decides its day."""
    told = standing.told(name)
    return (told, standing.told(told.waits_for)) if told.waits_for else (told,)


def _why(
    told: Sequence[Footing], standing: Standing, today: dt.date, centers: Mapping[str, str]
) -> Message:
    """Why the day is the first that can be, also where another line decides it."""
    last = told[-1]
    rows = [supply(take, last.part, standing, today) for take in last.takes]
    decides = supply(last.decides, last.part, standing, today) if last.decides else None
    why = reason(standing.quantity(item_of(last.part), last.pieces), rows, decides, centers)
    if not told[0].waits_for:
        return why
    line_no = told[0].waits_for.rpartition("/")[2]
    return Message("it leaves with line %(line)s: %(why)s", line=line_no, why=why)


def _last_day(standing: Standing, keys: Iterable[str]) -> tuple[int, str] | None:
    """The last of the days on which the plan has them, with whose it is."""
    days = ((standing.day(key), key) for key in keys)
    return max(((day, key) for day, key in days if day is not None), default=None)
