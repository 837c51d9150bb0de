"""Three values, two sides: nobody is overwritten silently. Properties of the three-way merge."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.ports.erp import Entity
from b2bcrm.sync.ownership import (
    FIELD_WORDS,
    OWNERS,
    WHOLE_RECORD,
    Change,
    Owner,
    Verdict,
    change,
    owner_of,
    text_of,
    verdict,
)

VALUES = st.sampled_from(["", "5", "7", "9"])
OWNER = st.sampled_from(list(Owner))


@given(VALUES, VALUES, VALUES)
def test_a_change_says_exactly_which_side_left_the_base(base, ours, theirs):
    moved = change([base], ours, theirs)
    assert (moved is Change.NONE) == (ours == theirs)
    if ours != theirs:
        assert (moved is Change.OURS) == (theirs == base)
        assert (moved is Change.THEIRS) == (ours == base)
        assert (moved is Change.BOTH) == (base not in {ours, theirs})


@given(OWNER, VALUES, VALUES, st.booleans(), st.booleans())
def test_two_sides_that_agree_need_nothing(owner, base, value, accepted, born_there):
    moved = change([base], value, value)
    assert verdict(owner, moved, accepted=accepted, born_there=born_there) is Verdict.KEEP


@given(st.lists(VALUES, max_size=2), VALUES, VALUES)
def test_what_was_agreed_is_never_taken_over_without_a_person(bases, ours, theirs):
    moved = change(bases, ours, theirs)
    for owner in (Owner.AGREED, Owner.CRM, Owner.PROMISE):
        assert verdict(owner, moved, accepted=True) is not Verdict.TAKE


@given(OWNER, VALUES, VALUES)
def test_our_own_write_coming_back_opens_nothing(owner, ours, older):
    """The ERP shows what we sent, whether we have moved on since or not."""
    assert verdict(owner, change([older, ours], ours, ours), accepted=True) is Verdict.KEEP
    moved = change([older, ours], "newer", older)
    wanted = Verdict.TAKE if owner is Owner.ERP else Verdict.KEEP
    assert verdict(owner, moved, accepted=True) is wanted


@given(VALUES, VALUES, VALUES)
def test_a_change_by_both_is_always_a_persons_matter(base, ours, theirs):
    if change([base], ours, theirs) is Change.BOTH:
        for born_there in (False, True):
            found = verdict(Owner.AGREED, Change.BOTH, accepted=True, born_there=born_there)
            assert found is Verdict.ASK


def test_until_the_erp_accepts_quantity_and_price_are_ours():
    assert verdict(Owner.AGREED, Change.THEIRS, accepted=False) is Verdict.KEEP
    assert verdict(Owner.AGREED, Change.THEIRS, accepted=True) is Verdict.ASK


def test_an_order_typed_in_the_erp_follows_it_until_we_have_changed_it_too():
    taken = verdict(Owner.AGREED, Change.THEIRS, accepted=True, born_there=True)
    assert taken is Verdict.TAKE


def test_another_date_in_the_erp_is_its_plan_and_never_our_promise():
    owner = owner_of(Entity.SALES_ORDER, "promised_on")
    assert verdict(owner, Change.THEIRS, accepted=True) is Verdict.PLAN
    assert verdict(owner, Change.BOTH, accepted=True) is Verdict.PLAN


def test_a_side_that_does_not_say_differs_from_nobody():
    assert change(["5"], "5", None) is Change.NONE
    assert change(["5"], None, "7") is Change.NONE
    assert change(["5"], "5", "") is Change.THEIRS


def test_without_a_base_both_may_have_moved():
    assert change([], "5", "7") is Change.BOTH


@given(st.decimals(min_value=0, max_value=10**9, places=6))
def test_a_number_is_one_text_however_it_is_written(value):
    text = text_of(value)
    assert text == text_of(Decimal(f"{value}000")) == text_of(value.normalize())
    assert text is not None
    assert "E" not in text
    assert Decimal(text) == value


def test_dates_and_texts_stand_as_they_are():
    assert text_of(dt.date(2026, 12, 15)) == "2026-12-15"
    assert text_of("") == ""
    assert text_of(None) is None


def test_every_entity_has_an_owner_and_every_named_field_a_word():
    assert set(OWNERS) == set(Entity)
    for rows in OWNERS.values():
        assert WHOLE_RECORD in rows
        assert rows.keys() - {WHOLE_RECORD} <= FIELD_WORDS.keys()
