"""What the ERP answered, written by the delivery handler only; and what a person may say to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from b2bcrm.customers.entering import PUSH_CUSTOMER
from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Invalid, NotAllowed, Refused
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import events, queries
from b2bcrm.orders.actions.life import load, touch, wait_for_erp
from b2bcrm.orders.actions.meeting import difference
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order
from b2bcrm.orders.queries import PUSH
from b2bcrm.ports.erp import Confirmation, Entity
from b2bcrm.sync import breaker, conflicts, inbox, writes
from b2bcrm.sync.conflicts import ErpConflict, Found
from b2bcrm.sync.ownership import REFUSED_LATE, owner_of
from b2bcrm.sync.writes import UNKNOWN, ErpWrite, WriteState

LONGEST = 300  # characters of what an ERP says in a difference


def accepted_by_erp(
    work: Work,
    order_id: int,
    *,
    connection: str,
    erp_no: str,
    erp_version: str,
    amendment_no: int,
) -> Order:
    """An ERP has the order as of an amendment, under ``erp_no``; a later one may still wait."""
    order = queries.by_id(work, order_id, for_update=True)
    first = order.erp_no is None
    order.erp_connection, order.erp_no = connection, erp_no
    order.erp_version, order.erp_reason = erp_version, None
    known_to_erp(work, order, amendment_no)
    if first:
        work.publish(
            events.OrderAcceptedByErp(
                subject_id=order.id,
                order_id=order.id,
                account_id=order.account_id,
                no=order.no,
                erp_no=erp_no,
            )
        )
    work.bump(f"order:{order.id}")
    return order


def known_to_erp(work: Work, order: Order, amendment_no: int) -> None:
    """Accepted, unless the delivery of a later amendment is open: then the order waits."""
    query = sa.select(outbox.Delivery.payload).where(
        outbox.Delivery.stream == f"order:{order.id}",
        outbox.Delivery.handler == PUSH,
        outbox.Delivery.state.not_in(outbox.OVER),
    )
    later = any(row["amendment_no"] > amendment_no for row in work.session.scalars(query))
    if later:
        order.erp_sync = ErpSync.WAITING
    else:
        order.erp_sync, order.erp_since = ErpSync.ACCEPTED, work.now


def not_taken_by_erp(
    work: Work, order_id: int, *, reason: Message, refused: bool, unknown: bool
) -> Order:
    """It waits (since when stays), its outcome is unknown, or it was refused with a reason."""
    order = queries.by_id(work, order_id)
    order.erp_reason = reason
    if refused:
        order.erp_sync, order.erp_since = ErpSync.REFUSED, work.now
        work.publish(
            events.OrderRefusedByErp(
                subject_id=order.id,
                order_id=order.id,
                account_id=order.account_id,
                no=order.no,
                reason=reason,
            )
        )
    else:
        order.erp_sync = ErpSync.UNKNOWN if unknown else ErpSync.WAITING
    work.bump(f"order:{order.id}")
    return order


def unknown_to_erp(work: Work, order_id: int) -> Order:
    """Our order was cancelled before the ERP had taken it: nobody waits for the ERP any more."""
    order = queries.by_id(work, order_id)
    order.erp_sync, order.erp_since, order.erp_reason = ErpSync.NONE, None, None
    order.erp_connection = None
    work.bump(f"order:{order.id}")
    return order


def send_again(work: Work, order_id: int, *, expected_version: int | None) -> Order:
    """Put the order's open delivery back in line, after a person has looked at the reason.

    An order that was left out is taken up again.
    """
    _operators(work)
    order = load(work, order_id, expected_version)
    if order.erp_sync is ErpSync.LEFT_OUT:
        outbox.take_up(work.session, _stream(order), PUSH, work.tick)
        order.erp_sync = ErpSync.WAITING
    send_first(work, order)
    wait_for_erp(work, order)
    return order


def leave_out(work: Work, order_id: int, *, expected_version: int | None, reason: str) -> Order:
    """Give up: what waits for the ERP is not sent any more, and nothing later is either."""
    _operators(work)
    order = load(work, order_id, expected_version)
    if not reason.strip():
        text = Message("Say why.")
        raise Invalid(text, fields={"reason": text})
    given_up = Message("Given up: %(reason)s", reason=reason.strip())
    if not outbox.give_up(work.session, _stream(order), PUSH, given_up, work.tick):
        raise Refused(Message("Nothing of this order waits for the ERP."), code="nothing_waits")
    order.erp_sync, order.erp_since, order.erp_reason = ErpSync.LEFT_OUT, work.now, given_up
    touch(work, order)
    work.publish(
        events.OrderLeftOut(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            reason=reason.strip(),
        )
    )
    work.bump("erp")
    return order


def it_is_there(work: Work, order_id: int, *, expected_version: int | None, erp_no: str) -> Order:
    """A person has found an order of unknown outcome in the ERP, under ``erp_no``."""
    order, write = _unanswered(work, order_id, expected_version)
    taken = work.session.scalar(
        sa.select(Order.no).where(
            Order.erp_no == erp_no, Order.erp_connection == write.connection_code
        )
    )
    if taken is not None:
        text = Message("%(erp_no)s is the ERP's number of %(no)s.", erp_no=erp_no, no=taken)
        raise Refused(text, code="erp_no_taken", fields={"erp_no": text})
    write.state, write.erp_id = WriteState.DONE, erp_no
    return _said(work, order, erp_no)


def it_is_not_there(work: Work, order_id: int, *, expected_version: int | None) -> Order:
    """A person has looked in the ERP and not found it: it is sent once more."""
    order, write = _unanswered(work, order_id, expected_version)
    write.state, order.erp_connection = WriteState.UNSENT, None
    return _said(work, order, "")


def confirmed_later(
    work: Work, raw: bytes, said: Sequence[Confirmation], *, connection: str
) -> int:
    """Keep what an ERP confirms and wake what waits for it; answers how much of it was new.

    What is about an order of another connection is kept, and nobody reads it.

    Refused after it counted as done: nothing waits for that any more, so it is a difference.
    """
    references = inbox.receive(work, raw, said, connection=connection)
    for one in said:
        if one.refused and one.reference in references:
            _refused_late(work, one, connection)
    numbers = {reference.split("/")[0] for reference in references}
    ids = work.session.scalars(
        sa.select(Order.id).where(Order.no.in_(numbers), Order.erp_connection == connection)
    )
    streams = [f"order:{order_id}" for order_id in ids]
    outbox.hurry(work.session, work.tick, streams=streams)
    outbox.unpark(work.session, streams, PUSH, work.tick, code=UNKNOWN)
    return len(references)


def _refused_late(work: Work, said: Confirmation, connection: str) -> None:
    query = sa.select(Order).where(
        Order.no == said.reference.split("/")[0],
        Order.erp_no.is_not(None),
        Order.erp_connection == connection,
    )
    order = work.session.scalar(query)
    if order is None or not writes.is_done(work.session, said.reference, connection=connection):
        return
    text = "; ".join(issue.text or issue.code for issue in said.refused)[:LONGEST]
    conflicts.say(
        work,
        ErpConflict(
            connection_code=connection,
            entity=Entity.SALES_ORDER.value,
            erp_id=order.erp_no or "",
            order_id=order.id,
            account_id=order.account_id,
            field=REFUSED_LATE,
            owner=owner_of(Entity.SALES_ORDER, REFUSED_LATE),
            found=Found.CHANGED_THERE,
            ours=said.reference,
            theirs=text,
            opened_at=work.now,
            changed_at=work.now,
        ),
    )
    inbox.use(work, said.reference, connection=connection)  # no later push is answered by it
    work.publish(
        events.OrderChangedInErp(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            what=difference(REFUSED_LATE, said.reference, text),
        )
    )
    work.bump(f"order:{order.id}")


def resume(work: Work, *, codes: Iterable[str], account_id: int | None = None) -> int:
    """What waited for something on our side (``codes``) goes on, of one account or of all."""
    query = sa.select(outbox.Delivery.stream).where(
        outbox.Delivery.handler.in_((PUSH, PUSH_CUSTOMER)),
        outbox.Delivery.state == outbox.DeliveryState.PARKED,
        outbox.Delivery.code.in_(list(codes)),
    )
    streams = set(work.session.scalars(query))
    if account_id is not None:
        ids = work.session.scalars(sa.select(Order.id).where(Order.account_id == account_id))
        streams &= {f"order:{order_id}" for order_id in ids}
    for handler in (PUSH, PUSH_CUSTOMER):
        outbox.unpark(work.session, streams, handler, work.tick)
    return len(streams)


def _operators(work: Work) -> None:
    if not (work.actor.may(Right.ORDER) or work.actor.may(Right.OPERATE_ERP)):
        raise NotAllowed(Message("Your role does not allow this."))


def _stream(order: Order) -> str:
    return f"order:{order.id}"


def _unanswered(work: Work, order_id: int, expected_version: int | None) -> tuple[Order, ErpWrite]:
    _operators(work)
    order = load(work, order_id, expected_version)
    write = writes.open_create(
        work.session, f"{order.no}/", connection=queries.connection_of(work, order)
    )
    if order.erp_no is not None or write is None or write.state is not WriteState.UNKNOWN:
        raise Refused(
            Message("The outcome of this order is not in question."), code="outcome_known"
        )
    return order, write


def _said(work: Work, order: Order, erp_no: str) -> Order:
    work.publish(
        events.OrderOutcomeSaid(
            subject_id=order.id,
            order_id=order.id,
            account_id=order.account_id,
            no=order.no,
            erp_no=erp_no,
        )
    )
    send_first(work, order)
    return order


def send_first(work: Work, order: Order) -> None:
    """The first open delivery of the order's lane is due now."""
    query = (
        sa.select(outbox.Delivery.id)
        .where(
            outbox.Delivery.stream == _stream(order),
            outbox.Delivery.handler == PUSH,
            outbox.Delivery.state.not_in(outbox.OVER),
        )
        .order_by(outbox.Delivery.id)
        .limit(1)
    )
    delivery_id = work.session.scalar(query)
    if delivery_id is None:
        raise Refused(Message("Nothing of this order waits for the ERP."), code="nothing_waits")
    outbox.retry(work.session, delivery_id, work.tick)
    breaker.try_now(work, queries.connection_of(work, order))
    touch(work, order)
    work.bump(_stream(order))
    work.bump("erp")
