"""All of one order's open lines judged together: dates, progress, status, cause. Pure.

Each line has its own date. Where the order must ship complete, a finished line names the line
that it waits for.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from b2bcrm.customers.receiving import at_customer
from b2bcrm.fulfillment.planning.chain import Node, Outlook, outlook
from b2bcrm.fulfillment.planning.explain import Why, explain
from b2bcrm.fulfillment.planning.facts import Line, Supplies
from b2bcrm.fulfillment.planning.progress import Progress, measure, pct
from b2bcrm.kernel.words import Message
from b2bcrm.orders.lifecycle import (
    LineFacts,
    OrderState,
    Stage,
    Status,
    stage,
    status,
)

STAGES = tuple(Stage)
_RANK = {Status.LATE: 0, Status.RISK: 1, Status.OK: 2, Status.DONE: 3}
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

    @property
    def rank(self) -> tuple[int, int]:
        """Worse lines sort first."""
        return (_RANK[self.status], 0 if self.view.buffer is None else self.view.buffer)


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
    views = {key: outlook(line, supplies, today) for key, line in lines.items()}
    slowest = None if terms.partial_delivery else _slowest(lines, views)
    return {
        key: _verdict(line, views[key], supplies, terms, (slowest, today))
        for key, line in lines.items()
    }


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
    supplies: Supplies,
    terms: Terms,
    moment: tuple[int | None, dt.date],
) -> Verdict:
    waits_for, today = moment
    progress = measure(line, supplies, today, in_stock=view.source in _READY_SOURCES)
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
        held=held,
    )
    counted = LineFacts(**{**vars(facts), "delivered_qty": max(line.delivered, handed_over)})
    found, reason = status(counted, today)
    why = None
    if found in {Status.LATE, Status.RISK}:
        why = explain(
            line,
            view,
            today,
            hold_reason=terms.hold_reason,
            credit_hold=terms.credit_hold,
            known_to_erp=terms.known_to_erp,
            waits_for=waits_for,
        )
    return Verdict(line, view, progress, stage(facts), found, reason, why)


@dataclass(frozen=True)
class Summary:
    """The order as one row: ``decides`` is the line id whose dates and cause it shows."""

    decides: int
    stage: Stage
    stage_pct: int
    status: Status


def summary(verdicts: Mapping[int, Verdict]) -> Summary:
    """The worst line decides; where nothing is wrong, the one promised last."""
    first = min(verdicts, key=lambda key: (verdicts[key].rank, key))
    worst = verdicts[first]
    if worst.status in {Status.OK, Status.DONE}:
        same = [key for key, v in verdicts.items() if v.status is worst.status]
        first = max(same, key=lambda key: (verdicts[key].line.promised_on or dt.date.min, -key))
    undone = [v for v in verdicts.values() if v.stage is not Stage.DELIVERED]
    where = min((v.stage for v in undone), key=STAGES.index, default=Stage.DELIVERED)
    return Summary(first, where, stage_pct(where, undone), worst.status)


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
