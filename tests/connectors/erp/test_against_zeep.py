"""What zeep reads of a reply, we read too: the same values, wherever zeep can read at all."""

from __future__ import annotations

import datetime as dt
import shutil
import tomllib
from decimal import Decimal

import pytest
from lxml import etree

from b2bcrm.ports.erp import Entity
from connectors.erp import wsdls
from connectors.erp.profile import PROFILE_DIR, load
from connectors.erp.twin.faces import FaceApp
from connectors.erp.twin.world import TwinWorld
from tests.faces import TODAY, FaceTwin

NAV = load("dynamics-nav")
FIELDS = tomllib.loads((PROFILE_DIR / "dynamics-nav.toml").read_text(encoding="utf-8"))["read"]
PAGES = {
    Entity.CUSTOMER: "Customer",
    Entity.ITEM: "Item",
    Entity.SALES_ORDER: "SalesOrder",
    Entity.SHIPMENT: "PostedSalesShipment",
    Entity.INVOICE: "PostedSalesInvoice",
}


@pytest.fixture(scope="module")
def nav(tmp_path_factory):
    path = tmp_path_factory.mktemp("nav") / "small.sqlite"
    TwinWorld.generate(path, size="small", seed=7, today=TODAY)
    twin = FaceTwin(shutil.copy(path, path.with_name("own.sqlite")), "dynamics-nav")
    yield twin
    twin.world.close()


def plain(specs):
    """Fields that are read as they stand, and the element each is read from."""
    found = {}
    for name, spec in specs.items():
        if isinstance(spec, str):
            path, *transforms = spec.split("|")
            words = {transform.partition(":")[0] for transform in transforms}
            if path and "/" not in path and words <= {"decimal", "default", "date", "int", "text"}:
                found[name] = path
    return found


def same(mine, theirs):
    if theirs is None:  # absent: what the profile says it means
        return mine in {"", None, Decimal(0), True, False}
    if isinstance(theirs, dt.datetime):
        return mine == theirs.astimezone(dt.UTC)
    return mine == theirs


@pytest.mark.parametrize("entity", PAGES)
def test_every_plain_field_of_a_page_is_what_zeep_makes_of_it(nav, entity, monkeypatch):
    whole = []
    call_of = FaceApp.__call__

    def keep(app, environ, start):
        parts = list(call_of(app, environ, start))
        whole.append(b"".join(parts))
        return parts

    monkeypatch.setattr(FaceApp, "__call__", keep)
    call = NAV.calls[f"list {entity}"]
    page = nav.gateway.list(entity, page_size=40)
    service = NAV.services[call.service]
    wsdl = wsdls.document(NAV.wsdls[call.service])
    body = etree.fromstring(whole[0]).find("{*}Body")
    operation = wsdl.bindings[service.binding].get(call.operation)
    theirs = operation.output.body.parse(body[0], wsdl.types)
    rows = theirs["ReadMultiple_Result"][PAGES[entity]]
    names = plain({**FIELDS["common"], **FIELDS[entity.value]["fields"]})
    assert len(rows) == len(page.records) > 5
    assert len(names) > 5
    for mine, row in zip(page.records, rows, strict=True):
        for name, path in names.items():
            assert same(getattr(mine, name), row[path]), (name, getattr(mine, name), row[path])
    if entity is Entity.SALES_ORDER:
        lines = plain(FIELDS["sales_order"]["fields"]["lines"]["fields"])
        for mine, row in zip(page.records, rows, strict=True):
            kept = [
                line for line in row["SalesLines"]["Sales_Order_Line"] if line["Type"] == "Item"
            ]
            for own, line in zip(mine.lines, kept, strict=True):
                assert all(same(getattr(own, n), line[p]) for n, p in lines.items())
