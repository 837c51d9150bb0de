"""zeep, held at arm's length: one parsed WSDL per bundle and process, one client per connection.

zeep reads the WSDL, picks the binding and builds envelopes; it never reads a business reply.
It is imported on first use, since it takes a good part of a second.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from b2bcrm.ports.erp import Connection

if TYPE_CHECKING:
    from zeep.wsdl import Document

WSDL_DIR = Path(__file__).resolve().parent / "wsdl"


@lru_cache(maxsize=16)
def document(wsdl: str) -> Document:
    """The parsed WSDL ``<bundle>/<file>`` below ``wsdl/``; nothing is fetched from anywhere."""
    from zeep import Settings
    from zeep.wsdl import Document

    from connectors.erp.transport import BundleTransport

    path = WSDL_DIR / wsdl
    settings = Settings(forbid_dtd=True, forbid_entities=True, forbid_external=True)
    transport: Any = BundleTransport(path.parent)  # zeep's hint asks for the class
    return Document(str(path), transport, settings=settings)


def digest(wsdl: str) -> str:
    """SHA-256 over the bundle's files, to notice a changed contract."""
    total = hashlib.sha256()
    for path in sorted((WSDL_DIR / wsdl).parent.iterdir()):
        total.update(path.name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def service(
    connection: Connection, *, wsdl: str, binding: str, endpoint: str, session: requests.Session
) -> Any:
    """Zeep's callable operations of ``binding`` at ``endpoint``; each returns the raw response."""
    from zeep import Client, Settings

    from connectors.erp.transport import CallTransport
    from connectors.erp.wire_plugins import CorrelationPlugin

    transport = CallTransport(connection, (WSDL_DIR / wsdl).parent, session)
    client = Client(
        document(wsdl),
        transport=transport,
        plugins=[CorrelationPlugin()],
        settings=Settings(raw_response=True, forbid_dtd=True, forbid_external=True),
    )
    return client.create_service(binding, endpoint)
