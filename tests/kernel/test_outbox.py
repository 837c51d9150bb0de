"""Deliveries: made with the fact, in order per subject, never lost, never without a reason."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from functools import partial

import pytest
import sqlalchemy as sa

from b2bcrm.kernel import outbox
from b2bcrm.kernel.courier import Courier
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.errors import Refused, Unavailable
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Office
from b2bcrm.orders.events import OrderClosed

pytestmark = pytest.mark.db


@dataclass
class Recorder:
    """A handler that does what the test says and remembers what it was asked."""

    name: str = "test.record"
    error: Exception | None = None
    sent: list[tuple[int, bool]] = field(default_factory=list)
    recorded: list[int] = field(default_factory=list)
    failures: list[tuple[int, bool]] = field(default_factory=list)

    def prepare(self, work, event):
        return event.subject_id

    def send(self, message, *, again):
        self.sent.append((message, again))
        if self.error is not None:
            raise self.error
        return message

    def record(self, work, event, reply):
        self.recorded.append(reply)

    def failed(self, work, event, error, *, parked):
        self.failures.append((event.subject_id, parked))


@pytest.fixture
def handler():
    return Recorder()


@pytest.fixture
def courier(office, handler):
    object.__setattr__(office, "routes", {"order.closed": (handler.name,)})
    return Courier(
        open_work=office.open,
        events={"order.closed": OrderClosed},
        handlers={handler.name: handler},
    )


def publish(office, *ids):
    with office.open() as work:
        for n in ids:
            work.publish(OrderClosed(subject_id=n, order_id=n, no=f"SO-{n}"))


def publish_and_fail(office):
    with office.open() as work:
        work.publish(OrderClosed(subject_id=1, order_id=1, no="SO-1"))
        raise ZeroDivisionError


def rows(office):
    with office.open(read_only=True) as work:
        found = list(work.session.scalars(sa.select(Delivery).order_by(Delivery.id)))
        work.session.expunge_all()
        return found


def make_due(office):
    with office.open() as work:
        work.session.execute(sa.update(Delivery).values(next_at=work.tick, leased_until=None))


def test_a_fact_and_its_delivery_are_written_together_or_not_at_all(office, courier):
    with pytest.raises(ZeroDivisionError):
        publish_and_fail(office)
    assert rows(office) == []
    publish(office, 1)
    with office.open(read_only=True) as work:
        assert work.session.scalar(sa.select(TimelineEntry.order_id)) == 1
    assert [row.handler for row in rows(office)] == ["test.record"]


def test_a_delivery_is_sent_recorded_and_done_once(office, courier, handler):
    publish(office, 1)
    assert courier.deliver_one()
    assert not courier.deliver_one()
    assert handler.sent == [(1, False)]
    assert handler.recorded == [1]
    assert rows(office)[0].state is DeliveryState.DONE


def test_a_row_is_kept_for_as_long_as_its_exchange_takes(database_url):
    engine = make_engine(database_url)
    office = Office(engine=engine, routes={"order.closed": (Recorder.name,)})

    class Slow(Recorder):
        def send(self, message, *, again):
            lease, end = rows(office)[0].leased_until, time.monotonic() + 5
            while rows(office)[0].leased_until == lease and time.monotonic() < end:
                time.sleep(0.01)
            return rows(office)[0].leased_until > lease

    slow = Slow()
    publish(office, 1)
    events = {"order.closed": OrderClosed}
    Courier(office.open, events, {slow.name: slow}, beat_s=0.01).deliver_one()
    engine.dispose()
    assert slow.recorded == [True]


def test_what_waits_for_the_erp_is_due_when_it_is_back_and_nothing_else(office, courier):
    publish(office, 1, 2)
    far = dt.timedelta(hours=1)
    with office.open() as work:
        for row in work.session.scalars(sa.select(Delivery)):
            row.next_at = work.tick + far
            row.code = "down" if row.stream == "order:1" else "else"
    with office.open() as work:
        outbox.hurry(work.session, work.tick, codes=["down"])
        tick = work.tick
    assert [row.next_at for row in rows(office)] == [tick, tick + far]


def test_an_outage_waits_with_its_reason_and_the_next_try_knows_it_is_one(office, courier, handler):
    publish(office, 1)
    handler.error = Unavailable(Message("The ERP does not answer."))
    courier.deliver_one()
    row = rows(office)[0]
    assert (row.state, str(row.reason)) == (DeliveryState.WAITING, "The ERP does not answer.")
    assert row.next_at > row.created_at
    assert not courier.deliver_one()
    make_due(office)
    handler.error = None
    courier.deliver_one()
    assert handler.sent == [(1, False), (1, True)]


def test_a_refusal_is_parked_for_a_person_and_can_be_retried(office, courier, handler):
    publish(office, 1)
    handler.error = Refused(Message("Customer is blocked."))
    courier.deliver_one()
    assert rows(office)[0].state is DeliveryState.PARKED
    assert handler.failures == [(1, True)]
    assert not courier.deliver_one()
    with office.open() as work:
        assert outbox.retry(work.session, rows(office)[0].id, work.tick)
    handler.error = None
    courier.deliver_one()
    assert rows(office)[0].state is DeliveryState.DONE


def test_later_facts_of_a_subject_wait_for_earlier_ones_but_other_subjects_do_not(
    office, courier, handler
):
    publish(office, 1, 1, 2)
    handler.error = Unavailable(Message("down"))
    courier.deliver_one()
    handler.error = None
    courier.deliver_one()
    assert not courier.deliver_one()
    assert [subject for subject, _again in handler.sent] == [1, 2]
    make_due(office)
    courier.deliver_one()
    courier.deliver_one()
    assert handler.recorded == [2, 1, 1]


def test_a_defect_in_a_handler_is_raised_and_the_row_waits(office, courier, handler):
    publish(office, 1)
    handler.error = KeyError("oops")
    with pytest.raises(KeyError):
        courier.deliver_one()
    assert str(rows(office)[0].reason) == "Internal error: KeyError"
    assert rows(office)[0].state is DeliveryState.WAITING


def test_a_row_that_nobody_understands_is_parked_and_the_others_go_on(office, courier, handler):
    publish(office, 1, 2)
    with office.open() as work:
        unknown = sa.update(Delivery).where(Delivery.stream == "order:1")
        work.session.execute(unknown.values(event="order.forgotten"))
    with pytest.raises(KeyError):
        courier.deliver_one()
    courier.deliver_one()
    assert [row.state for row in rows(office)] == [DeliveryState.PARKED, DeliveryState.DONE]
    assert handler.recorded == [2]


def test_a_retried_row_has_all_its_tries_again(office, courier, handler):
    publish(office, 1)
    with office.open() as work:
        work.session.execute(sa.update(Delivery).values(attempts=outbox.MAX_ATTEMPTS - 1))
    handler.error = Unavailable(Message("down"))
    courier.deliver_one()
    assert rows(office)[0].state is DeliveryState.PARKED
    with office.open() as work:
        outbox.retry(work.session, rows(office)[0].id, work.tick)
    courier.deliver_one()
    assert rows(office)[0].state is DeliveryState.WAITING
    assert handler.sent[-1] == (1, True)


def test_a_lease_that_somebody_else_took_over_is_not_recorded_twice(office, courier, handler):
    publish(office, 1)

    def steal(point):
        if point == "before_record":
            with office.open() as work:
                work.session.execute(sa.update(Delivery).values(lease_token="another"))

    thief = Courier(
        open_work=partial(office.open),
        events=courier.events,
        handlers=courier.handlers,
        at_point=steal,
    )
    thief.deliver_one()
    assert handler.recorded == []
    assert rows(office)[0].state is DeliveryState.WAITING


def test_the_delay_grows_and_never_exceeds_a_quarter_of_an_hour():
    longest = [outbox.delay(n) for n in range(1, 60)]
    assert longest[0] <= dt.timedelta(seconds=4)
    assert all(d <= dt.timedelta(seconds=900) for d in longest)
    assert min(longest[20:]) >= dt.timedelta(seconds=450)
