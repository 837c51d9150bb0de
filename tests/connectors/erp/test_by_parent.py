"""Lists of keys in pages with each record read by itself, shown with Sage X3."""

from __future__ import annotations

import dataclasses
import shutil

import pytest

from b2bcrm.ports.erp import (
    Act,
    Entity,
    ErpConfig,
    ErpDrift,
    ErpRefused,
    ErpThrottled,
    ErpUnavailable,
)
from connectors.erp.twin.faces import FaceFault
from connectors.erp.twin.world import TwinWorld
from tests.faces import TODAY, FaceTwin


@pytest.fixture(scope="module")
def made_world(tmp_path_factory):
    path = tmp_path_factory.mktemp("by-parent") / "small.sqlite"
    TwinWorld.generate(path, size="small", seed=7, today=TODAY)
    return path


@pytest.fixture
def x3(made_world, tmp_path):
    twin = FaceTwin(shutil.copy(made_world, tmp_path / "own.sqlite"), "sage-x3")
    twin.asked = []
    answer = twin.app.face.answer

    def watched(path, request):
        twin.asked.append(request.tag.rpartition("}")[2])
        return answer(path, request)

    twin.app.face.answer = watched
    yield twin
    twin.world.close()


def screens(twin, name, change):
    """What X3 shows of an object, changed on its way out."""
    kinds = twin.app.face.objects
    entity, group, key, screens_of = kinds[name]
    twin.app.face.objects = {
        **kinds,
        name: (entity, group, key, lambda record: change(screens_of(record))),
    }


@pytest.mark.parametrize("size", [2, 7, 500])
def test_pages_of_keys_that_begin_with_the_last_one_give_every_record_once(x3, size):
    rows = x3.everything(Entity.CUSTOMER, page_size=size)
    assert [r.erp_id for r in rows] == [r.erp_id for r in x3.own(Entity.CUSTOMER)]
    assert x3.asked.count("read") == len(rows)


def test_keys_are_not_read_again_for_each_page(x3):
    x3.everything(Entity.ITEM, page_size=20)
    assert x3.asked.count("query") <= 80 // 19 + 2


def test_a_record_that_went_between_its_key_and_itself_is_left_out(x3, monkeypatch):
    gone = x3.own(Entity.CUSTOMER)[3].erp_id
    get = x3.world.get
    monkeypatch.setattr(
        x3.world, "get", lambda entity, key: None if key == gone else get(entity, key)
    )
    rows = x3.everything(Entity.CUSTOMER)
    assert gone not in {r.erp_id for r in rows}
    assert len(rows) == len(x3.own(Entity.CUSTOMER)) - 1


def test_a_record_that_cannot_be_read_holds_its_page_back(x3):
    def odd(found):
        if found["BPC0_1"]["BPCNUM"] == x3.own(Entity.CUSTOMER)[0].erp_id:
            found["BPC2_1"]["OSTCTL"] = 9
        return found

    screens(x3, "BPC", odd)
    page = x3.gateway.list(Entity.CUSTOMER)
    assert not page.complete
    assert [d.reason for d in page.drift] == ["unknown held: '9'"]


def test_a_look_up_that_meets_what_it_cannot_read_never_says_not_found(x3):
    x3.gateway.create(x3.draft())
    screens(x3, "SOH", lambda found: found | {"SOH1_1": found["SOH1_1"] | {"ORDSTA": 7}})
    with pytest.raises(ErpDrift):
        x3.gateway.lookup(Entity.SALES_ORDER, "reference", "SO-26-90001/0")


def test_an_order_is_found_by_its_reference_with_two_calls(x3):
    made = x3.gateway.create(x3.draft())
    x3.asked.clear()
    (order,) = x3.gateway.lookup(Entity.SALES_ORDER, "reference", "SO-26-90001")
    assert order.erp_id == made.erp_id
    assert x3.asked == ["query", "read"]
    capability = x3.gateway.describe().capabilities[Entity.SALES_ORDER]
    assert Act.LOOKUP in capability.acts
    assert capability.lookup_fields == {"reference", "customer_po"}
    assert x3.gateway.lookup(Entity.SALES_ORDER, "customer_po", "no such PO") == []


def test_signs_that_filters_use_are_not_searched_for(x3):
    with pytest.raises(ErpRefused, match="signs that filters use"):
        x3.gateway.lookup(Entity.SALES_ORDER, "reference", "SO*")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("CAdxException: no free entry in the pool", ErpThrottled),
        ("CAdxException: the pool alias FPD is not known", ErpConfig),
        ("CAdxException: out of memory", ErpUnavailable),
    ],
)
def test_what_a_pool_says_is_told_as_what_it_is(x3, text, error):
    def refuse(_path, _request):
        raise FaceFault("Server", text)

    x3.app.face.answer = refuse
    with pytest.raises(error):
        x3.gateway.list(Entity.ITEM)


def test_a_refusal_names_the_line_in_its_words(x3):
    good = x3.draft()
    bad = dataclasses.replace(good.lines[1], item="no-such-item")
    with pytest.raises(ErpRefused, match="Line 2: Item no-such-item"):
        x3.gateway.create(dataclasses.replace(good, lines=(good.lines[0], bad)))
