"""Reading a conversation. Messages and notes come from two tables by two functions."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.threads.models import InternalNote, ThreadMessage

MAX_SHOWN = 500


def visible_to(actor: Actor) -> sa.Select[ThreadMessage]:
    """Where every query on messages starts."""
    query = sa.select(ThreadMessage)
    if actor.is_portal:
        query = query.where(ThreadMessage.account_id == actor.account_id)
    return query


def messages(work: Work, subject: str, subject_id: int) -> Sequence[ThreadMessage]:
    """What was written between us and the customer about a record, oldest first."""
    newest = (
        visible_to(work.actor)
        .where(ThreadMessage.subject == subject, ThreadMessage.subject_id == subject_id)
        .order_by(ThreadMessage.at.desc(), ThreadMessage.id.desc())
        .limit(MAX_SHOWN)
    )
    return list(reversed(work.session.scalars(newest).all()))


def notes(work: Work, subject: str, subject_id: int) -> Sequence[InternalNote]:
    """What was noted inside about a record, oldest first; NotFound for a customer."""
    if work.actor.is_portal:
        raise not_found(Message("The record"))
    newest = (
        sa.select(InternalNote)
        .where(InternalNote.subject == subject, InternalNote.subject_id == subject_id)
        .order_by(InternalNote.at.desc(), InternalNote.id.desc())
        .limit(MAX_SHOWN)
    )
    return list(reversed(work.session.scalars(newest).all()))
