"""The SELECTs of the order page, built once: only their values change.

Staff see every order, so they start from ``visible_to`` of a member of staff. What a statement
is for is said in ``order_facts``, which runs them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account, Contact, ShipTo
from b2bcrm.fulfillment.models import (
    Invoice,
    LineProjection,
    OrderProjection,
    Promise,
    Shipment,
    ShipmentLine,
)
from b2bcrm.kernel.actor import Actor, Role
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.timeline import ChangeCounter, TimelineEntry
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.queries import visible_to
from b2bcrm.ports.erp import Entity
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.service.models import Case
from b2bcrm.sync.conflicts import ConflictState, ErpConflict
from b2bcrm.sync.models import Feed
from b2bcrm.users.models import User

STAFF = Actor(name="-", role=Role.SALES)
SUPPLY_FEEDS = tuple(
    entity.value
    for entity in (
        Entity.STOCK,
        Entity.PURCHASE_ORDER,
        Entity.WORK_ORDER,
        Entity.SALES_ORDER,
        Entity.SHIPMENT,
    )
)


def _head_statement() -> Any:
    supply = Feed.entity.in_(SUPPLY_FEEDS)
    as_of = sa.select(sa.func.min(Feed.data_as_of)).where(supply).scalar_subquery()
    limit = sa.select(sa.func.min(Feed.limit_minutes)).where(supply).scalar_subquery()
    topic = sa.literal("order:") + sa.cast(Order.id, sa.String)
    seen = sa.select(ChangeCounter.n).where(ChangeCounter.topic == topic).scalar_subquery()
    differences = (
        sa.select(sa.func.count())
        .where(ErpConflict.order_id == Order.id, ErpConflict.state == ConflictState.OPEN)
        .scalar_subquery()
    )
    return (
        visible_to(STAFF)
        .where(Order.no == sa.bindparam("no"))
        .join(Account, Account.id == Order.account_id)
        .join(Company, Company.id == Order.company_id)
        .outerjoin(OrderProjection, OrderProjection.order_id == Order.id)
        .outerjoin(Contact, Contact.id == Order.contact_id)
        .outerjoin(ShipTo, ShipTo.id == Order.ship_to_id)
        .outerjoin(User, User.id == Order.owner_id)
        .outerjoin(Quote, Quote.id == Order.quote_id)
        .outerjoin(Inquiry, Inquiry.id == Quote.inquiry_id)
        .with_only_columns(
            Order,
            Account,
            OrderProjection,
            Contact.name,
            ShipTo.name,
            ShipTo.city,
            User.name,
            Company.currency,
            Quote.no,
            Quote.rev,
            Quote.accepted_at,
            Inquiry.no,
            Inquiry.received_at,
            Inquiry.channel,
            Inquiry.id,
            as_of.label("as_of"),
            limit.label("limit_minutes"),
            sa.func.coalesce(seen, 0).label("seen"),
            differences.label("differences"),
        )
    )


HEAD = _head_statement()
LINES = (
    sa.select(
        OrderLine,
        Item.no,
        Item.name,
        Item.name_zh_hant,
        Item.name_zh_hans,
        LineProjection,
    )
    .join(Item, Item.id == OrderLine.item_id)
    .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
    .where(OrderLine.order_id == sa.bindparam("order_id"))
    .order_by(OrderLine.line_no)
)
PROMISES = (
    sa.select(Promise)
    .where(Promise.order_line_id == sa.bindparam("line_id"))
    .order_by(Promise.id.desc())
)
SHIPMENTS = (
    sa.select(Shipment, OrderLine.line_no, ShipmentLine.qty, OrderLine.unit)
    .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
    .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
    .where(OrderLine.order_id == sa.bindparam("order_id"))
    .order_by(Shipment.shipped_on.desc(), Shipment.id.desc(), OrderLine.line_no)
)
INVOICES = (
    sa.select(Invoice)
    .where(Invoice.order_id == sa.bindparam("order_id"))
    .order_by(Invoice.id.desc())
)
CASES = (
    sa.select(Case.no, Case.subject, Case.state, Case.opened_at, OrderLine.line_no)
    .outerjoin(OrderLine, OrderLine.id == Case.order_line_id)
    .where(Case.order_id == sa.bindparam("order_id"))
    .order_by(Case.opened_at.desc(), Case.id.desc())
)


@cache
def timeline(kind: str) -> Any:
    """Events of the order and of the quote and inquiry it grew from, newest first.

    Touches are rows of their own with their text, so their events are left out.
    """
    entry = TimelineEntry
    query = sa.select(entry).where(
        sa.or_(
            entry.order_id == sa.bindparam("order_id"),
            sa.and_(entry.subject == "quote", entry.subject_id == sa.bindparam("quote_id")),
            sa.and_(entry.subject == "inquiry", entry.subject_id == sa.bindparam("inquiry_id")),
        ),
        entry.name != "touch.logged",
    )
    if kind == "erp":
        late = entry.name.in_(("order.line_shipped", "projection.moved"))
        query = query.where(sa.or_(entry.name.startswith("order.erp_"), late))
    elif kind == "files":
        query = query.where(entry.name.startswith("file."))
    elif kind == "people":
        query = query.where(entry.actor_user_id.is_not(None))
    return query.order_by(entry.at.desc(), entry.id.desc()).limit(sa.bindparam("take"))
