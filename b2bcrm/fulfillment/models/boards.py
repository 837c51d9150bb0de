"""The board kept: what it said on a morning, and the views of it that people come back to."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base, id_column


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


class BoardView(Base):
    """Filters and order of the board under a name of its owner's; ``shared`` with all staff.

    ``query`` is what follows the question mark of the board's address.
    """

    __tablename__ = "board_view"
    __table_args__ = (sa.UniqueConstraint("owner_id", "name"),)

    id: Mapped[int] = id_column()
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(sa.String(80))
    query: Mapped[str] = mapped_column(sa.String(500))
    shared: Mapped[bool] = mapped_column(default=False)
