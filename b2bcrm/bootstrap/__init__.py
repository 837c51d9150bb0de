"""Composition root: ``routes`` (what follows from each event), ``feeds`` (who takes what the ERP
sends), ``house`` (which adapter serves a port). Only processes and tests import it.
"""

from __future__ import annotations

from b2bcrm.bootstrap.connections import Listening, erp_connection, register_main, vault_of
from b2bcrm.bootstrap.feeds import APPLIERS, IDENTIFY, appliers, identify
from b2bcrm.bootstrap.house import (
    DAILY,
    EVENTS,
    House,
    build,
    connect_mail,
    handlers,
    open_office,
)
from b2bcrm.bootstrap.routes import ROUTES

__all__ = [
    "APPLIERS",
    "DAILY",
    "EVENTS",
    "IDENTIFY",
    "ROUTES",
    "House",
    "Listening",
    "appliers",
    "build",
    "connect_mail",
    "erp_connection",
    "handlers",
    "identify",
    "open_office",
    "register_main",
    "vault_of",
]
