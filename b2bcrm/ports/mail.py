"""Sending mail. Adapters: SMTP, and the demo's folder (connectors/mail)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Attachment:
    """A file in a mail; ``media_type`` such as application/pdf."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True)
class Mail:
    """One message. ``message_id`` is stable per delivery, so a repeat can be recognised."""

    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    message_id: str
    reply_to: str = ""
    attachments: tuple[Attachment, ...] = ()


class Mailer(Protocol):
    """Raises ``kernel.errors.Unavailable`` when it may be tried again, ``Refused`` when not."""

    def send(self, mail: Mail) -> None:
        """Hand the mail over, or raise."""
