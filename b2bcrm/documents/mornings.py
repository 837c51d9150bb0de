"""The morning report: the fulfilment board on paper, for planners to start the day with."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from decimal import Decimal

from b2bcrm.documents.contents import Firm
from b2bcrm.documents.pdf import render_pdf
from b2bcrm.kernel.words import Message

TEMPLATE = "morning"
OLD_DATA = Message("The ERP data is older than allowed: what follows may be wrong.")


class Unit(enum.StrEnum):
    """What a key figure counts."""

    PERCENT = "percent"
    COUNT = "count"
    MONEY = "money"


@dataclass(frozen=True, kw_only=True)
class KeyFigure:
    """A figure now and on the morning it is compared with; None where there is none.

    ``better`` is +1 where more is better, -1 where less is.
    """

    label: Message
    unit: Unit
    better: int
    now: Decimal | None
    before: Decimal | None = None

    @property
    def change(self) -> Decimal | None:
        """How much more it is now."""
        return None if self.now is None or self.before is None else self.now - self.before

    @property
    def verdict(self) -> str:
        """Whether the change is good, bad, or none."""
        way = (self.change or Decimal(0)) * self.better
        return "good" if way > 0 else "bad" if way < 0 else ""


@dataclass(frozen=True, kw_only=True)
class TurnedLine:
    """A line whose state is another than on the morning before; ``text`` says what it is now."""

    order_no: str
    line_no: int
    customer: str
    item_no: str
    promised_on: dt.date | None
    projected_on: dt.date | None
    text: Message | None


@dataclass(frozen=True, kw_only=True)
class Turned:
    """The first lines of one kind, and how many there are in all."""

    title: Message
    status: str
    lines: tuple[TurnedLine, ...]
    count: int


@dataclass(frozen=True, kw_only=True)
class TroubledOrder:
    """An order that is late or at risk; ``value`` is open, in the base currency.

    ``days`` working days late; None where it is only at risk, and ``reason`` says why.
    """

    no: str
    line_no: int | None
    customer: str
    value: Decimal
    status: str
    promised_on: dt.date | None
    projected_on: dt.date | None
    days: int | None
    reason: Message | None
    cause: Message | None
    why: Message | None
    next_step: Message | None
    in_charge: str


@dataclass(frozen=True, kw_only=True)
class ShortPart:
    """A part that holds up ``orders`` orders worth ``value`` in the base currency."""

    item_no: str
    item_name: str
    qty: Decimal
    document_no: str
    need_on: dt.date
    supply_on: dt.date
    slip_days: int
    orders: int
    value: Decimal


@dataclass(frozen=True, kw_only=True)
class FullWeek:
    """Hours of a work centre in a week (its Monday) in which they do not fit."""

    center: Message | str
    week: dt.date
    load: Decimal
    capacity: Decimal

    @property
    def week_no(self) -> int:
        """The ISO week."""
        return self.week.isocalendar().week

    @property
    def over(self) -> Decimal:
        """The hours that do not fit."""
        return self.load - self.capacity


@dataclass(frozen=True, kw_only=True)
class FeedState:
    """How old what the ERP told us is; ``as_of`` None: it has not told us anything yet."""

    name: Message | str
    as_of: dt.datetime | None
    too_old: bool


@dataclass(frozen=True, kw_only=True)
class MorningContent:
    """Everything the report says. ``before_on`` is the morning it is compared with, if any.

    ``orders`` are the first of ``order_count``, ``parts`` of ``part_count``, ``problems`` (what,
    where) of ``problem_count``. ``refused``: the newest plan did not pass its check.
    """

    firm: Firm
    language: str
    day: dt.date
    at: dt.datetime
    before_on: dt.date | None
    currency: str
    url: str
    figures: tuple[KeyFigure, ...]
    turned: tuple[Turned, ...]
    orders: tuple[TroubledOrder, ...]
    order_count: int
    parts: tuple[ShortPart, ...]
    part_count: int
    full_weeks: tuple[FullWeek, ...]
    problems: tuple[tuple[Message, str], ...]
    problem_count: int
    refused: bool
    feeds: tuple[FeedState, ...]

    @property
    def too_old(self) -> tuple[FeedState, ...]:
        """Feeds that are older than allowed: the whole report rests on sand then."""
        return tuple(feed for feed in self.feeds if feed.too_old)

    @property
    def label(self) -> str:
        """For the foot of each page."""
        return f"{self.firm.name} · {self.day.isoformat()}"


def morning_pdf(content: MorningContent) -> bytes:
    """The report on A4. No Work may be open."""
    return render_pdf(TEMPLATE, content.language, {"content": content, "old_data": OLD_DATA})


def morning_file_name(content: MorningContent) -> str:
    """The name under which it is sent."""
    return f"morning-{content.day.isoformat()}.pdf"
