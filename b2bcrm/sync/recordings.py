"""Whole exchanges with the ERP, kept in files while somebody has asked for it, per connection.

A recording is what ``crm erp dry-run`` replays when a profile is changed. It is off unless
switched on, ends by itself after some days or megabytes, holds only what the connector has
redacted, and is thrown away ``KEEP`` after its end. The files are named by the port's call:
``list-customer.20261117T014000-3f2a9c.reply.xml``, so that a folder of hand-made recordings
looks the same.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from b2bcrm.kernel.words import Message

REPLY_CAP = 16 * 1024 * 1024  # a longer reply is not recorded
KEEP = dt.timedelta(days=14)
SWITCH = "recording.json"
MEGABYTE = 1024 * 1024
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recording:
    """The recording of one connection, in a folder of its own below ``folder``."""

    folder: Path
    connection: str
    now: Callable[[], dt.datetime]

    @property
    def home(self) -> Path:
        """Where its files are."""
        return self.folder / self.connection

    def start(self, *, days: int, megabytes: int) -> dt.datetime:
        """Record from now on, for so many days and up to so many megabytes; answers until when."""
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        until = self.now() + dt.timedelta(days=days)
        text = json.dumps({"until": until.isoformat(), "megabytes": megabytes})
        self._put(SWITCH, text.encode())
        return until

    def stop(self) -> None:
        """Record no more; what is there stays for a dry run."""
        (self.home / SWITCH).unlink(missing_ok=True)

    def until(self) -> dt.datetime | None:
        """Until when it runs; None when it does not."""
        switch = self._switch()
        return switch[0] if switch and self.now() < switch[0] else None

    def runs(self) -> bool:
        """Whether the next exchange is to be kept."""
        return self.until() is not None

    def size(self) -> tuple[int, int]:
        """How many exchanges are kept, and their bytes."""
        if not self.home.is_dir():
            return 0, 0
        files = [entry for entry in os.scandir(self.home) if entry.name.endswith(".xml")]
        replies = sum(entry.name.endswith(".reply.xml") for entry in files)
        return replies, sum(entry.stat().st_size for entry in files)

    def keep(self, call: str, correlation_id: str, request: bytes, reply: bytes) -> None:
        """Keep one exchange; a disk that is full stops no call."""
        switch = self._switch()
        if switch is None or self.now() >= switch[0] or len(reply) >= REPLY_CAP:
            return
        try:
            if self.size()[1] + len(request) + len(reply) > switch[1] * MEGABYTE:
                return
            name = f"{call.replace(' ', '-')}.{self.now():%Y%m%dT%H%M%S}-{correlation_id[:8]}"
            self._put(f"{name}.request.xml", request)
            self._put(f"{name}.reply.xml", reply)
        except OSError:
            log.exception("an exchange of %s could not be recorded", self.connection)

    def forget(self) -> bool:
        """Throw the files away when the recording ended ``KEEP`` ago; answers whether it did."""
        if self.runs() or not self.home.is_dir():
            return False
        newest = max((entry.stat().st_mtime for entry in os.scandir(self.home)), default=0.0)
        if self.now() - dt.datetime.fromtimestamp(newest, dt.UTC) < KEEP:
            return False
        shutil.rmtree(self.home, ignore_errors=True)
        return True

    def _switch(self) -> tuple[dt.datetime, int] | None:
        try:
            said = json.loads((self.home / SWITCH).read_text(encoding="utf-8"))
            return dt.datetime.fromisoformat(said["until"]), int(said["megabytes"])
        except (OSError, ValueError, KeyError):
            return None

    def _put(self, name: str, content: bytes) -> None:
        """A file that is there as a whole or not at all."""
        part = self.home / f"{name}.part"
        part.write_bytes(content)
        part.replace(self.home / name)


class RecordingLog:
    """``ports.erp.EnvelopeLog`` that records and does nothing else, for commands."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording

    def room(self) -> int:
        """All of each reply."""
        return REPLY_CAP

    def note(
        self,
        *,
        call: str,
        correlation_id: str,
        request: bytes,
        reply: bytes | None,
        error: Message | None,
        **rest: object,
    ) -> None:
        """Keep one exchange that went well."""
        del rest
        if reply and not error:
            self.recording.keep(call, correlation_id, request, reply)


def forget_old(folder: Path, now: Callable[[], dt.datetime]) -> int:
    """Throw away recordings that ended long ago; answers how many."""
    homes = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    return sum(Recording(folder, name, now).forget() for name in homes)
