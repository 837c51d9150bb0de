"""Today's plan in memory, as it was published: what impacts and scenarios read.

One plan per process, by its digest. Scenarios stand on the greedy plan of the same book: an
improved plan has no sequence that makes it, so it cannot be made again with one change.
"""

from __future__ import annotations

import datetime as dt
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import sqlalchemy as sa

from b2bcrm.fulfillment.models import PlanRun
from b2bcrm.fulfillment.planning import readiness
from b2bcrm.fulfillment.planning.plant import supplies_of
from b2bcrm.kernel.work import Work

if TYPE_CHECKING:
    from b2bcrm.fulfillment.planning.engine.explaining import Witness
    from b2bcrm.fulfillment.planning.engine.matching import Planned
    from b2bcrm.fulfillment.planning.packing import Packed


@dataclass
class LoadedPlan:
    """The published plan ``packed``; day 0 is ``made_on``. Read only.

    ``rounds`` improved it, or the plan of this day that it keeps what it can of; 0: greedy.
    """

    digest: str
    made_on: dt.date
    made_at: dt.datetime
    data_as_of: dt.datetime | None
    rounds: int
    packed: Packed

    @cached_property
    def witness(self) -> Witness:
        """What each line of the published plan rests on."""
        from b2bcrm.fulfillment.planning.engine.explaining import witness_of
        from b2bcrm.fulfillment.planning.engine.plan import plan_of

        return witness_of(self.packed.book, plan_of(self.packed.book, self.packed.ledger))

    @cached_property
    def baseline(self) -> Planned:
        """The greedy plan of the same book: the published one, where it was not improved."""
        from b2bcrm.fulfillment.planning.engine.matching import Planned
        from b2bcrm.fulfillment.planning.engine.solving import solve

        book = self.packed.book
        ledger = solve(book) if self.rounds else self.packed.ledger
        return Planned(book, self.packed.names, ledger)

    def supplies(self, no: str) -> list[int]:
        """The free supplies that the document is in the plan; none where it is pegged."""
        return supplies_of(self.packed.names.supplies, no)


_lock = threading.Lock()
_loaded: list[LoadedPlan] = []  # none or one
_NEWEST = (
    sa.select(
        PlanRun.id,
        PlanRun.digest,
        PlanRun.made_on,
        PlanRun.made_at,
        PlanRun.data_as_of,
        PlanRun.figures,
    )
    .where(PlanRun.digest != "")
    .order_by(PlanRun.id.desc())
    .limit(1)
)


def loaded(work: Work) -> LoadedPlan | None:
    """Today's newest good plan; None before there is one, and while kernels are not loaded."""
    if not readiness.ready():
        return None
    row = work.session.execute(_NEWEST).one_or_none()
    if row is None or row.made_on != work.today:
        return None
    with _lock:
        if _loaded and _loaded[0].digest == row.digest:
            return _loaded[0]
    data = work.session.scalar(sa.select(PlanRun.plan).where(PlanRun.id == row.id))
    # Here, so that commands that ask for no plan do not wait for the engine.
    from b2bcrm.fulfillment.planning.packing import readable, unpack

    if data is None or not readable(data):  # pruned meanwhile, or of another version
        return None
    rounds = row.figures.get("rounds", 0)
    found = LoadedPlan(row.digest, row.made_on, row.made_at, row.data_as_of, rounds, unpack(data))
    with _lock:
        _loaded[:] = [found]
    return found
