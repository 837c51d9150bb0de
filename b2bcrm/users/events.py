"""Facts about logins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from b2bcrm.kernel.events import Event
from b2bcrm.kernel.words import Message


@dataclass(frozen=True, kw_only=True)
class ResetAsked(Event):
    """Somebody asked for a new password for this person."""

    name: ClassVar[str] = "user.reset_asked"
    subject: ClassVar[str] = "user"

    def sentence(self) -> Message:
        """For the history."""
        return Message("A new password was asked for.")


@dataclass(frozen=True, kw_only=True)
class PasswordChanged(Event):
    """The password was changed; all other sessions have ended."""

    name: ClassVar[str] = "user.password_changed"
    subject: ClassVar[str] = "user"

    def sentence(self) -> Message:
        """For the history."""
        return Message("The password was changed.")


EVENTS: tuple[type[Event], ...] = (ResetAsked, PasswordChanged)
