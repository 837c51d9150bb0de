"""A customer who is told a later day may choose: once per move, and nothing moves by it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.fulfillment.actions import (
    answer_notice,
    change_promise,
    project,
    settle_notice,
    take_care,
)
from b2bcrm.fulfillment.actions.proposals import decide_task
from b2bcrm.fulfillment.events import NoticeSettled, PromiseAnswered, PromiseMoved
from b2bcrm.fulfillment.handlers import MailAnswerSettled, MailPromiseAnswered, MailPromiseMoved
from b2bcrm.fulfillment.models import (
    LineProjection,
    OrderProjection,
    PromiseNotice,
    Proposal,
    ProposalTask,
    TaskState,
)
from b2bcrm.fulfillment.planning.measures import Split, text_of
from b2bcrm.fulfillment.planning.notices import Ahead, Choice
from b2bcrm.fulfillment.queries.notices import notices_of
from b2bcrm.kernel.actor import SYSTEM, Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.timeline import history
from b2bcrm.kernel.work import Office
from b2bcrm.orders.lifecycle import OrderState, Status
from b2bcrm.users.models import User
from tests.conftest import NOW
from tests.factories import buyer, make_account, make_item, make_line, make_order, staff
from tests.fulfillment.conftest import day

D = Decimal
pytestmark = pytest.mark.db
PLANNER = staff(Role.PLANNER)
URL = "https://crm.example"


def person(work, role, account=None, name="Jonas Kessler"):
    """A login, and who acts with it."""
    user = User(
        email=f"{role.value}{work.session.query(User).count()}@example.com",
        name=name,
        role=role,
        account_id=account.id if account else None,
        password_hash="",
        created_at=work.now,
    )
    work.session.add(user)
    work.session.flush()
    return user


@pytest.fixture
def account(work):
    return make_account(work, incoterm="EXW")


@pytest.fixture
def customer(work, account):
    return person(work, Role.BUYER, account).actor()


@pytest.fixture
def order(work, account, plant):
    """Ten pieces: four are made, the other six of the work order are ready on 17 December."""
    item = make_item(work, no="PG-115")
    made = make_order(
        work, account, lines=[make_line(work, item)], incoterm="EXW", partial_delivery=True
    )
    plant.make(
        "WO-1", "PG-115", 10, "11-16", "12-17", ref=f"{made.erp_no}/10", status="running", done=4
    )
    project(work, [made.id])
    return made


def move(work, order, on="12-22", reason="material"):
    work.actor = PLANNER
    change_promise(
        work, order.lines[0].id, expected_version=None, promised_on=day(on), reason_code=reason
    )


def newest(work, order):
    return notices_of(work, [order.id])[-1]


def answer(work, order, who, choice, **facts):
    work.actor = who
    return answer_notice(work, newest(work, order).id, choice=choice, **facts)


READY = Ahead(D(4), day("11-18"))


def board_says(work, order):
    row = work.session.get_one(OrderProjection, order.id, populate_existing=True)
    return row.status, str(row.next_step)


# ---------------------------------------------------------------------------------- being asked
def test_a_later_day_asks_the_customer_and_an_earlier_one_or_his_own_wish_does_not(work, order):
    move(work, order, "12-14", "customer")
    move(work, order, "12-16", "customer")
    assert notices_of(work, [order.id]) == []
    move(work, order)
    (notice,) = notices_of(work, [order.id])
    assert notice.open
    assert (notice.previous_on, notice.promised_on) == (day("12-16"), day("12-22"))


def test_pieces_that_are_ready_are_offered_ahead_with_their_day(work, order):
    move(work, order)
    assert newest(work, order).part(work.today) == READY


def test_nothing_is_offered_ahead_of_what_leaves_with_others_or_below_its_least(work, order):
    move(work, order)
    line = order.lines[0]
    line.least_shipment = D(5)
    project(work, [order.id])
    assert newest(work, order).part(work.today) is None
    line.least_shipment = D(4)
    project(work, [order.id])
    assert newest(work, order).part(work.today) == READY
    other = make_line(work, make_item(work, no="OTHER"), line_no=20)
    order.lines.append(other)
    other.leaves_with = line.leaves_with = "A"
    work.session.flush()
    project(work, [order.id])
    assert newest(work, order).part(work.today) is None


def test_nothing_is_offered_ahead_of_a_complete_delivery_or_of_an_order_on_hold(work, order):
    move(work, order)
    for name, value in (("partial_delivery", False), ("hold_reason", "Credit")):
        before = getattr(order, name)
        setattr(order, name, value)
        project(work, [order.id])
        assert newest(work, order).part(work.today) is None
        setattr(order, name, before)
        project(work, [order.id])
        assert newest(work, order).part(work.today) == READY


def test_the_mail_names_the_choices_and_leads_to_the_order(work, order):
    move(work, order)
    mail = MailPromiseMoved(None, URL).prepare(work, moved(work, order))
    assert "Accept the new day, Tue 22 Dec 2026" in mail.text
    assert "Send 4 pcs ahead, there on Wed 18 Nov 2026" in mail.text
    assert f"{URL}/portal/orders/{order.no}#decide" in mail.html


def test_a_mail_about_a_day_that_the_customer_asked_for_offers_no_choice(work, order):
    move(work, order, reason="customer")
    mail = MailPromiseMoved(None, URL).prepare(work, moved(work, order, "customer"))
    assert "prefer" not in mail.text


def moved(work, order, reason="material"):
    return PromiseMoved(
        subject_id=order.id,
        order_no=order.no,
        line_no=10,
        previous_on=day("12-15"),
        promised_on=day("12-22"),
        reason_code=reason,
        reason="",
    )


# ------------------------------------------------------------------------------------ answering
def test_an_accepted_day_stands_on_both_timelines_and_asks_nothing_of_us(work, order, customer):
    move(work, order)
    answer(work, order, customer, Choice.ACCEPT)
    said = "Jonas Kessler accepts Tue 22 Dec 2026 for line 10"
    for portal in (False, True):
        entries = history(work.session, order_id=order.id, portal=portal)
        assert said in [str(entry.portal_sentence or entry.sentence) for entry in entries]
    assert not newest(work, order).waits
    assert board_says(work, order)[0] is Status.OK
    assert order.lines[0].promised_on == day("12-22")


def test_what_is_wanted_ahead_is_proposed_and_shown_on_the_board_and_moves_nothing(
    work, order, customer
):
    move(work, order)
    amendment = order.amendment_no
    answer(work, order, customer, Choice.PART, part=READY)
    (task,) = work.session.scalars(sa.select(ProposalTask)).all()
    assert task.measure == text_of(Split(f"{order.no}/10", D(4)))
    assert work.session.scalars(sa.select(Proposal.by_name)).one() == "Jonas Kessler"
    assert board_says(work, order) == (
        Status.RISK,
        "Customer asks to send 4 pcs ahead: decide the proposal.",
    )
    assert (order.amendment_no, order.lines[0].ordered_qty) == (amendment, D(10))
    handlers = work.session.scalars(sa.select(Delivery.handler)).all()
    assert {"mail.planners", "mail.promise_answered"} <= set(handlers)


def test_a_message_waits_on_the_board_until_somebody_has_talked(work, order, customer):
    move(work, order)
    answer(work, order, customer, Choice.TALK, text="  Two weeks is too long.  ")
    assert board_says(work, order)[1] == "Customer wants to talk about the new day: answer him."
    work.actor = PLANNER
    settle_notice(work, newest(work, order).id)
    assert board_says(work, order)[0] is Status.OK
    rows = sa.select(Delivery.payload).where(Delivery.handler == "mail.answer_settled")
    event = NoticeSettled.from_json(work.session.scalars(rows).one())
    assert MailAnswerSettled(None, URL).prepare(work, event) is None
    with pytest.raises(Conflict, match="Nothing waits"):
        settle_notice(work, newest(work, order).id)
    assert "answered the customer" not in "".join(
        str(e.portal_sentence) for e in history(work.session, order_id=order.id, portal=True)
    )


@pytest.mark.parametrize(
    ("state", "told"),
    [(TaskState.DONE, "are sent ahead"), (TaskState.DECLINED, "cannot be sent ahead")],
)
def test_the_customer_reads_what_became_of_the_pieces_he_wanted_ahead(
    work, order, customer, state, told
):
    move(work, order)
    answer(work, order, customer, Choice.PART, part=READY)
    work.actor = PLANNER
    (task,) = work.session.scalars(sa.select(ProposalTask)).all()
    decide_task(work, task.proposal_id, task.id, state)
    assert board_says(work, order)[0] is Status.OK
    last = history(work.session, order_id=order.id, portal=True)[0]
    assert str(last.portal_sentence) == f"4 pcs of line 10 {told}"
    decide_task(work, task.proposal_id, task.id, state)
    rows = sa.select(Delivery.payload).where(Delivery.handler == "mail.answer_settled")
    event = NoticeSettled.from_json(work.session.scalars(rows).one())
    mail = MailAnswerSettled(None, URL).prepare(work, event)
    assert mail.to == (work.session.get(User, customer.user_id).email,)
    assert f"4 pcs of line 10 {told}." in mail.text
    decide_task(work, task.proposal_id, task.id, TaskState.OPEN)
    assert newest(work, order).waits


def test_a_second_answer_hears_what_was_answered_and_by_whom(work, order, account, customer):
    move(work, order)
    answer(work, order, customer, Choice.ACCEPT)
    other = person(work, Role.BUYER, account, "Anna Weber").actor()
    with pytest.raises(Conflict, match="Jonas Kessler accepts Tue 22 Dec"):
        answer(work, order, other, Choice.TALK, text="No.")
    assert newest(work, order).choice is Choice.ACCEPT


def test_the_next_move_asks_anew_and_voids_the_answer_to_the_last(work, order, customer):
    move(work, order)
    first = newest(work, order)
    answer(work, order, customer, Choice.PART, part=READY)
    move(work, order, "01-08")
    assert newest(work, order).open
    assert board_says(work, order)[0] is Status.OK
    work.session.get_one(PromiseNotice, first.id).choice = None
    work.session.flush()
    work.actor = customer
    with pytest.raises(Conflict, match="has moved again"):
        answer_notice(work, first.id, choice=Choice.ACCEPT)


def test_of_two_who_answer_at_once_the_second_hears_what_the_first_has_said(database_url):
    engine = make_engine(database_url)
    office = Office(engine, pinned(NOW))
    with office.open() as work:
        account = make_account(work)
        made = make_order(work, account, lines=[make_line(work)])
        move(work, made)
        notice_id = newest(work, made).id

    def answer_too():
        with office.open(buyer(account, name="Anna Weber")) as work:
            answer_notice(work, notice_id, choice=Choice.TALK, text="No.")

    with ThreadPoolExecutor() as pool:
        with office.open(buyer(account)) as work:
            answer_notice(work, notice_id, choice=Choice.ACCEPT)
            second = pool.submit(answer_too)
            time.sleep(0.2)  # it has looked, and waits for the order
        with pytest.raises(Conflict, match="Jonas Kessler accepts"):
            second.result()
    engine.dispose()


def test_other_pieces_than_those_shown_are_not_asked_for(work, order, customer):
    move(work, order)
    for part in (None, Ahead(D(5), READY.on), Ahead(D(4), day("11-19"))):
        with pytest.raises(Conflict, match="Other pieces"):
            answer(work, order, customer, Choice.PART, part=part)


def test_a_message_must_say_something(work, order, customer):
    move(work, order)
    with pytest.raises(Invalid):
        answer(work, order, customer, Choice.TALK, text=" ")


def test_foreign_and_ended_notices_are_not_found_and_staff_do_not_answer(work, order, customer):
    move(work, order)
    notice = newest(work, order)
    with pytest.raises(NotFound):
        answer(work, order, buyer(make_account(work)), Choice.ACCEPT)
    work.actor = customer
    with pytest.raises(NotFound):
        answer_notice(work, notice.id + 1, choice=Choice.ACCEPT)
    with pytest.raises(NotAllowed):
        answer(work, order, PLANNER, Choice.ACCEPT)
    order.state = OrderState.CANCELLED
    work.session.flush()
    with pytest.raises(NotFound):
        answer(work, order, customer, Choice.ACCEPT)


# -------------------------------------------------------------------------------- who is told
def test_the_mail_goes_to_who_is_in_charge_else_to_the_owner_else_to_the_salesperson(
    work, order, account, customer
):
    sales = person(work, Role.SALES, name=account.sales_rep)
    owner, carer = (person(work, Role.SALES, name=name) for name in ("Owner", "Carer"))
    event = PromiseAnswered(
        subject_id=order.id,
        notice_id=1,
        order_no=order.no,
        by_id=customer.user_id,
        said="Jonas Kessler accepts",
    )
    handler = MailPromiseAnswered(None, URL)
    assert handler.prepare(work, event).to == (sales.email,)
    order.owner_id = owner.id
    assert handler.prepare(work, event).to == (owner.email,)
    work.actor = PLANNER
    take_care(work, order.no, user_id=carer.id)
    mail = handler.prepare(work, event)
    assert mail.to == (carer.email,)
    assert mail.reply_to == work.session.get(User, customer.user_id).email
    for user in (sales, owner, carer):
        user.active = False
    assert handler.prepare(work, event) is None


def test_a_late_line_keeps_its_cause_and_gets_the_customers_wish_as_its_next_step(
    work, order, customer
):
    move(work, order, "12-16")
    before = work.session.get_one(LineProjection, order.lines[0].id).cause
    answer(work, order, customer, Choice.TALK, text="Why?")
    row = work.session.get_one(LineProjection, order.lines[0].id)
    assert (row.status, row.cause) == (Status.LATE, before)
    assert "answer him" in str(row.next_step)


def test_the_worker_projects_the_wish_too(work, order, customer):
    move(work, order)
    answer(work, order, customer, Choice.TALK, text="Why?")
    work.actor = SYSTEM
    project(work, [order.id])
    assert board_says(work, order)[0] is Status.RISK
