"""The table of a case's life."""

from __future__ import annotations

import pytest

from b2bcrm.kernel.errors import IllegalAct
from b2bcrm.service.lifecycle import (
    CAUSE_WORDS,
    KIND_WORDS,
    STATE_WORDS,
    TRANSITIONS,
    CaseAct,
    CaseCause,
    CaseKind,
    CaseState,
    acts,
    after,
)


def test_every_state_can_be_reached_and_closed_is_the_end():
    reached = {CaseState.OPEN} | {to for _from, _act, to, _who in TRANSITIONS}
    assert reached == set(CaseState)
    assert not [row for row in TRANSITIONS if row[0] is CaseState.CLOSED]


def test_the_table_decides_each_pair_once():
    pairs = [(row[0], row[1]) for row in TRANSITIONS]
    assert len(pairs) == len(set(pairs))


@pytest.mark.parametrize("state", list(CaseState))
@pytest.mark.parametrize("act", list(CaseAct))
def test_what_the_table_does_not_name_is_illegal(state, act):
    known = {(row[0], row[1]): row[2] for row in TRANSITIONS}
    if (state, act) in known:
        assert after(state, act) is known[state, act]
    else:
        with pytest.raises(IllegalAct):
            after(state, act)


def test_the_customer_may_write_confirm_and_reopen_but_not_solve():
    assert acts(CaseState.OPEN, "customer") == {CaseAct.WRITE}
    assert acts(CaseState.SOLVED, "customer") == {CaseAct.WRITE, CaseAct.REOPEN, CaseAct.CLOSE}


def test_every_word_is_there():
    assert set(STATE_WORDS) == set(CaseState)
    assert set(KIND_WORDS) == set(CaseKind)
    assert set(CAUSE_WORDS) == set(CaseCause)
