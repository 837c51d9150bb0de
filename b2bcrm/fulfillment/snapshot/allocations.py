"""Allocation rules in force, with what has left of the windows of caps: two statements at most."""

from __future__ import annotations

from decimal import Decimal

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account
from b2bcrm.fulfillment.models import AllocationRule, Shipment, ShipmentLine
from b2bcrm.fulfillment.planning.plant import Allocation, AllocationKind
from b2bcrm.fulfillment.queries.allocations import in_force
from b2bcrm.kernel.organization import Site
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order, OrderLine


def take(work: Work) -> list[Allocation]:
    """The rules that a plan made today follows."""
    rule = AllocationRule
    rows = work.rows(
        sa.select(
            rule.id, rule.kind, rule.item_no, rule.site_code, rule.customer_class, rule.qty,
            rule.first_on, rule.last_on,
        )
        .where(*in_force(work))
        .order_by(rule.id)
    )  # fmt: skip
    caps = [key for key, kind, *_ in rows if kind is AllocationKind.CAP]
    left = _shipped(work, caps) if caps else {}
    return [Allocation(*row)._replace(shipped=left.get(key, Decimal(0))) for key, *row in rows]


def _shipped(work: Work, caps: list[int]) -> dict[int, Decimal]:
    """Pieces that have left within each cap's window."""
    rule = AllocationRule
    query = (
        sa.select(rule.id, sa.func.sum(ShipmentLine.qty, type_=ShipmentLine.qty.type))
        .join(Item, Item.no == rule.item_no)
        .join(OrderLine, OrderLine.item_id == Item.id)
        .join(Order, Order.id == OrderLine.order_id)
        .join(Site, sa.and_(Site.id == Order.site_id, Site.code == rule.site_code))
        .join(
            Account,
            sa.and_(Account.id == Order.account_id, Account.customer_class == rule.customer_class),
        )
        .join(ShipmentLine, ShipmentLine.order_line_id == OrderLine.id)
        .join(
            Shipment,
            sa.and_(
                Shipment.id == ShipmentLine.shipment_id,
                Shipment.shipped_on.between(rule.first_on, rule.last_on),
            ),
        )
        .where(rule.id.in_(caps))
        .group_by(rule.id)
    )
    return dict(work.rows(query))
