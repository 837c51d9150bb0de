"""Promises move by rule: later for a customer of class A after approval, earlier where welcome."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.actions import (
    REASONS,
    ask_for_approval,
    change_promise,
    decide_request,
    needs_approval,
)
from b2bcrm.fulfillment.events import PromiseAsked, PromiseDecided
from b2bcrm.fulfillment.handlers import MailApprovers, MailAsker
from b2bcrm.fulfillment.models import Promise, PromiseRequest, RequestState
from b2bcrm.fulfillment.queries.requests import open_requests
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.errors import Conflict, Invalid, NotAllowed, Refused
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.timeline import history
from b2bcrm.kernel.work import Office
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.users.models import User
from tests.conftest import NOW
from tests.factories import make_account, make_item, make_line, make_order, staff
from tests.fulfillment.conftest import day

D = Decimal
pytestmark = pytest.mark.db
PLANNER, MANAGER = staff(Role.PLANNER), staff(Role.SALES_MANAGER)


@pytest.fixture
def order(work):
    account = make_account(work, customer_class="A")
    line = make_line(work, make_item(work), promised_on=day("12-15"))
    made = make_order(work, account, lines=[line])
    work.actor = PLANNER
    return made


def change(work, order, on, reason="material"):
    return change_promise(
        work, order.lines[0].id, expected_version=None, promised_on=on, reason_code=reason
    )


def ask(work, order, on="12-18", **facts):
    return ask_for_approval(
        work, order.lines[0].id, promised_on=day(on), reason_code="material", text="blanks", **facts
    )


def decide(work, request, *, approved, text="The customer would lose his slot."):
    work.actor = MANAGER
    return decide_request(work, request.id, approved=approved, text="" if approved else text)


def test_a_later_day_for_class_a_needs_a_second_person(work, order):
    with pytest.raises(Refused) as no:
        change(work, order, day("12-18"))
    assert no.value.code == "needs_approval"
    assert order.lines[0].promised_on == day("12-15")
    work.actor = MANAGER
    change(work, order, day("12-18"))
    assert order.lines[0].promised_on == day("12-18")


def test_a_planner_moves_the_promise_of_class_b_himself(work, order):
    work.session.get_one(Account, order.account_id).customer_class = "B"
    assert not needs_approval(work, order, order.lines[0], day("12-18"))
    change(work, order, day("12-18"))


def test_once_approved_the_promise_moves_and_the_customer_is_told(work, order):
    request = ask(work, order)
    assert order.lines[0].promised_on == day("12-15")
    handlers = sa.select(Delivery.handler)
    assert "mail.promise_moved" not in work.session.scalars(handlers).all()
    decide(work, request, approved=True)
    assert order.lines[0].promised_on == day("12-18")
    moved = work.session.scalars(sa.select(Promise).where(Promise.kind == "moved")).one()
    assert (moved.by_name, moved.previous_on) == (MANAGER.name, day("12-15"))
    assert (request.state, request.decided_by) == (RequestState.APPROVED, MANAGER.name)
    assert "mail.promise_moved" in work.session.scalars(handlers).all()


def test_declined_nothing_moves_and_nobody_is_told(work, order):
    request = ask(work, order)
    decide(work, request, approved=False)
    assert order.lines[0].promised_on == day("12-15")
    assert open_requests(work) == []
    assert "mail.promise_moved" not in work.session.scalars(sa.select(Delivery.handler)).all()


def test_who_asked_and_who_declined_stands_on_the_orders_line_and_not_on_the_portal(work, order):
    decide(work, ask(work, order), approved=False)
    work.session.flush()
    said = [str(entry.sentence) for entry in history(work.session, order_id=order.id)]
    assert any("asks to promise line 10" in one for one in said)
    assert any("is not promised for" in one for one in said)
    assert history(work.session, order_id=order.id, portal=True) == []


def test_what_is_decided_is_decided_once(work, order):
    request = ask(work, order)
    decide(work, request, approved=True)
    with pytest.raises(Conflict, match="decided before"):
        decide(work, request, approved=False)


def test_a_second_request_for_a_line_replaces_the_first_where_its_asker_knew_it(work, order):
    first = ask(work, order)
    second = ask(work, order, "12-21", replaces=first.id)
    work.session.refresh(first)
    assert first.state is RequestState.REPLACED
    assert [row.id for row in open_requests(work, order.id)] == [second.id]
    with pytest.raises(Conflict):
        decide(work, first, approved=True)


def test_who_did_not_know_of_the_first_request_is_told_of_it(work, order):
    first = ask(work, order)
    with pytest.raises(Conflict, match="Mei-Ling Lin has asked for Fri 18 Dec 2026 meanwhile"):
        ask(work, order, "12-21")
    assert [row.id for row in open_requests(work, order.id)] == [first.id]


def test_of_two_who_ask_at_once_one_asks_and_the_other_is_told(database_url):
    engine = make_engine(database_url)
    office = Office(engine, pinned(NOW))
    with office.open() as work:
        line = make_line(work, make_item(work), promised_on=day("12-15"))
        order = make_order(work, make_account(work, customer_class="A"), lines=[line])

    def ask_too():
        with office.open(PLANNER) as work:
            ask(work, order, "12-21")

    with ThreadPoolExecutor() as pool:
        with office.open(PLANNER) as work:
            ask(work, order)
            second = pool.submit(ask_too)
            time.sleep(0.2)  # it has looked, and waits for the order
        with pytest.raises(Conflict, match="meanwhile"):
            second.result()
    with office.open(PLANNER) as work:
        assert [row.promised_on for row in open_requests(work)] == [day("12-18")]
    engine.dispose()


def test_declining_needs_a_reason(work, order):
    request = ask(work, order)
    with pytest.raises(Invalid, match="Say why"):
        decide(work, request, approved=False, text=" ")
    assert request.state is RequestState.OPEN


@pytest.mark.parametrize(
    ("approved", "told"), [(True, "agrees to promise line 10"), (False, "lose his slot")]
)
def test_who_asked_gets_a_mail_with_what_was_decided_and_why(work, order, approved, told):
    user = User(
        email="wei@formosa.example",
        name=PLANNER.name,
        role=Role.PLANNER,
        password_hash="",
        created_at=work.now,
    )
    work.session.add(user)
    work.session.flush()
    work.actor = user.actor()
    request = ask(work, order)
    decide(work, request, approved=approved)
    rows = sa.select(Delivery.payload).where(Delivery.handler == "mail.asker")
    event = PromiseDecided.from_json(work.session.scalars(rows).one())
    handler = MailAsker(None, "https://crm.example")
    mail = handler.prepare(work, event)
    assert mail.to == (user.email,)
    assert told in mail.text
    user.active = False
    assert handler.prepare(work, event) is None


def test_a_promise_that_moved_meanwhile_is_not_moved_by_an_old_request(work, order):
    request = ask(work, order)
    work.actor = MANAGER
    change(work, order, day("12-16"))
    with pytest.raises(Conflict, match="has moved since"):
        decide(work, request, approved=True)
    assert order.lines[0].promised_on == day("12-16")


@pytest.mark.parametrize("role", [Role.PLANNER, Role.SALES, Role.SERVICE])
def test_only_a_sales_manager_or_an_administrator_decides(work, order, role):
    request = ask(work, order)
    work.actor = staff(role)
    with pytest.raises(NotAllowed):
        decide_request(work, request.id, approved=True)


def test_sales_managers_get_a_mail_until_somebody_has_decided(work, order):
    manager = User(
        email="grace@formosa.example",
        name="Grace Wu",
        role=Role.SALES_MANAGER,
        locale="zh_Hant",
        password_hash="",
        created_at=work.now,
    )
    work.session.add(manager)
    request = ask(work, order)
    event = PromiseAsked(
        subject_id=order.id,
        account_id=order.account_id,
        request_id=request.id,
        order_no=order.no,
        line_no=10,
        previous_on=day("12-15"),
        promised_on=day("12-18"),
        reason=REASONS["material"],
        by=PLANNER.name,
    )
    (mail,) = MailApprovers(None, "https://crm.example").prepare(work, event)
    assert mail.to == (manager.email,)
    assert order.no in mail.text
    assert "12月18日" in mail.text
    decide(work, request, approved=False)
    assert MailApprovers(None, "https://crm.example").prepare(work, event) is None


def test_an_earlier_day_is_promised_only_where_the_customer_welcomes_or_asks_for_it(work, order):
    with pytest.raises(Invalid, match="has not asked for earlier"):
        change(work, order, day("12-10"), "earlier")
    change(work, order, day("12-11"), "customer")
    work.session.get_one(Account, order.account_id).welcomes_early = True
    change(work, order, day("12-10"), "earlier")
    assert order.lines[0].promised_on == day("12-10")


def test_what_has_ended_waits_for_nobody(work, order):
    ask(work, order)
    line = order.lines[0]
    line.shipped_qty = line.delivered_qty = line.ordered_qty
    work.session.flush()
    assert open_requests(work) == []
    line.delivered_qty, order.state = D(0), OrderState.CANCELLED
    work.session.flush()
    assert open_requests(work) == []


def test_requests_are_kept_with_who_asked_and_when(work, order):
    ask(work, order)
    row = work.session.scalars(sa.select(PromiseRequest)).one()
    (shown,) = open_requests(work, order.id)
    assert (shown.asked_by, shown.order_no, shown.text) == (PLANNER.name, order.no, "blanks")
    assert row.asked_at == work.now
