"""How old each feed is against its limit: for every page, for promises, and for the alert."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.events import FeedStale
from b2bcrm.sync.models import ErpConnection, Feed
from b2bcrm.sync.words import entity_word


@dataclass(frozen=True)
class FeedAge:
    """``as_of`` is business time of the last complete run; None before the first."""

    connection: str
    entity: str
    as_of: dt.datetime | None
    age: dt.timedelta | None
    limit: dt.timedelta

    @property
    def stale(self) -> bool:
        """Older than allowed, or never complete."""
        return self.age is None or self.age > self.limit

    def why(self) -> Message:
        """What to tell a person who asks for a firm promise."""
        name = entity_word(self.entity)
        if self.age is None:
            return Message("%(feed)s were never read from the ERP completely.", feed=name)
        return Message(
            "%(feed)s from the ERP are %(age)s minutes old, more than the %(limit)s allowed.",
            feed=name,
            age=int(self.age.total_seconds() // 60),
            limit=int(self.limit.total_seconds() // 60),
        )


def ages(work: Work, entities: Collection[Entity] | None = None) -> list[FeedAge]:
    """The feeds of all active connections (of some entities), the stalest first."""
    query = (
        sa.select(Feed.connection_code, Feed.entity, Feed.data_as_of, Feed.limit_minutes)
        .outerjoin(ErpConnection, ErpConnection.code == Feed.connection_code)
        .where(sa.func.coalesce(ErpConnection.active, sa.true()))
    )
    if entities is not None:
        query = query.where(Feed.entity.in_([entity.value for entity in entities]))
    found = [
        FeedAge(code, entity, as_of, work.now - as_of if as_of else None, dt.timedelta(minutes=n))
        for code, entity, as_of, n in work.session.execute(query)
    ]
    longest = dt.timedelta.max
    return sorted(found, key=lambda one: one.age or longest, reverse=True)


def stale_feeds(work: Work, entities: Collection[Entity]) -> list[FeedAge]:
    """Which of these feeds are too old for a firm word, the stalest first."""
    return [one for one in ages(work, entities) if one.stale]


def alert(work: Work) -> int:
    """Tell the ERP's administrators of each feed that passed its limit, once per incident."""
    told = 0
    for feed in work.session.scalars(sa.select(Feed).where(Feed.loaded_at.is_not(None))):
        limit = dt.timedelta(minutes=feed.limit_minutes)
        stale = feed.data_as_of is not None and work.now - feed.data_as_of > limit
        if stale and feed.alerted_at is None:
            feed.alerted_at = work.tick
            told += 1
            name = entity_word(feed.entity)
            work.publish(
                FeedStale(
                    subject_id=feed.id,
                    feed=name,
                    connection=feed.connection_code,
                    limit_minutes=feed.limit_minutes,
                )
            )
        elif not stale and feed.alerted_at is not None:
            feed.alerted_at = None
    return told
