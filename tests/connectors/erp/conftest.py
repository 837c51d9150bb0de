"""Canned answers behind a real session, so that every odd reply runs through the whole gateway."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from b2bcrm.ports.erp import Connection
from connectors.erp.gateway import connect

BASE = "http://erp.test"
CONNECTION = Connection(
    code="main", profile="twin", base_url=BASE, company="FPD", user="crm", secret="s3cret-word"
)


class Canned(BaseAdapter):
    """Answers each request by a function of it, and remembers what was sent."""

    def __init__(self, answer: Callable) -> None:
        super().__init__()
        self.answer = answer
        self.sent: list[requests.PreparedRequest] = []

    def send(self, request, **kwargs):
        self.sent.append(request)
        status, kind, body = self.answer(request)
        raw = HTTPResponse(
            body=body if hasattr(body, "read") else io.BytesIO(body),
            headers={"Content-Type": kind},
            status=status,
            preload_content=False,
            request_method=request.method,
        )
        return HTTPAdapter().build_response(request, raw)

    def close(self):
        pass


class Notes:
    """An envelope log that keeps everything in a list."""

    def __init__(self) -> None:
        self.kept: list[dict] = []

    def room(self):
        return 64 * 1024

    def note(self, **fields):
        self.kept.append(fields)


def envelope(body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f'<s:Body xmlns="urn:formosa:erp:1">{body}</s:Body></s:Envelope>'
    ).encode()


@pytest.fixture
def gateway_for():
    """A gateway whose every call gets one canned answer: (status, media type, body)."""

    def build(answer, *, log=None, **changes):
        if not callable(answer):
            canned = answer
            answer = lambda request: canned  # noqa: E731
        session = requests.Session()
        adapter = Canned(answer)
        session.mount(BASE, adapter)
        fields = {f: getattr(CONNECTION, f) for f in CONNECTION.__dataclass_fields__} | changes
        gateway = connect(Connection(**fields), log, session)
        gateway.adapter = adapter
        return gateway

    return build


@pytest.fixture
def xml():
    """A body's content as an answer with HTTP 200."""
    return lambda body, status=200: (status, "text/xml; charset=utf-8", envelope(body))


@pytest.fixture
def notes():
    return Notes()
