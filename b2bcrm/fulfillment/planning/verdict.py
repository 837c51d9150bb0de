"""All of one order's open lines judged together: dates, progress, status, cause. Pure.

Each line has its own date. Where the order must ship complete, a finished line names the line
that it waits for, and the order's dates are the last of its lines': it is judged against them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from b2bcrm.customers.receiving import at_customer
from b2bcrm.fulfillment.planning.chain import Node, Outlook, settle
from b2bcrm.fulfillment.planning.explain import Why, asked_of, explain
from b2bcrm.fulfillment.planning.facts import Line, Supplies
from b2bcrm.fulfillment.planning.notices import Ahead, pieces_ahead
from b2bcrm.fulfillment.planning.policies import TOO_LATE, beyond, outlooks
from b2bcrm.fulfillment.planning.progress import Progress, measure, pct
from b2bcrm.kernel.words import Message
from b2bcrm.orders.lifecycle import (
    ASKS,
    ON_HOLD,
    LineFacts,
    OrderState,
    Stage,
    Status,
    last_of_all,
    stage,
    status,
)

STAGES = tuple(Stage)
_RANK = {Status.LATE: 0, Status.RISK: 1, Status.OK: 2, Status.DONE: 3}
_TROUBLED = frozenset({Status.LATE, Status.RISK})
_READY_SOURCES = frozenset({"stock", "service"})


@dataclass(frozen=True)
class Verdict:
    """What is known of one line."""

    line: Line
    view: Outlook
    progress: Progress
    stage: Stage
    status: Status
    reason: Message
    why: Why | None
    ahead: Sequence[Ahead] = ()

    @property
    def rank(self) -> tuple[int, int]:
        """Worse lines sort first; among lines in time the buffer says nothing."""
        buffer = self.view.buffer if self.status in _TROUBLED else None
        return _RANK[self.status], buffer or 0


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What holds for the whole order."""

    state: OrderState
    hold_reason: str | None
    credit_hold: bool
    partial_delivery: bool
    known_to_erp: bool


def judge(
    lines: Mapping[int, Line], supplies: Supplies, terms: Terms, today: dt.date
) -> dict[int, Verdict]:
    """A verdict per line id."""
    views = outlooks(lines, supplies, today)
    slowest = None if terms.partial_delivery else _slowest(lines, views)
    found: dict[int, Verdict] = {}
    for key, line in lines.items():
        view = views[key]
        in_stock = view.source in _READY_SOURCES
        progress = measure(line, supplies, today, in_stock=in_stock)
        ahead = pieces_ahead(line, view, supplies, today)
        verdict = _verdict(line, view, progress, terms, (slowest, today))
        found[key] = replace(verdict, ahead=ahead)
    return found


def _slowest(lines: Mapping[int, Line], views: Mapping[int, Outlook]) -> int | None:
    """Number of the unfinished line that is ready last."""
    waiting = [
        (view.ready_on, lines[key].line_no)
        for key, view in views.items()
        if not view.complete and view.ready_on is not None
    ]
    return max(waiting)[1] if waiting else None


def _verdict(
    line: Line,
    view: Outlook,
    progress: Progress,
    terms: Terms,
    moment: tuple[int | None, dt.date],
) -> Verdict:
    waits_for, today = moment
    handed_over = line.delivered if at_customer(line.incoterm) else line.shipped
    held = terms.hold_reason is not None or terms.credit_hold
    facts = LineFacts(
        state=terms.state,
        ordered_qty=line.ordered,
        produced_qty=progress.produced,
        shipped_qty=line.shipped,
        delivered_qty=line.delivered,
        material_share=progress.material,
        promised_on=line.promised_on,
        projected_on=view.projected_on,
        buffer_days=view.buffer,
        waits=_waits(line, view, held=held),
    )
    counted = LineFacts(**{**vars(facts), "delivered_qty": max(line.delivered, handed_over)})
    found, reason = status(counted, today)
    why = None
    if found in _TROUBLED:
        why = explain(
            line,
            view,
            today,
            hold_reason=terms.hold_reason,
            credit_hold=terms.credit_hold,
            known_to_erp=terms.known_to_erp,
            waits_for=waits_for,
        )
        why = beyond(line, view, why)
        if line.asked is not None and not held:
            why = asked_of(line.asked, why, late=found is Status.LATE)
    return Verdict(line, view, progress, stage(facts), found, reason, why)


def _waits(line: Line, view: Outlook, *, held: bool) -> Message | None:
    """What the line waits for beside its supply."""
    if held:
        return ON_HOLD
    if line.asked is not None:
        return ASKS
    return TOO_LATE if line.never and view.ready_on is None else None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The order as one row.

    ``decides`` is the id of the line whose status and cause it shows, ``verdict`` what is said of
    that line: for a complete delivery against the order's dates, not against the line's own.
    """

    decides: int
    verdict: Verdict
    stage: Stage
    stage_pct: int
    promised_on: dt.date | None
    projected_on: dt.date | None

    @property
    def status(self) -> Status:
        """The order's colour."""
        return self.verdict.status


def summary(verdicts: Mapping[int, Verdict], terms: Terms, today: dt.date) -> Summary:
    """The worst line decides; where nothing is wrong, the next to come.

    A complete delivery is promised and expected when its last line is: there the line that
    threatens this date most decides, where nothing is wrong the one expected last.
    """
    undone = [v for v in verdicts.values() if v.stage is not Stage.DELIVERED]
    where = min((v.stage for v in undone), key=STAGES.index, default=Stage.DELIVERED)
    if terms.partial_delivery:
        judged, first = verdicts, _worst_or_next(verdicts)
        promised_on = judged[first].line.promised_on
        projected_on = judged[first].view.projected_on
    else:
        promised_on = _promised_whole(verdicts)
        judged = _as_whole(verdicts, promised_on, terms, today)
        first = _worst_or_last(judged)
        projected_on = _last(v.view.projected_on for v in verdicts.values())
    return Summary(
        decides=first,
        verdict=judged[first],
        stage=where,
        stage_pct=stage_pct(where, undone),
        promised_on=promised_on,
        projected_on=projected_on,
    )


def _last(days: Iterable[dt.date | None]) -> dt.date | None:
    return max((day for day in days if day is not None), default=None)


def _worst_or_next(verdicts: Mapping[int, Verdict]) -> int:
    if all(v.status is Status.DONE for v in verdicts.values()):
        return max(verdicts, key=lambda key: (verdicts[key].line.promised_on or dt.date.min, -key))
    return min(
        verdicts,
        key=lambda key: (verdicts[key].rank, verdicts[key].line.promised_on or dt.date.min, key),
    )


def _worst_or_last(judged: Mapping[int, Verdict]) -> int:
    def order(key: int) -> tuple[tuple[int, int], int, int]:
        comes_on = judged[key].view.projected_on or dt.date.min
        return judged[key].rank, -comes_on.toordinal(), key

    return min(judged, key=order)


def _unpromised(verdicts: Mapping[int, Verdict]) -> dict[int, Verdict]:
    return {
        key: v
        for key, v in verdicts.items()
        if v.line.promised_on is None and v.status is not Status.DONE
    }


def _promised_whole(verdicts: Mapping[int, Verdict]) -> dt.date | None:
    """The last promise; None while a line that is still to come has none."""
    days = [(v.status, v.line.promised_on) for v in verdicts.values()]
    return last_of_all(day for status, day in days if day or status is not Status.DONE)


def _as_whole(
    verdicts: Mapping[int, Verdict], promised_on: dt.date | None, terms: Terms, today: dt.date
) -> Mapping[int, Verdict]:
    """Every line against the order's promise; where that is missing, the lines that lack one."""
    if promised_on is None:
        return _unpromised(verdicts) or verdicts
    lines = {key: replace(v.line, promised_on=promised_on) for key, v in verdicts.items()}
    views = {key: replace(v.view, buffer=None) for key, v in verdicts.items()}
    slowest = _slowest(lines, views)
    found: dict[int, Verdict] = {}
    for key, line in lines.items():
        settle(line, views[key], today)
        found[key] = _verdict(line, views[key], verdicts[key].progress, terms, (slowest, today))
    return found


def stage_pct(where: Stage, undone: Sequence[Verdict]) -> int:
    """How far the order is in a stage, over its undelivered lines, in whole percents."""
    if not undone:
        return 100
    match where:
        case Stage.MATERIAL:
            shares = [v.progress.material for v in undone]
        case Stage.PRODUCTION:
            shares = [Decimal(v.progress.production_pct) / 100 for v in undone]
        case Stage.SHIPPING:
            shares = [min(Decimal(1), v.line.shipped / v.line.ordered) for v in undone]
        case Stage.DELIVERED:
            shares = [min(Decimal(1), v.line.delivered / v.line.ordered) for v in undone]
        case _:
            return 0
    return pct(sum(shares, Decimal(0)) / len(shares))


def shortages(tops: Sequence[Node]) -> list[Node]:
    """Open purchases and missing parts in the tree that come later than first said."""
    found: list[Node] = []
    for node in tops:
        if node.finished:
            continue
        late = node.delay > 0 or node.overdue
        if node.kind == "stock" or (node.kind == "purchase_order" and late):
            found.append(node)
        found += shortages(node.children)
    return found
