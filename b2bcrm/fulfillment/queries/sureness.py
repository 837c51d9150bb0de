"""How often the days that we call 50, 80 and 95 % sure were kept: the night's own test."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from b2bcrm.fulfillment.models import SurenessRun
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.kernel.work import Work


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
