"""Change counters: what live pages and stored sums watch."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.timeline import ChangeCounter, version_of
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Office

pytestmark = pytest.mark.db


def versions(office, *topics):
    with office.open(read_only=True) as work:
        return [version_of(work.session, topic) for topic in topics]


def test_a_topic_counts_once_per_work_however_often_it_changed(office):
    for _ in range(2):
        with office.open() as work:
            work.bump("board")
            work.bump("board")
    assert versions(office, "board") == [2]


def test_who_watches_all_orders_hears_of_each_one(office):
    with office.open() as work:
        work.bump("order:12")
    with office.open() as work:
        work.bump("order:13")
        work.bump("order:12")
    assert versions(office, "order:12", "order:13", "order") == [2, 1, 2]


def test_what_is_undone_was_no_change(office):
    def fail():
        with office.open() as work:
            work.bump("board")
            raise Refused(Message("No."), code="no")

    with pytest.raises(Refused):
        fail()
    assert versions(office, "board") == [0]


def test_a_work_that_changed_nothing_writes_no_counter(office):
    with office.open() as work:
        pass
    with office.open(read_only=True) as work:
        assert work.session.scalar(sa.select(sa.func.count()).select_from(ChangeCounter)) == 0


def test_two_works_that_change_the_same_in_another_order_do_not_wait_for_each_other(database_url):
    engine = make_engine(database_url)
    office = Office(engine)

    def change(*topics):
        for _ in range(20):
            with office.open() as work:
                for topic in topics:
                    work.bump(topic)
                    time.sleep(0.002)

    with ThreadPoolExecutor(2) as pool:
        done = [
            pool.submit(change, *topics) for topics in (("order:1", "board"), ("board", "order:1"))
        ]
    assert [one.result() for one in done] == [None, None]
    assert versions(office, "board", "order:1") == [40, 40]
    engine.dispose()
