"""What is wrong with the data under the plan, and whether the newest plan could be used."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.fulfillment.models import PlanRun
from b2bcrm.fulfillment.planning.plant import item_of
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

SHOWN = 12
PROBLEM_WORDS = {
    "promise that cannot be kept": Message("promise that cannot be kept"),
    "uncovered need": Message("released work lacks material"),
    "missing lead time": Message("no lead time"),
    "negative stock": Message("negative stock"),
    "cyclic bill of material": Message("bill of material in a circle"),
    "bill of material with a gap": Message("no bill of material on some days"),
    "circle of substitutes": Message("substitutes in a circle"),
    "substitute that some uses do not allow": Message("substitute that some uses do not allow"),
    "unit that does not convert": Message("unit that does not convert"),
    "unknown part": Message("unknown item"),
    "unknown work centre": Message("unknown work centre"),
    "orphan work order": Message("work order for an unknown item"),
    "absurd date": Message("impossible date"),
    "wrong quantity": Message("impossible quantity"),
    "wrong factor": Message("impossible quantity per piece, scrap or yield"),
    "wrong need": Message("impossible need of released work"),
    "wrong capacity": Message("impossible capacity"),
    "work without capacity": Message("released work where no capacity is"),
}
OTHER = Message("other problem")


@dataclass(frozen=True)
class PlanProblem:
    """One fault: in words, with the document or item that has it; ``is_item`` for a link."""

    word: Message
    name: str
    is_item: bool


@dataclass(frozen=True)
class PlanState:
    """The newest plan. ``refused``: the verifier found faults, so an older one is in use.

    ``lost`` is the value of what it has late times its days and its customers' weight, and
    ``lost_greedy`` that of the plan that serves one order after the other, if it is better.
    """

    made_at: dt.datetime
    refused: bool
    count: int
    problems: tuple[PlanProblem, ...]
    lost: int = 0
    lost_greedy: int | None = None


def plan_state(work: Work) -> PlanState | None:
    """What today's newest run says, promises in danger first; None where there is no plan."""
    staff_only(work)
    query = sa.select(PlanRun.made_at, PlanRun.digest, PlanRun.figures, PlanRun.problems)
    query = query.where(PlanRun.made_on == work.today)  # an older one gives no dates either
    row = work.session.execute(query.order_by(PlanRun.id.desc()).limit(1)).one_or_none()
    if row is None:
        return None
    order = {kind: n for n, kind in enumerate(PROBLEM_WORDS)}
    problems = sorted(row.problems, key=lambda p: order.get(p[0], len(order)))
    found = tuple(
        PlanProblem(PROBLEM_WORDS.get(kind, OTHER), item_of(name), "@" in name)
        for kind, name, _ in problems[:SHOWN]
    )
    told = row.figures
    return PlanState(
        row.made_at,
        not row.digest,
        told["problems"],
        found,
        told.get("lost", 0),
        told.get("lost_greedy"),
    )
