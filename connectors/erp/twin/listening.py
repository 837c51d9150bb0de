"""The twin on a socket: a threaded HTTP/1.1 server that can also fail as networks do."""

from __future__ import annotations

import io
import logging
import select
import socket
import socketserver
import struct
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from connectors.erp.twin.asking import World
from connectors.erp.twin.faults import Faults
from connectors.erp.twin.server import REQUEST_CAP, TwinApp
from connectors.erp.twin.trouble import AnswerCut, AnswerLost, Restarting

log = logging.getLogger(__name__)
_RESET = struct.pack("ii", 1, 0)  # linger for no second: the peer sees a reset, not an end


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keep-alive
    disable_nagle_algorithm = True  # head and body are two writes
    timeout = 60  # seconds an idle connection is kept
    server: TwinServer

    def setup(self) -> None:
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        self.server.connections.discard(self.connection)
        super().finish()

    def handle_one_request(self) -> None:
        try:
            super().handle_one_request()
        except ConnectionError:  # he hung up between two requests
            self.close_connection = True

    def _handle(self) -> None:
        app = self.server.app
        try:
            parts = app(self._environ(), self._start)
            self.end_headers()
            for part in parts:
                self.wfile.write(part)
        except AnswerLost:
            self.close_connection = True
            select.select([self.connection], [], [], app.pace.silent_s)  # until he hangs up
        except AnswerCut:
            self._reset()
        except Restarting as pause:
            self._reset()
            self.server.restart(pause.seconds)
        except ConnectionError:  # he hung up while we spoke
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _handle  # noqa: N815 - the base's names

    def _environ(self) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        raw_length = self.headers.get("Content-Length", "0")
        length = int(raw_length) if raw_length.isdigit() else 0
        if length > REQUEST_CAP or "Transfer-Encoding" in self.headers:
            self.close_connection = True  # the rest is not read
            length = 0
        host, port = self.server.server_address[:2]
        return {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(length),
            "HTTP_AUTHORIZATION": self.headers.get("Authorization", ""),
            "HTTP_HOST": self.headers.get("Host", ""),
            "SERVER_NAME": str(host),
            "SERVER_PORT": str(port),
            "wsgi.input": io.BytesIO(self.rfile.read(length)),
        }

    def _reset(self) -> None:
        self.close_connection = True
        self.server.to_reset.add(self.connection)

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        number, _, phrase = status.partition(" ")
        self.send_response(int(number), phrase)
        for name, value in headers:
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        log.debug(format, *args)


class TwinServer(socketserver.ThreadingMixIn, HTTPServer):
    """Serves until ``shutdown``; a ``restart`` lets nobody in for a while."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, app: TwinApp, host: str, port: int) -> None:
        self.app = app
        self.connections: set[socket.socket] = set()
        self.to_reset: set[socket.socket] = set()
        self._down_s = 0.0
        self._ended = False
        super().__init__((host, port), _Handler)

    def serve_forever(self, poll_interval: float = 0.05) -> None:
        """As the base's, and again after each restart."""
        while True:
            super().serve_forever(poll_interval)
            if self._ended:
                return
            self.socket.close()
            for connection in list(self.connections):
                with suppress(OSError):  # it may have ended by itself
                    connection.shutdown(socket.SHUT_RDWR)
            time.sleep(self._down_s)
            if self._ended:
                return
            self.socket = socket.socket(self.address_family, self.socket_type)
            self.server_bind()
            self.server_activate()

    def restart(self, seconds: float) -> None:
        """Break all connections and refuse new ones for ``seconds``."""
        self._down_s = seconds
        super().shutdown()

    def shutdown(self) -> None:
        """Serve no more."""
        self._ended = True
        super().shutdown()

    def shutdown_request(self, request: Any) -> None:
        """End a connection: politely, or as one that breaks."""
        if request not in self.to_reset:
            super().shutdown_request(request)
            return
        self.to_reset.discard(request)
        request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self.close_request(request)


def make_server(app: TwinApp, host: str, port: int) -> TwinServer:
    """A server for the application; ``port`` 0 picks a free one."""
    return TwinServer(app, host, port)


def serve(
    world: World,
    host: str,
    port: int,
    *,
    user: str,
    password: str,
    validate_replies: bool = True,
    faults: Faults | None = None,
) -> None:
    """Serves until the process is told to stop. ``validate_replies=False`` is for bulk runs."""
    app = TwinApp(
        world,
        user=user,
        password=password,
        validate_replies=validate_replies,
        faults=faults,
    )
    with make_server(app, host, port) as server:
        server.serve_forever(poll_interval=0.2)
