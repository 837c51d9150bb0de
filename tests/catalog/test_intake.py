"""The ERP's items, boms, work centres and prices: exact, in batch, twice the same."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.catalog import intake
from b2bcrm.catalog.models import BomRow, Item, PriceBreak, RoutingRow, WorkCenter
from b2bcrm.kernel.work import Work
from b2bcrm.ports import erp
from tests.factories import make_item

pytestmark = pytest.mark.db
D = Decimal


def item_record(no: str = "PG-115", **facts) -> erp.Item:
    values = {
        "erp_id": no,
        "name": "Planetary gearbox 115",
        "name_zh_hant": "行星減速機 115",
        "name_zh_hans": "行星减速机 115",
        "spec": "i = 5",
        "family": "PG",
        "kind": "make",
        "base_uom": "pcs",
        "lead_time_days": 20,
        "lot_size": D(1),
        "standard_cost": D("412.50"),
        "cost_currency": "TWD",
        "weight_kg": D("4.2"),
        "sellable": True,
        "active": True,
    }
    return erp.Item(**(values | facts))


def price_record(item: str, key: str = "P1", **facts) -> erp.PriceBreak:
    values = {
        "erp_id": key,
        "price_list": "EXPORT",
        "item": item,
        "currency": "EUR",
        "min_qty": D(1),
        "unit_price": D("0.00345"),
        "valid_from": dt.date(2026, 1, 1),
        "valid_to": None,
    }
    return erp.PriceBreak(**(values | facts))


def row(component: str, **facts) -> erp.BomLine:
    values = {"component": component, "qty_per": D(1), "scrap_pct": D(0), "uom": "pcs"}
    return erp.BomLine(**(values | facts))


def bom_record(item: str, components: dict[str, str], steps: int = 0, **facts) -> erp.Bom:
    lines = tuple(row(no, qty_per=D(qty)) for no, qty in components.items())
    routing = tuple(
        erp.RoutingStep(
            step_no=10 * (n + 1),
            name=f"Step {n}",
            work_center="WC",
            setup_hours=D("0.5"),
            unit_hours=D("0.12"),
        )
        for n in range(steps)
    )
    return erp.Bom(erp_id=item, item=item, lines=lines, routing=routing, **facts)


class TestItems:
    def test_a_new_item_is_stored_with_its_names_and_exact_cost(self, work: Work) -> None:
        assert intake.apply_items(work, [item_record()]).changed == 1
        row = work.session.scalars(sa.select(Item).where(Item.no == "PG-115")).one()
        assert (row.name_zh_hans, row.standard_cost) == ("行星减速机 115", D("412.50"))

    def test_the_same_page_twice_changes_nothing(self, work: Work) -> None:
        page = [item_record(f"A{n}") for n in range(30)]
        assert intake.apply_items(work, page).changed == 30
        assert intake.apply_items(work, page).changed == 0

    def test_only_real_changes_are_counted(self, work: Work) -> None:
        page = [item_record(f"A{n}") for n in range(5)]
        intake.apply_items(work, page)
        page[2] = dataclasses.replace(page[2], lead_time_days=25)
        assert intake.apply_items(work, page).changed == 1

    def test_an_item_read_before_shows_the_new_values(self, work: Work) -> None:
        item = make_item(work, no="PG-115")
        intake.apply_items(work, [item_record(lead_time_days=7)])
        assert item.lead_time_days == 7

    def test_an_item_deleted_in_the_erp_becomes_inactive(self, work: Work) -> None:
        intake.apply_items(work, [item_record()])
        gone = item_record(deleted=True)
        assert intake.apply_items(work, [gone]).changed == 1
        assert intake.apply_items(work, [gone]).changed == 0
        row = work.session.scalars(sa.select(Item).where(Item.no == "PG-115")).one()
        assert not row.active
        assert not row.sellable

    def test_a_kind_we_do_not_know_is_parked_and_the_others_go_on(self, work: Work) -> None:
        result = intake.apply_items(work, [item_record("A", kind="phantom"), item_record("B")])
        assert result.changed == 1
        assert [key for key, _reason in result.parked] == ["A"]


class TestBoms:
    def test_components_and_routing_are_replaced_as_a_whole(self, work: Work) -> None:
        for no in ("TOP", "C1", "C2"):
            make_item(work, no=no)
        first = bom_record("TOP", {"C1": "2", "C2": "0.5"}, steps=2)
        assert intake.apply_boms(work, [first]).changed == 4
        assert intake.apply_boms(work, [first]).changed == 0
        assert intake.apply_boms(work, [bom_record("TOP", {"C1": "3"}, steps=1)]).changed == 3
        rows = work.session.scalars(sa.select(BomRow).where(BomRow.item_no == "TOP")).all()
        assert [(r.component_no, r.qty_per) for r in rows] == [("C1", D(3))]
        steps = work.session.scalars(sa.select(RoutingRow).where(RoutingRow.item_no == "TOP"))
        assert [s.unit_hours for s in steps] == [D("0.12")]

    def test_a_component_listed_twice_is_summed(self, work: Work) -> None:
        make_item(work, no="TOP")
        line = row("C", qty_per=D(2))
        intake.apply_boms(work, [erp.Bom(erp_id="TOP", item="TOP", lines=(line, line))])
        assert work.session.scalar(sa.select(BomRow.qty_per)) == D(4)

    def test_a_component_may_come_again_on_other_days_and_as_a_substitute(self, work: Work) -> None:
        make_item(work, no="TOP")
        march = dt.date(2027, 3, 1)
        bill = erp.Bom(
            erp_id="TOP",
            item="TOP",
            lines=(
                row("C", valid_to=march - dt.timedelta(days=1)),
                row("C", qty_per=D(3), valid_from=march),
                row("S", stands_in_for="C"),
            ),
        )
        assert intake.apply_boms(work, [bill]).changed == 3
        assert intake.apply_boms(work, [bill]).changed == 0
        rows = work.session.scalars(sa.select(BomRow).order_by(BomRow.id)).all()
        assert [(r.component_no, r.qty_per, r.valid_from, r.valid_to) for r in rows] == [
            ("C", D(1), dt.date.min, dt.date(2027, 2, 28)),
            ("C", D(3), march, dt.date.max),
            ("S", D(1), dt.date.min, dt.date.max),
        ]

    @pytest.mark.parametrize(
        ("lines", "reason"),
        [
            (
                [row("C", valid_from=dt.date(2027, 3, 1), valid_to=dt.date(2027, 2, 28))],
                "The row of C ends before it starts.",
            ),
            (
                [row("C"), row("S", stands_in_for="D")],
                "S stands in for D, which is no component of TOP.",
            ),
            (
                [row("C"), row("S", stands_in_for="C"), row("R", stands_in_for="S")],
                "R stands in for S, which is no component of TOP.",
            ),
            (
                [row("C"), row("C", stands_in_for="C")],
                "Substitutes lead back to themselves: C > C.",
            ),
            (
                [row("C"), row("S"), row("S", stands_in_for="C"), row("C", stands_in_for="S")],
                "Substitutes lead back to themselves: C > S > C.",
            ),
        ],
    )
    def test_a_row_that_makes_no_sense_parks_its_bill_with_the_reason(
        self, work: Work, lines, reason
    ) -> None:
        make_item(work, no="TOP")
        make_item(work, no="GOOD")
        bad = erp.Bom(erp_id="TOP", item="TOP", lines=tuple(lines))
        result = intake.apply_boms(work, [bad, bom_record("GOOD", {"C": "1"})])
        assert (result.changed, [(key, str(why)) for key, why in result.parked]) == (
            1,
            [("TOP", reason)],
        )

    def test_the_bom_of_an_unknown_item_is_parked(self, work: Work) -> None:
        result = intake.apply_boms(work, [bom_record("NOPE", {"C": "1"})])
        assert result.changed == 0
        assert result.parked[0][0] == "NOPE"

    def test_a_deleted_bom_goes(self, work: Work) -> None:
        make_item(work, no="TOP")
        intake.apply_boms(work, [bom_record("TOP", {"C": "1"})])
        assert intake.apply_boms(work, [bom_record("TOP", {"C": "1"}, deleted=True)]).changed == 1
        assert not work.session.scalars(sa.select(BomRow)).all()


def test_work_centers_are_upserted_by_code(work: Work) -> None:
    record = erp.WorkCenter(
        erp_id="GR-1", name="Grinding", site="TC", station="grinding", hours_per_day=D(16),
        calendar="TW",
    )  # fmt: skip
    assert intake.apply_work_centers(work, [record]).changed == 1
    assert intake.apply_work_centers(work, [record]).changed == 0
    more = dataclasses.replace(record, hours_per_day=D(24))
    assert intake.apply_work_centers(work, [more]).changed == 1
    assert work.session.scalar(sa.select(WorkCenter.hours_per_day)) == D(24)
    gone = dataclasses.replace(record, deleted=True)
    assert intake.apply_work_centers(work, [gone]).changed == 1


class TestPrices:
    def test_a_price_keeps_all_its_places(self, work: Work) -> None:
        make_item(work, no="PG-115")
        assert intake.apply_prices(work, [price_record("PG-115")]).changed == 1
        assert intake.apply_prices(work, [price_record("PG-115")]).changed == 0
        assert work.session.scalar(sa.select(PriceBreak.unit_price)) == D("0.00345")

    def test_a_price_of_an_unknown_item_is_parked(self, work: Work) -> None:
        make_item(work, no="A")
        page = [price_record("A", "P1"), price_record("B", "P2")]
        result = intake.apply_prices(work, page)
        assert result.changed == 1
        assert [key for key, _reason in result.parked] == ["P2"]

    def test_a_deleted_price_goes(self, work: Work) -> None:
        make_item(work, no="A")
        intake.apply_prices(work, [price_record("A")])
        assert intake.apply_prices(work, [price_record("A", deleted=True)]).changed == 1
        assert not work.session.scalars(sa.select(PriceBreak)).all()


def test_a_page_of_five_hundred_takes_few_statements(work: Work, statements) -> None:
    page = [item_record(f"N{n:04d}") for n in range(500)]
    with statements() as seen:
        intake.apply_items(work, page)
    assert len(seen) <= 4
    with statements() as seen:
        intake.apply_items(work, page)
    assert len(seen) == 1
