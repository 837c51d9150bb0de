"""Files that come with a form, for staff and portal: checked before any act, then stored.

The only module here that knows HTTP, together with ``downloads``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import request

from b2bcrm.files.actions import store
from b2bcrm.files.kinds import MAX_BYTES, FileKind, recognise
from b2bcrm.files.models import StoredFile
from b2bcrm.kernel.errors import Invalid
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.web.forms import Form
from b2bcrm.web.work import supply

FIELD = "files"
MOST = 5


@dataclass(frozen=True)
class Upload:
    """A file that is what its name says, not yet stored."""

    name: str
    content: bytes


def uploads(form: Form, *, field: str = FIELD, most: int = MOST) -> list[Upload]:
    """The files posted in ``field``; a complaint goes to ``form.errors[field]``.

    An input left empty posts a part without a name, which is no file.
    """
    posted = [part for part in request.files.getlist(field) if part.filename]
    if len(posted) > most:
        form.errors[field] = Message("At most %(n)s files at once.", n=most)
        return []
    found = []
    try:
        for part in posted:
            content = part.stream.read(MAX_BYTES + 1)
            recognise(part.filename or "", content, field=field)
            found.append(Upload(part.filename or "", content))
    except Invalid as error:
        form.add(error)
    return found


def attach(
    work: Work,
    files: Iterable[Upload],
    *,
    subject: str,
    subject_id: int,
    account_id: int | None,
    order_id: int | None = None,
    kind: str = FileKind.ATTACHMENT,
    internal: bool = False,
) -> list[StoredFile]:
    """Store the files for a record that the caller has checked."""
    return [
        store(
            work,
            files_dir=supply("files_dir"),
            name=file.name,
            content=file.content,
            subject=subject,
            subject_id=subject_id,
            kind=kind,
            account_id=account_id,
            order_id=order_id,
            internal=internal,
            field=FIELD,
        )
        for file in files
    ]
