"""Where the days of a late line were lost: shares that add up to its lateness exactly. Pure.

Along the way that decides (at each level the document that is there last, finished or not) every
step has a day that was planned and a day that it got. What a step is behind its plan counts only
as far as no later step made up for it: the smallest of its own slip and all slips after it, a
minimum that runs from the end. It can only grow from step to step; by how much it grows at a step
was lost there. The last step is the line's own lateness, so the shares sum to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from b2bcrm.fulfillment.planning.chain import Node, Outlook, leave_by_of, scrapped, waits_for_rest
from b2bcrm.fulfillment.planning.facts import Line
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.words import Message

_TO_COME = frozenset({"plan", "reservation"})  # what no document brings decides
SHARE_WORDS = {
    "ordered": Message("ordered too late"),
    "supplier": Message("supplier"),
    "stock": Message("missing in stock"),
    "production": Message("production"),
    "quality": Message("scrap"),
    "planned": Message("planned later than promised"),
    "hold": Message("hold"),
    "shipping": Message("shipping"),
    "transport": Message("transport"),
}


@dataclass(frozen=True)
class Step:
    """A step on the way to the customer; ``slip`` in working days behind plan, never below 0."""

    kind: str
    no: str
    slip: int


@dataclass(frozen=True)
class Share:
    """``days`` working days, above 0, lost at document ``no`` (or at none); see SHARE_WORDS."""

    kind: str
    no: str
    days: int


def shares(line: Line, view: Outlook, *, held: bool = False) -> list[Share]:
    """The late working days of ``line`` by where they were lost; empty unless it is late.

    ``held``: ready pieces do not leave because of a hold of the order or of the credit.
    """
    late = -(view.buffer or 0)
    if late <= 0 or line.promised_on is None or view.ready_on is None:
        return []
    cal, leave_by = line.calendar, leave_by_of(line, line.promised_on)
    steps = [] if view.source in _TO_COME else _way(view.tops, cal)
    if (ready_on := _ready_on(view, cal)) is not None:
        unplanned = held and not view.tops
        steps.append(Step("hold" if unplanned else "planned", "", _slip(cal, leave_by, ready_on)))
    if waits_for_rest(line, view):
        spoilt = scrapped(line, view)
        lost = "planned" if spoilt is None else "quality"
        no = "" if spoilt is None else spoilt.no
        steps.append(Step(lost, no, _slip(cal, leave_by, view.ready_on)))
    leaves = _slip(cal, leave_by, view.ship_on or view.ready_on)
    steps.append(Step("hold" if held else "shipping", "", leaves))
    steps.append(Step("transport", "", late))
    return split(steps)


def _ready_on(view: Outlook, cal: WorkCalendar) -> dt.date | None:
    """When the pieces could or can leave by their documents; None for pieces from stock."""
    if view.source in _TO_COME:
        return view.ready_on
    last = max((node.end_on for node in view.tops if node.end_on is not None), default=None)
    return None if last is None else cal.add_days(last, 1)


def split(steps: Sequence[Step]) -> list[Share]:
    """What each step added to the slip of the last one; the days sum to that slip."""
    left = list(accumulate((step.slip for step in reversed(steps)), min))[::-1]
    before = [0, *left]
    return [
        Share(step.kind, step.no, now - was)
        for step, was, now in zip(steps, before, left, strict=False)
        if now > was
    ]


def _way(level: Sequence[Node], cal: WorkCalendar) -> list[Step]:
    """The steps from the deepest document up to the one that the line itself waits for."""
    ends = [node for node in level if node.end_on is not None]
    if not ends:
        return []
    last = max(ends, key=lambda node: (node.end_on, node.critical))
    return [*_way(last.children, cal), *_steps(last, cal)]


def _steps(node: Node, cal: WorkCalendar) -> list[Step]:
    if node.kind == "stock":
        return [Step("stock", node.item, node.own)]
    slip = _slip(cal, node.was_on, node.end_on)
    if node.kind == "work_order":
        return [Step("production", node.no, slip)]
    if node.need_on is None:
        return [Step("supplier", node.no, slip)]
    asked = _slip(cal, node.need_on, node.was_on)
    return [
        Step("ordered", node.no, asked),
        Step("supplier", node.no, _slip(cal, node.need_on, node.end_on)),
    ]


def _slip(cal: WorkCalendar, planned: dt.date | None, got: dt.date | None) -> int:
    return 0 if planned is None or got is None else max(0, cal.days_between(planned, got))
