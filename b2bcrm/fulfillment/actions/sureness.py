"""Learn each night how sure promises are. Reading and learning take no Work that can write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from b2bcrm.fulfillment.models import SurenessCurve, SurenessRun, SurenessWay
from b2bcrm.fulfillment.planning.chain import Outlook
from b2bcrm.fulfillment.planning.facts import Line
from b2bcrm.fulfillment.planning.sureness import EARLIEST
from b2bcrm.fulfillment.planning.sureness_paths import Curve, Kind, Sure, before, sure
from b2bcrm.fulfillment.planning.sureness_walk import Report, report, walk
from b2bcrm.fulfillment.snapshot.promised import Promised, promised
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order

WORTH_STORING = 5e-4  # smaller shares of a curve are left out


@dataclass(frozen=True)
class Learned:
    """Curves, levels and report as they are stored."""

    curves: list[dict[str, Any]]
    ways: list[dict[str, str]]
    levels: dict[str, list[float]]
    report: dict[str, Any]


def read_promises(work: Work) -> Promised | None:
    """All promises of the past; only reads."""
    return promised(work)


def learn(found: Promised, today: dt.date) -> Learned | None:
    """What the past says; None while too few orders have come. Needs no Work."""
    walked = walk(found.past, np.datetime64(today))
    if walked is None:
        return None
    curves = []
    for names, level in zip(found.paths, walked.curves[1:], strict=True):
        for name, row, orders in zip(names, level.shares, level.orders, strict=True):
            shares = [
                [at + EARLIEST, round(share, 4)]
                for at, share in enumerate(row.tolist())
                if share >= WORTH_STORING
            ]
            curves.append({"path": name, "orders": round(orders), "shares": shares})
    levels = dict(zip(found.families, walked.levels.tolist(), strict=True))
    told = report(found.past, walked.foretold) if walked.foretold else None
    return Learned(
        curves,
        [{"item_no": no, "way": way} for no, way in found.ways.items()],
        levels,
        _stored(told, found.families) if told else {},
    )


def _stored(told: Report, families: list[str]) -> dict[str, Any]:
    return {
        "lines": told.lines,
        "true_pct": list(told.true_pct),
        "families": {
            families[n]: {"orders": orders, "true_pct": list(true)}
            for n, (orders, true) in told.by_family.items()
        },
        "loss": [list(row) for row in told.loss],
    }


def keep_learned(work: Work, learned: Learned) -> None:
    """Replace what was learned before."""
    session = work.session
    for table in (SurenessRun, SurenessCurve, SurenessWay):
        session.execute(sa.delete(table))
    session.add(
        SurenessRun(
            made_on=work.today, made_at=work.tick, levels=learned.levels, report=learned.report
        )
    )
    session.execute(sa.insert(SurenessCurve), learned.curves)
    session.execute(sa.insert(SurenessWay), learned.ways)


class Sureness:
    """What was learned, for the lines of some orders: three statements for all of them."""

    def __init__(self, work: Work, lines: Iterable[tuple[Order, Line]]) -> None:
        self._today = work.today
        self._kinds: dict[tuple[int, int], Kind] = {}
        self._curves: dict[str, Curve] = {}
        self._levels: Mapping[str, list[float]] = {}
        run = work.session.scalar(sa.select(SurenessRun))
        if run is None:
            return
        self._levels = run.levels
        wanted = [row for row in lines if row[1].promised_on and row[0].confirmed_at]
        items = {line.item for _, line in wanted}
        ways = dict(
            work.session.execute(
                sa.select(SurenessWay.item_no, SurenessWay.way).where(
                    SurenessWay.item_no.in_(items)
                )
            ).all()
        )
        for order, line in wanted:
            assert order.confirmed_at is not None  # noqa: S101 - asked above
            assert line.promised_on is not None  # noqa: S101 - asked above
            told_on = order.confirmed_at.astimezone(HOME_ZONE).date()
            self._kinds[order.id, line.line_no] = Kind(
                order.incoterm,
                not order.partial_delivery,
                line.family,
                (line.promised_on - told_on).days,
                ways.get(line.item, ""),
            )
        paths = {path for kind in self._kinds.values() for path in kind.paths()}
        for row in work.session.scalars(
            sa.select(SurenessCurve).where(SurenessCurve.path.in_(paths))
        ):
            self._curves[row.path] = Curve(row.orders, row.shares)

    def of(self, order: Order, line: Line, view: Outlook) -> dict[str, Any] | None:
        """The line's days as they are stored; None if it is there, or nothing can be said."""
        kind = self._kinds.get((order.id, line.line_no))
        if kind is None or line.promised_on is None or view.source == "shipped":
            return None
        found = sure(
            kind,
            self._curves,
            self._levels,
            promised_on=line.promised_on,
            not_by=before(line.promised_on, view.projected_on, self._today),
        )
        return None if found is None else stored(found)


def stored(found: Sure) -> dict[str, Any]:
    """As a projection keeps it."""
    return {
        "days": [day.isoformat() if day else None for day in found.days],
        "orders": found.orders,
    }
