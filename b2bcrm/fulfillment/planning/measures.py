"""Measures of a scenario: what a planner would change, in the house's words. Pure.

A measure is written as one text, ``move~PO-33107~2026-11-25``, in addresses and in saved
scenarios: what it says is stored, never what came of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import quote, unquote

from b2bcrm.fulfillment.planning.engine.records import Strategy
from b2bcrm.kernel.words import Message, show_decimal

MOST = 12  # measures of one scenario
MOST_HOURS = Decimal(24)
MOST_QTY = Decimal(1_000_000)
MOST_RATIO = Decimal(1000)
MOST_DAYS = 250  # working days on the way
LONGEST = dt.timedelta(days=800)  # as far as a plan may look
SEPARATOR = "~"


@dataclass(frozen=True)
class Move:
    """A purchase order, all its open lines, comes on another day."""

    no: str
    on: dt.date

    def sentence(self) -> Message:
        """As people say it."""
        return Message("%(no)s comes on %(day)s", no=self.no, day=self.on)


@dataclass(frozen=True)
class Overtime:
    """``hours`` more on each open day of a work centre."""

    center: str
    first: dt.date
    last: dt.date
    hours: Decimal

    def sentence(self) -> Message:
        """As people say it."""
        return Message(
            "%(hours)s h more a day at %(center)s, %(first)s to %(last)s",
            hours=show_decimal(self.hours),
            center=self.center,
            first=self.first,
            last=self.last,
        )


@dataclass(frozen=True)
class Down:
    """A work centre stands still."""

    center: str
    first: dt.date
    last: dt.date

    def sentence(self) -> Message:
        """As people say it."""
        return Message(
            "%(center)s stands still from %(first)s to %(last)s",
            center=self.center,
            first=self.first,
            last=self.last,
        )


@dataclass(frozen=True)
class Rush:
    """A new order, served before everything else, wanted at our door."""

    item: str
    qty: Decimal
    on: dt.date

    def sentence(self) -> Message:
        """As people say it."""
        return Message(
            "Rush order: %(qty)s of %(item)s by %(day)s",
            qty=show_decimal(self.qty),
            item=self.item,
            day=self.on,
        )


@dataclass(frozen=True)
class First:
    """An order line, ``<order>/<line>``, is served before all others."""

    line: str

    def sentence(self) -> Message:
        """As people say it."""
        return Message("Serve %(line)s first", line=self.line)


@dataclass(frozen=True)
class Last:
    """An order line is served after all others."""

    line: str

    def sentence(self) -> Message:
        """As people say it."""
        return Message("Serve %(line)s last", line=self.line)


@dataclass(frozen=True)
class Split:
    """``qty`` pieces of an order line leave apart from the rest."""

    line: str
    qty: Decimal

    def sentence(self) -> Message:
        """As people say it."""
        return Message(
            "%(qty)s pieces of %(line)s leave ahead", qty=show_decimal(self.qty), line=self.line
        )


STRATEGY_WORDS = {
    Strategy.WIN: Message("is served first"),
    Strategy.GAIN: Message("earlier, but not later"),
    Strategy.REDISTRIBUTE: Message("earlier or later"),
    Strategy.FILL: Message("later, but not earlier"),
    Strategy.LOSE: Message("is served last"),
}


@dataclass(frozen=True)
class Allocate:
    """Supply of an item goes anew to the order lines that need it, by their customers' class."""

    item: str
    a: Strategy
    b: Strategy
    others: Strategy

    def of(self, customer_class: str) -> Strategy:
        """What it may do to lines of a class."""
        return {"A": self.a, "B": self.b}.get(customer_class, self.others)

    def sentence(self) -> Message:
        """As people say it."""
        return Message(
            "%(item)s allocated anew. A: %(a)s, B: %(b)s, others: %(others)s",
            item=self.item,
            a=STRATEGY_WORDS[self.a],
            b=STRATEGY_WORDS[self.b],
            others=STRATEGY_WORDS[self.others],
        )


@dataclass(frozen=True)
class Substitute:
    """``ratio`` of the item ``by`` stand in for one of ``item`` where that is not there in time."""

    item: str
    by: str
    ratio: Decimal

    def sentence(self) -> Message:
        """As people say it."""
        return Message(
            "%(ratio)s of %(by)s instead of 1 of %(item)s",
            ratio=show_decimal(self.ratio),
            by=self.by,
            item=self.item,
        )


@dataclass(frozen=True)
class OtherSite:
    """What a site lacks of an item comes from another, ``days`` working days on the way."""

    item: str
    site: str
    source: str
    days: int

    def sentence(self) -> Message:
        """As people say it."""
        return Message(
            "%(item)s at %(site)s from %(source)s, working days on the way: %(days)s",
            item=self.item,
            site=self.site,
            source=self.source,
            days=self.days,
        )


Measure = Move | Overtime | Down | Rush | First | Last | Split | Allocate | Substitute | OtherSite


def _number(text: str, most: Decimal, places: int) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not value.is_finite() or not 0 < value <= most or -value.as_tuple().exponent > places:  # type: ignore[operator]
        raise ValueError(text)
    return value


def _hours(text: str) -> Decimal:
    return _number(text, MOST_HOURS, 2)


def _qty(text: str) -> Decimal:
    return _number(text, MOST_QTY, 3)


def _ratio(text: str) -> Decimal:
    return _number(text, MOST_RATIO, 3)


def _days(text: str) -> int:
    if not text.isdecimal() or int(text) > MOST_DAYS:
        raise ValueError(text)
    return int(text)


def _name(text: str) -> str:
    if not 0 < len(text.strip()) <= MOST_NAME:
        raise ValueError(text)
    return text.strip()


MOST_NAME = 60
Reader = Callable[[str], object]
KINDS: dict[str, tuple[type[Measure], Sequence[tuple[str, Reader]]]] = {
    "move": (Move, (("no", _name), ("on", dt.date.fromisoformat))),
    "overtime": (
        Overtime,
        (
            ("center", _name),
            ("first", dt.date.fromisoformat),
            ("last", dt.date.fromisoformat),
            ("hours", _hours),
        ),
    ),
    "down": (
        Down,
        (("center", _name), ("first", dt.date.fromisoformat), ("last", dt.date.fromisoformat)),
    ),
    "rush": (Rush, (("item", _name), ("qty", _qty), ("on", dt.date.fromisoformat))),
    "first": (First, (("line", _name),)),
    "last": (Last, (("line", _name),)),
    "split": (Split, (("line", _name), ("qty", _qty))),
    "allocate": (
        Allocate,
        (("item", _name), ("a", Strategy), ("b", Strategy), ("others", Strategy)),
    ),
    "substitute": (Substitute, (("item", _name), ("by", _name), ("ratio", _ratio))),
    "other_site": (
        OtherSite,
        (("item", _name), ("site", _name), ("source", _name), ("days", _days)),
    ),
}
_WORDS = {kind: word for word, (kind, _) in KINDS.items()}


def read(word: str, values: Sequence[str]) -> Measure:
    """The measure of a kind with its values in order. Raises ValueError on what is none."""
    if word not in KINDS:
        raise ValueError(word)
    kind, fields = KINDS[word]
    if len(values) != len(fields):
        raise ValueError(word)
    made = kind(**{name: reader(text) for (name, reader), text in zip(fields, values, strict=True)})  # type: ignore[arg-type]
    if isinstance(made, Overtime | Down) and made.last < made.first:
        raise ValueError(word)
    return made


def measure_of(text: str) -> Measure:
    """The inverse of ``text_of``. Raises ValueError on what is no measure."""
    word, *values = text.split(SEPARATOR)
    return read(word, [unquote(value) for value in values])


def text_of(measure: Measure) -> str:
    """The measure as one text of printable ASCII."""
    word = _WORDS[type(measure)]
    values = (getattr(measure, name) for name, _ in KINDS[word][1])
    told = (format(v, "f") if isinstance(v, Decimal) else str(v) for v in values)
    return SEPARATOR.join([word, *(quote(value, safe="").replace("~", "%7E") for value in told)])


def not_open(measure: Move) -> Message:
    """Why a purchase order cannot be moved."""
    return Message("%(no)s is no open purchase order.", no=measure.no)


def too_far(measure: Measure, today: dt.date) -> bool:
    """Whether a day of the measure is farther away than any plan looks."""
    days = (getattr(measure, name, today) for name in ("on", "first", "last"))
    return any(abs(day - today) > LONGEST for day in days)


def measures_of(texts: Iterable[str]) -> list[Measure]:
    """Those of the texts that are measures, each once, at most ``MOST``."""
    found: list[Measure] = []
    for text in texts:
        try:
            measure = measure_of(text)
        except ValueError:
            continue
        if measure not in found:
            found.append(measure)
    return found[:MOST]
