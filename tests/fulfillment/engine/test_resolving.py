"""A plan brought up to date is the plan made anew."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from b2bcrm.fulfillment.planning.engine.building import build
from b2bcrm.fulfillment.planning.engine.checking import check
from b2bcrm.fulfillment.planning.engine.matching import Planned
from b2bcrm.fulfillment.planning.engine.plan import plan_of
from b2bcrm.fulfillment.planning.engine.resolving import resolve
from b2bcrm.fulfillment.planning.engine.solving import solve
from tests.fulfillment.engine.plants import feeds, plants


def planned(told) -> Planned:
    book, names, _ = build(told)
    return Planned(book, names, solve(book))


def free(before: Planned):
    """What is free, by part and day, and by bucket, however slots are numbered."""
    book, ledger = before.book, before.ledger
    chains = []
    for slot in ledger.slot_head.tolist():
        chain, at = [], slot
        while at >= 0:
            if ledger.slot_free[at]:
                chain.append((int(ledger.slot_day[at]), int(ledger.slot_free[at])))
            at = ledger.slot_next[at]
        chains.append(chain)
    return chains, ledger.bucket_free.tolist(), len(book.unit_due)


def follow(data, told, feed_count: int) -> None:
    """Feeds one after the other, each brought into the plan and compared with a plan anew."""
    before = planned(told)
    for number in range(feed_count):
        told = data.draw(feeds(told, number))
        book, names, _ = build(told)
        after = Planned(book, names, resolve(before, book, names))
        anew = Planned(book, names, solve(book))
        ours, theirs = plan_of(book, after.ledger), plan_of(book, anew.ledger)
        assert all((a == b).all() for a, b in zip(ours, theirs, strict=True))
        assert free(after) == free(anew)
        assert check(book, ours) == []
        before = after


@given(st.data(), plants())
@settings(max_examples=50)
def test_after_any_feeds_the_plan_is_the_one_made_anew(data, told):
    follow(data, told, data.draw(st.integers(1, 3)))


@pytest.mark.full
@given(st.data(), plants())
@settings(max_examples=500)
def test_five_hundred_sequences_of_feeds_end_in_the_plan_made_anew(data, told):
    follow(data, told, data.draw(st.integers(1, 6)))
