"""The six families of errors a caller can do something about.

Raising one always rolls the Work back. Only ``web/errors.py`` knows their HTTP numbers.
Anything else that is raised is a defect: the reader gets a reference number.
"""

from __future__ import annotations

import datetime as dt

from b2bcrm.kernel.words import Message


class CrmError(Exception):
    """Root of the families. ``message`` is shown to people, ``code`` is stable for programs.

    ``facts`` are values of the message that a program may need, as text by name.
    """

    code = "error"

    def __init__(
        self, message: Message, *, code: str | None = None, fields: dict[str, Message] | None = None
    ) -> None:
        super().__init__(str(message))
        self.message = message
        self.code = code or self.code
        self.fields = fields or {}
        self.facts: dict[str, str] = {}


class NotFound(CrmError):
    """There is no such thing, or the actor may not know of it."""

    code = "not_found"


class NotAllowed(CrmError):
    """The actor may see it but may not do this."""

    code = "not_allowed"


class Invalid(CrmError):
    """The payload is malformed; ``fields`` maps a field's path to its sentence."""

    code = "invalid"


class Conflict(CrmError):
    """An act that the state forbids, or a version that somebody else has changed."""

    code = "conflict"


class Refused(CrmError):
    """A business rule says no; ``code`` names the rule."""

    code = "refused"


class Unavailable(CrmError):
    """Something outside is down; trying later helps, after ``retry_after`` where it is known."""

    code = "unavailable"
    retry_after: dt.timedelta | None = None


class IllegalAct(Conflict):
    """``lifecycle.after`` has no row for this act in this state."""

    code = "illegal_act"


class StaleVersion(Conflict):
    """The form was filled in on an older version of the record."""

    code = "stale_version"


def not_found(what: Message) -> NotFound:
    """The one sentence for things that are absent or another account's."""
    return NotFound(Message("%(what)s was not found.", what=what))
