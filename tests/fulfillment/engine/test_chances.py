"""How days spread: exact without errors, repeatable, never better for more of them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b2bcrm.fulfillment.planning.engine.book import NEVER, Book
from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.chances import Noise, chances, drawn, preferred_calendars
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.plan import plan_of
from b2bcrm.fulfillment.planning.engine.records import (
    Bucket,
    Calendar,
    Facts,
    Kind,
    Line,
    Operation,
    Part,
    Source,
    Supply,
    SupplyKind,
)
from b2bcrm.fulfillment.planning.engine.solving import solve
from tests.fulfillment.engine.plants import plants


def everywhere(book: Book, days, hours=(1000,), way_out=(0,)) -> Noise:
    """One kind of error for all supplies, one for all work centres, one for all lines."""
    return Noise(
        errors=[np.array(days), np.array(hours), np.array(way_out)],
        supply=np.zeros(len(book.supply_part), np.int32),
        supply_calendar=preferred_calendars(book)[book.supply_part],
        centre=np.ones(len(book.bucket_at), np.int32),
        line=np.full(len(book.line_wish), 2, np.int32),
    )


errors = st.lists(st.integers(-10, 30), min_size=1, max_size=4)


@given(plants())
@settings(max_examples=30)
def test_without_errors_every_quantile_is_the_plan(facts):
    book, _, _ = build(facts)
    arrives = plan_of(book, solve(book)).line_arrives
    found = chances(book, everywhere(book, [0]), rounds=3, seed=1)
    assert (found.day == np.where(arrives < 0, NEVER, arrives)[:, None]).all()
    in_time = (arrives >= 0) & (arrives <= book.line_wish)
    assert (found.on_time == 3 * in_time).all()
    assert (found.share == in_time.sum()).all()


@given(plants(), errors, st.integers(0, 100))
@settings(max_examples=30)
def test_every_round_is_a_plan_that_the_verifier_passes_and_changes_no_book(facts, days, seed):
    book, _, _ = build(facts)
    before = [np.copy(array) for array in book]
    noise = everywhere(book, days, [0, 500, 1000, 1200])
    one = drawn(book, noise, np.random.default_rng(seed))
    assert check(one, plan_of(one, solve(one))) == []
    chances(book, noise, rounds=2, seed=seed)
    assert all((a == b).all() for a, b in zip(before, book, strict=True))


@given(plants(), errors, st.integers(0, 100))
@settings(max_examples=20)
def test_the_same_seed_gives_the_same_chances_and_levels_never_cross(facts, days, seed):
    book, _, _ = build(facts)
    noise = everywhere(book, days, way_out=days)
    one, two = (chances(book, noise, rounds=5, seed=seed) for _ in range(2))
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert (np.diff(one.day, axis=1) >= 0).all()


@given(plants(), st.lists(st.integers(0, 9), min_size=1, max_size=4), st.integers(0, 100))
@settings(max_examples=20)
def test_longer_ways_out_never_bring_more_lines_in_time(facts, days, seed):
    book, _, _ = build(facts)
    some, more = (
        chances(
            book, everywhere(book, [0], way_out=[factor * day for day in days]), rounds=4, seed=seed
        )
        for factor in (1, 2)
    )
    assert (more.share <= some.share).all()
    assert (more.day >= some.day).all()


def bought() -> Facts:
    """A hundred pieces, one purchase and one line each, half of them needed at once."""
    working = [day for day in range(100) if day % 7 < 5]
    return Facts(
        horizon=100,
        parts=[Part(f"p{n}") for n in range(100)],
        sources=[Source(f"p{n}", Kind.BUY, 60, "works") for n in range(100)],
        supplies=[Supply(f"p{n}", 1, 11, SupplyKind.PURCHASE) for n in range(100)],
        lines=[Line(f"L{n}", f"p{n}", 1, 11 if n % 2 else 21) for n in range(100)],
        calendars=[Calendar("works", working)],
    )


def test_late_purchases_make_lines_late_as_often_as_they_were_late():
    book, _, _ = build(bought())
    found = chances(book, everywhere(book, [0, 0, 0, 4]), rounds=200, seed=7)
    tight, roomy = found.on_time[1::2], found.on_time[::2]
    assert tight.mean() == pytest.approx(150, abs=3)
    assert (roomy == 200).all()
    # day 11 is a Friday: four working days later is the Thursday after
    assert set(found.day[1::2, 2].tolist()) == {17}
    assert (found.day[1::2, 0] == 11).all()


def test_more_errors_never_bring_more_lines_in_time():
    book, _, _ = build(bought())
    shares = [
        chances(book, everywhere(book, days), rounds=50, seed=3).share.mean()
        for days in ([0], [0, 0, 2], [0, 2, 4], [2, 8, 12])
    ]
    assert shares == sorted(shares, reverse=True)
    assert len(set(shares)) == len(shares)


def test_lost_hours_make_the_last_line_of_a_full_week_late():
    step = Operation("mill", Fraction(1000))
    book, _, _ = build(
        Facts(
            horizon=70,
            parts=[Part("pump")],
            sources=[Source("pump", Kind.MAKE, 1, operations=[step])],
            lines=[Line("first", "pump", 5, 7), Line("last", "pump", 5, 7)],
            buckets=[Bucket("mill", 7 * n, 7 * n + 7, 10_000) for n in range(10)],
        )
    )
    found = chances(book, everywhere(book, [0], [1000, 600]), rounds=200, seed=1)
    assert found.on_time[0] == 200
    assert found.on_time[1] == pytest.approx(100, abs=25)
    assert set(found.share.tolist()) == {1, 2}
    assert found.day[1].tolist()[1:] == [8, 8]


def test_a_purchase_that_comes_after_the_horizon_never_comes():
    book, _, _ = build(bought())
    found = chances(book, everywhere(book, [90]), rounds=2, seed=1)
    assert (found.on_time == 0).all()
    assert (found.day > 60).all()
