"""Which record of the ERP is which of ours, and what of it we applied last."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base, id_column


class ErpRef(Base):
    """One record of one ERP. Ids are unique per connection; names are never compared.

    ``digest`` is over the content last applied, ``version`` the ERP's change mark with it.
    ``crm_id`` is our row, where the feature tells it. ``facts`` keep what a removal needs and
    the id does not say. ``missed_at``: a complete reconciliation did not find it; the next one
    that agrees makes it a tombstone.
    """

    __tablename__ = "erp_ref"

    connection_code: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    entity: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    erp_id: Mapped[str] = mapped_column(sa.String(120), primary_key=True)
    company: Mapped[str] = mapped_column(sa.String(20), default="")
    version: Mapped[str] = mapped_column(sa.String(80), default="")
    digest: Mapped[str] = mapped_column(sa.String(32), default="")
    crm_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    facts: Mapped[dict[str, str] | None] = mapped_column(sa.JSON(none_as_null=True))
    run_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    missed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    tombstoned_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class ErpRefChange(Base):
    """History of a reference: which row of ours it stood for before."""

    __tablename__ = "erp_ref_change"
    __table_args__ = (sa.Index("ix_erp_ref_change", "connection_code", "entity", "erp_id"),)

    id: Mapped[int] = id_column()
    connection_code: Mapped[str] = mapped_column(sa.String(20))
    entity: Mapped[str] = mapped_column(sa.String(20))
    erp_id: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    was_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    is_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    by: Mapped[str] = mapped_column(sa.String(120), default="")
