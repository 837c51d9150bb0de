"""Discrete ATP: the textbook table, witnesses and reasons, and what must hold for any input."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.fulfillment.planning import atp
from b2bcrm.fulfillment.planning.atp import Demand, Pool, Supply
from b2bcrm.kernel.calendar import WorkCalendar

D = Decimal

TODAY = dt.date(2026, 11, 17)
CAL = WorkCalendar("TW")


def day(n: int) -> dt.date:
    return TODAY + dt.timedelta(days=n)


def pool(on_hand=0, supplies=(), demands=(), lead_days=35) -> Pool:
    return Pool(
        today=TODAY,
        calendar=CAL,
        on_hand=D(on_hand),
        supplies=[Supply("purchase_order", no, D(q), day(n)) for no, q, n in supplies],
        demands=[Demand(D(q), day(n)) for q, n in demands],
        lead_days=lead_days,
    )


def test_the_textbook_table_has_one_bucket_per_receipt():
    # On hand 12; receipts of 20 in periods 3 and 6; demands 5, 3, 10 before, 8 and 4 after.
    table = atp.buckets(
        pool(12, [("P1", 20, 21), ("P2", 20, 42)], [(5, 1), (3, 8), (10, 22), (8, 35), (4, 43)])
    )
    assert [(b.receipt, b.demand, b.atp) for b in table] == [(12, 8, 4), (20, 18, 2), (20, 4, 16)]
    assert [b.free for b in table] == [4, 2, 16]


def test_a_bucket_that_falls_short_takes_from_the_earlier_ones():
    table = atp.buckets(pool(12, [("P1", 20, 21)], [(25, 22)]))
    assert [b.atp for b in table] == [12, -5]
    assert [b.free for b in table] == [7, 0]


def test_overdue_demand_counts_in_the_first_bucket():
    table = atp.buckets(pool(12, [("P1", 5, 7)], [(4, -10)]))
    assert [b.free for b in table] == [8, 5]


def test_stock_and_a_purchase_order_are_named_as_the_reason():
    offer = atp.promise(pool(48, [("PO-33107", 100, 13)]), D(100), day(10))
    assert offer.full_on == dt.date(2026, 11, 30)
    assert offer.by_wish == 48
    assert [(t.kind, t.no, t.qty) for t in offer.takes] == [
        ("stock", "", 48),
        ("purchase_order", "PO-33107", 52),
    ]
    assert str(offer.reason) == "48 in stock, the rest from PO-33107 on Mon 30 Nov 2026"


def test_beyond_the_last_receipt_the_standard_lead_time_decides():
    offer = atp.promise(pool(), D(10), day(10))
    assert offer.full_on == CAL.add_days(TODAY, 35)
    assert offer.by_wish == 0
    assert str(offer.reason) == "standard lead time 35 wd"


def test_supply_that_comes_after_the_lead_time_is_not_waited_for():
    offer = atp.promise(pool(5, [("PO-1", 100, 90)], lead_days=10), D(20), day(2))
    assert offer.full_on == CAL.add_days(TODAY, 10)
    assert offer.takes[-1].qty == 15


def test_without_lead_time_and_supply_there_is_no_promise():
    offer = atp.promise(pool(5, lead_days=0), D(20), day(2))
    assert offer.full_on is None
    assert offer.by_wish == 5
    assert offer.takes == ()


def test_what_the_lead_time_brings_takes_nothing_from_the_stock():
    one = pool(48)
    one.take(atp.promise(one, D(100), day(0)))
    assert one.demands == [Demand(D(48), TODAY)]
    one.demands.clear()
    big = pool(48, lead_days=5)
    big.demands = atp.demands_of([Supply("lead_time", "", D(100), day(7))])
    assert atp.free_by(big, TODAY) == 48


pieces = st.integers(0, 60)
supplies = st.lists(st.tuples(st.just("P"), st.integers(1, 60), st.integers(-5, 60)), max_size=5)
asks = st.lists(st.tuples(st.integers(1, 80), st.integers(0, 60)), min_size=1, max_size=8)


@given(pieces, supplies, asks)
def test_promises_never_take_more_than_there_is_by_any_day(on_hand, receipts, wishes):
    one = pool(on_hand, receipts)
    for qty, wish in wishes:
        one.take(atp.promise(one, D(qty), day(wish)))
    for n in range(-5, 61):
        supply = D(on_hand) + sum((s.qty for s in one.supplies if s.on <= max(day(n), TODAY)), D(0))
        assert sum((d.qty for d in one.demands if d.on <= day(n)), D(0)) <= supply


@given(pieces, supplies, asks)
def test_an_ask_leaves_every_earlier_promise_its_pieces(on_hand, receipts, wishes):
    one = pool(on_hand, receipts)
    for qty, wish in wishes:
        before = {n: atp.free_by(one, day(n)) for n in range(0, 61, 5)}
        offer = atp.promise(one, D(qty), day(wish))
        taken = {
            n: sum((t.qty for t in offer.takes if t.kind != "lead_time" and t.on <= day(n)), D(0))
            for n in before
        }
        assert all(taken[n] <= before[n] for n in before)
        one.take(offer)


@given(
    pieces,
    supplies,
    st.lists(st.tuples(pieces, st.integers(-5, 60)), max_size=5),
    st.integers(1, 80),
    st.integers(1, 80),
    st.integers(0, 60),
)
def test_a_larger_quantity_never_comes_earlier(on_hand, receipts, demands, a, b, wish):
    small, large = sorted((a, b))
    one = atp.promise(pool(on_hand, receipts, demands), D(small), day(wish))
    two = atp.promise(pool(on_hand, receipts, demands), D(large), day(wish))
    assert one.full_on <= two.full_on
    assert one.by_wish <= two.by_wish
    assert sum(t.qty for t in one.takes) == small
