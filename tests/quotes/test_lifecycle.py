"""The table of a quote's life."""

from __future__ import annotations

import itertools

import pytest

from b2bcrm.kernel.errors import IllegalAct
from b2bcrm.quotes import lifecycle
from b2bcrm.quotes.lifecycle import FINAL, TRANSITIONS, QuoteAct, QuoteState, acts, after


def test_every_state_is_reached_from_a_draft():
    reached = {QuoteState.DRAFT}
    for _ in QuoteState:
        reached |= {to for state, _act, to, _who in TRANSITIONS if state in reached}
    assert reached == set(QuoteState)


def test_final_states_are_never_left():
    assert not [row for row in TRANSITIONS if row[0] in FINAL]


@pytest.mark.parametrize(("state", "act"), list(itertools.product(QuoteState, QuoteAct)))
def test_an_act_leads_where_the_table_says_or_nowhere(state, act):
    rows = [row for row in TRANSITIONS if row[:2] == (state, act)]
    assert len(rows) <= 1
    if rows:
        assert after(state, act) is rows[0][2]
    else:
        with pytest.raises(IllegalAct):
            after(state, act)


def test_the_customer_may_accept_or_decline_a_sent_quote_and_nothing_else():
    assert acts(QuoteState.SENT, "customer") == {QuoteAct.ACCEPT, QuoteAct.LOSE}
    for state in set(QuoteState) - {QuoteState.SENT}:
        assert acts(state, "customer") == frozenset()


def test_every_state_and_reason_has_a_word_and_a_colour():
    assert set(lifecycle.STATE_WORDS) == set(lifecycle.STATUS) == set(QuoteState)
    assert set(lifecycle.LOSS_WORDS) == set(lifecycle.LossReason)
    assert set(lifecycle.INQUIRY_WORDS) == set(lifecycle.INQUIRY_STATUS)
    assert set(lifecycle.CHANNEL_WORDS) == set(lifecycle.Channel)
