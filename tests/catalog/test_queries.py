"""Finding items, price ladders on a day, bill of material trees, targets."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest

from b2bcrm.catalog import actions, queries
from b2bcrm.catalog.models import BomRow
from b2bcrm.customers.models import CustomerPart
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import Invalid, NotAllowed, NotFound
from b2bcrm.kernel.work import Work
from tests.factories import buyer, make_account, make_item, make_price, staff

pytestmark = pytest.mark.db
D = Decimal
TODAY = dt.date(2026, 11, 17)


def bom(work: Work, parent: str, component: str, qty: str, **facts) -> None:
    row = BomRow(item_no=parent, component_no=component, qty_per=D(qty), unit="pcs", **facts)
    work.session.add(row)
    work.session.flush()


class TestSearch:
    def test_finds_by_the_start_of_the_number_before_the_middle_of_a_name(self, work: Work) -> None:
        make_item(work, no="XX-1", name="Adapter for pg-90")
        make_item(work, no="PG-90", name="Gearbox")
        hits = queries.search_items(work, "pg-9")
        assert [hit.no for hit in hits] == ["PG-90", "XX-1"]

    @pytest.mark.parametrize("text", ["滾珠螺桿", "滚珠丝杠", "ball SCREW"])
    def test_finds_by_a_name_in_any_language(self, work: Work, text: str) -> None:
        make_item(
            work, no="BS-1", name="Ball screw", name_zh_hant="滾珠螺桿", name_zh_hans="滚珠丝杠"
        )
        make_item(work, no="PG-1", name="Gearbox")
        assert [hit.no for hit in queries.search_items(work, text)] == ["BS-1"]

    def test_finds_by_the_customers_own_number_and_says_it(self, work: Work) -> None:
        account, item = make_account(work), make_item(work, no="PG-1")
        part = CustomerPart(account_id=account.id, item_id=item.id, part_no="BK-4711")
        work.session.add(part)
        work.session.flush()
        hit = queries.search_items(work, "bk-47", account_id=account.id)[0]
        assert (hit.no, hit.customer_part_no) == ("PG-1", "BK-4711")

    def test_a_buyer_never_finds_by_another_customers_number(self, work: Work) -> None:
        mine, other = make_account(work), make_account(work)
        item = make_item(work, no="PG-1")
        part = CustomerPart(account_id=other.id, item_id=item.id, part_no="SECRET-1")
        work.session.add(part)
        work.session.flush()
        work.actor = buyer(mine)
        assert not queries.search_items(work, "secret")
        assert not queries.search_items(work, "secret", account_id=other.id)
        assert queries.search_items(work, "PG-1")[0].customer_part_no == ""

    def test_wildcards_in_the_text_are_only_letters(self, work: Work) -> None:
        make_item(work, no="PG-1")
        assert not queries.search_items(work, "P%1")
        assert not queries.search_items(work, "P__1")

    def test_items_that_are_not_sold_are_found_only_when_asked_for(self, work: Work) -> None:
        make_item(work, no="RAW-1", sellable=False)
        assert not queries.search_items(work, "RAW")
        assert queries.search_items(work, "RAW", sellable_only=False)


class TestLadder:
    def test_gives_the_step_that_the_quantity_reaches(self, work: Work) -> None:
        item = make_item(work)
        for qty, price in ((1, 20), (10, 18), (100, 15)):
            make_price(work, item, min_qty=D(qty), unit_price=D(price))
        ladder = queries.price_ladder(work.session, item.no, "EXPORT", "EUR", TODAY)
        assert [step.unit_price for step in ladder.steps] == [20, 18, 15]
        assert [ladder.at(D(q)).unit_price for q in (1, 9, 10, 99, 100)] == [20, 20, 18, 18, 15]
        assert ladder.at(D("0.5")) is None

    def test_knows_only_what_is_valid_on_the_day(self, work: Work) -> None:
        item = make_item(work)
        make_price(work, item, unit_price=D(20), valid_to=dt.date(2026, 11, 16))
        make_price(work, item, unit_price=D(21), valid_from=dt.date(2026, 11, 17))
        make_price(work, item, unit_price=D(99), valid_from=dt.date(2027, 1, 1))
        ladder = queries.price_ladder(work.session, item.no, "EXPORT", "EUR", TODAY)
        assert [step.unit_price for step in ladder.steps] == [D(21)]

    def test_the_newest_row_wins_where_validities_overlap(self, work: Work) -> None:
        item = make_item(work)
        make_price(work, item, unit_price=D(22), valid_from=dt.date(2026, 6, 1))
        make_price(work, item, unit_price=D(20), valid_from=dt.date(2026, 1, 1))
        ladder = queries.price_ladder(work.session, item.no, "EXPORT", "EUR", TODAY)
        assert [step.unit_price for step in ladder.steps] == [D(22)]

    def test_another_currency_is_another_ladder(self, work: Work) -> None:
        item = make_item(work)
        make_price(work, item)
        make_price(work, item, currency="USD", unit_price=D(23))
        found = queries.price_ladders(work.session, item.no, TODAY)
        assert [(x.price_list, x.currency) for x in found] == [("EXPORT", "EUR"), ("EXPORT", "USD")]
        assert not queries.price_ladder(work.session, item.no, "HOME", "TWD", TODAY).steps


class TestTree:
    def test_goes_down_three_levels_and_multiplies(self, work: Work) -> None:
        for no in ("TOP", "A", "B", "C", "D"):
            make_item(work, no=no)
        bom(work, "TOP", "A", "2")
        bom(work, "A", "B", "3")
        bom(work, "B", "C", "0.5")
        bom(work, "C", "D", "1")
        tree = queries.bom_tree(work.session, "TOP", TODAY)
        assert [(n.depth, n.no, n.qty) for n in tree] == [
            (1, "A", D(2)),
            (2, "B", D(6)),
            (3, "C", D(3)),
        ]

    def test_a_circle_is_shown_once(self, work: Work) -> None:
        bom(work, "TOP", "A", "1")
        bom(work, "A", "TOP", "1")
        assert [n.no for n in queries.bom_tree(work.session, "TOP", TODAY)] == ["A", "TOP"]

    def test_what_no_longer_counts_is_left_out_and_what_does_not_yet_is_not_opened(
        self, work: Work
    ) -> None:
        change = TODAY + dt.timedelta(days=20)
        last = change - dt.timedelta(days=1)
        bom(work, "TOP", "GONE", "1", valid_to=TODAY - dt.timedelta(days=1))
        bom(work, "TOP", "OLD", "1", valid_to=last)
        bom(work, "TOP", "NEW", "2", valid_from=change)
        bom(work, "OLD", "A", "1")
        bom(work, "NEW", "B", "1")
        tree = queries.bom_tree(work.session, "TOP", TODAY)
        assert [(n.no, n.window.since, n.window.until) for n in tree] == [
            ("NEW", change, None),
            ("OLD", None, last),
            ("A", None, None),
        ]
        after = queries.bom_tree(work.session, "TOP", change)
        assert [(n.no, n.window.since) for n in after] == [("NEW", None), ("B", None)]

    def test_substitutes_stand_with_the_component_that_they_stand_in_for(self, work: Work) -> None:
        bom(work, "TOP", "A", "1")
        bom(work, "TOP", "S", "2", stands_in_for="A", valid_to=TODAY)
        bom(work, "S", "B", "1")
        (node,) = queries.bom_tree(work.session, "TOP", TODAY)
        assert [(s.no, s.qty, s.window.until) for s in node.instead] == [("S", D(2), TODAY)]
        (alone,) = queries.bom_tree(work.session, "TOP", TODAY + dt.timedelta(days=1))
        assert alone.instead == []

    def test_takes_as_many_statements_for_a_wide_bom_as_for_a_narrow_one(
        self, work: Work, statements
    ) -> None:
        for n in range(40):
            bom(work, "WIDE", f"W{n}", "1")
            bom(work, f"W{n}", f"V{n}", "1")
        bom(work, "NARROW", "N1", "1")
        bom(work, "N1", "N2", "1")
        with statements() as wide:
            queries.bom_tree(work.session, "WIDE", TODAY)
        with statements() as narrow:
            queries.bom_tree(work.session, "NARROW", TODAY)
        assert len(wide) == len(narrow) == 1

    def test_where_used_names_the_parents(self, work: Work) -> None:
        make_item(work, no="TOP")
        bom(work, "TOP", "A", "2")
        assert [(u.item.no, u.qty_per) for u in queries.where_used(work.session, "A", TODAY)] == [
            ("TOP", D(2))
        ]

    def test_where_used_tells_substitutes_and_leaves_out_what_is_over(self, work: Work) -> None:
        for no in ("TOP", "OLD"):
            make_item(work, no=no)
        bom(work, "TOP", "S", "2", stands_in_for="A")
        bom(work, "OLD", "S", "1", valid_to=TODAY - dt.timedelta(days=1))
        (used,) = queries.where_used(work.session, "S", TODAY)
        assert (used.item.no, used.stands_in_for) == ("TOP", "A")


def test_an_item_that_is_not_there_is_not_found(work: Work) -> None:
    with pytest.raises(NotFound):
        queries.item_by_no(work, "NOPE")


class TestTargets:
    def test_a_manager_sets_and_removes_a_target(self, work: Work) -> None:
        make_item(work, family="PG")
        month = dt.date(2026, 12, 1)
        work.actor = staff(Role.SALES_MANAGER)
        assert actions.set_target(work, month=month, family="PG", amount=D(66_000_000))
        assert not actions.set_target(work, month=month, family="PG", amount=D(66_000_000))
        assert queries.targets(work.session, month, month) == {(month, "PG"): D(66_000_000)}
        assert actions.set_target(work, month=month, family="PG", amount=D(0))
        assert queries.targets(work.session, month, month) == {}

    def test_a_seller_sets_none(self, work: Work) -> None:
        work.actor = staff(Role.SALES)
        with pytest.raises(NotAllowed):
            actions.set_target(work, month=TODAY, family="PG", amount=D(1))

    def test_an_unknown_family_is_refused(self, work: Work) -> None:
        with pytest.raises(Invalid):
            actions.set_target(work, month=TODAY, family="NOPE", amount=D(1))
