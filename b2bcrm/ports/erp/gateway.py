"""What we ask of an ERP, for one connection. Its errors are in ``errors``.

Reads return pages of frozen records; writes return a ``WriteResult``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp.capabilities import ConnectorInfo, Entity
from b2bcrm.ports.erp.errors import Issue
from b2bcrm.ports.erp.records import Operation, Record, StockLevel


@dataclass(frozen=True)
class Drifted:
    """A record that was held back: ``path`` is the field of ours that could not be read.

    ``erp_id`` is empty where not even the key could be read.
    """

    erp_id: str
    path: str
    reason: str


@dataclass(frozen=True)
class Page:
    """``complete`` False (rows are missing) forbids moving the watermark.

    ``high_watermark`` is the ERP's time; ``announced`` counts this page's rows as the ERP says;
    ``drift`` tells which records were held back because they did not fit the profile, each of
    them a gap too; ``unknown`` counts elements that the profile does not name, by path.
    """

    records: Sequence[Record]
    next_cursor: str | None
    high_watermark: dt.datetime | None
    complete: bool
    announced: int | None = None
    drift: tuple[Drifted, ...] = ()
    unknown: Mapping[str, int] = field(default_factory=dict)


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


@dataclass(frozen=True, kw_only=True)
class CustomerDraft:
    """A new customer for the ERP. ``reference`` is ours and finds it again: the ERP's copy has it
    in ``ext["reference"]``. ``company`` is how the ERP calls our company.
    """

    reference: str
    company: str
    name: str
    short_name: str
    tax_id: str
    country: str
    city: str
    street: str
    language: str
    currency: str
    price_list: str
    payment_terms: str
    incoterm: str
    incoterm_place: str
    contact_name: str = ""
    contact_email: str = ""


@dataclass(frozen=True)
class KeyPage:
    """``keys`` maps erp_id to the record's version; ``complete`` as in ``Page``."""

    keys: Mapping[str, str]
    next_cursor: str | None
    complete: bool


@dataclass(frozen=True)
class WriteResult:
    """``erp_id`` is the ERP's number of the written document, ``line_map`` ours to theirs.

    With a ``handle`` the write was only taken in: ``erp_id`` may be empty until ``poll`` or a
    confirmation tells more.
    """

    erp_id: str
    version: str = ""
    line_map: Mapping[int, int] = field(default_factory=dict)
    messages: tuple[Issue, ...] = ()
    handle: str = ""


@dataclass(frozen=True)
class Confirmation:
    """What the ERP said later about a write: ``result``, or ``refused`` with its issues.

    ``message_id`` is the ERP's, to drop what arrives twice; ``reference`` is ours.
    """

    message_id: str
    reference: str
    result: WriteResult | None
    refused: tuple[Issue, ...] = ()


@dataclass(frozen=True)
class Available:
    """What the ERP itself would promise: ``qty`` by ``on``, all of it by ``full_on`` if known."""

    qty: Decimal
    on: dt.date
    full_on: dt.date | None = None


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
    """The settings of one ERP connection. ``secret`` never shows in a repr.

    ``profile`` is a shipped profile's name or the path of a TOML file. ``params`` are what its
    profile asks for beyond that (plant, language, pool); one named ``map.MAP.CODE`` adds a code of
    this ERP to a code map of the profile. ``site_wsdl`` is the folder of WSDLs
    that an administrator has added.
    """

    code: str
    profile: str
    base_url: str
    company: str
    user: str
    secret: str = field(repr=False, default="")
    connect_timeout_s: float = 5.0
    read_timeout_s: float = 30.0
    reply_cap_mb: int = 64
    params: Mapping[str, str] = field(default_factory=dict)
    site_wsdl: str = ""


CODES = "map."
"""How the names of ``Connection.params`` begin that add codes to the profile's maps."""


class EnvelopeLog(Protocol):
    """Where a connector leaves the trace of each call, redacted."""

    def room(self) -> int:
        """How many bytes of a reply it wants to be given; asked before each call."""

    def note(
        self,
        *,
        call: str,
        correlation_id: str,
        operation: str,
        reference: str,
        request: bytes,
        reply: bytes | None,
        status: int | None,
        seconds: float,
        error: Message | None,
    ) -> None:
        """Keep one exchange. ``call`` is the port's call, such as ``list customer``."""


class RateGate(Protocol):
    """How many calls an ERP account bears, shared by all processes that use it."""

    def turn(self, *, write: bool) -> AbstractContextManager[None]:
        """Hold a place while a call runs; orders go before reads. Raises ErpThrottled."""


class ErpGateway(Protocol):
    """One connection to one ERP. Methods raise only the errors of ``errors``; ErpCannot where
    the connection does not offer the call.
    """

    def describe(self) -> ConnectorInfo:
        """The profile, and what the connection can do. Asks nobody."""

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

    def list_keys(
        self, entity: Entity, *, cursor: str | None = None, page_size: int = 500
    ) -> KeyPage:
        """Every record's id and version, for reconciliation."""

    def get(self, entity: Entity, erp_id: str) -> Record | None:
        """One record, or None."""

    def lookup(self, entity: Entity, field: str, value: str) -> Sequence[Record]:
        """Records by another key; what we entered can be found by ``reference``."""

    def create(self, draft: OrderDraft) -> WriteResult:
        """Enter a sales order."""

    def create_customer(self, draft: CustomerDraft) -> WriteResult:
        """Enter a customer; offered where customers have ``Act.CREATE``."""

    def update(self, erp_id: str, draft: OrderDraft, *, expected_version: str = "") -> WriteResult:
        """Change a sales order to the whole new draft."""

    def cancel(self, erp_id: str, *, reference: str, reason: str) -> WriteResult:
        """Cancel a sales order."""

    def validate(self, draft: OrderDraft) -> Sequence[Issue]:
        """What the ERP would object to in a sales order; nothing is entered."""

    def poll(self, handle: str) -> WriteResult | None:
        """What became of a write that was only taken in; None while it is not known."""

    def ingest(self, raw: bytes) -> Sequence[Confirmation]:
        """The confirmations in a message that the ERP has sent to us."""

    def stock(self, items: Sequence[str], site: str = "") -> Sequence[StockLevel]:
        """Stock of the named items as it is now, read past the feeds."""

    def availability(self, item: str, site: str, qty: Decimal, on: dt.date) -> Available:
        """What the ERP's own check says about ``qty`` of an item by ``on``."""

    def operations(self, work_order_ids: Sequence[str]) -> Mapping[str, tuple[Operation, ...]]:
        """Progress of the operations of the named work orders."""
