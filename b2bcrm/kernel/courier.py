"""Delivers the outbox: prepare in one transaction, send with none open, record in another.

Nothing is dropped: after ``MAX_ATTEMPTS``, or on a refusal, a row is parked for a person to see
and retry.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from b2bcrm.kernel.errors import CrmError, Unavailable
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.outbox import (
    LEASE,
    MAX_ATTEMPTS,
    Delivery,
    DeliveryState,
    claim,
    delay,
    keep,
)
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

M = TypeVar("M")
R = TypeVar("R")


class Handler(Protocol[M, R]):
    """What follows an event, in three small steps so that no transaction spans the network."""

    @property
    def name(self) -> str:
        """As ``bootstrap.routes`` calls it."""

    def prepare(self, work: Work, event: Event) -> M | None:
        """Read what is to be sent; None means nothing needs to be sent any more."""

    def send(self, message: M, *, again: bool) -> R:
        """Talk to the outside; no transaction is open.

        ``again`` is true when an earlier attempt may have reached the other side: look first.
        """

    def record(self, work: Work, event: Event, reply: R) -> None:
        """Write down the answer, in the transaction that ends the delivery."""

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """Say on the record that it waits, or that a person must act (``parked``)."""


@dataclass(frozen=True)
class _Claimed:
    """A row this process may work on until its lease ends."""

    row_id: int
    token: str | None
    attempts: int
    handler: str
    event: str
    payload: dict[str, Any]


@dataclass(frozen=True)
class Courier:
    """Delivers rows. ``open_work`` opens a Work as the system; ``events`` and ``handlers`` by name.

    ``at_point`` is called with a name between the steps; tests end the process there. A row is
    kept for as long as its exchange takes: its lease is renewed every ``beat_s`` seconds.
    """

    open_work: Callable[[], AbstractContextManager[Work]]
    events: Mapping[str, type[Event]]
    handlers: Mapping[str, Handler[Any, Any]]
    at_point: Callable[[str], None] = lambda _point: None
    beat_s: float = LEASE.total_seconds() / 3

    def deliver_one(self) -> bool:
        """Claim and deliver one row; False when nothing is due.

        A defect in a handler puts the row back with its kind as reason and is raised again.
        """
        with self.open_work() as work:
            row = claim(work.session, work.tick)
            if row is None:
                return False
            claimed = _Claimed(
                row.id, row.lease_token, row.attempts, row.handler, row.event, dict(row.payload)
            )
        self.at_point("after_claim")
        try:
            handler = self.handlers[claimed.handler]
            event = self.events[claimed.event].from_json(claimed.payload)
        except Exception as error:  # written by another version: it would stand in line for ever
            self._write_back(claimed, _defect(error), parked=True)
            raise
        try:
            self._deliver(claimed, handler, event)
        except CrmError as error:
            self._put_back(claimed, handler, event, error)
        except Exception as error:
            self._put_back(claimed, handler, event, _defect(error))
            raise
        return True

    def _deliver(self, claimed: _Claimed, handler: Handler[Any, Any], event: Event) -> None:
        with self.open_work() as work:
            message = handler.prepare(work, event)
        self.at_point("after_prepare")
        reply = None
        if message is not None:
            with self._kept(claimed):
                reply = handler.send(message, again=claimed.attempts > 1)
            self.at_point("before_record")
        with self.open_work() as work:
            if not _still_ours(work, claimed):
                return
            if message is not None:
                handler.record(work, event, reply)
            work.session.execute(
                sa.update(Delivery)
                .where(Delivery.id == claimed.row_id)
                .values(
                    state=DeliveryState.DONE,
                    done_at=work.tick,
                    leased_until=None,
                    reason=None,
                    code="",
                )
            )
            work.bump("erp")
        self.at_point("after_record")

    @contextmanager
    def _kept(self, claimed: _Claimed) -> Iterator[None]:
        """While the block runs no other process takes the row."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(self.beat_s):
                # A locked database: the next beat comes long before the lease ends.
                with suppress(OperationalError), self.open_work() as work:
                    keep(work.session, claimed.row_id, claimed.token, work.tick)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _put_back(
        self, claimed: _Claimed, handler: Handler[Any, Any], event: Event, error: CrmError
    ) -> None:
        parked = claimed.attempts >= MAX_ATTEMPTS or not isinstance(error, Unavailable)
        self._write_back(
            claimed,
            error,
            parked=parked,
            tell=lambda work: handler.failed(work, event, error, parked=parked),
        )

    def _write_back(
        self,
        claimed: _Claimed,
        error: CrmError,
        *,
        parked: bool,
        tell: Callable[[Work], None] = lambda _work: None,
    ) -> None:
        wait = error.retry_after if isinstance(error, Unavailable) else None
        with self.open_work() as work:
            if not _still_ours(work, claimed):
                return
            work.session.execute(
                sa.update(Delivery)
                .where(Delivery.id == claimed.row_id)
                .values(
                    state=DeliveryState.PARKED if parked else DeliveryState.WAITING,
                    reason=error.message,
                    code=error.code,
                    leased_until=None,
                    next_at=work.tick + (wait or delay(claimed.attempts)),
                )
            )
            tell(work)
            work.bump("erp")


def _defect(error: Exception) -> Unavailable:
    return Unavailable(Message("Internal error: %(kind)s", kind=type(error).__name__))


def _still_ours(work: Work, claimed: _Claimed) -> bool:
    query = sa.select(Delivery.lease_token).where(Delivery.id == claimed.row_id).with_for_update()
    return work.session.scalar(query) == claimed.token
