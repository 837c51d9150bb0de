"""What the order page reads: one order with what all features know of it, in nine statements.

The number does not grow with the lines. Not here: how it looks (``order_view``), the acts
(``orders.views``), revisions (fetched when opened).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.orm.attributes import set_committed_value

from b2bcrm.customers import queries as customers
from b2bcrm.customers.models import Account
from b2bcrm.customers.queries import TouchRow
from b2bcrm.desk import order_statements as statements
from b2bcrm.files import queries as files
from b2bcrm.files.models import StoredFile
from b2bcrm.fulfillment.models import (
    Invoice,
    LineProjection,
    OrderProjection,
    Promise,
    Shipment,
)
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.numbering import revision_letter
from b2bcrm.kernel.timeline import TimelineEntry
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import LineFacts, Stage, Status, stage, status
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.orders.queries import visible_to
from b2bcrm.quotes.lifecycle import Channel
from b2bcrm.service.lifecycle import CaseState

TOUCHES, MORE_TOUCHES = 40, 400
KINDS = ("people", "erp", "files")


@dataclass(frozen=True, kw_only=True)
class Head:
    """The order and everything there is one of. ``erp_as_of`` is the oldest supply feed;
    ``differences`` to the ERP wait for a decision.
    """

    order: Order
    account: Account
    projection: OrderProjection | None
    contact_name: str | None
    ship_to_name: str | None
    ship_to_city: str | None
    owner_name: str | None
    base_currency: str
    quote_no: str | None
    quote_rev: int | None
    quote_accepted_at: dt.datetime | None
    inquiry_no: str | None
    inquiry_at: dt.datetime | None
    inquiry_channel: Channel | None
    inquiry_id: int | None
    erp_as_of: dt.datetime | None
    erp_too_old: bool
    seen: int
    differences: int = 0

    @property
    def value(self) -> Money:
        """In the order's currency."""
        return Money(self.order.total, self.order.currency)

    @property
    def base_value(self) -> Money:
        """In the base currency, at the order's own rate."""
        return self.value.to(self.base_currency, self.order.rate)

    @property
    def quote_label(self) -> str:
        """Q-26-2168 rev C; empty when it came from no quote."""
        return (
            f"{self.quote_no} rev {revision_letter(self.quote_rev or 0)}" if self.quote_no else ""
        )


@dataclass(frozen=True)
class LineRow:
    """A line with its item's words and what is expected of it."""

    line: OrderLine
    item_no: str
    name: str
    name_zh_hant: str
    name_zh_hans: str
    projection: LineProjection | None

    def name_in(self, locale: str) -> str:
        """The item's name in the reader's language."""
        return {"zh_Hant": self.name_zh_hant, "zh_Hans": self.name_zh_hans}.get(locale) or self.name

    def verdict(self, order: Order, today: dt.date) -> tuple[Status, Message]:
        """Colour and words; by the one rule also before the first projection."""
        if self.projection is not None:
            return self.projection.status, self.projection.status_reason
        return status(self._facts(order), today)

    def stage(self, order: Order) -> Stage:
        """Which stage of the life line it is in."""
        return self.projection.stage if self.projection else stage(self._facts(order))

    def _facts(self, order: Order) -> LineFacts:
        line = self.line
        return LineFacts(
            state=order.state,
            ordered_qty=line.ordered_qty,
            produced_qty=line.produced_qty,
            shipped_qty=line.shipped_qty,
            delivered_qty=line.delivered_qty,
            promised_on=line.promised_on,
            held=order.hold_reason is not None,
        )


@dataclass(frozen=True)
class ShipmentView:
    """A delivery with the lines of this order in it: (line number, quantity, unit)."""

    shipment: Shipment
    lines: tuple[tuple[int, Decimal, str], ...]


@dataclass(frozen=True)
class CaseView:
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
    promises: Sequence[Promise]
    timeline: Sequence[TimelineEntry]
    touches: Sequence[TouchRow]
    more_touches: bool
    shipments: list[ShipmentView]
    invoices: Sequence[Invoice]
    documents: Sequence[StoredFile]
    cases: list[CaseView]

    @property
    def live_lines(self) -> list[LineRow]:
        """The lines that are not cancelled."""
        return [row for row in self.lines if not row.line.cancelled]


def id_of(work: Work, no: str) -> int:
    """The id of a visible order, for the live page's question; NotFound otherwise."""
    query = visible_to(work.actor).where(Order.no == no).with_only_columns(Order.id)
    found: int = _must(work.session.scalar(query))
    return found


def _must(found: Any) -> Any:
    if found is None:
        raise not_found(Message("This order"))
    return found


def order_facts(work: Work, no: str, *, line_no: int | None, kind: str, more: bool) -> OrderFacts:
    """The order numbered ``no``; ``kind`` keeps only people's, the ERP's or files' touches."""
    _must(None if work.actor.is_portal else work.actor)
    head = _head(work, no)
    lines = _lines(work, head.order)
    chosen = _chosen(lines, head, line_no)
    order_id, limit = head.order.id, MORE_TOUCHES if more else TOUCHES
    entries = _timeline(work, head, kind, limit + 1)
    said = customers.touches(work, order_id=order_id, limit=limit) if kind != "erp" else []
    return OrderFacts(
        head=head,
        lines=lines,
        chosen=chosen,
        promises=_promises(work, chosen),
        timeline=entries[:limit],
        touches=said if kind != "files" else [],
        more_touches=len(entries) > limit,
        shipments=_shipments(work, order_id),
        invoices=work.session.scalars(statements.INVOICES, {"order_id": order_id}).all(),
        documents=files.of_order(work, order_id),
        cases=_cases(work, order_id),
    )


def _head(work: Work, no: str) -> Head:
    row = _must(work.session.execute(statements.HEAD, {"no": no}).one_or_none())
    age = dt.timedelta(0) if row.as_of is None else work.now - row.as_of
    return Head(
        order=row[0],
        account=row[1],
        projection=row[2],
        contact_name=row[3],
        ship_to_name=row[4],
        ship_to_city=row[5],
        owner_name=row[6],
        base_currency=row[7],
        quote_no=row[8],
        quote_rev=row[9],
        quote_accepted_at=row[10],
        inquiry_no=row[11],
        inquiry_at=row[12],
        inquiry_channel=row[13],
        inquiry_id=row[14],
        erp_as_of=row.as_of,
        erp_too_old=age > dt.timedelta(minutes=row.limit_minutes or 0),
        seen=row.seen,
        differences=row.differences,
    )


def _lines(work: Work, order: Order) -> list[LineRow]:
    found: Any = work.session.execute(statements.LINES, {"order_id": order.id})
    rows = [LineRow(*row) for row in found]
    set_committed_value(order, "lines", [row.line for row in rows])
    return rows


def _chosen(lines: list[LineRow], head: Head, line_no: int | None) -> LineRow | None:
    """The line asked for, else the one that decides the order's date, else the first."""
    live = [row for row in lines if not row.line.cancelled]
    decides = head.projection.deciding_line_no if head.projection else None
    for wanted in (line_no, decides):
        for row in live:
            if row.line.line_no == wanted:
                return row
    return live[0] if live else None


def _promises(work: Work, chosen: LineRow | None) -> Sequence[Promise]:
    if chosen is None:
        return ()
    return work.session.scalars(statements.PROMISES, {"line_id": chosen.line.id}).all()


def _timeline(work: Work, head: Head, kind: str, limit: int) -> Sequence[TimelineEntry]:
    values = {
        "order_id": head.order.id,
        "quote_id": head.order.quote_id,
        "inquiry_id": head.inquiry_id,
        "take": limit,
    }
    return work.session.scalars(statements.timeline(kind), values).all()


def _shipments(work: Work, order_id: int) -> list[ShipmentView]:
    found: dict[int, Shipment] = {}
    inside: dict[int, list[tuple[int, Decimal, str]]] = defaultdict(list)
    for shipment, line_no, qty, unit in work.session.execute(
        statements.SHIPMENTS, {"order_id": order_id}
    ):
        found[shipment.id] = shipment
        inside[shipment.id].append((line_no, qty, unit))
    return [ShipmentView(row, tuple(inside[key])) for key, row in found.items()]


def _cases(work: Work, order_id: int) -> list[CaseView]:
    rows: Any = work.session.execute(statements.CASES, {"order_id": order_id})
    return [CaseView(*row) for row in rows]
