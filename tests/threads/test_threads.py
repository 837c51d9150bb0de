"""Conversations: messages and notes are apart by table, and texts are bounded."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from b2bcrm.kernel.errors import Invalid, NotFound
from b2bcrm.threads import actions, queries
from tests.factories import buyer, make_account

pytestmark = pytest.mark.db


def test_a_message_says_from_which_side_it_comes(work):
    account = make_account(work)
    actions.post_message(work, subject="case", subject_id=1, account_id=account.id, text="Hello")
    work.actor = buyer(account)
    actions.post_message(work, subject="case", subject_id=1, account_id=account.id, text="Hi")
    found = queries.messages(work, "case", 1)
    assert [(m.author, m.from_customer, m.text) for m in found] == [
        ("Grace Wu", False, "Hello"),
        ("Jonas Kessler", True, "Hi"),
    ]


def test_a_customer_can_neither_read_nor_write_notes(work):
    account = make_account(work)
    actions.post_note(work, subject="case", subject_id=1, text="CANARY-NOTE")
    work.actor = buyer(account)
    with pytest.raises(NotFound):
        queries.notes(work, "case", 1)
    with pytest.raises(NotFound):
        actions.post_note(work, subject="case", subject_id=1, text="x")
    assert queries.messages(work, "case", 1) == []


def test_a_customer_reads_and_writes_for_his_own_account_only(work):
    mine, other = make_account(work), make_account(work)
    actions.post_message(work, subject="case", subject_id=1, account_id=other.id, text="theirs")
    work.actor = buyer(mine)
    assert queries.messages(work, "case", 1) == []
    with pytest.raises(NotFound):
        actions.post_message(work, subject="case", subject_id=1, account_id=other.id, text="x")


def test_ten_megabytes_of_text_are_refused_with_a_sentence(work):
    with pytest.raises(Invalid, match="at most 20,000 characters") as caught:
        actions.post_note(work, subject="case", subject_id=1, text="x" * 10_000_000)
    assert list(caught.value.fields) == ["text"]


@pytest.mark.parametrize("text", ["", "  \n ", "\0\x07", "\r\n"])
def test_a_text_without_content_is_refused(text):
    with pytest.raises(Invalid, match="write something"):
        actions.clean_text(text)


def test_line_ends_and_tabs_survive_control_characters_do_not():
    assert actions.clean_text("a\r\nb\rc\td\0\x1b[31m") == "a\nb\nc\td[31m"


@given(st.text(max_size=200))
def test_cleaning_twice_changes_nothing(text):
    try:
        once = actions.clean_text(text)
    except Invalid:
        return
    assert actions.clean_text(once) == once
