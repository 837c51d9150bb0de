"""The twin behind a ``requests`` session without a socket: zeep's whole path, nobody listens."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from connectors.erp.twin.server import AnswerLost, TwinApp


class InProcessAdapter(BaseAdapter):
    """Hands each request to the application and its answer back as if it came over HTTP."""

    def __init__(self, app: TwinApp) -> None:
        super().__init__()
        self._app = app
        self._http = HTTPAdapter()

    def send(  # noqa: PLR0917 - the base's signature
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002 - the base's signature
        timeout: Any = None,
        verify: bool | str = True,  # noqa: FBT001, FBT002 - the base's signature
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One exchange; a lost answer is a read timeout, as it would be on the wire."""
        del stream, timeout, verify, cert, proxies
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
            content = b"".join(self._app(environ, start))
        except AnswerLost as error:
            raise requests.ReadTimeout(str(error), request=request) from error
        raw = HTTPResponse(
            body=io.BytesIO(content),
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
