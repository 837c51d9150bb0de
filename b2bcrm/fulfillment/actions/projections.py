"""The rows of a projection: written only where something differs, told where a line turned."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from b2bcrm.fulfillment.events import ProjectionMoved
from b2bcrm.fulfillment.models import LineProjection, OrderProjection, ShortPart
from b2bcrm.fulfillment.planning.explain import rows
from b2bcrm.fulfillment.planning.facts import Line
from b2bcrm.fulfillment.planning.lateness import LineView, Share, last_others, shares
from b2bcrm.fulfillment.planning.notices import Ahead, stored
from b2bcrm.fulfillment.planning.policies import in_two
from b2bcrm.fulfillment.planning.progress import pct
from b2bcrm.fulfillment.planning.sureness_paths import Sure
from b2bcrm.fulfillment.planning.verdict import (
    STAGES,
    Summary,
    Terms,
    Verdict,
    shortages,
    stage_pct,
    summary,
)
from b2bcrm.fulfillment.queries.sureness import Sureness
from b2bcrm.fulfillment.snapshot.orders import OrderFacts
from b2bcrm.kernel.money import round_to
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import STATE_WORDS, OrderState, Stage, Status
from b2bcrm.orders.models import Order, OrderLine

SETTLED = dt.timedelta(days=7)  # until then documents of a line that has come are still booked


def store(
    work: Work,
    facts: OrderFacts,
    verdicts: dict[int, Verdict],
    terms: Terms,
    *,
    old_order: OrderProjection | None,
    old_lines: dict[int, LineProjection],
    sureness: Sureness,
) -> bool:
    """Write the rows of a living order; whether anything differs from before."""
    order = facts.order
    changed = False
    held = terms.hold_reason is not None or terms.credit_hold
    lines = {key: (verdict.line, verdict.view) for key, verdict in verdicts.items()}
    lost = _lost(order, lines, old_lines, work.today, held=held)
    for key, verdict in verdicts.items():
        old = old_lines.get(key)
        values = _line_values(verdict) | lost[key]
        left = verdict.view.source == "shipped"
        values["sure"] = None if left else _sure(sureness.of(key, verdict.view.projected_on))
        sends = terms.partial_delivery and not held and _may_send(order, key, verdict.ahead)
        values["ahead"] = stored(verdict.ahead) if sends else None
        if old is None:
            work.session.add(
                LineProjection(order_line_id=key, order_id=order.id, computed_at=work.now, **values)
            )
            changed = True
        else:
            _tell(work, order, old, verdict)
            changed |= _set(old, values)
            old.computed_at = work.now
        for node in shortages(verdict.view.tops):
            if node.end_on is not None:
                work.session.add(
                    ShortPart(
                        order_id=order.id,
                        order_line_id=key,
                        item_no=node.item,
                        kind=node.kind,
                        document_no=node.no,
                        qty=node.short or node.qty,
                        need_on=node.was_on or work.today,
                        supply_on=node.end_on,
                        slip_days=node.delay,
                        critical=node.critical,
                    )
                )
    found = summary(verdicts, terms, work.today)
    values = _order_values(order, verdicts, found)
    if old_order is None:
        work.session.add(
            OrderProjection(
                order_id=order.id, account_id=order.account_id, computed_at=work.now, **values
            )
        )
        return True
    changed |= _set(old_order, values)
    old_order.computed_at, old_order.stale = work.now, False
    return changed


def _may_send(order: Order, line_id: int, ahead: Sequence[Ahead]) -> bool:
    """Whether these pieces of a line may leave before the rest, by how the line may leave."""
    line = next(one for one in order.lines if one.id == line_id)
    enough = line.least_shipment is None or sum(one.qty for one in ahead) >= line.least_shipment
    return enough and not order.leaving_with(line)


def _sure(found: Sure | None) -> dict[str, Any] | None:
    """As a projection keeps it."""
    if found is None:
        return None
    days = [day.isoformat() if day else None for day in found.days]
    return {"days": days, "orders": found.orders, "chance": found.chance}


def _set(row: Any, values: dict[str, Any]) -> bool:
    changed = False
    for name, value in values.items():
        if getattr(row, name) != value:
            setattr(row, name, value)
            changed = True
    return changed


def _lost(
    order: Order,
    lines: Mapping[int, LineView],
    old_lines: Mapping[int, LineProjection],
    today: dt.date,
    *,
    held: bool = False,
) -> dict[int, dict[str, Any]]:
    """Where each line of an order lost the days after its first promise.

    Once it has come and a week is over, a line keeps what was said then, whatever becomes of its
    documents.
    """
    others = last_others(lines, complete=not order.partial_delivery)
    found = {}
    for key, (line, view) in lines.items():
        old, came_on = old_lines.get(key), line.came_on
        if old and came_on and came_on == old.came_on and today - came_on > SETTLED:
            found[key] = {"lost": old.lost, "came_on": came_on}
            continue
        before = [Share(**share) for share in (old and old.lost) or ()]
        told = shares(line, view, held=held, before=before, last_other=others.get(key))
        lost = [vars(share) for share in told]
        found[key] = {"lost": lost or None, "came_on": came_on if lost else None}
    return found


def _line_values(verdict: Verdict) -> dict[str, Any]:
    view, progress, why = verdict.view, verdict.progress, verdict.why
    return {
        "projected_on": view.projected_on,
        "buffer_days": view.buffer,
        "stage": verdict.stage,
        "status": verdict.status,
        "status_reason": verdict.reason,
        "material_pct": pct(progress.material),
        "production_pct": progress.production_pct,
        "progress_pct": progress.production_pct,
        "plan_pct": progress.plan_pct,
        "now_at": progress.now_at,
        "cause_kind": why.kind if why else "",
        "cause": why.cause if why else None,
        "next_step": why.next_step if why else None,
        "chain": rows(view.tops),
        "stations": progress.stations,
        "in_two": in_two(verdict.line, view),
    }


def _order_values(order: Order, verdicts: dict[int, Verdict], found: Summary) -> dict[str, Any]:
    verdict = found.verdict
    lines = {line.id: line for line in order.lines}
    why = verdict.why
    wished = [found.decides] if order.partial_delivery else list(verdicts)
    return {
        "requested_on": max(lines[key].requested_on for key in wished),
        "promised_on": found.promised_on,
        "projected_on": found.projected_on,
        "buffer_days": verdict.view.buffer,
        "stage": found.stage,
        "stage_pct": found.stage_pct,
        "status": found.status,
        "status_reason": verdict.reason,
        "deciding_line_no": verdict.line.line_no,
        "cause_kind": why.kind if why else "",
        "cause": why.cause if why else None,
        "next_step": why.next_step if why else None,
        "open_value": round_to(
            sum((_open_value(lines[key], v.line) for key, v in verdicts.items()), Decimal(0))
            * order.rate,
            2,
        ),
        "stages": _stages(order, list(verdicts.values()), found),
    }


def _open_value(row: OrderLine, line: Line) -> Decimal:
    """The part of a line's net value that is still to be delivered, in the order's currency."""
    return row.net * max(Decimal(0), line.ordered - line.delivered) / row.ordered_qty


def _stages(order: Order, verdicts: Sequence[Verdict], found: Summary) -> dict[str, Any]:
    """The life line's stages: how far each is, and the status of the one the order is in."""
    undone = [v for v in verdicts if v.stage is not Stage.DELIVERED]
    now = STAGES.index(found.stage)
    cells: dict[str, Any] = {}
    for n, where in enumerate(STAGES[2:7], 2):
        if n < now:
            cells[where.value] = {"status": "done", "pct": 100}
        else:
            status = found.status.value if n == now else "idle"
            cells[where.value] = {"status": status, "pct": stage_pct(where, undone)}
    cells[Stage.ORDER.value]["on"] = order.ordered_on.isoformat()
    return cells


def _tell(work: Work, order: Order, old: LineProjection, verdict: Verdict) -> None:
    """Publish a line that turned late, moved while late, came back in time, or lost its day."""
    was, now = old.status is Status.LATE, verdict.status is Status.LATE
    moved = old.projected_on != verdict.view.projected_on
    lost = verdict.line.never and verdict.view.projected_on is None
    back = was and not lost and verdict.status in {Status.OK, Status.RISK}
    turned = now and not was
    if not (turned or back or (moved and (now or lost))):
        return
    work.publish(
        ProjectionMoved(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            line_no=verdict.line.line_no,
            previous_on=old.projected_on,
            projected_on=verdict.view.projected_on,
            status=verdict.status.value,
            cause=verdict.why.cause if verdict.why else None,
        )
    )


def store_ended(
    work: Work,
    order: Order,
    old_order: OrderProjection | None,
    old_lines: dict[int, LineProjection],
    came: Mapping[int, LineView],
) -> bool:
    """Closed and cancelled orders keep their rows, done, so that lists show them.

    ``came`` are its lines where one of them came late.
    """
    lines = [line for line in order.lines if not line.cancelled]
    delivered = order.state is OrderState.CLOSED and bool(lines)
    where = Stage.DELIVERED if delivered else Stage.ORDER
    common = {
        "stage": where,
        "status": Status.DONE,
        "status_reason": STATE_WORDS[order.state],
        "projected_on": None,
        "buffer_days": None,
        "cause_kind": "",
        "cause": None,
        "next_step": None,
    }
    share = 100 if delivered else 0
    lost = _lost(order, came, old_lines, work.today)
    for line in lines:
        values = common | {
            "material_pct": share,
            "production_pct": share,
            "progress_pct": share,
            "plan_pct": None,
            "now_at": None,
            "chain": [],
            "stations": {},
            "sure": None,
            "ahead": None,
            "in_two": None,
        }
        old = old_lines.get(line.id)
        values |= lost.get(line.id, {"lost": None, "came_on": None})
        if old is None:
            work.session.add(
                LineProjection(
                    order_line_id=line.id, order_id=order.id, computed_at=work.now, **values
                )
            )
        else:
            _set(old, values)
            old.computed_at = work.now
    dates = [line.promised_on for line in lines if line.promised_on]
    values = common | {
        "requested_on": max((line.requested_on for line in lines), default=None),
        "promised_on": max(dates, default=None),
        "stage_pct": share,
        "deciding_line_no": None,
        "open_value": Decimal(0),
        "stages": {},
    }
    if old_order is None:
        work.session.add(
            OrderProjection(
                order_id=order.id, account_id=order.account_id, computed_at=work.now, **values
            )
        )
        return True
    changed = _set(old_order, values)
    old_order.computed_at, old_order.stale = work.now, False
    return changed
