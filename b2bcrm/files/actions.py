"""Storing a file for a record, and clearing out contents that no row names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sa

from b2bcrm.files import kinds
from b2bcrm.files.models import StoredFile
from b2bcrm.files.store import put
from b2bcrm.files.store import sweep as sweep_folder
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

_WORD = re.compile(r"[a-z_]{1,30}")


def store(
    work: Work,
    *,
    files_dir: Path,
    name: str,
    content: bytes,
    subject: str,
    subject_id: int,
    kind: str,
    account_id: int | None,
    order_id: int | None = None,
    internal: bool = False,
    field: str = "file",
) -> StoredFile:
    """Keep ``content`` under ``name`` for a record that the caller has checked.

    Raises Invalid with a sentence at ``field`` if the file is empty, too large, of a kind that
    is not taken, or not what its name says. A customer stores for his own account only, and
    nothing internal.
    """
    if not _WORD.fullmatch(subject) or not _WORD.fullmatch(kind):
        raise ValueError("subject and kind are short lower-case words")
    actor = work.actor
    if actor.is_portal and (internal or account_id is None or account_id != actor.account_id):
        raise not_found(Message("The record"))
    recognised = kinds.recognise(name, content, field=field)
    row = StoredFile(
        account_id=account_id,
        order_id=order_id,
        subject=subject,
        subject_id=subject_id,
        kind=kind,
        name=recognised.name,
        media_type=recognised.media_type,
        size=len(content),
        digest=put(files_dir, content, work.tick),
        internal=internal,
        at=work.now,
        by_name=actor.name,
    )
    work.session.add(row)
    work.session.flush()  # callers need the id for links
    return row


def sweep(work: Work, *, files_dir: Path) -> int:
    """Remove contents that failed acts left behind, older than a day; returns how many."""

    def known(digests: Iterable[str]) -> set[str]:
        query = sa.select(StoredFile.digest).where(StoredFile.digest.in_(list(digests)))
        return set(work.session.scalars(query))

    return len(sweep_folder(files_dir, known, work.tick))
