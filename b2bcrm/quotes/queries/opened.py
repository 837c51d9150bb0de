"""One quote with all its revisions, as a page shows it: two statements and the price breaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from b2bcrm.catalog.models import Item
from b2bcrm.customers.models import Account, Contact, ShipTo
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.organization import Company, Site
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.quotes.models import Inquiry, Quote, QuoteLine
from b2bcrm.quotes.queries.facts import Facts, ladders_of
from b2bcrm.quotes.queries.quotes import visible_to
from b2bcrm.users.models import User


@dataclass(frozen=True)
class Opened:
    """The revision shown, all that the reader may see, and the one it is compared with."""

    facts: Facts
    revisions: Sequence[Quote]
    against: Quote | None

    @property
    def quote(self) -> Quote:
        """The revision shown."""
        return self.facts.quote

    @property
    def newest(self) -> Quote:
        """The last revision that the reader may see."""
        return self.revisions[-1]


def opened(work: Work, no: str, *, revision: str = "", against: str = "") -> Opened:
    """The quote numbered ``no``; NotFound if absent or another account's.

    ``revision`` and ``against`` are letters; the newest and the one before it by default.
    """
    query = (
        visible_to(work.actor)
        .add_columns(Account, Company, Site, Contact, ShipTo, Inquiry, User)
        .join(Account, Account.id == Quote.account_id)
        .join(Company, Company.id == Quote.company_id)
        .join(Site, Site.id == Quote.site_id)
        .outerjoin(Contact, Contact.id == Quote.contact_id)
        .outerjoin(ShipTo, ShipTo.id == Quote.ship_to_id)
        .outerjoin(Inquiry, Inquiry.id == Quote.inquiry_id)
        .outerjoin(User, User.id == Quote.owner_id)
        .where(Quote.no == no)
        .order_by(Quote.rev)
    )
    rows = [tuple(row) for row in work.session.execute(query)]
    shown = [row for row in rows if revision in {"", row[0].letter}]
    if not shown:
        raise not_found(Message("This quote"))
    quote, account, company, site, contact, ship_to, inquiry, owner = shown[-1]
    revisions = [row[0] for row in rows]
    other = _against(revisions, quote, against)
    items = _lines(work.session, [quote] if other is None else [quote, other])
    return Opened(
        facts=Facts(
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
        ),
        revisions=revisions,
        against=other,
    )


def _against(revisions: Sequence[Quote], quote: Quote, letter: str) -> Quote | None:
    named = [r for r in revisions if r.letter == letter and r is not quote]
    before = [r for r in revisions if r.rev < quote.rev]
    return next(iter(named), before[-1] if before else None)


def _lines(session: Session, quotes: Sequence[Quote]) -> dict[int, Item]:
    """Load the lines of some revisions in one statement; answers their items."""
    query = (
        sa.select(QuoteLine, Item)
        .join(Item, Item.id == QuoteLine.item_id)
        .where(QuoteLine.quote_id.in_([quote.id for quote in quotes]))
        .order_by(QuoteLine.line_no)
    )
    found: dict[int, list[QuoteLine]] = {quote.id: [] for quote in quotes}
    items: dict[int, Item] = {}
    for line, item in session.execute(query):
        found[line.quote_id].append(line)
        items[item.id] = item
    for quote in quotes:
        set_committed_value(quote, "lines", found[quote.id])
    return items


@dataclass(frozen=True)
class People:
    """Choices for the terms: (id, text) pairs of the account's contacts and ship-to sites."""

    contacts: Sequence[tuple[int, str]]
    ship_tos: Sequence[tuple[int, str]]


def people_of(session: Session, account_id: int) -> People:
    """One statement."""
    contacts = sa.select(
        sa.literal("contact"), Contact.id, Contact.name.label("a"), Contact.email.label("b")
    ).where(Contact.account_id == account_id)
    ship_tos = sa.select(sa.literal("ship_to"), ShipTo.id, ShipTo.name, ShipTo.city).where(
        ShipTo.account_id == account_id
    )
    found: dict[str, list[tuple[int, str]]] = {"contact": [], "ship_to": []}
    for kind, row_id, name, more in session.execute(
        sa.union_all(contacts, ship_tos).order_by("a", "b")
    ):
        found[kind].append((row_id, f"{name}, {more}" if more else name))
    return People(found["contact"], found["ship_to"])
