"""A prospect that the ERP knows: evidence for people, and taking a pulled customer over.

Never by name. A customer that was pulled before anybody linked it has become an account of its
own; linking takes its number and its facts over and removes it, as long as nothing names it.
Several ERP customers of one account are ``joining``'s.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.customers import events, queries
from b2bcrm.customers.models import (
    LIGHTS,
    Account,
    Contact,
    CustomerPart,
    ErpCustomer,
    ShipTo,
)
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.database import Base
from b2bcrm.kernel.errors import Refused
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

ITS_OWN = (ShipTo, Contact, CustomerPart)
FIGURES = ("credit_limit", "credit_used", "overdue_amount", "credit_hold", "credit_as_of")
KEPT = frozenset(
    {"id", "erp_id", "owner_id", "language", "changed_at", "changed_by", "version", "sales_rep"}
)
CANDIDATES = 20


@dataclass(frozen=True)
class Candidate:
    """A customer of the ERP that nobody has linked, and what it shares with the account."""

    account_id: int
    erp_id: str
    name: str
    city: str
    country: str
    same_tax_id: bool
    same_domain: bool
    same_country: bool


def candidates(work: Work, account_id: int, words: str = "") -> list[Candidate]:
    """Pulled customers without any documents, best evidence first; ``words`` narrows by name or
    number. Who decides sees why, nothing is decided here.
    """
    work.actor.must(Right.QUOTE)
    account = queries.by_id(work, account_id)
    ours = domains_of(work, [account.id]).get(account.id, frozenset())
    query = sa.select(Account).where(Account.erp_id.is_not(None), Account.active, ~_named())
    if words:
        found = f"%{words}%"
        query = query.where(sa.or_(Account.name.ilike(found), Account.erp_id.ilike(found)))
    rows = work.session.scalars(query.order_by(Account.erp_id)).all()
    domains = domains_of(work, [row.id for row in rows])
    listed = [
        Candidate(
            account_id=row.id,
            erp_id=row.erp_id or "",
            name=row.name,
            city=row.city,
            country=row.country,
            same_tax_id=bool(row.tax_id) and row.tax_id == account.tax_id,
            same_domain=bool(ours & domains.get(row.id, frozenset())),
            same_country=row.country == account.country,
        )
        for row in rows
    ]
    listed.sort(key=lambda c: (not c.same_tax_id, not c.same_domain, not c.same_country))
    return listed[:CANDIDATES]


def adopt(work: Work, account: Account, other: Account) -> None:
    """Give ``account`` the number and the ERP's facts of a pulled account that nothing names.

    Refused where documents name it: two customers' histories are not mixed.
    """
    if work.session.scalar(sa.select(Account.id).where(Account.id == other.id, _named())):
        raise Refused(
            Message(
                "%(no)s is the ERP number of %(account)s, which has documents of its own.",
                no=other.erp_id,
                account=other.name,
            ),
            code="erp_id_taken",
        )
    erp_id = other.erp_id or ""
    work.session.execute(
        sa.update(ErpCustomer)
        .where(ErpCustomer.account_id == other.id)
        .values(account_id=account.id, home_id=account.id)
    )
    facts = {c.name: getattr(other, c.name) for c in Account.__table__.c if c.name not in KEPT}
    ours = set(work.session.scalars(sa.select(ShipTo.code).where(ShipTo.account_id == account.id)))
    work.session.execute(
        sa.update(ShipTo)
        .where(ShipTo.account_id == other.id, ShipTo.code.not_in(ours))
        .values(account_id=account.id)
    )
    work.session.execute(
        sa.update(Contact).where(Contact.account_id == other.id).values(account_id=account.id)
    )
    known = sa.select(CustomerPart.item_id).where(CustomerPart.account_id == account.id)
    work.session.execute(
        sa.update(CustomerPart)
        .where(CustomerPart.account_id == other.id, CustomerPart.item_id.not_in(known))
        .values(account_id=account.id)
    )
    for table in ITS_OWN:
        work.session.execute(sa.delete(table).where(table.account_id == other.id))
    work.session.expunge(other)
    work.session.execute(sa.delete(Account).where(Account.id == other.id))
    for name, value in facts.items():
        setattr(account, name, value)
    account.erp_id = erp_id
    work.publish(
        events.AccountAdopted(
            subject_id=account.id, account_id=account.id, erp_id=erp_id, was=other.name
        )
    )


def _named() -> sa.ColumnElement[bool]:
    """Whether a row of another table, beyond what belongs to the account itself, names it."""
    own = {table.__tablename__ for table in (*ITS_OWN, ErpCustomer)}
    found = [
        sa.exists().where(column == Account.id)
        for table in Base.metadata.tables.values()
        if table.name not in own
        for column in table.columns
        for key in column.foreign_keys
        if key.target_fullname == "account.id"
    ]
    return sa.or_(*found)


def domains_of(work: Work, ids: list[int]) -> dict[int, frozenset[str]]:
    """The mail domains of accounts' contacts."""
    query = sa.select(Contact.account_id, Contact.email).where(
        Contact.account_id.in_(ids), Contact.email.contains("@")
    )
    found: dict[int, set[str]] = {}
    for account_id, email in work.session.execute(query):
        found.setdefault(account_id, set()).add(email.rpartition("@")[2].lower())
    return {account_id: frozenset(domains) for account_id, domains in found.items()}


def set_main(account: Account, customer: ErpCustomer) -> None:
    """Its number and credit are what lists and papers show of the account."""
    customer.main = True
    account.erp_id = customer.erp_id
    for name in FIGURES:
        setattr(account, name, getattr(customer, name))


def weigh(work: Work, account_ids: Collection[int]) -> None:
    """Bring the worst light of accounts' other ERP customers up to date."""
    if not account_ids:
        return
    query = sa.select(ErpCustomer).where(
        ErpCustomer.account_id.in_(account_ids), ~ErpCustomer.main, ErpCustomer.active
    )
    lights: dict[int, list[str]] = {account_id: ["ok"] for account_id in account_ids}
    for row in work.session.scalars(query):
        lights[row.account_id].append(row.own_light())
    for account_id, found in lights.items():
        work.session.execute(
            sa.update(Account)
            .where(Account.id == account_id)
            .values(other_light=max(found, key=LIGHTS.index), version=Account.version)
        )
