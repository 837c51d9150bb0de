"""What a connection can do, per entity. Pages and jobs offer only what stands here."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field


class Entity(enum.StrEnum):
    """What can be listed, parents before children."""

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


class Act(enum.StrEnum):
    """A call of the port that a connection may or may not offer for an entity."""

    LIST = "list"
    LIST_KEYS = "list_keys"
    GET = "get"
    LOOKUP = "lookup"
    CREATE = "create"
    UPDATE = "update"
    CANCEL = "cancel"
    VALIDATE = "validate"
    OPERATIONS = "operations"
    AVAILABILITY = "availability"


class Delta(enum.StrEnum):
    """How a list can be limited to what changed: not at all, by day, by instant."""

    NONE = "none"
    DATE = "date"
    DATETIME = "datetime"


class Deletes(enum.StrEnum):
    """How the ERP tells of deleted records: only by their absence, or by a flag on them."""

    ABSENCE = "absence"
    FLAG = "flag"


class Paging(enum.StrEnum):
    """How a list comes in parts."""

    NONE = "none"
    OFFSET = "offset"
    PAGE = "page"
    BOOKMARK = "bookmark"
    CURSOR = "cursor"


class Idempotency(enum.StrEnum):
    """What keeps an order from being entered twice.

    NATIVE: the ERP refuses or merges a repeated reference. LOOKUP: we look the reference up
    before every resend. NONE: a person must look after an unknown outcome.
    """

    NATIVE = "native"
    LOOKUP = "lookup"
    NONE = "none"


class WriteMode(enum.StrEnum):
    """SYNC: the answer says what became of it. DEFERRED: the answer is a handle to ask about.
    CALLBACK: the ERP calls back with its confirmation.
    """

    SYNC = "sync"
    DEFERRED = "deferred"
    CALLBACK = "callback"


@dataclass(frozen=True, kw_only=True)
class Capability:
    """One entity of one connection. ``off`` says why an act is missing, act -> reason."""

    acts: frozenset[Act]
    off: Mapping[Act, str] = field(default_factory=dict)
    lookup_fields: frozenset[str] = frozenset()
    delta: Delta = Delta.NONE
    deletes: Deletes = Deletes.ABSENCE
    paging: Paging = Paging.NONE
    consistent_paging: bool = False  # a record that changes meanwhile is never missed
    optimistic_lock: bool = False  # update refuses a stale ``expected_version``
    idempotency: Idempotency = Idempotency.NONE
    write_mode: WriteMode = WriteMode.SYNC
    max_page: int = 500


@dataclass(frozen=True, kw_only=True)
class ConnectorInfo:
    """A connection's profile and what it can do. ``overlap`` is re-read with each delta run.

    ``profile_digest`` changes with every change of the profile: what was certified with another
    one is not certified any more.
    """

    profile: str
    version: str
    product: str
    wsdl_digest: str
    profile_digest: str = ""
    capabilities: Mapping[Entity, Capability]
    concurrency: int = 4  # calls at once per ERP account
    per_minute: int = 600
    overlap: dt.timedelta = dt.timedelta(minutes=2)

    def can(self, entity: Entity, act: Act) -> bool:
        """Whether the connection offers ``act`` for ``entity``."""
        capability = self.capabilities.get(entity)
        return capability is not None and act in capability.acts
