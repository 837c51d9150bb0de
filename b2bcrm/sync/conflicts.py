"""Where the two sides differ: the ERP's last known values, and the differences a person must see.

``ErpImage`` is the base of the three-way merge in ``ownership``. A conflict is opened once per
field, follows the ERP's value while it is open, and ends by a person's decision or because both
sides agree again. What a decision does to the order is the feature's (``orders.actions``).
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from b2bcrm.kernel.columns import MessageColumn, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.sync.ownership import Owner

OVERTAKEN = "erp_conflict"
"""The code of a delivery that waits until a person has decided."""
MONITOR = "erp"


class ErpImage(Base):
    """A record as the ERP was last seen to hold it: canonical texts by field (``10.qty``)."""

    __tablename__ = "erp_image"
    __table_args__ = (sa.UniqueConstraint("connection_code", "entity", "erp_id"),)

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    entity: Mapped[str] = mapped_column(sa.String(20))
    erp_id: Mapped[str] = mapped_column(sa.String(120))
    values: Mapped[dict[str, str]] = mapped_column(sa.JSON)
    seen_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class ConflictState(enum.StrEnum):
    """OPEN waits for a person; SENT_BACK: ours was chosen and is on its way to the ERP."""

    OPEN = "open"
    SENT_BACK = "sent_back"
    TAKEN = "taken"
    KEPT = "kept"
    LEFT = "left"
    AGREED = "agreed"


UNSETTLED = (ConflictState.OPEN, ConflictState.SENT_BACK)


class Found(enum.StrEnum):
    """When the difference was seen: in what the ERP kept of our write, or in a later change."""

    READ_BACK = "read_back"
    CHANGED_THERE = "changed_there"


class ErpConflict(Base):
    """One field of one record that differs. ``line_no`` is None for the head of a document.

    ``owner`` says who wins by default (``ownership.WHY`` says why); ``detail`` is what taking
    theirs needs beyond the value, e.g. a whole line that was added over there. Times of day are
    business time.
    """

    __tablename__ = "erp_conflict"
    __table_args__ = (
        sa.Index("ix_erp_conflict_order", "order_id", "state"),
        sa.Index(
            "uq_erp_conflict_unsettled",
            "connection_code",
            "entity",
            "erp_id",
            "field",
            unique=True,
            sqlite_where=sa.text("state IN ('open', 'sent_back')"),
            postgresql_where=sa.text("state IN ('open', 'sent_back')"),
        ),
    )

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    entity: Mapped[str] = mapped_column(sa.String(20))
    erp_id: Mapped[str] = mapped_column(sa.String(120))
    order_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    account_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    line_no: Mapped[int | None]
    field: Mapped[str] = mapped_column(sa.String(60))
    owner: Mapped[Owner] = mapped_column(enum_column(Owner))
    found: Mapped[Found] = mapped_column(enum_column(Found))
    base: Mapped[str | None] = mapped_column(sa.String(300))
    ours: Mapped[str] = mapped_column(sa.String(300))
    theirs: Mapped[str] = mapped_column(sa.String(300))
    detail: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    state: Mapped[ConflictState] = mapped_column(
        enum_column(ConflictState), default=ConflictState.OPEN
    )
    reason: Mapped[Message | None] = mapped_column(MessageColumn)
    settled_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    settled_by: Mapped[str] = mapped_column(sa.String(120), default="")

    @property
    def name(self) -> str:
        """The field without its line: a key of ``ownership.FIELD_WORDS``."""
        return self.field.rpartition(".")[2]


def images(
    session: Session, entity: str, erp_ids: Iterable[str], *, connection: str
) -> dict[str, ErpImage]:
    """The last known values of these records, by the ERP's id."""
    query = sa.select(ErpImage).where(
        ErpImage.connection_code == connection,
        ErpImage.entity == entity,
        ErpImage.erp_id.in_(list(erp_ids)),
    )
    return {row.erp_id: row for row in session.scalars(query)}


def keep_image(
    work: Work,
    entity: str,
    erp_id: str,
    values: Mapping[str, str],
    known: ErpImage | None,
    *,
    connection: str,
) -> ErpImage:
    """Remember what the ERP holds now; writes nothing when it holds what it held before."""
    if known is None:
        known = ErpImage(
            connection_code=connection,
            entity=entity,
            erp_id=erp_id,
            values=dict(values),
            seen_at=work.now,
        )
        work.session.add(known)
    elif known.values != values:
        known.values, known.seen_at = dict(values), work.now
    return known


def unsettled(
    session: Session, entity: str, erp_ids: Iterable[str], *, connection: str
) -> Sequence[ErpConflict]:
    """Differences of these records that are not settled yet."""
    query = sa.select(ErpConflict).where(
        ErpConflict.connection_code == connection,
        ErpConflict.entity == entity,
        ErpConflict.erp_id.in_(list(erp_ids)),
        ErpConflict.state.in_(UNSETTLED),
    )
    return session.scalars(query).all()


def of_order(session: Session, order_id: int) -> Sequence[ErpConflict]:
    """What is not settled on an order, in the order of its lines."""
    query = sa.select(ErpConflict).where(
        ErpConflict.order_id == order_id, ErpConflict.state.in_(UNSETTLED)
    )
    return session.scalars(query.order_by(ErpConflict.line_no, ErpConflict.id)).all()


def open_anew(work: Work, row: ErpConflict) -> None:
    """Show a new difference to people."""
    work.session.add(row)
    work.bump(MONITOR)


def say(work: Work, row: ErpConflict) -> None:
    """Show a difference of a record, or bring the one of that field that is open up to it."""
    for known in unsettled(work.session, row.entity, [row.erp_id], connection=row.connection_code):
        if known.field == row.field:
            follow(work, known, ours=row.ours, theirs=row.theirs, asked_again=True)
            return
    open_anew(work, row)


def follow(
    work: Work, row: ErpConflict, *, ours: str, theirs: str, asked_again: bool = False
) -> bool:
    """Bring an unsettled row to the values of today; answers whether people must look again.

    ``asked_again``: the ERP was just sent ours, and still holds its own.
    """
    back = asked_again and row.state is ConflictState.SENT_BACK
    if (row.ours, row.theirs) == (ours, theirs) and not back:
        return False
    row.ours, row.theirs, row.changed_at, row.state = ours, theirs, work.now, ConflictState.OPEN
    work.bump(MONITOR)
    return True


def settle(
    work: Work, row: ErpConflict, state: ConflictState, reason: Message | None = None
) -> None:
    """End it, or send ours back; the actor's name stands for who decided."""
    row.state, row.reason = state, reason
    row.settled_at = None if state in UNSETTLED else work.now
    row.settled_by = work.actor.name
    work.bump(MONITOR)
