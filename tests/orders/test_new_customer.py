"""An account that no ERP knows is entered in one, once; what waited for its number goes on."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.bootstrap import ROUTES
from b2bcrm.customers import entering
from b2bcrm.customers.events import EVENTS as CUSTOMER_EVENTS
from b2bcrm.customers.handlers import PushCustomer
from b2bcrm.customers.models import Account, ErpCustomer
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.courier import Courier
from b2bcrm.kernel.errors import Conflict, Invalid, NotAllowed
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.orders.events import EVENTS
from b2bcrm.orders.handlers import PushOrder, ResumePushes
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.models import Writes
from b2bcrm.sync.writes import WRITES_OFF, ErpWrite
from connectors.erp.twin.faults import Fault
from tests.orders.pushing import CLERK, due_again, forget_number, in_erp, order

pytestmark = pytest.mark.db


class Switch:
    at = Writes.ON

    def __call__(self, work, code):
        return self.at


@pytest.fixture
def switch():
    return Switch()


@pytest.fixture
def courier(office, twin, switch):
    made = (
        PushOrder(lambda _work, _code: twin.gateway),
        PushCustomer(lambda _work, _code: twin.gateway, writing=switch),
        ResumePushes(),
    )
    object.__setattr__(office, "routes", ROUTES)
    return Courier(
        open_work=office.open,
        events={event.name: event for event in (*EVENTS, *CUSTOMER_EVENTS)},
        handlers={handler.name: handler for handler in made},
    )


@pytest.fixture
def account_id(office, courier, order_id):
    """A prospect with a confirmed order that waits for its number."""
    with office.open() as work:
        forget_number(work, order_id)
        ordered = work.session.get_one(Order, order_id)
        ordered.ship_to_id = None
        account = work.session.get_one(Account, ordered.account_id)
        account.tax_id, account.payment_terms = "DE-NEW", "NET30"
        work.session.execute(sa.delete(Delivery).where(Delivery.handler.startswith("mail.")))
        found = account.id
    deliver_all(courier)
    assert order(office, order_id).erp_sync is ErpSync.WAITING
    return found


def deliver_all(courier):
    while courier.deliver_one():
        pass


def account(work, account_id):
    return work.session.get_one(Account, account_id)


def ask(office, account_id, act=entering.to_erp):
    with office.open(CLERK) as work:
        act(work, account_id, expected_version=account(work, account_id).version)


def there(twin, account_id):
    return twin.world.lookup(Entity.CUSTOMER, "reference", entering.reference(account_id))


def state(office):
    with office.open(read_only=True) as work:
        row = work.session.scalars(
            sa.select(Delivery).where(Delivery.handler == entering.PUSH_CUSTOMER)
        ).one()
        work.session.expunge_all()
        return row


@pytest.mark.parametrize(
    "fault",
    [
        None,
        Fault.TIMEOUT_AFTER_COMMIT,
        Fault.TIMEOUT_BEFORE_COMMIT,
        Fault.HTML_502,
        Fault.FALSE_SUCCESS,
    ],
)
def test_it_is_entered_once_and_linked_and_the_order_that_waited_goes_on(
    office, twin, courier, order_id, account_id, fault
):
    if fault:
        twin.faults["CreateCustomer"] = fault
    ask(office, account_id)
    for _ in range(6):
        deliver_all(courier)
        due_again(office)
        with office.open() as work:
            work.session.execute(
                sa.update(ErpWrite).values(sent_at=work.tick - dt.timedelta(hours=1))
            )
    (customer,) = there(twin, account_id)
    with office.open(read_only=True) as work:
        row = work.session.scalars(
            sa.select(ErpCustomer).where(ErpCustomer.account_id == account_id)
        ).one()
        assert (row.connection_code, row.erp_id, row.main) == ("main", customer.erp_id, True)
        ours = account(work, account_id)
        assert (ours.erp_id, ours.customer_class) == (customer.erp_id, "C")  # as the ERP keeps it
        assert customer.name == ours.name
    ordered = order(office, order_id)
    assert ordered.erp_sync is ErpSync.ACCEPTED, ordered.erp_reason
    assert [one.customer for one in in_erp(twin, ordered.no)] == [customer.erp_id]


def test_a_refusal_is_shown_and_after_a_correction_it_is_sent_again(
    office, twin, courier, account_id
):
    with office.open() as work:
        account(work, account_id).payment_terms = "WHENEVER"
    ask(office, account_id)
    deliver_all(courier)
    row = state(office)
    assert (row.state, row.target) == (DeliveryState.PARKED, "main")
    assert "WHENEVER" in str(row.reason)
    with pytest.raises(Conflict):
        ask(office, account_id)  # one at a time
    with office.open() as work:
        account(work, account_id).payment_terms = "NET60"
    ask(office, account_id, entering.send_again)
    deliver_all(courier)
    assert [one.payment_terms for one in there(twin, account_id)] == ["NET60"]


def test_with_writing_switched_off_it_waits(office, twin, courier, account_id, switch):
    switch.at = Writes.OFF
    ask(office, account_id)
    deliver_all(courier)
    assert (state(office).code, there(twin, account_id)) == (WRITES_OFF, [])


def test_what_a_person_linked_meanwhile_is_not_entered(office, twin, courier, account_id):
    ask(office, account_id)
    with office.open() as work:
        ours = account(work, account_id)
        work.session.add(
            ErpCustomer(
                connection_code="main",
                erp_id="X1",
                company_id=ours.company_id,
                account_id=ours.id,
                home_id=ours.id,
                main=True,
                name=ours.name,
                currency=ours.currency,
            )
        )
    deliver_all(courier)
    assert (state(office).state, there(twin, account_id)) == (DeliveryState.DONE, [])


def test_it_is_given_up_only_while_it_is_surely_not_there(office, twin, courier, account_id):
    twin.faults["CreateCustomer"] = Fault.TIMEOUT_AFTER_COMMIT
    ask(office, account_id)
    deliver_all(courier)
    with pytest.raises(Conflict) as no:
        ask(office, account_id, entering.stop)
    assert no.value.code == "in_doubt"


def test_what_was_refused_may_be_given_up(office, twin, courier, account_id):
    twin.faults["CreateCustomer"] = Fault.SESSION_EXPIRED
    ask(office, account_id)
    deliver_all(courier)
    ask(office, account_id, entering.stop)
    assert state(office).state is DeliveryState.GIVEN_UP
    with pytest.raises(Conflict):
        ask(office, account_id, entering.stop)


def test_only_who_may_order_asks_for_it_and_what_is_missing_is_named(office, account_id):
    reader = Actor(name="Reader", role=Role.SERVICE)
    with office.open(reader) as work, pytest.raises(NotAllowed):
        entering.to_erp(work, account_id, expected_version=account(work, account_id).version)
    with office.open() as work:
        account(work, account_id).country = ""
    with pytest.raises(Invalid, match="Country"):
        ask(office, account_id)
