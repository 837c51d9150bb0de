"""What the order page reads: one order with what all features know of it.

Nine statements at most; the number does not grow with the lines. Not here: how it looks
(``order_view``), the acts (``orders.views``), revisions (fetched when opened).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from b2bcrm.customers import queries as customers
from b2bcrm.customers.models import credit_light, worst
from b2bcrm.customers.queries import TouchRow
from b2bcrm.desk import order_statements as statements
from b2bcrm.files import queries as files
from b2bcrm.files.queries import FileRow
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.numbering import revision_letter
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders import lifecycle
from b2bcrm.orders.lifecycle import FINAL, ErpSync, LineFacts, OrderState, Stage, Status
from b2bcrm.orders.models import Origin
from b2bcrm.quotes.lifecycle import Channel
from b2bcrm.service.lifecycle import CaseState

TOUCHES, MORE_TOUCHES = 40, 400
KINDS = ("people", "erp", "files")


@dataclass(frozen=True, kw_only=True)
class Head:
    """The order and everything there is one of.

    ``computed_at`` to ``next_step`` are its projection's, None before the first one.
    ``erp`` names the connection where there are several, ``erp_as_of`` is its oldest supply feed;
    ``differences`` to the ERP wait for a decision. What ``has_`` says is not there is not asked
    for.
    """

    id: int
    no: str
    state: OrderState
    origin: Origin
    amendment_no: int
    customer_po: str
    currency: str
    rate: Decimal
    total: Decimal
    incoterm: str
    incoterm_place: str
    payment_terms: str
    partial_delivery: bool
    ordered_on: dt.date
    confirmed_at: dt.datetime | None
    closed_at: dt.datetime | None
    hold_reason: str | None
    held_at: dt.datetime | None
    erp_sync: ErpSync
    erp: str
    erp_no: str | None
    erp_reason: Message | None
    erp_since: dt.datetime | None
    account_id: int
    account: str
    city: str
    country: str
    customer_class: str
    usual_terms: str
    credit_limit: Decimal
    credit_used: Decimal
    overdue_amount: Decimal
    credit_hold: bool
    credit_as_of: dt.datetime | None
    other_light: str
    sales_rep: str
    computed_at: dt.datetime | None
    promised_on: dt.date | None
    projected_on: dt.date | None
    deciding_line_no: int | None
    stage: Stage | None
    stages: dict[str, Any] | None
    status: Status | None
    status_reason: Message | None
    cause: Message | None
    next_step: Message | None
    contact: str | None
    owner: str | None
    in_charge: str | None
    base_currency: str
    quote_id: int | None
    quote_no: str | None
    quote_rev: int | None
    quote_accepted_at: dt.datetime | None
    inquiry_id: int | None
    inquiry_no: str | None
    inquiry_at: dt.datetime | None
    inquiry_channel: Channel | None
    erp_as_of: dt.datetime | None
    erp_too_old: bool
    seen: int
    differences: int
    has_shipments: bool
    has_invoices: bool
    has_documents: bool
    has_cases: bool
    has_pegs: bool
    has_requests: bool
    has_notices: bool

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state in FINAL

    @property
    def value(self) -> Money:
        """In the order's currency."""
        return Money(self.total, self.currency)

    @property
    def base_value(self) -> Money:
        """In the base currency, at the order's own rate."""
        return self.value.to(self.base_currency, self.rate)

    @property
    def credit_light(self) -> str:
        """The account's: the worst of all its customers in the ERPs."""
        own = credit_light(
            hold=self.credit_hold,
            limit=self.credit_limit,
            used=self.credit_used,
            overdue=self.overdue_amount,
        )
        return worst(own, self.other_light)

    @property
    def quote_label(self) -> str:
        """Q-26-2168 rev C; empty when it came from no quote."""
        return (
            f"{self.quote_no} rev {revision_letter(self.quote_rev or 0)}" if self.quote_no else ""
        )


class LineRow(NamedTuple):
    """A line with its item's words and, from ``computed_at`` on, what is expected of it."""

    id: int
    line_no: int
    item_no: str
    name: str
    name_zh_hant: str
    name_zh_hans: str
    description: str
    customer_part_no: str
    unit: str
    ordered_qty: Decimal
    produced_qty: Decimal
    shipped_qty: Decimal
    delivered_qty: Decimal
    unit_price: Decimal
    discount_pct: Decimal
    net: Decimal
    requested_on: dt.date
    first_promised_on: dt.date | None
    promised_on: dt.date | None
    planned_on: dt.date | None
    cancelled: bool
    short_qty: Decimal
    short_by: str
    short_at: dt.datetime | None
    leaves_with: str
    least_shipment: Decimal | None
    max_late_days: int | None
    computed_at: dt.datetime | None
    projected_on: dt.date | None
    buffer_days: int | None
    status: Status | None
    status_reason: Message | None
    progress_pct: int | None
    plan_pct: int | None
    now_at: Message | None
    cause: Message | None
    next_step: Message | None
    lost: list[dict[str, Any]] | None
    came_on: dt.date | None
    chain: list[dict[str, Any]] | None
    sure: dict[str, Any] | None
    in_two: dict[str, str] | None

    @property
    def due_qty(self) -> Decimal:
        """What is to come in all: ordered, without what was closed short."""
        return self.ordered_qty - self.short_qty

    def name_in(self, locale: str) -> str:
        """The item's name in the reader's language."""
        return {"zh_Hant": self.name_zh_hant, "zh_Hans": self.name_zh_hans}.get(locale) or self.name

    def verdict(self, head: Head, today: dt.date) -> tuple[Status, Message]:
        """Colour and words; by the one rule also before the first projection."""
        if self.status is not None and self.status_reason is not None:
            return self.status, self.status_reason
        facts = LineFacts(
            state=head.state,
            ordered_qty=self.due_qty,
            produced_qty=self.produced_qty,
            shipped_qty=self.shipped_qty,
            delivered_qty=self.delivered_qty,
            promised_on=self.promised_on,
            waits=lifecycle.ON_HOLD if head.hold_reason is not None else None,
        )
        return lifecycle.status(facts, today)


class PromiseRow(NamedTuple):
    """A promise of a line, and the day that it replaced."""

    id: int
    promised_on: dt.date
    previous_on: dt.date | None
    reason: Message
    by_name: str
    at: dt.datetime


class PegRow(NamedTuple):
    """Pieces of a supply that a planner gave to the line."""

    id: int
    kind: str
    no: str
    site: str
    qty: Decimal
    reason: str
    by_name: str
    at: dt.datetime


class EventRow(NamedTuple):
    """A line of the order's history."""

    at: dt.datetime
    name: str
    actor_name: str
    actor_user_id: int | None
    sentence: Message


class ShipmentRow(NamedTuple):
    """A delivery with the lines of this order in it: (line number, quantity, unit)."""

    no: str
    shipped_on: dt.date
    delivered_on: dt.date | None
    carrier: str
    tracking_no: str
    received_at: dt.datetime | None
    received_by: str
    lines: tuple[tuple[int, Decimal, str], ...]


class InvoiceRow(NamedTuple):
    """An invoice of the order."""

    no: str
    invoiced_on: dt.date
    due_on: dt.date
    currency: str
    total: Decimal
    open_amount: Decimal


class CaseRow(NamedTuple):
    """A case on this order."""

    no: str
    subject: str
    state: CaseState
    opened_at: dt.datetime
    line_no: int | None


@dataclass(frozen=True, kw_only=True)
class OrderFacts:
    """Everything the page shows. ``chosen`` is the line whose date is explained."""

    head: Head
    lines: list[LineRow]
    chosen: LineRow | None
    promises: list[PromiseRow]
    pegs: list[PegRow]
    timeline: list[EventRow]
    touches: Sequence[TouchRow]
    more_touches: bool
    shipments: list[ShipmentRow]
    invoices: list[InvoiceRow]
    documents: Sequence[FileRow]
    cases: list[CaseRow]

    @property
    def live_lines(self) -> list[LineRow]:
        """The lines that are not cancelled."""
        return [row for row in self.lines if not row.cancelled]


def _must(found: Any) -> Any:
    if found is None:
        raise not_found(Message("This order"))
    return found


def order_facts(work: Work, no: str, *, line_no: int | None, kind: str, more: bool) -> OrderFacts:
    """The order numbered ``no``; ``kind`` keeps only people's, the ERP's or files' touches."""
    _must(None if work.actor.is_portal else work.actor)
    head = _head(work, no)
    lines = [LineRow._make(row) for row in work.rows(statements.LINES, {"order_id": head.id})]
    chosen = _chosen(lines, head, line_no)
    limit = MORE_TOUCHES if more else TOUCHES
    entries = _timeline(work, head, kind, limit + 1)
    said = customers.touches(work, order_id=head.id, limit=limit) if kind != "erp" else []
    return OrderFacts(
        head=head,
        lines=lines,
        chosen=chosen,
        promises=_promises(work, chosen),
        pegs=_pegs(work, chosen) if head.has_pegs else [],
        timeline=entries[:limit],
        touches=said if kind != "files" else [],
        more_touches=len(entries) > limit,
        shipments=_shipments(work, head.id) if head.has_shipments else [],
        invoices=_invoices(work, head.id) if head.has_invoices else [],
        documents=files.of_order(work, head.id) if head.has_documents else [],
        cases=_cases(work, head.id) if head.has_cases else [],
    )


def _head(work: Work, no: str) -> Head:
    row = _must(next(iter(work.rows(statements.HEAD, {"no": no})), None))
    facts = row._asdict()
    limit = dt.timedelta(minutes=facts.pop("erp_limit_minutes"))
    as_of = facts["erp_as_of"]
    return Head(**facts, erp_too_old=as_of is not None and work.now - as_of > limit)


def _chosen(lines: list[LineRow], head: Head, line_no: int | None) -> LineRow | None:
    """The line asked for, else that which decides the order's date, or came late, or the first."""
    live = [row for row in lines if not row.cancelled]
    for wanted in (line_no, head.deciding_line_no):
        for row in live:
            if row.line_no == wanted:
                return row
    return next((row for row in live if row.came_on), live[0] if live else None)


def _promises(work: Work, chosen: LineRow | None) -> list[PromiseRow]:
    if chosen is None:
        return []
    found = work.rows(statements.PROMISES, {"line_id": chosen.id})
    return [PromiseRow._make(row) for row in found]


def _pegs(work: Work, chosen: LineRow | None) -> list[PegRow]:
    if chosen is None:
        return []
    return [PegRow._make(row) for row in work.rows(statements.PEGS, {"line_id": chosen.id})]


def _timeline(work: Work, head: Head, kind: str, limit: int) -> list[EventRow]:
    values = {
        "order_id": head.id,
        "quote_id": head.quote_id,
        "inquiry_id": head.inquiry_id,
        "take": limit,
    }
    return [EventRow._make(row) for row in work.rows(statements.timeline(kind), values)]


def _shipments(work: Work, order_id: int) -> list[ShipmentRow]:
    facts: dict[int, Any] = {}
    inside: dict[int, list[tuple[int, Decimal, str]]] = defaultdict(list)
    for row in work.rows(statements.SHIPMENTS, {"order_id": order_id}):
        facts[row.id] = row[1:8]
        inside[row.id].append(row[8:])
    return [ShipmentRow._make((*row, tuple(inside[key]))) for key, row in facts.items()]


def _invoices(work: Work, order_id: int) -> list[InvoiceRow]:
    found = work.rows(statements.INVOICES, {"order_id": order_id})
    return [InvoiceRow._make(row) for row in found]


def _cases(work: Work, order_id: int) -> list[CaseRow]:
    return [CaseRow._make(row) for row in work.rows(statements.CASES, {"order_id": order_id})]
