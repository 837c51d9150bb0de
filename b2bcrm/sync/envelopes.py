"""Keeps each SOAP exchange, already redacted by the connector, for the monitor."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Office, Work
from b2bcrm.sync.models import Envelope, SyncRun
from b2bcrm.sync.recordings import REPLY_CAP, Recording

MAX_CHARS = 20_000
HEAD = 64 * 1024  # bytes of a reply from which the monitor's excerpt is cut
KEEP = dt.timedelta(days=14)


class StoredEnvelopes:
    """``ports.erp.EnvelopeLog`` on the database; reads that went well are not kept in full."""

    def __init__(self, office: Office, connection: str, recording: Recording | None = None) -> None:
        """``recording`` keeps whole exchanges in files while somebody has asked for it."""
        self.office = office
        self.connection = connection
        self.recording = recording

    def room(self) -> int:
        """The head of each reply; all of it while it is recorded."""
        recorded = self.recording is not None and self.recording.runs()
        return REPLY_CAP if recorded else HEAD

    def note(
        self,
        *,
        call: str,
        correlation_id: str,
        operation: str,
        reference: str,
        request: bytes,
        reply: bytes | None,
        status: int | None,
        seconds: float,
        error: Message | None,
    ) -> None:
        """Store one exchange in a Work of its own, and in the recording where one runs."""
        if self.recording is not None and reply and not error:
            self.recording.keep(call, correlation_id, request, reply)
        routine = not error and not reference
        with self.office.open() as work:
            work.session.add(
                Envelope(
                    connection_code=self.connection,
                    at=work.tick,
                    correlation_id=correlation_id,
                    operation=operation,
                    reference=reference,
                    status=status,
                    seconds_ms=round(seconds * 1000),
                    error=error,
                    request=_text(request),
                    reply="" if routine else _text(reply or b""),
                )
            )


def _text(body: bytes) -> str:
    return body[:MAX_CHARS].decode("utf-8", "replace").replace("\x00", "")


def forget_old(work: Work) -> int:
    """Delete exchanges and runs older than ``KEEP``; answers how many."""
    old = work.tick - KEEP
    exchanges = work.session.execute(sa.delete(Envelope).where(Envelope.at < old))
    runs = work.session.execute(sa.delete(SyncRun).where(SyncRun.started_at < old))
    return int(exchanges.rowcount) + int(runs.rowcount)  # type: ignore[attr-defined]
