"""What planners settle about orders in trouble: who is in charge, and which supply is whose."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import Qty, UtcDateTime
from b2bcrm.kernel.database import Base, id_column


class OrderCare(Base):
    """The person in charge of bringing an order home in time; none without a row."""

    __tablename__ = "order_care"

    order_id: Mapped[int] = mapped_column(
        sa.ForeignKey("order.id"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    by_name: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class FirmPeg(Base):
    """Pieces of a supply that a planner gave to an order line, and why; live until ``ended_at``.

    ``kind`` and ``no`` name stock or a document of the ERP, as ``planning.firming`` says.
    """

    __tablename__ = "firm_peg"
    __table_args__ = (
        sa.Index("ix_firm_peg_live", "ended_at", "id"),
        sa.Index("ix_firm_peg_order_line_id", "order_line_id"),
    )

    id: Mapped[int] = id_column()
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_line.id"))
    kind: Mapped[str] = mapped_column(sa.String(20))
    no: Mapped[str] = mapped_column(sa.String(40), default="")
    item_no: Mapped[str] = mapped_column(sa.String(60))
    site_code: Mapped[str] = mapped_column(sa.String(20))
    qty: Mapped[Decimal] = mapped_column(Qty)
    reason: Mapped[str] = mapped_column(sa.String(300))
    by_name: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
