"""What measures and lateness cost, as a planner has set it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import Amount, Percent, UtcDateTime
from b2bcrm.kernel.database import Base, id_column


class MeasurePrice(Base):
    """One row, in base currency; what is None nobody has said.

    ``hour``: one more hour at a work centre; ``day``: a purchase order one calendar day earlier.
    ``penalty_pct`` of a line's open value is owed per working day late, ``penalty_most_pct`` in
    all.
    """

    __tablename__ = "measure_price"

    id: Mapped[int] = id_column()
    hour: Mapped[Decimal | None] = mapped_column(Amount)
    day: Mapped[Decimal | None] = mapped_column(Amount)
    penalty_pct: Mapped[Decimal | None] = mapped_column(Percent)
    penalty_most_pct: Mapped[Decimal | None] = mapped_column(Percent)
    set_by: Mapped[str] = mapped_column(sa.String(120))
    set_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
