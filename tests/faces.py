"""A fresh small world behind one ERP's face, and a gateway with that ERP's profile to it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import shutil
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from b2bcrm.ports.erp import Connection, Entity, OrderDraft, OrderDraftLine
from connectors.erp import site_wsdl
from connectors.erp.gateway import connect
from connectors.erp.twin.faces import FaceApp
from connectors.erp.twin.faces.bydesign import ByDesignFace, is_material
from connectors.erp.twin.faces.dolibarr import KEY, DolibarrFace
from connectors.erp.twin.faces.eas import EasFace
from connectors.erp.twin.faces.ecc import EccFace, kept
from connectors.erp.twin.faces.nav import NavFace
from connectors.erp.twin.faces.s4 import S4Face
from connectors.erp.twin.faces.tiptop import TiptopFace
from connectors.erp.twin.faces.u9 import U9Face
from connectors.erp.twin.faces.x3 import X3Face
from connectors.erp.twin.inprocess import mount
from connectors.erp.twin.world import TwinWorld

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = Path(os.environ.get("ERP_SAMPLES_DIR", ROOT.parent / "shared" / "erp-samples"))
BASE = "http://erp.test"
TODAY = dt.date(2026, 11, 17)
START = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)
SAP = {
    "company": "1000",
    "params": {
        "client": "100",
        "channel": "10",
        "division": "00",
        "order_type": "TA",
        "price_condition": "PR00",
    },
}

FACES: dict[str, tuple[Callable, bool, dict]] = {  # door, whether it asks for HTTP Basic, settings
    "dynamics-nav": (NavFace, True, {}),
    "digiwin-tiptop": (TiptopFace, False, {"params": {"source": "192.0.2.7"}}),
    "yonyou-u9": (U9Face, False, {"params": {"doc_type": "SO3"}}),
    "kingdee-eas": (EasFace, False, {"params": {"db_type": "1"}}),
    "sage-x3": (X3Face, True, {"params": {"order_type": "SON"}}),
    "sap-ecc": (EccFace, True, SAP),
    "sap-bydesign": (ByDesignFace, True, {"company": ""}),
    "sap-s4": (S4Face, True, {**SAP, "params": {**SAP["params"], "system": "CRM"}}),
}
THIN_FACES: dict[str, tuple[Callable, bool, dict]] = {  # which keep less than the world has
    "dolibarr": (DolibarrFace, False, {"company": "", "params": {"key": KEY, "vat_rate": "19"}}),
}
WRITERS = [name for name in FACES if name != "sap-bydesign"]  # which take orders
KEPT = {"sap-ecc": kept, "sap-s4": kept}  # a record of the world as this ERP keys it
ABSENT = (
    f"a running system's own files are not there: set ERP_SAMPLES_DIR (looked in {SAMPLES.name})"
)


def _sample(*names: str) -> Path:
    path = SAMPLES.joinpath(*names)
    if not path.exists():
        pytest.skip(ABSENT)
    return path


def _add_dolibarr(site: Path) -> Path:
    wsdls = _sample("dolibarr", "wsdl")
    shutil.copytree(wsdls, site / "dolibarr", dirs_exist_ok=True)
    return wsdls


def _add_bydesign(site: Path) -> Path:
    sample = _sample("wsdl", "sap-bydesign", "QueryMaterialIn.wsdl")
    name = "sap-bydesign/querymaterialin.wsdl"
    site_wsdl.add(str(sample), site, at=START, name=name, replace=True)
    return site / name


SITES = {"dolibarr": _add_dolibarr, "sap-bydesign": _add_bydesign}
"""As an administrator adds a site's WSDLs to a folder; answers what the face reads."""


class FaceTwin:
    """The world in ``path`` behind the door of ``profile``; ``changes`` go into the connection."""

    def __init__(self, path, profile: str, now: dt.datetime = START, **changes) -> None:
        self.at = now
        self.kept = KEPT.get(profile, lambda record: record)
        face, basic, given = (FACES | THIN_FACES)[profile]
        self.world = TwinWorld(path, now=lambda: self.at)
        wsdls = []
        if profile in SITES:
            site = Path(path).parent / "site"
            wsdls = [SITES[profile](site)]
            given = {**given, "site_wsdl": str(site)}
        door = face(self.world, *wsdls)
        self.app = FaceApp(self.world, door, "crm" if basic else "", "open")
        self.session = mount(self.app, BASE)
        settings = {"company": "FPD-TW", "user": "crm", "secret": "open"} | given | changes
        self.connection = Connection("main", profile, BASE, **settings)
        self.gateway = connect(self.connection, session=self.session, now=lambda: self.at)

    def everything(self, entity, *, page_size=500, since=None):
        rows, cursor = [], None
        while True:
            page = self.gateway.list(entity, since=since, cursor=cursor, page_size=page_size)
            assert page.complete, page.drift
            assert not page.unknown
            rows += page.records
            if (cursor := page.next_cursor) is None:
                return rows

    def own(self, entity):
        records = self.world.list(entity, page_size=10**6).records
        if entity is Entity.ITEM and self.connection.profile == "sap-bydesign":
            records = [record for record in records if is_material(record)]
        return sorted(map(self.kept, records), key=lambda r: r.erp_id)

    def draft(self, reference="SO-26-90001/0", **changes):
        customer = next(
            c for c in self.own(Entity.CUSTOMER) if not c.credit_hold and c.company == "FPD-TW"
        )
        item = next(
            i for i in self.own(Entity.ITEM) if i.sellable and i.active and i.kind == "make"
        )
        lines = tuple(
            OrderDraftLine(
                line_no=n,
                item=item.erp_id,
                qty=Decimal(n + 4),
                uom=item.base_uom,
                unit_price=Decimal("1234.5"),
                discount_pct=Decimal("2.5"),
                requested_on=TODAY + dt.timedelta(days=60),
                promised_on=TODAY + dt.timedelta(days=63),
                customer_part_no="料號 7-A",
            )
            for n in (1, 2)
        )
        fields = {
            "reference": reference,
            "customer": customer.erp_id,
            "customer_po": "PO 7 & <8>",
            "ordered_on": TODAY,
            "currency": customer.currency,
            "ship_to": next(a.code for a in customer.addresses if a.kind == "ship_to"),
            "incoterm": customer.incoterm,
            "incoterm_place": customer.incoterm_place,
            "payment_terms": customer.payment_terms,
            "site": "TC1",
            "note": "",
            "lines": lines,
        }
        return OrderDraft(**fields | changes)

    def create(self, draft):
        """Enter a draft; where it is only taken in, ask what became of it."""
        made = self.gateway.create(draft)
        if not made.handle:
            return made
        told = self.gateway.poll(made.handle)
        return dataclasses.replace(told, line_map=made.line_map)

    def count(self, reference):
        return len(self.world.lookup(Entity.SALES_ORDER, "reference", reference))
