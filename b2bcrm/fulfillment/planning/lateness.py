"""Where the days of a late line were lost: shares that add up to its lateness exactly. Pure.

First its promise may have moved: each move has a reason and owns the days by which it moved it
away from the first promise. What comes after is late against the promise as it stands.
Along the way that decides (at each level the document that is there last, finished or not) every
step has a day that was planned and a day that it got. What a step is behind its plan counts only
as far as no later step made up for it: the smallest of its own slip and all slips after it, a
minimum that runs from the end. It can only grow from step to step; by how much it grows at a step
was lost there. The last step is the line's own lateness, so the shares sum to it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from b2bcrm.fulfillment.planning.chain import (
    Node,
    Outlook,
    closed_short,
    scrapped,
    waits_for_rest,
)
from b2bcrm.fulfillment.planning.facts import ASKED_FOR, Line
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.words import Message

LineView = tuple[Line, Outlook]
_TO_COME = frozenset({"plan", "reservation"})  # what no document brings decides
SHARE_WORDS = {
    "customer": Message("customer's change"),
    "ordered": Message("ordered too late"),
    "material": Message("material"),
    "supplier": Message("supplier"),
    "stock": Message("missing in stock"),
    "production": Message("production"),
    "quality": Message("quality"),
    "planned": Message("planned later than promised"),
    "hold": Message("hold"),
    "erp": Message("ERP data"),
    "shipping": Message("shipping"),
    "transport": Message("transport"),
    "other": Message("other reasons"),
}
_MOVED_BY = {  # kinds of shares by the reason that a promise was moved for
    ASKED_FOR: "customer",
    "material": "material",
    "capacity": "production",
    "quality": "quality",
    "transport": "transport",
}


@dataclass(frozen=True)
class Step:
    """A step on the way to the customer; ``slip`` in working days behind plan, never below 0.

    ``line``: the number of the other line of the order whose step it is; 0 for the line's own.
    """

    kind: str
    no: str
    slip: int
    line: int = 0


@dataclass(frozen=True)
class Share:
    """``days`` working days, above 0, lost at document ``no`` (or at none); see SHARE_WORDS.

    ``moved``: they lie between the first promise and the last; else they are after the last.
    ``line`` as ``Step`` has it.
    """

    kind: str
    no: str
    days: int
    moved: bool = False
    line: int = 0


def shares(
    line: Line,
    view: Outlook,
    *,
    held: bool = False,
    before: Sequence[Share] = (),
    last_other: LineView | None = None,
) -> list[Share]:
    """The late working days of ``line`` by where they were lost, in the order they were lost.

    ``held``: ready pieces do not leave because of a hold of the order or of the credit.
    ``before`` are the shares as last known: they keep what its documents no longer tell.
    ``last_other``: the line that it leaves together with, where that may be ready later.
    """
    lost = _lost(line, view, held=held, before=before, last_other=last_other)
    return [*_moved(line, view), *lost]


def last_others(lines: Mapping[int, LineView], *, complete: bool) -> dict[int, LineView]:
    """For each line the one that is ready last of the others that it leaves with.

    These are all lines of an order that ships ``complete``, else those of its own mark. Only lines
    that documents bring can tell it.
    """
    if complete:
        return _last_others(lines)
    found: dict[int, LineView] = {}
    for mark in {line.leaves_with for line, _ in lines.values()} - {""}:
        same = {key: one for key, one in lines.items() if one[0].leaves_with == mark}
        found |= _last_others(same)
    return found


def _last_others(lines: Mapping[int, LineView]) -> dict[int, LineView]:
    ready = [(day, key) for key, one in lines.items() if (day := _ready_on(*one)) is not None]
    ready.sort(reverse=True)
    found = {}
    for key in lines:
        other = next((other for _, other in ready if other != key), None)
        if other is not None:
            found[key] = lines[other]
    return found


def _moved(line: Line, view: Outlook) -> list[Share]:
    """The days between the first promise and the last, as far as they are needed."""
    if not line.moves or line.promised_on is None or view.projected_on is None:
        return []
    cal, first = line.calendar, line.moves[0].was_on
    steps = [
        Step(_MOVED_BY.get(move.code, "other"), "", _slip(cal, first, move.on))
        for move in line.moves
    ]
    if (view.buffer or 0) >= 0:
        after = view.projected_on > first
        needed = max(1, cal.days_between(first, view.projected_on)) if after else 0
        steps.append(Step("", "", min(needed, steps[-1].slip)))
    return [Share(one.kind, one.no, one.days, moved=True) for one in split(steps)]


def _lost(
    line: Line,
    view: Outlook,
    *,
    held: bool,
    before: Sequence[Share],
    last_other: LineView | None,
) -> list[Share]:
    """The days after the promise as it stands."""
    late = -(view.buffer or 0)
    if late <= 0 or line.promised_on is None or view.ready_on is None:
        return []
    cal, leave_by = line.calendar, line.leave_by(line.promised_on)
    known = {share.kind: share for share in before if not share.moved}
    steps, ready_on = _deciding(line, view, last_other)
    steps = _with_stock(steps, known.get("stock"))
    if ready_on is not None:
        unplanned = held and not view.tops
        steps.append(Step("hold" if unplanned else "planned", "", _slip(cal, leave_by, ready_on)))
    if waits_for_rest(line, view):
        steps.append(Step(*_rest(line, view), _slip(cal, leave_by, view.ready_on)))
    leaves = _slip(cal, leave_by, view.ship_on or view.ready_on)
    if held:
        steps.append(Step("hold", "", leaves))
    elif "hold" in known:
        ready = steps[-1].slip if steps else 0
        steps.append(Step("hold", "", min(leaves, ready + known["hold"].days)))
    steps += [Step("shipping", "", leaves), Step("transport", "", late)]
    return split(steps)


def _deciding(
    line: Line, view: Outlook, last_other: LineView | None
) -> tuple[list[Step], dt.date | None]:
    """The steps of the documents that decide, and when what they bring can leave.

    Those of the last other line, where that is ready later, unless the line left without it.
    """
    ready_on = _ready_on(line, view)
    if last_other is not None and (other_on := _ready_on(*last_other)) is not None:
        later = ready_on is None or other_on > ready_on
        left_on = line.shipped_on if view.source == "shipped" else None
        if later and (left_on is None or other_on <= line.calendar.add_days(left_on, 1)):
            no = last_other[0].line_no
            return [replace(step, line=no) for step in _steps_to(*last_other)], other_on
    return _steps_to(line, view), ready_on


def _rest(line: Line, view: Outlook) -> tuple[str, str]:
    """Why pieces are missing beside the documents: kind of the share, and number."""
    if (spoilt := scrapped(line, view)) is not None:
        return "quality", spoilt.no
    if (closed := closed_short(line, view)) is not None:
        return "erp", closed.no
    return "planned", ""


def _with_stock(steps: list[Step], known: Share | None) -> list[Step]:
    """A part that was missing before the work began is no longer seen once it has begun."""
    first = next((n for n, step in enumerate(steps) if step.kind == "production"), None)
    if known is None or first is None or any(step.kind == "stock" for step in steps):
        return steps
    if known.line != steps[first].line:
        return steps
    missing = Step("stock", known.no, min(known.days, steps[first].slip), known.line)
    return [*steps[:first], missing, *steps[first:]]


def _steps_to(line: Line, view: Outlook) -> list[Step]:
    """The steps of the documents that bring the line."""
    return [] if view.source in _TO_COME else _way(view.tops, line.calendar, line.shipped_on)


def _ready_on(line: Line, view: Outlook) -> dt.date | None:
    """When the pieces could or can leave by their documents; None for pieces from stock."""
    if view.source in _TO_COME:
        return view.ready_on
    days = [_known_on(node, line.shipped_on) for node in view.tops if node.end_on is not None]
    return line.calendar.add_days(max(days), 1) if days else None


def split(steps: Sequence[Step]) -> list[Share]:
    """What each step added to the slip of the last one; the days sum to that slip."""
    left = list(accumulate((step.slip for step in reversed(steps)), min))[::-1]
    before = [0, *left]
    return [
        Share(step.kind, step.no, now - was, line=step.line)
        for step, was, now in zip(steps, before, left, strict=False)
        if now > was
    ]


def _way(level: Sequence[Node], cal: WorkCalendar, began_on: dt.date | None) -> list[Step]:
    """The steps from the deepest document up to the one that the line itself waits for.

    ``began_on``: when what waits for the level began or left.
    """
    ends = [node for node in level if node.end_on is not None]
    if not ends:
        return []
    last = max(ends, key=lambda node: (_known_on(node, began_on), node.critical))
    steps = [*_way(last.children, cal, last.start_on), *_steps(last, cal)]
    if _known_on(last, began_on) != last.end_on:
        planned = last.was_on if last.need_on is None else last.need_on
        steps.append(Step("erp", last.no, _slip(cal, planned, last.shown_open_on)))
    return steps


def _known_on(node: Node, began_on: dt.date | None) -> dt.date:
    """The day on which it was there for whoever looks into the ERP.

    What began before the ERP told it has not waited for that.
    """
    assert node.end_on is not None  # noqa: S101 - the callers asked
    shown = node.shown_open_on
    if shown is None or (began_on is not None and began_on <= shown):
        return node.end_on
    return max(node.end_on, shown)


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
