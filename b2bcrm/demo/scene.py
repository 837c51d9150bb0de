"""Who and what the demo's past is made of: customers with their people, items, prices, our staff.

Read once after the ERP's master data are in; plain lookups afterwards.
"""

from __future__ import annotations

import bisect
import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.catalog.models import Item, PriceBreak
from b2bcrm.customers.models import Account, Contact, CustomerPart, ShipTo
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.clock import HOME_ZONE
from b2bcrm.kernel.organization import Company, ExchangeRate, Site, calendar_of
from b2bcrm.kernel.work import Work
from b2bcrm.quotes.pricing import Break, break_for, ladder
from b2bcrm.users.models import User

_HOME = dt.timedelta(hours=8)  # both sites are at UTC+8 all year


def at(day: dt.date, minutes: int) -> dt.datetime:
    """The instant ``minutes`` after local midnight of ``day``."""
    start = dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)
    return start - _HOME + dt.timedelta(minutes=minutes)


def local_day(moment: dt.datetime) -> dt.date:
    """The business date of an instant."""
    return moment.astimezone(HOME_ZONE).date()


@dataclass(frozen=True)
class Person:
    """Who did something: one of ours, or a customer's contact with or without a login."""

    name: str
    role: str
    user_id: int | None = None
    contact_id: int | None = None


SYSTEM = Person("system", "system")


@dataclass(frozen=True)
class Customer:
    """An account as documents see it. ``people`` are its contacts, the buyer first."""

    account: Account
    company: Company
    site: Site
    calendar: WorkCalendar
    contacts: tuple[Contact, ...]
    people: tuple[Person, ...]
    ship_tos: dict[int, ShipTo]
    owner: Person

    @property
    def language(self) -> str:
        """In which people write to each other."""
        return self.account.language


@dataclass
class Scene:
    """Everything that the past is made of."""

    now: dt.datetime
    today: dt.date
    seed: int
    customers: dict[int, Customer]
    by_erp_id: dict[str, Customer]
    items: dict[int, Item]
    item_ids: dict[str, int]
    parts: dict[tuple[int, int], str]
    staff: dict[str, Person]
    _rates: dict[str, tuple[list[dt.date], list[Decimal]]]
    _ladders: dict[tuple[str, str, str], tuple[Break, ...]] = field(default_factory=dict)
    kept_lines: dict[tuple[str, str, str, int], dict[str, Any]] = field(default_factory=dict)

    def rng(self, *key: object) -> random.Random:
        """Chance of its own for ``key``: adding one thing never changes another."""
        return random.Random("/".join(map(str, (self.seed, *key))))

    def rate(self, currency: str, day: dt.date) -> Decimal:
        """TWD for one unit on a day."""
        days, rates = self._rates[currency]
        return rates[max(0, bisect.bisect_right(days, day) - 1)]

    def steps(self, customer: Customer, item_id: int) -> tuple[Break, ...]:
        """The customer's price ladder of an item."""
        account, item = customer.account, self.items[item_id]
        return self._ladders.get((account.price_list, account.currency, item.no), ())

    def price(self, customer: Customer, item_id: int, qty: Decimal) -> Decimal | None:
        """The list price at a quantity."""
        step = break_for(self.steps(customer, item_id), qty)
        return None if step is None else step.unit_price

    def past_workday(self, customer: Customer, day: dt.date, count: int) -> dt.date:
        """``count`` working days before ``day``."""
        return customer.calendar.add_days(day, -count) if count else day


def read_scene(work: Work, seed: int) -> Scene:
    """Read it; the rows leave the session."""
    session = work.session
    companies = {row.id: row for row in session.scalars(sa.select(Company))}
    sites: dict[int, Site] = {}
    for site in session.scalars(sa.select(Site).order_by(Site.id)):
        sites.setdefault(site.company_id, site)
    calendars = {s.company_id: calendar_of(session, s.calendar_code) for s in sites.values()}
    users = session.scalars(sa.select(User)).all()
    logins = {(u.account_id, u.email): u for u in users if u.account_id}
    staff = {
        u.name: Person(u.name, u.role.value, user_id=u.id) for u in users if u.account_id is None
    }
    customers = {}
    query = sa.select(Account).options(
        selectinload(Account.contacts), selectinload(Account.ship_tos)
    )
    for account in session.scalars(query.order_by(Account.id)):
        customers[account.id] = Customer(
            account=account,
            company=companies[account.company_id],
            site=sites[account.company_id],
            calendar=calendars[account.company_id],
            contacts=tuple(account.contacts),
            people=tuple(_person(account, c, logins) for c in account.contacts),
            ship_tos={row.id: row for row in account.ship_tos},
            owner=staff.get(account.sales_rep) or staff["Mei-Ling Lin"],
        )
    items = {row.id: row for row in session.scalars(sa.select(Item))}
    parts = session.execute(
        sa.select(CustomerPart.account_id, CustomerPart.item_id, CustomerPart.part_no)
    )
    scene = Scene(
        now=work.now,
        today=work.today,
        seed=seed,
        customers=customers,
        by_erp_id={c.account.erp_id: c for c in customers.values() if c.account.erp_id},
        items=items,
        item_ids={item.no: item.id for item in items.values()},
        parts={(account_id, item_id): no for account_id, item_id, no in parts},
        staff=staff,
        _rates=_read_rates(work),
        _ladders=_read_ladders(work),
    )
    session.expunge_all()
    return scene


def _person(account: Account, contact: Contact, logins: dict[tuple[int, str], User]) -> Person:
    user = logins.get((account.id, contact.email.lower()))
    role = user.role.value if user else "buyer"
    return Person(contact.name, role, user.id if user else None, contact.id)


def _read_rates(work: Work) -> dict[str, tuple[list[dt.date], list[Decimal]]]:
    found: dict[str, tuple[list[dt.date], list[Decimal]]] = {}
    query = sa.select(ExchangeRate.currency, ExchangeRate.valid_from, ExchangeRate.rate)
    for currency, day, rate in work.session.execute(query.order_by(ExchangeRate.valid_from)):
        days, rates = found.setdefault(currency, ([], []))
        days.append(day)
        rates.append(rate)
    return found


def _read_ladders(work: Work) -> dict[tuple[str, str, str], tuple[Break, ...]]:
    query = sa.select(
        PriceBreak.price_list,
        PriceBreak.currency,
        PriceBreak.item_no,
        PriceBreak.min_qty,
        PriceBreak.unit_price,
    )
    found: dict[tuple[str, str, str], list[Break]] = {}
    for price_list, currency, item_no, min_qty, price in work.session.execute(query):
        found.setdefault((price_list, currency, item_no), []).append(Break(min_qty, price))
    return {key: ladder(steps) for key, steps in found.items()}
