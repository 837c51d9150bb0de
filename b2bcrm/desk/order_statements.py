"""The SELECTs of the order page, built once: only their values change.

Staff see every order, so they start from ``visible_to`` of a member of staff. What a statement
is for is said in ``order_facts``, which runs them; its columns have the names of a row there.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account, Contact
from b2bcrm.files.models import StoredFile
from b2bcrm.fulfillment.models import (
    FirmPeg,
    Invoice,
    LineProjection,
    OrderCare,
    OrderProjection,
    Promise,
    PromiseNotice,
    PromiseRequest,
    RequestState,
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
from b2bcrm.sync.connections import company_connection
from b2bcrm.sync.models import ErpConnection, Feed
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


def _named(**columns: Any) -> list[Any]:
    return [column.label(name) for name, column in columns.items()]


def _head_statement() -> Any:
    erp = sa.func.coalesce(Order.erp_connection, company_connection(Order.company_id))
    supply = sa.and_(Feed.entity.in_(SUPPLY_FEEDS), Feed.connection_code == erp)
    erps = sa.select(sa.func.count()).select_from(ErpConnection).scalar_subquery()
    as_of = sa.select(sa.func.min(Feed.data_as_of)).where(supply).scalar_subquery()
    limit = sa.select(sa.func.min(Feed.limit_minutes)).where(supply).scalar_subquery()
    carer = sa.orm.aliased(User)
    topic = sa.literal("order:") + sa.cast(Order.id, sa.String)
    seen = sa.select(ChangeCounter.n).where(ChangeCounter.topic == topic).scalar_subquery()
    differences = (
        sa.select(sa.func.count())
        .where(ErpConflict.order_id == Order.id, ErpConflict.state == ConflictState.OPEN)
        .scalar_subquery()
    )
    shipped = sa.select(ShipmentLine.id).join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
    return (
        visible_to(STAFF)
        .where(Order.no == sa.bindparam("no"))
        .join(Account, Account.id == Order.account_id)
        .join(Company, Company.id == Order.company_id)
        .outerjoin(OrderProjection, OrderProjection.order_id == Order.id)
        .outerjoin(Contact, Contact.id == Order.contact_id)
        .outerjoin(User, User.id == Order.owner_id)
        .outerjoin(Quote, Quote.id == Order.quote_id)
        .outerjoin(Inquiry, Inquiry.id == Quote.inquiry_id)
        .with_only_columns(
            *_named(
                id=Order.id,
                no=Order.no,
                state=Order.state,
                origin=Order.origin,
                amendment_no=Order.amendment_no,
                customer_po=Order.customer_po,
                currency=Order.currency,
                rate=Order.rate,
                total=Order.total,
                incoterm=Order.incoterm,
                incoterm_place=Order.incoterm_place,
                payment_terms=Order.payment_terms,
                partial_delivery=Order.partial_delivery,
                ordered_on=Order.ordered_on,
                confirmed_at=Order.confirmed_at,
                closed_at=Order.closed_at,
                hold_reason=Order.hold_reason,
                held_at=Order.held_at,
                erp_sync=Order.erp_sync,
                erp=sa.case((erps > 1, erp), else_=""),
                erp_no=Order.erp_no,
                erp_reason=Order.erp_reason,
                erp_since=Order.erp_since,
                account_id=Account.id,
                account=Account.name,
                city=Account.city,
                country=Account.country,
                customer_class=Account.customer_class,
                usual_terms=Account.payment_terms,
                credit_limit=Account.credit_limit,
                credit_used=Account.credit_used,
                overdue_amount=Account.overdue_amount,
                credit_hold=Account.credit_hold,
                credit_as_of=Account.credit_as_of,
                other_light=Account.other_light,
                sales_rep=Account.sales_rep,
                computed_at=OrderProjection.computed_at,
                promised_on=OrderProjection.promised_on,
                projected_on=OrderProjection.projected_on,
                deciding_line_no=OrderProjection.deciding_line_no,
                stage=OrderProjection.stage,
                stages=OrderProjection.stages,
                status=OrderProjection.status,
                status_reason=OrderProjection.status_reason,
                cause=OrderProjection.cause,
                next_step=OrderProjection.next_step,
                contact=Contact.name,
                owner=User.name,
                in_charge=sa.select(carer.name)
                .join(OrderCare, OrderCare.user_id == carer.id)
                .where(OrderCare.order_id == Order.id)
                .scalar_subquery(),
                base_currency=Company.currency,
                quote_id=Order.quote_id,
                quote_no=Quote.no,
                quote_rev=Quote.rev,
                quote_accepted_at=Quote.accepted_at,
                inquiry_id=Inquiry.id,
                inquiry_no=Inquiry.no,
                inquiry_at=Inquiry.received_at,
                inquiry_channel=Inquiry.channel,
                erp_as_of=as_of,
                erp_limit_minutes=sa.func.coalesce(limit, 0),
                seen=sa.func.coalesce(seen, 0),
                differences=differences,
                has_shipments=shipped.where(OrderLine.order_id == Order.id).exists(),
                has_invoices=sa.exists().where(Invoice.order_id == Order.id),
                has_documents=sa.exists().where(StoredFile.order_id == Order.id),
                has_cases=sa.exists().where(Case.order_id == Order.id),
                has_pegs=sa.select(FirmPeg.id)
                .join(OrderLine, OrderLine.id == FirmPeg.order_line_id)
                .where(OrderLine.order_id == Order.id, FirmPeg.ended_at.is_(None))
                .exists(),
                has_requests=sa.select(PromiseRequest.id)
                .join(OrderLine, OrderLine.id == PromiseRequest.order_line_id)
                .where(OrderLine.order_id == Order.id, PromiseRequest.state == RequestState.OPEN)
                .exists(),
                has_notices=sa.select(PromiseNotice.id)
                .join(OrderLine, OrderLine.id == PromiseNotice.order_line_id)
                .where(OrderLine.order_id == Order.id)
                .exists(),
            )
        )
    )


HEAD = _head_statement()
LINES = (
    sa.select(
        *_named(
            id=OrderLine.id,
            line_no=OrderLine.line_no,
            item_no=Item.no,
            name=Item.name,
            name_zh_hant=Item.name_zh_hant,
            name_zh_hans=Item.name_zh_hans,
            description=OrderLine.description,
            customer_part_no=OrderLine.customer_part_no,
            unit=OrderLine.unit,
            ordered_qty=OrderLine.ordered_qty,
            produced_qty=OrderLine.produced_qty,
            shipped_qty=OrderLine.shipped_qty,
            delivered_qty=OrderLine.delivered_qty,
            unit_price=OrderLine.unit_price,
            discount_pct=OrderLine.discount_pct,
            net=OrderLine.net,
            requested_on=OrderLine.requested_on,
            first_promised_on=OrderLine.first_promised_on,
            promised_on=OrderLine.promised_on,
            planned_on=OrderLine.planned_on,
            cancelled=OrderLine.cancelled,
            short_qty=OrderLine.short_qty,
            short_by=OrderLine.short_by,
            short_at=OrderLine.short_at,
            leaves_with=OrderLine.leaves_with,
            least_shipment=OrderLine.least_shipment,
            max_late_days=OrderLine.max_late_days,
            computed_at=LineProjection.computed_at,
            projected_on=LineProjection.projected_on,
            buffer_days=LineProjection.buffer_days,
            status=LineProjection.status,
            status_reason=LineProjection.status_reason,
            progress_pct=LineProjection.progress_pct,
            plan_pct=LineProjection.plan_pct,
            now_at=LineProjection.now_at,
            cause=LineProjection.cause,
            next_step=LineProjection.next_step,
            lost=LineProjection.lost,
            came_on=LineProjection.came_on,
            chain=LineProjection.chain,
            sure=LineProjection.sure,
            in_two=LineProjection.in_two,
        )
    )
    .join(Item, Item.id == OrderLine.item_id)
    .outerjoin(LineProjection, LineProjection.order_line_id == OrderLine.id)
    .where(OrderLine.order_id == sa.bindparam("order_id"))
    .order_by(OrderLine.line_no)
)
PEGS = (
    sa.select(
        *_named(
            id=FirmPeg.id,
            kind=FirmPeg.kind,
            no=FirmPeg.no,
            site=FirmPeg.site_code,
            qty=FirmPeg.qty,
            reason=FirmPeg.reason,
            by_name=FirmPeg.by_name,
            at=FirmPeg.at,
        )
    )
    .where(FirmPeg.order_line_id == sa.bindparam("line_id"), FirmPeg.ended_at.is_(None))
    .order_by(FirmPeg.id)
)
PROMISES = (
    sa.select(
        Promise.id,
        Promise.promised_on,
        Promise.previous_on,
        Promise.reason,
        Promise.by_name,
        Promise.at,
    )
    .where(Promise.order_line_id == sa.bindparam("line_id"))
    .order_by(Promise.id.desc())
)
SHIPMENTS = (
    sa.select(
        Shipment.id,
        Shipment.no,
        Shipment.shipped_on,
        Shipment.delivered_on,
        Shipment.carrier,
        Shipment.tracking_no,
        Shipment.received_at,
        Shipment.received_by,
        OrderLine.line_no,
        ShipmentLine.qty,
        OrderLine.unit,
    )
    .join(ShipmentLine, ShipmentLine.shipment_id == Shipment.id)
    .join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
    .where(OrderLine.order_id == sa.bindparam("order_id"))
    .order_by(Shipment.shipped_on.desc(), Shipment.id.desc(), OrderLine.line_no)
)
INVOICES = (
    sa.select(
        Invoice.no,
        Invoice.invoiced_on,
        Invoice.due_on,
        Invoice.currency,
        Invoice.total,
        Invoice.open_amount,
    )
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
    query = sa.select(
        entry.at, entry.name, entry.actor_name, entry.actor_user_id, entry.sentence
    ).where(
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
