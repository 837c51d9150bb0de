"""Scenarios that people keep, and what was proposed of them: measures, never results."""

from __future__ import annotations

import datetime as dt
import enum

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from b2bcrm.kernel.columns import UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column


class Scenario(Base):
    """Measures as texts under a name of its owner's; ``shared`` with all staff."""

    __tablename__ = "scenario"
    __table_args__ = (sa.UniqueConstraint("owner_id", "name"),)

    id: Mapped[int] = id_column()
    owner_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(sa.String(80))
    shared: Mapped[bool] = mapped_column(default=False)
    measures: Mapped[list[str]] = mapped_column(sa.JSON)
    changed_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)


class TaskState(enum.StrEnum):
    """Where a proposed measure stands. ``done``: somebody has arranged it in the ERP."""

    OPEN = "open"
    DONE = "done"
    DECLINED = "declined"


class Proposal(Base):
    """What somebody asks purchasing and production to change in the ERP; the rows say it all."""

    __tablename__ = "proposal"

    id: Mapped[int] = id_column()
    name: Mapped[str] = mapped_column(sa.String(80))
    by_id: Mapped[int] = mapped_column(sa.ForeignKey("user.id"))
    by_name: Mapped[str] = mapped_column(sa.String(120))
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)

    tasks: Mapped[list[ProposalTask]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="ProposalTask.id"
    )
    notices: Mapped[list[ProposalNotice]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="ProposalNotice.id"
    )


class ProposalTask(Base):
    """One measure, asked of whoever can change the ERP."""

    __tablename__ = "proposal_task"

    id: Mapped[int] = id_column()
    proposal_id: Mapped[int] = mapped_column(sa.ForeignKey("proposal.id"), index=True)
    measure: Mapped[str] = mapped_column(sa.String(400))
    state: Mapped[TaskState] = mapped_column(enum_column(TaskState), default=TaskState.OPEN)
    decided_by: Mapped[str] = mapped_column(sa.String(120), default="")
    decided_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)


class ProposalNotice(Base):
    """A customer's line that would slip: a notice to be given by changing its promise."""

    __tablename__ = "proposal_notice"

    id: Mapped[int] = id_column()
    proposal_id: Mapped[int] = mapped_column(sa.ForeignKey("proposal.id"), index=True)
    order_line_id: Mapped[int] = mapped_column(sa.ForeignKey("order_line.id"))
    promised_on: Mapped[dt.date]
    arrives_on: Mapped[dt.date]
