"""A write without an answer: looked up with patience, asked about, confirmed, or said by us."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.errors import Invalid, NotAllowed, Refused
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.words import Message
from b2bcrm.orders import actions
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import (
    Confirmation,
    Entity,
    ErpOutcomeUnknown,
    ErpUnavailable,
    Idempotency,
    Issue,
    WriteMode,
    WriteResult,
)
from b2bcrm.sync.inbox import ErpConfirmation
from b2bcrm.sync.writes import ErpWrite, Patience, WriteState, pause
from tests.factories import D, staff
from tests.orders.pushing import (
    CLERK,
    DeferringErp,
    LateErp,
    OtherErp,
    courier_over,
    due_again,
    in_erp,
    order,
)

pytestmark = pytest.mark.db
LOOKED_UP = {"idempotency": Idempotency.LOOKUP}


def later(office, **how):
    """Machine time passes, and what waits is due."""
    object.__setattr__(office, "clock", pinned(office.clock.tick() + dt.timedelta(**how)))
    due_again(office)


def write_of(office):
    with office.open(read_only=True) as work:
        found = work.session.scalars(sa.select(ErpWrite)).one()
        work.session.expunge_all()
        return found


def delivery(office):
    with office.open(read_only=True) as work:
        found = work.session.scalars(sa.select(Delivery).order_by(Delivery.id)).first()
        work.session.expunge_all()
        return found


def test_an_erp_that_posts_late_gets_the_order_once(office, twin, order_id):
    erp = LateErp(twin.gateway, **LOOKED_UP)
    courier = courier_over(office, erp)
    courier.deliver_one()
    for _ in range(5):  # many looks in a short time are no proof
        due_again(office)
        courier.deliver_one()
    assert len(erp.taken) == 1
    assert order(office, order_id).erp_sync is ErpSync.UNKNOWN
    erp.post()
    later(office, minutes=1)
    courier.deliver_one()
    ours = order(office, order_id)
    assert (ours.erp_sync, erp.taken) == (ErpSync.ACCEPTED, [])
    assert len(in_erp(twin, ours.no)) == 1


def test_only_after_enough_looks_over_enough_time_is_it_sent_again(office, twin, order_id):
    erp = LateErp(twin.gateway, **LOOKED_UP)
    courier = courier_over(office, erp)
    courier.deliver_one()
    later(office, hours=1)  # long, but nobody has looked yet
    courier.deliver_one()
    assert len(erp.taken) == 1
    for _ in range(2):
        later(office, minutes=1)
        courier.deliver_one()
    assert (len(erp.taken), write_of(office).looks) == (1, 3)
    later(office, minutes=1)
    courier.deliver_one()
    assert len(erp.taken) == 2
    assert write_of(office).looks == 0  # the second sending is doubted anew


def test_the_looks_come_in_growing_pauses(office, twin, order_id):
    courier = courier_over(office, LateErp(twin.gateway, **LOOKED_UP))
    courier.deliver_one()
    waits = []
    for _ in range(3):
        due_again(office)
        courier.deliver_one()
        waits.append(delivery(office).next_at - office.clock.tick())
    assert waits == [pause(0), pause(1), pause(2)]
    assert pause(50) == dt.timedelta(minutes=15)


def test_a_look_up_that_fails_leaves_the_outcome_unknown(office, twin, order_id):
    class Unreachable(LateErp):
        def lookup(self, entity, field, value):
            raise ErpUnavailable(Message("down"))

    erp = Unreachable(twin.gateway, **LOOKED_UP)
    courier = courier_over(office, erp)
    courier.deliver_one()
    for _ in range(6):
        later(office, minutes=10)
        courier.deliver_one()
    assert (len(erp.taken), write_of(office).state) == (1, WriteState.UNKNOWN)
    assert order(office, order_id).erp_sync is ErpSync.UNKNOWN


def test_what_surely_was_not_sent_is_sent_again_without_waiting(office, twin, order_id):
    class Down(OtherErp):
        def create(self, draft):
            raise ErpUnavailable(Message("down"))

    courier_over(office, Down(twin.gateway, **LOOKED_UP)).deliver_one()
    assert write_of(office).state is WriteState.UNSENT
    due_again(office)
    courier_over(office, OtherErp(twin.gateway, **LOOKED_UP)).deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.ACCEPTED


def test_a_process_that_died_while_sending_leaves_an_unknown_outcome(office, twin, order_id):
    erp = LateErp(twin.gateway, **LOOKED_UP)
    courier = courier_over(office, erp)

    class Killed(BaseException):
        """The process ends here."""

    def die(draft):
        erp.taken.append(draft)
        raise Killed

    erp.create = die
    with pytest.raises(Killed):
        courier.deliver_one()
    later(office, minutes=2)
    courier.deliver_one()
    assert len(erp.taken) == 1
    assert write_of(office).state is WriteState.UNKNOWN


def test_an_erp_that_recognises_a_reference_needs_no_waiting(office, twin, order_id):
    erp = LateErp(twin.gateway, idempotency=Idempotency.NATIVE)
    courier = courier_over(office, erp)
    courier.deliver_one()
    due_again(office)
    courier.deliver_one()
    assert len(erp.taken) == 2


def test_a_repeat_that_the_erp_refuses_because_it_has_it_is_a_success(office, twin, order_id):
    class Repeating(OtherErp):
        def create(self, draft):
            self.gateway.create(draft)
            return self.gateway.create(draft)  # the wire repeats it: the ERP refuses the second

    courier_over(office, Repeating(twin.gateway)).deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.ACCEPTED


@pytest.fixture
def in_question(office, twin, order_id):
    """An order of unknown outcome in an ERP that cannot be asked, and that ERP."""
    erp = LateErp(twin.gateway, idempotency=Idempotency.NONE)
    courier = courier_over(office, erp)
    courier.deliver_one()
    later(office, minutes=30)
    courier.deliver_one()
    assert len(erp.taken) == 1
    assert order(office, order_id).erp_sync is ErpSync.UNKNOWN
    assert (delivery(office).state, delivery(office).code) == (
        DeliveryState.PARKED,
        "outcome_unknown",
    )
    return erp, courier


def test_where_nothing_can_be_looked_up_a_person_says_that_it_is_there(
    office, in_question, order_id
):
    erp, courier = in_question
    erp.post()
    erp_no = erp.gateway.lookup(Entity.SALES_ORDER, "reference", order(office, order_id).no)[0]
    with office.open(CLERK) as work:
        actions.it_is_there(work, order_id, expected_version=None, erp_no=erp_no.erp_id)
    courier.deliver_one()
    ours = order(office, order_id)
    assert (ours.erp_sync, ours.erp_no, erp.taken) == (ErpSync.ACCEPTED, erp_no.erp_id, [])


def test_or_that_it_is_not_there_and_it_is_sent_once_more(office, in_question, order_id):
    erp, courier = in_question
    with office.open(CLERK) as work:
        actions.it_is_not_there(work, order_id, expected_version=None)
    courier.deliver_one()
    assert len(erp.taken) == 2
    assert order(office, order_id).erp_sync is ErpSync.UNKNOWN


def test_an_answer_of_a_person_is_taken_only_where_there_is_a_question(office, courier, order_id):
    courier.deliver_one()
    with office.open(CLERK) as work, pytest.raises(Refused):
        actions.it_is_not_there(work, order_id, expected_version=None)


def test_a_number_that_another_order_has_is_not_taken(office, in_question, order_id):
    with office.open(CLERK) as work:
        taken = work.session.scalar(sa.select(Order.erp_no).where(Order.erp_no.is_not(None)))
        with pytest.raises(Refused):
            actions.it_is_there(work, order_id, expected_version=None, erp_no=taken)


def test_a_deferred_write_is_asked_about_until_it_is_done(office, twin, order_id):
    erp = DeferringErp(twin.gateway, write_mode=WriteMode.DEFERRED, **LOOKED_UP)
    courier = courier_over(office, erp)
    courier.deliver_one()
    assert (write_of(office).state, write_of(office).handle[:2]) == (WriteState.DEFERRED, "H-")
    later(office, minutes=1)
    courier.deliver_one()
    assert len(erp.taken) == 1
    erp.post()
    later(office, minutes=1)
    courier.deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.ACCEPTED


def confirm(office, order_id, message_id="M-1", *, erp_id="", refused=()):
    """A confirmation comes in; answers how much of it was new."""
    reference = f"{order(office, order_id).no}/0"
    result = None if refused else WriteResult(erp_id, "1")
    with office.open() as work:
        said = [Confirmation(message_id, reference, result, refused)]
        return actions.confirmed_later(work, b"<c/>", said, connection="main")


class Calling(LateErp):
    """Takes the order in and calls back; there is nothing to poll."""

    def create(self, draft):
        self.taken.append(draft)
        return WriteResult(erp_id="", handle="called back")


@pytest.fixture
def calling(twin):
    return Calling(twin.gateway, write_mode=WriteMode.CALLBACK, idempotency=Idempotency.LOOKUP)


def test_a_confirmation_ends_a_deferred_write_and_counts_once(office, calling, order_id):
    courier = courier_over(office, calling)
    courier.deliver_one()
    later(office, minutes=1)
    courier.deliver_one()
    calling.post()
    no = order(office, order_id).no
    erp_no = calling.lookup(Entity.SALES_ORDER, "reference", no)[0].erp_id
    assert confirm(office, order_id, erp_id=erp_no) == 1
    assert confirm(office, order_id, erp_id=erp_no) == 0
    courier.deliver_one()
    ours = order(office, order_id)
    assert (ours.erp_sync, ours.erp_no) == (ErpSync.ACCEPTED, erp_no)
    with office.open(read_only=True) as work:
        assert work.session.scalars(sa.select(ErpConfirmation)).one().used_at is not None


def test_a_confirmation_before_our_own_commit_is_found_when_we_look(office, calling, order_id):
    courier = courier_over(office, calling)

    def create(draft):
        calling.gateway.create(draft)
        no = draft.reference.split("/")[0]
        erp_no = calling.lookup(Entity.SALES_ORDER, "reference", no)[0].erp_id
        confirm(office, order_id, erp_id=erp_no)
        raise ErpOutcomeUnknown(Message("no answer"))

    calling.create = create
    courier.deliver_one()
    due_again(office)
    courier.deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.ACCEPTED


def test_a_refusal_that_comes_later_is_a_refusal(office, calling, order_id):
    courier = courier_over(office, calling)
    courier.deliver_one()
    confirm(office, order_id, refused=(Issue("E1", "Customer is blocked."),))
    courier.deliver_one()
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.REFUSED
    assert "Customer is blocked." in str(ours.erp_reason)


def test_a_late_confirmation_of_what_is_long_done_changes_nothing(office, courier, order_id):
    courier.deliver_one()
    before = order(office, order_id)
    confirm(office, order_id, erp_id=before.erp_no)
    assert not courier.deliver_one()
    assert order(office, order_id).version == before.version


def test_an_update_never_overtakes_the_create_that_is_in_doubt(office, twin, order_id, promises):
    erp = LateErp(twin.gateway, **LOOKED_UP)
    courier = courier_over(office, erp)
    courier.deliver_one()
    with office.open(CLERK) as work:
        actions.amend_line(work, order_id, 10, expected_version=None, promises=promises, qty=D(7))
    for _ in range(3):
        courier.deliver_one()
    assert in_erp(twin, order(office, order_id).no) == []
    erp.post()
    later(office, minutes=5)
    while courier.deliver_one():
        pass
    (theirs,) = in_erp(twin, order(office, order_id).no)
    assert (theirs.reference[-2:], theirs.lines[0].qty) == ("/1", D(7))


def test_patience_wants_both_looks_and_time():
    tick = dt.datetime(2026, 11, 17, tzinfo=dt.UTC)
    patience = Patience(looks=3, over=dt.timedelta(minutes=2))

    def write(looks, minutes):
        return ErpWrite(looks=looks, sent_at=tick - dt.timedelta(minutes=minutes))

    assert patience.enough(write(3, 2), tick)
    assert not patience.enough(write(2, 60), tick)
    assert not patience.enough(write(60, 1), tick)


def test_an_order_given_up_is_not_sent_and_nothing_later_of_it_is(
    office, twin, courier, order_id, promises
):
    with office.open(CLERK) as work:
        actions.leave_out(work, order_id, expected_version=None, reason="entered by hand")
        actions.amend_line(work, order_id, 10, expected_version=None, promises=promises, qty=D(7))
    while courier.deliver_one():
        pass
    ours = order(office, order_id)
    assert (ours.erp_sync, in_erp(twin, ours.no)) == (ErpSync.LEFT_OUT, [])
    assert "entered by hand" in str(ours.erp_reason)
    with office.open(CLERK) as work:
        actions.send_again(work, order_id, expected_version=None)
    while courier.deliver_one():
        pass
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.ACCEPTED
    assert in_erp(twin, ours.no)[0].lines[0].qty == D(7)


def test_giving_up_wants_a_reason_and_a_right(office, courier, order_id):
    with office.open(CLERK) as work, pytest.raises(Invalid):
        actions.leave_out(work, order_id, expected_version=None, reason=" ")
    with office.open(staff(Role.ENGINEER)) as work, pytest.raises(NotAllowed):
        actions.leave_out(work, order_id, expected_version=None, reason="no")
