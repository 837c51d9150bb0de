"""Learn each night how sure promises are. Reading and learning take no Work that can write."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa

from b2bcrm.fulfillment.models import SurenessCurve, SurenessRun, SurenessWay
from b2bcrm.fulfillment.planning.sureness import EARLIEST
from b2bcrm.fulfillment.planning.sureness_walk import Report, report, walk
from b2bcrm.fulfillment.snapshot.promised import Promised, promised
from b2bcrm.kernel.work import Work

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
