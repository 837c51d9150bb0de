"""The live plan: the newest published one, with every promise made since placed on it.

Each process keeps the arrays of one plan in memory. A question reads what is kept as its own
transaction sees it, and brings the plan into line: what ended is given back, what is new is placed
in the order it was promised. So another process's hold counts as soon as it is committed, and ours
before that.

There is no live plan before the first one is published, on the first moments of a day, and while
this process has not loaded the compiled kernels: nothing is ever compiled while somebody waits.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from b2bcrm.fulfillment.models import PlanRun
from b2bcrm.fulfillment.planning import readiness
from b2bcrm.fulfillment.planning.plant import Kept, part_name
from b2bcrm.fulfillment.snapshot import plant
from b2bcrm.kernel.timeline import version
from b2bcrm.kernel.work import Work

if TYPE_CHECKING:
    from b2bcrm.fulfillment.planning.standing import Standing

TOPICS = ("stock", "purchase_order", "work_order", "order", "catalog")


@dataclass
class _Loaded:
    """The plan in this process's memory."""

    digest: str
    standing: Standing


_lock = threading.Lock()
_loaded: list[_Loaded] = []  # none or one: a list can be changed in place

# Built once: every question asks it.
_NEWEST = (
    sa.select(
        PlanRun.id,
        PlanRun.digest,
        PlanRun.made_on,
        PlanRun.data_as_of,
        PlanRun.source == version(*TOPICS).scalar_subquery(),
    )
    .where(PlanRun.digest != "")
    .order_by(PlanRun.id.desc())
    .limit(1)
)


@dataclass(frozen=True)
class Live:
    """The newest plan as one transaction sees it; ``data_as_of`` None: as fresh as the feeds."""

    today: dt.date
    data_as_of: dt.datetime | None
    digest: str
    kept: Sequence[Kept]
    packed: bytes | None

    @contextmanager
    def standing(self) -> Iterator[Standing]:
        """The plan with exactly what is kept placed on it, for this thread alone."""
        with _lock:
            if self.packed is not None and not _is_loaded(self.digest):
                _loaded[:] = [_load(self.digest, self.packed)]
            standing = _loaded[0].standing
            self._bring_into_line(standing)
            yield standing

    def _bring_into_line(self, standing: Standing) -> None:
        wanted = {one.key: one for one in self.kept}
        for key in sorted(standing.kept - wanted.keys()):
            standing.give_back(key)
        for one in self.kept:
            part = part_name(one.item, one.site)
            if one.key not in standing.kept and standing.knows(part):
                qty = standing.pieces(one.item, one.qty)
                standing.keep(
                    one.key,
                    part,
                    qty,
                    (one.on - self.today).days,
                    fresh=one.fresh,
                    customer_class=one.customer_class,
                )


def _load(digest: str, packed: bytes) -> _Loaded:
    # Here, so that commands that ask for no date do not wait for the engine.
    from b2bcrm.fulfillment.planning.packing import unpack
    from b2bcrm.fulfillment.planning.standing import Standing

    return _Loaded(digest, Standing(unpack(packed)))


def _is_loaded(digest: str) -> bool:
    return bool(_loaded) and _loaded[0].digest == digest


def take(work: Work, *, without: Sequence[str] = ()) -> Live | None:
    """The live plan without what the holds named in ``without`` keep; None where there is none."""
    if not readiness.ready():
        return None
    newest = work.session.execute(_NEWEST).one_or_none()
    if newest is None or newest.made_on != work.today:
        return None
    run_id, digest, _, data_as_of, up_to_date = newest
    packed = None
    if not _is_loaded(digest):
        packed = work.session.scalar(sa.select(PlanRun.plan).where(PlanRun.id == run_id))
        # Here, so that commands that ask for no date do not wait for the engine.
        from b2bcrm.fulfillment.planning.packing import readable

        if packed is None or not readable(packed):  # pruned meanwhile, or of another version
            return None
    return Live(
        work.today,
        None if up_to_date else data_as_of,
        digest,
        plant.kept(work, without=tuple(without)),
        packed,
    )
