"""The ground on which checks stand: one connection, its lists read once, what was noticed.

Lists are kept for the length of a run, up to ``max_rows`` per entity; a longer one is not
``whole``, and checks that compare whole sets leave it out. Records that changed after the run
began are no evidence against the connection: see ``settled``.
"""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeVar

from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.words import Message
from b2bcrm.ports.erp import (
    Act,
    Capability,
    Connection,
    Entity,
    ErpGateway,
    Paging,
    Record,
)
from connectors.erp.contract.findings import Skipped, Speed

T = TypeVar("T")

MAX_ROWS = 50_000
PAGE = 500
EXAMPLES = 5  # named in evidence


@dataclass
class Listing:
    """One complete list. ``gaps`` says what was wrong with its pages, empty when nothing was."""

    entity: Entity
    records: list[Record] = field(default_factory=list)
    pages: int = 0
    announced: int = 0  # pages that said how many rows they send
    gaps: list[Message] = field(default_factory=list)
    watermark: dt.datetime | None = None
    whole: bool = True
    seconds: float = 0.0

    def by_id(self) -> dict[str, Record]:
        """The records by their key; of doubled ones the last."""
        return {record.erp_id: record for record in self.records}


@dataclass
class Ground:
    """``open`` makes another gateway to the connection with other settings."""

    connection: Connection
    open: Callable[..., ErpGateway]
    now: Callable[[], dt.datetime]
    customer: str = ""  # for orders to be entered; empty = taken from what is listed
    item: str = ""
    max_rows: int = MAX_ROWS
    pause: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        """Opens the gateway that all checks share."""
        self.gateway = self.open()
        self.info = self.gateway.describe()
        self.started = self.now()
        self.prefix = f"CRM-CERT-{_base36(int(self.started.timestamp()))}"
        self.oddities: list[Message] = []
        self.unknown: Counter[str] = Counter()
        self.entered: list[str] = []  # erp ids of orders that are still to be cancelled
        self.speeds: list[Speed] = []
        self.product = ""
        self.price = Decimal("1234.56")  # of orders to be entered; ``enter`` looks for more places
        self.calls_per_second = 0.0
        self._listings: dict[Entity, Listing] = {}
        self._references = 0

    # ----- what is offered -----

    def capability(self, entity: Entity) -> Capability:
        """What the connection can do with ``entity``; nothing where the profile is silent."""
        return self.info.capabilities.get(entity) or Capability(acts=frozenset())

    def can(self, act: Act) -> list[Entity]:
        """The entities for which ``act`` is offered. Raises Skipped when there is none."""
        found = [entity for entity in Entity if self.info.can(entity, act)]
        if not found:
            raise Skipped(self.reason(act, *self.info.capabilities))
        return found

    def must(self, entity: Entity, act: Act) -> None:
        """Raises Skipped, with the profile's reason, where ``act`` is not offered."""
        if not self.info.can(entity, act):
            raise Skipped(self.reason(act, entity))

    def reason(self, act: Act, *entities: Entity) -> Message:
        """Why ``act`` is not offered, in the profile's words where it has some."""
        for entity in entities:
            if why := self.capability(entity).off.get(act):
                return Message("The profile says: %(reason)s", reason=why)
        return Message("The profile does not offer it.")

    # ----- reading -----

    def listing(self, entity: Entity) -> Listing:
        """The complete list of ``entity``, read once."""
        if entity not in self._listings:
            start = time.monotonic()
            listing = self.read(entity, page_size=PAGE)
            listing.seconds = time.monotonic() - start
            self.speeds.append(Speed(entity, len(listing.records), listing.seconds))
            self._listings[entity] = listing
        return self._listings[entity]

    def listings(self) -> Iterable[Listing]:
        """The complete list of each entity that can be listed."""
        return [self.listing(entity) for entity in self.can(Act.LIST)]

    def read(self, entity: Entity, *, page_size: int, since: dt.datetime | None = None) -> Listing:
        """All pages of a list, with what is wrong with them."""
        listing = Listing(entity)
        capability = self.capability(entity)
        size = min(page_size, capability.max_page)
        cursor, seen = None, set()
        while True:
            page = self.gateway.list(entity, since=since, cursor=cursor, page_size=size)
            listing.pages += 1
            listing.records += page.records
            self.unknown.update({f"{entity}: {k}": n for k, n in page.unknown.items()})
            listing.gaps += _gaps(page, size if capability.paging is not Paging.NONE else None)
            listing.announced += page.announced is not None
            marks = [mark for mark in (listing.watermark, page.high_watermark) if mark]
            listing.watermark = max(marks, default=None)
            cursor = page.next_cursor
            if cursor is None:
                return listing
            if cursor in seen:
                listing.gaps.append(Message("the list never ends: a page names itself as the next"))
                return listing
            seen.add(cursor)
            if len(listing.records) >= self.max_rows:
                listing.whole = False
                return listing

    def settled(self, record: Record) -> bool:
        """Whether the record was not changed while the checks run."""
        return record.updated_at is None or record.updated_at < self.started

    def one(self, entity: Entity, erp_id: str) -> Record | None:
        """A single record."""
        return self.gateway.get(entity, erp_id)

    # ----- writing -----

    def reference(self) -> str:
        """A reference that was never used: ``CRM-CERT-<run>-<n>/0``."""
        self._references += 1
        return f"{self.prefix}-{self._references}/0"

    def tidy(self) -> None:
        """Cancel what the checks entered; what cannot be cancelled is named."""
        for erp_id in self.entered:
            try:
                self.gateway.cancel(erp_id, reference="", reason="certification")
            except CrmError as error:
                self.oddities.append(
                    Message(
                        "Order %(no)s of this run is still in the ERP: %(reason)s",
                        no=erp_id,
                        reason=error.message,
                    )
                )
        self.entered.clear()


def _gaps(page: Any, size: int | None) -> list[Message]:
    gaps = [
        Message("record %(no)s was held back: %(reason)s", no=d.erp_id or "?", reason=d.reason)
        for d in page.drift[:EXAMPLES]
    ]
    sent = len(page.records) + len(page.drift)
    if page.announced is not None and page.announced != sent:
        gaps.append(
            Message(
                "a page announced %(said)s rows and sent %(sent)s", said=page.announced, sent=sent
            )
        )
    elif not page.complete and not page.drift:
        gaps.append(Message("a page is not complete"))
    if size is not None and len(page.records) > size:
        gaps.append(Message("a page holds more than the %(size)s rows asked for", size=size))
    return gaps


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[rest] + digits
    return digits


def some(records: Sequence[T], count: int = 3) -> list[T]:
    """A few records spread over a list: its first, its last and those between."""
    if len(records) <= count:
        return list(records)
    step = (len(records) - 1) / (count - 1)
    return [records[round(i * step)] for i in range(count)]


def names(values: Iterable[object]) -> str:
    """A few of many, for a sentence."""
    found = [str(value) for value in values]
    more = f" (+{len(found) - EXAMPLES})" if len(found) > EXAMPLES else ""
    return ", ".join(found[:EXAMPLES]) + more
