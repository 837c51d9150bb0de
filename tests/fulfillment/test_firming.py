"""Firm pegs: what a planner gives to a line nobody else gets, in plan, answers and projections."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.catalog.models import ItemKind
from b2bcrm.fulfillment.actions import (
    Promises,
    firm_supply,
    project,
    release_peg,
    replanning,
    whatif,
)
from b2bcrm.fulfillment.actions.impact import Thing, impact
from b2bcrm.fulfillment.models import FirmPeg, LineProjection, PurchaseLine, Reservation, Stock
from b2bcrm.fulfillment.planning.atp import PURCHASE, STOCK, WORK
from b2bcrm.fulfillment.planning.firming import Firm, Peg, Spot, Supply, firm, without_firm
from b2bcrm.fulfillment.planning.measures import Move
from b2bcrm.fulfillment.planning.plant import Level
from b2bcrm.fulfillment.planning.telling import tell
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.errors import Invalid, NotAllowed, NotFound
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.kernel.words import Message
from b2bcrm.orders.models import OrderLine
from b2bcrm.ports.promise import AskLine, Mode
from tests.clients import client_for, make_app
from tests.factories import make_item, make_line, make_order
from tests.fulfillment.conftest import Plant, day
from tests.fulfillment.test_live_plan import publish
from tests.fulfillment.test_plant import PLANT, line, on, work_order

D = Decimal

# --------------------------------------------------------------------------- pure: who gets what
SHELF, ORDERED = Spot(STOCK, "", "PUMP", "TC"), Spot(PURCHASE, "PO-1", "PUMP", "TC")
MADE = Spot(WORK, "WO-1", "PUMP", "TC")


def peg(n, spot, qty, line_id=1):
    return Peg(n, line_id, f"SO-{line_id}/10", spot.kind, spot.no, spot.item, spot.site, D(qty))


def kept(found):
    return [(one.peg_id, one.spot.kind, one.qty) for one in found]


def test_pegs_are_served_in_the_order_in_which_they_were_made():
    pegs = [peg(2, SHELF, 8, line_id=2), peg(1, SHELF, 5)]
    found = firm(pegs, [Supply(SHELF, D(10))], {1: D(20), 2: D(20)})
    assert kept(found) == [(1, STOCK, 5), (2, STOCK, 5)]


def test_what_the_document_no_longer_brings_has_come_and_is_looked_for_in_stock():
    supplies = [Supply(SHELF, D(4)), Supply(ORDERED, D(3), on(9))]
    assert kept(firm([peg(1, ORDERED, 10)], supplies, {1: D(10)})) == [
        (1, PURCHASE, 3),
        (1, STOCK, 4),
    ]


def test_a_peg_keeps_no_more_than_its_line_still_wants():
    assert kept(firm([peg(1, SHELF, 10)], [Supply(SHELF, D(30))], {1: D(4)})) == [(1, STOCK, 4)]
    assert firm([peg(1, SHELF, 10)], [Supply(SHELF, D(30))], {}) == []


def test_the_plan_sees_neither_the_firm_pieces_nor_the_demand_for_them():
    rows = replace(
        PLANT,
        levels=[Level("PUMP", "TC", D(12), D(0))],
        documents=[work_order(waits=False)],
        lines=[line(), line(no="SO-2/10", ref="419/10")],
    )
    pieces = [Firm(1, 1, "SO-1/10", SHELF, D(6)), Firm(2, 1, "SO-1/10", MADE, D(4), on(4))]
    found = tell(without_firm(rows, pieces)).facts
    assert {s.ref: s.qty for s in found.supplies if s.part == "PUMP@TC"} == {
        "stock|": 6,
        "work_order|WO-1": 6,
    }
    assert [(row.name, row.qty) for row in found.lines] == [("SO-2/10", 10)]


@given(st.data())
def test_no_peg_takes_what_is_not_there_or_what_its_line_does_not_want(data):
    number = st.integers(0, 12)
    spots = [SHELF, ORDERED, MADE]
    supplies = [Supply(data.draw(st.sampled_from(spots)), D(data.draw(number))) for _ in range(5)]
    wanted = {n: D(data.draw(number)) for n in (1, 2, 3)}
    pegs = [
        peg(n, data.draw(st.sampled_from(spots)), data.draw(number), data.draw(st.integers(1, 3)))
        for n in range(6)
    ]
    found = firm(pegs, supplies, wanted)
    for spot in spots:
        there = sum(supply.free for supply in supplies if supply.spot == spot)
        assert sum(one.qty for one in found if one.spot == spot) <= there
    for key, qty in wanted.items():
        assert sum(one.qty for one in found if one.line_id == key) <= qty
    for each in pegs:
        assert sum(one.qty for one in found if one.peg_id == each.id) <= each.qty
    assert all(one.qty > 0 for one in found)


# ------------------------------------------------------------------------------------- in the house
@pytest.fixture
def item(work, plant):
    """Bought; 30 pieces lie in stock, 50 come on 30 November, a lead time is half a year."""
    item = make_item(work, no="BALL-20", kind=ItemKind.BUY, lead_time_days=120)
    plant.stock("BALL-20", 30)
    plant.buy("PO-7", "BALL-20", 50, "11-30")
    return item


def order_of(work, item, qty, promised="12-15", **facts):
    order = make_order(
        work,
        lines=[make_line(work, item, ordered_qty=D(qty), promised_on=day(promised))],
        incoterm="FCA",
        **facts,
    )
    project(work, [order.id])
    return order


def line_id(work, order):
    return work.session.scalar(sa.select(OrderLine.id).where(OrderLine.order_id == order.id))


def give(work, order, qty, no="", kind=STOCK, reason="promised by phone"):
    return firm_supply(
        work, line_id(work, order), kind=kind, no=no, site="TC", qty=D(qty), reason=reason
    )


def view_of(work, order):
    work.session.expire_all()
    return work.session.get_one(LineProjection, line_id(work, order))


def test_a_firm_piece_of_stock_is_nobody_elses_even_of_who_is_served_first(planner, item):
    work = planner
    late, first = order_of(work, item, 30), order_of(work, item, 30, "11-20")
    assert view_of(work, first).projected_on <= day("11-20")
    give(work, late, 30)
    project(work, [first.id])
    publish(work)
    project(work, [first.id, late.id])
    assert view_of(work, late).projected_on <= day("12-15")
    assert view_of(work, first).projected_on == day("12-01")  # from what comes on 30 November
    (row,) = view_of(work, late).chain
    assert (row["kind"], row["firm"], row["finished"]) == (STOCK, True, True)


def test_nobody_is_promised_firm_pieces_with_a_plan_or_without_one(planner, item):
    work = planner
    order = order_of(work, item, 40)

    def free_by(on):
        wish = AskLine(ref="1", item_id=item.id, qty=D(80), wanted_on=day(on))
        return Promises(work).ask([wish], Mode.QUOTE)[0].by_wish_qty

    give(work, order, 25)
    assert free_by("11-20") == 5
    publish(work)
    assert free_by("11-20") == 5


def test_a_line_with_a_firm_purchase_order_moves_with_it(planner, item):
    work = planner
    order = order_of(work, item, 40, "12-04")
    give(work, order, 30)
    give(work, order, 10, "PO-7", PURCHASE)
    assert view_of(work, order).projected_on == day("12-01")
    work.session.execute(sa.update(PurchaseLine).values(confirmed_on=day("12-14")))
    work.session.expire_all()
    project(work, [order.id])
    view = view_of(work, order)
    assert view.projected_on == day("12-15")
    assert "PO-7" in [row["no"] for row in view.chain if row["firm"]]


def test_pieces_that_came_are_firm_in_stock(planner, item):
    work = planner
    order = order_of(work, item, 40)
    give(work, order, 40, "PO-7", PURCHASE)
    work.session.execute(sa.update(PurchaseLine).values(received_qty=50, status="closed"))
    work.session.execute(sa.update(Stock).values(on_hand=80))
    work.session.expire_all()
    project(work, [order.id])
    (row,) = view_of(work, order).chain
    assert (row["kind"], row["qty"], row["firm"]) == (STOCK, "40", True)


def test_only_free_pieces_and_only_as_many_as_the_line_wants(planner, item):
    work = planner
    order, other = order_of(work, item, 20), order_of(work, item, 50)
    give(work, order, 20)
    for qty, why in ((11, "Only 10 pieces"), (0, "greater than zero"), (D("1.5"), "Whole pieces")):
        with pytest.raises(Invalid, match=why):
            give(work, other, qty)
    with pytest.raises(Invalid, match="can be given 0 more"):
        give(work, order, 1)
    with pytest.raises(Invalid, match="needed"):
        give(work, other, 1, reason=" ")
    with pytest.raises(Invalid, match="Only 0 pieces"):
        give(work, other, 1, "PO-8", PURCHASE)


def test_what_is_reserved_for_the_line_is_its_own_already(planner, item):
    work = planner
    order = order_of(work, item, 20)
    work.session.add(
        Reservation(
            order_ref=order.no,
            line_ref="10",
            seq=1,
            item_id=item.id,
            site_id=order.site_id,
            qty=D(15),
            ready_on=day("11-20"),
            reason=Message("in stock"),
            sources=[],
        )
    )
    work.session.flush()
    with pytest.raises(Invalid, match="can be given 5 more"):
        give(work, order, 6)


def test_who_and_why_stand_in_the_history_and_a_release_gives_the_pieces_back(planner, item):
    work = planner
    order, other = order_of(work, item, 30), order_of(work, item, 30)
    give(work, order, 30)
    peg = work.session.scalars(sa.select(FirmPeg)).one()
    release_peg(work, peg.id)
    give(work, other, 30)
    said = work.session.scalars(
        sa.select(TimelineEntry).where(
            TimelineEntry.order_id == order.id, TimelineEntry.name.like("peg.%")
        )
    ).all()
    assert [(str(row.sentence), row.actor_name, row.portal_sentence) for row in said] == [
        (
            "Line 10: 30 pieces of Stock BALL-20 are firm: promised by phone",
            "Chen Wei-Ting",
            None,
        ),
        ("Line 10: 30 pieces of Stock BALL-20 are firm no more", "Chen Wei-Ting", None),
    ]
    with pytest.raises(NotFound):
        release_peg(work, peg.id)


def test_a_peg_ends_when_its_line_has_left(planner, item):
    work = planner
    order = order_of(work, item, 30)
    give(work, order, 30)
    work.session.execute(sa.update(OrderLine).values(shipped_qty=30))
    work.session.expire_all()
    project(work, [order.id])
    work.session.expire_all()
    assert work.session.scalars(sa.select(FirmPeg.ended_at)).one() == work.now


def test_a_new_peg_makes_a_new_plan_due(planner, item):
    work = planner
    order = order_of(work, item, 30)
    publish(work)
    work.settle()
    work.bumped.clear()
    publish(work)
    assert replanning.plan_due(work) is None
    give(work, order, 5)
    work.settle()
    assert replanning.plan_due(work) is not None


def test_only_who_changes_promises_may(work, item):
    order = order_of(work, item, 30)
    work.actor = Actor(name="Mei-Ling Lin", role=Role.SALES)
    with pytest.raises(NotAllowed):
        give(work, order, 5)
    with pytest.raises(NotAllowed):
        release_peg(work, 1)


def test_a_scenario_moves_firm_pieces_and_an_impact_names_their_line(planner, item):
    work = planner
    order = order_of(work, item, 40, "12-04")
    give(work, order, 40, "PO-7", PURCHASE)
    question = whatif.ask(work, [Move("PO-7", day("12-14"))], "")
    (moved,) = whatif.tell(work, question, whatif.solve(question)).moved
    assert (moved.before, moved.after) == (day("12-01"), day("12-15"))
    found = impact(work, Thing.PURCHASE, "PO-7")
    assert [one.line.key for one in found.lines] == [f"{order.no}/10"]


def test_a_planner_firms_a_supply_on_the_order_page_and_takes_it_back(office, tmp_path):
    with office.open() as work:
        plant = Plant(work)
        item = make_item(work, no="BALL-20", kind=ItemKind.BUY)
        plant.stock("BALL-20", 30)
        order = order_of(work, item, 20)
    app = make_app(office, tmp_path)
    client, url = client_for(app, office, Role.PLANNER), f"/orders/{order.no}/lines/10/firm"
    assert "Stock at TC: 30 free" in client.get(url).text
    wrong = client.send(url, supply="stock||TC", qty="25", reason="spare parts first")
    assert wrong.status_code == 422
    assert "The line can be given 20 more pieces." in wrong.text
    assert client.send(url, supply="stock||TC", qty="ten", reason="x").status_code == 422
    done = client.send(url, supply="stock||TC", qty="20", reason="spare parts first")
    assert done.status_code == 303
    page = client.get(f"/orders/{order.no}").text
    assert page.count("spare parts first") == 2  # in the table and in the touches
    assert "firm · in stock" in page
    assert "All open pieces of the line are firm" in client.get(url).text
    sales = client_for(app, office, Role.SALES)
    assert sales.get(url).status_code == 403
    with office.open() as work:
        (peg_id,) = work.session.scalars(sa.select(FirmPeg.id))
    assert sales.send(f"/firm/{peg_id}/release").status_code == 403
    assert client.send(f"/firm/{peg_id}/release").status_code == 303
    assert client.send(f"/firm/{peg_id}/release").status_code == 404
    assert "firm · in stock" not in client.get(f"/orders/{order.no}").text
