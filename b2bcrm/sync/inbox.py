"""Confirmations that an ERP sends later about our writes: kept once, whenever and however often
they arrive, before our own commit or long after. Whoever waits for a write reads them here.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base, id_column, insert_for
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Confirmation, Issue, WriteResult


class ErpConfirmation(Base):
    """One confirmation. ``used_at`` is when a waiting write took it; a late one keeps None.

    ``digest`` is SHA-256 of the message it came in.
    """

    __tablename__ = "erp_confirmation"
    __table_args__ = (
        sa.UniqueConstraint("connection_code", "message_id"),
        sa.Index("ix_erp_confirmation_reference", "connection_code", "reference"),
    )

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    message_id: Mapped[str] = mapped_column(sa.String(120))
    reference: Mapped[str] = mapped_column(sa.String(60))
    received_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    digest: Mapped[str] = mapped_column(sa.String(64))
    erp_id: Mapped[str] = mapped_column(sa.String(120), default="")
    erp_version: Mapped[str] = mapped_column(sa.String(60), default="")
    refused: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON, default=list)
    used_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)

    def answer(self) -> Confirmation:
        """In the port's words."""
        issues = tuple(Issue(**issue) for issue in self.refused)
        result = None if issues else WriteResult(erp_id=self.erp_id, version=self.erp_version)
        return Confirmation(self.message_id, self.reference, result, issues)


def receive(work: Work, raw: bytes, said: Sequence[Confirmation], *, connection: str) -> list[str]:
    """Keep what is new; answers the references that it is about. A repeat changes nothing."""
    digest = hashlib.sha256(raw).hexdigest()
    fresh: list[str] = []
    for one in said:
        row = insert_for(work.session, ErpConfirmation).values(
            connection_code=connection,
            message_id=one.message_id,
            reference=one.reference,
            received_at=work.tick,
            digest=digest,
            erp_id=one.result.erp_id if one.result else "",
            erp_version=one.result.version if one.result else "",
            refused=[dataclasses.asdict(issue) for issue in one.refused],
        )
        row = row.on_conflict_do_nothing(
            index_elements=[ErpConfirmation.connection_code, ErpConfirmation.message_id]
        )
        if work.session.scalar(row.returning(ErpConfirmation.id)) is not None:
            fresh.append(one.reference)
    return fresh


def waiting(session: Session, reference: str, *, connection: str) -> ErpConfirmation | None:
    """The newest confirmation of a reference that nothing has used yet."""
    query = sa.select(ErpConfirmation).where(
        ErpConfirmation.connection_code == connection,
        ErpConfirmation.reference == reference,
        ErpConfirmation.used_at.is_(None),
    )
    return session.scalar(query.order_by(ErpConfirmation.id.desc()).limit(1))


def use(work: Work, reference: str, *, connection: str) -> None:
    """What a reference waited for has been written down."""
    work.session.execute(
        sa.update(ErpConfirmation)
        .where(
            ErpConfirmation.connection_code == connection,
            ErpConfirmation.reference == reference,
            ErpConfirmation.used_at.is_(None),
        )
        .values(used_at=work.tick)
    )
