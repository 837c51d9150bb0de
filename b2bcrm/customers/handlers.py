"""The push of an account to an ERP as a new customer: once, read back, then linked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from b2bcrm.customers import actions, queries
from b2bcrm.customers.entering import PUSH_CUSTOMER, draft, known_there, reference
from b2bcrm.customers.events import AccountToErp
from b2bcrm.customers.intake import apply_customers
from b2bcrm.kernel import outbox
from b2bcrm.kernel.errors import CrmError, Refused
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import (
    Customer,
    CustomerDraft,
    Entity,
    ErpConfig,
    ErpGateway,
    WriteResult,
)
from b2bcrm.sync import writes
from b2bcrm.sync.entering import Entering, Past, note_failure, past, read_back, reference_of
from b2bcrm.sync.models import Writes
from b2bcrm.sync.writes import DRY_RUN, WRITES_OFF, Kind, WriteState

ENTITY = Entity.CUSTOMER
HELD_BACK = frozenset({WRITES_OFF, DRY_RUN, ErpConfig.code})


@dataclass(frozen=True)
class Entry:
    """A customer to be entered, and what is known about earlier attempts."""

    erp: ErpGateway
    connection: str
    draft: CustomerDraft
    past: Past


@dataclass(frozen=True)
class Entered:
    """The ERP's word, and the customer as it keeps it, where it could be read."""

    connection: str
    result: WriteResult
    kept: Customer | None


class PushCustomer:
    """Enters an account as a customer; the reference is looked up before a resend."""

    name = PUSH_CUSTOMER

    def __init__(
        self,
        erps: Callable[[Work, str], ErpGateway],
        *,
        writing: Callable[[Work, str], Writes] = lambda _work, _code: Writes.ON,
    ) -> None:
        """``erps`` gives a connection's gateway, ``writing`` its switch."""
        self._erps = erps
        self._writing = writing

    def prepare(self, work: Work, event: Event) -> Entry | None:
        """The account as it stands now; None where a person has linked it meanwhile."""
        code = _connection(event)
        account = queries.by_id(work, event.subject_id)
        if known_there(work, account, code):
            return None
        switch = self._writing(work, code)
        if switch is Writes.OFF:
            raise Refused(Message("Writing to this ERP is switched off."), code=WRITES_OFF)
        if switch is Writes.DRY_RUN:
            raise Refused(Message("Dry run, nothing was sent."), code=DRY_RUN)
        message, erp = draft(work, account), self._erps(work, code)
        write = writes.begin(work, message.reference, Kind.CREATE, connection=code)
        return Entry(erp, code, message, past(work, write, erp, ENTITY))

    def send(self, message: Entry, *, again: bool) -> Entered:
        """Enter it, or find it entered, and read it back."""
        erp, draft_ = message.erp, message.draft
        entering = Entering(
            erp=erp,
            entity=ENTITY,
            reference=draft_.reference,
            past=message.past,
            create=lambda: erp.create_customer(draft_),
        )
        result, kept = entering.once(again=again)
        assert result is not None  # noqa: S101 - only a mere look ends without one
        if kept is None:
            kept = read_back(erp, ENTITY, result, lambda one: reference_of(one) == draft_.reference)
        return Entered(message.connection, result, kept if isinstance(kept, Customer) else None)

    def record(self, work: Work, event: Event, reply: Entered) -> None:
        """Link the account to its number; what the ERP made of it is taken over."""
        key = reference(event.subject_id)
        write = writes.found(work.session, key, Kind.CREATE, connection=reply.connection)
        if write is not None:
            write.state, write.erp_id = WriteState.DONE, reply.result.erp_id
        actions.entered_in_erp(
            work, event.subject_id, connection=reply.connection, erp_id=reply.result.erp_id
        )
        if reply.kept is not None:
            work.session.flush()  # flush: the intake must find the link
            apply_customers(work, [reply.kept], connection=reply.connection)
        work.bump(_stream(event))

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """The delivery says why it waits; the account's page shows that."""
        code = _connection(event)
        outbox.aim(work.session, _stream(event), self.name, code)
        key = reference(event.subject_id)
        write = writes.found(work.session, key, Kind.CREATE, connection=code)
        if write is not None:
            note_failure(write, error, refused=parked and error.code not in HELD_BACK)
        work.bump(_stream(event))


def _connection(event: Event) -> str:
    assert isinstance(event, AccountToErp)  # noqa: S101 - routed by its name
    return event.connection


def _stream(event: Event) -> str:
    return f"{event.subject}:{event.subject_id}"
