"""Projections: what we expect of every line, stored for lists, boards and pages.

``project`` computes named orders in the caller's Work; jobs call ``project_due`` in one short
Work after another until it answers 0. Not here: how dates come about (planning).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.fulfillment.actions.history import record_history
from b2bcrm.fulfillment.actions.projections import store, store_ended
from b2bcrm.fulfillment.models import (
    FirmPeg,
    LineProjection,
    OrderProjection,
    Reservation,
    ShortPart,
)
from b2bcrm.fulfillment.planning.atp import STOCK
from b2bcrm.fulfillment.planning.chain import outlook
from b2bcrm.fulfillment.planning.facts import ZERO, Supplies
from b2bcrm.fulfillment.planning.lateness import LineView
from b2bcrm.fulfillment.planning.sureness_paths import Told
from b2bcrm.fulfillment.planning.verdict import Terms, Verdict, judge
from b2bcrm.fulfillment.queries.sureness import Sureness
from b2bcrm.fulfillment.snapshot import orders as snapshot
from b2bcrm.fulfillment.snapshot.orders import OrderFacts
from b2bcrm.fulfillment.snapshot.outcome import came_late
from b2bcrm.fulfillment.snapshot.pools import stock_read_to
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.work import Work
from b2bcrm.orders.actions import LineQuantities, record_quantities
from b2bcrm.orders.lifecycle import FINAL, OPEN_ORDERS, ErpSync, OrderState
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.queries import locked

BATCH = 200


def mark_stale(work: Work, order_ids: Collection[int]) -> None:
    """Their documents changed: the next ``project_due`` computes them anew."""
    if order_ids:
        _mark(work, sa.select(Order.id).where(Order.id.in_(order_ids)))


def mark_open_stale(work: Work) -> None:
    """Something that all dates rest on changed: every open order is computed anew."""
    _mark(work, sa.select(Order.id).where(Order.state.in_(OPEN_ORDERS)))


def _mark(work: Work, orders: sa.Select[int]) -> None:
    work.session.execute(locked(orders))  # as who computes them does: orders, then projections
    stale = sa.update(OrderProjection).where(OrderProjection.order_id.in_(orders))
    work.session.execute(stale.values(stale=True).execution_options(synchronize_session="fetch"))


def project_due(work: Work, limit: int = BATCH) -> int:
    """Compute up to ``limit`` orders that are due; what another worker has in hand is left to it.

    Answers how many there were; call again, in a new Work, until it is 0.
    """
    ids = work.session.scalars(locked(_due(work, limit), skip_locked=True)).all()
    project(work, ids)
    return len(ids)


def projections_due(work: Work) -> bool:
    """Whether any order is due, asked without the right to write."""
    return work.session.scalar(_due(work, 1)) is not None


def _due(work: Work, limit: int) -> sa.Select[int]:
    """Orders that are new, stale, or open and last computed before today, or whose reservation
    the ERP may have taken over since.
    """
    morning = dt.datetime.combine(work.today, dt.time(), HOME_ZONE)
    return (
        sa.select(Order.id)
        .outerjoin(OrderProjection, OrderProjection.order_id == Order.id)
        .where(
            Order.state != OrderState.DRAFT,
            sa.or_(
                OrderProjection.order_id.is_(None),
                OrderProjection.stale,
                _reserved_before(stock_read_to(work)),
                sa.and_(
                    OrderProjection.computed_at < morning,
                    Order.state.in_(OPEN_ORDERS),
                ),
            ),
        )
        .limit(limit)
    )


def _reserved_before(read_to: dt.datetime | None) -> sa.ColumnElement[bool]:
    """Orders that reserve what the ERP may hold itself since its stock was read anew."""
    if read_to is None:
        return sa.false()
    reserved = sa.exists().where(Reservation.order_ref == Order.no, Reservation.ended_at.is_(None))
    return sa.and_(
        reserved,
        Order.erp_sync == ErpSync.ACCEPTED,
        Order.erp_since < read_to,
        OrderProjection.computed_at < read_to,
    )


def project_all(work: Work) -> int:
    """Compute every order anew, in this one Work: for set-up and tests."""
    work.session.execute(sa.update(OrderProjection).values(stale=True))
    count = 0
    while done := project_due(work, BATCH):
        count += done
        work.session.flush()  # flush: the rows must be written before they leave memory
        work.session.expunge_all()
    return count


def project(work: Work, order_ids: Collection[int]) -> int:
    """Compute the named orders; answers how many projections changed.

    Also writes missing promise history and produced quantities, and ends reservations of lines
    that the ERP supplies itself.
    """
    changed = 0
    ids = sorted(set(order_ids))
    for start in range(0, len(ids), BATCH):
        changed += _batch(work, ids[start : start + BATCH])
    if ids:
        work.bump("projection")
    if changed:
        work.bump("board")
    return changed


def _batch(work: Work, ids: Sequence[int]) -> int:
    session = work.session
    session.flush()  # flush: what this Work just wrote belongs into the projection
    orders = session.scalars(
        locked(
            sa.select(Order)
            .where(Order.id.in_(ids), Order.state != OrderState.DRAFT)
            .options(selectinload(Order.lines))
        )
    ).all()
    if not orders:
        return 0
    record_history(work, [order.id for order in orders], kind="amended")
    old_orders = {
        row.order_id: row
        for row in session.scalars(
            sa.select(OrderProjection).where(OrderProjection.order_id.in_(ids))
        )
    }
    old_lines = {
        row.order_line_id: row
        for row in session.scalars(
            sa.select(LineProjection).where(LineProjection.order_id.in_(ids))
        )
    }
    living = [order for order in orders if order.state not in FINAL]
    ended = [order for order in orders if order.state in FINAL]
    taken = snapshot.take(work, living) if living else snapshot.Snapshot([], Supplies())
    session.execute(sa.delete(ShortPart).where(ShortPart.order_id.in_(ids)))
    produced: list[LineQuantities] = []
    covered: list[tuple[str, str]] = []
    read_to = stock_read_to(work)
    sureness = Sureness(work, _promises(taken.orders))
    changed = 0
    for facts in taken.orders:
        order = facts.order
        terms = _terms(facts)
        verdicts = judge(facts.lines, taken.supplies, terms, work.today)
        if not verdicts:
            continue
        result = store(
            work,
            facts,
            verdicts,
            terms,
            old_order=old_orders.get(order.id),
            old_lines=old_lines,
            sureness=sureness,
        )
        changed += result
        if result and order.id in old_orders:
            work.bump(f"order:{order.id}")
        produced += _produced(order, verdicts)
        covered += [
            (order.no, str(v.line.line_no))
            for v in verdicts.values()
            if _covered(order, v, read_to)
        ]
    came = _came(work, ended)
    for order in ended:
        old = old_orders.get(order.id)
        changed += store_ended(work, order, old, old_lines, came.get(order.id, {}))
    _end_reservations(work, covered, [order.no for order in ended])
    _end_pegs(work, [order.id for order in orders])
    if produced:
        record_quantities(work, produced)
    return changed


def _came(work: Work, ended: Sequence[Order]) -> dict[int, dict[int, LineView]]:
    """The lines of each closed order of which something came late, as their documents show them."""
    late = came_late(work, ended)
    if not late:
        return {}
    taken = snapshot.take(work, late)
    return {
        facts.order.id: {
            key: (line, outlook(line, taken.supplies, work.today))
            for key, line in facts.lines.items()
        }
        for facts in taken.orders
    }


def _promises(orders: Iterable[OrderFacts]) -> dict[int, Told]:
    """What confirmed orders were promised, by line."""
    return {
        key: Told(
            facts.order.incoterm,
            not facts.order.partial_delivery,
            line.family,
            line.item,
            facts.order.confirmed_at.astimezone(HOME_ZONE).date(),
            line.promised_on,
        )
        for facts in orders
        for key, line in facts.lines.items()
        if facts.order.confirmed_at and line.promised_on
    }


def _terms(facts: OrderFacts) -> Terms:
    order = facts.order
    return Terms(
        state=order.state,
        hold_reason=order.hold_reason,
        credit_hold=facts.credit_hold,
        partial_delivery=order.partial_delivery,
        known_to_erp=order.erp_sync is ErpSync.ACCEPTED,
    )


def _produced(order: Order, verdicts: dict[int, Verdict]) -> list[LineQuantities]:
    """Lines whose produced quantity differs from what the documents add up to."""
    if order.state is not OrderState.CONFIRMED:
        return []
    lines = {line.id: line for line in order.lines}
    return [
        LineQuantities(order_line_id=key, produced_qty=verdict.progress.produced)
        for key, verdict in verdicts.items()
        if lines[key].produced_qty != verdict.progress.produced
    ]


def _covered(order: Order, verdict: Verdict, read_to: dt.datetime | None) -> bool:
    """Whether the ERP supplies the whole line, so that our reservation would count it twice.

    Its documents are pegged to all pieces; or it accepted the order as it now stands, has planned
    the line, and its stock was read since: then the stock figures hold its allocation.
    """
    line, view = verdict.line, verdict.view
    if not line.ref or line.reserved_on is None:
        return False
    pegged = sum((n.qty for n in view.tops if n.kind != STOCK and n.item == line.item), ZERO)
    if max(pegged, line.shipped) >= line.ordered:
        return True
    planned = line.planned_on is not None or view.source in {"supply", "shipped"}
    since = order.erp_since if order.erp_sync is ErpSync.ACCEPTED else None
    return planned and since is not None and read_to is not None and read_to > since


def _end_reservations(work: Work, covered: Sequence[tuple[str, str]], ended: Sequence[str]) -> None:
    if not covered and not ended:
        return
    pairs = sa.tuple_(Reservation.order_ref, Reservation.line_ref).in_(covered)
    work.session.execute(
        sa.update(Reservation)
        .where(Reservation.ended_at.is_(None), sa.or_(pairs, Reservation.order_ref.in_(ended)))
        .values(ended_at=work.now)
    )


def _end_pegs(work: Work, order_ids: Sequence[int]) -> None:
    """What has left, or never will, needs its firm pieces no more."""
    over = (
        sa.select(OrderLine.id)
        .join(Order, Order.id == OrderLine.order_id)
        .where(
            Order.id.in_(order_ids),
            sa.or_(
                Order.state.in_(FINAL),
                OrderLine.cancelled,
                OrderLine.shipped_qty >= OrderLine.due_qty,
            ),
        )
    )
    work.session.execute(
        sa.update(FirmPeg)
        .where(FirmPeg.ended_at.is_(None), FirmPeg.order_line_id.in_(over))
        .values(ended_at=work.now)
        .execution_options(synchronize_session=False)
    )
