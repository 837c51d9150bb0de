"""Mail as files: the demo catches its mail in a folder, and ``/demo/mail`` shows it from here.

One ``.eml`` per mail, named by the digest of its ``message_id``: a repeat changes nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from pathlib import Path

from b2bcrm.kernel.clock import machine_now
from b2bcrm.kernel.errors import Unavailable
from b2bcrm.kernel.words import Message
from b2bcrm.ports.mail import Attachment, Mail
from connectors.mail.message import compose

_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class StoredMail:
    """A mail as it lies in the folder. ``key`` names it in a URL."""

    key: str
    to: tuple[str, ...]
    sender: str
    subject: str
    sent_at: dt.datetime | None
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True)
class FolderMailer:
    """Implements ``Mailer`` by writing into ``folder``; ``now`` dates the mails."""

    folder: Path
    sender: str
    now: Callable[[], dt.datetime] = machine_now

    def send(self, mail: Mail) -> None:
        """Write the mail once, whole or not at all. Unavailable when the disk says no."""
        message = compose(mail, sender=self.sender, at=self.now())
        path = self.folder / f"{_key(mail.message_id)}.eml"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                _write(path, message.as_bytes(policy=SMTP))
        except OSError as error:
            raise Unavailable(
                Message("The mail folder cannot be written."), code="mail_unavailable"
            ) from error

    def list_mails(self) -> list[StoredMail]:
        """What was caught, newest first, heads only."""
        return list_mails(self.folder)

    def read_mail(self, key: str) -> StoredMail | None:
        """One caught mail with its content."""
        return read_mail(self.folder, key)


def list_mails(folder: Path, *, limit: int = 200) -> list[StoredMail]:
    """The newest mails first, with their heads only."""
    try:
        with os.scandir(folder) as entries:
            mails = [(e.stat().st_mtime_ns, Path(e)) for e in entries if e.name.endswith(".eml")]
    except FileNotFoundError:
        return []
    newest = sorted(mails, reverse=True)[:limit]
    return [_stored(path, body=False) for _, path in newest]


def read_mail(folder: Path, key: str) -> StoredMail | None:
    """One mail with its content, or None when there is none of that key."""
    path = folder / f"{key}.eml"
    if _KEY.fullmatch(key) is None or not path.is_file():
        return None
    return _stored(path, body=True)


def _key(message_id: str) -> str:
    return hashlib.sha256(message_id.encode()).hexdigest()[:32]


def _write(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".mail-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _stored(path: Path, *, body: bool) -> StoredMail:
    message = message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=default)
    date = message["Date"]
    return StoredMail(
        key=path.stem,
        to=tuple(a.addr_spec for a in message["To"].addresses),
        sender=str(message["From"]),
        subject=str(message["Subject"]),
        sent_at=date.datetime.astimezone(dt.UTC) if date is not None else None,
        text=_part(message, "plain") if body else "",
        html=_part(message, "html") if body else "",
        attachments=_attachments(message) if body else (),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=("plain",) if kind == "plain" else ("html",))
    return str(part.get_content()) if part is not None else ""


def _attachments(message: EmailMessage) -> tuple[Attachment, ...]:
    found = []
    for part in message.iter_attachments():
        payload = part.get_payload(decode=True)
        content = payload if isinstance(payload, bytes) else b""
        found.append(Attachment(part.get_filename() or "", part.get_content_type(), content))
    return tuple(found)
