"""The push of an order's facts to the ERP: prepare, send, record; no transaction in between.

One lane per order: the outbox never lets a later row overtake. What is said to the ERP is in
``sending``; what is known about each attempt in ``sync.writes``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from b2bcrm.kernel import outbox
from b2bcrm.kernel.errors import CrmError, Refused
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import actions, events, queries
from b2bcrm.orders.actions import sides
from b2bcrm.orders.actions.meeting import book, meet
from b2bcrm.orders.handlers import sending
from b2bcrm.orders.handlers.drafting import NO_ACCOUNT, draft
from b2bcrm.orders.handlers.rehearsing import rehearse
from b2bcrm.orders.handlers.sending import Overtaken, Push, Sender, Sent
from b2bcrm.orders.lifecycle import ErpSync, OrderState
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import (
    EnvelopeLog,
    ErpConfig,
    ErpGateway,
    ErpOutcomeUnknown,
    SalesOrder,
    WriteResult,
)
from b2bcrm.sync import conflicts, entering, inbox, refs, writes
from b2bcrm.sync.conflicts import OVERTAKEN, ConflictState, Found
from b2bcrm.sync.models import Writes
from b2bcrm.sync.writes import DRY_RUN, UNKNOWN, WRITES_OFF, Kind, WriteState

HELD_BACK = frozenset({NO_ACCOUNT, OVERTAKEN, WRITES_OFF, DRY_RUN, ErpConfig.code})
"""Why a push waits for something on our side: the ERP has not refused it."""
Erps = Callable[[Work, str], ErpGateway]
"""The gateway of a connection; ErpConfig where its settings are wrong."""


class PushOrder:
    """Sends an order, an amendment or a cancellation to the ERP of its company.

    The reference is looked up before a resend.
    """

    name = actions.PUSH

    def __init__(
        self,
        erps: Erps,
        *,
        writing: Callable[[Work, str], Writes] = lambda _work, _code: Writes.ON,
        log: Callable[[str], EnvelopeLog] | None = None,
    ) -> None:
        """``writing`` tells a connection's switch; ``log`` keeps what a dry run would send."""
        self._erps = erps
        self._writing = writing
        self._log = log

    def prepare(self, work: Work, event: Event) -> Push | None:
        """The draft as it stands now, under the reference of the event's amendment."""
        order = queries.by_id(work, event.subject_id, for_update=True)
        kind = _kind(order, event)
        if kind is None or order.erp_sync is ErpSync.LEFT_OUT:
            return None
        if kind is Kind.UPDATE:
            _must_be_decided(work, order)
        code = queries.connection_of(work, order)
        switch = self._writing(work, code)
        if switch is Writes.OFF:
            raise Refused(Message("Writing to this ERP is switched off."), code=WRITES_OFF)
        reference = _reference(order, event)
        message, erp = draft(work, order, reference, code), self._erps(work, code)
        if switch is Writes.DRY_RUN:
            return Push(erp=erp, connection=code, kind=kind, draft=message, dry_run=True)
        write = writes.begin(work, reference, kind, connection=code)
        order.erp_connection = code
        known = entering.past(work, write, erp, sending.ORDER)
        answer = inbox.waiting(work.session, reference, connection=code)
        done = write.state is WriteState.DONE
        return Push(
            erp=erp,
            connection=code,
            kind=kind,
            draft=message,
            erp_no=order.erp_no or "",
            cancel_reason=event.reason if isinstance(event, events.OrderCancelled) else "",
            only_look=order.state is OrderState.CANCELLED and order.erp_no is None,
            done=WriteResult(write.erp_id, write.erp_version) if done else None,
            confirmed=answer.answer() if answer else None,
            handle=write.handle if write.state is WriteState.DEFERRED else "",
            past=known,
            image=_image(work, order, code),
            sent=_sent(work, order),
            seen=_seen(work, code, order.erp_no),
        )

    def send(self, message: Push, *, again: bool) -> Sent:
        """See ``sending``."""
        if message.dry_run:
            rehearse(message, self._log(message.connection) if self._log else None)
        sent = Sender(message).send(again=again)
        return dataclasses.replace(sent, connection=message.connection, seen=message.seen)

    def record(self, work: Work, event: Event, reply: Sent) -> None:
        """The ERP's number goes on the order; what the ERP kept is compared line by line.

        Not where a pull has brought the order since the draft was made: it may have read it later.
        """
        order = queries.by_id(work, event.subject_id, for_update=True)
        self._write_down(work, order, event, reply)
        if reply.result is None:
            actions.unknown_to_erp(work, order.id)
            return
        actions.accepted_by_erp(
            work,
            order.id,
            connection=reply.connection,
            erp_no=reply.result.erp_id,
            erp_version=reply.kept.version if reply.kept else reply.result.version,
            amendment_no=_amendment(order, event),
        )
        kept = reply.kept
        if kept is not None and _seen(work, reply.connection, kept.erp_id) == reply.seen:
            _meet(work, order, kept, reply.connection, Found.READ_BACK)

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """The page says waiting since when, unknown, or refused with the reason."""
        order = queries.by_id(work, event.subject_id, for_update=True)
        code = queries.connection_of(work, order)
        outbox.aim(work.session, _stream(order), self.name, code)
        self._note_failure(work, order, event, code, error, parked=parked)
        if isinstance(error, Overtaken):
            _meet(work, order, error.current, code, Found.CHANGED_THERE)
            if not _undecided(work, order):
                outbox.unpark(work.session, [_stream(order)], self.name, work.tick)
        in_doubt = isinstance(error, ErpOutcomeUnknown) or error.code == UNKNOWN
        actions.not_taken_by_erp(
            work,
            order.id,
            reason=error.message,
            refused=parked and not in_doubt and error.code not in HELD_BACK,
            unknown=in_doubt or self._in_doubt(work, order, event, code),
        )
        if parked and error.code not in HELD_BACK:
            _show_again(work, order)

    def _in_doubt(self, work: Work, order: Order, event: Event, code: str) -> bool:
        kind = _kind(order, event)
        if kind is None:
            return False
        write = writes.found(work.session, _reference(order, event), kind, connection=code)
        return write is not None and write.state is WriteState.UNKNOWN

    def _write_down(self, work: Work, order: Order, event: Event, reply: Sent) -> None:
        reference = _reference(order, event)
        kind = _kind(order, event) or Kind.CREATE
        write = writes.found(work.session, reference, kind, connection=reply.connection)
        if write is not None:
            write.state = WriteState.DONE if reply.result else WriteState.UNSENT
            write.guarded = reply.guarded
            if reply.result:
                write.erp_id, write.erp_version = reply.result.erp_id, reply.result.version
        inbox.use(work, reference, connection=reply.connection)

    def _note_failure(
        self, work: Work, order: Order, event: Event, code: str, error: CrmError, *, parked: bool
    ) -> None:
        """What is known about the attempt: nothing happened, it may have, it was refused.

        An order that is surely in no ERP may go to another one next time.
        """
        kind = _kind(order, event)
        reference = _reference(order, event)
        write = writes.found(work.session, reference, kind, connection=code) if kind else None
        if write is None:
            return
        refused = parked and error.code not in HELD_BACK
        entering.note_failure(write, error, refused=refused)
        if refused and write.state is WriteState.REFUSED:
            inbox.use(work, reference, connection=code)
        if kind is Kind.CREATE and write.state in {WriteState.UNSENT, WriteState.REFUSED}:
            order.erp_connection = None


def _kind(order: Order, event: Event) -> Kind | None:
    """What an event asks of the ERP as things stand; None: nothing any more."""
    if isinstance(event, events.OrderCancelled):
        return Kind.CANCEL if order.erp_no is not None else None
    return Kind.CREATE if order.erp_no is None else Kind.UPDATE


def _amendment(order: Order, event: Event) -> int:
    number: int = getattr(event, "amendment_no", order.amendment_no)
    return number


def _reference(order: Order, event: Event) -> str:
    return f"{order.no}/{_amendment(order, event)}"


def _stream(order: Order) -> str:
    return f"order:{order.id}"


def _undecided(work: Work, order: Order) -> bool:
    rows = conflicts.of_order(work.session, order.id)
    return any(row.state is ConflictState.OPEN for row in rows)


def _must_be_decided(work: Work, order: Order) -> None:
    """A whole order is written at once: what a person has not decided would be overwritten."""
    if _undecided(work, order):
        raise Refused(Message("A difference to the ERP waits for a decision."), code=OVERTAKEN)


def _image(work: Work, order: Order, code: str) -> dict[str, str]:
    erp_no = order.erp_no or ""
    found = conflicts.images(work.session, sending.ORDER.value, [erp_no], connection=code)
    return dict(found[erp_no].values) if erp_no in found else {}


def _seen(work: Work, code: str, erp_no: str | None) -> refs.Mark | None:
    """What of the ERP's order a pull has brought last."""
    return refs.marks(work, code, sending.ORDER, [erp_no or ""]).get(erp_no or "")


def _sent(work: Work, order: Order) -> dict[int, sides.Values]:
    rows = queries.revisions(work.session, order.id)
    return {row.amendment_no: sides.sealed(row) for row in rows}


def _meet(work: Work, order: Order, theirs: SalesOrder, code: str, found: Found) -> None:
    known = book(work, [(order, theirs)], connection=code)
    if meet(work, order, theirs, known, found=found):
        order.add_up()
    work.bump(_stream(order))


def _show_again(work: Work, order: Order) -> None:
    """What was chosen to be ours and the ERP refuses is a person's matter again."""
    for row in conflicts.of_order(work.session, order.id):
        if row.state is ConflictState.SENT_BACK:
            conflicts.settle(work, row, ConflictState.OPEN, order.erp_reason)
