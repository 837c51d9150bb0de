"""``ports.promise.Promising`` over one Work: ask, hold, convert, release, explain.

Dates are the day the goods are ready; with an account in the wish, the day they are delivered to
it (its Incoterm, transit and receiving days). ``ask`` takes no lock. ``hold``, ``convert`` and
``extend`` lock the one row of ``promise_gate`` (on SQLite the Work holds the write lock anyway),
ask again and insert, so that no piece is promised twice.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.fulfillment.actions import projecting
from b2bcrm.fulfillment.actions.finding import Found, by_wish, find, sources
from b2bcrm.fulfillment.actions.history import record_history
from b2bcrm.fulfillment.models import Hold, HoldLine, PromiseGate, Reservation
from b2bcrm.fulfillment.planning import atp
from b2bcrm.fulfillment.snapshot import pools, ways
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.database import insert_for
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Entity
from b2bcrm.ports.promise import Answer, AskLine, Mode, PromiseMoved
from b2bcrm.sync.connections import company_connection
from b2bcrm.sync.freshness import FeedAge, stale_feeds

GATE = 1
SUPPLY = (Entity.STOCK, Entity.PURCHASE_ORDER, Entity.WORK_ORDER)


@dataclass(frozen=True)
class Promises:
    """Promises in the transaction of ``work``."""

    work: Work

    def ask(self, lines: Sequence[AskLine], mode: Mode) -> tuple[Answer, ...]:  # noqa: ARG002 - an inquiry and an order are answered alike here
        """Dates on top of everything already promised or held."""
        found = find(self.work, lines)
        stale = self._stale(found)
        return tuple(
            _not_firm(one.answer, stale[one.site_id].why()) if one.site_id in stale else one.answer
            for one in found
        )

    def hold(
        self, ref: str, lines: Sequence[AskLine], until: dt.date, *, at_worst: dict[str, dt.date]
    ) -> tuple[Answer, ...]:
        """Reserve for ``ref``; PromiseMoved, holding what it held before, if a date got worse.

        What was told is kept no earlier than it was told: those hours are for others.
        """
        seq = self.lock()
        told = {key: day for key, day in at_worst.items() if day != dt.date.max}
        lines = [replace(ln, wanted_on=told.get(ln.ref, ln.wanted_on)) for ln in lines]
        found = find(self.work, lines, without=(ref,), late=told)
        self._must_be_fresh(found)
        answers = tuple(one.answer for one in found)
        if any(_worse(answer, at_worst.get(answer.ref)) for answer in answers):
            raise PromiseMoved(answers)
        self._end_holds(ref)
        rows = [
            HoldLine(
                line_ref=one.line.ref,
                item_id=one.line.item_id,
                site_id=one.site_id,
                qty=one.line.qty,
                ready_on=one.ready_on,
                customer_class=one.customer_class,
                reason=one.answer.reason,
                sources=pools.sources_of(one.takes, one.details),
            )
            for one in found
            if one.site_id is not None and one.ready_on is not None
        ]
        self.work.session.add(Hold(ref=ref, seq=seq, until=until, lines=rows))
        self.work.session.flush()  # flush: a later ask in this Work must see the hold
        return answers

    def release(self, ref: str) -> None:
        """Give back whatever ``ref`` (a quote revision or an order) keeps."""
        self._end_holds(ref)
        self.work.session.execute(
            sa.update(Reservation)
            .where(Reservation.order_ref == ref, Reservation.ended_at.is_(None))
            .values(ended_at=self.work.now)
        )

    def convert(
        self, quote_ref: str, order_ref: str, lines: Sequence[AskLine]
    ) -> tuple[Answer, ...]:
        """Turn a live hold into the order's reservation; ask again where there is none."""
        seq = self.lock()
        kept = self._held(quote_ref)
        self._end_holds(quote_ref)
        self._free_lines(order_ref, [line.ref for line in lines])
        as_of = pools.data_as_of(self.work)
        way = ways.take(self.work, [line.account_id for line in lines])
        answers: dict[str, Answer] = {}
        rest: list[AskLine] = []
        for line in lines:
            row = kept.get(line.ref)
            if row is None or (row.item_id, row.qty) != (line.item_id, line.qty):
                rest.append(line)
                continue
            takes = tuple(pools.supplies_of(row.sources))
            full_on = way.arrives(line.account_id, row.site_id, takes, row.ready_on)
            there = by_wish(line, row.site_id, takes, way)
            details = tuple(pools.details_of(row.sources))
            told = sources(takes, details)
            answer = Answer(line.ref, full_on, there, row.reason, told, as_of)
            answers[line.ref] = answer
            kept_line = Found(
                line, answer, row.site_id, takes, row.ready_on, details, row.customer_class
            )
            self._reserve(order_ref, kept_line, seq)
        self.work.session.flush()  # flush: what was held must not be found free again
        asked = find(self.work, rest)
        self._must_be_fresh(asked)
        for found in asked:
            answers[found.line.ref] = found.answer
            self._reserve(order_ref, found, seq)
        self.work.session.flush()  # flush: a later ask in this Work must see the reservations
        return tuple(answers[line.ref] for line in lines)

    def extend(self, order_ref: str, line: AskLine, *, at_worst: dt.date | None) -> Answer:
        """Reserve added pieces of a line, from where the rest of it comes if that is still ours.

        A reservation that ended was taken over by the ERP: only the added pieces are ours then.
        """
        seq = self.lock()
        kept = self._reservation(order_ref, line.ref)
        live = kept is not None and kept.ended_at is None
        if kept is not None and live:
            line = replace(line, site_id=kept.site_id)
        (found,) = find(self.work, [line])
        self._must_be_fresh([found])
        if _worse(found.answer, at_worst):
            raise PromiseMoved((found.answer,))
        if kept is not None and live and found.ready_on is not None:
            takes = (*pools.supplies_of(kept.sources), *found.takes)
            details = (*pools.details_of(kept.sources), *found.details)
            kept.qty, kept.seq = kept.qty + line.qty, seq
            kept.sources = pools.sources_of(takes, details)
            if found.ready_on >= kept.ready_on:
                kept.ready_on, kept.reason = found.ready_on, found.answer.reason
        elif not live:
            self._free_lines(order_ref, [line.ref])
            self._reserve(order_ref, found, seq)
        self.work.session.flush()  # flush: a later ask in this Work must see the reservation
        return found.answer

    def reduce(self, order_ref: str, line_ref: str, by: Decimal | None = None) -> None:
        """Give back the latest ``by`` pieces of what a line reserves; None: all of it."""
        kept = self._reservation(order_ref, line_ref)
        if kept is None or kept.ended_at is not None:
            return
        if by is None or by >= kept.qty:
            kept.ended_at = self.work.now
            return
        kept.qty -= by
        takes = atp.first_of(pools.supplies_of(kept.sources), kept.qty)
        kept.sources = pools.sources_of(takes, pools.details_of(kept.sources))
        kept.ready_on = max((take.on for take in takes), default=kept.ready_on)

    def record(self, order_ids: Sequence[int], *, kind: str, reason: Message) -> None:
        """Promise history of the orders as they now stand; their projection follows.

        The system's own Works (feeds of hundreds of orders) leave the projection to the job.
        """
        record_history(self.work, order_ids, kind=kind, reason=reason)
        if self.work.actor.role is Role.SYSTEM:
            projecting.mark_stale(self.work, order_ids)
        else:
            projecting.project(self.work, order_ids)

    def why(self, ref: str) -> tuple[Answer, ...]:
        """The witness stored for a hold, or for an order's promises."""
        session = self.work.session
        newest = sa.select(sa.func.max(Hold.id)).where(Hold.ref == ref).scalar_subquery()
        held = session.scalars(
            sa.select(HoldLine).where(HoldLine.hold_id == newest).order_by(HoldLine.id)
        ).all()
        reserved = session.scalars(
            sa.select(Reservation).where(Reservation.order_ref == ref).order_by(Reservation.id)
        ).all()
        return tuple(_told(row) for row in held) + tuple(_told(row) for row in reserved)

    # --------------------------------------------------------------------------------- inside
    def _must_be_fresh(self, found: Sequence[Found]) -> None:
        """No firm word on data older than allowed: the sentence names the feed and its age."""
        worst = next(iter(self._stale(found).values()), None)
        if worst is not None:
            raise Refused(
                Message("No firm date can be given now: %(why)s", why=worst.why()),
                code="stale_feeds",
            )

    def _stale(self, found: Sequence[Found]) -> dict[int, FeedAge]:
        """Sites of the answers whose ERP's feeds are older than allowed, with the stalest feed."""
        ids = {one.site_id for one in found if one.site_id is not None}
        stale = stale_feeds(self.work, SUPPLY) if ids else []
        if not stale:
            return {}
        worst = {feed.connection: feed for feed in reversed(stale)}
        sites = self.work.session.execute(
            sa.select(Site.id, company_connection(Site.company_id)).where(Site.id.in_(ids))
        )
        return {site_id: worst[code] for site_id, code in sites if code in worst}

    def lock(self) -> int:
        """Lock the gate until the Work ends; the next sequence number."""
        session = self.work.session
        bump = (
            sa.update(PromiseGate)
            .where(PromiseGate.id == GATE)
            .values(seq=PromiseGate.seq + 1)
            .returning(PromiseGate.seq)
            .execution_options(synchronize_session=False)
        )
        seq = session.scalar(bump)
        if seq is None:
            self._make_gate()
            seq = session.scalar(bump)
        return int(seq or 0)

    def _make_gate(self) -> None:
        gate = insert_for(self.work.session, PromiseGate).values(id=GATE, seq=0)
        self.work.session.execute(gate.on_conflict_do_nothing())

    def _end_holds(self, ref: str) -> None:
        self.work.session.execute(
            sa.update(Hold)
            .where(Hold.ref == ref, Hold.ended_at.is_(None))
            .values(ended_at=self.work.now)
        )

    def _held(self, ref: str) -> dict[str, HoldLine]:
        """Lines of the live hold of ``ref``."""
        query = (
            sa.select(Hold)
            .where(Hold.ref == ref, Hold.ended_at.is_(None), Hold.until >= self.work.today)
            .options(selectinload(Hold.lines))
            .order_by(Hold.id.desc())
            .limit(1)
        )
        hold = self.work.session.scalar(query)
        return {} if hold is None else {line.line_ref: line for line in hold.lines}

    def _reservation(self, order_ref: str, line_ref: str) -> Reservation | None:
        """The line's row, live or ended, as it now stands."""
        return self.work.session.scalar(
            sa.select(Reservation)
            .where(Reservation.order_ref == order_ref, Reservation.line_ref == line_ref)
            .with_for_update()
            .execution_options(populate_existing=True)
        )

    def _free_lines(self, order_ref: str, line_refs: Sequence[str]) -> None:
        """An amended line is promised anew: its old reservation goes."""
        self.work.session.execute(
            sa.delete(Reservation).where(
                Reservation.order_ref == order_ref, Reservation.line_ref.in_(line_refs)
            )
        )

    def _reserve(self, order_ref: str, found: Found, seq: int) -> None:
        if found.site_id is None or found.ready_on is None:
            return
        self.work.session.add(
            Reservation(
                order_ref=order_ref,
                line_ref=found.line.ref,
                seq=seq,
                item_id=found.line.item_id,
                site_id=found.site_id,
                qty=found.line.qty,
                ready_on=found.ready_on,
                customer_class=found.customer_class,
                reason=found.answer.reason,
                sources=pools.sources_of(found.takes, found.details),
            )
        )


def _not_firm(answer: Answer, why: Message) -> Answer:
    reason = Message("%(reason)s; not firm: %(why)s", reason=answer.reason, why=why)
    return replace(answer, reason=reason, firm=False)


def _worse(answer: Answer, limit: dt.date | None) -> bool:
    """Whether the date is later than the caller was shown (no date is worst)."""
    return limit is not None and (answer.full_on is None or answer.full_on > limit)


def _told(row: HoldLine | Reservation) -> Answer:
    told = sources(pools.supplies_of(row.sources), pools.details_of(row.sources))
    return Answer(row.line_ref, row.ready_on, row.qty, row.reason, told)
