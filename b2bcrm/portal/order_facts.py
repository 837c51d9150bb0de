"""What the portal reads of orders: the list in one statement, one order in seven.

Every SELECT starts from ``orders.queries.visible_to``. No cost, no supplier, no internal reason
and no other account's figure is fetched at all, so that none can be shown.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import ShipTo
from b2bcrm.files import queries as files
from b2bcrm.files.models import StoredFile
from b2bcrm.fulfillment.models import (
    Invoice,
    LineProjection,
    OrderProjection,
    Shipment,
    ShipmentLine,
)
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.matching import holds, starts
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.timeline import ChangeCounter, TimelineEntry
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import STAGE_WORDS, OrderState, Stage, Status
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.queries import visible_to
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.service.lifecycle import CaseState
from b2bcrm.service.models import Case
from b2bcrm.users.models import User

OPEN_STATES = (OrderState.SUBMITTED, OrderState.CONFIRMED)
SHOWS = ("done", "all")
STAGES = tuple(Stage)
NEWS, MORE_NEWS = 12, 200
_P, _L = OrderProjection, LineProjection
SORTS: dict[str, Any] = {
    "no": Order.no,
    "ordered": Order.ordered_on,
    "promised": _P.promised_on,
    "projected": _P.projected_on,
    "value": Order.total,
}


@dataclass(frozen=True)
class OrderRow:
    """One order as its customer sees it in the list."""

    no: str
    state: OrderState
    customer_po: str
    total: Decimal
    currency: str
    ordered_on: dt.date
    requested_on: dt.date | None
    promised_on: dt.date | None
    projected_on: dt.date | None
    stage: Stage | None
    stage_pct: int | None
    status: Status | None

    @property
    def value(self) -> Money:
        """In the order's currency, net."""
        return Money(self.total, self.currency)

    @property
    def stages_done(self) -> int:
        """How many stages of the life line lie behind; 8 for a closed order."""
        if self.state is OrderState.CLOSED:
            return len(STAGES)
        return STAGES.index(self.stage or Stage.ORDER)

    @property
    def stage_word(self) -> Message:
        """Where it is now."""
        return STAGE_WORDS[self.stage or Stage.ORDER]

    @property
    def chip(self) -> tuple[str, Message]:
        """Colour and words."""
        return chip_of(self.state, self.status)


def chip_of(state: OrderState, status: Status | None) -> tuple[str, Message]:
    """What the customer is told: late is late, but our buffers and holds are our own."""
    if state is OrderState.CANCELLED:
        return "idle", Message("Cancelled")
    if state is OrderState.CLOSED or status is Status.DONE:
        return "done", Message("Delivered")
    if state is OrderState.SUBMITTED:
        return "idle", Message("Received, not confirmed yet")
    if status is Status.LATE:
        return "late", Message("Comes later")
    return "ok", Message("On track")


def orders(
    work: Work,
    *,
    show: str,
    words: str,
    sort: str,
    descending: bool,
    offset: int,
    limit: int,
) -> tuple[list[OrderRow], int]:
    """One page of the account's orders and how many there are, in one statement."""
    by = SORTS[sort].desc() if descending else SORTS[sort].asc()
    query = (
        visible_to(work.actor)
        .outerjoin(_P, _P.order_id == Order.id)
        .with_only_columns(
            Order.no,
            Order.state,
            Order.customer_po,
            Order.total,
            Order.currency,
            Order.ordered_on,
            _P.requested_on,
            _P.promised_on,
            _P.projected_on,
            _P.stage,
            _P.stage_pct,
            _P.status,
            sa.func.count().over(),
        )
        .order_by(by.nulls_last(), Order.id.desc())
        .offset(offset)
        .limit(limit)
    )
    if show == "done":
        query = query.where(Order.state.in_((OrderState.CLOSED, OrderState.CANCELLED)))
    elif show != "all":
        query = query.where(Order.state.in_(OPEN_STATES))
    if words:
        query = query.where(sa.or_(starts(Order.no, words), holds(Order.customer_po, words)))
    found: list[tuple[Any, ...]] = [tuple(row) for row in work.session.execute(query)]
    return [OrderRow(*row[:-1]) for row in found], found[0][-1] if found else 0


@dataclass(frozen=True)
class Head:
    """The order and everything there is one of."""

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
    stage: Stage | None
    status: Status | None
    stages: dict[str, Any] | None
    computed_at: dt.datetime | None
    seen: int

    @property
    def value(self) -> Money:
        """In the order's currency, net."""
        return Money(self.total, self.currency)


@dataclass(frozen=True)
class LineRow:
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
        return self.delivered_qty >= self.ordered_qty


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


@dataclass(frozen=True)
class CaseRow:
    """A case that the customer opened on this order."""

    no: str
    subject: str
    state: CaseState


@dataclass(frozen=True)
class News:
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
    documents: Sequence[StoredFile]
    cases: list[CaseRow]


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
        shipments=_shipments(work, head.id),
        invoices=_invoices(work, head.id),
        documents=files.of_order(work, head.id),
        cases=_cases(work, head.id),
    )


def id_of(work: Work, no: str) -> int:
    """The id of the account's order, for the live page's question; NotFound otherwise."""
    query = visible_to(work.actor).where(Order.no == no).with_only_columns(Order.id)
    found: int | None = work.session.scalar(query)
    if found is None:
        raise not_found(Message("This order"))
    return found


def _head(work: Work, no: str) -> Head:
    topic = sa.literal("order:") + sa.cast(Order.id, sa.String)
    seen = sa.select(ChangeCounter.n).where(ChangeCounter.topic == topic).scalar_subquery()
    query = (
        visible_to(work.actor)
        .where(Order.no == no)
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
            _P.stage,
            _P.status,
            _P.stages,
            _P.computed_at,
            sa.func.coalesce(seen, 0),
        )
    )
    row: Any = work.session.execute(query).one_or_none()
    if row is None:
        raise not_found(Message("This order"))
    return Head(*row)


def _lines(work: Work, order_id: int) -> list[LineRow]:
    query = (
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
        .where(OrderLine.order_id == order_id, ~OrderLine.cancelled)
        .order_by(OrderLine.line_no)
    )
    rows: Any = work.session.execute(query)
    return [LineRow(*row) for row in rows]


def _news(work: Work, head: Head, limit: int) -> list[News]:
    entry = TimelineEntry
    query = (
        sa.select(entry.at, entry.portal_sentence, entry.name)
        .where(
            entry.order_id == head.id,
            entry.account_id == work.actor.account_id,
            entry.portal_sentence.is_not(sa.null()),
        )
        .order_by(entry.at.desc(), entry.id.desc())
        .limit(limit)
    )
    rows = work.session.execute(query).tuples()
    return [News(at, sentence, name) for at, sentence, name in rows if sentence is not None]


def _shipments(work: Work, order_id: int) -> list[ShipmentRow]:
    query = (
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
        .where(OrderLine.order_id == order_id)
        .order_by(Shipment.shipped_on.desc(), Shipment.id.desc(), OrderLine.line_no)
    )
    facts: dict[int, Any] = {}
    inside: dict[int, list[tuple[int, Decimal, str]]] = defaultdict(list)
    for row in work.session.execute(query):
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
    query = (
        sa.select(Invoice.no, Invoice.due_on, Invoice.currency, Invoice.total, Invoice.open_amount)
        .where(Invoice.order_id == order_id, Invoice.account_id == work.actor.account_id)
        .order_by(Invoice.id.desc())
    )
    return [
        InvoiceRow(no, due_on, Money(total, currency), Money(left, currency))
        for no, due_on, currency, total, left in work.session.execute(query).tuples()
    ]


def _cases(work: Work, order_id: int) -> list[CaseRow]:
    query = (
        sa.select(Case.no, Case.subject, Case.state)
        .where(Case.order_id == order_id, Case.account_id == work.actor.account_id)
        .order_by(Case.id.desc())
    )
    return [CaseRow(*row) for row in work.session.execute(query).tuples()]
