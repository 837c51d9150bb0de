"""Messages to and from the customer, and internal notes, apart by type."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base, id_column


class ThreadMessage(Base):
    """Seen by the customer; ``from_customer`` says who wrote it."""

    __tablename__ = "thread_message"
    __table_args__ = (sa.Index("ix_thread_message_subject", "subject", "subject_id", "at"),)

    id: Mapped[int] = id_column()
    subject: Mapped[str] = mapped_column(sa.String(30))
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    author: Mapped[str] = mapped_column(sa.String(120))
    from_customer: Mapped[bool]
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    text: Mapped[str] = mapped_column(sa.Text)


class InternalNote(Base):
    """Never leaves the house."""

    __tablename__ = "internal_note"
    __table_args__ = (sa.Index("ix_internal_note_subject", "subject", "subject_id", "at"),)

    id: Mapped[int] = id_column()
    subject: Mapped[str] = mapped_column(sa.String(30))
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    user_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    author: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    text: Mapped[str] = mapped_column(sa.Text)
