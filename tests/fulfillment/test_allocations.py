"""Allocation by class: for promises to come, and never at the cost of one that was given."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from b2bcrm.fulfillment.actions import Promises
from b2bcrm.fulfillment.actions.allocating import allocate, end_allocation
from b2bcrm.fulfillment.models import AllocationRule, Reservation, Shipment, ShipmentLine
from b2bcrm.fulfillment.planning.allocations import allocated
from b2bcrm.fulfillment.planning.engine.records import Cap, Keep
from b2bcrm.fulfillment.planning.plant import Allocation, AllocationKind, Kept, Places
from b2bcrm.fulfillment.queries.allocations import rules_of
from b2bcrm.fulfillment.snapshot import allocations
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.errors import Invalid, NotAllowed, NotFound
from b2bcrm.ports.promise import AskLine, Mode
from tests.factories import make_account, make_item, make_line, make_order
from tests.fulfillment.conftest import day
from tests.fulfillment.test_live_plan import publish
from tests.fulfillment.test_plant import PLANT, line, on

D = Decimal
KEEP, CAP = AllocationKind


def told(*rules, uncovered=None, **more):
    rows = replace(PLANT, allocations=rules, **more)
    return allocated(rows, Places(rows), uncovered or {})


def kept_for(customer_class, qty, last=20):
    return Allocation(KEEP, "PUMP", "TC", customer_class, D(qty), on(0), on(last))


def at_most(customer_class, qty, first=0, last=20, **more):
    return Allocation(CAP, "PUMP", "TC", customer_class, D(qty), on(first), on(last), **more)


def test_what_other_classes_were_promised_stays_open_to_all():
    lines = [line(no="SO-1/10", customer_class="B"), line(no="SO-2/10", customer_class="A")]
    reserved = Kept("R/1", 1, "SO-3/10", "PUMP", "TC", D(4), on(3), fresh=False, customer_class="C")
    left = {"SO-1/10": D(7), "SO-2/10": D(10)}
    keeps, caps = told(kept_for("A", 30), lines=lines, kept=[reserved], uncovered=left)
    assert keeps == [Keep("PUMP@TC", "A", 30, 21, after=11)]
    assert caps == []


def test_a_cap_counts_what_has_left_and_is_never_below_what_was_promised():
    lines = [line(no="SO-1/10", customer_class="C", qty=D(10), wish=on(10))]
    _, caps = told(at_most("C", 30, shipped=D(6)), lines=lines, uncovered={"SO-1/10": D(7)})
    assert caps == [Cap("PUMP@TC", "C", 21, 0, 21)]  # 30 less 6 gone, 3 pegged
    _, caps = told(at_most("C", 8), lines=lines, uncovered={"SO-1/10": D(10)})
    assert caps == [Cap("PUMP@TC", "C", 10, 0, 21)]
    _, caps = told(at_most("C", 8, first=12), lines=lines, uncovered={"SO-1/10": D(10)})
    assert caps == [Cap("PUMP@TC", "C", 10, 12, 21)]  # it may come to leave within the window


def test_rules_of_items_that_are_gone_are_left_out():
    assert told(kept_for("A", 3)._replace(item="GONE")) == ([], [])


# ------------------------------------------------------------------------------ in the database
@pytest.fixture
def pump(work, plant):
    """Ten in stock; more takes two months."""
    item = make_item(work, no="PUMP", lead_time_days=40)
    plant.stock("PUMP", 10)
    return item


def allow(work, kind, customer_class, qty, last="12-31", first="11-17", site="TC"):
    allocate(
        work,
        "PUMP",
        kind=kind,
        site_code=site,
        customer_class=customer_class,
        qty=D(qty),
        first_on=day(first),
        last_on=day(last),
    )


def ask(work, item, account, qty, wanted="11-30"):
    wish = AskLine("10", item.id, D(qty), day(wanted), account_id=account.id)
    return Promises(work).ask([wish], Mode.QUOTE)[0]


@pytest.mark.db
def test_supply_kept_for_a_class_is_promised_to_it_alone(work, plant, pump):
    best, other = (make_account(work, customer_class=one, incoterm="EXW") for one in "AC")
    allow(work, KEEP, "A", 8)
    publish(work)
    assert ask(work, pump, other, 2).full_on <= day("11-30")
    assert ask(work, pump, other, 3).full_on > day("12-31")
    assert ask(work, pump, best, 10).full_on <= day("11-30")
    end_allocation(work, "PUMP", rules_of(work, "PUMP")[0].id)
    publish(work)
    assert ask(work, pump, other, 10).full_on <= day("11-30")


@pytest.mark.db
def test_a_promise_given_before_is_not_touched(work, plant, pump):
    other = make_account(work, customer_class="C", incoterm="EXW")
    wish = AskLine("10", pump.id, D(10), day("11-30"), account_id=other.id)
    publish(work)
    Promises(work).hold("Q-26-1/0", [wish], day("12-01"), at_worst={})
    allow(work, KEEP, "A", 8)
    figures = publish(work).figures
    assert (figures["on_time"], figures["late"]) == (1, 0)


@pytest.mark.db
def test_what_a_class_is_promised_of_what_is_kept_for_it_rests_there_from_then_on(
    work, plant, pump
):
    best = make_account(work, customer_class="A", incoterm="EXW")
    allow(work, KEEP, "A", 8)
    publish(work)
    wish = AskLine("10", pump.id, D(10), day("11-30"), account_id=best.id)
    Promises(work).hold("Q-26-1/0", [wish], day("12-01"), at_worst={})
    assert ask(work, pump, best, 1).full_on > day("12-31")
    Promises(work).convert("Q-26-1/0", "SO-1", [wish])
    assert work.session.query(Reservation).one().customer_class == "A"
    figures = publish(work).figures
    assert (figures["on_time"], figures["late"]) == (1, 0)


@pytest.mark.db
def test_a_class_gets_no_more_than_its_cap_and_is_told_so(work, plant, pump):
    other = make_account(work, customer_class="C", incoterm="EXW")
    allow(work, CAP, "C", 4)
    publish(work)
    assert ask(work, pump, other, 4).full_on <= day("11-30")
    answer = ask(work, pump, other, 5)
    assert answer.full_on > day("12-31")
    assert "customers of class C get at most 4 of it" in str(answer.reason)


@pytest.mark.db
def test_what_has_left_within_the_window_counts(work, pump):
    other = make_account(work, customer_class="C", incoterm="EXW")
    sold = make_line(work, pump, shipped_qty=D(6))
    make_order(work, other, lines=[sold])
    for no, left in (("SH-1", "11-16"), ("SH-2", "11-17")):
        parcel = Shipment(no=no, account_id=other.id, shipped_on=day(left))
        parcel.lines = [ShipmentLine(order_line_id=sold.id, qty=D(3))]
        work.session.add(parcel)
    allow(work, CAP, "C", 4)
    assert [rule.shipped for rule in allocations.take(work)] == [3]


@pytest.mark.db
def test_rules_are_set_by_planners_for_days_to_come(work, pump):
    with pytest.raises(Invalid):
        allow(work, CAP, "C", 4, last="11-16", first="11-01")
    with pytest.raises(Invalid, match="NOWHERE is no site"):
        allow(work, CAP, "C", 4, site="NOWHERE")
    assert rules_of(work, "PUMP") == []
    allow(work, CAP, "C", 4)
    (row,) = work.session.query(AllocationRule)
    with pytest.raises(NotFound):
        end_allocation(work, "OTHER", row.id)
    end_allocation(work, "PUMP", row.id)
    end_allocation(work, "PUMP", row.id)
    assert rules_of(work, "PUMP") == []
    work.actor = Actor(name="Mei-Ling Lin", role=Role.SALES, user_id=None)
    with pytest.raises(NotAllowed):
        allow(work, CAP, "C", 4)
