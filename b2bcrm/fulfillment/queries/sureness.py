"""How sure promises are by what was learned in the night, and how often that was right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from b2bcrm.fulfillment.models import SurenessCurve, SurenessRun, SurenessWay
from b2bcrm.fulfillment.planning.figures import Coming
from b2bcrm.fulfillment.planning.sureness_paths import Curve, Sure, Told, before, sure
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.kernel.work import Work


class Sureness:
    """What was learned, for some open promises by the caller's keys: two statements for all."""

    def __init__(self, work: Work, promises: Mapping[int, Told]) -> None:
        self._today = work.today
        self._promises = promises
        self._levels: Mapping[str, list[float]] = {}
        self._ways: dict[str, str] = {}
        self._curves: dict[str, Curve] = {}
        if not promises:
            return
        items = {told.item_no for told in promises.values()}
        learned = work.session.execute(
            sa.select(SurenessRun.levels, SurenessWay.item_no, SurenessWay.way).outerjoin(
                SurenessWay, SurenessWay.item_no.in_(items)
            )
        ).all()
        if not learned:
            return
        self._levels = learned[0].levels
        self._ways = {row.item_no: row.way for row in learned if row.way}
        paths = {path for told in promises.values() for path in told.kind(self._way(told)).paths()}
        for row in work.session.scalars(
            sa.select(SurenessCurve).where(SurenessCurve.path.in_(paths))
        ):
            self._curves[row.path] = Curve(row.orders, row.shares)

    def of(self, key: int, projected_on: dt.date | None = None) -> Sure | None:
        """How sure a promise is; None if there is none, or the past says nothing of it.

        ``projected_on`` is the day that documents show: it does not come before a late one.
        """
        told = self._promises.get(key)
        if told is None:
            return None
        not_by = before(told.promised_on, projected_on, self._today)
        return sure(told, self._way(told), self._curves, self._levels, not_by=not_by)

    def _way(self, told: Told) -> str:
        return self._ways.get(told.item_no, "")


class Group(NamedTuple):
    """Lines of one family: of how many orders, and what came by its P50, P80, P95 in percent."""

    family: str
    orders: int
    true_pct: tuple[float, ...]


class Misses(NamedTuple):
    """Mean pinball loss in weekdays at one level, smaller is better (Koenker and Bassett, 1978).

    Of the days foretold, of the promised days, and of the same quantile of all earlier errors.
    """

    foretold: float
    promised: float
    plain: float


class Calibration(NamedTuple):
    """The test of what was learned at ``made_at`` on ``lines`` promises of the past."""

    made_at: dt.datetime
    lines: int
    true_pct: tuple[float, ...]
    families: tuple[Group, ...]
    misses: tuple[Misses, ...]


def odds(work: Work) -> Coming | None:
    """The odds of the coming weeks' promises, as the night drew them."""
    staff_only(work)
    row = work.session.scalar(sa.select(SurenessRun.report["coming"]))
    return Coming(*row) if row else None


def calibration(work: Work) -> Calibration | None:
    """The newest test; None while too few orders have come for one."""
    staff_only(work)
    run = work.session.scalar(sa.select(SurenessRun))
    if run is None or not run.report.get("lines"):
        return None
    told = run.report
    return Calibration(
        made_at=run.made_at,
        lines=told["lines"],
        true_pct=tuple(told["true_pct"]),
        families=tuple(
            Group(family, row["orders"], tuple(row["true_pct"]))
            for family, row in sorted(told["families"].items())
        ),
        misses=tuple(Misses(*row) for row in told["loss"]),
    )
