"""Foresee each night in how many of many rounds the coming weeks' promises are kept.

Reading takes a read-only Work, the rounds none, storing a short one of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.fulfillment.models import SurenessRun
from b2bcrm.fulfillment.planning.figures import Coming, Promised
from b2bcrm.fulfillment.planning.odds import History, coming
from b2bcrm.fulfillment.planning.plant import SERVE_BY, Rows, ServeBy
from b2bcrm.fulfillment.queries.sums import first_promises
from b2bcrm.fulfillment.snapshot import history, plant
from b2bcrm.kernel.work import Work


@dataclass(frozen=True)
class Foreseen:
    """Everything that the rounds are drawn from."""

    rows: Rows
    history: History
    wanted: list[Promised]


def read_coming(work: Work, serve_by: Sequence[ServeBy] = SERVE_BY) -> Foreseen | None:
    """What the rounds need; None before anything was learned of promises."""
    if work.session.scalar(sa.select(SurenessRun.id)) is None:
        return None
    return Foreseen(plant.take(work, serve_by), history.take(work), first_promises(work))


def foresee(found: Foreseen) -> Coming | None:
    """The odds; needs no Work, and loaded kernels."""
    return coming(found.rows, found.history, found.wanted)


def keep_coming(work: Work, odds: Coming | None) -> None:
    """Store the odds beside what was learned of promises, and tell the board."""
    run = work.session.scalar(sa.select(SurenessRun))
    if run is None:
        return
    run.report = run.report | {"coming": odds}
    work.bump("projection")  # the board's figures are summed with them
