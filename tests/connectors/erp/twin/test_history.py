"""The made past: nothing in it contradicts itself, and a seed gives it again."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest

from b2bcrm.ports.erp import Entity
from connectors.erp.twin import bulk
from connectors.erp.twin.calendars import CALENDARS, WORK_DAYS
from connectors.erp.twin.company import found
from connectors.erp.twin.dispatch import arrival
from connectors.erp.twin.planning import HORIZON
from connectors.erp.twin.world import TwinWorld
from tests.connectors.erp.twin.audit import audit
from tests.connectors.erp.twin.scene import MORNING, TODAY, Clock, dump


@pytest.mark.parametrize(
    ("seed", "today"),
    [(1, TODAY), (2, TODAY), (3, dt.date(2026, 2, 24)), (4, dt.date(2027, 3, 6)), (5, TODAY)],
)
def test_nothing_in_a_made_past_contradicts_itself(tmp_path, seed, today):
    path = tmp_path / "twin.db"
    TwinWorld.generate(path, size="small", seed=seed, today=today)
    clock = Clock(dt.datetime.combine(today, dt.time(1, 40), dt.UTC))
    world = TwinWorld(path, now=clock)
    audit(world, today)
    clock.move(days=9)
    audit(world, today + dt.timedelta(days=9))
    world.close()


def test_the_same_seed_gives_the_same_world_and_another_seed_does_not(tmp_path, small_file):
    def made(name, seed):
        TwinWorld.generate(tmp_path / name, size="small", seed=seed, today=TODAY)
        return {e: list(rows) for e, rows in bulk.rows(tmp_path / name).items()}

    first = {e: list(rows) for e, rows in bulk.rows(small_file).items()}
    assert made("again.db", 7) == first
    assert made("other.db", 8)[Entity.SALES_ORDER] != first[Entity.SALES_ORDER]


def test_bulk_rows_are_those_of_the_pages(small_file, tmp_path):
    world = TwinWorld(small_file, now=Clock(MORNING.replace(hour=0, minute=0)))
    assert {e: list(rows) for e, rows in bulk.rows(small_file).items()} == dump(world)
    world.close()


def test_small_has_about_fifteen_open_orders_and_150_delivered_lines(world):
    data = dump(world)
    delivered = sum(len(s.lines) for s in data[Entity.SHIPMENT] if s.delivered_on)
    assert 110 <= delivered <= 220
    assert 9 <= sum(o.status == "open" for o in data[Entity.SALES_ORDER]) <= 22
    typed = sum(not o.reference for o in data[Entity.SALES_ORDER])
    assert 0 < typed < len(data[Entity.SALES_ORDER]) / 2


@pytest.mark.slow
def test_the_demo_has_its_size_its_lateness_and_one_supplier_that_grew_worse(tmp_path):
    path = tmp_path / "demo.db"
    TwinWorld.generate(path, size="demo", seed=7, today=TODAY)
    world = TwinWorld(path, now=Clock())
    data = audit(world, TODAY)
    world.close()
    done = {
        (row.sales_order, row.order_line_no)
        for s in data[Entity.SHIPMENT]
        if s.delivered_on
        for row in s.lines
    }
    assert len(done) >= 7900
    assert 105 <= sum(o.status == "open" for o in data[Entity.SALES_ORDER]) <= 150
    _demand_reaches_into_the_eighth_month(data)
    assert len(data[Entity.CUSTOMER]) == 60
    assert {c.country for c in data[Entity.CUSTOMER]} == {"TW", "CN", "DE", "US", "JP"}
    assert 280 <= len(data[Entity.ITEM]) <= 330
    turn = TODAY - dt.timedelta(days=182)
    early, late = [], []
    for order in data[Entity.PURCHASE_ORDER]:
        if order.supplier == "V101":
            for row in order.lines:
                if row.received_on:
                    bad = row.received_on > row.first_confirmed_on
                    (late if order.ordered_on > turn else early).append(bad)
    assert sum(late) / len(late) > 2 * sum(early) / len(early)


def _demand_reaches_into_the_eighth_month(data):
    """Call-offs of every later month, the more the nearer; none beyond the horizon is planned."""
    supplied = {work.demand_ref for work in data[Entity.WORK_ORDER]}
    horizon = dt.date.fromisoformat(WORK_DAYS["TW"].add(TODAY.isoformat(), HORIZON))
    per_month = Counter()
    for order in data[Entity.SALES_ORDER]:
        for row in order.lines:
            if row.status == "open" and row.planned_on > horizon:
                assert f"{order.erp_id}/{row.line_no}" not in supplied
                per_month[(row.promised_on - TODAY).days // 30] += 1
    assert set(per_month) >= {3, 4, 5, 6, 7}
    assert per_month[4] > per_month[7]
    assert max(per_month) <= 9


def test_a_bill_of_material_has_three_levels_and_every_component_exists():
    parts = found("demo", 1).parts

    def depth(no):
        return 1 + max((depth(use.part) for use in parts[no].uses), default=0)

    assert {depth(no) for no, p in parts.items() if p.kind == "make" and p.sellable} == {3}
    for part in parts.values():
        assert all(part.names)
        assert part.site in {"TC1", "SZ1"}
        if part.kind == "make":
            assert part.steps
            assert all(use.part in parts for use in part.uses)


def test_the_first_sixty_customers_have_numbers_of_their_own():
    firm = found("demo", 1)
    assert len(firm.buyers) == 60
    assert sum(buyer.hold for buyer in firm.buyers.values()) == 1
    assert firm.buyers["20417"].name == "Brandt & Kessler Maschinenbau GmbH"


@pytest.mark.parametrize("code", ["TW", "CN"])
def test_quick_working_days_agree_with_the_calendar(code):
    quick, slow = WORK_DAYS[code], CALENDARS[code]
    for n in range(0, 900, 7):
        day = dt.date(2025, 1, 1) + dt.timedelta(days=n)
        for count in (-11, -1, 0, 1, 2, 23):
            assert quick.add(day.isoformat(), count) == slow.add_days(day, count).isoformat()


def test_the_order_of_the_pictures_is_late_because_its_ring_blanks_are(world):
    (order,) = world.lookup(Entity.SALES_ORDER, "customer_po", "4500-77812")
    assert order.reference == "SO-26-10482/0"
    assert [row.item for row in order.lines] == [
        "PG-115-10-S2", "SW-25-100-U", "BS-R40-20-C5-1480", "LG-35HA-2-1200", "KIT-SW25-SEAL",
    ]  # fmt: skip
    site = found("small", 7).buyers["20417"].sites[0]
    days = WORK_DAYS["TW"]
    late = {
        row.line_no: days.index(arrival(site, str(row.planned_on)))
        - days.index(str(row.promised_on))
        for row in order.lines
    }
    assert late[20] == 3
    assert all(late[no] <= 0 for no in (10, 30, 40, 50))
    data = dump(world)
    works = {w.demand_ref: w for w in data[Entity.WORK_ORDER]}
    flexspline = works[works[f"{order.erp_id}/20"].erp_id]
    assert flexspline.item == "FS-25"
    blanks = [
        (po, row)
        for po in data[Entity.PURCHASE_ORDER]
        for row in po.lines
        if row.demand_ref == flexspline.erp_id
    ]
    ((po, row),) = blanks
    assert (po.supplier_name, row.item, row.qty) == ("Tai-Hung Special Steel", "RB-25", 60)
    assert days.index(str(row.confirmed_on)) - days.index(str(row.first_confirmed_on)) == 6
    assert [works[f"{order.erp_id}/{no}"].status for no in (10, 20, 30, 40)] == [
        "running", "planned", "running", "released",
    ]  # fmt: skip
    gearboxes = works[f"{order.erp_id}/10"]
    assert gearboxes.operations[0].qty_done == 40 > gearboxes.completed_qty > 20
