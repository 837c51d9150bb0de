"""What sales planning reads: booked orders and weighted open quotes by month and family.

Booked: net of the lines of submitted, confirmed and closed orders, in the month of the promised
(else requested) date. Weighted: net of an open quote's lines x its chance, in the month of the
promised date, else of the decision, else of the wish; what lies before this month counts now.
All in base currency at today's rates. Statements do not depend on the number of rows.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from b2bcrm.catalog import queries as catalog
from b2bcrm.catalog.models import Item
from b2bcrm.customers import queries as customers
from b2bcrm.customers.models import Account
from b2bcrm.kernel.money import Money
from b2bcrm.kernel.organization import Company, rates_on
from b2bcrm.kernel.work import Work
from b2bcrm.orders.lifecycle import OrderState
from b2bcrm.orders.models import Order, OrderLine
from b2bcrm.quotes.lifecycle import QuoteState
from b2bcrm.quotes.models import Quote, QuoteLine

MONTHS = 6
LIKELY_PCT = 50
LOW_SHARE = 85
TOP = 5
_BOOKED = (OrderState.SUBMITTED, OrderState.CONFIRMED, OrderState.CLOSED)
_OPEN = (QuoteState.DRAFT, QuoteState.SENT)
_ZERO = Decimal(0)


def month_after(month: dt.date, count: int) -> dt.date:
    """The first day of the month ``count`` months after (before, if negative) ``month``."""
    index = month.year * 12 + month.month - 1 + count
    return dt.date(index // 12, index % 12 + 1, 1)


@dataclass
class Cell:
    """One month of one family (or a sum of such), in base currency."""

    booked: Decimal = _ZERO
    likely: Decimal = _ZERO
    early: Decimal = _ZERO
    target: Decimal = _ZERO

    @property
    def weighted(self) -> Decimal:
        """Open quotes x chance."""
        return self.likely + self.early

    @property
    def forecast(self) -> Decimal:
        """Booked and weighted."""
        return self.booked + self.weighted

    @property
    def gap(self) -> Decimal:
        """Forecast less target; negative is what is missing."""
        return self.forecast - self.target

    @property
    def share(self) -> Decimal | None:
        """Forecast in percent of the target; None without a target."""
        return self.forecast * 100 / self.target if self.target else None

    @property
    def status(self) -> str:
        """Risk below ``LOW_SHARE`` percent of the target, else ok; empty without a target."""
        if self.share is None:
            return ""
        return "risk" if self.share < LOW_SHARE else "ok"


def total(cells: Iterable[Cell]) -> Cell:
    """The sum of cells."""
    result = Cell()
    for cell in cells:
        result.booked += cell.booked
        result.likely += cell.likely
        result.early += cell.early
        result.target += cell.target
    return result


@dataclass(frozen=True)
class OpenQuote:
    """An undecided quote; values in base currency."""

    no: str
    account: str
    language: str
    win_pct: int
    decision_on: dt.date | None
    valid_until: dt.date
    value: Decimal

    @property
    def weighted(self) -> Decimal:
        """Value x chance."""
        return self.value * self.win_pct / 100


@dataclass(frozen=True)
class Rates:
    """Base currency per unit of each currency; asked-for currencies without a rate are noted."""

    base: str
    known: dict[str, Decimal]
    missing: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    def to_base(self, amount: Decimal, currency: str) -> Decimal:
        """``amount`` in base currency; zero, and noted as missing, without a rate."""
        if currency == self.base:
            return amount
        rate = self.known.get(currency)
        if rate is None:
            self.missing.add(currency)
            return _ZERO
        self.used.add(currency)
        return Money.of(amount * rate, self.base).amount


@dataclass(frozen=True)
class Plan:
    """The window of months with a cell per month and family."""

    months: Sequence[dt.date]
    families: Sequence[str]
    cells: dict[tuple[dt.date, str], Cell]
    rates: Rates
    quotes: Sequence[OpenQuote]

    def cell(self, month: dt.date, family: str) -> Cell:
        """One cell; empty if nothing is planned there."""
        return self.cells.get((month, family), Cell())

    def of_family(self, family: str) -> Cell:
        """The family over all months."""
        return total(self.cell(month, family) for month in self.months)

    def of_month(self, month: dt.date) -> Cell:
        """The month over all families."""
        return total(self.cell(month, family) for family in self.families)

    @property
    def whole(self) -> Cell:
        """Everything in the window."""
        return total(self.cells.values())

    @property
    def unweighted(self) -> Decimal:
        """All open quotes at full value."""
        return sum((quote.value for quote in self.quotes), _ZERO)

    @property
    def movers(self) -> list[OpenQuote]:
        """The open quotes with the largest weighted value."""
        return sorted(self.quotes, key=lambda quote: -quote.weighted)[:TOP]


def rates(work: Work) -> Rates:
    """Today's rates into the group's base currency."""
    query = sa.select(Company.currency).order_by(Company.id).limit(1)
    return Rates(work.session.scalar(query) or "", rates_on(work.session, work.today))


def plan(work: Work, first: dt.date, *, months: int = MONTHS) -> Plan:
    """The plan from the month ``first`` on."""
    window = [month_after(first, n) for n in range(months)]
    last = month_after(first, months) - dt.timedelta(days=1)
    current = rates(work)
    cells: dict[tuple[dt.date, str], Cell] = defaultdict(Cell)
    for on, family, currency, net in work.session.execute(_booked(first, last)):
        cells[on.replace(day=1), family].booked += current.to_base(net, currency)
    this_month = work.today.replace(day=1)
    for on, family, currency, win_pct, net in work.session.execute(_weighted(last)):
        month = max(on, this_month).replace(day=1)
        if not first <= month <= last:
            continue
        value = current.to_base(net, currency) * win_pct / 100
        if win_pct >= LIKELY_PCT:
            cells[month, family].likely += value
        else:
            cells[month, family].early += value
    for key, amount in catalog.targets(work.session, first, last).items():
        cells[key].target = amount
    sold = catalog.families(work.session)
    return Plan(
        months=window,
        families=sorted({*sold, *(family for _month, family in cells)}),
        cells=dict(cells),
        rates=current,
        quotes=_open_quotes(work, current),
    )


def _promised() -> Any:
    return sa.func.coalesce(OrderLine.promised_on, OrderLine.requested_on)


def _expected() -> Any:
    return sa.func.coalesce(QuoteLine.promised_on, Quote.decision_on, QuoteLine.wanted_on)


def _booked(first: dt.date, last: dt.date) -> sa.Select[Any]:
    on = _promised()
    return (
        sa.select(on, Item.family, Order.currency, sa.func.sum(OrderLine.net))
        .join(Order, Order.id == OrderLine.order_id)
        .join(Item, Item.id == OrderLine.item_id)
        .where(Order.state.in_(_BOOKED), ~OrderLine.cancelled, on.between(first, last))
        .group_by(on, Item.family, Order.currency)
    )


def _weighted(last: dt.date) -> sa.Select[Any]:
    on = _expected()
    return (
        sa.select(on, Item.family, Quote.currency, Quote.win_pct, sa.func.sum(QuoteLine.net))
        .join(Quote, Quote.id == QuoteLine.quote_id)
        .join(Item, Item.id == QuoteLine.item_id)
        .where(Quote.current, Quote.state.in_(_OPEN), on <= last)
        .group_by(on, Item.family, Quote.currency, Quote.win_pct)
    )


def _open_quotes(work: Work, current: Rates) -> list[OpenQuote]:
    query = (
        sa.select(Quote, Account.name, Account.language)
        .join(Account, Account.id == Quote.account_id)
        .where(
            Quote.current,
            Quote.state.in_(_OPEN),
            Account.id.in_(customers.visible_ids(work.actor)),
        )
        .order_by(Quote.id)
    )
    return [
        OpenQuote(
            no=quote.no,
            account=name,
            language=language,
            win_pct=quote.win_pct,
            decision_on=quote.decision_on,
            valid_until=quote.valid_until,
            value=current.to_base(quote.total, quote.currency),
        )
        for quote, name, language in work.session.execute(query)
    ]


@dataclass(frozen=True)
class Behind:
    """One order or quote line behind a cell; ``value`` and ``counted`` in base currency."""

    kind: str
    number: str
    line_no: int
    account_id: int
    account: str
    language: str
    item_no: str
    qty: Decimal
    unit: str
    on: dt.date
    net: Money
    win_pct: int | None
    counted: Decimal


def behind(work: Work, month: dt.date, family: str) -> list[Behind]:
    """The order and quote lines that make up a cell, orders first, largest first."""
    current = rates(work)
    last = month_after(month, 1) - dt.timedelta(days=1)
    first_of_quotes = dt.date.min if month == work.today.replace(day=1) else month
    rows: list[Behind] = []
    for kind, query in (
        ("order", _order_lines(month, last, family)),
        ("quote", _quote_lines(first_of_quotes, last, family)),
    ):
        for number, account, line, item_no, on, currency, win_pct in work.session.execute(query):
            value = current.to_base(line.net, currency)
            rows.append(
                Behind(
                    kind=kind,
                    number=number,
                    line_no=line.line_no,
                    account_id=account.id,
                    account=account.name,
                    language=account.language,
                    item_no=item_no,
                    qty=line.ordered_qty if kind == "order" else line.qty,
                    unit=line.unit,
                    on=on,
                    net=Money(line.net, currency),
                    win_pct=win_pct,
                    counted=value if win_pct is None else value * win_pct / 100,
                )
            )
    return sorted(rows, key=lambda row: (row.kind, -row.counted, row.number))


def _order_lines(first: dt.date, last: dt.date, family: str) -> sa.Select[Any]:
    on = _promised()
    return (
        sa.select(Order.no, Account, OrderLine, Item.no, on, Order.currency, sa.null())
        .join(Order, Order.id == OrderLine.order_id)
        .join(Account, Account.id == Order.account_id)
        .join(Item, Item.id == OrderLine.item_id)
        .where(
            Order.state.in_(_BOOKED),
            ~OrderLine.cancelled,
            Item.family == family,
            on.between(first, last),
        )
    )


def _quote_lines(first: dt.date, last: dt.date, family: str) -> sa.Select[Any]:
    on = _expected()
    return (
        sa.select(Quote.no, Account, QuoteLine, Item.no, on, Quote.currency, Quote.win_pct)
        .join(Quote, Quote.id == QuoteLine.quote_id)
        .join(Account, Account.id == Quote.account_id)
        .join(Item, Item.id == QuoteLine.item_id)
        .where(
            Quote.current, Quote.state.in_(_OPEN), Item.family == family, on.between(first, last)
        )
    )
