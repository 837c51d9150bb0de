"""zeep, held at arm's length: it reads the WSDL, picks the binding and builds envelopes.

It never reads a business reply. It is imported on first use, since it takes a good part of a
second. One parsed WSDL per process, one client and session per connection.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests
from requests.auth import AuthBase

from b2bcrm.ports.erp import Connection
from connectors.erp import wsdls
from connectors.erp.profile.model import Auth, Service


class HeaderLogin(AuthBase):
    """A header with the secret: ``Authorization: Bearer ...``, or one of the ERP's own."""

    def __init__(self, header: str, value: str) -> None:
        self.header = header
        self.value: Any = value.encode()  # else Latin-1; the stubs want text

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request with the header."""
        request.headers[self.header] = self.value
        return request


class NoLogin(AuthBase):
    """The login stands in the message, or there is none; netrc is not asked."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """The request as it is."""
        return request


def login(auth: Auth, connection: Connection) -> Any:
    """What ``requests`` sends with each call."""
    if auth.style == "basic":
        return connection.user.encode(), connection.secret.encode()  # else Latin-1
    if auth.style == "bearer":
        return HeaderLogin("Authorization", f"Bearer {connection.secret}")
    if auth.style == "header":
        return HeaderLogin(auth.header, connection.secret)
    return NoLogin()


def service(
    connection: Connection, service: Service, wsdl: Path, auth: Auth, session: requests.Session
) -> Any:
    """Zeep's callable operations of a service; each returns the raw response."""
    from zeep import Client, Settings
    from zeep.wsse.username import UsernameToken

    from connectors.erp.transport import CallTransport
    from connectors.erp.wire_plugins import CorrelationPlugin, SayTypesPlugin

    wsse = None
    if auth.style == "wss-username":
        wsse = UsernameToken(connection.user, connection.secret, use_digest=auth.digest)
    client = Client(
        wsdls.document(wsdl),
        wsse=wsse,
        transport=CallTransport(connection, wsdl.parent, session, login(auth, connection)),
        plugins=[CorrelationPlugin(), *([SayTypesPlugin()] if service.say_types else [])],
        settings=Settings(raw_response=True, forbid_dtd=True, forbid_external=True),
    )
    return client.create_service(service.binding, service.address(connection))
