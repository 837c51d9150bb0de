"""The board: counts, values, on time in full, load and short parts, and the page itself."""

from __future__ import annotations

from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import ItemFamily, RoutingRow, WorkCenter
from b2bcrm.fulfillment.actions import Promises, project
from b2bcrm.fulfillment.models import Shipment, ShipmentLine
from b2bcrm.fulfillment.queries import board
from b2bcrm.fulfillment.queries.board import BoardFilter
from b2bcrm.fulfillment.queries.figures import figures
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import NotAllowed
from tests.clients import client_for, make_app
from tests.factories import buyer, make_account, make_item, make_line, make_order
from tests.fulfillment.conftest import Plant, day, look

D = Decimal
pytestmark = pytest.mark.db

ALL = BoardFilter()


def troubled(work, plant, *, n=1, qty=10, due="12-14", promised="12-15", family="SW", **facts):
    """An order whose one line waits for a purchase."""
    item = make_item(work, family=family)
    line = make_line(
        work, item, ordered_qty=D(qty), promised_on=day(promised), first_promised_on=day(promised)
    )
    order = make_order(work, lines=[line], incoterm="DAP", **facts)
    plant.buy(f"PO-{n}", item.no, qty, due, first="11-20", ref=f"{order.erp_no}/10")
    project(work, [order.id])
    return order


def test_the_dearest_delay_comes_first(work, plant):
    small = troubled(work, plant, n=1, qty=10)
    large = troubled(work, plant, n=2, qty=100)
    fine = troubled(work, plant, n=3, due="11-20")
    rows, total = board.rows(work, ALL)
    assert [row.no for row in rows] == [large.no, small.no]
    assert total == 2
    assert rows[0].days < 0
    assert str(rows[0].value.amount) == "2000.00"
    found = figures(work, ALL).totals
    assert (found.orders, found.late, found.risk) == (3, 2, 0)
    assert found.causes == {"material": 2}
    assert found.troubled_value == D(2200) * D("36.10")
    assert fine.no not in {row.no for row in rows}


def test_filters_narrow_rows_and_figures(work, plant):
    troubled(work, plant, n=1)
    other = troubled(work, plant, n=2, family="PG", promised="12-22", due="12-21")
    assert [row.no for row in board.rows(work, BoardFilter(family="PG"))[0]] == [other.no]
    assert board.rows(work, BoardFilter(cause="capacity"))[1] == 0
    assert board.rows(work, BoardFilter(weeks=4))[1] == 1
    assert board.rows(work, BoardFilter(week=day("12-21")))[1] == 1
    assert figures(work, BoardFilter(family="PG")).totals.orders == 1
    assert figures(work, BoardFilter(site_id=999)).totals.orders == 0


def test_the_heat_strip_counts_lines_by_week_and_family(work, plant):
    troubled(work, plant, n=1)
    troubled(work, plant, n=2, due="11-20")
    troubled(work, plant, n=3, promised="11-02", due="11-20")  # past: shown in this week
    found = figures(work, ALL).heat
    cell = found.cells["SW", day("12-14")]
    assert (cell.total, cell.late, cell.third_late) == (2, 1, True)
    assert found.cells["SW", day("11-16")].late == 1
    assert found.weeks[0] == day("11-16")


def test_short_parts_say_what_they_hold_up(work, plant):
    order = troubled(work, plant)
    found = figures(work, ALL)
    rows = found.parts
    assert (found.part_count, found.held_up) == (1, 1)
    assert (rows[0].document_no, rows[0].need_on, rows[0].supply_on) == (
        "PO-1",
        day("11-20"),
        day("12-14"),
    )
    assert rows[0].value == order.total * D("36.10")


def delivered(work, order, qty, shipped, arrived):
    shipment = Shipment(
        no=f"DN-{order.id}-{qty}",
        account_id=order.account_id,
        shipped_on=day(shipped),
        delivered_on=day(arrived) if arrived else None,
        lines=[ShipmentLine(order_line_id=order.lines[0].id, qty=D(qty))],
    )
    work.session.add(shipment)
    work.session.flush()


def past_order(work, promised="11-10", **facts):
    line = make_line(work, promised_on=day(promised), first_promised_on=day(promised))
    return make_order(work, lines=[line], **facts)


def test_on_time_in_full_needs_the_whole_quantity_by_the_first_promise(work):
    delivered(work, past_order(work, incoterm="DAP"), 10, "11-05", "11-09")
    delivered(work, past_order(work, incoterm="DAP"), 9, "11-05", "11-09")
    delivered(work, past_order(work, incoterm="DAP"), 10, "11-06", "11-11")
    past_order(work, incoterm="DAP")
    found = figures(work, ALL).otif
    assert (found.past.good, found.past.total) == (1, 4)


def test_handing_over_to_the_carrier_counts_where_the_rule_says_so(work):
    delivered(work, past_order(work, incoterm="FCA"), 10, "11-10", "11-20")
    assert figures(work, ALL).otif.past.good == 1


def test_without_lines_there_is_no_figure_rather_than_a_hundred_percent(work):
    found = figures(work, ALL).otif
    assert found.past.pct is None
    assert found.projected.pct is None


def test_the_coming_weeks_count_as_projected(work, plant):
    troubled(work, plant, n=1, promised="12-01", due="11-20")
    troubled(work, plant, n=2, promised="12-01", due="12-14")
    found = figures(work, ALL).otif.projected
    assert (found.good, found.total) == (1, 2)


def test_load_is_the_open_hours_of_each_week_against_the_calendar(work, plant):
    item = make_item(work, no="SW-9")
    work.session.add(
        WorkCenter(
            code="G3",
            name="Grinding G-3",
            site_code="TC",
            station="grinding",
            hours_per_day=D(8),
            calendar_code="TW",
        )
    )
    work.session.add(
        RoutingRow(
            item_no="SW-9",
            step_no=10,
            name="Grind",
            work_center="G3",
            setup_hours=D(2),
            unit_hours=D(1),
        )
    )
    plant.make(
        "WO-1",
        item.no,
        48,
        "11-16",
        "11-27",
        ref="",
        steps=[("grinding", "G3", 0, "11-23", "11-27")],
    )
    plant.make(
        "WO-2",
        item.no,
        10,
        "11-09",
        "11-13",
        ref="",
        status="running",
        steps=[("grinding", "G3", 4, "11-09", "11-13")],
    )
    found = figures(work, BoardFilter(weeks=4))
    weeks = found.weeks
    assert found.center == "G3"
    assert [week.load for week in weeks] == [6, 50, 0, 0]
    assert [week.capacity for week in weeks] == [32, 40, 40, 40]  # today is a Tuesday
    assert weeks[1].over == 10


def test_the_board_is_not_for_buyers(work):
    work.actor = buyer(make_account(work))
    with pytest.raises(NotAllowed):
        board.rows(work, ALL)


# ----------------------------------------------------------------------------------- the page
@pytest.fixture
def app(office, tmp_path):
    return make_app(office, tmp_path, promises=Promises)


def test_the_page_of_an_empty_house_shows_no_figure(app, office):
    page = client_for(app, office, Role.PLANNER).get("/fulfillment").text
    assert "No open orders" in page
    assert 'class="kpis"' not in page
    assert 'class="heat"' not in page
    assert 'id="load"' not in page
    assert "OTIF" not in page


@pytest.fixture
def busy(office):
    with office.open() as work:
        work.session.add(ItemFamily(code="SW", name="Strain-wave reducers"))
        return [troubled(work, Plant(work), n=n) for n in range(3)]


def test_the_page_shows_causes_next_steps_and_links(app, office, busy):
    page = client_for(app, office, Role.PLANNER).get("/fulfillment").text
    for text in (busy[0].no, "Strain-wave reducers", "PO-0", "Change promise…", "3/3"):
        assert text in page
    assert "Change promise…" not in client_for(app, office, Role.SERVICE).get("/fulfillment").text


@pytest.mark.parametrize(
    "query", ["?weeks=x&site=abc&week=never&sort=no&page=99999999", "?family=%27", "?cause=mood"]
)
def test_nonsense_in_the_address_is_ignored(app, office, busy, query):
    assert client_for(app, office, Role.PLANNER).get(f"/fulfillment{query}").status_code == 200


def statements(client, engine):
    """How many the page sends at a second look."""
    client.get("/fulfillment")
    seen = []

    def note(*facts):
        if not facts[2].startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            seen.append(facts[2])

    sa.event.listen(engine, "before_cursor_execute", note)
    client.get("/fulfillment")
    sa.event.remove(engine, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize(("worker_looks", "most"), [(True, 5), (False, 12)])
def test_the_page_takes_few_statements_however_many_lines(
    app, office, busy, engine, worker_looks, most
):
    """Few where figures are stored, and not many more where it has to sum for itself."""
    client = client_for(app, office, Role.PLANNER)

    def sent():
        if worker_looks:
            look(office)
        return statements(client, engine)

    before = sent()
    with office.open() as work:
        lines = [make_line(work, line_no=10 * n) for n in range(1, 31)]
        project(work, [make_order(work, lines=lines).id])
        for n in range(100, 130):
            troubled(work, Plant(work), n=n)
    assert sent() == before <= most


def test_all_short_parts_are_a_click_away(app, office, busy):
    with office.open() as work:
        for n in range(10, 16):
            troubled(work, Plant(work), n=n)
    client = client_for(app, office, Role.PLANNER)
    page = client.get("/fulfillment").text
    assert "3 more parts" in page
    assert page.count('href="/items/') == 6
    assert client.get("/fulfillment?parts=all").text.count('href="/items/') == 9


def test_the_list_can_be_downloaded_with_its_filter(app, office, busy):
    client = client_for(app, office, Role.PLANNER)
    text = client.get("/fulfillment?format=csv&family=SW").text
    assert text.count("\n") == 4
    assert "PO-0" in text
    assert client.get("/fulfillment?format=xlsx").data.startswith(b"PK")


def test_the_version_grows_when_a_projection_changes(app, office, busy):
    client = client_for(app, office, Role.PLANNER)
    before = client.get("/fulfillment/version")
    again = client.get("/fulfillment/version", headers={"If-None-Match": before.headers["ETag"]})
    assert again.status_code == 304
    with office.open() as work:
        troubled(work, Plant(work), n=9)
    assert client.get("/fulfillment/version").text != before.text


def test_a_planner_moves_a_promise_in_the_dialog(app, office, busy):
    client = client_for(app, office, Role.PLANNER)
    url = f"/orders/{busy[0].no}/lines/10/promise"
    assert "So far Tue 15 Dec 2026" in client.get(url).text
    shown = client.get(f"{url}/notice?promised_on=2026-12-22").text
    assert "Tue 22 Dec 2026" in shown
    assert busy[0].no in shown
    wrong = client.send(url, version=1, promised_on="2026-11-01", reason_code="material")
    assert wrong.status_code == 422
    assert "The date is in the past." in wrong.text
    missing = client.send(url, version=1, promised_on="2026-12-22")
    assert "Choose a reason." in missing.text
    done = client.send(url, version=1, promised_on="2026-12-22", reason_code="material")
    assert done.status_code == 303
    stale = client.send(url, version=1, promised_on="2026-12-23", reason_code="material")
    assert stale.status_code == 409
    assert client_for(app, office, Role.SALES).get(url).status_code == 403


def test_a_buyer_confirms_a_receipt_once_and_only_his_own(app, office, busy):
    order = busy[0]
    with office.open() as work:
        delivered(work, order, 10, "11-16", None)
        shipment_id = work.session.scalar(sa.select(Shipment.id))
        account = work.session.get_one(type(make_account(work)), order.account_id)
        stranger = make_account(work)
    url = f"/portal/shipments/{shipment_id}/receipt"
    assert client_for(app, office, Role.BUYER, stranger).send(url).status_code == 404
    client = client_for(app, office, Role.BUYER, account)
    assert client.send(url, next="/portal/orders").status_code == 303
    assert client.send(url).status_code == 409
    assert client_for(app, office, Role.PLANNER).send(url).status_code in {403, 404}
