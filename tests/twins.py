"""The ERP twin in process, as every test that needs an ERP gets it: the only fake there is."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from b2bcrm.ports.erp import Connection, ErpGateway
from connectors.erp.gateway import connect
from connectors.erp.twin.faults import Fault
from connectors.erp.twin.inprocess import mount
from connectors.erp.twin.server import TwinApp
from connectors.erp.twin.world import TwinWorld

BASE = "http://erp.test"
CONNECTION = Connection(
    code="main", profile="twin", base_url=BASE, company="FPD-TW", user="crm", secret="open"
)


class Twin:
    """A fresh copy of the small world, its clock, its faults, and a gateway to it."""

    def __init__(self, path: Path, now: dt.datetime) -> None:
        self.at = now
        self.faults: dict[str, Fault] = {}
        self.world = TwinWorld(path, now=lambda: self.at)
        app = TwinApp(
            self.world,
            user="crm",
            password="open",
            faults=lambda asked: self.faults.pop(asked.operation, None),
        )
        self.session = mount(app, BASE)
        self.gateway: ErpGateway = connect(CONNECTION, session=self.session, now=lambda: self.at)

    def advance(self, *, days: int = 0, minutes: int = 0) -> None:
        """Let business time pass."""
        self.at += dt.timedelta(days=days, minutes=minutes)
        self.world.advance_to(self.at)
