"""What planning is told about one order line and the documents that supply it. Plain values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from b2bcrm.customers.receiving import arrival_on, leave_by
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.words import Message

ZERO = Decimal(0)
FINISHED = frozenset({"done", "closed", "cancelled"})
STARTED = frozenset({"running", "done", "closed"})
ASKED_FOR = "customer"  # the reason of a promise that moved because the customer wanted it


@dataclass(frozen=True, kw_only=True)
class Step:
    """An operation of a work order. ``hours`` are planned for the whole lot."""

    step_no: int
    name: str
    center: str
    station: str
    done: bool
    qty_done: Decimal
    start_on: dt.date
    end_on: dt.date
    hours: Decimal = ZERO


@dataclass(frozen=True, kw_only=True)
class Part:
    """A component that no document was pegged for: it comes from stock.

    ``coming`` are free receipts (number, day, quantity), oldest first.
    """

    item: str
    need: Decimal
    on_hand: Decimal = ZERO
    allocated: Decimal = ZERO
    coming: tuple[tuple[str, dt.date, Decimal], ...] = ()
    lead_days: int = 0

    @property
    def short(self) -> Decimal:
        """Pieces that are not there: too few on hand, or more allocated than there are."""
        missing = max(self.need - self.on_hand, self.allocated - self.on_hand, ZERO)
        return min(self.need, missing)


@dataclass(frozen=True, kw_only=True)
class Make:
    """A work order. ``parts`` are the components without a document of their own.

    ``shown_open_on``: the ERP still showed it as open on this day, and later that it had ended
    before; None where it told it in time. So with ``Buy``.
    """

    no: str
    item: str
    qty: Decimal
    completed: Decimal
    status: str
    start_on: dt.date
    end_on: dt.date
    first_end_on: dt.date
    started_on: dt.date | None = None
    ended_on: dt.date | None = None
    scrapped: Decimal = ZERO
    shown_open_on: dt.date | None = None
    steps: tuple[Step, ...] = ()
    parts: tuple[Part, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status in FINISHED

    @property
    def started(self) -> bool:
        """Whether its material was taken."""
        return self.status in STARTED or self.started_on is not None


@dataclass(frozen=True, kw_only=True)
class Buy:
    """A purchase order line. ``due_on`` is the supplier's word, or our wish before he gave one."""

    no: str
    line_no: int
    item: str
    supplier: str
    qty: Decimal
    received: Decimal
    due_on: dt.date
    first_on: dt.date
    requested_on: dt.date
    received_on: dt.date | None = None
    shown_open_on: dt.date | None = None
    status: str = "open"

    @property
    def finished(self) -> bool:
        """Whether all of it is here (or never comes)."""
        return self.received >= self.qty or self.status in FINISHED


@dataclass(frozen=True)
class Supplies:
    """Documents by the reference they were made for: ``<erp order>/<line>`` or a work order."""

    makes: Mapping[str, Sequence[Make]] = field(default_factory=dict)
    buys: Mapping[str, Sequence[Buy]] = field(default_factory=dict)


@dataclass(frozen=True)
class Planned:
    """What the live plan says of pieces that no document brings: there on ``on``; None: never.

    ``late``: too late to leave in time; then ``why`` says what decides the day, and whether that
    is ``material``, not hours. ``ahead`` of them are there in time, on ``ahead_on``.
    """

    on: dt.date | None
    late: bool = False
    why: Message | None = None
    material: bool = False
    ahead: Decimal = ZERO
    ahead_on: dt.date | None = None


@dataclass(frozen=True)
class FirmPieces:
    """Pieces that a planner gave to a line: there on ``on``, in stock where it is None."""

    kind: str
    no: str
    qty: Decimal
    on: dt.date | None = None


@dataclass(frozen=True)
class Moved:
    """A move of a line's promise; ``code`` is the reason that was given for it."""

    was_on: dt.date
    on: dt.date
    code: str


@dataclass(frozen=True)
class Asked:
    """What a customer answered to a later day and waits for, and what to do about it."""

    sentence: Message
    next_step: Message


@dataclass(frozen=True, kw_only=True)
class Line:
    """An order line as planning sees it. ``ref`` is empty while the ERP does not know it.

    ``stock_item`` is False for services; ``lead_days`` are working days to have the item, 0 if
    unknown. ``reserved_on`` is the ready day of our reservation, ``reserved_stock`` what of it lies
    in stock, ``shipped_on`` the day of the last shipment. ``firm`` pieces are not in ``on_hand``.
    ``came_on``: the day on which all of it had come by its terms. ``moves`` of its promise, oldest
    first.
    Lines of an order with the same ``leaves_with`` leave on one day; ``latest_on`` is the last day
    on which the line may come, of it and of those.
    """

    ref: str
    line_no: int
    item: str
    ordered: Decimal
    shipped: Decimal
    delivered: Decimal
    promised_on: dt.date | None
    planned_on: dt.date | None
    incoterm: str
    transit_days: int
    receiving_days: str
    calendar: WorkCalendar
    on_hand: Decimal = ZERO
    stock_item: bool = True
    lead_days: int = 0
    reserved_on: dt.date | None = None
    reserved_stock: Decimal = ZERO
    shipped_on: dt.date | None = None
    family: str = ""
    plan: Planned | None = None
    firm: tuple[FirmPieces, ...] = ()
    asked: Asked | None = None
    leaves_with: str = ""
    latest_on: dt.date | None = None
    came_on: dt.date | None = None
    moves: tuple[Moved, ...] = ()

    @property
    def never(self) -> bool:
        """Whether the plan has no day for it by which it may still come."""
        there = self.plan is None or self.plan.on is not None
        return not there and self.latest_on is not None

    @property
    def left(self) -> Decimal:
        """Pieces still to leave the house."""
        return max(ZERO, self.ordered - self.shipped)

    def arrives(self, leaves_on: dt.date) -> dt.date:
        """The day on which what leaves on ``leaves_on`` is there, by the line's terms."""
        return arrival_on(
            leaves_on,
            incoterm=self.incoterm,
            transit_days=self.transit_days,
            receiving_days=self.receiving_days,
        )

    def leave_by(self, promised_on: dt.date) -> dt.date:
        """The last day on which it can leave and be there on ``promised_on``."""
        return leave_by(
            promised_on,
            calendar=self.calendar,
            incoterm=self.incoterm,
            transit_days=self.transit_days,
            receiving_days=self.receiving_days,
        )
