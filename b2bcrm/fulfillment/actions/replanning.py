"""The plan of the whole order book: made again where its rows changed, verified, published.

Reading takes a read-only Work, planning none, storing a short one of its own. If the process dies
in between, the plan stays behind its rows, which the next look finds again. A plan that the
verifier refuses is stored without its arrays: the last good one stays in use, and the board says
why.

The first plan of a day is improved while nobody waits. Later ones of that day keep of it what their
feeds leave, as long as that is better than a plan made anew.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sqlalchemy as sa
import structlog

from b2bcrm.fulfillment.actions.projecting import mark_stale
from b2bcrm.fulfillment.models import OrderProjection, PlanRun
from b2bcrm.fulfillment.planning.engine.book import Book, Names, Problem
from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.compiled import COMPILED
from b2bcrm.fulfillment.planning.engine.improving import (
    guards,
    improve,
    late_units,
    lost,
    money,
)
from b2bcrm.fulfillment.planning.engine.ledger import Ledger
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.plan import Plan, plan_of, score
from b2bcrm.fulfillment.planning.engine.repairing import repaired
from b2bcrm.fulfillment.planning.engine.solving import solve
from b2bcrm.fulfillment.planning.packing import Packed, pack
from b2bcrm.fulfillment.planning.plant import SERVE_BY, ServeBy
from b2bcrm.fulfillment.planning.telling import Told, tell
from b2bcrm.fulfillment.snapshot import plant, pools
from b2bcrm.fulfillment.snapshot.live import TOPICS
from b2bcrm.fulfillment.snapshot.loaded import LoadedPlan, loaded
from b2bcrm.kernel.timeline import version_of
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import Status
from b2bcrm.orders.models import Order

log = structlog.get_logger("plan")
KEPT_RUNS = 5
MOST_PROBLEMS = 500  # kept with a plan; how many there are in all is among its figures
FILL_SHARE = 0.7  # of the time to improve: lines on time first, then days late
KEPT_CLASS = 0  # what is promised already pays for nobody


@dataclass(frozen=True)
class Due:
    """What a plan is to be made from, as read at one moment; ``improved``: today's, if it was."""

    told: Told
    source: int
    data_as_of: dt.datetime | None
    made_at: dt.datetime
    improved: LoadedPlan | None = None


@dataclass(frozen=True)
class Made:
    """A plan and what the verifier finds wrong with it."""

    due: Due
    packed: bytes
    figures: dict[str, Any]
    problems: list[Problem]
    faults: list[str]
    orders: dict[str, bool]  # order that rests on the plan -> whether a line of it is late


def plan_due(
    work: Work, *, anyway: bool = False, serve_by: Sequence[ServeBy] = SERVE_BY
) -> Due | None:
    """What to plan: rows changed, or the last plan is another day's. None without any item."""
    # Asked before the rows are read: a change that comes in between is found by the next look.
    source = version_of(work.session, *TOPICS)
    query = sa.select(PlanRun.source, PlanRun.made_on).order_by(PlanRun.id.desc()).limit(1)
    newest = work.session.execute(query).one_or_none()
    if newest is not None and tuple(newest) == (source, work.today) and not anyway:
        return None
    rows = plant.take(work, serve_by)
    if not rows.items:
        return None
    last = loaded(work)
    improved = last if last is not None and last.rounds else None
    return Due(tell(rows), source, pools.data_as_of(work), work.tick, improved)


def make_plan(due: Due, *, improve_s: float = 0) -> Made:
    """Plan, improve for so many seconds where kernels are compiled, and verify; takes no Work."""
    begin = time.monotonic()
    book, names, problems = build(due.told.facts)
    greedy = solve(book)
    if improve_s > 0:
        ledger, rounds = _improved(book, greedy, improve_s)
    else:
        ledger, rounds = _kept(due, book, names, greedy)
    plan, stakes = plan_of(book, ledger), money(book)
    faults = check(book, plan)
    missed = _missed(due.told, names.lines, book, plan)
    result = score(book, plan)
    data = pack(Packed(book, names, ledger, due.told.scales))
    problems = [*due.told.problems, *problems, *missed]
    figures = {
        "lines": len(names.lines),
        **result._asdict(),
        "rounds": rounds,
        "lost": lost(book, ledger, stakes, planned=True),
        "lost_greedy": lost(book, greedy, stakes, planned=True) if rounds else None,
        "problems": len(problems),
        "seconds": round(time.monotonic() - begin, 3),
        "bytes": len(data),
    }
    return Made(due, data, figures, problems, faults, _orders(due.told, names.lines, book, plan))


def _improved(book: Book, greedy: Ledger, improve_s: float) -> tuple[Ledger, int]:
    """The plan that so many seconds make better, and the rounds that they were enough for."""
    if not COMPILED or not len(late_units(book, greedy)):
        return greedy, 0
    end = time.monotonic() + improve_s
    return improve(
        book,
        greedy,
        guards(book, greedy, KEPT_CLASS),
        money(book),
        fill=_until(end - improve_s * (1 - FILL_SHARE)),
        shorten=_until(end),
    )


def _kept(due: Due, book: Book, names: Names, anew: Ledger) -> tuple[Ledger, int]:
    """What is left of the day's improved plan where that is better, else the plan made anew."""
    last = due.improved
    if last is None:
        return anew, 0
    packed = last.packed
    ledger = repaired(Planned(packed.book, packed.names, packed.ledger), book, names)
    later = (ledger.unit_day > guards(book, anew, KEPT_CLASS)).any()
    later |= ((ledger.unit_day < 0) & (anew.unit_day >= 0)).any()
    if later or lost(book, ledger, money(book)) > lost(book, anew, money(book)):
        return anew, 0
    return ledger, last.rounds


def _until(end: float) -> Callable[[int], bool]:
    return lambda _rounds: time.monotonic() < end


def _orders(told: Told, lines: list[str], book: Book, plan: Plan) -> dict[str, bool]:
    found: dict[str, bool] = {}
    dues = np.repeat(book.unit_due, np.diff(book.unit_line))
    for name, leaves, due in zip(lines, plan.line_leaves.tolist(), dues.tolist(), strict=True):
        order = told.names.get(name, name).rpartition("/")[0]
        found[order] = found.get(order, False) or not 0 <= leaves <= due
    return found


def _missed(told: Told, lines: list[str], book: Book, plan: Plan) -> list[Problem]:
    """Promises for which there is no supply by their day any more."""
    found = []
    for n, name in enumerate(lines):
        leaves, due = int(plan.line_leaves[n]), max(0, int(book.line_wish[n]))
        if name in told.names and not 0 <= leaves <= due:
            text = "no supply for it" if leaves < 0 else f"{leaves - due} days late"
            found.append(Problem("promise that cannot be kept", told.names[name], text))
    return found


def publish_plan(work: Work, made: Made) -> bool:
    """Store the plan, if it is no older than the stored one; whether dates come from it now."""
    session = work.session
    newest = session.scalar(sa.select(sa.func.max(PlanRun.source)))
    if newest is not None and newest > made.due.source:
        return False
    good = not made.faults
    if not good:
        log.error("plan_refused", faults=made.faults, **made.figures)
    row = PlanRun(
        made_on=made.due.told.today,
        made_at=made.due.made_at,
        source=made.due.source,
        data_as_of=made.due.data_as_of,
        figures=made.figures,
        problems=[list(problem) for problem in made.problems[:MOST_PROBLEMS]],
        faults=made.faults,
        digest=hashlib.sha256(made.packed).hexdigest() if good else "",
        plan=made.packed if good else None,
    )
    session.add(row)
    session.flush()  # flush: what is pruned is counted from the new row
    _prune(work)
    if good:
        _mark_moved(work, made.orders)
    work.bump("plan")
    work.bump("board")
    return good


def _mark_moved(work: Work, orders: dict[str, bool]) -> None:
    """Project anew what is late by the plan, and what rests on it and was in trouble before.

    What is and was in time is shown by its promise: nothing of it moves.
    """
    troubled = sa.select(Order.no).join(OrderProjection, OrderProjection.order_id == Order.id)
    troubled = troubled.where(OrderProjection.status.in_((Status.LATE, Status.RISK)))
    nos = {no for no, late in orders.items() if late}
    nos |= {no for no in work.session.scalars(troubled) if no in orders}
    mark_stale(work, work.session.scalars(sa.select(Order.id).where(Order.no.in_(nos))).all())


def _prune(work: Work) -> None:
    """Keep the newest runs, and the newest good one in any case."""
    newest = sa.select(PlanRun.id).order_by(PlanRun.id.desc()).limit(KEPT_RUNS)
    good = sa.select(sa.func.max(PlanRun.id)).where(PlanRun.digest != "")
    kept = {*work.session.scalars(newest), *work.session.scalars(good)}
    work.session.execute(sa.delete(PlanRun).where(PlanRun.id.not_in(kept)))
