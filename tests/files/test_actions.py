"""Storing and finding files: whose they are decides who sees them."""

from __future__ import annotations

import datetime as dt

import pytest

from b2bcrm.files import actions, queries, store
from b2bcrm.files.kinds import FileKind
from b2bcrm.kernel.errors import Invalid, NotFound
from tests.factories import buyer, make_account, make_order

pytestmark = pytest.mark.db
PDF = b"%PDF-1.7\n%%EOF"


def keep(work, files_dir, account, **facts):
    values = {
        "name": "quote.pdf",
        "content": PDF,
        "subject": "quote",
        "subject_id": 1,
        "kind": FileKind.QUOTE,
        "account_id": account.id,
    }
    return actions.store(work, files_dir=files_dir, **{**values, **facts})


def test_a_stored_file_knows_its_content_owner_and_time(work, files_dir):
    account = make_account(work)
    row = keep(work, files_dir, account, name="dir/Angebot.pdf")
    assert (row.name, row.media_type, row.size) == ("Angebot.pdf", "application/pdf", len(PDF))
    assert (row.at, row.by_name) == (work.now, "Grace Wu")
    assert store.path_of(files_dir, row.digest).read_bytes() == PDF


def test_a_refused_file_leaves_nothing(work, files_dir):
    account = make_account(work)
    with pytest.raises(Invalid):
        keep(work, files_dir, account, name="setup.pdf", content=b"MZ\x90")
    assert queries.of_account(work, account.id) == ([], 0)
    assert not files_dir.exists()


def test_a_customer_sees_his_own_files_that_are_not_internal(work, files_dir):
    mine, other = make_account(work), make_account(work)
    open_file = keep(work, files_dir, mine)
    internal = keep(work, files_dir, mine, internal=True)
    foreign = keep(work, files_dir, other)
    work.actor = buyer(mine)
    assert queries.open_for(work, open_file.id) is open_file
    for hidden in (internal.id, foreign.id, 10**12):
        with pytest.raises(NotFound):
            queries.open_for(work, hidden)
    assert queries.of_account(work, mine.id) == ([open_file], 1)
    assert queries.of_account(work, other.id) == ([], 0)
    assert list(queries.of_subject(work, "quote", 1)) == [open_file]


@pytest.mark.parametrize("wrong", ["foreign", "nobody", "internal"])
def test_a_customer_stores_only_for_his_own_account_and_nothing_internal(work, files_dir, wrong):
    mine, other = make_account(work), make_account(work)
    work.actor = buyer(mine)
    facts = {
        "foreign": {"account_id": other.id},
        "nobody": {"account_id": None},
        "internal": {"internal": True},
    }[wrong]
    with pytest.raises(NotFound):
        keep(work, files_dir, mine, **facts)


def test_files_are_found_by_order_kind_and_name(work, files_dir):
    account = make_account(work)
    order = make_order(work, account)
    note = keep(
        work, files_dir, account, kind=FileKind.DELIVERY_NOTE, name="DN_1.pdf", order_id=order.id
    )
    keep(work, files_dir, account, name="DNx1.pdf")
    assert [row.id for row in queries.of_order(work, order.id)] == [note.id]
    assert queries.of_account(work, account.id, kinds=["delivery_note"]) == ([note], 1)
    assert queries.of_account(work, account.id, words="dn_") == ([note], 1)


def test_equal_contents_of_two_customers_stay_apart(work, files_dir):
    one, two = make_account(work), make_account(work)
    first, second = keep(work, files_dir, one), keep(work, files_dir, two)
    assert first.digest == second.digest
    work.actor = buyer(two)
    with pytest.raises(NotFound):
        queries.open_for(work, first.id)


def test_a_sweep_asks_the_database_what_is_still_named(work, files_dir):
    old = work.tick - dt.timedelta(days=2)
    kept = keep(work, files_dir, make_account(work))
    path = store.path_of(files_dir, kept.digest)
    store.put(files_dir, b"left by an act that failed", old)
    store.put(files_dir, PDF, old)
    assert actions.sweep(work, files_dir=files_dir) == 1
    assert path.exists()
