"""Every SELECT on accounts. Each starts from ``visible_to``: a buyer sees his own account only."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import selectinload

from b2bcrm.customers.models import (
    Account,
    Contact,
    CustomerPart,
    ErpCustomer,
    ShipTo,
    Touch,
    TouchKind,
)
from b2bcrm.kernel.actor import Actor
from b2bcrm.kernel.database import STATEMENTS, Base
from b2bcrm.kernel.errors import not_found
from b2bcrm.kernel.matching import holds, starts
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work


@dataclass(frozen=True)
class AccountHit:
    """A found account, for pickers."""

    id: int
    name: str
    short_name: str
    erp_id: str | None
    country: str
    currency: str


@dataclass(frozen=True)
class PartRow:
    """A customer's own number beside our item."""

    id: int
    item_id: int
    item_no: str
    item_name: str
    name_zh_hant: str
    name_zh_hans: str
    part_no: str
    from_erp: bool

    def name_in(self, locale: str) -> str:
        """The item's name in the reader's language."""
        names = {"zh_Hant": self.name_zh_hant, "zh_Hans": self.name_zh_hans}
        return names.get(locale) or self.item_name


class TouchRow(NamedTuple):
    """A touch with the names and numbers that a timeline shows; ``at`` is when we were in touch."""

    id: int
    at: dt.datetime
    kind: TouchKind
    inbound: bool
    subject: str
    text: str
    contact_name: str
    user_name: str
    order_no: str
    quote_no: str
    case_no: str


def visible_to(actor: Actor) -> sa.Select[Account]:
    """The accounts that ``actor`` may know of: all for staff, one for a buyer."""
    query = sa.select(Account)
    if actor.is_portal:
        query = query.where(Account.id == actor.account_id)
    return query


def visible_ids(actor: Actor) -> sa.Select[int]:
    """The same as ids, for IN."""
    return visible_to(actor).with_only_columns(Account.id)


def by_id(work: Work, account_id: int, *, with_people: bool = False) -> Account:
    """The account, or NotFound; ``with_people`` also loads its contacts and ship-to sites."""
    query = visible_to(work.actor).where(Account.id == account_id)
    if with_people:
        query = query.options(selectinload(Account.contacts), selectinload(Account.ship_tos))
    account = work.session.scalar(query)
    if account is None:
        raise not_found(Message("This account"))
    return account


def erp_customers(work: Work, connection: str, erp_ids: Collection[str]) -> dict[str, ErpCustomer]:
    """The customers of one ERP by its numbers, those that are known, whoever's they are."""
    query = sa.select(ErpCustomer).where(
        ErpCustomer.connection_code == connection, ErpCustomer.erp_id.in_(erp_ids)
    )
    return {row.erp_id: row for row in work.session.scalars(query)} if erp_ids else {}


def erp_customers_of(work: Work, account_id: int) -> Sequence[ErpCustomer]:
    """What an account is in the ERPs, the main one first."""
    query = sa.select(ErpCustomer).where(ErpCustomer.account_id == account_id)
    order = (ErpCustomer.main.desc(), ErpCustomer.connection_code, ErpCustomer.erp_id)
    return work.session.scalars(query.order_by(*order)).all()


def erp_customer_for(
    work: Work, account_id: int, *, connection: str, company_id: int, ship_to_id: int | None
) -> ErpCustomer | None:
    """Under which customer of an ERP an order of one of our companies is entered.

    The one that the ship-to site belongs to, else the main one, else the oldest. An account whose
    customers another account has taken over still has its own.
    """
    whose = sa.select(ShipTo.erp_customer_id).where(ShipTo.id == ship_to_id).scalar_subquery()
    query = sa.select(ErpCustomer).where(
        ErpCustomer.connection_code == connection,
        ErpCustomer.company_id == company_id,
        ErpCustomer.active,
        sa.or_(ErpCustomer.account_id == account_id, ErpCustomer.home_id == account_id),
    )
    nearest = sa.case(
        (sa.and_(ErpCustomer.id == whose, ErpCustomer.account_id == account_id), 0),
        (sa.and_(ErpCustomer.main, ErpCustomer.account_id == account_id), 1),
        (ErpCustomer.account_id == account_id, 2),
        else_=3,
    )
    return work.session.scalar(query.order_by(nearest, ErpCustomer.id).limit(1))


def search(work: Work, text: str, *, limit: int = 20) -> Sequence[AccountHit]:
    """Accounts whose name has, or whose ERP number begins with, ``text``; best first."""
    begins = sa.or_(
        starts(Account.name, text), starts(Account.short_name, text), starts(Account.erp_id, text)
    )
    found = sa.or_(begins, holds(Account.name, text), holds(Account.short_name, text))
    query = (
        visible_to(work.actor)
        .with_only_columns(
            Account.id,
            Account.name,
            Account.short_name,
            Account.erp_id,
            Account.country,
            Account.currency,
        )
        .where(Account.active, found)
        .order_by(sa.case((begins, 0), else_=1), Account.name)
        .limit(limit)
    )
    return [AccountHit(*row) for row in work.session.execute(query)]


def contacts_of(work: Work, account_id: int) -> Sequence[Contact]:
    """The account's people, by name."""
    query = sa.select(Contact).where(
        Contact.account_id == account_id, Contact.account_id.in_(visible_ids(work.actor))
    )
    return work.session.scalars(query.order_by(Contact.name, Contact.id)).all()


def contact(work: Work, account_id: int, contact_id: int) -> Contact:
    """One person of the account, or NotFound."""
    query = sa.select(Contact).where(
        Contact.id == contact_id,
        Contact.account_id == account_id,
        Contact.account_id.in_(visible_ids(work.actor)),
    )
    found = work.session.scalar(query)
    if found is None:
        raise not_found(Message("This contact"))
    return found


def ship_tos_of(work: Work, account_id: int) -> Sequence[ShipTo]:
    """The account's receiving sites."""
    query = sa.select(ShipTo).where(
        ShipTo.account_id == account_id, ShipTo.account_id.in_(visible_ids(work.actor))
    )
    return work.session.scalars(query.order_by(ShipTo.code)).all()


def parts_of(work: Work, account_id: int) -> Sequence[PartRow]:
    """The customer's own part numbers with our items."""
    item = Base.metadata.tables["item"]
    query = (
        sa.select(
            CustomerPart.id,
            CustomerPart.item_id,
            item.c.no,
            item.c.name,
            item.c.name_zh_hant,
            item.c.name_zh_hans,
            CustomerPart.part_no,
            CustomerPart.from_erp,
        )
        .join(item, item.c.id == CustomerPart.item_id)
        .where(
            CustomerPart.account_id == account_id,
            CustomerPart.account_id.in_(visible_ids(work.actor)),
        )
        .order_by(CustomerPart.part_no)
    )
    return [PartRow(*row) for row in work.session.execute(query)]


def part_numbers(work: Work, account_id: int) -> dict[int, str]:
    """The customer's own number by item id."""
    query = sa.select(CustomerPart.item_id, CustomerPart.part_no).where(
        CustomerPart.account_id == account_id,
        CustomerPart.account_id.in_(visible_ids(work.actor)),
    )
    return dict(work.session.execute(query).all())


def touches(
    work: Work,
    *,
    account_id: int | None = None,
    order_id: int | None = None,
    limit: int = 40,
) -> Sequence[TouchRow]:
    """Contacts with the customer, newest first, of an account or of one order."""
    query = _touches(work.actor, of_account=account_id is not None, of_order=order_id is not None)
    values = {"account_id": account_id, "order_id": order_id, "take": limit}
    return [TouchRow._make(row) for row in work.rows(query, values)]


@lru_cache(maxsize=STATEMENTS)
def _touches(actor: Actor, *, of_account: bool, of_order: bool) -> Any:
    tables = Base.metadata.tables
    order, quote, case, user = (tables[name] for name in ("order", "quote", "case", "user"))
    query = (
        sa.select(
            Touch.id,
            Touch.at,
            Touch.kind,
            Touch.inbound,
            Touch.subject,
            Touch.text,
            sa.func.coalesce(Contact.name, ""),
            sa.func.coalesce(user.c.name, ""),
            sa.func.coalesce(order.c.no, ""),
            sa.func.coalesce(quote.c.no, ""),
            sa.func.coalesce(case.c.no, ""),
        )
        .outerjoin(Contact, Contact.id == Touch.contact_id)
        .outerjoin(user, user.c.id == Touch.user_id)
        .outerjoin(order, order.c.id == Touch.order_id)
        .outerjoin(quote, quote.c.id == Touch.quote_id)
        .outerjoin(case, case.c.id == Touch.case_id)
        .where(Touch.account_id.in_(visible_ids(actor)))
        .order_by(Touch.at.desc(), Touch.id.desc())
        .limit(sa.bindparam("take"))
    )
    if of_account:
        query = query.where(Touch.account_id == sa.bindparam("account_id"))
    if of_order:
        query = query.where(Touch.order_id == sa.bindparam("order_id"))
    return query
