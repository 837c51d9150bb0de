"""The board's sums, kept: what a page shows of all rows without reading them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base


class FigureSheet(Base):
    """Sums of one kind for one site; what ``data`` holds, ``planning.sums`` says.

    ``code`` is a family's or a work centre's. Site 0 is every site, code "" every family or the
    busiest centre. ``computed_at``: the oldest projection in it.
    """

    __tablename__ = "figure_sheet"

    run: Mapped[str] = mapped_column(sa.ForeignKey("figure_run.name"), primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(12), primary_key=True)
    site_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    data: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    computed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class FigureRun(Base):
    """When the sheets of one run were summed, and from what.

    ``source`` is the version of the run's topics that the sums saw, ``made_on`` the business day
    they were made for, ``made_at`` machine time.
    """

    __tablename__ = "figure_run"

    name: Mapped[str] = mapped_column(sa.String(12), primary_key=True)
    source: Mapped[int] = mapped_column(sa.BigInteger)
    made_on: Mapped[dt.date]
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
