"""Plans of the whole order book, kept: what dates are promised from."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from b2bcrm.kernel.columns import UtcDateTime
from b2bcrm.kernel.database import Base, id_column


class PlanRun(Base):
    """One plan; ``id`` numbers them. Never changed; old ones are pruned.

    ``made_on`` is its day 0, ``source`` the version of its topics that it saw, ``made_at`` machine
    time, ``data_as_of`` the age of the oldest feed under it. ``plan`` holds the packed arrays,
    ``digest`` is their name; both are empty where the verifier refused the plan, and ``faults``
    then says why. ``problems`` are rows of kind, name and text.
    """

    __tablename__ = "plan_run"

    id: Mapped[int] = id_column()
    made_on: Mapped[dt.date]
    made_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    source: Mapped[int] = mapped_column(sa.BigInteger)
    data_as_of: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    figures: Mapped[dict[str, Any]] = mapped_column(sa.JSON)
    problems: Mapped[list[list[str]]] = mapped_column(sa.JSON)
    faults: Mapped[list[str]] = mapped_column(sa.JSON)
    digest: Mapped[str] = mapped_column(sa.String(64), default="")
    plan: Mapped[bytes | None] = mapped_column(sa.LargeBinary, deferred=True)
