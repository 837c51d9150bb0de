"""Open order lines with their customer, dates and value: what scenarios and impacts speak of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any, NamedTuple

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.models import LineProjection
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OPEN_ORDERS, Status
from b2bcrm.orders.models import Order, OrderLine


class OpenLine(NamedTuple):
    """A line of which pieces have still to leave; ``value`` of what is open, in base currency.

    ``unplanned``: no document, stock or shipment of the ERP stands behind its projected date.
    """

    id: int
    order_id: int
    no: str
    line_no: int
    site_id: int
    account_id: int
    account: str
    language: str
    customer_class: str
    item_no: str
    item_name: str
    qty: Decimal
    promised_on: dt.date | None
    requested_on: dt.date
    projected_on: dt.date | None
    status: Status | None
    value: Decimal
    currency: str
    unplanned: bool
    complete: bool  # delivered with its whole order

    @property
    def key(self) -> str:
        """How the plan and people name the line."""
        return f"{self.no}/{self.line_no}"

    @property
    def wanted_on(self) -> dt.date:
        """The day that lateness counts from."""
        return self.promised_on or self.requested_on


def open_lines(work: Work, ids: Collection[int] | None = None) -> list[OpenLine]:
    """Open lines, all or those named, by order and line."""
    query = (
        sa.select(
            OrderLine.id,
            Order.id,
            Order.no,
            OrderLine.line_no,
            Order.site_id,
            Account.id,
            Account.name,
            Account.language,
            Account.customer_class,
            Item.no,
            Item.name,
            OrderLine.ordered_qty,
            OrderLine.short_qty,
            OrderLine.shipped_qty,
            OrderLine.delivered_qty,
            OrderLine.net,
            Order.rate,
            OrderLine.promised_on,
            OrderLine.requested_on,
            LineProjection.projected_on,
            LineProjection.status,
            Company.currency,
            sa.func.length(sa.cast(LineProjection.chain, sa.Text)),
            sa.not_(Order.partial_delivery),
        )
        .join(Order, Order.id == OrderLine.order_id)
        .join(Account, Account.id == Order.account_id)
        .join(Company, Company.id == Order.company_id)
        .join(Item, Item.id == OrderLine.item_id)
        .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
        .where(
            Order.state.in_(OPEN_ORDERS),
            sa.not_(OrderLine.cancelled),
            OrderLine.shipped_qty < OrderLine.due_qty,
        )
        .order_by(Order.no, OrderLine.line_no)
    )
    if ids is not None:
        query = query.where(OrderLine.id.in_(ids))
    return [_line(row) for row in work.rows(query)]


EMPTY = len("[]")


def _line(row: Any) -> OpenLine:
    (
        key, order_id, no, line_no, site_id, account_id, account, language, customer_class,
        item_no, item_name, ordered, short, shipped, delivered, net, rate, promised, requested,
        projected, status, currency, chain, complete,
    ) = row  # fmt: skip
    return OpenLine(
        key, order_id, no, line_no, site_id, account_id, account, language, customer_class,
        item_no, item_name, ordered - short - shipped, promised, requested, projected, status,
        net * (ordered - short - delivered) / ordered * rate, currency, (chain or 0) <= EMPTY,
        complete,
    )  # fmt: skip


def line_ids(work: Work, keys: Iterable[str]) -> dict[str, int]:
    """Ids of the lines named ``<order>/<line>``; those that are not there are left out."""
    orders = {key.rpartition("/")[0] for key in keys}
    query = sa.select(OrderLine.id, Order.no, OrderLine.line_no).join(
        Order, Order.id == OrderLine.order_id
    )
    rows = work.rows(query.where(Order.no.in_(orders)))
    return {f"{order}/{line_no}": key for key, order, line_no in rows}
