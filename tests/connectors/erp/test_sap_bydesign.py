"""ByDesign's material query through the sap-bydesign profile, against the vendor's WSDL.

The WSDL lies outside of the project (ERP_SAMPLES_DIR); where it is absent most of this is skipped.
"""

from __future__ import annotations

import datetime as dt
import shutil

import pytest
from lxml import etree

from b2bcrm.ports.erp import Act, Connection, Entity, ErpCannot, ErpConfig, ErpDrift, ErpRefused
from connectors.erp.gateway import connect
from connectors.erp.twin.sales import TwinRefusal
from tests.conftest import NOW
from tests.faces import BASE, FaceTwin

CHECK = "Material/AvailabilityConfirmation"


@pytest.fixture
def byd(small_world, tmp_path):
    twin = FaceTwin(shutil.copy(small_world, tmp_path / "byd.sqlite"), "sap-bydesign", NOW)
    yield twin
    twin.world.close()


def changed(byd, monkeypatch, path, text):
    """What every answer holds at a path instead."""
    said = byd.app.face.answer

    def answer(where, request):
        found = said(where, request)
        for element in found.iterfind(path):
            element.text = text
        return found

    monkeypatch.setattr(byd.app.face, "answer", answer)


def test_every_value_that_bydesign_tells_comes_through(byd):
    told = ("name", "name_zh_hant", "name_zh_hans", "family", "kind", "base_uom", "updated_at")
    told += ("lead_time_days", "lot_size", "sellable")
    rows = sorted(byd.everything(Entity.ITEM, page_size=7), key=lambda r: r.erp_id)
    for found, own in zip(rows, byd.own(Entity.ITEM), strict=True):
        assert [getattr(found, name) for name in told] == [getattr(own, name) for name in told]
        assert found.version.lstrip("0") == own.version


def test_pages_go_on_behind_the_last_object_and_end_where_there_is_no_more(byd):
    first = byd.gateway.list(Entity.ITEM, page_size=50)
    assert (len(first.records), first.announced, first.complete) == (50, 50, True)
    last = byd.gateway.list(Entity.ITEM, page_size=50, cursor=first.next_cursor)
    assert last.next_cursor is None
    assert not {r.erp_id for r in first.records} & {r.erp_id for r in last.records}


def test_a_delta_run_gets_what_changed(byd):
    byd.at += dt.timedelta(minutes=5)
    item = byd.own(Entity.ITEM)[3]
    byd.world.touch(Entity.ITEM, item.erp_id)
    page = byd.gateway.list(Entity.ITEM, since=byd.at)
    assert [r.erp_id for r in page.records] == [item.erp_id]
    assert page.high_watermark == byd.at.replace(microsecond=0)


def test_a_page_with_fewer_hits_than_it_counts_is_not_complete(byd, monkeypatch):
    changed(byd, monkeypatch, "ProcessingConditions/ReturnedQueryHitsNumberValue", "9")
    assert not byd.gateway.list(Entity.ITEM, page_size=5).complete


@pytest.mark.parametrize(
    ("path", "text", "field"),
    [
        ("Material/Planning/SupplyPlanning/ProcurementTypeCode", "7", "kind"),
        (
            "Material/AvailabilityConfirmation/ReplenishmentLeadTimeDuration",
            "P1M",
            "lead_time_days",
        ),
    ],
)
def test_what_is_not_understood_is_held_back_with_its_field(byd, monkeypatch, path, text, field):
    changed(byd, monkeypatch, path, text)
    page = byd.gateway.list(Entity.ITEM, page_size=5)
    assert page.records == []
    assert field in page.drift[0].path
    with pytest.raises(ErpDrift, match=field):
        byd.gateway.get(Entity.ITEM, byd.own(Entity.ITEM)[0].erp_id)


def test_an_error_in_the_log_is_a_no_and_a_warning_is_not(byd, monkeypatch):
    said = byd.app.face.answer

    def answer(path, request):
        found = said(path, request)
        item = etree.SubElement(found.find("Log"), "Item")
        for name, text in (("TypeID", "1(APC)"), ("SeverityCode", severity), ("Note", "Too many")):
            etree.SubElement(item, name).text = text
        return found

    monkeypatch.setattr(byd.app.face, "answer", answer)
    severity = "2"
    assert byd.gateway.list(Entity.ITEM, page_size=5).complete
    severity = "3"
    with pytest.raises(ErpRefused, match="Too many") as caught:
        byd.gateway.list(Entity.ITEM, page_size=5)
    assert caught.value.issues[0].code == "1(APC)"


def test_a_no_of_the_tenant_to_a_query_is_told(byd, monkeypatch):
    def no():
        raise TwinRefusal("locked", "The tenant is being copied.")

    monkeypatch.setattr(byd.app.face, "_items", no)
    with pytest.raises(ErpRefused, match="being copied"):
        byd.gateway.list(Entity.ITEM)


def test_orders_are_off_with_the_reason(byd):
    capability = byd.gateway.describe().capabilities[Entity.SALES_ORDER]
    assert capability.acts == frozenset()
    for act in (Act.LIST, Act.CREATE, Act.CANCEL, Act.VALIDATE):
        assert "ManageSalesOrderIn" in capability.off[act]
    with pytest.raises(ErpCannot, match="ManageSalesOrderIn"):
        byd.gateway.create(byd.draft(site="TC1"))


def test_without_the_tenants_wsdl_the_profile_says_how_to_add_it(tmp_path):
    connection = Connection(
        "main", "sap-bydesign", BASE, "", "crm", "open", site_wsdl=str(tmp_path)
    )
    with pytest.raises(ErpConfig, match=r"wsdl add .*/querymaterialin\.wsdl"):
        connect(connection)
