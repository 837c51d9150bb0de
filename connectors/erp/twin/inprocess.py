"""The twin behind a ``requests`` session without a socket: zeep's whole path, nobody listens.

Its troubles look as they do on the wire: a lost answer is a read timeout, a cut one a reset
connection, and while it restarts no connection comes about.
"""

from __future__ import annotations

import io
import time
from collections.abc import Iterable, Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse
from urllib3.exceptions import MaxRetryError, NewConnectionError

from connectors.erp.twin.server import TwinApp
from connectors.erp.twin.trouble import AnswerCut, AnswerLost, Restarting


class _Parts(io.RawIOBase):
    """A body that comes part by part."""

    def __init__(self, parts: Iterable[bytes]) -> None:
        self._parts = iter(parts)
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._left:
            try:
                self._left = next(self._parts, b"")
            except AnswerCut as error:
                raise ConnectionResetError(str(error)) from error
        size = min(len(buffer), len(self._left))
        buffer[:size], self._left = self._left[:size], self._left[size:]
        return size


class InProcessAdapter(BaseAdapter):
    """Hands each request to the application and its answer back as if it came over HTTP."""

    def __init__(self, app: TwinApp) -> None:
        super().__init__()
        self._app = app
        self._http = HTTPAdapter()
        self._down_until = 0.0  # monotonic seconds

    def send(  # noqa: PLR0917 - the base's signature
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the base's signature
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002 - the base's signature
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One exchange. Raises what ``requests`` would."""
        del stream, timeout, verify, cert, proxies
        if time.monotonic() < self._down_until:
            refused = NewConnectionError(None, "connection refused")  # type: ignore[arg-type]
            reason = MaxRetryError(None, request.path_url, refused)  # type: ignore[arg-type]
            raise requests.ConnectionError(reason, request=request)
        path, _, query = request.path_url.partition("?")
        sent = request.body or b""
        body = sent if isinstance(sent, bytes) else str(sent).encode()
        environ = {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_AUTHORIZATION": request.headers.get("Authorization", ""),
            "HTTP_HOST": "erp.invalid",
            "wsgi.input": io.BytesIO(body),
        }
        head: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]]) -> None:
            head.update(status=int(status[:3]), headers=headers)

        try:
            parts = self._app(environ, start)
        except AnswerLost as error:
            raise requests.ReadTimeout(str(error), request=request) from error
        except Restarting as error:
            self._down_until = time.monotonic() + error.seconds
            raise requests.ConnectionError(str(error), request=request) from error
        raw = HTTPResponse(
            body=io.BufferedReader(_Parts(parts)),
            headers=dict(head["headers"]),
            status=head["status"],
            preload_content=False,
            request_method=request.method,
        )
        return self._http.build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


def mount(app: TwinApp, base_url: str) -> requests.Session:
    """A session for which everything below ``base_url`` is the application."""
    session = requests.Session()
    session.mount(base_url, InProcessAdapter(app))
    return session
