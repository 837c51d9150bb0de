"""What planners keep of an item for a class of customers, and the most that a class gets."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.fulfillment.planning.plant import AllocationKind
from b2bcrm.kernel.columns import Qty, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column


class AllocationRule(Base):
    """One rule, in force until the end of ``last_on`` or until it is ended.

    See ``planning.plant.Allocation``; dates are business days.
    """

    __tablename__ = "allocation_rule"
    __table_args__ = (sa.Index("ix_allocation_rule_item", "item_no", "last_on"),)

    id: Mapped[int] = id_column()
    kind: Mapped[AllocationKind] = mapped_column(enum_column(AllocationKind))
    item_no: Mapped[str] = mapped_column(sa.String(60))
    site_code: Mapped[str] = mapped_column(sa.String(20))
    customer_class: Mapped[str] = mapped_column(sa.String(1))
    qty: Mapped[Decimal] = mapped_column(Qty)
    first_on: Mapped[dt.date]
    last_on: Mapped[dt.date]
    set_by: Mapped[str] = mapped_column(sa.String(120))
    set_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    ended_by: Mapped[str] = mapped_column(sa.String(120), default="")
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
