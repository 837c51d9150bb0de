"""What every ``ErpGateway`` must do, shown on the twin behind zeep's own HTTP session."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from decimal import Decimal

import pytest

from b2bcrm.ports.erp import (
    Connection,
    Entity,
    ErpOutcomeUnknown,
    ErpRefused,
    ErpUnavailable,
    OrderDraft,
    OrderDraftLine,
)
from connectors.erp.gateway import connect
from connectors.erp.twin.faults import Fault
from connectors.erp.twin.inprocess import mount
from connectors.erp.twin.server import TwinApp
from connectors.erp.twin.world import TwinWorld

BASE = "http://erp.test"
TODAY = dt.date(2026, 11, 17)
START = dt.datetime(2026, 11, 17, 1, 40, tzinfo=dt.UTC)
CONNECTION = Connection(
    code="main", profile="twin", base_url=BASE, company="FPD-TW", user="crm", secret="open"
)


@pytest.fixture(scope="session")
def made_world(tmp_path_factory):
    path = tmp_path_factory.mktemp("twin") / "small.sqlite"
    TwinWorld.generate(path, size="small", seed=7, today=TODAY)
    return path


class Clock:
    def __init__(self) -> None:
        self.at = START

    def __call__(self):
        return self.at

    def advance(self, **span):
        self.at += dt.timedelta(**span)


class Twin:
    """A fresh copy of the small world, its clock, its faults, and a gateway to it."""

    def __init__(self, path) -> None:
        self.clock = Clock()
        self.world = TwinWorld(path, now=self.clock)
        self.next_faults: dict[str, Fault] = {}
        app = TwinApp(
            self.world,
            user="crm",
            password="open",
            faults=lambda asked: self.next_faults.pop(asked.operation, None),
        )
        self.session = mount(app, BASE)
        self.gateway = connect(CONNECTION, session=self.session, now=self.clock)

    def everything(self, entity, *, page_size=500, since=None):
        rows, cursor = [], None
        while True:
            page = self.gateway.list(entity, since=since, cursor=cursor, page_size=page_size)
            assert page.complete
            assert page.announced == len(page.records) <= page_size
            rows += page.records
            if (cursor := page.next_cursor) is None:
                return rows

    def draft(self, reference="SO-26-90001/0", **changes):
        customer = next(
            c
            for c in by_id(self.world.list(Entity.CUSTOMER).records)
            if not c.credit_hold and c.company == "FPD-TW"
        )
        item = next(
            i
            for i in by_id(self.world.list(Entity.ITEM).records)
            if i.sellable and i.active and i.kind == "make"
        )
        ship_to = next(a.code for a in customer.addresses if a.kind == "ship_to")
        line = OrderDraftLine(
            line_no=1,
            item=item.erp_id,
            qty=Decimal(5),
            uom=item.base_uom,
            unit_price=Decimal("1234.567891"),
            discount_pct=Decimal("2.5"),
            requested_on=TODAY + dt.timedelta(days=60),
            promised_on=TODAY + dt.timedelta(days=63),
            customer_part_no="料號 7-A",
            customer_po_line="10",
        )
        draft = OrderDraft(
            reference=reference,
            customer=customer.erp_id,
            customer_po="PO <7> & 8",
            ordered_on=TODAY,
            currency=customer.currency,
            ship_to=ship_to,
            incoterm=customer.incoterm,
            incoterm_place=customer.incoterm_place,
            payment_terms=customer.payment_terms,
            site="TC1",
            note="請先通知",
            lines=(line, dataclasses.replace(line, line_no=2, qty=Decimal(3))),
        )
        return dataclasses.replace(draft, **changes)

    def count(self, reference):
        return len(self.world.lookup(Entity.SALES_ORDER, "reference", reference))


@pytest.fixture
def twin(made_world, tmp_path):
    made = Twin(shutil.copy(made_world, tmp_path / "twin.sqlite"))
    yield made
    made.world.close()


def by_id(records):
    return sorted(records, key=lambda record: record.erp_id)


@pytest.mark.parametrize("entity", list(Entity))
def test_every_entity_lists_completely_in_pages(twin, entity):
    rows = twin.everything(entity, page_size=97)
    own = twin.world.list(entity, page_size=10**6).records
    assert rows
    assert by_id(rows) == by_id(own)


@pytest.mark.parametrize("entity", list(Entity))
def test_a_single_record_is_the_listed_one(twin, entity):
    first = twin.gateway.list(entity, page_size=1).records[0]
    assert twin.gateway.get(entity, first.erp_id) == first
    assert twin.gateway.get(entity, "no such thing") is None


def test_only_what_changed_since_is_listed(twin):
    page = twin.gateway.list(Entity.SALES_ORDER, page_size=500)
    mark = page.high_watermark
    twin.clock.advance(minutes=5)
    result = twin.gateway.create(twin.draft())
    changed = twin.everything(Entity.SALES_ORDER, since=mark)
    assert result.erp_id in {order.erp_id for order in changed}
    assert len(changed) < len(twin.everything(Entity.SALES_ORDER))
    assert all(order.updated_at >= mark for order in changed)


def test_an_entered_order_is_found_as_it_was_sent(twin):
    draft = twin.draft()
    result = twin.gateway.create(draft)
    (order,) = twin.gateway.lookup(Entity.SALES_ORDER, "reference", draft.reference)
    assert order.erp_id == result.erp_id
    assert set(result.line_map) == {1, 2}
    for name in ("reference", "customer", "customer_po", "currency", "ship_to", "payment_terms"):
        assert getattr(order, name) == getattr(draft, name)
    for kept, sent in zip(order.lines, draft.lines, strict=True):
        for name in ("item", "qty", "unit_price", "discount_pct", "requested_on", "promised_on"):
            assert getattr(kept, name) == getattr(sent, name)
    assert order.lines[0].customer_part_no == "料號 7-A"
    assert twin.gateway.lookup(Entity.SALES_ORDER, "reference", "SO-26-90001") == [order]
    assert twin.gateway.lookup(Entity.SALES_ORDER, "reference", "SO-26-9000") == []


def test_a_reference_is_taken_once(twin):
    twin.gateway.create(twin.draft())
    with pytest.raises(ErpRefused) as caught:
        twin.gateway.create(twin.draft())
    assert caught.value.issues[0].field == "reference"
    assert twin.count("SO-26-90001/0") == 1


def test_a_refusal_names_field_and_line_and_leaves_nothing(twin):
    good = twin.draft()
    bad = dataclasses.replace(good.lines[1], item="no such item")
    with pytest.raises(ErpRefused) as caught:
        twin.gateway.create(dataclasses.replace(good, lines=(good.lines[0], bad)))
    (issue,) = caught.value.issues
    assert (issue.field, issue.line_no) == ("item", 2)
    assert "no such item" in str(caught.value)
    assert twin.count(good.reference) == 0


def test_a_lost_answer_is_unknown_and_the_order_is_there_once(twin):
    draft = twin.draft()
    twin.next_faults["CreateSalesOrder"] = Fault.TIMEOUT_AFTER_COMMIT
    with pytest.raises(ErpOutcomeUnknown):
        twin.gateway.create(draft)
    (order,) = twin.gateway.lookup(Entity.SALES_ORDER, "reference", draft.reference)
    assert order.reference == draft.reference
    assert twin.count(draft.reference) == 1


@pytest.mark.parametrize("fault", [Fault.HTML_200, Fault.DOWN_503])
def test_an_answer_that_is_no_answer_is_classified(twin, fault):
    twin.next_faults["CreateSalesOrder"] = fault
    with pytest.raises(ErpOutcomeUnknown):
        twin.gateway.create(twin.draft())
    twin.next_faults["ListItems"] = fault
    with pytest.raises(ErpUnavailable):
        twin.gateway.list(Entity.ITEM)
    assert twin.count("SO-26-90001/0") == 0


def test_an_order_is_changed_and_a_stale_version_is_a_conflict(twin):
    first = twin.gateway.create(twin.draft())
    line = dataclasses.replace(twin.draft().lines[0], qty=Decimal(9))
    draft = dataclasses.replace(twin.draft("SO-26-90001/1"), lines=(line, twin.draft().lines[1]))
    changed = twin.gateway.update(first.erp_id, draft, expected_version=first.version)
    assert changed.version != first.version
    assert twin.gateway.get(Entity.SALES_ORDER, first.erp_id).lines[0].qty == 9
    with pytest.raises(ErpRefused) as caught:
        twin.gateway.update(first.erp_id, draft, expected_version=first.version)
    assert caught.value.code == "erp_conflict"


def test_an_order_is_cancelled_with_its_reason(twin):
    made = twin.gateway.create(twin.draft())
    twin.gateway.cancel(made.erp_id, reference="SO-26-90001/0", reason="not needed & <late>")
    assert twin.gateway.get(Entity.SALES_ORDER, made.erp_id).status == "cancelled"
    with pytest.raises(ErpRefused):
        twin.gateway.cancel("no such order", reference="x/0", reason="")


def test_operations_of_work_orders_are_those_of_the_world(twin):
    orders = [w for w in twin.world.list(Entity.WORK_ORDER, page_size=300).records if w.operations]
    found = twin.gateway.operations([w.erp_id for w in orders] + ["no such order"])
    assert found == {w.erp_id: w.operations for w in orders}
    assert twin.gateway.operations([]) == {}


def test_the_world_moves_with_the_clock_before_it_answers(twin):
    before = twin.everything(Entity.SHIPMENT)
    twin.clock.advance(days=21)
    assert len(twin.everything(Entity.SHIPMENT)) > len(before)


def test_a_health_check_tells_login_company_and_skew(twin):
    health = twin.gateway.check()
    assert (health.ok, health.clock_skew_s) == (True, 0)
    assert len(health.wsdl_digest) == 64

    def with_changes(**changes):
        return connect(dataclasses.replace(CONNECTION, **changes), session=twin.session)

    assert not with_changes(company="nobody").check().ok
    assert not with_changes(secret="wrong").check().ok
    with pytest.raises(ErpRefused) as caught:
        with_changes(secret="wrong").list(Entity.ITEM)
    assert caught.value.code == "erp_auth"


def test_a_cursor_that_was_never_given_is_refused(twin):
    with pytest.raises(ErpRefused):
        twin.gateway.list(Entity.ITEM, cursor="made up")


@pytest.mark.parametrize("entity", list(Entity))
def test_keys_alone_are_those_of_the_records(twin, entity):
    keys, cursor = {}, None
    while True:
        page = twin.gateway.list_keys(entity, cursor=cursor, page_size=89)
        assert page.complete
        keys |= page.keys
        if (cursor := page.next_cursor) is None:
            break
    own = twin.world.list(entity, page_size=10**6).records
    assert keys == {record.erp_id: record.version for record in own}


def test_what_would_be_refused_is_said_and_nothing_is_entered(twin):
    good = twin.draft()
    assert list(twin.gateway.validate(good)) == []
    bad = dataclasses.replace(good.lines[1], item="no such item")
    (issue,) = twin.gateway.validate(dataclasses.replace(good, lines=(good.lines[0], bad)))
    assert (issue.code, issue.field, issue.line_no) == ("unknown_item", "item", 2)
    assert twin.count(good.reference) == 0
    twin.gateway.create(good)
    (issue,) = twin.gateway.validate(good)
    assert issue.field == "reference"


def test_stock_past_the_feeds_is_what_the_feed_says(twin):
    feed = {level.item: level for level in twin.everything(Entity.STOCK)}
    names = sorted(feed)[:150]
    found = twin.gateway.stock([*names, "no such item"])
    assert {level.item: level for level in found} == {name: feed[name] for name in names}
    site = feed[names[0]].site
    assert {level.site for level in twin.gateway.stock(names, site)} == {site}
    assert twin.gateway.stock([]) == []


def test_the_erps_own_check_says_how_much_by_when(twin):
    free = {level.item: level.on_hand - level.allocated for level in twin.everything(Entity.STOCK)}
    item, pieces = max(free.items(), key=lambda pair: pair[1])
    site = twin.gateway.stock([item])[0].site
    on = TODAY + dt.timedelta(days=3)
    enough = twin.gateway.availability(item, site, pieces, on)
    assert (enough.qty, enough.on, enough.full_on) == (pieces, on, on)
    short = twin.gateway.availability(item, site, pieces + 5, on)
    assert short.qty == pieces
    assert short.full_on > TODAY
    with pytest.raises(ErpRefused, match="no such item"):
        twin.gateway.availability("no such item", site, Decimal(1), on)


def test_a_write_that_is_answered_at_once_has_nothing_to_ask_about_later(twin):
    for ask in (lambda: twin.gateway.poll("4711"), lambda: twin.gateway.ingest(b"<x/>")):
        with pytest.raises(ErpRefused) as caught:
            ask()
        assert caught.value.code == "erp_cannot"
