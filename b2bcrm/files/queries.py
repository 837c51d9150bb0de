"""Finding stored files. A customer sees his account's files that are not internal, no other."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from b2bcrm.files.models import StoredFile
from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.database import STATEMENTS
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.matching import holds
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work


def visible_to(actor: Actor) -> sa.Select[StoredFile]:
    """Where every query on files starts."""
    query = sa.select(StoredFile)
    if actor.is_portal:
        query = query.where(
            StoredFile.account_id == actor.account_id, StoredFile.internal.is_(False)
        )
    return query


def open_for(work: Work, file_id: int) -> StoredFile:
    """The file, if the actor may see it; NotFound if not."""
    found = work.session.scalar(visible_to(work.actor).where(StoredFile.id == file_id))
    if found is None:
        raise not_found(Message("The file"))
    return found


def of_subject(work: Work, subject: str, subject_id: int) -> Sequence[StoredFile]:
    """Files of one record, oldest first."""
    query = visible_to(work.actor).where(
        StoredFile.subject == subject, StoredFile.subject_id == subject_id
    )
    return work.session.scalars(query.order_by(StoredFile.id)).all()


def of_many(
    work: Work, subjects: Mapping[str, Collection[int]]
) -> dict[tuple[str, int], list[StoredFile]]:
    """Files of several records of several kinds in one statement, by kind and id."""
    found: dict[tuple[str, int], list[StoredFile]] = defaultdict(list)
    wanted = [
        sa.and_(StoredFile.subject == subject, StoredFile.subject_id.in_(ids))
        for subject, ids in subjects.items()
        if ids
    ]
    if wanted:
        query = visible_to(work.actor).where(sa.or_(*wanted))
        for row in work.session.scalars(query.order_by(StoredFile.id)):
            found[row.subject, row.subject_id].append(row)
    return found


class FileRow(NamedTuple):
    """A file as a list shows it."""

    id: int
    name: str
    kind: str
    internal: bool
    at: dt.datetime
    by_name: str


def of_order(work: Work, order_id: int) -> Sequence[FileRow]:
    """Files that concern one order, newest first."""
    found = work.rows(_of_order(work.actor), {"order_id": order_id})
    return [FileRow._make(row) for row in found]


@lru_cache(maxsize=STATEMENTS)
def _of_order(actor: Actor) -> Any:
    return (
        visible_to(actor)
        .where(StoredFile.order_id == sa.bindparam("order_id"))
        .with_only_columns(*(getattr(StoredFile, name) for name in FileRow._fields))
        .order_by(StoredFile.at.desc(), StoredFile.id.desc())
    )


def of_account(
    work: Work,
    account_id: int,
    *,
    kinds: Collection[str] = (),
    words: str = "",
    offset: int = 0,
    limit: int = 50,
) -> tuple[Sequence[StoredFile], int]:
    """Files of one account, newest first, and how many there are in all.

    ``kinds`` keeps only these kinds, ``words`` only names that contain it.
    """
    query = visible_to(work.actor).where(StoredFile.account_id == account_id)
    if kinds:
        query = query.where(StoredFile.kind.in_(kinds))
    if words:
        query = query.where(holds(StoredFile.name, words))
    total = work.session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    page = query.order_by(StoredFile.at.desc(), StoredFile.id.desc()).offset(offset).limit(limit)
    return work.session.scalars(page).all(), total
