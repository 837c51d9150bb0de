"""What became of each write to an ERP, kept against its reference, so that none is made twice.

A row is written before anything is sent and says afterwards what is known. Found in ``SENDING``
it means that a process died: the outcome is as unknown as after a lost answer. While it is
unknown the reference is looked up, again and again with growing pauses, because an ERP may post
late; only ``Patience`` decides that it is really not there.
"""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from b2bcrm.kernel.columns import UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Capability, Idempotency, WriteMode

UNKNOWN = "outcome_unknown"
"""The code of a delivery that waits until a person has looked in the ERP."""
WRITES_OFF, DRY_RUN = "writes_off", "dry_run"
"""The codes of deliveries that wait until writing to their ERP is switched on."""
FIRST_LOOK_S = 5.0
LONGEST_LOOK_S = 900.0


class Kind(enum.StrEnum):
    """What is written."""

    CREATE = "create"
    UPDATE = "update"
    CANCEL = "cancel"


class WriteState(enum.StrEnum):
    """SENDING: begun. UNSENT: surely nothing happened. UNKNOWN: it may have. DEFERRED: taken in,
    to be asked about by its handle or confirmed. DONE, REFUSED: the ERP has said so.
    """

    SENDING = "sending"
    UNSENT = "unsent"
    UNKNOWN = "unknown"
    DEFERRED = "deferred"
    DONE = "done"
    REFUSED = "refused"


class ErpWrite(Base):
    """One write by its reference. ``looks`` counts clear answers 'not found' since ``sent_at``.

    ``guarded`` False: the ERP has no optimistic lock, so between our reading and our writing
    somebody's change could be lost. ``issues`` are what the ERP objected to at last, with field
    and line where it says so. Times are machine time.
    """

    __tablename__ = "erp_write"
    __table_args__ = (sa.UniqueConstraint("connection_code", "reference", "kind"),)

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    reference: Mapped[str] = mapped_column(sa.String(60))
    kind: Mapped[Kind] = mapped_column(enum_column(Kind))
    state: Mapped[WriteState] = mapped_column(enum_column(WriteState))
    sent_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    looks: Mapped[int] = mapped_column(default=0)
    handle: Mapped[str] = mapped_column(sa.String(120), default="")
    erp_id: Mapped[str] = mapped_column(sa.String(120), default="")
    erp_version: Mapped[str] = mapped_column(sa.String(60), default="")
    guarded: Mapped[bool] = mapped_column(default=True)
    issues: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, default=list)


@dataclass(frozen=True)
class Patience:
    """When a reference that is not found is believed: so many looks, over at least that long."""

    looks: int
    over: dt.timedelta

    def enough(self, write: ErpWrite, tick: dt.datetime) -> bool:
        """Whether the write is surely not there, so that it may be sent once more."""
        waited = not self.over or tick - write.sent_at >= self.over
        return write.looks >= self.looks and waited


def patience(capability: Capability) -> Patience | None:
    """What a connection asks for; None: nothing can be looked up, so a person must look.

    An ERP that recognises a repeated reference itself needs no waiting; one that posts later
    needs much.
    """
    if capability.idempotency is Idempotency.NATIVE:
        return Patience(looks=0, over=dt.timedelta(0))
    if capability.idempotency is Idempotency.NONE:
        return None
    if capability.write_mode is WriteMode.SYNC:
        return Patience(looks=3, over=dt.timedelta(minutes=2))
    return Patience(looks=5, over=dt.timedelta(minutes=30))


def pause(looks: int) -> dt.timedelta:
    """How long to wait before the next look: 5, 15, 45 ... 900 s."""
    return dt.timedelta(seconds=min(LONGEST_LOOK_S, FIRST_LOOK_S * 3 ** min(looks, 8)))


def found(session: Session, reference: str, kind: Kind, *, connection: str) -> ErpWrite | None:
    """The write of a reference, locked: only one process decides about it."""
    query = sa.select(ErpWrite).where(
        ErpWrite.connection_code == connection,
        ErpWrite.reference == reference,
        ErpWrite.kind == kind,
    )
    return session.scalar(query.with_for_update())


def is_done(session: Session, reference: str, *, connection: str) -> bool:
    """Whether what was last written under the reference counts as done."""
    query = sa.select(ErpWrite.state).where(
        ErpWrite.connection_code == connection, ErpWrite.reference == reference
    )
    newest = session.scalar(query.order_by(ErpWrite.id.desc()).limit(1))
    return newest is WriteState.DONE


def open_create(session: Session, prefix: str, *, connection: str) -> ErpWrite | None:
    """The create of a document (all its references begin with ``prefix``) that is not done."""
    query = sa.select(ErpWrite).where(
        ErpWrite.connection_code == connection,
        ErpWrite.reference.startswith(prefix, autoescape=True),
        ErpWrite.kind == Kind.CREATE,
        ErpWrite.state != WriteState.DONE,
    )
    return session.scalar(query.order_by(ErpWrite.id.desc()).limit(1).with_for_update())


def begin(work: Work, reference: str, kind: Kind, *, connection: str) -> ErpWrite:
    """Say that it is about to be sent; what was begun before and not answered is unknown."""
    row = found(work.session, reference, kind, connection=connection)
    if row is None:
        row = ErpWrite(
            connection_code=connection,
            reference=reference,
            kind=kind,
            state=WriteState.SENDING,
            sent_at=work.tick,
        )
        work.session.add(row)
    elif row.state is WriteState.SENDING:
        row.state = WriteState.UNKNOWN
    elif row.state in {WriteState.UNSENT, WriteState.REFUSED} or (
        row.state is WriteState.DONE and kind is not Kind.CREATE
    ):
        anew(work, row)
    return row


def anew(work: Work, row: ErpWrite) -> None:
    """It is sent once more, under the same reference."""
    row.state, row.sent_at, row.looks, row.handle = WriteState.SENDING, work.tick, 0, ""
    row.issues = []
