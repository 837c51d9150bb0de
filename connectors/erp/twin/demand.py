"""What customers order: when, which items, how many, for which dates. Chance from a seed.

Promises are made as sales make them: stock goes in a week, anything else takes the item's lead
time, and mostly that is what the customer asked for. Larger customers who take part deliveries
also order a whole season at once: the same item or two again and again, up to nine months ahead.
"""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass
from decimal import Decimal

from b2bcrm.ports.erp import OrderDraft, OrderDraftLine
from connectors.erp.twin.calendars import WORK_DAYS, shift
from connectors.erp.twin.company import HOME_SITE, Firm, Size
from connectors.erp.twin.dispatch import arrival
from connectors.erp.twin.parts import Part
from connectors.erp.twin.people import RATES, Buyer, Site
from connectors.erp.twin.plant import Plant
from connectors.erp.twin.prices import price_for, sellable
from connectors.erp.twin.routing import work_days


@dataclass(frozen=True)
class Volume:
    """Orders per month of history and how many months there are."""

    months: int
    per_month: float


VOLUMES: dict[Size, Volume] = {
    "small": Volume(5, 9.0),
    "demo": Volume(18, 85.5),
    "large": Volume(18, 975.0),
}
_SEASON = (0.92, 0.80, 1.08, 1.05, 1.05, 1.05, 0.98, 0.95, 1.05, 1.0, 0.95, 1.0)  # January first
_QTY = {"PG": (4, 60), "SW": (4, 60), "BS": (2, 30), "LG": (4, 60), "RT": (1, 6), "KIT": (5, 80),
        "SRV": (1, 3)}  # fmt: skip
_LINES = ((1, 2, 3, 4, 5, 6, 7, 8, 9), (2, 4, 6, 10, 15, 18, 17, 15, 13))
_TYPED = 0.15  # share of orders that were typed in the ERP
_CALLED_OFF = 0.037  # share of the orders of such customers
_WEEKS_AHEAD = 34  # the last call-off after the first
_SCHEDULES = ((4, 1), (6, 1), (6, 2))  # weeks between call-offs, and how many items
_CALL_OFF_WORTH = (2_200_000, 5_400_000)  # TWD at list price
_NO_CALL_OFFS = {"KIT", "SRV"}
_CLOCKS = ("09:05", "09:50", "10:35", "11:15", "13:40", "14:20", "15:25", "16:45")


def first_day(size: Size, today: dt.date) -> str:
    """Where the history of a size begins."""
    return shift(today.isoformat(), -round(VOLUMES[size].months * 30.44))


@dataclass(frozen=True)
class Arrival:
    """An order will come from ``buyer``."""

    day: str
    clock: str
    buyer: str
    typed: bool


def arrivals(firm: Firm, today: dt.date) -> list[Arrival]:
    """All orders of the history, in time order; more in spring and autumn, more each year."""
    rng = random.Random(f"{firm.seed}/arrivals/{firm.size}")
    start, end = first_day(firm.size, today), today.isoformat()
    volume = VOLUMES[firm.size]
    buyers = [buyer for buyer in firm.buyers.values() if not buyer.hold]
    weights = [buyer.weight for buyer in buyers]
    calendar = WORK_DAYS["TW"]
    days = [d for d in calendar.days if start <= d < end]
    shares = [
        _SEASON[int(day[5:7]) - 1] * (0.96 + 0.08 * n / len(days)) for n, day in enumerate(days)
    ]
    count = round(volume.months * volume.per_month)
    picked = sorted(rng.choices(range(len(days)), shares, k=count))
    found = [
        Arrival(days[n], rng.choice(_CLOCKS), buyer.no, rng.random() < _TYPED)
        for n, buyer in zip(picked, rng.choices(buyers, weights, k=count), strict=True)
    ]
    return sorted(found, key=lambda a: (a.day, a.clock))


@dataclass(frozen=True)
class _Wanted:
    """A line to be; ``discount`` in percent."""

    part: Part
    qty: int
    requested_on: dt.date
    promised_on: dt.date
    discount: int


class Market:
    """Turns an arrival into an order draft, given what the plant has free just then."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self._goods: dict[str, list[Part]] = {}
        for part in sellable(firm.parts.values()):
            self._goods.setdefault(part.family, []).append(part)

    def draft(self, plant: Plant, buyer: Buyer, rng: random.Random, reference: str) -> OrderDraft:
        """What this customer likes to buy: one to nine lines, or a season of call-offs."""
        own = random.Random(f"{self.firm.seed}/{self.firm.size}/call-offs/{plant.numbers['order']}")
        if buyer.partial and buyer.rank != "C" and own.random() < _CALLED_OFF:
            return self._called_off(plant, buyer, own, reference)
        site = buyer.sites[rng.random() < 0.3 and len(buyer.sites) > 1]  # noqa: PLR2004
        picked: dict[str, Part] = {}
        for _ in range(rng.choices(*_LINES)[0]):
            draw = rng.random()
            family = "KIT" if draw < 0.10 else "SRV" if draw < 0.12 else rng.choice(buyer.tastes)  # noqa: PLR2004
            part = rng.choice(self._goods[family])
            picked.setdefault(part.no, part)
        rows = [(part, _quantity(part, rng)) for part in picked.values()]
        dates = self._dates(plant, buyer, site, rows, rng)
        discount = rng.choice((3, 5, 8)) if rng.random() < 0.2 else 0  # noqa: PLR2004
        wanted = [_Wanted(*row, *both, discount) for row, both in zip(rows, dates, strict=True)]
        return self._order(plant, buyer, site, wanted, (reference, _po_number(buyer, rng)))

    def _called_off(
        self, plant: Plant, buyer: Buyer, rng: random.Random, reference: str
    ) -> OrderDraft:
        """The same items every few weeks, in equal quantities, from the lead time on."""
        site, days = buyer.sites[0], plant.days(HOME_SITE[buyer.company])
        weeks, count = rng.choice(_SCHEDULES)
        picked: dict[str, int] = {}
        tastes = [taste for taste in buyer.tastes if taste not in _NO_CALL_OFFS]
        for _ in range(count):
            part = rng.choice(self._goods[rng.choice(tastes)])
            worth = rng.randint(*_CALL_OFF_WORTH) / RATES[buyer.currency]
            qty = int(worth / price_for(part, buyer.price_list, buyer.currency, 1))
            picked.setdefault(part.no, max(2, qty - qty % 2))
        rows = [(self.firm.parts[no], qty) for no, qty in picked.items()]
        first = max(_leave(plant, part, qty, rng) for part, qty in rows)
        discount = rng.choice((5, 8, 10))
        wanted = []
        for ahead in range(0, _WEEKS_AHEAD + 1, weeks):
            day = dt.date.fromisoformat(arrival(site, days.add(shift(first, 7 * ahead), 0)))
            wanted += [_Wanted(part, qty, day, day, discount) for part, qty in rows]
        return self._order(plant, buyer, site, wanted, (reference, _po_number(buyer, rng)))

    def _order(
        self, plant: Plant, buyer: Buyer, site: Site, wanted: list[_Wanted], names: tuple[str, str]
    ) -> OrderDraft:
        """``names``: our reference and the customer's order number."""
        reference, customer_po = names
        lines = tuple(
            OrderDraftLine(
                line_no=10 * n, item=row.part.no, qty=Decimal(row.qty), uom=row.part.uom,
                unit_price=price_for(row.part, buyer.price_list, buyer.currency, row.qty),
                discount_pct=Decimal(row.discount), requested_on=row.requested_on,
                promised_on=row.promised_on,
                customer_part_no=self.firm.part_nos.get(row.part.no, {}).get(buyer.no, ""),
                customer_po_line=str(n),
            )
            for n, row in enumerate(wanted, 1)
        )  # fmt: skip
        return OrderDraft(
            reference=reference, customer=buyer.no, customer_po=customer_po,
            ordered_on=dt.date.fromisoformat(plant.day), currency=buyer.currency,
            ship_to=site.code, incoterm=buyer.incoterm, incoterm_place=buyer.place,
            payment_terms=buyer.terms, site=HOME_SITE[buyer.company], note="", lines=lines,
        )  # fmt: skip

    def _dates(
        self, plant: Plant, buyer: Buyer, site: Site, rows: list[tuple[Part, int]],
        rng: random.Random,
    ) -> list[tuple[dt.date, dt.date]]:  # fmt: skip
        leave = [_leave(plant, part, qty, rng) for part, qty in rows]
        if not buyer.partial:
            # One date for all: the more lines, the likelier one of them is late.
            leave = [plant.days(HOME_SITE[buyer.company]).add(max(leave), 4)] * len(leave)
        wish = rng.random()
        moved = rng.randint(3, 12)
        found = []
        for day in leave:
            promised = arrival(site, day)
            requested = promised
            if wish < 0.25:  # noqa: PLR2004 - he wanted it sooner than it can be had
                requested = max(shift(promised, -moved), shift(plant.day, 1))
            elif wish > 0.93:  # noqa: PLR2004 - he has time
                promised = requested = arrival(site, shift(day, 2 * moved))
            found.append((dt.date.fromisoformat(requested), dt.date.fromisoformat(promised)))
        return found


def _leave(plant: Plant, part: Part, qty: int, rng: random.Random) -> str:
    """The day on which sales think that a line can leave."""
    days = plant.days(part.site)
    if part.kind == "service" or plant.free(part) >= qty:
        return days.add(plant.day, rng.randint(3, 8))
    more = max(0, work_days(part, qty) - work_days(part, part.lot)) if part.kind == "make" else 2
    return days.add(plant.day, part.lead + more + rng.randint(0, 3))


def _quantity(part: Part, rng: random.Random) -> int:
    low, high = _QTY[part.family]
    qty = int(low + (high - low) * rng.betavariate(1.2, 3.0))
    return qty if qty < 10 else qty - qty % 2  # noqa: PLR2004 - larger ones are even


def _po_number(buyer: Buyer, rng: random.Random) -> str:
    n = rng.randrange(10_000, 99_999)
    return {"DE": f"4500-{n}", "US": f"PO{n}", "TW": f"CY-{n}", "CN": f"CG2{n}", "JP": f"T{n}"}[
        buyer.country
    ]
