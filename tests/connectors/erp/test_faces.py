"""Each shipped profile against the twin behind that ERP's door: the same world, other words."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from decimal import Decimal

import pytest

from b2bcrm.ports.erp import (
    Act,
    Entity,
    ErpAuth,
    ErpCannot,
    ErpOutcomeUnknown,
    ErpRefused,
)
from connectors.erp.twin.world import TwinWorld
from tests.faces import FACES, TODAY, WRITERS, FaceTwin

# what is carried over as it is, so that the record must come back the same
CARRIED = {
    Entity.CUSTOMER: ("erp_id", "name", "country", "currency", "payment_terms", "credit_hold"),
    Entity.ITEM: ("erp_id", "name", "kind", "base_uom"),
    Entity.SALES_ORDER: (
        "erp_id",
        "reference",
        "customer",
        "customer_po",
        "ordered_on",
        "currency",
    ),
    Entity.SHIPMENT: ("erp_id", "customer", "shipped_on"),
    Entity.INVOICE: ("erp_id", "customer", "invoiced_on", "due_on", "total", "open_amount"),
}
LINES = {
    Entity.SALES_ORDER: ("item", "qty", "uom", "unit_price", "requested_on", "shipped_qty"),
    Entity.SHIPMENT: ("sales_order", "item", "qty"),
}
READ = [(profile, entity) for profile in FACES for entity in CARRIED]


@pytest.fixture(scope="session")
def made_world(tmp_path_factory):
    path = tmp_path_factory.mktemp("faces") / "small.sqlite"
    TwinWorld.generate(path, size="small", seed=7, today=TODAY)
    return path


@pytest.fixture
def faced(made_world, tmp_path):
    made = []

    def build(profile, **changes):
        path = shutil.copy(made_world, tmp_path / f"{len(made)}.sqlite")
        made.append(FaceTwin(path, profile, **changes))
        return made[-1]

    yield build
    for twin in made:
        twin.world.close()


def can(twin, entity, act):
    return twin.gateway.describe().can(entity, act)


def same(found, own, fields):
    return [getattr(found, f) for f in fields] == [getattr(own, f) for f in fields]


@pytest.mark.parametrize(("profile", "entity"), READ)
def test_every_record_comes_through_as_it_is_in_the_world(faced, profile, entity):
    twin = faced(profile)
    if not can(twin, entity, Act.LIST):
        assert twin.gateway.describe().capabilities[entity].off[Act.LIST]
        with pytest.raises(ErpCannot):
            twin.gateway.list(entity)
        return
    rows, own = twin.everything(entity, page_size=67), twin.own(entity)
    assert sorted(r.erp_id for r in rows) == [r.erp_id for r in own]
    for found, real in zip(sorted(rows, key=lambda r: r.erp_id), own, strict=True):
        assert same(found, real, CARRIED[entity])
        for line, one in zip(getattr(found, "lines", ()), getattr(real, "lines", ()), strict=True):
            assert same(line, one, LINES[entity])
    if can(twin, entity, Act.GET):
        assert twin.gateway.get(entity, rows[0].erp_id) == rows[0]
        assert twin.gateway.get(entity, "no-such-thing") is None


@pytest.mark.parametrize("profile", WRITERS)
def test_a_delta_run_finds_what_changed_and_not_everything(faced, profile):
    twin = faced(profile)
    capability = twin.gateway.describe().capabilities[Entity.SALES_ORDER]
    mark = twin.at
    twin.at += dt.timedelta(days=2 if capability.delta.value == "date" else 0, minutes=30)
    made = twin.create(twin.draft())
    changed = twin.everything(Entity.SALES_ORDER, since=twin.at - dt.timedelta(minutes=5))
    assert made.erp_id in {order.erp_id for order in changed}
    page = twin.gateway.list(Entity.SALES_ORDER, since=twin.at)
    assert page.high_watermark == twin.at.replace(microsecond=0)
    if capability.delta.value != "none":
        assert len(changed) < len(twin.everything(Entity.SALES_ORDER))
        since = {o.erp_id for o in twin.everything(Entity.SALES_ORDER, since=mark)}
        assert {o.erp_id for o in changed} <= since


@pytest.mark.parametrize("profile", WRITERS)
def test_an_order_is_entered_as_sent_and_found_by_our_reference(faced, profile):
    twin = faced(profile)
    draft = twin.draft()
    result = twin.create(draft)
    assert list(result.line_map) == [1, 2]
    assert twin.gateway.lookup(Entity.SALES_ORDER, "reference", "SO-26-9000") == []
    for reference in (draft.reference, "SO-26-90001"):
        (order,) = twin.gateway.lookup(Entity.SALES_ORDER, "reference", reference)
        assert order.erp_id == result.erp_id
    assert same(order, draft, ("reference", "customer", "customer_po", "currency", "ordered_on"))
    assert [line.line_no for line in order.lines] == list(result.line_map.values())
    for kept, sent in zip(order.lines, draft.lines, strict=True):
        assert same(kept, sent, ("item", "qty", "uom", "unit_price", "requested_on"))


@pytest.mark.parametrize("profile", WRITERS)
def test_a_refusal_is_in_words_and_leaves_nothing(faced, profile):
    twin = faced(profile)
    good = twin.draft()
    bad = dataclasses.replace(good.lines[1], item="no-such-item")
    with pytest.raises(ErpRefused, match="no-such-item") as caught:
        twin.create(dataclasses.replace(good, lines=(good.lines[0], bad)))
    assert type(caught.value) is ErpRefused
    assert twin.count(good.reference) == 0


@pytest.mark.parametrize("profile", WRITERS)
def test_a_lost_answer_is_unknown_and_the_order_is_there_once(faced, profile):
    twin = faced(profile)
    operation = twin.gateway.profile.calls["create"].operation
    twin.app.lose |= {operation, f"{operation}Request", operation.removesuffix("_In")}
    with pytest.raises(ErpOutcomeUnknown):
        twin.gateway.create(twin.draft())
    (order,) = twin.gateway.lookup(Entity.SALES_ORDER, "reference", "SO-26-90001/0")
    assert order.reference == "SO-26-90001/0"
    assert twin.count("SO-26-90001/0") == 1


@pytest.mark.parametrize("profile", WRITERS)
def test_what_the_erp_cannot_be_told_is_refused_at_its_line_before_it_leaves(faced, profile):
    twin = faced(profile)
    good = twin.draft()
    fine = dataclasses.replace(good.lines[1], unit_price=Decimal("0.1234567890"))
    with pytest.raises(ErpRefused, match="more than the") as caught:
        twin.gateway.create(dataclasses.replace(good, lines=(good.lines[0], fine)))
    (issue,) = caught.value.issues
    assert (issue.field, issue.line_no) == ("unit_price", 2)
    assert twin.count(good.reference) == 0


@pytest.mark.parametrize("profile", FACES)
def test_a_wrong_password_is_a_matter_of_the_login(faced, profile):
    twin = faced(profile)
    health = twin.gateway.check()
    assert (health.ok, health.clock_skew_s) == (True, 0)  # the clock in the HTTP head
    wrong = faced(profile, secret="wrong")
    assert not wrong.gateway.check().ok
    with pytest.raises(ErpAuth):
        wrong.gateway.list(Entity.ITEM)
