"""Writing into a conversation: a message the customer reads, or a note that stays inside."""

from __future__ import annotations

import unicodedata

from b2bcrm.kernel.errors import Invalid, not_found
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.threads.models import InternalNote, ThreadMessage

MAX_TEXT = 20_000


def clean_text(text: str, *, field: str = "text") -> str:
    """The text with plain line ends and without control characters.

    Raises Invalid at ``field`` if nothing is left or it is longer than ``MAX_TEXT``.
    """
    if len(text) > 2 * MAX_TEXT:  # before any work on megabytes of text
        raise _invalid(field, _TOO_LONG)
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    cleaned = "".join(
        c for c in plain if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"}
    ).strip()
    if not cleaned:
        raise _invalid(field, Message("Please write something."))
    if len(cleaned) > MAX_TEXT:
        raise _invalid(field, _TOO_LONG)
    return cleaned


_TOO_LONG = Message(
    "This text is too long: at most %(max)s characters. Send longer content as a file.",
    max="20,000",
)


def _invalid(field: str, message: Message) -> Invalid:
    return Invalid(message, code="text", fields={field: message})


def post_message(
    work: Work,
    *,
    subject: str,
    subject_id: int,
    account_id: int,
    text: str,
    field: str = "text",
) -> ThreadMessage:
    """A message about a record that the caller has checked; the customer reads it.

    The actor says which side it comes from. A customer writes for his own account only.
    """
    actor = work.actor
    if actor.is_portal and account_id != actor.account_id:
        raise not_found(Message("The record"))
    row = ThreadMessage(
        subject=subject,
        subject_id=subject_id,
        account_id=account_id,
        user_id=actor.user_id,
        author=actor.name,
        from_customer=actor.is_portal,
        at=work.now,
        text=clean_text(text, field=field),
    )
    work.session.add(row)
    work.session.flush()  # files and mails name it by id
    return row


def post_note(
    work: Work, *, subject: str, subject_id: int, text: str, field: str = "text"
) -> InternalNote:
    """A note for the house only; for a customer the record has no such place."""
    actor = work.actor
    if actor.is_portal:
        raise not_found(Message("The record"))
    row = InternalNote(
        subject=subject,
        subject_id=subject_id,
        user_id=actor.user_id,
        author=actor.name,
        at=work.now,
        text=clean_text(text, field=field),
    )
    work.session.add(row)
    work.session.flush()  # files name it by id
    return row
