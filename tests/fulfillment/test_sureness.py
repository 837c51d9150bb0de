"""P50, P80 and P95 of promised days: true on three shapes of noise, silent without history."""

from __future__ import annotations

import numpy as np
import pytest

from b2bcrm.fulfillment.planning.sureness import EARLIEST, WIDTH, Past, curves, day_of
from b2bcrm.fulfillment.planning.sureness_walk import LEVELS, report, walk

TODAY = np.datetime64("2026-11-17", "D")
ORDERS = 6000
FAMILIES = 4


def heavy_tail(rng, told, family, order):
    """Most come about as promised, some very much later; families differ."""
    tail = rng.pareto(1.6, len(told)) * (2 + family)
    return np.where(rng.random(len(told)) < 0.4, tail, rng.normal(2 * family - 4, 2, len(told)))


def regime_change(rng, told, family, order):
    """From a day on everything takes longer."""
    late = told > np.datetime64("2026-03-01", "D")
    return rng.gamma(2.0, 2.0, len(told)) - 4 + family + late * 3


def shared_shocks(rng, told, family, order):
    """The lines of an order mostly share their fate."""
    return rng.gamma(1.5, 3.0, ORDERS)[order] - 3 + family + rng.normal(0, 1.5, len(told))


def world(shape, seed=1) -> Past:
    rng = np.random.default_rng(seed)
    begin = TODAY - np.timedelta64(540, "D")
    told_of = begin + rng.integers(0, 540, ORDERS).astype("m8[D]")
    lead_of = rng.integers(10, 60, ORDERS).astype("m8[D]")
    order = np.repeat(np.arange(ORDERS), rng.integers(1, 6, ORDERS))
    told = told_of[order]
    promised = np.busday_offset(told + lead_of[order], 0, roll="forward")
    family = rng.integers(0, FAMILIES, ORDERS)[order]
    error = np.round(shape(rng, told, family, order)).astype(np.int64)
    came = np.busday_offset(promised, np.clip(error, -40, 400))
    came = np.where(came <= TODAY, came, np.datetime64("NaT", "D"))
    supplier = family * 3 + rng.integers(0, 3, len(order))
    return Past(told, promised, came, order, (family, supplier), family)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [heavy_tail, regime_change, shared_shocks])
def test_as_many_lines_come_by_each_day_as_it_says(shape):
    past = world(shape)
    found = report(past, walk(past, TODAY).foretold)
    assert found.lines >= 5000
    for true, level in zip(found.true_pct, LEVELS, strict=True):
        assert abs(true - 100 * level) <= 3, found
    for orders, family in found.by_family.values():
        assert orders >= 300
        for true, level in zip(family, LEVELS, strict=True):
            # 99 % of samples of so many orders; a change is learned only when orders have come.
            band = 3.5 if shape is regime_change else 257.6 * (level * (1 - level) / orders) ** 0.5
            assert abs(true - 100 * level) <= band, (level, found)
    for foretold, promise, offset in found.loss:
        assert foretold < promise
        assert foretold < offset


def test_what_has_not_come_yet_is_not_left_out():
    """Half of the lines came on the promised day, the others are three weekdays late so far."""
    n = 400
    promised = np.full(n, TODAY - np.timedelta64(3, "D"))
    came = np.where(np.arange(n) % 2 == 0, promised, np.datetime64("NaT", "D"))
    told, zero = promised - np.timedelta64(30, "D"), np.zeros(n, dtype=np.int64)
    found = curves(Past(told, promised, came, np.arange(n), (), zero), TODAY)[0]
    assert found.shares[0, -EARLIEST] == pytest.approx(0.5)
    assert day_of(found.shares[0], 0.8) is None


def test_nothing_that_was_learned_later_is_used():
    past = world(shared_shocks)
    origin = np.datetime64("2026-02-02", "D")
    then = past.told_on <= origin
    blind = Past(
        past.told_on[then],
        past.promised_on[then],
        np.where(past.came_on[then] <= origin, past.came_on[then], np.datetime64("NaT", "D")),
        past.order[then],
        tuple(group[then] for group in past.groups),
        past.family[then],
    )
    for now, before in zip(curves(past, origin), curves(blind, origin), strict=True):
        assert np.allclose(now.shares, before.shares)


def test_a_short_history_says_what_its_parent_says():
    past = world(shared_shocks)
    lonely = past.groups[0].copy()
    lonely[:1] = FAMILIES
    found = curves(
        Past(past.told_on, past.promised_on, past.came_on, past.order, (lonely,), past.family),
        TODAY,
    )
    assert np.abs(found[1].shares[FAMILIES] - found[0].shares[0]).max() < 0.02


def test_few_orders_give_no_number():
    past = world(heavy_tail)
    few = past.order < 90
    cut = Past(
        past.told_on[few],
        past.promised_on[few],
        past.came_on[few],
        past.order[few],
        (past.family[few],),
        past.family[few],
    )
    assert walk(cut, TODAY) is None


def test_a_line_that_is_known_not_to_come_before_a_day_counts_only_what_is_later():
    shares = np.zeros(WIDTH)
    shares[-EARLIEST : -EARLIEST + 10] = 0.1  # each of the days 0 to 9
    assert day_of(shares, 0.5) == 4
    assert day_of(shares, 0.5, after=5) == 7
    assert day_of(shares, 0.95, after=200) is None
