"""What an operator does at the monitor: send again, pull now. Nothing here talks to the ERP."""

from __future__ import annotations

import sqlalchemy as sa

from b2bcrm.kernel import outbox
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.sync.models import ErpConnection, Feed

MONITOR = "erp"
"""The topic that the monitor's live page watches."""


def retry_delivery(work: Work, delivery_id: int) -> None:
    """Put a parked or waiting delivery back in line at once; NotFound if it is done or absent."""
    work.actor.must(Right.OPERATE_ERP)
    if not outbox.retry(work.session, delivery_id, work.tick):
        raise not_found(Message("An open delivery"))
    work.bump(MONITOR)


def run_now(work: Work, feed_id: int | None = None) -> None:
    """Pull one feed, or all of them, at the worker's next look; an open breaker is closed."""
    work.actor.must(Right.OPERATE_ERP)
    due = sa.update(Feed).values(next_at=work.tick)
    if feed_id is not None:
        if work.session.get(Feed, feed_id) is None:
            raise not_found(Message("This feed"))
        due = due.where(Feed.id == feed_id)
    work.session.execute(due)
    work.session.execute(sa.update(ErpConnection).values(open_until=None))
    work.bump(MONITOR)
