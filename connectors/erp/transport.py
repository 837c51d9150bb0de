"""HTTP under zeep: one session per connection, timeouts, no retries, the bundled WSDL only.

Replies are handed back unread, to be streamed. Imports zeep; ``client`` imports this when needed.
Not here: what an answer means (``errors``), its content (``replies``).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import requests
from zeep.transports import Transport

from b2bcrm.ports.erp import Connection
from connectors.erp.exchange import current_exchange
from connectors.erp.wsdls import ENCODING_XSD, SOAP_ENCODING


class BundleTransport(Transport):
    """Loads WSDL and XSD from the given bundle only; anything else is refused."""

    def __init__(self, bundle: Path, session: requests.Session | None = None) -> None:
        super().__init__(session=session)  # type: ignore[no-untyped-call]  # zeep's
        self.session.adapters.pop("file://", None)
        self.allowed = {str(p): p for p in bundle.iterdir() if p.suffix in {".wsdl", ".xsd"}}

    def load(self, url: str) -> bytes:
        """A file of the bundle, by its path; the SOAP encoding schema by its address."""
        if url.rstrip("/") == SOAP_ENCODING.rstrip("/"):
            return ENCODING_XSD.read_bytes()
        try:
            return self.allowed[str(Path(url).resolve())].read_bytes()
        except KeyError:
            raise PermissionError(f"not in the WSDL bundle: {url}") from None


class CallTransport(BundleTransport):
    """Posts envelopes for one connection and hands back the unread response."""

    def __init__(
        self, connection: Connection, bundle: Path, session: requests.Session, login: Any
    ) -> None:
        super().__init__(bundle, session)
        self.session.headers["User-Agent"] = "b2bcrm"
        self.session.trust_env = False  # no proxy and no netrc login from the environment
        self.timeout = (connection.connect_timeout_s, connection.read_timeout_s)
        self.login = login

    def post(self, address: str, message: bytes, headers: dict[str, str]) -> requests.Response:
        """Sends one envelope; the caller reads and closes the response."""
        exchange = current_exchange.get()
        if exchange is not None:
            exchange.request = message
            exchange.sent = True
        response = self.session.post(
            address,
            data=message,
            headers=headers,
            auth=self.login,
            timeout=self.timeout,
            stream=True,
            allow_redirects=False,  # a redirect would turn the POST into a GET of a login page
        )
        if exchange is not None:
            exchange.status = response.status_code
        return response
