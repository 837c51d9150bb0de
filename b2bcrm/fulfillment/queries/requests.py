"""Later days that wait for a sales manager."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.models import PromiseRequest, RequestState
from b2bcrm.fulfillment.queries.board import staff_only
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine


class RequestRow(NamedTuple):
    """What is asked, by whom, and why."""

    id: int
    order_no: str
    line_no: int
    account_id: int
    account: str
    language: str
    previous_on: dt.date
    promised_on: dt.date
    reason_code: str
    text: str
    asked_by: str
    asked_at: dt.datetime


def open_requests(work: Work, order_id: int | None = None) -> list[RequestRow]:
    """Those that wait, of one order or all, the oldest first; none of lines that have ended."""
    staff_only(work)
    query = (
        sa.select(
            PromiseRequest.id,
            Order.no,
            OrderLine.line_no,
            Account.id,
            Account.name,
            Account.language,
            PromiseRequest.previous_on,
            PromiseRequest.promised_on,
            PromiseRequest.reason_code,
            PromiseRequest.text,
            PromiseRequest.asked_by,
            PromiseRequest.asked_at,
        )
        .join(OrderLine, OrderLine.id == PromiseRequest.order_line_id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Account, Account.id == Order.account_id)
        .where(
            PromiseRequest.state == RequestState.OPEN,
            Order.state == OrderState.CONFIRMED,
            sa.not_(OrderLine.cancelled),
            OrderLine.delivered_qty < OrderLine.due_qty,
        )
        .order_by(PromiseRequest.id)
    )
    if order_id is not None:
        query = query.where(Order.id == order_id)
    return [RequestRow(*row) for row in work.rows(query)]
