"""The worker dies at every point of a push; the ERP's own table holds exactly one order."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
import sqlalchemy as sa

from b2bcrm.customers.models import Account
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.clock import pinned
from b2bcrm.kernel.courier import Courier
from b2bcrm.kernel.database import make_engine
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.work import Office
from b2bcrm.orders import actions, queries
from b2bcrm.orders.events import EVENTS
from b2bcrm.orders.handlers import PushOrder
from b2bcrm.orders.intake import apply_sales_orders
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order, Origin
from b2bcrm.ports.erp import Entity
from connectors.erp.twin.listening import make_server
from connectors.erp.twin.server import TwinApp
from tests.conftest import NOW
from tests.factories import D
from tests.killed import KILLED, POINTS, work_until
from tests.processes import exit_code
from tests.pulled import everything, pull_masters

pytestmark = [pytest.mark.db, pytest.mark.slow, pytest.mark.allow_hosts(["127.0.0.1"])]
CLERK = Actor(name="Mei-Ling Lin", role=Role.ADMIN)


@pytest.fixture
def erp_url(twin):
    server = make_server(TwinApp(twin.world, user="crm", password="open"), "127.0.0.1", 0)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def office(database_url):
    engine = make_engine(database_url)
    yield Office(engine, pinned(NOW), {"order.confirmed": ("erp.push_order",)})
    engine.dispose()


def confirm_an_order(office, twin, promises):
    with office.open(CLERK) as work:
        pull_masters(work, twin.gateway)
        known = everything(twin.gateway, Entity.SALES_ORDER)
        apply_sales_orders(work, known, promises=promises)
        like = next(r for r in known if r.status == "open")
        model = queries.by_erp_nos(work.session, "main", [like.erp_id])[0][like.erp_id]
        work.session.get_one(Account, model.account_id).credit_hold = False
        order = actions.open_order(
            work,
            actions.OrderDraft(
                account_id=model.account_id,
                company_id=model.company_id,
                site_id=model.site_id,
                ship_to_id=model.ship_to_id,
                origin=Origin.STAFF,
                currency=model.currency,
                rate=D(1),
                payment_terms=model.payment_terms,
                incoterm=model.incoterm,
                incoterm_place=model.incoterm_place,
                lines=tuple(
                    actions.OrderDraftLine(
                        line_no=line.line_no,
                        item_id=line.item_id,
                        unit=line.unit,
                        qty=line.ordered_qty,
                        unit_price=line.unit_price,
                        requested_on=dt.date(2027, 2, 1),
                        promised_on=dt.date(2027, 2, 1),
                    )
                    for line in model.lines
                ),
            ),
        )
        actions.confirm(work, order.id, expected_version=None, promises=promises)
        return order.id, order.no


def work_on(office, twin):
    push = PushOrder(lambda _work, _code: twin.gateway)
    courier = Courier(office.open, {e.name: e for e in EVENTS}, {push.name: push})
    while courier.deliver_one():
        pass


@pytest.mark.parametrize("point", POINTS)
def test_whenever_the_worker_dies_the_order_is_in_the_erp_exactly_once(
    point, office, database_url, twin, erp_url, promises
):
    order_id, no = confirm_an_order(office, twin, promises)
    assert exit_code(work_until, point, database_url, erp_url) == KILLED
    with office.open() as work:  # the lease ends
        work.session.execute(sa.update(Delivery).values(leased_until=None))
    work_on(office, twin)
    assert len(twin.world.lookup(Entity.SALES_ORDER, "reference", no)) == 1
    with office.open(read_only=True) as work:
        order = work.session.get_one(Order, order_id)
        assert order.erp_sync is ErpSync.ACCEPTED
        assert order.erp_no == twin.world.lookup(Entity.SALES_ORDER, "reference", no)[0].erp_id
