"""Two companies, each with an ERP of its own: every order goes to one of them, and only there.

Both ERPs begin as the same world, so they give the same numbers to different orders.
"""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
import sqlalchemy as sa

from b2bcrm.customers.intake import apply_customers
from b2bcrm.customers.models import Account, ErpCustomer
from b2bcrm.kernel.courier import Courier
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.outbox import Delivery, DeliveryState
from b2bcrm.kernel.words import Message
from b2bcrm.orders import actions, queries
from b2bcrm.orders.events import EVENTS
from b2bcrm.orders.handlers import PushOrder, ResumePushes
from b2bcrm.orders.intake import apply_sales_orders
from b2bcrm.orders.lifecycle import ErpSync
from b2bcrm.orders.models import Order, Origin
from b2bcrm.ports.erp import Confirmation, Entity, ErpConfig, WriteResult
from b2bcrm.sync import breaker, connections, writes
from b2bcrm.sync.events import ConnectionChanged
from b2bcrm.sync.models import ErpConnection, Writes
from b2bcrm.sync.writes import WRITES_OFF, ErpWrite
from connectors.erp.twin.faults import Fault
from tests.conftest import NOW
from tests.factories import D
from tests.orders.pushing import CLERK, ROUTED, change_there, due_again, in_erp, order, with_lines
from tests.pulled import everything, pull_masters
from tests.twins import Twin

pytestmark = pytest.mark.db
DAY = dt.date(2027, 2, 1)


@pytest.fixture
def other(small_world, tmp_path):
    twin = Twin(Path(shutil.copy(small_world, tmp_path / "other.sqlite3")), NOW)
    yield twin
    twin.world.close()


class Erps:
    """The gateways by connection; a test may take one away."""

    def __init__(self, **gateways):
        self.gateways = gateways

    def __call__(self, work, code):
        if code not in self.gateways:
            raise ErpConfig(Message("The profile cannot be read."))
        return self.gateways[code]


@pytest.fixture
def erps(office, twin, other):
    """Two connections with the masters of their ERPs, both allowed to write."""
    with office.open(CLERK) as work:
        work.session.add_all(
            [
                ErpConnection(code="main", company="FPD-TW", writes=Writes.ON),
                ErpConnection(code="cn", company="FPD-CN", writes=Writes.ON),
            ]
        )
        pull_masters(work, twin.gateway)
        apply_customers(work, everything(other.gateway, Entity.CUSTOMER), connection="cn")
        work.session.execute(sa.update(ErpCustomer).values(credit_hold=False))
    return Erps(main=twin.gateway, cn=other.gateway)


@pytest.fixture
def courier(office, erps):
    push, resume = PushOrder(erps, writing=connections.sending), ResumePushes()
    routes = {f"order.{name}": (push.name,) for name in ROUTED}
    object.__setattr__(office, "routes", routes | {"connection.changed": (resume.name,)})
    return Courier(
        open_work=office.open,
        events={event.name: event for event in (*EVENTS, ConnectionChanged)},
        handlers={push.name: push, resume.name: resume},
    )


def deliver_all(courier):
    while courier.deliver_one():
        pass


def pattern(gateway, site):
    found = everything(gateway, Entity.SALES_ORDER)
    return next(r for r in found if r.status == "open" and r.site == site)


@pytest.fixture
def sell(office, erps, promises):
    """A confirmed order of the company that has the site, like one that its ERP has."""

    def sold(connection, site_code):
        like = pattern(erps.gateways[connection], site_code)
        with office.open(CLERK) as work:
            customer = work.session.scalars(
                sa.select(ErpCustomer).where(
                    ErpCustomer.connection_code == connection,
                    ErpCustomer.erp_id == like.customer,
                )
            ).one()
            site = work.session.scalars(sa.select(Site).where(Site.code == site_code)).one()
            account = work.session.get_one(Account, customer.account_id)
            made = actions.open_order(
                work,
                actions.OrderDraft(
                    account_id=account.id,
                    company_id=site.company_id,
                    site_id=site.id,
                    origin=Origin.STAFF,
                    currency=like.currency,
                    rate=D(1),
                    customer_po="PO-1",
                    payment_terms=like.payment_terms,
                    incoterm=like.incoterm,
                    incoterm_place=like.incoterm_place,
                    lines=(
                        actions.OrderDraftLine(
                            line_no=10,
                            item_id=work.session.scalars(
                                sa.text("SELECT id FROM item WHERE no = :no"),
                                {"no": like.lines[0].item},
                            ).one(),
                            unit=like.lines[0].uom,
                            qty=D(5),
                            unit_price=like.lines[0].unit_price,
                            requested_on=DAY,
                            promised_on=DAY,
                        ),
                    ),
                ),
            )
            actions.confirm(work, made.id, expected_version=None, promises=promises)
            return made.id

    return sold


@pytest.fixture
def both(sell):
    """One order of each company: (main's, cn's)."""
    return sell("main", "TC1"), sell("cn", "SZ1")


def deliveries(office):
    with office.open(read_only=True) as work:
        rows = work.session.scalars(sa.select(Delivery).order_by(Delivery.id)).all()
        work.session.expunge_all()
        return rows


@pytest.mark.parametrize("fault", [None, Fault.TIMEOUT_AFTER_COMMIT, Fault.TIMEOUT_BEFORE_COMMIT])
def test_each_order_lands_exactly_once_in_the_erp_of_its_company(
    office, twin, other, courier, both, fault
):
    for erp in (twin, other):
        if fault:
            erp.faults["CreateSalesOrder"] = fault
    for _ in range(5):
        deliver_all(courier)
        due_again(office)
        with office.open() as work:  # a lost order is believed to be lost after a while
            work.session.execute(
                sa.update(ErpWrite).values(sent_at=work.tick - dt.timedelta(hours=1))
            )
    ours, theirs = (order(office, order_id) for order_id in both)
    assert [ours.erp_sync, theirs.erp_sync] == [ErpSync.ACCEPTED] * 2, (ours.erp_reason, theirs)
    assert [len(in_erp(erp, ours.no)) for erp in (twin, other)] == [1, 0]
    assert [len(in_erp(erp, theirs.no)) for erp in (twin, other)] == [0, 1]
    assert (ours.erp_connection, theirs.erp_connection) == ("main", "cn")
    assert ours.erp_no == theirs.erp_no  # two ERPs, one number: still two orders


def test_an_erp_that_is_down_does_not_hold_the_orders_of_the_other(
    office, twin, other, courier, sell
):
    waiting = sell("cn", "SZ1")
    other.faults["CreateSalesOrder"] = Fault.DOWN_503
    going = sell("main", "TC1")
    deliver_all(courier)
    assert order(office, going).erp_sync is ErpSync.ACCEPTED
    assert order(office, waiting).erp_sync in {ErpSync.WAITING, ErpSync.UNKNOWN}


def test_what_waits_for_an_erp_is_hurried_only_when_that_one_is_back(
    office, twin, other, courier, both
):
    twin.faults["CreateSalesOrder"] = other.faults["CreateSalesOrder"] = Fault.DOWN_503
    deliver_all(courier)
    ours, theirs = deliveries(office)
    assert [(ours.target, ours.state), (theirs.target, theirs.state)] == [
        ("main", DeliveryState.WAITING),
        ("cn", DeliveryState.WAITING),
    ]
    with office.open() as work:
        work.session.execute(
            sa.update(ErpConnection).values(open_until=work.tick + dt.timedelta(minutes=5))
        )
        work.session.execute(sa.update(Delivery).values(next_at=work.tick + dt.timedelta(hours=1)))
        breaker.answered(work, "cn")
        tick = work.tick
    ours, theirs = deliveries(office)
    assert (ours.next_at > tick, theirs.next_at) == (True, tick)
    with office.open(read_only=True) as work:
        assert not breaker.closed(breaker.of(work, "main"))


def test_trying_an_order_again_tries_only_its_own_erp(office, other, courier, both):
    other.faults["CreateSalesOrder"] = Fault.DOWN_503
    deliver_all(courier)
    with office.open(CLERK) as work:
        later = work.tick + dt.timedelta(minutes=5)
        work.session.execute(sa.update(ErpConnection).values(open_until=later))
        actions.send_again(work, both[1], expected_version=None)
        tick = work.tick
    with office.open(read_only=True) as work:
        until = dict(
            work.session.execute(sa.select(ErpConnection.code, ErpConnection.open_until)).all()
        )
        assert until == {"main": later, "cn": tick}


def test_an_order_typed_in_an_erp_is_written_back_to_that_one(
    office, twin, other, courier, erps, promises
):
    typed = pattern(other.gateway, "TC1")  # the first company's, but the second ERP brought it
    with office.open() as work:
        assert apply_sales_orders(work, [typed], promises=promises, connection="cn").changed == 1
        found = queries.by_erp_nos(work.session, "cn", [typed.erp_id])[0][typed.erp_id]
        order_id, line_no = found.id, found.lines[0].line_no
        qty = found.lines[0].ordered_qty + 3
    before = twin.world.get(Entity.SALES_ORDER, typed.erp_id)
    with office.open(CLERK) as work:
        actions.amend_line(
            work, order_id, line_no, expected_version=None, promises=promises, qty=qty
        )
    deliver_all(courier)
    ours = order(office, order_id)
    assert ours.erp_sync is ErpSync.ACCEPTED, ours.erp_reason
    there = other.world.get(Entity.SALES_ORDER, typed.erp_id)
    assert next(ln.qty for ln in there.lines if ln.line_no == line_no) == qty
    assert twin.world.get(Entity.SALES_ORDER, typed.erp_id) == before


def test_a_change_in_one_erp_is_a_difference_of_its_order_alone(
    office, twin, other, courier, both, promises
):
    deliver_all(courier)
    theirs = order(office, both[1])
    change_there(other, theirs.erp_no, lines={10: {"qty": D(9)}})
    record = other.gateway.get(Entity.SALES_ORDER, theirs.erp_no)
    with office.open() as work:
        apply_sales_orders(work, [record], promises=promises, connection="cn")
    assert with_lines(office, both[0])[1] == []
    (row,) = with_lines(office, both[1])[1]
    assert (row.connection_code, row.field, row.theirs) == ("cn", "10.qty", "9")
    with office.open(CLERK) as work:
        actions.keep_ours(work, both[1], row.id, expected_version=None)
    deliver_all(courier)
    assert in_erp(other, theirs.no)[0].lines[0].qty == D(5)
    assert with_lines(office, both[1])[1] == []


def test_our_order_in_an_erp_that_it_was_not_written_to_is_for_a_person(
    office, other, courier, both, promises
):
    deliver_all(courier)
    ours = order(office, both[0])
    stray = pattern(other.gateway, "SZ1")
    change_there(other, stray.erp_id, reference=f"{ours.no}/0")
    record = other.gateway.get(Entity.SALES_ORDER, stray.erp_id)
    with office.open() as work:
        applied = apply_sales_orders(work, [record], promises=promises, connection="cn")
    ((erp_id, reason),) = applied.parked
    assert (erp_id, str(reason)) == (
        stray.erp_id,
        f"Our order {ours.no} is written to the ERP connection main.",
    )
    assert order(office, both[0]).erp_no == ours.erp_no


def test_each_switch_holds_its_own_orders_and_lets_them_go(office, twin, other, courier, both):
    with office.open(CLERK) as work:
        connections.switch_writes(work, "cn", Writes.OFF)
    deliver_all(courier)
    ours, theirs = (order(office, order_id) for order_id in both)
    assert (ours.erp_sync, theirs.erp_sync) == (ErpSync.ACCEPTED, ErpSync.WAITING)
    assert [(row.code, row.target) for row in deliveries(office) if row.code] == [
        (WRITES_OFF, "cn")
    ]
    with office.open(CLERK) as work:
        row = connections.get(work, "cn")
        row.writes = Writes.ON
        work.publish(ConnectionChanged(subject_id=row.id, code="cn", what=Message("on")))
    deliver_all(courier)
    assert order(office, both[1]).erp_sync is ErpSync.ACCEPTED
    assert len(in_erp(other, theirs.no)) == 1


def test_orders_of_a_connection_that_rests_wait_and_go_nowhere_else(
    office, twin, other, courier, sell
):
    with office.open() as work:
        connections.get(work, "cn").active = False
    order_id = sell("cn", "SZ1")
    deliver_all(courier)
    ours = order(office, order_id)
    assert (ours.erp_sync, in_erp(twin, ours.no), in_erp(other, ours.no)) == (
        ErpSync.WAITING,
        [],
        [],
    )


def test_a_connection_whose_settings_are_wrong_holds_its_orders_until_they_are_right(
    office, other, courier, erps, both
):
    gateway = erps.gateways.pop("cn")
    deliver_all(courier)
    theirs = order(office, both[1])
    assert (theirs.erp_sync, str(theirs.erp_reason)) == (
        ErpSync.WAITING,
        "The profile cannot be read.",
    )
    erps.gateways["cn"] = gateway
    with office.open() as work:
        row = connections.get(work, "cn")
        work.publish(ConnectionChanged(subject_id=row.id, code="cn", what=Message("corrected")))
    deliver_all(courier)
    assert len(in_erp(other, theirs.no)) == 1


def test_an_order_that_may_be_in_an_erp_stays_with_it_and_one_that_is_surely_not_may_move(
    office, twin, other, courier, sell
):
    order_id = sell("cn", "SZ1")
    other.faults["CreateSalesOrder"] = Fault.TIMEOUT_AFTER_COMMIT
    courier.deliver_one()
    with office.open() as work:
        connections.get(work, "cn").company = "elsewhere"
        found = work.session.get_one(Order, order_id)
        assert queries.connection_of(work, found) == "cn"
        write = writes.found(work.session, f"{found.no}/0", writes.Kind.CREATE, connection="cn")
        assert write.state is writes.WriteState.UNKNOWN
    with office.open(CLERK) as work:
        actions.it_is_not_there(work, order_id, expected_version=None)
        found = work.session.get_one(Order, order_id)
        assert queries.connection_of(work, found) == "main"


def test_a_confirmation_counts_only_from_the_erp_that_the_order_was_written_to(
    office, other, courier, sell
):
    order_id = sell("cn", "SZ1")
    other.faults["CreateSalesOrder"] = Fault.TIMEOUT_AFTER_COMMIT
    courier.deliver_one()
    no = order(office, order_id).no
    (there,) = in_erp(other, no)
    (before,) = deliveries(office)

    def confirm(connection):
        said = [Confirmation(f"M-{connection}", f"{no}/0", WriteResult(there.erp_id))]
        with office.open() as work:
            actions.confirmed_later(work, b"<c/>", said, connection=connection)
            return work.tick

    confirm("main")
    assert deliveries(office)[0].next_at == before.next_at
    tick = confirm("cn")
    assert deliveries(office)[0].next_at == tick


def test_without_a_connection_for_a_company_its_orders_are_the_first_ones(office, erps):
    with office.open() as work:
        ids = dict(work.session.execute(sa.text("SELECT erp_company, id FROM company")).all())
        assert connections.of_company(work, ids["FPD-CN"]) == "cn"
        connections.get(work, "cn").company = ""
        assert connections.of_company(work, ids["FPD-CN"]) == "main"
        connections.get(work, "cn").company = "FPD-TW"
        assert connections.of_company(work, ids["FPD-TW"]) == "main"
        connections.get(work, "main").active = False
        assert connections.of_company(work, ids["FPD-TW"]) == "cn"
