"""Something new is entered in an ERP once, whatever became of earlier attempts.

A create is sent once: after an attempt of unknown outcome our reference is looked up, and it is
sent again only when it has been missing for long enough. No transaction is open here.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from b2bcrm.kernel.errors import CrmError, Refused, Unavailable
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import (
    Act,
    Capability,
    Entity,
    ErpCannot,
    ErpGateway,
    ErpOutcomeUnknown,
    ErpRefused,
    ErpUnavailable,
    Record,
    WriteResult,
)
from b2bcrm.sync import writes
from b2bcrm.sync.conflicts import OVERTAKEN
from b2bcrm.sync.writes import UNKNOWN, ErpWrite, WriteState


class NotThereYet(ErpOutcomeUnknown):
    """The reference was looked up and is not there, which is not believed yet."""


class TakenIn(ErpOutcomeUnknown):
    """The ERP has taken the write in and will do it later; ``handle`` asks what became of it."""

    def __init__(self, handle: str) -> None:
        super().__init__(Message("The ERP has taken it in and has not confirmed it yet."))
        self.handle = handle


class NobodyKnows(Refused):
    """An earlier attempt may have got through, and this ERP cannot be asked: a person looks."""

    code = UNKNOWN


@dataclass(frozen=True, kw_only=True)
class Past:
    """What is known about earlier attempts.

    ``doubtful``: one may have got through; ``believed``: it has been missing for so long that it
    may be sent again, after so many ``looks``; ``by_person``: nothing can be looked up here.
    """

    doubtful: bool = False
    believed: bool = False
    by_person: bool = False
    looks: int = 0


def past(work: Work, write: ErpWrite, erp: ErpGateway, entity: Entity) -> Past:
    """What is known as the next attempt begins; what is believed begins anew."""
    capability = erp.describe().capabilities.get(entity, Capability(acts=frozenset()))
    patience = writes.patience(capability)
    doubtful, looks = write.state is WriteState.UNKNOWN, write.looks
    believed = doubtful and patience is not None and patience.enough(write, work.tick)
    if believed:
        writes.anew(work, write)
    return Past(doubtful=doubtful, believed=believed, by_person=patience is None, looks=looks)


@dataclass(frozen=True, kw_only=True)
class Entering:
    """One record that is to be in the ERP under our ``reference``; ``create`` sends it."""

    erp: ErpGateway
    entity: Entity
    reference: str
    past: Past
    create: Callable[[], WriteResult]

    def once(
        self, *, again: bool, only_look: bool = False
    ) -> tuple[WriteResult | None, Record | None]:
        """Find it or enter it: the ERP's word, and the record where it was found.

        No word: it is not there and, with ``only_look``, is not entered any more.
        """
        known = self.past
        if known.by_person and known.doubtful:
            raise NobodyKnows(
                Message("Nobody knows whether the ERP has it: look there, then say so.")
            )
        if again or known.doubtful:
            found = self.look()
            if found is not None:
                return WriteResult(found.erp_id, found.version), found
            if known.doubtful and not known.believed:
                waits = NotThereYet(
                    Message("Its outcome is not known; the ERP does not show it yet.")
                )
                waits.retry_after = writes.pause(known.looks)
                raise waits
        if only_look:
            return None, None
        try:
            return self.create(), None
        except ErpRefused:
            found = self.look()  # it may refuse because it has it
            if found is None:
                raise
            return WriteResult(found.erp_id, found.version), found

    def look(self) -> Record | None:
        """What the ERP has under our reference. While it cannot be asked, nothing is known."""
        if not self.erp.describe().can(self.entity, Act.LOOKUP):
            return None
        try:
            records = self.erp.lookup(self.entity, "reference", self.reference)
        except ErpUnavailable as error:
            if self.past.doubtful:
                raise ErpOutcomeUnknown(error.message) from error
            raise
        return next((one for one in records if reference_of(one) == self.reference), None)


def read_back(
    erp: ErpGateway, entity: Entity, result: WriteResult, shows: Callable[[Record], bool]
) -> Record | None:
    """The ERP's word alone is not enough: some say done and store nothing.

    What cannot be read back is of unknown outcome; None where this ERP never lets it be read.
    """
    if result.handle and not result.erp_id:
        raise TakenIn(result.handle)
    try:
        kept = erp.get(entity, result.erp_id)
    except ErpCannot:
        return None
    except (Unavailable, ErpRefused) as error:
        raise ErpOutcomeUnknown(error.message) from error
    if kept is None or not shows(kept):
        raise ErpOutcomeUnknown(Message("The ERP says that it is done, but does not show it."))
    return kept


def reference_of(record: Record) -> str:
    """Our reference on a record of the ERP."""
    return str(getattr(record, "reference", record.ext.get("reference", "")))


def note_failure(write: ErpWrite, error: CrmError, *, refused: bool) -> None:
    """What is known about an attempt that failed: nothing happened, it may have, it was refused."""
    if isinstance(error, TakenIn):
        write.state, write.handle = WriteState.DEFERRED, error.handle
    elif isinstance(error, NotThereYet):
        write.state, write.looks = WriteState.UNKNOWN, write.looks + 1
    elif isinstance(error, ErpOutcomeUnknown) or error.code == UNKNOWN:
        write.state = WriteState.UNKNOWN
    elif write.state is WriteState.SENDING and (
        isinstance(error, ErpUnavailable) or error.code == OVERTAKEN
    ):
        write.state = WriteState.UNSENT
    elif refused and write.state is not WriteState.UNKNOWN:
        write.state = WriteState.REFUSED
        if isinstance(error, ErpRefused):
            write.issues = [dataclasses.asdict(issue) for issue in error.issues]
