"""A case: what went wrong with which line, who owns it, its two clocks and their pauses."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from b2bcrm.kernel.columns import Qty, UtcDateTime, enum_column
from b2bcrm.kernel.database import Base, id_column
from b2bcrm.kernel.errors import NotAllowed
from b2bcrm.kernel.words import Message
from b2bcrm.service.clocks import Pause
from b2bcrm.service.lifecycle import CaseAct, CaseKind, CaseState, acts, after


class Case(Base):
    """``answer_due_at`` and ``solve_due_at`` are on the service calendar (24 h and 72 h).

    ``paused_at`` is set while the customer has the ball; the time then does not count. Ended
    pauses are rows. ``*_warned`` is the worst that the clock was reported for: risk or late.
    """

    __tablename__ = "case"
    __table_args__ = (
        sa.Index("ix_case_account", "account_id", "opened_at"),
        sa.Index("ix_case_state", "state", "solve_due_at"),
        sa.Index("ix_case_owner", "owner_id", "state"),
        sa.CheckConstraint("affected_qty IS NULL OR affected_qty > 0", name="affected_positive"),
    )

    id: Mapped[int] = id_column()
    no: Mapped[str] = mapped_column(sa.String(20), unique=True)
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    account_id: Mapped[int] = mapped_column(sa.ForeignKey("account.id"))
    contact_id: Mapped[int | None] = mapped_column(sa.ForeignKey("contact.id"))
    order_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order.id"), index=True)
    order_line_id: Mapped[int | None] = mapped_column(sa.ForeignKey("order_line.id"))
    owner_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    opened_by_id: Mapped[int | None] = mapped_column(sa.ForeignKey("user.id"))
    kind: Mapped[CaseKind] = mapped_column(enum_column(CaseKind))
    state: Mapped[CaseState] = mapped_column(enum_column(CaseState))
    urgent: Mapped[bool] = mapped_column(default=False)
    subject: Mapped[str] = mapped_column(sa.String(200))
    affected_qty: Mapped[Decimal | None] = mapped_column(Qty)
    serial_nos: Mapped[str] = mapped_column(sa.String(300), default="")
    solution: Mapped[str] = mapped_column(sa.Text, default="")
    cause: Mapped[str] = mapped_column(sa.String(40), default="")
    opened_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    answer_due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    solve_due_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    solved_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    paused_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    answer_warned: Mapped[str] = mapped_column(sa.String(4), default="")
    solve_warned: Mapped[str] = mapped_column(sa.String(4), default="")
    changed_at: Mapped[dt.datetime | None] = mapped_column(UtcDateTime)
    changed_by: Mapped[str] = mapped_column(sa.String(120), default="")
    version: Mapped[int] = mapped_column(default=1)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own form

    pauses: Mapped[list[CasePause]] = relationship(
        lazy="raise", cascade="all, delete-orphan", order_by="CasePause.from_at"
    )

    def move(self, act: CaseAct, who: str) -> None:
        """Take the lifecycle's next state; raises IllegalAct, or NotAllowed for this side."""
        state = after(self.state, act)
        if act not in acts(self.state, who):
            raise NotAllowed(Message("Your role does not allow this."))
        self.state = state

    def stretches(self) -> tuple[Pause, ...]:
        """All pauses of the solve clock, the one that lasts included."""
        ended = tuple(Pause(row.from_at, row.to_at) for row in self.pauses)
        return ended if self.paused_at is None else (*ended, Pause(self.paused_at))

    def stop_clock(self, now: dt.datetime) -> None:
        """The customer has the ball."""
        if self.paused_at is None:
            self.paused_at = now

    def start_clock(self, now: dt.datetime) -> None:
        """We have the ball again; what has passed becomes a row."""
        if self.paused_at is not None and self.paused_at < now:
            self.pauses.append(CasePause(from_at=self.paused_at, to_at=now))
        self.paused_at = None


class CasePause(Base):
    """A time in which the solve clock stood still: waiting for the customer, or solved."""

    __tablename__ = "case_pause"
    __table_args__ = (sa.CheckConstraint("from_at < to_at", name="from_before_to"),)

    id: Mapped[int] = id_column()
    case_id: Mapped[int] = mapped_column(sa.ForeignKey("case.id"), index=True)
    from_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    to_at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
