"""What the portal reads of one order, in at most eight statements, however many lines it has.

Every SELECT starts from ``orders.queries.visible_to``. No cost, no supplier, no internal reason
and no other account's figure is fetched at all, so that none can be shown.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import ShipTo
from b2bcrm.files import queries as files
from b2bcrm.files.models import StoredFile
from b2bcrm.files.queries import FileRow
from b2bcrm.fulfillment.models import (
    Invoice,
    LineProjection,
    OrderProjection,
    PromiseNotice,
    Shipment,
    ShipmentLine,
)
from b2bcrm.fulfillment.queries.notices import NoticeRow, notices_of
from b2bcrm.kernel.database import STATEMENTS
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.timeline import ChangeCounter, TimelineEntry
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState, Stage, Status
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.portal.order_rows import own
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.service.lifecycle import CaseState
from b2bcrm.service.models import Case
from b2bcrm.users.models import User

NEWS, MORE_NEWS = 12, 200
_P, _L = OrderProjection, LineProjection


@dataclass(frozen=True)
class Head:
    """The order and everything there is one of; what is not there is not asked for."""

    id: int
    no: str
    state: OrderState
    customer_po: str
    total: Decimal
    currency: str
    incoterm: str
    incoterm_place: str
    partial_delivery: bool
    ordered_on: dt.date
    confirmed_at: dt.datetime | None
    closed_at: dt.datetime | None
    quote_no: str | None
    quote_accepted_at: dt.datetime | None
    inquiry_at: dt.datetime | None
    ship_to: str | None
    ship_to_city: str | None
    contact: str | None
    contact_title: str | None
    contact_phone: str | None
    contact_email: str | None
    requested_on: dt.date | None
    promised_on: dt.date | None
    projected_on: dt.date | None
    deciding_line_no: int | None
    stage: Stage | None
    status: Status | None
    stages: dict[str, Any] | None
    computed_at: dt.datetime | None
    seen: int
    has_shipments: bool
    has_invoices: bool
    has_documents: bool
    has_cases: bool
    has_notices: bool

    @property
    def value(self) -> Money:
        """In the order's currency, net."""
        return Money(self.total, self.currency)


class LineRow(NamedTuple):
    """A line with its item's words and where its pieces are."""

    id: int
    line_no: int
    item_no: str
    name: str
    name_zh_hant: str
    name_zh_hans: str
    family: str
    customer_part_no: str
    unit: str
    ordered_qty: Decimal
    short_qty: Decimal
    shipped_qty: Decimal
    delivered_qty: Decimal
    requested_on: dt.date
    first_promised_on: dt.date | None
    promised_on: dt.date | None
    projected_on: dt.date | None
    status: Status | None
    stations: dict[str, Any] | None
    now_at: Message | None

    def name_in(self, locale: str) -> str:
        """The item's name in the reader's language."""
        names = {"zh_Hant": self.name_zh_hant, "zh_Hans": self.name_zh_hans}
        return names.get(locale) or self.name

    @property
    def delivered(self) -> bool:
        """Whether the whole quantity is there."""
        return self.delivered_qty >= self.due_qty

    @property
    def due_qty(self) -> Decimal:
        """What is to come in all: ordered, without what will not be delivered."""
        return self.ordered_qty - self.short_qty


@dataclass(frozen=True)
class ShipmentRow:
    """A delivery with the lines of this order in it: (line number, quantity, unit)."""

    id: int
    no: str
    shipped_on: dt.date
    delivered_on: dt.date | None
    carrier: str
    tracking_no: str
    received_at: dt.datetime | None
    received_by: str
    lines: tuple[tuple[int, Decimal, str], ...]


@dataclass(frozen=True)
class InvoiceRow:
    """An invoice and what of it is still open."""

    no: str
    due_on: dt.date
    total: Money
    open_amount: Money


class CaseRow(NamedTuple):
    """A case that the customer opened on this order."""

    no: str
    subject: str
    state: CaseState


class News(NamedTuple):
    """One entry of the recent progress, in words that are meant for the customer."""

    at: dt.datetime
    sentence: Message
    name: str


@dataclass(frozen=True)
class OrderFacts:
    """Everything the portal's order page shows."""

    head: Head
    lines: list[LineRow]
    news: list[News]
    more_news: bool
    shipments: list[ShipmentRow]
    invoices: list[InvoiceRow]
    documents: Sequence[FileRow]
    cases: list[CaseRow]
    notices: list[NoticeRow]


# Statements about one order, built once: only their values change.
_LINES = (
    sa.select(
        OrderLine.id,
        OrderLine.line_no,
        Item.no,
        Item.name,
        Item.name_zh_hant,
        Item.name_zh_hans,
        Item.family,
        OrderLine.customer_part_no,
        OrderLine.unit,
        OrderLine.ordered_qty,
        OrderLine.short_qty,
        OrderLine.shipped_qty,
        OrderLine.delivered_qty,
        OrderLine.requested_on,
        OrderLine.first_promised_on,
        OrderLine.promised_on,
        _L.projected_on,
        _L.status,
        _L.stations,
        _L.now_at,
    )
    .join(Item, Item.id == OrderLine.item_id)
    .outerjoin(_L, _L.order_line_id == OrderLine.id)
    .where(OrderLine.order_id == sa.bindparam("order_id"), ~OrderLine.cancelled)
    .order_by(OrderLine.line_no)
)
_NEWS = (
    sa.select(TimelineEntry.at, TimelineEntry.portal_sentence, TimelineEntry.name)
    .where(
        TimelineEntry.order_id == sa.bindparam("order_id"),
        TimelineEntry.account_id == sa.bindparam("account_id"),
        TimelineEntry.portal_sentence.is_not(sa.null()),
    )
    .order_by(TimelineEntry.at.desc(), TimelineEntry.id.desc())
    .limit(sa.bindparam("take"))
)
_SHIPMENTS = (
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
_INVOICES = (
    sa.select(Invoice.no, Invoice.due_on, Invoice.currency, Invoice.total, Invoice.open_amount)
    .where(
        Invoice.order_id == sa.bindparam("order_id"),
        Invoice.account_id == sa.bindparam("account_id"),
    )
    .order_by(Invoice.id.desc())
)
_CASES = (
    sa.select(Case.no, Case.subject, Case.state)
    .where(Case.order_id == sa.bindparam("order_id"), Case.account_id == sa.bindparam("account_id"))
    .order_by(Case.id.desc())
)


def order_facts(work: Work, no: str, *, more: bool) -> OrderFacts:
    """The account's order numbered ``no``; NotFound for any other."""
    head = _head(work, no)
    limit = MORE_NEWS if more else NEWS
    news = _news(work, head, limit + 1)
    return OrderFacts(
        head=head,
        lines=_lines(work, head.id),
        news=news[:limit],
        more_news=len(news) > limit,
        shipments=_shipments(work, head.id) if head.has_shipments else [],
        invoices=_invoices(work, head.id) if head.has_invoices else [],
        documents=files.of_order(work, head.id) if head.has_documents else [],
        cases=_cases(work, head.id) if head.has_cases else [],
        notices=notices_of(work, [head.id]) if head.has_notices else [],
    )


def _head(work: Work, no: str) -> Head:
    found = work.rows(_head_of(work.actor.account_id), {"no": no})
    if not found:
        raise not_found(Message("This order"))
    return Head(*found[0])


@lru_cache(maxsize=STATEMENTS)
def _head_of(account_id: int | None) -> Any:
    topic = sa.literal("order:") + sa.cast(Order.id, sa.String)
    seen = sa.select(ChangeCounter.n).where(ChangeCounter.topic == topic).scalar_subquery()
    shipped = sa.select(ShipmentLine.id).join(OrderLine, OrderLine.id == ShipmentLine.order_line_id)
    return (
        own(account_id)
        .where(Order.no == sa.bindparam("no"))
        .outerjoin(_P, _P.order_id == Order.id)
        .outerjoin(Quote, Quote.id == Order.quote_id)
        .outerjoin(Inquiry, Inquiry.id == Quote.inquiry_id)
        .outerjoin(ShipTo, ShipTo.id == Order.ship_to_id)
        .outerjoin(User, User.id == Order.owner_id)
        .with_only_columns(
            Order.id,
            Order.no,
            Order.state,
            Order.customer_po,
            Order.total,
            Order.currency,
            Order.incoterm,
            Order.incoterm_place,
            Order.partial_delivery,
            Order.ordered_on,
            Order.confirmed_at,
            Order.closed_at,
            Quote.no,
            Quote.accepted_at,
            Inquiry.received_at,
            ShipTo.name,
            ShipTo.city,
            User.name,
            User.title,
            User.phone,
            User.email,
            _P.requested_on,
            _P.promised_on,
            _P.projected_on,
            _P.deciding_line_no,
            _P.stage,
            _P.status,
            _P.stages,
            _P.computed_at,
            sa.func.coalesce(seen, 0),
            shipped.where(OrderLine.order_id == Order.id).exists(),
            sa.exists().where(Invoice.order_id == Order.id),
            sa.exists().where(StoredFile.order_id == Order.id),
            sa.exists().where(Case.order_id == Order.id),
            sa.select(PromiseNotice.id)
            .join(OrderLine, OrderLine.id == PromiseNotice.order_line_id)
            .where(OrderLine.order_id == Order.id)
            .exists(),
        )
    )


def _lines(work: Work, order_id: int) -> list[LineRow]:
    return [LineRow._make(row) for row in work.rows(_LINES, {"order_id": order_id})]


def _news(work: Work, head: Head, limit: int) -> list[News]:
    values = {"order_id": head.id, "account_id": work.actor.account_id, "take": limit}
    return [News._make(row) for row in work.rows(_NEWS, values)]


def _shipments(work: Work, order_id: int) -> list[ShipmentRow]:
    facts: dict[int, Any] = {}
    inside: dict[int, list[tuple[int, Decimal, str]]] = defaultdict(list)
    for row in work.rows(_SHIPMENTS, {"order_id": order_id}):
        facts[row[0]] = row
        inside[row[0]].append((row[8], row[9], row[10]))
    return [
        ShipmentRow(
            id=row[0],
            no=row[1],
            shipped_on=row[2],
            delivered_on=row[3],
            carrier=row[4],
            tracking_no=row[5],
            received_at=row[6],
            received_by=row[7],
            lines=tuple(inside[key]),
        )
        for key, row in facts.items()
    ]


def _invoices(work: Work, order_id: int) -> list[InvoiceRow]:
    values = {"order_id": order_id, "account_id": work.actor.account_id}
    return [
        InvoiceRow(no, due_on, Money(total, currency), Money(left, currency))
        for no, due_on, currency, total, left in work.rows(_INVOICES, values)
    ]


def _cases(work: Work, order_id: int) -> list[CaseRow]:
    values = {"order_id": order_id, "account_id": work.actor.account_id}
    return [CaseRow._make(row) for row in work.rows(_CASES, values)]
