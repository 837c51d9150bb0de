"""``ports.erp.RateGate`` in the database: what an ERP account bears, shared by all workers.

Orders go before reads: a write that waits keeps new reads out, and a fifth of each minute's
calls is kept for writes. Quiet hours, an open breaker and switched-off writes are refused at
once; a full ERP is waited for, not for ever.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.kernel.database import insert_for
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Office, Work
from b2bcrm.ports.erp import ErpOutcomeUnknown, ErpThrottled, ErpUnavailable
from b2bcrm.sync import breaker
from b2bcrm.sync.models import ErpConnection, GatePlace, GateState, Writes
from b2bcrm.sync.quiet import Allowed, allowed

PLACE = dt.timedelta(minutes=3)  # a call that takes longer is that of a worker that died
REST = dt.timedelta(seconds=30)  # where the ERP asks for rest and does not say how long
MINUTE = dt.timedelta(minutes=1)
READS_SHARE = 0.8  # of a minute's calls; the rest is kept for orders
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.02, 1.0
READ_PATIENCE_S, WRITE_PATIENCE_S = 20.0, 60.0


@dataclass(frozen=True)
class DatabaseGate:
    """The gate of one connection; ``concurrency`` and ``per_minute`` are its profile's."""

    office: Office
    connection: str
    concurrency: int
    per_minute: int
    sleep: Callable[[float], None] = time.sleep

    @contextmanager
    def turn(self, *, write: bool) -> Iterator[None]:
        """Hold a place while a call runs. Raises ErpThrottled when none is to be had."""
        place = self._enter(write)
        try:
            yield
        except ErpThrottled as error:
            self._rest(error.retry_after or REST)
            raise
        except (ErpUnavailable, ErpOutcomeUnknown) as error:
            if write:
                with self.office.open() as work:
                    breaker.failed(work, self.connection, error.message)
            raise
        finally:
            self._leave(place)

    def _enter(self, write: bool) -> int:  # noqa: FBT001 - the port's word, passed on
        """A place, waited for as long as its kind has patience."""
        patience = WRITE_PATIENCE_S if write else READ_PATIENCE_S
        waited, pause, place = 0.0, FIRST_PAUSE_S, None
        while True:
            with self.office.open() as work:
                place, granted = self._try(work, write=write, waiting=place)
            if granted and place is not None:
                return place
            if waited >= patience:
                self._leave(place)
                raise throttled(Message("The ERP has no free place for another call."), REST)
            self.sleep(pause)
            waited += pause
            pause = min(2 * pause, LONGEST_PAUSE_S)

    def _try(self, work: Work, *, write: bool, waiting: int | None) -> tuple[int | None, bool]:
        """Take a place if there is one; a write that finds none leaves its name."""
        row = breaker.of(work, self.connection) or ErpConnection(
            code=self.connection, writes=Writes.ON
        )
        refuse_at_once(work, row, write=write)
        state = self._state(work, row.erp_account)
        if state.rest_until is not None and state.rest_until > work.tick:
            raise throttled(Message("The ERP wants rest."), state.rest_until - work.tick)
        busy, others_wait = self._count(work, row.erp_account, waiting)
        calls = state.calls if state.minute and work.tick - state.minute < MINUTE else 0
        concurrency = row.concurrency or self.concurrency
        per_minute = row.per_minute or self.per_minute
        full = busy >= concurrency or calls >= per_minute
        if not write:
            full = full or others_wait or calls >= max(1, int(per_minute * READS_SHARE))
        if not full:
            if calls == 0:
                state.minute = work.tick
            state.calls = calls + 1
        if full and not write:
            return None, False
        return self._sign(work, row.erp_account, waiting, write=write, wait=full), not full

    @staticmethod
    def _state(work: Work, account: str) -> GateState:
        """The account's row, locked until the Work ends."""
        row = insert_for(work.session, GateState).values(account=account, calls=0)
        work.session.execute(row.on_conflict_do_nothing())
        return work.session.get_one(GateState, account, with_for_update=True)

    @staticmethod
    def _count(work: Work, account: str, but: int | None) -> tuple[int, bool]:
        """Calls that run, and whether a write waits."""
        query = sa.select(GatePlace.waiting, sa.func.count()).where(
            GatePlace.account == account,
            GatePlace.leased_until > work.tick,
            GatePlace.id != (but or 0),
        )
        found = {row[0]: row[1] for row in work.session.execute(query.group_by(GatePlace.waiting))}
        return found.get(False, 0), found.get(True, 0) > 0

    @staticmethod
    def _sign(work: Work, account: str, waiting: int | None, *, write: bool, wait: bool) -> int:
        until = work.tick + PLACE
        if waiting is not None:
            place = work.session.get(GatePlace, waiting)
            if place is not None:
                place.waiting, place.leased_until = wait, until
                return waiting
        work.session.execute(
            sa.delete(GatePlace).where(
                GatePlace.account == account, GatePlace.leased_until <= work.tick
            )
        )
        place = GatePlace(account=account, write=write, waiting=wait, leased_until=until)
        work.session.add(place)
        work.session.flush()  # flush: its id names the place
        return place.id

    def _leave(self, place: int | None) -> None:
        if place is not None:
            with self.office.open() as work:
                work.session.execute(sa.delete(GatePlace).where(GatePlace.id == place))

    def _rest(self, how_long: dt.timedelta) -> None:
        with self.office.open() as work:
            row = breaker.of(work, self.connection)
            if row is not None:
                self._state(work, row.erp_account).rest_until = work.tick + how_long


def refuse_at_once(work: Work, row: ErpConnection, *, write: bool) -> None:
    """What no waiting helps against. Raises ErpThrottled with the end of it."""
    may, until = allowed(row.quiet, work.tick)
    if may is Allowed.NONE or (write and may is Allowed.READS):
        raise throttled(Message("The ERP has its quiet hours."), until - work.tick)
    if breaker.open_(row, work.tick):
        wait = (row.open_until or work.tick) - work.tick
        raise throttled(Message("The ERP did not answer; it is left alone for a while."), wait)
    if write and not breaker.closed(row):
        raise throttled(Message("The ERP is tried with a read before orders are sent."), REST)
    if write and row.writes is not Writes.ON:
        raise throttled(Message("Sending to this ERP is switched off."), breaker.LONGEST)


def throttled(why: Message, wait: dt.timedelta) -> ErpThrottled:
    """The gate's own no."""
    return ErpThrottled(why, retry_after=wait)
