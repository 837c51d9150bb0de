"""A form filled in on an old version of a record is refused: who changed it meanwhile, and when."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.errors import StaleVersion
from b2bcrm.kernel.words import Message


class Versioned(Protocol):
    """A record that counts its changes. ``changed_by`` is empty where no person has changed it."""

    version: int
    changed_at: dt.datetime | None
    changed_by: str


def check_version(record: Versioned, expected: int | None, *, now: dt.datetime) -> None:
    """Raise StaleVersion unless the record stands at ``expected``; None: whatever it stands at."""
    if expected is None or record.version == expected:
        return
    raise StaleVersion(
        Message(
            "%(who)s changed this at %(when)s. Look at it again before you go on.",
            who=record.changed_by or "ERP",
            when=f"{(record.changed_at or now).astimezone(HOME_ZONE):%H:%M}",
        )
    )
