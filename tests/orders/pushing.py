"""The push to the ERP as tests drive it: a courier over the twin, and a confirmed order."""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa

from b2bcrm.customers.models import Account, Contact, ErpCustomer, ShipTo
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.courier import Courier
from b2bcrm.kernel.outbox import Delivery
from b2bcrm.kernel.words import Message
from b2bcrm.orders import queries
from b2bcrm.orders.events import EVENTS
from b2bcrm.orders.handlers import PushOrder
from b2bcrm.orders.intake import apply_sales_orders
from b2bcrm.orders.models import Order
from b2bcrm.ports.erp import (
    Entity,
    ErpOutcomeUnknown,
    OrderDraft,
    OrderDraftLine,
    WriteResult,
)
from b2bcrm.sync import conflicts, refs
from b2bcrm.sync.digests import digest

ROUTED = ("confirmed", "amended", "repromised", "sent_back", "cancelled")
CLERK = Actor(name="Mei-Ling Lin", role=Role.ADMIN)


def courier_over(office, gateway):
    """A courier that pushes what happens to orders to ``gateway``."""
    push = PushOrder(lambda _work, _code: gateway)
    object.__setattr__(office, "routes", {f"order.{name}": (push.name,) for name in ROUTED})
    return Courier(
        open_work=office.open,
        events={event.name: event for event in EVENTS},
        handlers={push.name: push},
    )


def order(office, order_id):
    with office.open(read_only=True) as work:
        found = work.session.get_one(Order, order_id)
        work.session.expunge_all()
        return found


def due_again(office):
    with office.open() as work:
        work.session.execute(sa.update(Delivery).values(next_at=work.tick, leased_until=None))


def in_erp(twin, no):
    return list(twin.world.lookup(Entity.SALES_ORDER, "reference", no))


def with_lines(office, order_id):
    """The order with its lines, and what is not settled on it."""
    with office.open(read_only=True) as work:
        found = queries.by_id(work, order_id)
        rows = list(conflicts.of_order(work.session, order_id))
        work.session.expunge_all()
        return found, rows


def pull_order(office, twin, erp_no, promises):
    """What the ERP holds of one order comes in, as the feed brings it."""
    record = twin.gateway.get(Entity.SALES_ORDER, erp_no)
    with office.open() as work:
        known = refs.marks(work, "main", Entity.SALES_ORDER, [erp_no])
        pair = {erp_no: (record, digest(record))}
        refs.remember(work, "main", Entity.SALES_ORDER, pair, known=known, crm_ids={}, run_id=None)
        return apply_sales_orders(work, [record], promises=promises).changed


def change_there(twin, erp_no, *, lines=None, **head):
    """Somebody changes our order in the ERP; ``lines`` maps line numbers to what is new."""
    record = twin.world.get(Entity.SALES_ORDER, erp_no)
    names = {f.name for f in dataclasses.fields(OrderDraftLine)}
    rows = []
    for line in record.lines:
        values = {name: getattr(line, name) for name in names}
        rows.append(OrderDraftLine(**(values | (lines or {}).get(line.line_no, {}))))
    values = {
        name: getattr(record, name)
        for name in (f.name for f in dataclasses.fields(OrderDraft))
        if name not in {"note", "lines"}
    }
    draft = OrderDraft(**(values | head), note="", lines=tuple(rows))
    twin.world.update(erp_no, draft)


class OtherErp:
    """The twin with other abilities; each method of the port may be replaced by a test."""

    def __init__(self, gateway, **ability):
        self.gateway = gateway
        info = gateway.describe()
        orders = dataclasses.replace(info.capabilities[Entity.SALES_ORDER], **ability)
        capabilities = {**info.capabilities, Entity.SALES_ORDER: orders}
        self.info = dataclasses.replace(info, capabilities=capabilities)

    def describe(self):
        return self.info

    def __getattr__(self, name):
        return getattr(self.gateway, name)


class LateErp(OtherErp):
    """Takes an order in without an answer and posts it when ``post`` is called."""

    def __init__(self, gateway, **ability):
        super().__init__(gateway, **ability)
        self.taken = []

    def create(self, draft):
        self.taken.append(draft)
        raise ErpOutcomeUnknown(Message("no answer"))

    def post(self):
        self.gateway.create(self.taken.pop(0))


class DeferringErp(LateErp):
    """Answers a create with a handle; ``poll`` tells once it was posted."""

    def create(self, draft):
        self.taken.append(draft)
        return WriteResult(erp_id="", handle=f"H-{draft.reference}")

    def poll(self, handle):
        reference = handle.removeprefix("H-")
        found = self.gateway.lookup(Entity.SALES_ORDER, "reference", reference)
        return WriteResult(found[0].erp_id, found[0].version) if found else None


def renumber(work, order_id, erp_id):
    """Give the order's customer another number in the ERP; answers the one it had."""
    account_id = work.session.get_one(Order, order_id).account_id
    customer = work.session.scalars(
        sa.select(ErpCustomer).where(ErpCustomer.account_id == account_id)
    ).one()
    had, customer.erp_id = customer.erp_id, erp_id
    return had


def forget_number(work, order_id):
    """The order's account is not known to the ERP; answers the number it had."""
    account = work.session.get_one(Account, work.session.get_one(Order, order_id).account_id)
    for kind in (ShipTo, Contact, Order):
        work.session.execute(
            sa.update(kind).where(kind.account_id == account.id).values(erp_customer_id=None)
        )
    work.session.execute(sa.delete(ErpCustomer).where(ErpCustomer.account_id == account.id))
    had, account.erp_id = account.erp_id, None
    return had
