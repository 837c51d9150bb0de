"""Asking, holding, converting and releasing in one Work, and what the next one sees."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.catalog.models import ItemKind
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.fulfillment.models import Reservation
from b2bcrm.kernel.errors import Refused
from b2bcrm.ports.promise import AskLine, Mode, PromiseMoved
from b2bcrm.sync.models import ErpConnection, Feed
from tests.factories import make_account, make_item, make_site
from tests.fulfillment.conftest import day

D = Decimal
pytestmark = pytest.mark.db

WISH = dt.date(2026, 11, 27)
UNTIL = dt.date(2026, 11, 19)


@pytest.fixture
def item(plant, work):
    """48 in stock, 100 more on PO-33107 on 30 Nov, 35 working days to get anew."""
    item = make_item(work, no="PG-115", lead_time_days=35)
    plant.stock("PG-115", 50, allocated=2)
    plant.buy("PO-33107", "PG-115", 100, "11-30")
    plant.buy("PO-1", "PG-115", 500, "11-18", ref="418/10")
    return item


def wish(item, qty, ref="10", **facts) -> AskLine:
    return AskLine(ref=ref, item_id=item.id, qty=D(qty), wanted_on=WISH, **facts)


def ask(work, item, qty):
    return Promises(work).ask([wish(item, qty)], Mode.QUOTE)[0]


def test_stock_that_is_not_allocated_and_free_supply_make_the_promise(work, item):
    answer = ask(work, item, 100)
    assert (answer.full_on, answer.by_wish_qty) == (day("11-30"), 48)
    assert str(answer.reason) == "48 in stock, the rest from PO-33107 on Mon 30 Nov 2026"
    assert [source.document_no for source in answer.sources] == ["", "PO-33107"]


@pytest.fixture
def old_stock(work, item):
    """The stock feed was read completely an hour ago and may be half an hour old."""
    feed = Feed(
        connection_code="main",
        entity="stock",
        limit_minutes=30,
        data_as_of=work.now - dt.timedelta(hours=1),
        next_at=work.tick,
    )
    work.session.add(feed)
    work.session.flush()
    return feed


def test_on_old_data_a_date_is_shown_but_marked_as_not_firm(work, item, old_stock):
    answer = ask(work, item, 10)
    assert (answer.full_on, answer.firm) == (work.today, False)
    assert "not firm: Stock from the ERP are 60 minutes old" in str(answer.reason)


def test_on_old_data_nothing_is_promised_and_the_sentence_names_the_feed(work, item, old_stock):
    with pytest.raises(Refused, match="Stock from the ERP are 60 minutes old") as no:
        Promises(work).hold("Q-26-1/0", [wish(item, 10)], UNTIL, at_worst={})
    assert no.value.code == "stale_feeds"
    with pytest.raises(Refused):
        Promises(work).convert("Q-26-1/0", "SO-1", [wish(item, 10)])


def test_what_was_held_on_fresh_data_stays_promised_on_old(work, item, old_stock):
    old_stock.data_as_of = work.now
    Promises(work).hold("Q-26-1/0", [wish(item, 10)], UNTIL, at_worst={})
    old_stock.data_as_of = work.now - dt.timedelta(hours=1)
    (answer,) = Promises(work).convert("Q-26-1/0", "SO-1", [wish(item, 10)])
    assert answer.full_on == work.today


def test_two_lines_of_one_ask_do_not_get_the_same_pieces(work, item):
    one, two = Promises(work).ask([wish(item, 48, "10"), wish(item, 48, "20")], Mode.QUOTE)
    assert one.full_on == work.today
    assert two.full_on == day("11-30")


def test_a_hold_takes_its_pieces_from_the_next_ask(work, item):
    Promises(work).hold("Q-26-1/0", [wish(item, 48)], UNTIL, at_worst={})
    assert ask(work, item, 10).full_on == day("11-30")


def test_a_hold_that_ran_out_or_was_released_gives_its_pieces_back(work, item):
    Promises(work).hold("Q-26-1/0", [wish(item, 48)], dt.date(2026, 11, 16), at_worst={})
    assert ask(work, item, 10).full_on == work.today
    Promises(work).hold("Q-26-2/0", [wish(item, 48)], UNTIL, at_worst={})
    Promises(work).release("Q-26-2/0")
    assert ask(work, item, 10).full_on == work.today


def test_holding_again_replaces_the_earlier_hold(work, item):
    Promises(work).hold("Q-26-1/0", [wish(item, 48)], UNTIL, at_worst={})
    again = Promises(work).hold("Q-26-1/0", [wish(item, 40)], UNTIL, at_worst={})
    assert again[0].full_on == work.today
    assert ask(work, item, 8).full_on == work.today


def test_a_date_that_got_worse_holds_nothing_and_keeps_the_earlier_hold(work, item):
    Promises(work).hold("Q-26-1/0", [wish(item, 10)], UNTIL, at_worst={})
    Promises(work).hold("Q-26-2/0", [wish(item, 30)], UNTIL, at_worst={})
    with pytest.raises(PromiseMoved) as moved:
        Promises(work).hold("Q-26-1/0", [wish(item, 20)], UNTIL, at_worst={"10": work.today})
    assert moved.value.answers[0].full_on == day("11-30")
    assert ask(work, item, 8).full_on == work.today
    assert ask(work, item, 9).full_on == day("11-30")


def test_converting_keeps_the_held_date_and_reserves_for_the_order(work, item):
    Promises(work).hold("Q-26-1/0", [wish(item, 48)], UNTIL, at_worst={})
    answer = Promises(work).convert("Q-26-1/0", "SO-26-1", [wish(item, 48)])[0]
    assert answer.full_on == work.today
    assert ask(work, item, 1).full_on == day("11-30")
    row = work.session.scalars(sa.select(Reservation)).one()
    assert (row.order_ref, row.line_ref, row.qty) == ("SO-26-1", "10", 48)
    assert str(Promises(work).why("SO-26-1")[0].reason) == "48 in stock"


def test_converting_without_a_live_hold_asks_again(work, item):
    Promises(work).hold("Q-26-9/0", [wish(item, 48)], UNTIL, at_worst={})
    answer = Promises(work).convert("Q-26-1/0", "SO-26-1", [wish(item, 10)])[0]
    assert answer.full_on == day("11-30")


def test_converting_twice_reserves_once(work, item):
    for _ in range(2):
        Promises(work).convert("", "SO-26-1", [wish(item, 48)])
    assert ask(work, item, 100).full_on == day("11-30")


def test_a_promise_from_the_lead_time_leaves_the_stock_to_others(work, item, plant):
    other = make_item(work, no="PG-200", lead_time_days=10)
    Promises(work).convert("", "SO-26-1", [wish(other, 500)])
    plant.stock("PG-200", 20)
    assert Promises(work).ask([wish(other, 20)], Mode.QUOTE)[0].full_on == work.today


def test_a_service_needs_nothing(work, plant):
    item = make_item(work, kind=ItemKind.SERVICE, lead_time_days=0)
    answer = Promises(work).convert("", "SO-26-1", [wish(item, 1)])[0]
    assert answer.full_on == work.today


def test_an_item_kept_at_another_site_is_promised_from_there(work, item):
    other = make_site(work, code="SZ", name="Suzhou")
    answer = Promises(work).ask([wish(item, 48, site_id=other.id)], Mode.QUOTE)[0]
    assert answer.full_on == work.today


def test_a_wish_that_names_its_account_is_answered_with_the_day_of_delivery(work, item):
    account = make_account(work)  # DAP, four days away, weekends closed
    stock = Promises(work).ask([wish(item, 48, account_id=account.id)], Mode.QUOTE)[0]
    assert stock.full_on == day("11-23")  # leaves Tue 17, Sat 21 is closed
    assert str(stock.reason) == "48 in stock, then 4 days of transport"
    bought = Promises(work).ask([wish(item, 100, account_id=account.id)], Mode.QUOTE)[0]
    assert bought.full_on == day("12-07")  # leaves on Tue 1 Dec, the day after it came
    assert bought.by_wish_qty == 48


def test_a_held_delivery_day_is_the_orders_delivery_day(work, item):
    account = make_account(work)
    line = wish(item, 100, account_id=account.id)
    held = Promises(work).hold("Q-26-1/0", [line], UNTIL, at_worst={"10": day("12-07")})
    kept = Promises(work).convert("Q-26-1/0", "SO-26-1", [line])
    assert kept[0].full_on == held[0].full_on == day("12-07")
    row = work.session.scalars(sa.select(Reservation)).one()
    assert row.ready_on == day("11-30")


def reserved(work):
    row = work.session.scalars(sa.select(Reservation)).one()
    return row.qty, row.ended_at, [(s["kind"], D(s["qty"])) for s in row.sources]


def test_added_pieces_are_reserved_on_top_of_what_the_line_has(work, item):
    Promises(work).convert("", "SO-26-1", [wish(item, 40)])
    answer = Promises(work).extend("SO-26-1", wish(item, 10), at_worst=day("11-30"))
    assert answer.full_on == day("11-30")
    assert reserved(work) == (50, None, [("stock", 40), ("stock", 8), ("purchase_order", 2)])
    assert ask(work, item, 98).full_on == day("11-30")
    assert ask(work, item, 99).full_on > day("11-30")


def test_added_pieces_that_come_later_than_was_shown_reserve_nothing(work, item):
    Promises(work).convert("", "SO-26-1", [wish(item, 40)])
    with pytest.raises(PromiseMoved) as moved:
        Promises(work).extend("SO-26-1", wish(item, 10), at_worst=work.today)
    assert moved.value.answers[0].full_on == day("11-30")
    assert reserved(work) == (40, None, [("stock", 40)])


def test_where_the_erp_took_the_line_over_only_the_added_pieces_are_reserved(work, item):
    Promises(work).convert("", "SO-26-1", [wish(item, 40)])
    work.session.execute(sa.update(Reservation).values(ended_at=work.now))
    Promises(work).extend("SO-26-1", wish(item, 5), at_worst=work.today)
    assert reserved(work) == (5, None, [("stock", 5)])


def test_an_order_that_never_reserved_anything_reserves_what_is_added(work, item):
    Promises(work).extend("SO-26-1", wish(item, 5), at_worst=None)
    assert reserved(work) == (5, None, [("stock", 5)])


def test_removed_pieces_are_given_back_the_latest_first(work, item):
    Promises(work).convert("", "SO-26-1", [wish(item, 60)])
    Promises(work).reduce("SO-26-1", "10", D(20))
    assert reserved(work) == (40, None, [("stock", 40)])
    assert work.session.scalars(sa.select(Reservation.ready_on)).one() == work.today
    assert ask(work, item, 8).full_on == work.today
    Promises(work).reduce("SO-26-1", "20", D(1))
    assert reserved(work)[0] == 40


@pytest.mark.parametrize("by", [D(60), D(70), None])
def test_a_line_of_which_nothing_is_left_reserves_nothing(work, item, by):
    Promises(work).convert("", "SO-26-1", [wish(item, 60)])
    Promises(work).reduce("SO-26-1", "10", by)
    assert reserved(work)[1] == work.now
    assert ask(work, item, 48).full_on == work.today


def test_added_pieces_are_not_promised_on_old_data(work, item, old_stock):
    with pytest.raises(Refused, match="60 minutes old") as no:
        Promises(work).extend("SO-26-1", wish(item, 5), at_worst=None)
    assert no.value.code == "stale_feeds"
    old_stock.data_as_of = work.now
    assert Promises(work).extend("SO-26-1", wish(item, 5), at_worst=None).full_on == work.today


def test_old_data_of_another_companys_erp_are_no_obstacle(work, item, old_stock):
    old_stock.connection_code = "cn"
    work.session.add(ErpConnection(code="cn", company="ELSEWHERE"))
    work.session.flush()
    assert ask(work, item, 10).firm
    Promises(work).hold("Q-26-1/0", [wish(item, 10)], UNTIL, at_worst={})
