"""One row per upload or generated document; equal contents share one file on disk."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base, id_column


class StoredFile(Base):
    """``subject`` and ``subject_id`` name the record it belongs to; internal ones stay inside."""

    __tablename__ = "stored_file"
    __table_args__ = (
        sa.Index("ix_stored_file_subject", "subject", "subject_id"),
        sa.Index("ix_stored_file_account", "account_id"),
    )

    id: Mapped[int] = id_column()
    account_id: Mapped[int | None] = mapped_column(sa.ForeignKey("account.id"))
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order.id"), index=True)
    subject: Mapped[str] = mapped_column(sa.String(30))
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    kind: Mapped[str] = mapped_column(sa.String(30))
    name: Mapped[str] = mapped_column(sa.String(200))
    media_type: Mapped[str] = mapped_column(sa.String(100))
    size: Mapped[int] = mapped_column(sa.BigInteger)
    digest: Mapped[str] = mapped_column(sa.String(64))
    internal: Mapped[bool] = mapped_column(default=False)
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    by_name: Mapped[str] = mapped_column(sa.String(120))
