"""The trace of one call: what left, what came back, within which limits, and what the log keeps.

Not here: sending (``transport``), reading (``reader``), judging (``errors``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import requests

TOTAL_FACTOR = 10  # a whole exchange may take this many read timeouts


class ReplyTooLarge(Exception):
    """More bytes than the connection allows."""


class ReplyTooSlow(Exception):
    """Bytes kept dripping in beyond the total time."""


@dataclass
class Exchange:
    """The trace of one call while it runs; ``sent`` turns True when bytes may have left.

    ``room`` is how many bytes of the reply are kept for the log.
    """

    correlation_id: str
    operation: str
    reference: str
    request: bytes = b""
    status: int | None = None
    head: bytearray = field(default_factory=bytearray)
    size: int = 0
    sent: bool = False
    room: int = 0


current_exchange: ContextVar[Exchange | None] = ContextVar("current_exchange", default=None)


class CappedReply:
    """The body of a response as a file: counts, caps, times, and keeps the head for the log."""

    def __init__(
        self, response: requests.Response, *, cap: int, deadline: float, exchange: Exchange
    ) -> None:
        self._raw: Any = response.raw
        self._cap = cap
        self._deadline = deadline
        self._exchange = exchange

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` decoded bytes. Raises ReplyTooLarge, ReplyTooSlow."""
        want = size if size > 0 else 65536
        data: bytes = self._raw.read(want, decode_content=True)
        exchange = self._exchange
        exchange.size += len(data)
        if exchange.size > self._cap:
            raise ReplyTooLarge
        if time.monotonic() > self._deadline:
            raise ReplyTooSlow
        if (room := exchange.room - len(exchange.head)) > 0:
            exchange.head += data[:room]
        return data


class Redactor:
    """Masks the named elements and the connection's secret in an envelope."""

    def __init__(self, elements: Iterable[str], secret: str) -> None:
        names = "|".join(re.escape(e) for e in elements)
        self._masked = re.compile(
            rf"(<(?:[\w.-]+:)?(?:{names})(?:\s[^<>]*)?(?<!/)>)(?:[^<]|<!\[CDATA\[.*?(?:\]\]>|$))+".encode(),
            re.DOTALL,
        )
        self._secret = secret.encode()

    def __call__(self, envelope: bytes) -> bytes:
        """The envelope without what the log must not hold."""
        if b"\x00" in envelope:
            return b"(%d bytes in a wide encoding, not kept)" % len(envelope)
        text = self._masked.sub(rb"\1***", envelope)
        return text.replace(self._secret, b"***") if self._secret else text
