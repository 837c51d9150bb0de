"""Orders that S/4 only takes in, through the sap-s4 profile: sent, repeated, told of later."""

from __future__ import annotations

import dataclasses
import shutil
from decimal import Decimal

import pytest
from lxml import etree

from b2bcrm.ports.erp import Act, Entity, ErpOutcomeUnknown, ErpRefused, WriteMode
from connectors.erp.gateway import connect
from connectors.erp.twin.sales import TwinRefusal
from tests.conftest import NOW
from tests.faces import FaceTwin

CODE = "{*}Body//BusinessDocumentProcessingResultCode"


@pytest.fixture
def sap(small_world, tmp_path):
    path = shutil.copy(small_world, tmp_path / "s4.sqlite")
    twin = FaceTwin(path, "sap-s4", NOW)
    yield twin
    twin.world.close()


def test_an_order_is_taken_in_without_a_number_and_entered_later(sap):
    draft = sap.draft()
    made = sap.gateway.create(draft)
    assert (made.erp_id, made.line_map) == ("", {1: 1, 2: 2})
    assert sap.count(draft.reference) == 0
    told = sap.gateway.poll(made.handle)
    assert sap.gateway.get(Entity.SALES_ORDER, told.erp_id).reference == draft.reference
    assert len(told.erp_id) == 10


def test_a_message_that_is_sent_twice_is_entered_once(sap):
    draft = sap.draft()
    first, again = sap.gateway.create(draft), sap.gateway.create(draft)
    assert first.handle == again.handle
    assert sap.gateway.poll(first.handle) == sap.gateway.poll(again.handle)
    assert sap.count(draft.reference) == 1


def test_an_order_that_was_refused_and_corrected_is_a_message_of_its_own(sap):
    draft = sap.draft()
    with pytest.raises(ErpRefused, match="QQQ"):
        sap.create(dataclasses.replace(draft, currency="QQQ"))
    assert sap.create(draft).erp_id
    assert sap.count(draft.reference) == 1


def test_a_refused_order_that_is_sent_unchanged_is_judged_anew(sap, monkeypatch):
    draft = sap.draft()

    def closed(_draft):
        raise TwinRefusal("period_closed", "The period is closed.")

    with monkeypatch.context() as month_end:
        month_end.setattr(sap.world, "create", closed)
        for _ in range(2):
            with pytest.raises(ErpRefused, match="closed"):
                sap.create(draft)
    assert sap.create(draft).erp_id
    assert sap.create(draft).erp_id
    assert sap.count(draft.reference) == 1


def test_what_s4_has_not_heard_of_is_still_open(sap):
    assert sap.gateway.poll("00000000-0000-0000-0000-000000000000") is None


def test_a_confirmation_tells_the_number_or_the_reason(sap):
    good = sap.draft()
    line = dataclasses.replace(good.lines[1], item="no-such-item")
    bad = dataclasses.replace(sap.draft("SO-26-90002/0"), lines=(good.lines[0], line))
    sap.gateway.create(good)
    sap.gateway.create(bad)
    done, refused = sap.gateway.ingest(sap.app.face.confirmations())
    assert (done.reference, done.refused) == (good.reference, ())
    assert sap.gateway.get(Entity.SALES_ORDER, done.result.erp_id).reference == good.reference
    assert (refused.reference, refused.result) == (bad.reference, None)
    assert "no-such-item" in refused.refused[0].text
    assert done.message_id != refused.message_id
    assert sap.app.face.confirmations() is None


@pytest.mark.parametrize(("code", "count"), [("1", 0), ("2", 0), ("3", 1), ("4", 1), ("5", 1)])
def test_a_confirmation_that_s4_is_at_work_confirms_nothing(sap, code, count):
    sap.gateway.create(sap.draft())
    envelope = etree.fromstring(sap.app.face.confirmations())
    envelope.find(CODE).text = code
    assert len(sap.gateway.ingest(etree.tostring(envelope))) == count


def test_a_change_sends_the_whole_order_and_a_line_left_out_is_rejected(sap):
    draft = sap.draft()
    made = sap.create(draft)
    more = dataclasses.replace(draft.lines[0], qty=Decimal(9))
    changed = dataclasses.replace(draft, reference="SO-26-90001/1", lines=(more,))
    told = sap.gateway.poll(sap.gateway.update(made.erp_id, changed).handle)
    order = sap.gateway.get(Entity.SALES_ORDER, told.erp_id)
    assert [(line.qty, line.status) for line in order.lines] == [(9, "open"), (6, "cancelled")]
    unknown = sap.gateway.update("9999999999", changed)
    with pytest.raises(ErpRefused, match="9999999999"):
        sap.gateway.poll(unknown.handle)


def test_an_order_is_cancelled_at_once(sap):
    draft = sap.draft()
    made = sap.create(draft)
    assert sap.gateway.cancel(made.erp_id, reference=draft.reference, reason="no need").handle == ""
    assert sap.gateway.get(Entity.SALES_ORDER, made.erp_id).status == "cancelled"


def test_what_s4_cannot_do_is_said_with_its_reason(sap):
    capability = sap.gateway.describe().capabilities[Entity.SALES_ORDER]
    assert capability.write_mode is WriteMode.CALLBACK
    assert "judges it later" in capability.off[Act.VALIDATE]


def test_a_service_that_is_not_active_leaves_the_outcome_open(small_world, tmp_path):
    path = shutil.copy(small_world, tmp_path / "other.sqlite")
    twin = FaceTwin(path, "sap-s4", NOW)
    draft = twin.draft()
    address = f"{twin.connection.base_url}/elsewhere"
    other = dataclasses.replace(twin.connection, base_url=address)
    with pytest.raises(ErpOutcomeUnknown, match="not active"):
        connect(other, session=twin.session).create(draft)
    twin.world.close()
