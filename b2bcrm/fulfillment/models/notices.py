"""What a customer is asked when the promise of a line moves later, and what he answers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.fulfillment.planning.notices import Choice
from b2bcrm.kernel.columns import Qty, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column


class PromiseNotice(Base):
    """A later day that a customer was told, open until he chooses: once per move.

    Only the newest of a line counts, and only while its day is still the promised one.
    ``qty`` and ``arrives_on`` are what he wants sent ahead, ``proposal_id`` where that is decided;
    ``text`` is his message. What he accepts needs nothing of us and is settled at once.
    """

    __tablename__ = "promise_notice"

    id: Mapped[int] = id_column()
    promise_id: Mapped[int] = mapped_column(sa.ForeignKey("promise.id"), unique=True)
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_line.id"), index=True)
    promised_on: Mapped[dt.date]
    previous_on: Mapped[dt.date]
    choice: Mapped[Choice | None] = mapped_column(enum_column(Choice))
    qty: Mapped[Decimal | None] = mapped_column(Qty)
    arrives_on: Mapped[dt.date | None]
    text: Mapped[str] = mapped_column(sa.String(1000), default="")
    by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    by_name: Mapped[str] = mapped_column(sa.String(120), default="")
    at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    proposal_id: Mapped[int | None] = mapped_column(sa.ForeignKey("proposal.id"), index=True)
    settled_by: Mapped[str] = mapped_column(sa.String(120), default="")
    settled_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
