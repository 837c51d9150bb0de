"""What we ask of an ERP, for one connection, and the three errors it may answer with.

Reads return pages of frozen records; writes return a ``WriteResult``.
"""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from b2bcrm.kernel.errors import Refused, Unavailable
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp.records import Operation, Record


class Entity(enum.StrEnum):
    """What can be listed."""

    CUSTOMER = "customer"
    ITEM = "item"
    BOM = "bom"
    WORK_CENTER = "work_center"
    STOCK = "stock"
    PURCHASE_ORDER = "purchase_order"
    WORK_ORDER = "work_order"
    SALES_ORDER = "sales_order"
    SHIPMENT = "shipment"
    INVOICE = "invoice"
    PRICE = "price"


class ErpUnavailable(Unavailable):
    """Not reached, timed out before sending, busy: try again later."""

    code = "erp_unavailable"


class ErpOutcomeUnknown(Unavailable):
    """Sent, but no usable answer: look the reference up before sending again."""

    code = "erp_outcome_unknown"


class ErpRefused(Refused):
    """The ERP says no, or its answer cannot be used: a person must act."""

    code = "erp_refused"
    issues: tuple[Issue, ...] = ()  # what it objects to, where it says so


@dataclass(frozen=True)
class Page:
    """``complete`` False (rows are missing or not understood) forbids moving the watermark.

    ``high_watermark`` is the ERP's time; ``announced`` counts this page's rows as the ERP says;
    ``drift`` tells which records were held back because they did not fit the profile.
    """

    records: Sequence[Record]
    next_cursor: str | None
    high_watermark: dt.datetime | None
    complete: bool
    announced: int | None = None
    drift: tuple[Issue, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OrderDraftLine:
    """A line to be written to the ERP."""

    line_no: int
    item: str
    qty: Decimal
    uom: str
    unit_price: Decimal
    discount_pct: Decimal
    requested_on: dt.date
    promised_on: dt.date
    customer_part_no: str = ""
    customer_po_line: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderDraft:
    """A sales order for the ERP. ``reference`` = our order number / amendment number."""

    reference: str
    customer: str
    customer_po: str
    ordered_on: dt.date
    currency: str
    ship_to: str
    incoterm: str
    incoterm_place: str
    payment_terms: str
    site: str
    note: str
    lines: tuple[OrderDraftLine, ...]


@dataclass(frozen=True)
class Issue:
    """One thing the ERP objects to; ``field`` and ``line_no`` where it says so."""

    code: str
    text: str
    field: str = ""
    line_no: int | None = None


@dataclass(frozen=True)
class WriteResult:
    """``erp_id`` is the ERP's number of the written document, ``line_map`` ours to theirs."""

    erp_id: str
    version: str = ""
    line_map: Mapping[int, int] = field(default_factory=dict)
    messages: tuple[Issue, ...] = ()


@dataclass(frozen=True)
class Health:
    """Result of ``check``: skew is ERP time minus ours, in seconds."""

    ok: bool
    message: Message
    product: str = ""
    clock_skew_s: float | None = None
    wsdl_digest: str = ""


@dataclass(frozen=True)
class Connection:
    """The settings of one ERP connection. ``secret`` never shows in a repr."""

    code: str
    profile: str
    base_url: str
    company: str
    user: str
    secret: str = field(repr=False, default="")
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    reply_cap_mb: int = 64


class EnvelopeLog(Protocol):
    """Where a connector leaves the trace of each call, redacted."""

    def note(
        self,
        *,
        correlation_id: str,
        operation: str,
        reference: str,
        request: bytes,
        reply: bytes | None,
        status: int | None,
        seconds: float,
        error: str,
    ) -> None:
        """Keep one exchange."""


class ErpGateway(Protocol):
    """One connection to one ERP. Methods raise only the three port errors above."""

    def check(self) -> Health:
        """Whether it is reachable, we may log in, the company exists, clocks agree."""

    def list(
        self,
        entity: Entity,
        *,
        since: dt.datetime | None = None,
        cursor: str | None = None,
        page_size: int = 500,
    ) -> Page:
        """Records changed at or after ``since``, page by page in a stable order."""

    def get(self, entity: Entity, erp_id: str) -> Record | None:
        """One record, or None."""

    def lookup(self, entity: Entity, field: str, value: str) -> Sequence[Record]:
        """Records by another key; sales orders can be found by ``reference``."""

    def create(self, draft: OrderDraft) -> WriteResult:
        """Enter a sales order."""

    def update(self, erp_id: str, draft: OrderDraft, *, expected_version: str = "") -> WriteResult:
        """Change a sales order to the whole new draft."""

    def cancel(self, erp_id: str, *, reference: str, reason: str) -> WriteResult:
        """Cancel a sales order."""

    def operations(self, work_order_ids: Sequence[str]) -> Mapping[str, tuple[Operation, ...]]:
        """Progress of the operations of the named work orders."""
