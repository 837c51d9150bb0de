"""How old the ERP data is that dates rest on: shown wherever a computed figure is."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.kernel.work import Work
from b2bcrm.sync.models import Feed

FEEDS = ("stock", "purchase_order", "work_order", "sales_order", "shipment")


@dataclass(frozen=True)
class FeedAge:
    """``as_of`` is business time of the last complete pull; None before the first."""

    entity: str
    as_of: dt.datetime | None
    too_old: bool


def data_age(work: Work) -> list[FeedAge]:
    """The feeds that dates rest on, the oldest first."""
    query = sa.select(Feed.entity, Feed.data_as_of, Feed.limit_minutes).where(
        Feed.entity.in_(FEEDS)
    )
    found = [
        FeedAge(entity, as_of, as_of is None or work.now - as_of > dt.timedelta(minutes=limit))
        for entity, as_of, limit in work.session.execute(query)
    ]
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    return sorted(found, key=lambda age: age.as_of or never)
