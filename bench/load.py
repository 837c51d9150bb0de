"""A small load generator: fixed requests over a few kept-alive connections, bounded in time.

One thread, raw sockets: it costs the measured server as little as possible on a shared machine.
"""

from __future__ import annotations

import selectors
import socket
import time
from dataclasses import dataclass, field

CONNECTIONS = 8


@dataclass
class Result:
    """``seconds`` of wall time, each request's latency in seconds, and wrong answers."""

    seconds: float
    latencies: list[float] = field(default_factory=list)
    wrong: int = 0
    size: int = 0

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    def percentile(self, part: float) -> float:
        """Latency in milliseconds below which ``part`` of the requests stayed."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))]


class _Connection:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.buffer = b""
        self.sent_at = 0.0
        self.needed = -1

    def send(self, request: bytes) -> None:
        self.buffer, self.needed, self.sent_at = b"", -1, time.perf_counter()
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The answer's head when all of it is here, else None."""
        chunk = self.socket.recv(262_144)
        if not chunk:
            raise ConnectionError("the server closed the connection")
        self.buffer += chunk
        if self.needed < 0:
            head, found, _body = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return None
            length = next(
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length")
            )
            self.needed = len(head) + 4 + length
        return self.buffer[:64] if len(self.buffer) >= self.needed else None


def run(port: int, path: str, cookie: str, *, seconds: float) -> Result:
    """Ask for ``path`` again and again for ``seconds`` and count what came back."""
    request = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
        "Connection: keep-alive\r\n\r\n"
    ).encode()
    selector = selectors.DefaultSelector()
    for _ in range(CONNECTIONS):
        connection = _Connection(port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request)
    result = Result(seconds=0.0)
    start = time.perf_counter()
    end = start + seconds
    while (now := time.perf_counter()) < end:
        for key, _events in selector.select(timeout=1.0):
            connection = key.data
            head = connection.receive()
            if head is None:
                continue
            now = time.perf_counter()
            result.latencies.append(now - connection.sent_at)
            result.size = connection.needed
            result.wrong += not head.startswith(b"HTTP/1.1 200")
            connection.send(request)
    result.seconds = now - start
    for key in list(selector.get_map().values()):
        key.data.socket.close()
    selector.close()
    return result
