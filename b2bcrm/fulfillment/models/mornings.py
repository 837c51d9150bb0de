"""What the board said on a morning: what the next morning is compared with."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base


class BoardMorning(Base):
    """The board on one business day; that the row is there says that the day was reported.

    ``figures`` are the key figures as decimal texts, None where there was none. ``lines`` are the
    late and at-risk order lines: id -> status. ``made_at`` is machine time.
    """

    __tablename__ = "board_morning"

    day: Mapped[dt.date] = mapped_column(primary_key=True)
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    figures: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    lines: Mapped[dict[str, str]] = mapped_column(sa.JSON)
