"""Promises that stand still: what an order asks of them is remembered, dates stay as they are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from b2bcrm.customers.models import Account
from b2bcrm.kernel.words import Message
from b2bcrm.orders import actions, queries
from b2bcrm.orders.intake import apply_sales_orders
from b2bcrm.orders.models import Origin
from b2bcrm.ports.erp import Entity
from b2bcrm.ports.promise import Answer, AskLine, PromiseMoved
from tests.factories import D
from tests.orders.pushing import CLERK, courier_over
from tests.pulled import everything, pull_masters


@dataclass
class StillPromises:
    """Implements the part of ``ports.promise.Promising`` that orders call."""

    full_on: dt.date | None = None
    asked: list[AskLine] = field(default_factory=list)
    recorded: list[tuple[tuple[int, ...], str]] = field(default_factory=list)
    given_back: list[tuple[str, str, Decimal | None]] = field(default_factory=list)
    released: list[str] = field(default_factory=list)

    def extend(self, order_ref, line, *, at_worst):
        self.asked.append(line)
        answer = Answer(line.ref, self.full_on or line.wanted_on, line.qty, Message("in stock"))
        if at_worst is not None and answer.full_on > at_worst:
            raise PromiseMoved((answer,))
        return answer

    def reduce(self, order_ref, line_ref, by=None):
        self.given_back.append((order_ref, line_ref, by))

    def record(self, order_ids, *, kind, reason):
        self.recorded.append((tuple(order_ids), kind))

    def release(self, ref):
        self.released.append(ref)


@pytest.fixture
def promises():
    return StillPromises()


@pytest.fixture
def courier(office, twin):
    return courier_over(office, twin.gateway)


@pytest.fixture
def order_id(office, twin, promises, courier):
    """A confirmed order like one the ERP has, but new."""
    with office.open(CLERK) as work:
        pull_masters(work, twin.gateway)
        known = everything(twin.gateway, Entity.SALES_ORDER)
        apply_sales_orders(work, known, promises=promises)
        pattern = next(r for r in known if r.status == "open")
        model = queries.by_erp_nos(work.session, "main", [pattern.erp_id])[0][pattern.erp_id]
        account = work.session.get_one(Account, model.account_id)
        account.credit_hold = False
        line = model.lines[0]
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
                customer_po="PO-1",
                payment_terms=model.payment_terms,
                incoterm=model.incoterm,
                incoterm_place=model.incoterm_place,
                lines=(
                    actions.OrderDraftLine(
                        line_no=10,
                        item_id=line.item_id,
                        unit=line.unit,
                        qty=D(5),
                        unit_price=line.unit_price,
                        requested_on=dt.date(2027, 2, 1),
                        promised_on=dt.date(2027, 2, 1),
                    ),
                ),
            ),
        )
        actions.confirm(work, order.id, expected_version=None, promises=promises)
        return order.id
