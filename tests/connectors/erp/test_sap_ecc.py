"""SAP's own ways, through the sap-ecc profile: RETURN tables, zeros, commits, empty dates."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from decimal import Decimal

import pytest
from lxml import etree

from b2bcrm.ports.erp import (
    Entity,
    ErpAuth,
    ErpConfig,
    ErpConflict,
    ErpOutcomeUnknown,
    ErpRefused,
    ErpUnavailable,
    ErpUnknownRecord,
)
from connectors.erp.twin.sales import TwinRefusal
from tests.conftest import NOW
from tests.faces import FaceTwin

EVERYTHING = (
    Entity.CUSTOMER,
    Entity.STOCK,
    Entity.PURCHASE_ORDER,
    Entity.WORK_ORDER,
    Entity.SALES_ORDER,
    Entity.SHIPMENT,
    Entity.INVOICE,
)


@pytest.fixture
def sap(small_world, tmp_path):
    path = shutil.copy(small_world, tmp_path / "ecc.sqlite")
    twin = FaceTwin(path, "sap-ecc", NOW)
    yield twin
    twin.world.close()


def say(sap, monkeypatch, **message):
    """The next answer carries this message beside what is said."""
    said = sap.app.face.answer

    def answer(path, request):
        found = said(path, request)
        row = etree.SubElement(found.find("RETURN"), "item")
        for name, text in message.items():
            etree.SubElement(row, name).text = text
        return found

    monkeypatch.setattr(sap.app.face, "answer", answer)


@pytest.mark.parametrize("entity", EVERYTHING)
def test_every_value_of_a_record_comes_through_the_wrapper(sap, entity):
    rows = sorted(sap.everything(entity, page_size=50), key=lambda r: r.erp_id)
    for found, own in zip(rows, sap.own(entity), strict=True):
        mine = {**vars(own), "version": found.version, "company": found.company}
        assert {k: v for k, v in vars(found).items() if mine[k] != v} == {}
        assert found.version.lstrip("0") == own.version


def test_numbers_keep_their_zeros_and_are_found_without_them(sap):
    order = next(o for o in sap.own(Entity.SALES_ORDER) if o.erp_id == "0000418001")
    found = sap.gateway.get(Entity.SALES_ORDER, "418001")
    assert (found.erp_id, found.customer) == ("0000418001", order.customer)
    assert len(found.customer) == 10


def test_a_date_of_zeros_is_no_date(sap):
    running = [o for o in sap.everything(Entity.WORK_ORDER) if o.actual_end_on is None]
    assert running
    assert all(o.operations[-1].done_at is None for o in running if o.operations)


@pytest.mark.parametrize("kind", ["E", "A"])
def test_a_message_of_a_bad_type_is_a_no_though_a_number_came_with_it(sap, monkeypatch, kind):
    say(sap, monkeypatch, TYPE=kind, ID="V4", NUMBER="219", MESSAGE="Not changed", ROW="2")
    with pytest.raises(ErpRefused, match="Not changed") as caught:
        sap.gateway.create(sap.draft())
    assert [(i.code, i.line_no) for i in caught.value.issues] == [("219", 2)]


@pytest.mark.parametrize("kind", ["S", "I", "W"])
def test_a_message_of_a_good_type_is_none(sap, monkeypatch, kind):
    say(sap, monkeypatch, TYPE=kind, ID="V1", NUMBER="311", MESSAGE="Standard order")
    assert sap.gateway.create(sap.draft()).erp_id


@pytest.mark.parametrize(
    ("names", "error"),
    [("V1", ErpUnavailable), ("ZZ", ErpRefused)],
)
def test_a_document_that_somebody_has_open_is_tried_again(sap, monkeypatch, names, error):
    say(sap, monkeypatch, TYPE="E", ID=names, NUMBER="042", MESSAGE="is processed by MILLER")
    with pytest.raises(error, match="MILLER"):
        sap.gateway.create(sap.draft())


def test_a_number_without_a_commit_is_looked_up_before_anything_is_sent_again(sap):
    sap.app.face.commits = False
    with pytest.raises(ErpOutcomeUnknown):
        sap.gateway.create(sap.draft())
    assert sap.gateway.lookup(Entity.SALES_ORDER, "reference", "SO-26-90001/0") == []
    sap.app.face.commits = True
    assert sap.gateway.create(sap.draft()).erp_id
    assert sap.count("SO-26-90001/0") == 1


def test_a_test_run_needs_no_commit_and_enters_nothing(sap):
    assert sap.gateway.validate(sap.draft()) == ()
    good = sap.draft()
    bad = dataclasses.replace(good.lines[1], item="no-such-item")
    (issue,) = sap.gateway.validate(dataclasses.replace(good, lines=(good.lines[0], bad)))
    assert (issue.field, issue.line_no) == ("item", 2)
    assert sap.count(good.reference) == 0


def test_a_text_that_sap_would_cut_is_refused_with_its_field(sap):
    with pytest.raises(ErpRefused, match="35 characters") as caught:
        sap.gateway.create(sap.draft(customer_po="P" * 36))
    assert caught.value.issues[0].field == "customer_po"
    assert sap.gateway.create(sap.draft(customer_po="P" * 35)).erp_id


def test_an_overtaken_change_and_an_unknown_order_are_told_apart(sap):
    draft = sap.draft()
    made = sap.gateway.create(draft)
    more = dataclasses.replace(draft.lines[0], qty=Decimal(9))
    changed = dataclasses.replace(draft, reference="SO-26-90001/1", lines=(more, draft.lines[1]))
    done = sap.gateway.update(made.erp_id, changed, expected_version=made.version)
    assert done.version > made.version
    with pytest.raises(ErpConflict):
        sap.gateway.update(made.erp_id, draft, expected_version=made.version)
    with pytest.raises(ErpUnknownRecord):
        sap.gateway.cancel("9999999999", reference="", reason="")
    sap.gateway.cancel(made.erp_id, reference=changed.reference, reason="no need")
    assert sap.gateway.get(Entity.SALES_ORDER, made.erp_id).status == "cancelled"


def test_a_company_code_that_is_not_there_is_a_matter_of_the_settings(small_world, tmp_path):
    path = shutil.copy(small_world, tmp_path / "other.sqlite")
    twin = FaceTwin(path, "sap-ecc", NOW, company="4711")
    assert "4711" in str(twin.gateway.check().message)
    with pytest.raises(ErpConfig, match="4711"):
        twin.gateway.list(Entity.ITEM)
    twin.world.close()


def test_what_saps_own_check_confirms_has_a_date(sap):
    item = next(s for s in sap.own(Entity.STOCK) if s.on_hand - s.allocated > 3)
    on = NOW.date() + dt.timedelta(days=30)
    assert sap.gateway.availability(item.item, item.site, Decimal(2), on).on == on
    assert sap.gateway.availability(item.item, item.site, Decimal(90_000), on).qty == 90_000
    with pytest.raises(ErpRefused, match="no-such"):
        sap.gateway.availability("no-such", item.site, Decimal(1), on)


def test_another_client_or_a_wrong_password_is_no_list(small_world, tmp_path):
    path = shutil.copy(small_world, tmp_path / "other.sqlite")
    twin = FaceTwin(path, "sap-ecc", NOW, secret="wrong")
    with pytest.raises(ErpAuth):
        twin.gateway.list(Entity.ITEM)
    twin.world.close()


def test_the_wrappers_own_no_to_a_list_is_a_no(sap, monkeypatch):
    def no(path, request):
        del path, request
        raise TwinRefusal("not_now", "Month-end closing is running.")

    monkeypatch.setattr(sap.app.face, "answer", no)
    with pytest.raises(ErpRefused, match="Month-end"):
        sap.gateway.list(Entity.SALES_ORDER)
