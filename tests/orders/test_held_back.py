"""A push that waits for something on our side: the switch, a dry run, the account's number."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa

from b2bcrm.bootstrap import ROUTES
from b2bcrm.customers import actions as customers
from b2bcrm.customers.events import AccountLinked
from b2bcrm.customers.models import Account
from b2bcrm.kernel.courier import Courier
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.orders import actions
from b2bcrm.orders.events import EVENTS
from b2bcrm.orders.handlers import PushOrder, ResumePushes
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import Act, Entity, Issue
from b2bcrm.sync.models import Writes
from b2bcrm.sync.writes import DRY_RUN, WRITES_OFF, ErpWrite
from tests.orders.pushing import CLERK, OtherErp, due_again, forget_number, in_erp, order

pytestmark = pytest.mark.db


class Switch:
    """What the connection allows, as a test sets it."""

    def __init__(self, at):
        self.at = at

    def __call__(self, work, code):
        return self.at


class Notes(list):
    """An envelope log that a test reads."""

    def note(self, **exchange):
        self.append(exchange)


def courier_with(gateway, office, switch, log=None):
    handlers = (
        PushOrder(lambda _work, _code: gateway, writing=switch, log=lambda _code: log),
        ResumePushes(),
    )
    object.__setattr__(office, "routes", ROUTES)
    return Courier(
        open_work=office.open,
        events={event.name: event for event in (*EVENTS, AccountLinked)},
        handlers={handler.name: handler for handler in handlers},
    )


def parked_codes(office):
    with office.open(read_only=True) as work:
        query = sa.select(Delivery.code).where(Delivery.state == DeliveryState.PARKED)
        return list(work.session.scalars(query))


def test_with_writing_switched_off_an_order_waits_and_goes_when_it_is_on(office, twin, order_id):
    switch = Switch(Writes.OFF)
    courier = courier_with(twin.gateway, office, switch)
    courier.deliver_one()
    ours = order(office, order_id)
    assert (ours.erp_sync, in_erp(twin, ours.no)) == (ErpSync.WAITING, [])
    assert str(ours.erp_reason) == "Writing to this ERP is switched off."
    assert parked_codes(office) == [WRITES_OFF]
    switch.at = Writes.ON
    with office.open() as work:
        assert actions.resume(work, codes=[WRITES_OFF, DRY_RUN]) == 1
    courier.deliver_one()
    assert order(office, order_id).erp_sync is ErpSync.ACCEPTED


def test_a_dry_run_writes_down_what_would_go_without_prices_and_sends_nothing(
    office, twin, order_id
):
    log = Notes()
    acts = twin.gateway.describe().capabilities[Entity.SALES_ORDER].acts - {Act.VALIDATE}
    erp = OtherErp(twin.gateway, acts=acts)
    courier_with(erp, office, Switch(Writes.DRY_RUN), log).deliver_one()
    ours = order(office, order_id)
    assert (ours.erp_sync, in_erp(twin, ours.no)) == (ErpSync.WAITING, [])
    (noted,) = log
    content = json.loads(noted["request"])
    assert (noted["reference"], content["lines"][0]["qty"]) == (f"{ours.no}/0", "5.0000")
    assert content["lines"][0]["unit_price"] == "***"
    assert parked_codes(office) == [DRY_RUN]
    with office.open(read_only=True) as work:
        assert work.session.scalars(sa.select(ErpWrite)).all() == []


def test_a_dry_run_asks_the_erp_where_it_can_be_asked(office, twin, order_id):
    class Asking(OtherErp):
        def validate(self, draft):
            return [Issue("E1", "Customer is blocked.")]

    acts = twin.gateway.describe().capabilities[Entity.SALES_ORDER].acts | {Act.VALIDATE}
    erp = Asking(twin.gateway, acts=acts)
    courier_with(erp, office, Switch(Writes.DRY_RUN)).deliver_one()
    ours = order(office, order_id)
    assert "Customer is blocked." in str(ours.erp_reason)
    assert in_erp(twin, ours.no) == []


def test_an_order_of_an_account_without_a_number_goes_on_by_itself_once_it_has_one(
    office, twin, order_id
):
    courier = courier_with(twin.gateway, office, Switch(Writes.ON))
    with office.open() as work:
        account_id = work.session.get_one(Order, order_id).account_id
        known = forget_number(work, order_id)
    courier.deliver_one()
    ours = order(office, order_id)
    assert (ours.erp_sync, parked_codes(office)) == (ErpSync.WAITING, ["no_erp_account"])
    with office.open(CLERK) as work:
        version = work.session.get_one(Account, account_id).version
        customers.link_to_erp(work, account_id, expected_version=version, erp_id=known)
    due_again(office)
    with office.open() as work:  # mails are no matter of this test
        work.session.execute(
            sa.delete(Delivery).where(Delivery.handler.startswith("mail.", autoescape=True))
        )
    while courier.deliver_one():
        pass
    assert order(office, order_id).erp_sync is ErpSync.ACCEPTED
