"""Rows that the account tests share: a projection, a delivery."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from b2bcrm.customers import actions as customers
from b2bcrm.customers.models import Account, Contact, CustomerPart, ShipTo, TouchKind
from b2bcrm.desk.account_facts import account_page
from b2bcrm.fulfillment.actions import Promises
from b2bcrm.fulfillment.models import OrderProjection, Shipment, ShipmentLine
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.timeline import history
from b2bcrm.kernel.words import Message
from b2bcrm.orders.events import LineShipped
from b2bcrm.orders.lifecycle import OrderState, Stage, Status
from b2bcrm.quotes import actions as quotes
from tests.clients import client_for
from tests.factories import (
    make_account,
    make_item,
    make_line,
    make_order,
    make_price,
    make_site,
)

D = Decimal
TODAY = dt.date(2026, 11, 17)


def projection(work, order, **facts) -> OrderProjection:
    values = {
        "order_id": order.id,
        "account_id": order.account_id,
        "promised_on": dt.date(2026, 12, 15),
        "requested_on": dt.date(2026, 12, 11),
        "projected_on": dt.date(2026, 12, 18),
        "stage": Stage.MATERIAL,
        "stage_pct": 87,
        "status": Status.LATE,
        "status_reason": Message("Late %(days)s wd", days=3),
        "open_value": D(185300),
        "computed_at": work.now,
    }
    row = OrderProjection(**(values | facts))
    work.session.add(row)
    work.session.flush()
    return row


def delivered(work, order, on: dt.date, qty: int = 10, *, arrived: dt.date | None = None) -> None:
    line = order.lines[0]
    shipment = Shipment(
        no=f"DN{line.id}-{on}",
        account_id=order.account_id,
        shipped_on=on,
        delivered_on=arrived or on,
    )
    shipment.lines = [ShipmentLine(order_line_id=line.id, qty=D(qty))]
    work.session.add(shipment)
    line.shipped_qty += D(qty)
    line.delivered_qty += D(qty)
    work.session.flush()


@pytest.mark.db
