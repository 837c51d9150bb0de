"""What a scenario does to documents that the ERP planned: their lines, projected as ever."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.fulfillment.planning.chain import Outlook, settle
from b2bcrm.fulfillment.planning.facts import Supplies
from b2bcrm.fulfillment.planning.measures import Measure, Move, text_of
from b2bcrm.fulfillment.planning.policies import outlooks
from b2bcrm.fulfillment.planning.shifting import earlier, shifted, unbound, with_firm_moved
from b2bcrm.fulfillment.queries.open_lines import OpenLine
from b2bcrm.fulfillment.snapshot import orders as snapshot
from b2bcrm.fulfillment.snapshot.orders import OrderFacts
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order

FARTHEST = 28  # days by which a purchase order is tried earlier


class Judging:
    """Projected days of the orders that the measures touch, as they are and as they would be.

    ``centers``: names of work centres by code; ``later``: lines whose reservation is there later
    in the plan, with the day.
    """

    def __init__(
        self,
        work: Work,
        measures: Sequence[Measure],
        orders: Collection[int],
        centers: Mapping[str, str],
        later: Mapping[int, tuple[OpenLine, dt.date]],
    ) -> None:
        self.today, self.measures, self.centers = work.today, measures, centers
        self.later = {key: day for key, (_, day) in later.items()}
        self.taken = _facts(work, {*orders, *(line.order_id for line, _ in later.values())})

    def dates(self) -> tuple[dict[int, dt.date | None], dict[int, dt.date | None]]:
        """By line id, before and after."""
        before: dict[int, dt.date | None] = {}
        after: dict[int, dt.date | None] = {}
        for facts in self.taken.orders:
            supplies = self.taken.supplies
            before |= _projected(facts, supplies, self.today)
            after |= _changed(facts, supplies, self.centers, self.measures, self.today)
            after |= self._by_reservation(facts, before)
        return before, after

    def _by_reservation(
        self, facts: OrderFacts, before: Mapping[int, dt.date | None]
    ) -> dict[int, dt.date | None]:
        """Lines whose reservation is there later: it leaves on the working day after that."""
        found: dict[int, dt.date | None] = {}
        for key, line in facts.lines.items():
            if key in self.later and line.reserved_on is not None:
                view = Outlook("reservation", [], line.calendar.add_days(self.later[key], 1))
                settle(line, view, self.today)
                days = [day for day in (before[key], view.projected_on) if day is not None]
                found[key] = max(days, default=None)
        return found


def _facts(work: Work, order_ids: Collection[int]) -> snapshot.Snapshot:
    query = sa.select(Order).where(Order.id.in_(order_ids)).options(selectinload(Order.lines))
    orders = work.session.scalars(query).all()
    return snapshot.take(work, orders) if orders else snapshot.Snapshot([], Supplies())


def _projected(facts: OrderFacts, supplies: Supplies, today: dt.date) -> dict[int, dt.date | None]:
    views = outlooks(facts.lines, supplies, today)
    return {key: view.projected_on for key, view in views.items()}


def _changed(
    facts: OrderFacts,
    supplies: Supplies,
    centers: Mapping[str, str],
    measures: Sequence[Measure],
    today: dt.date,
) -> dict[int, dt.date | None]:
    """Projected days after the measures."""
    early = earlier(supplies, measures)
    lines = {
        key: unbound(with_firm_moved(line, measures), supplies, early)
        for key, line in facts.lines.items()
    }
    moved = shifted(supplies, measures, centers, facts.calendar)
    return _projected(replace(facts, lines=lines), moved, today)


def ways_of_documents(
    work: Work, line: OpenLine, centers: Mapping[str, str]
) -> list[tuple[Move, int, int]]:
    """Purchase orders that make the line earlier, each tried alone: the least that is enough.

    With the days that each gains, and by how many it comes earlier; the most gained first.
    """
    taken = _facts(work, [line.order_id])
    facts = next(iter(taken.orders), None)
    if facts is None or line.id not in facts.lines:
        return []
    label = facts.lines[line.id].leaves_with
    mine = {key: one for key, one in facts.lines.items() if label and one.leaves_with == label}
    facts = replace(facts, lines=mine or {line.id: facts.lines[line.id]})
    base = _projected(facts, taken.supplies, work.today)[line.id]
    if base is None:
        return []
    due = {
        buy.no: buy.due_on for g in taken.supplies.buys.values() for buy in g if not buy.finished
    }
    for group in taken.supplies.makes.values():
        due |= {no: day for make in group for part in make.parts for no, day, _ in part.coming}
    enough = (base - line.wanted_on).days

    def gained(no: str, on: dt.date) -> int:
        then = _changed(facts, taken.supplies, centers, [Move(no, on)], work.today)[line.id]
        return 0 if then is None else (base - then).days

    found: list[tuple[Move, int, int]] = []
    for no, day in due.items():
        days = [day - dt.timedelta(days=n) for n in range(1, FARTHEST + 1)]
        days = [on for on in days if on > work.today and facts.calendar.is_working(on)]
        most = gained(no, days[-1]) if days else 0
        if most > 0:  # the earlier it comes, the more is gained: halve the days
            wanted = min(most, max(1, enough))
            on = days[bisect_left(days, wanted, key=partial(gained, no))]
            found.append((Move(no, on), gained(no, on), (day - on).days))
    return sorted(found, key=lambda way: (-way[1], text_of(way[0])))
