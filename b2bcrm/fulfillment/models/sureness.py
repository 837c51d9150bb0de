"""What was learned from kept and broken promises, replaced as a whole each night."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base, id_column


class SurenessRun(Base):
    """When the curves were made, and what the walk through the past found (percents, weekdays).

    ``levels`` are, per family, the curve's shares that P50, P80 and P95 stand for.
    """

    __tablename__ = "sureness_run"

    id: Mapped[int] = id_column()
    made_on: Mapped[dt.date]
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    levels: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    report: Mapped[dict[str, Any]] = mapped_column(sa.JSON)


class SurenessCurve(Base):
    """Errors of one group of lines: ``shares`` by weekdays from the promise, those that occur.

    ``path`` names the group as ``planning.sureness_paths`` does; ``orders`` have been seen in it.
    """

    __tablename__ = "sureness_curve"

    path: Mapped[str] = mapped_column(sa.String(200), primary_key=True)
    orders: Mapped[int]
    shares: Mapped[list[list[float]]] = mapped_column(sa.JSON)


class SurenessWay(Base):
    """What an item usually waits for: supplier of its slowest bought part, busiest work centre."""

    __tablename__ = "sureness_way"

    item_no: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    way: Mapped[str] = mapped_column(sa.String(90))
