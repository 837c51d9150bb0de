"""The business history: one row per published event, and the counters that live pages watch.

Rows are written by ``Work.publish`` only; features read them through ``history``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from b2bcrm.kernel.columns import MessageColumn, UtcDateTime
from b2bcrm.kernel.database import Base, id_column, insert_for
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message


class TimelineEntry(Base):
    """What happened, to what, for which account, who did it, and the sentence to read."""

    __tablename__ = "timeline_entry"
    __table_args__ = (
        sa.Index("ix_timeline_subject", "subject", "subject_id", "id"),
        sa.Index("ix_timeline_order", "order_id", "at"),
        sa.Index("ix_timeline_account", "account_id", "at"),
    )

    id: Mapped[int] = id_column()
    at: Mapped[dt.datetime] = mapped_column(UtcDateTime)
    name: Mapped[str] = mapped_column(sa.String(60))
    subject: Mapped[str] = mapped_column(sa.String(30))
    subject_id: Mapped[int] = mapped_column(sa.BigInteger)
    account_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    order_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    actor_name: Mapped[str] = mapped_column(sa.String(120))
    actor_role: Mapped[str] = mapped_column(sa.String(24))
    actor_user_id: Mapped[int | None] = mapped_column(sa.BigInteger)
    sentence: Mapped[Message] = mapped_column(MessageColumn)
    portal_sentence: Mapped[Message | None] = mapped_column(MessageColumn)


class ChangeCounter(Base):
    """One number per topic (``order:12``, ``board``, ``erp``) that grows with each change."""

    __tablename__ = "change_counter"

    topic: Mapped[str] = mapped_column(sa.String(60), primary_key=True)
    n: Mapped[int] = mapped_column(sa.BigInteger, default=0)


def bump(session: Session, topic: str) -> None:
    """Count one change of ``topic``; a live page that watches it will fetch again."""
    statement = insert_for(session, ChangeCounter).values(topic=topic, n=1)
    session.execute(
        statement.on_conflict_do_update(index_elements=["topic"], set_={"n": ChangeCounter.n + 1})
    )


_VERSION = sa.select(sa.func.coalesce(sa.func.sum(ChangeCounter.n), 0)).where(
    ChangeCounter.topic.in_(sa.bindparam("topics", expanding=True))
)


def version_of(session: Session, *topics: str) -> int:
    """The sum of the topics' counters; 0 if nothing ever changed."""
    return int(session.scalar(_VERSION, {"topics": topics}) or 0)


def history(
    session: Session,
    *,
    order_id: int | None = None,
    account_id: int | None = None,
    subject: tuple[str, int] | None = None,
    portal: bool = False,
    limit: int = 40,
) -> Sequence[TimelineEntry]:
    """Newest first. ``portal`` keeps only what the customer may read."""
    query = sa.select(TimelineEntry).order_by(TimelineEntry.at.desc(), TimelineEntry.id.desc())
    if order_id is not None:
        query = query.where(TimelineEntry.order_id == order_id)
    if account_id is not None:
        query = query.where(TimelineEntry.account_id == account_id)
    if subject is not None:
        query = query.where(
            TimelineEntry.subject == subject[0], TimelineEntry.subject_id == subject[1]
        )
    if portal:
        query = query.where(TimelineEntry.portal_sentence.is_not(sa.null()))
    return session.scalars(query.limit(limit)).all()


def entry(
    event: Event, at: dt.datetime, name: str, role: str, user_id: int | None
) -> TimelineEntry:
    """The history row of ``event``."""
    return TimelineEntry(
        at=at,
        name=event.name,
        subject=event.subject,
        subject_id=event.subject_id,
        account_id=event.account_id,
        order_id=event.order_id,
        actor_name=name,
        actor_role=role,
        actor_user_id=user_id,
        sentence=event.sentence(),
        portal_sentence=event.portal_sentence(),
    )
