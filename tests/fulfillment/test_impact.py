"""What rests on a document, work centre or item, whoever planned it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from b2bcrm.catalog.models import BomRow, ItemKind, RoutingRow, WorkCenter
from b2bcrm.fulfillment.actions import Promises, project, replanning
from b2bcrm.fulfillment.actions.impact import Thing, impact
from b2bcrm.fulfillment.planning import readiness
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import NotAllowed, NotFound
from b2bcrm.ports.promise import AskLine
from tests.clients import client_for, make_app
from tests.factories import buyer, make_account, make_item, make_line, make_order
from tests.fulfillment.conftest import Plant, day

D = Decimal
pytestmark = pytest.mark.db


def publish(work):
    readiness.prepare()
    due = replanning.plan_due(work, anyway=True)
    assert replanning.publish_plan(work, replanning.make_plan(due))


@pytest.fixture
def pump(work, plant):
    """Made on the mill, an hour a piece, from one shaft each; no shaft is in stock."""
    pump = make_item(work, no="PG-115", lead_time_days=35)
    make_item(work, no="SHAFT", kind=ItemKind.BUY, lead_time_days=30, sellable=False)
    work.session.add_all([
        BomRow(item_no="PG-115", component_no="SHAFT", qty_per=D(1), scrap_pct=D(0), unit="pcs"),
        RoutingRow(item_no="PG-115", step_no=10, name="Milling", work_center="M-1",
                   setup_hours=D(0), unit_hours=D(1)),
        WorkCenter(code="M-1", name="Mill", site_code="TC", station="turning",
                   hours_per_day=D(8), calendar_code="TW"),
    ])  # fmt: skip
    return pump


def pegged(work, plant, pump):
    """The ERP planned it: a work order for the line, and a purchase for the work order."""
    order = make_order(work, lines=[make_line(work, pump, ordered_qty=D(8))], incoterm="EXW")
    ref = f"{order.erp_no}/10"
    steps = [("turning", "M-1", 0, "12-01", "12-07")]
    plant.make("WO-1", "PG-115", 8, "12-01", "12-07", ref=ref, steps=steps)
    plant.buy("PO-1", "SHAFT", 8, "11-25", ref="WO-1")
    project(work, [order.id])
    return order


def planned(work, pump):
    """Nobody in the ERP planned it; our plan makes it from a free purchase."""
    order = make_order(work, lines=[make_line(work, pump, ordered_qty=D(4))], incoterm="EXW")
    project(work, [order.id])
    return order


def keys(found):
    return [one.line.key for one in found.lines]


def test_a_purchase_order_leads_up_through_work_orders_to_lines_and_says_how_far_it_may_slip(
    work, plant, pump
):
    order = pegged(work, plant, pump)
    found = impact(work, Thing.PURCHASE, "PO-1")
    assert keys(found) == [f"{order.no}/10"]
    assert found.lines[0].slack == 3  # Thursday, Friday and Monday before the work order starts
    assert (found.customers, found.value) == (1, order.total * D("36.10"))
    assert (found.subject.name, found.subject.on) == ("Tai-Hung Special Steel", day("11-25"))
    assert keys(impact(work, Thing.WORK, "WO-1")) == [f"{order.no}/10"]


def test_orders_of_the_erp_and_of_the_plan_are_one_answer(work, plant, pump):
    theirs, ours = pegged(work, plant, pump), planned(work, pump)
    plant.buy("PO-2", "SHAFT", 4, "11-25")
    publish(work)
    both = {f"{theirs.no}/10", f"{ours.no}/10"}
    assert keys(impact(work, Thing.PURCHASE, "PO-2")) == [f"{ours.no}/10"]
    assert set(keys(impact(work, Thing.CENTER, "M-1"))) == both
    assert set(keys(impact(work, Thing.ITEM, "SHAFT"))) == both
    assert set(keys(impact(work, Thing.ITEM, "PG-115"))) == both


def test_a_line_that_the_plan_places_says_when_it_needs_the_document(work, plant, pump):
    order = planned(work, pump)
    plant.buy("PO-2", "SHAFT", 4, "11-25")
    publish(work)
    (one,) = impact(work, Thing.PURCHASE, "PO-2").lines
    assert one.line.key == f"{order.no}/10"
    assert one.needed_on is not None
    assert one.slack == 12  # from 25 November to 11 December, when the mill starts
    assert one.needed_on == day("12-11")


def test_a_quote_that_holds_pieces_rests_on_what_it_holds(work, plant, pump):
    plant.buy("PO-2", "SHAFT", 8, "11-25")
    publish(work)
    asked = AskLine(ref="10", item_id=pump.id, qty=D(8), wanted_on=day("12-15"))
    Promises(work).hold("Q-26-1/0", [asked], day("11-27"), at_worst={})
    publish(work)
    assert [(q.ref, q.line_ref) for q in impact(work, Thing.PURCHASE, "PO-2").quotes] == [
        ("Q-26-1/0", "10")
    ]


def test_a_promise_that_our_reservation_keeps_rests_on_it_too(work, plant, pump):
    plant.buy("PO-2", "SHAFT", 8, "11-25")
    publish(work)
    order = make_order(work, lines=[make_line(work, pump, ordered_qty=D(8))], incoterm="EXW")
    asked = AskLine(ref="10", item_id=pump.id, qty=D(8), wanted_on=day("12-15"))
    Promises(work).hold("Q-26-1/0", [asked], day("11-27"), at_worst={})
    Promises(work).convert("Q-26-1/0", order.no, [asked])
    publish(work)
    found = impact(work, Thing.PURCHASE, "PO-2")
    assert (keys(found), found.quotes) == ([f"{order.no}/10"], [])


def test_a_part_that_is_short_until_a_free_purchase_rests_on_it(work, plant, pump):
    order = make_order(work, lines=[make_line(work, pump, ordered_qty=D(8))], incoterm="EXW")
    plant.make("WO-1", "PG-115", 8, "12-01", "12-07", ref=f"{order.erp_no}/10")
    plant.buy("PO-3", "SHAFT", 8, "12-03")
    project(work, [order.id])
    assert keys(impact(work, Thing.PURCHASE, "PO-3")) == [f"{order.no}/10"]


def test_what_is_finished_or_unknown_rests_on_nothing(work, plant, pump):
    order = pegged(work, plant, pump)
    order.lines[0].shipped_qty = D(8)
    assert keys(impact(work, Thing.PURCHASE, "PO-1")) == []
    for kind in Thing:
        with pytest.raises(NotFound):
            impact(work, kind, "NONE")


def test_a_buyer_may_not_ask(work, plant, pump):
    work.actor = buyer(make_account(work))
    with pytest.raises(NotAllowed):
        impact(work, Thing.ITEM, "PG-115")


def test_the_page_names_lines_customers_and_value_and_is_downloaded(office, tmp_path):
    with office.open() as work:
        item = make_item(work, no="PG-115")
        order = make_order(work, lines=[make_line(work, item)], incoterm="EXW")
        Plant(work).buy("PO-<b>1", "SHAFT", 8, "11-25", ref=f"{order.erp_no}/10")
        project(work, [order.id])
    client = client_for(make_app(office, tmp_path), office, Role.PLANNER)
    assert "What rests on it" in client.get("/fulfillment/impact").text
    url = "/fulfillment/impact?kind=purchase_order&no=PO-%3Cb%3E1"
    text = client.get(url).text
    assert order.no in text
    assert "PO-<b>1" not in text
    assert order.no in client.get(url + "&format=csv").text
    assert client.get("/fulfillment/impact?kind=item&no=none").status_code == 404
    assert "Order" in client.get("/fulfillment/impact?kind=nonsense&no=PO-%3Cb%3E1").text


def test_a_work_order_is_found_where_a_purchase_order_was_looked_for(work, plant, pump):
    pegged(work, plant, pump)
    assert impact(work, Thing.PURCHASE, "WO-1").subject.kind is Thing.WORK
