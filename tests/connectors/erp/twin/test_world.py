"""The twin's calls: reads that miss nothing, writes that happen once, a clock that only goes on."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
from decimal import Decimal

import pytest

from b2bcrm.ports.erp import Entity
from connectors.erp.twin.world import TwinRefusal, TwinWorld
from tests.connectors.erp.twin.audit import audit
from tests.connectors.erp.twin.scene import MORNING, TODAY, Clock, draft, dump, line


def order_of(world, erp_id):
    return world.get(Entity.SALES_ORDER, erp_id)


# ---------------------------------------------------------------------------------------- the clock
def test_one_jump_and_many_days_lead_to_the_same_world(open_world):
    jump, walk = Clock(), Clock()
    jumper, walker = open_world(jump, "jump.db"), open_world(walk, "walk.db")
    for world in (jumper, walker):
        world.create(draft())
    jumper.advance_to(jump.move(days=75))
    for _ in range(75 * 2):
        walker.advance_to(walk.move(hours=12))
    assert dump(jumper) == dump(walker)


def test_advancing_to_the_same_instant_twice_changes_nothing(world, clock):
    world.advance_to(clock.move(days=20))
    once = dump(world)
    world.advance_to(clock.now)
    world.advance_to(clock.now - dt.timedelta(days=5))
    assert dump(world) == once


def test_a_reopened_world_goes_on_as_if_it_had_stayed_open(open_world, tmp_path):
    stay, leave = Clock(), Clock()
    stayed, left = open_world(stay, "stay.db"), open_world(leave, "leave.db")
    stayed.advance_to(stay.move(days=10))
    left.advance_to(leave.move(days=10))
    left.close()
    left = TwinWorld(tmp_path / "leave.db", now=leave)
    stayed.advance_to(stay.move(days=10))
    left.advance_to(leave.move(days=10))
    assert dump(stayed) == dump(left)
    left.close()


def test_a_delta_since_the_last_watermark_misses_no_change(world, clock):
    known = {e: {r.erp_id: r for r in rows} for e, rows in dump(world).items()}
    since = clock.now
    for days in (1, 3, 8, 20):
        clock.move(days=days)
        for entity in Entity:
            cursor = None
            while True:
                page = world.list(entity, since=since, cursor=cursor, page_size=7)
                known[entity] |= {r.erp_id: r for r in page.records}
                cursor = page.next_cursor
                if cursor is None:
                    break
            assert page.high_watermark == clock.now
        since = clock.now
    assert known == {e: {r.erp_id: r for r in rows} for e, rows in dump(world).items()}


# ----------------------------------------------------------------------------------------- reading
def test_pages_announce_all_rows_and_come_in_one_order(world):
    records, cursor, counts = [], None, set()
    while True:
        page = world.list(Entity.WORK_ORDER, cursor=cursor, page_size=9)
        assert page.complete
        assert len(page.records) <= 9
        records += page.records
        counts.add(page.announced)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert counts == {len(records)}
    keys = [(r.updated_at, r.erp_id) for r in records]
    assert keys == sorted(set(keys))


def test_a_cursor_that_is_not_ours_is_refused(world):
    with pytest.raises(TwinRefusal) as no:
        world.list(Entity.ITEM, cursor="bm90IGEgY3Vyc29y")
    assert no.value.code == "bad_cursor"


def test_a_reference_is_found_whole_or_by_its_order_number(world):
    erp_id = world.create(draft("SO-26-20001/0")).erp_id
    world.create(draft("SO-26-200010/0", customer_po="other"))
    for value in ("SO-26-20001", "SO-26-20001/0"):
        assert [o.erp_id for o in world.lookup(Entity.SALES_ORDER, "reference", value)] == [erp_id]
    assert not world.lookup(Entity.SALES_ORDER, "reference", "SO-26-2000")
    assert [o.erp_id for o in world.lookup(Entity.SALES_ORDER, "customer_po", "PO77001")] == [
        erp_id
    ]
    with pytest.raises(TwinRefusal):
        world.lookup(Entity.SALES_ORDER, "note", "x")


def test_operations_come_for_the_orders_asked_for(world):
    works = world.list(Entity.WORK_ORDER, page_size=5).records
    asked = [work.erp_id for work in works]
    found = world.operations([*asked, "WO-0"])
    assert found == {work.erp_id: work.operations for work in works}


def test_the_health_names_the_product(world):
    assert world.health().ok
    assert "twin" in world.health().product


# ----------------------------------------------------------------------------------------- writing
def test_an_accepted_order_gets_its_supply_and_is_delivered_in_time_or_late(world, clock):
    result = world.create(draft())
    assert result.line_map == {10: 10, 20: 20}
    order = order_of(world, result.erp_id)
    assert order.reference == "SO-26-20001/0"
    assert all(row.planned_on for row in order.lines)
    audit(world, TODAY)
    world.advance_to(clock.move(days=150))
    assert order_of(world, result.erp_id).status == "closed"
    audit(world, clock.now.date())


def test_the_same_reference_is_refused_the_second_time(world, tmp_path):
    first = world.create(draft())
    for again in ("SO-26-20001/0", "SO-26-20001/1"):
        with pytest.raises(TwinRefusal) as no:
            world.create(draft(again))
        assert no.value.code == "duplicate_reference"
    with sqlite3.connect(tmp_path / "twin.db") as db:
        query = "SELECT erp_id FROM sales_order WHERE reference = ?"
        assert db.execute(query, ("SO-26-20001/0",)).fetchall() == [(first.erp_id,)]
    db.close()


def test_eight_threads_with_one_reference_leave_one_order(world):
    answers = []

    def send():
        try:
            answers.append(world.create(draft()).erp_id)
        except TwinRefusal as no:
            answers.append(no.code)

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count("duplicate_reference") == 7
    assert len(world.lookup(Entity.SALES_ORDER, "reference", "SO-26-20001")) == 1


@pytest.mark.parametrize(
    ("changes", "code", "line_no"),
    [
        ({"customer": "99999"}, "unknown_customer", None),
        ({"currency": "GBP"}, "unknown_currency", None),
        ({"site": "XX"}, "unknown_site", None),
        ({"ship_to": "77"}, "unknown_ship_to", None),
        ({"payment_terms": "soon"}, "unknown_terms", None),
        ({"lines": (line(10, "NO-SUCH"),)}, "unknown_item", 10),
        ({"lines": (line(10, "RB-25"),)}, "item_not_sold", 10),
        ({"lines": (line(10), line(20, qty="1.5"))}, "invalid_quantity", 20),
        ({"lines": (line(10, qty=0),)}, "invalid_quantity", 10),
        ({"lines": (line(10, uom="KG"),)}, "unknown_unit", 10),
        ({"lines": (line(10), line(10))}, "duplicate_line", 10),
        ({"lines": (line(10, unit_price=Decimal(-1)),)}, "invalid_price", 10),
        ({"lines": (line(10, promised_on=dt.date(2999, 1, 1)),)}, "invalid_date", 10),
    ],
)
def test_a_draft_that_cannot_be_is_refused_and_changes_nothing(world, changes, code, line_no):
    before = dump(world)
    with pytest.raises(TwinRefusal) as no:
        world.create(draft(**changes))
    assert (no.value.code, no.value.line_no) == (code, line_no)
    assert dump(world) == before


def test_a_blocked_customer_gets_nothing(world):
    blocked = next(c for c in world.list(Entity.CUSTOMER).records if c.credit_hold)
    with pytest.raises(TwinRefusal) as no:
        world.create(draft(customer=blocked.erp_id, currency=blocked.currency))
    assert no.value.code == "customer_blocked"


def test_a_typed_order_has_no_reference(world):
    order = order_of(world, world.enter_order(draft("")).erp_id)
    assert order.reference == ""
    world.enter_order(draft("", customer_po="another"))


def test_an_amendment_changes_quantities_dates_and_lines(world, clock):
    erp_id = world.create(draft()).erp_id
    clock.move(days=2)
    later = dt.date(2027, 2, 26)
    new = draft(
        "SO-26-20001/1",
        lines=(line(10, qty=26, promised_on=later), line(30, "PG-115-10-S2", 8)),
    )
    world.update(erp_id, new)
    order = order_of(world, erp_id)
    assert order.reference == "SO-26-20001/1"
    assert [(r.line_no, r.qty, r.status) for r in order.lines] == [
        (10, 26, "open"), (20, 30, "cancelled"), (30, 8, "open"),
    ]  # fmt: skip
    assert order.lines[0].promised_on == later
    audit(world, clock.now.date())
    world.advance_to(clock.move(days=160))
    assert order_of(world, erp_id).status == "closed"
    audit(world, clock.now.date())


@pytest.mark.parametrize(
    ("days", "qty"),
    [(0, 12), (0, 45), (20, 1), (36, 12), (36, 45), (45, 19), (45, 45), (55, 12), (55, 30)],
)
def test_a_changed_quantity_never_breaks_the_books(world, clock, days, qty):
    erp_id = world.create(draft()).erp_id
    world.advance_to(clock.move(days=days))
    old = order_of(world, erp_id)
    items = [line(10, qty=qty), line(20, "LG-25HA-2-1200", 30)]
    new = draft("SO-26-20001/1", lines=tuple(items))
    if old.status == "closed" or old.lines[0].shipped_qty > qty:
        with pytest.raises(TwinRefusal):
            world.update(erp_id, new)
        assert order_of(world, erp_id) == old
    elif old.lines[0].status == "open":
        world.update(erp_id, new)
        assert order_of(world, erp_id).lines[0].qty == qty
    audit(world, clock.now.date())
    world.advance_to(clock.move(days=120))
    audit(world, clock.now.date())
    assert order_of(world, erp_id).status == "closed"


def test_an_old_version_cannot_be_changed(world):
    result = world.create(draft())
    world.update(result.erp_id, draft("SO-26-20001/1"), expected_version=result.version)
    with pytest.raises(TwinRefusal) as no:
        world.update(result.erp_id, draft("SO-26-20001/2"), expected_version=result.version)
    assert no.value.code == "version_conflict"


@pytest.mark.parametrize("days", [0, 15, 30, 40])
def test_a_cancelled_order_gives_back_what_it_held(world, clock, days):
    erp_id = world.create(draft()).erp_id
    world.advance_to(clock.move(days=days))
    if any(row.shipped_qty for row in order_of(world, erp_id).lines):
        with pytest.raises(TwinRefusal) as no:
            world.cancel(erp_id, reference="SO-26-20001/0", reason="stopped")
        assert no.value.code == "order_shipped"
    else:
        world.cancel(erp_id, reference="SO-26-20001/0", reason="stopped")
        assert order_of(world, erp_id).status == "cancelled"
    audit(world, clock.now.date())
    world.advance_to(clock.move(days=90))
    audit(world, clock.now.date())


def test_another_orders_reference_cancels_nothing(world):
    erp_id = world.create(draft()).erp_id
    with pytest.raises(TwinRefusal) as no:
        world.cancel(erp_id, reference="SO-26-99999/0", reason="")
    assert no.value.code == "wrong_reference"
    with pytest.raises(TwinRefusal) as no:
        world.cancel("nothing", reference="", reason="")
    assert no.value.code == "unknown_order"


def test_a_slipped_purchase_moves_the_date_of_the_line_it_feeds(world, clock):
    erp_id = world.create(draft()).erp_id
    before = order_of(world, erp_id).lines[0]
    works = world.list(Entity.WORK_ORDER, page_size=5000).records
    top = next(w for w in works if w.demand_ref == f"{erp_id}/10")
    below = {w.erp_id for w in works if w.demand_ref == top.erp_id} | {top.erp_id}
    po, row = next(
        (po, row)
        for po in world.list(Entity.PURCHASE_ORDER, page_size=5000).records
        for row in po.lines
        if row.demand_ref in below
    )
    clock.move(minutes=5)
    world.slip_purchase_order(po.erp_id, row.line_no, dt.date(2027, 3, 1))
    moved = world.get(Entity.PURCHASE_ORDER, po.erp_id).lines[row.line_no - 1]
    assert moved.confirmed_on >= dt.date(2027, 3, 1) > moved.first_confirmed_on
    after = order_of(world, erp_id)
    assert after.lines[0].planned_on > dt.date(2027, 3, 1) > before.planned_on
    assert after.updated_at == clock.now
    audit(world, TODAY)
    world.advance_to(clock.move(days=200))
    assert order_of(world, erp_id).status == "closed"


def test_pieces_of_a_running_work_order_are_spread_over_the_stations(world, clock):
    spread = 0
    for _ in range(20):
        world.advance_to(clock.move(days=1))
        for work in world.list(Entity.WORK_ORDER, page_size=5000).records:
            done = {operation.qty_done for operation in work.operations}
            spread += work.status == "running" and len(done) > 2
    assert spread > 5


def test_finished_pieces_of_a_running_work_order_are_in_stock_and_kept_for_its_parent(world, clock):
    seen = 0
    for _ in range(10):
        world.advance_to(clock.move(days=1))
        data = audit(world, clock.now.date())
        kept = {(row.item, row.site): row.allocated for row in data[Entity.STOCK]}
        for work in data[Entity.WORK_ORDER]:
            if work.status == "running" and work.demand_ref.startswith("WO-"):
                seen += work.completed_qty > 0
                assert work.completed_qty <= kept[work.item, work.site]
    assert seen > 5


def test_a_failed_write_leaves_the_world_usable(world, monkeypatch):
    before = dump(world)
    with monkeypatch.context() as patch:
        patch.setattr("connectors.erp.twin.sales.line_is_ready", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            world.create(draft(lines=(line(10, "SRV-COMM-01", 1, uom="DAY"),)))
    assert dump(world) == before
    assert world.create(draft()).erp_id
    audit(world, MORNING.date())


# ---------------------------------------------------------------------------------------- far dates
FAR_DAY = dt.date(2027, 6, 21)


def supply_of(world, erp_id):
    """Work order numbers per order line."""
    found = {}
    for work in dump(world)[Entity.WORK_ORDER]:
        if work.demand_ref.startswith(f"{erp_id}/"):
            found.setdefault(int(work.demand_ref.split("/")[1]), []).append(work.erp_id)
    return found


def far_order(world):
    """An order whose second line leaves in half a year; its number."""
    far = line(20, requested_on=FAR_DAY, promised_on=FAR_DAY)
    return world.create(draft(lines=(line(10), far))).erp_id


def test_a_line_that_leaves_beyond_the_horizon_is_planned_in_time_and_ships_in_time(world, clock):
    no = far_order(world)
    assert set(supply_of(world, no)) == {10}
    assert order_of(world, no).lines[1].planned_on == dt.date(2027, 6, 15)  # six days on the way
    world.advance_to(clock.move(days=100))
    assert set(supply_of(world, no)) == {10}
    world.advance_to(clock.move(days=30))
    assert set(supply_of(world, no)) == {10, 20}
    audit(world, clock.now.date())
    world.advance_to(clock.move(days=110))
    assert order_of(world, no).status == "closed"
    audit(world, clock.now.date())


def test_a_far_line_that_is_wanted_earlier_is_planned_at_once_and_only_once(world, clock):
    no = far_order(world)
    near = dt.date(2027, 1, 22)
    sooner = line(20, qty=30, requested_on=near, promised_on=near)
    world.update(no, draft(lines=(line(10), sooner)))
    planned = supply_of(world, no)
    assert len(planned[20]) == 1
    assert world.get(Entity.WORK_ORDER, planned[20][0]).qty == 30
    world.advance_to(clock.move(days=150))
    assert supply_of(world, no) == planned


def test_a_far_line_can_be_moved_further_and_taken_back(world, clock):
    no = far_order(world)
    later = FAR_DAY + dt.timedelta(days=56)
    world.update(no, draft(lines=(line(10), line(20, requested_on=later, promised_on=later))))
    world.advance_to(clock.move(days=135))
    assert set(supply_of(world, no)) == {10}
    world.update(no, draft(lines=(line(10),)))
    world.advance_to(clock.move(days=90))
    assert set(supply_of(world, no)) == {10}
    assert order_of(world, no).status == "closed"
    audit(world, clock.now.date())
