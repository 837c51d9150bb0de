"""Compile all kernels that plans, answers and scenarios call, or load what was compiled."""

from __future__ import annotations

from fractions import Fraction

from b2bcrm.fulfillment.planning.engine.asking import Asking
from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.changing import Hours, Receipt, Service
from b2bcrm.fulfillment.planning.engine.improving import guards, improve, lines_first
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.records import (
    Bucket,
    Component,
    Facts,
    Kind,
    Line,
    Operation,
    Part,
    Source,
    Supply,
)
from b2bcrm.fulfillment.planning.engine.relaxing import Limits, relaxations
from b2bcrm.fulfillment.planning.engine.repairing import repaired
from b2bcrm.fulfillment.planning.engine.solving import solve
from b2bcrm.fulfillment.planning.engine.whatif import whatif

WORK = Operation("C", Fraction(1000), components=[Component("B")])
FACTS = Facts(
    horizon=28,
    parts=[Part("A"), Part("B")],
    sources=[
        Source("A", Kind.MAKE, 1, operations=[WORK], step=2),
        Source("B", Kind.BUY, 7),
    ],
    supplies=[Supply("B", 1)],
    lines=[Line("1", "A", 2, 3), Line("2", "A", 1, 9)],
    buckets=[Bucket("C", 7 * week, 7 * week + 7, 2000) for week in range(4)],
)


def warm_planning(*, improving: bool = True) -> None:
    """Plan one tiny book, and improve it: what planning alone needs, as all of it takes memory."""
    book, _, _ = build(FACTS)
    plan = solve(book)
    if improving:
        improve(
            book,
            plan,
            guards(book, plan, -1),
            lines_first(book),
            fill=lambda n: n < 1,
            shorten=lambda n: n < 1,
        )


def warm() -> None:
    """Plan, improve, ask and change one tiny book, so that no later call waits for a compiler."""
    warm_planning()
    book, names, _ = build(FACTS)
    plan = solve(book)
    repaired(Planned(book, names, plan), book, names)
    Asking(book, names, plan).ask(FACTS.lines)
    planned = Planned(book, names, solve(book))
    # More hours, a line served first and a supply that is gone: what differs, is placed and pays.
    whatif(planned, [Hours("C", 0, 27, 1000), Service("2", 0), Receipt(0, day=27)])
    relaxations(planned, "1", Limits(days=1, hours=1))


if __name__ == "__main__":
    warm()
