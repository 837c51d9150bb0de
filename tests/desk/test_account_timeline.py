"""The account's timeline: facts and touches as one list, shipped lines as one row."""

from __future__ import annotations

import pytest

from b2bcrm.customers import actions as customers
from b2bcrm.customers.models import TouchKind
from b2bcrm.desk.account_facts import account_page
from b2bcrm.kernel.timeline import history
from b2bcrm.orders.events import LineShipped
from tests.factories import make_account, make_order

pytestmark = pytest.mark.db


def test_one_timeline_of_facts_and_touches_without_saying_a_touch_twice(work):
    account = make_account(work)
    customers.add_contact(work, account.id, name="Timo Maurer")
    customers.log_touch(work, account.id, kind=TouchKind.CALL, subject="Where is it?")
    work.session.flush()
    rows = account_page(work, account.id).timeline
    assert len(rows) == 2
    assert len(history(work.session, account_id=account.id)) == 2


def test_lines_of_one_order_shipped_on_one_day_are_one_row(work):
    account = make_account(work)
    one, other = make_order(work, account), make_order(work, account)
    for order, line_nos in ((one, (10,)), (other, (10, 20, 30))):
        for line_no in line_nos:
            work.publish(
                LineShipped(
                    subject_id=order.id,
                    account_id=account.id,
                    order_id=order.id,
                    no=order.no,
                    line_no=line_no,
                    qty="4",
                    unit="PCS",
                )
            )
    work.session.flush()
    newest, oldest = account_page(work, account.id).timeline
    assert (newest.order_no, newest.count) == (other.no, 3)
    assert str(oldest.sentence) == "Line 10: 4 pcs shipped"


def test_there_is_more_when_shipped_lines_fill_what_was_read(work):
    account = make_account(work)
    for n in range(3):
        customers.add_contact(work, account.id, name=f"Timo {n}")
    work.session.flush()
    assert account_page(work, account.id, events=2).more_events
    assert not account_page(work, account.id, events=3).more_events
