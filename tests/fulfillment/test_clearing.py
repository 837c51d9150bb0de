"""Clear to build: which work orders can start as planned, and what the others wait for."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.catalog.models import BomRow
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.fulfillment.planning.clearing import Missing, Start, Supply, clear_to_build
from b2bcrm.fulfillment.planning.plant import BomLine
from b2bcrm.fulfillment.queries.board import BoardFilter
from b2bcrm.fulfillment.queries.figures import figures
from b2bcrm.kernel.actor import Role
from tests.clients import client_for, make_app
from tests.fulfillment.conftest import Plant, day, look

D = Decimal
TODAY = dt.date(2026, 11, 17)
BOM = [
    BomLine("PUMP", "BOLT", D(2), D(0), "pcs"),
    BomLine("PUMP", "SEAL", D(1), D(0), "pcs"),
    BomLine("PUMP", "RING", D(4), D(0), "pcs", stands_in_for="SEAL"),
]


def start(no, on, qty=10):
    return Start(no, "PUMP", "TC", 1, D(qty), TODAY + dt.timedelta(days=on))


def supply(no, item, there, coming, on, ref=""):
    on = TODAY + dt.timedelta(days=on)
    return Supply("purchase_order", no, item, "TC", D(there), D(coming), on, ref)


def cleared(starts, on_hand, supplies=(), bom=BOM):
    on_hand = {(item, "TC"): D(qty) for item, qty in on_hand.items()}
    return {
        row.start.no: (row.here, [(m.part_no, m.qty, m.document_no) for m in row.missing])
        for row in clear_to_build(starts, bom, on_hand, supplies, TODAY)
    }


def test_what_starts_first_is_served_first():
    found = cleared([start("B", 3), start("A", 5)], {"BOLT": 25, "SEAL": 100})
    assert found == {"B": (True, []), "A": (False, [("BOLT", 15, "")])}


def test_what_came_for_a_work_order_lies_at_the_site_and_is_its_own():
    came = supply("PO-1", "BOLT", 20, 0, -1, ref="LATER")
    found = cleared([start("A", 5), start("LATER", 9)], {"BOLT": 30, "SEAL": 20}, [came])
    assert found == {"A": (False, [("BOLT", 10, "")]), "LATER": (True, [])}


@pytest.mark.parametrize(
    ("on", "lacks"), [(4, []), (5, []), (6, [("BOLT", 20, "PO-1")]), (-1, [("BOLT", 20, "PO-1")])]
)
@pytest.mark.parametrize("ref", ["A", ""])
def test_what_comes_by_the_start_is_in_time_unless_it_is_overdue(on, lacks, ref):
    coming = supply("PO-1", "BOLT", 0, 20, on, ref)
    assert cleared([start("A", 5)], {"SEAL": 10}, [coming]) == {"A": (False, lacks)}


def test_what_was_bought_to_stand_in_covers_what_it_stands_in_for():
    half = supply("PO-1", "RING", 0, 20, 30, ref="A")
    found = cleared([start("A", 5)], {"BOLT": 20, "SEAL": 5}, [half])
    assert found == {"A": (False, [("SEAL", 5, "PO-1")])}
    came = supply("PO-1", "RING", 20, 0, -1, ref="A")
    assert cleared([start("A", 5)], {"BOLT": 20, "SEAL": 5}, [came]) == {"A": (True, [])}


def test_what_stands_in_does_so_on_its_days_and_each_piece_once():
    came = supply("PO-1", "RING", 40, 0, -1, ref="A")
    ring = BOM[2]
    over = [*BOM[:2], ring._replace(valid_to=TODAY)]
    lacks = {"A": (False, [("SEAL", 10, "")])}
    assert cleared([start("A", 5)], {"BOLT": 20}, [came], over) == lacks
    for_both = [*BOM, ring._replace(stands_in_for="BOLT")]
    assert cleared([start("A", 5)], {}, [came], for_both) == lacks


PIECES = st.integers(0, 60)


@given(
    st.lists(st.tuples(st.integers(-3, 14), st.integers(1, 20)), min_size=1, max_size=6),
    st.tuples(PIECES, PIECES),
    st.lists(st.tuples(PIECES, PIECES, st.integers(-5, 20), st.integers(-1, 7)), max_size=6),
)
def test_no_more_pieces_are_given_out_than_are_there_and_come(wanted, stock, bought):
    starts = [start(str(n), on, qty) for n, (on, qty) in enumerate(wanted)]
    on_hand = dict(zip([("BOLT", "TC"), ("SEAL", "TC")], map(D, stock), strict=True))
    supplies = [
        supply(
            f"PO-{n}", "BOLT", there if ref >= 0 else 0, coming, on, str(ref) if ref >= 0 else ""
        )
        for n, (there, coming, on, ref) in enumerate(bought)
    ]
    given_out = defaultdict(Decimal)
    for row in clear_to_build(starts, BOM, on_hand, supplies, TODAY):
        missing = {m.part_no: m.qty for m in row.missing}
        for part, per in (("BOLT", 2), ("SEAL", 1)):
            assert 0 <= missing.get(part, D(0)) <= per * row.start.qty
            given_out[part] += per * row.start.qty - missing.get(part, D(0))
    came = max(on_hand["BOLT", "TC"], sum(s.there for s in supplies))
    assert given_out["BOLT"] <= came + sum(s.coming for s in supplies if s.on >= TODAY)
    assert given_out["SEAL"] <= on_hand["SEAL", "TC"]


@pytest.mark.db
def test_the_board_shows_what_can_start_and_what_the_others_wait_for(office, tmp_path):
    with office.open() as work:
        plant = Plant(work)
        work.session.add_all([
            BomRow(item_no="PUMP", component_no="BOLT", qty_per=D(2), unit="pcs"),
            BomRow(item_no="PUMP", component_no="OLD", qty_per=D(1), unit="pcs",
                   valid_to=day("11-01")),
        ])  # fmt: skip
        plant.stock("BOLT", 23)
        plant.make("WO-1", "PUMP", 10, "11-19", "11-25", ref="")
        plant.make("WO-2", "PUMP", 4, "11-20", "11-25", ref="")
        plant.buy("PO-2", "BOLT", 10, "11-27", received=3, ref="WO-2")
        plant.make("WO-3", "PUMP", 1, "11-18", "11-25", ref="", status="running")
        plant.make("WO-4", "PUMP", 1, "12-07", "12-09", ref="")
    site = plant.site.id

    def shown(site):
        with office.open(read_only=True) as work:
            return figures(work, BoardFilter(site_id=site)).clear

    on_the_spot = shown(site)
    look(office)
    found = shown(site)
    assert found == on_the_spot == shown(None)
    assert (found.starts, found.clear, found.here, found.row_count) == (2, 1, 1, 1)
    assert found.rows == (
        Missing(
            work_order="WO-2",
            item_no="PUMP",
            start_on=day("11-20"),
            part_no="BOLT",
            qty=D(5),
            kind="purchase_order",
            document_no="PO-2",
            supply_on=day("11-27"),
        ),
    )
    assert shown(site + 1).starts == 0
    app = make_app(office, tmp_path, promises=Promises)
    page = client_for(app, office, Role.PLANNER).get("/fulfillment").text
    panel = page[page.index('id="clear"') :]
    assert "1 of 2 can start as planned" in panel
    assert "/fulfillment/impact?kind=work_order&amp;no=WO-2" in panel
    assert "/fulfillment/impact?kind=purchase_order&amp;no=PO-2" in panel
