"""What planners settle about orders in trouble: who is in charge, and which supply is whose."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base


class OrderCare(Base):
    """The person in charge of bringing an order home in time; none without a row."""

    __tablename__ = "order_care"

    order_id: Mapped[int] = mapped_column(
        sa.ForeignKey("order.id"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    by_name: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
