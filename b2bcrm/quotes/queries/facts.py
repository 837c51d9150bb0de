"""What stands around a quote: customer, our side, items, price ladders; in a few statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Session

from b2bcrm.catalog.models import Item, PriceBreak
from b2bcrm.customers.models import Account, Contact, ShipTo
from b2bcrm.kernel.organization import Company, Site, rates_on
from b2bcrm.kernel.work import Work
from b2bcrm.quotes.models import Inquiry, Quote
from b2bcrm.quotes.pricing import Break, ladder
from b2bcrm.users.models import User


@dataclass(frozen=True)
class Facts:
    """One quote's surroundings. ``ladders`` are by item id, of the account's price list."""

    quote: Quote
    account: Account
    company: Company
    site: Site
    contact: Contact | None
    ship_to: ShipTo | None
    inquiry: Inquiry | None
    owner: User | None
    items: dict[int, Item] = field(default_factory=dict)
    ladders: dict[int, tuple[Break, ...]] = field(default_factory=dict)

    def steps(self, item_id: int) -> tuple[Break, ...]:
        """The price ladder of an item; empty where it has none."""
        return self.ladders.get(item_id, ())


def facts_of(work: Work, quote: Quote) -> Facts:
    """Three statements: the joined head, the items, their price breaks."""
    query = (
        sa.select(Account, Company, Site, Contact, ShipTo, Inquiry, User)
        .select_from(Quote)
        .join(Account, Account.id == Quote.account_id)
        .join(Company, Company.id == Quote.company_id)
        .join(Site, Site.id == Quote.site_id)
        .outerjoin(Contact, Contact.id == Quote.contact_id)
        .outerjoin(ShipTo, ShipTo.id == Quote.ship_to_id)
        .outerjoin(Inquiry, Inquiry.id == Quote.inquiry_id)
        .outerjoin(User, User.id == Quote.owner_id)
        .where(Quote.id == quote.id)
    )
    account, company, site, contact, ship_to, inquiry, owner = work.session.execute(query).one()
    ids = {line.item_id for line in quote.lines}
    items = {i.id: i for i in work.session.scalars(sa.select(Item).where(Item.id.in_(ids)))}
    return Facts(
        quote=quote,
        account=account,
        company=company,
        site=site,
        contact=contact,
        ship_to=ship_to,
        inquiry=inquiry,
        owner=owner,
        items=items,
        ladders=ladders_of(
            work.session, items.values(), account.price_list, quote.currency, work.today
        ),
    )


def ladders_of(
    session: Session, items: Collection[Item], price_list: str, currency: str, on: dt.date
) -> dict[int, tuple[Break, ...]]:
    """By item id, the breaks valid on a day; the newest row of a quantity wins."""
    ids = {item.no: item.id for item in items}
    query = (
        sa.select(PriceBreak)
        .where(
            PriceBreak.item_no.in_(ids),
            PriceBreak.price_list == price_list,
            PriceBreak.currency == currency,
            PriceBreak.valid_from <= on,
            sa.or_(PriceBreak.valid_to.is_(None), PriceBreak.valid_to >= on),
        )
        .order_by(PriceBreak.item_no, PriceBreak.valid_from, PriceBreak.id)
    )
    found: dict[int, list[Break]] = {}
    for row in session.scalars(query):
        found.setdefault(ids[row.item_no], []).append(Break(row.min_qty, row.unit_price))
    return {item_id: ladder(steps) for item_id, steps in found.items()}


def rates(work: Work, base: str) -> dict[str, Decimal]:
    """The group's base currency per unit, as valid today; ``base`` is 1 where no rate is stored.

    A second company of the group has a currency of its own, which is not the group's base.
    """
    return {base: Decimal(1)} | rates_on(work.session, work.today)
