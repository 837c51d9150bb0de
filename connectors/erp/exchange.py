"""The trace of one call: what left, what came back, within which limits, and what the log keeps.

Not here: sending (``transport``), reading (``reader``), judging (``errors``).
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

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
        """Up to ``size`` decoded bytes that are there. Raises ReplyTooLarge, ReplyTooSlow."""
        want = size if size > 0 else 65536
        # Not read(): that waits for all of them, so a slow drip would never meet the deadline.
        data: bytes = self._raw.read1(want, decode_content=True)
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
    """Masks named values and the connection's secret in an envelope.

    A name is masked wherever its value may stand: as an element's text, as an attribute, as the
    value of a name/value node (``<Field name="oeb13" value="12.5"/>``), as a key of a JSON
    document; also inside a string, where markup is written ``&lt;`` and ``&quot;``.
    """

    def __init__(self, names: Iterable[str], secret: str) -> None:
        words = "|".join(re.escape(name) for name in names)
        opens, closes, quote = r"(?:<|&lt;)", r"(?:>|&gt;)", r"(?:\"|'|&quot;|&#34;|&apos;)"
        inside = rf"(?:(?!{opens}|{closes}).)*?"
        value = rf"(?:(?!{quote}|{opens}).)*"
        text = rf"(?:(?!{opens}).|{opens}!\[CDATA\[.*?(?:\]\]{closes}|$))+"
        self._masked = [
            re.compile(pattern.encode(), re.DOTALL)
            for pattern in (
                rf"({opens}(?:[\w.-]+:)?(?:{words})(?:\s{inside})?(?<!/){closes}){text}",
                rf"(\s(?:{words})\s*=\s*{quote}){value}",
                rf"({quote}(?:{words}){quote}\s*(?:{closes}|[\w:.-]+\s*=\s*{quote})){value}",
                rf"({quote}(?:{words}){quote}\s*:\s*{quote}){value}",
                rf"({quote}(?:{words}){quote}\s*:\s*)-?[0-9][0-9.eE+-]*",
            )
            if words
        ]
        forms = {secret, escape(secret), escape(escape(secret)), json.dumps(secret)[1:-1]}
        forms |= {escape(secret, {'"': "&quot;"}), escape(json.dumps(secret)[1:-1])}
        self._secrets = sorted((f.encode() for f in forms if f), key=len, reverse=True)

    def __call__(self, envelope: bytes) -> bytes:
        """The envelope without what the log must not hold."""
        if b"\x00" in envelope:
            return b"(%d bytes in a wide encoding, not kept)" % len(envelope)
        for masked in self._masked:
            envelope = masked.sub(rb"\1***", envelope)
        for secret in self._secrets:
            envelope = envelope.replace(secret, b"***")
        return envelope
