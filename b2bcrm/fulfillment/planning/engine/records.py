"""What the engine is told, as plain records: names instead of indices, no arrays yet.

A *part* is an item at a site; its name is the caller's ("F00012", "F00012@TPE"). Days are whole
days from day 0, the day the plan is made. Quantities are whole numbers of the part's smallest
unit, capacity is in 1/1000 h. Factors are exact fractions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from fractions import Fraction

ONE, NONE = Fraction(1), Fraction(0)
FORECAST = 10**6  # priority of demand that is only expected


class Kind(IntEnum):
    """How a source brings a part."""

    BUY = 0
    MAKE = 1
    MOVE = 2  # from another site: its component is the same item there, its days the transit


class SupplyKind(IntEnum):
    """What a supply is. Only what has a quantity and a day counts; lots on hold are not told."""

    STOCK = 0
    PURCHASE = 1
    WORK = 2


@dataclass(frozen=True, slots=True)
class Part:
    """An item at a site. ``safety`` pieces of its supply are promised to nobody."""

    name: str
    safety: int = 0


@dataclass(frozen=True, slots=True)
class Calendar:
    """The working days of a plant, supplier or customer, ascending; the empty name is every day."""

    name: str
    days: Sequence[int]


@dataclass(frozen=True, slots=True)
class Bucket:
    """``hours`` (1/1000 h) that a work centre offers from day ``start`` to before day ``end``."""

    centre: str
    start: int
    end: int
    hours: int


@dataclass(frozen=True, slots=True)
class Component:
    """``qty`` of a part per piece that the operation handles, of which ``scrap`` is lost."""

    part: str
    qty: Fraction = ONE
    scrap: Fraction = NONE


@dataclass(frozen=True, slots=True)
class Operation:
    """A step: ``days`` long; loads ``setup`` + ``run`` per piece, takes components at its start.

    Its hours are those of its first day; with ``spread`` each of its days has the same share.
    """

    centre: str = ""
    run: Fraction = NONE
    setup: int = 0
    days: int = 0
    components: Sequence[Component] = ()
    spread: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """A way to get a part; a part's sources are told in order of preference.

    ``days`` are working days of ``calendar`` on top of the operations'; None means that nobody
    knows. No new order starts before day ``fence``, or after day ``until`` where there is one. An
    order is at least ``least`` and a multiple of ``step``. ``output`` is the good share of what an
    order starts with.

    What ``stands_in`` is taken where all others together cannot bring enough in time, only as far
    as its one component is free by then or can be had by then in its own lead time.
    """

    part: str
    kind: Kind
    days: int | None
    calendar: str = ""
    operations: Sequence[Operation] = ()
    fence: int = 0
    least: int = 1
    step: int = 1
    output: Fraction = ONE
    until: int | None = None
    stands_in: bool = False


@dataclass(frozen=True, slots=True)
class Supply:
    """Pieces that are there or come on ``day`` as a fact: stock, purchase or work order."""

    part: str
    qty: int
    day: int = 0
    kind: SupplyKind = SupplyKind.STOCK
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Keep:
    """``qty`` pieces of a part's supply, the first to come, are for one class of customers.

    From day ``release`` on, what is left of them falls free to all: others have them for a need
    on that day or a later one. The first ``after`` pieces of all are not among them.
    """

    part: str
    customer_class: str
    qty: int
    release: int
    after: int = 0


@dataclass(frozen=True, slots=True)
class Cap:
    """A class gets at most ``qty`` pieces of a part, needed from ``start`` to before ``end``.

    They count on the day they leave or are taken into what is made of them.
    """

    part: str
    customer_class: str
    qty: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Need:
    """Pieces that a released work order still takes on ``day``: they are nobody else's."""

    part: str
    qty: int
    day: int
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Load:
    """``hours`` (1/1000 h) that released work still takes from a work centre on ``day``."""

    centre: str
    day: int
    hours: int


@dataclass(frozen=True, slots=True)
class Line:
    """What a customer wants on ``wish``, the day it is to arrive.

    It leaves ``transit`` days earlier and arrives on a day of ``calendar``, his receiving days.
    The smaller ``priority`` is served first, then the earlier ``rank``, by default the wish. Lines
    of one ``together`` leave on one day. More than ``max_late`` days late it is not planned.

    It leaves whole, or late in at most so many ``shipments`` of at least ``least`` pieces, of which
    two are planned: what can be there in time, and the rest. Lines of one ``together`` do so if all
    of them may, each with the same share of its pieces in a shipment.

    ``customer_class`` is the one whose allocations it has; the empty one has none. Each day that it
    is late costs ``value``, whole units of anything.
    """

    name: str
    part: str
    qty: int
    wish: int
    priority: int = 0
    rank: int | None = None
    together: str = ""
    transit: int = 0
    calendar: str = ""
    max_late: int | None = None
    shipments: int = 1
    least: int = 1
    customer_class: str = ""
    value: int = 1


@dataclass(frozen=True, slots=True)
class Forecast:
    """``qty`` pieces of a part that are expected to leave from day ``start`` to before ``end``.

    Orders that leave up to ``back`` days after the span or ``ahead`` days before it may be among
    them.
    """

    part: str
    qty: int
    start: int
    end: int
    back: int = 0
    ahead: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything one plan is made from; ``classes`` are all classes of customers by name."""

    horizon: int
    parts: Sequence[Part]
    sources: Sequence[Source]
    supplies: Sequence[Supply] = ()
    lines: Sequence[Line] = ()
    buckets: Sequence[Bucket] = ()
    calendars: Sequence[Calendar] = ()
    needs: Sequence[Need] = ()
    loads: Sequence[Load] = ()
    classes: Sequence[str] = ()
    keeps: Sequence[Keep] = ()
    caps: Sequence[Cap] = ()
    forecasts: Sequence[Forecast] = ()


class Strategy(StrEnum):
    """What allocating anew may do to a line, in the order of service.

    The five ways of confirming again that order promising knows: win, gain, redistribute, fill,
    lose.
    """

    WIN = "win"  # served before the others
    GAIN = "gain"  # earlier, but not later
    REDISTRIBUTE = "redistribute"  # earlier or later
    FILL = "fill"  # later, but not earlier
    LOSE = "lose"  # served after the others
