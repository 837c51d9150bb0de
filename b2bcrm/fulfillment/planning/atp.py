"""Available to promise for one item at one site: what nobody has been promised yet.

Discrete ATP per receipt bucket (ASCM dictionary; ETH Zurich OPESS 5.3.5): the first bucket is
stock plus what is due, minus the demand until the next receipt; a later one is its receipt minus
the demand until the receipt after it. A bucket that falls short takes from the earlier ones, so
that what was promised keeps its pieces. Beyond that, any quantity can be had after the item's
standard lead time. Quantities are in the item's base unit. Pure.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.words import Message, show_decimal

ZERO = Decimal(0)
STOCK, PURCHASE, WORK, LEAD_TIME = "stock", "purchase_order", "work_order", "lead_time"
PLANNED, CAPACITY = "planned_order", "capacity"  # what only a plan of the whole plant knows
FRESH = frozenset({LEAD_TIME, PLANNED})  # still to be bought or made


@dataclass(frozen=True)
class Supply:
    """``qty`` pieces that are or come free on ``on``; ``kind`` as in ``ports.promise.Source``.

    With an ``item`` it is a component of it, of kind capacity it is hours: no pieces to promise.
    """

    kind: str
    no: str
    qty: Decimal
    on: dt.date
    item: str = ""


@dataclass(frozen=True)
class Demand:
    """``qty`` pieces that somebody was promised from supply of ``on``."""

    qty: Decimal
    on: dt.date


@dataclass(frozen=True)
class Bucket:
    """One receipt and the time until the next. ``atp`` may be negative before it is netted."""

    on: dt.date
    receipt: Decimal
    demand: Decimal
    atp: Decimal
    free: Decimal


@dataclass(frozen=True)
class Offer:
    """What can be had. ``full_on`` is None where no lead time is known and supply is too small."""

    full_on: dt.date | None
    by_wish: Decimal
    takes: tuple[Supply, ...]
    reason: Message


@dataclass
class Pool:
    """Everything known of one item at one site.

    ``lead_days`` are working days of ``calendar``; 0 means that none is known.
    """

    today: dt.date
    calendar: WorkCalendar
    on_hand: Decimal
    supplies: Sequence[Supply]
    demands: list[Demand]
    lead_days: int

    def take(self, offer: Offer) -> None:
        """Count the offer as promised, so that the next ask does not see its pieces."""
        self.demands += demands_of(offer.takes)


def demands_of(takes: Iterable[Supply]) -> list[Demand]:
    """What a promise needs of known supply; what is still to be made is its own supply."""
    return [Demand(take.qty, take.on) for take in takes if take.kind not in FRESH]


def first_of(takes: Iterable[Supply], qty: Decimal) -> list[Supply]:
    """The ``qty`` pieces of a witness that are there first."""
    found: list[Supply] = []
    for take in sorted(takes, key=lambda take: take.on):
        part = min(take.qty, qty - sum((one.qty for one in found), ZERO))
        if part > 0:
            found.append(replace(take, qty=part))
    return found


def buckets(pool: Pool) -> list[Bucket]:
    """The ATP table. Overdue supply and demand count in the first bucket.

    ``free`` is the netted figure: what can be promised from the bucket without touching any
    earlier promise; the sum of ``free`` up to a bucket is what can be had by its day.
    """
    receipts: dict[dt.date, Decimal] = {pool.today: pool.on_hand}
    for supply in pool.supplies:
        day = max(supply.on, pool.today)
        receipts[day] = receipts.get(day, ZERO) + supply.qty
    days = sorted(receipts)
    needs = dict.fromkeys(days, ZERO)
    for demand in pool.demands:
        needs[max(day for day in days if day <= max(demand.on, pool.today))] += demand.qty
    atp = [receipts[day] - needs[day] for day in days]
    free = _netted(atp)
    return [
        Bucket(day, receipts[day], needs[day], gross, net)
        for day, gross, net in zip(days, atp, free, strict=True)
    ]


def _netted(atp: Sequence[Decimal]) -> list[Decimal]:
    """Free pieces per bucket: by a day, the least of all balances from that day on."""
    balance, balances = ZERO, []
    for gross in atp:
        balance += gross
        balances.append(balance)
    by_day = list(balances)
    for n in range(len(by_day) - 2, -1, -1):
        by_day[n] = min(by_day[n], by_day[n + 1])
    before, free = ZERO, []
    for least in by_day:
        now = max(ZERO, least)
        free.append(now - before)
        before = now
    return free


def free_by(pool: Pool, day: dt.date) -> Decimal:
    """Pieces that can be promised for ``day`` from stock and known supply."""
    return sum((b.free for b in buckets(pool) if b.on <= day), ZERO)


def promise(pool: Pool, qty: Decimal, wanted_on: dt.date) -> Offer:
    """The earliest full date for ``qty``, what is there by ``wanted_on``, and the witness."""
    lead_on = pool.calendar.add_days(pool.today, pool.lead_days) if pool.lead_days > 0 else None
    table = buckets(pool)
    taken: list[tuple[dt.date, Decimal]] = []
    left = qty
    for bucket in table:
        if left <= 0 or (lead_on is not None and bucket.on > lead_on):
            break
        part = min(left, bucket.free)
        if part > 0:
            taken.append((bucket.on, part))
            left -= part
    if left > 0 and lead_on is None:
        by_wish = sum((q for day, q in taken if day <= wanted_on), ZERO)
        return Offer(None, by_wish, (), Message("No supply and no lead time are known."))
    takes = _witness(pool, taken)
    if left > 0 and lead_on is not None:
        takes.append(Supply(LEAD_TIME, "", left, lead_on))
    full_on = max((take.on for take in takes), default=pool.today)
    by_wish = sum((take.qty for take in takes if take.on <= wanted_on), ZERO)
    return Offer(full_on, by_wish, tuple(takes), _reason(pool, qty, takes))


def _witness(pool: Pool, taken: Sequence[tuple[dt.date, Decimal]]) -> list[Supply]:
    """Name the documents of each bucket that is taken from, oldest first."""
    found: list[Supply] = []
    for day, qty in taken:
        left = qty
        sources = [s for s in pool.supplies if max(s.on, pool.today) == day]
        if day == pool.today and pool.on_hand > 0:
            sources.insert(0, Supply(STOCK, "", pool.on_hand, day))
        for source in sources:
            part = min(left, source.qty)
            if part > 0:
                found.append(Supply(source.kind, source.no, part, day))
                left -= part
    return found


def _reason(pool: Pool, qty: Decimal, takes: Sequence[Supply]) -> Message:
    """Where the pieces come from, in one sentence."""
    if not takes or takes[-1].kind != LEAD_TIME:
        return supplied(qty, takes)
    last = takes[-1]
    if last.qty == qty:
        return Message("standard lead time %(days)s wd", days=pool.lead_days)
    return Message(
        "%(qty)s from stock and open supply, the rest after the standard lead time of "
        "%(days)s wd on %(day)s",
        qty=show_decimal(qty - last.qty),
        days=pool.lead_days,
        day=last.on,
    )


def supplied(qty: Decimal, takes: Sequence[Supply]) -> Message:
    """Where pieces come from that are there or ordered, the last one last."""
    if not takes:
        return Message("Nothing is needed.")
    last = takes[-1]
    if last.kind == STOCK:
        return Message("%(qty)s in stock", qty=show_decimal(qty))
    stock = sum((take.qty for take in takes if take.kind == STOCK), ZERO)
    one_document = all(take.no == last.no for take in takes if take.kind != STOCK)
    if one_document and stock > 0:
        return Message(
            "%(qty)s in stock, the rest from %(no)s on %(day)s",
            qty=show_decimal(stock),
            no=last.no,
            day=last.on,
        )
    if one_document:
        return Message(
            "%(qty)s from %(no)s on %(day)s", qty=show_decimal(qty), no=last.no, day=last.on
        )
    return Message(
        "from stock and open supply, the last from %(no)s on %(day)s", no=last.no, day=last.on
    )
