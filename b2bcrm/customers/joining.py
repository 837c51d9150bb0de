"""One account, several customers of the ERPs: a person links them, and may undo it.

Linking moves the customer, not the documents: what was ordered under it stays where it is, what
comes later is the account's. The account it came from (its home) rests meanwhile, with its past.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from b2bcrm.customers import events, queries
from b2bcrm.customers.actions import referenced
from b2bcrm.customers.linking import CANDIDATES, KEPT, domains_of, set_main, weigh
from b2bcrm.customers.models import Account, Contact, ErpCustomer, ShipTo
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.errors import Conflict, not_found
from b2bcrm.kernel.matching import holds, starts
from b2bcrm.kernel.versions import check_version
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work


@dataclass(frozen=True)
class Joinable:
    """A customer of another account, and what the two have in common."""

    customer: ErpCustomer
    account: Account
    same_tax_id: bool
    same_domain: bool
    same_country: bool


def joinable(work: Work, account_id: int, words: str = "") -> list[Joinable]:
    """Customers that share a tax number or mail domain with the account, best evidence first.

    ``words`` finds others by number or name; a name alone proves nothing, so none is offered.
    """
    work.actor.must(Right.QUOTE)
    account = queries.by_id(work, account_id)
    ours = domains_of(work, [account.id]).get(account.id, frozenset())
    shared = [Account.tax_id == account.tax_id] if account.tax_id else []
    shared += [
        sa.exists().where(
            Contact.account_id == Account.id, Contact.email.iendswith(f"@{domain}", autoescape=True)
        )
        for domain in ours
    ]
    if words:
        shared = [starts(ErpCustomer.erp_id, words), holds(ErpCustomer.name, words)]
    if not shared:
        return []
    query = (
        sa.select(ErpCustomer, Account)
        .join(Account, Account.id == ErpCustomer.account_id)
        .where(
            ErpCustomer.account_id != account.id,
            ErpCustomer.account_id == ErpCustomer.home_id,
            ErpCustomer.active,
            sa.or_(*shared),
        )
        .order_by(ErpCustomer.erp_id)
        .limit(10 * CANDIDATES)
    )
    rows = work.session.execute(query).all()
    domains = domains_of(work, [other.id for _customer, other in rows])
    found = [
        Joinable(
            customer=customer,
            account=other,
            same_tax_id=bool(other.tax_id) and other.tax_id == account.tax_id,
            same_domain=bool(ours & domains.get(other.id, frozenset())),
            same_country=other.country == account.country,
        )
        for customer, other in rows
    ]
    found.sort(key=lambda row: (not row.same_tax_id, not row.same_domain, not row.same_country))
    return found[:CANDIDATES]


def join(work: Work, account_id: int, customer_id: int, *, expected_version: int) -> ErpCustomer:
    """The customer is the account's from now on. Conflict where a person has linked it already."""
    account, customer = _both(work, account_id, customer_id, expected_version)
    if customer.account_id == account.id or customer.account_id != customer.home_id:
        raise Conflict(
            Message("%(no)s is linked already; undo that first.", no=customer.erp_id),
            code="linked_already",
        )
    home = work.session.get_one(Account, customer.home_id)
    first = not queries.erp_customers_of(work, account.id)
    _leave(work, home, customer)
    customer.account_id = account.id
    if first:
        for column in Account.__table__.c:
            if column.name not in KEPT | {"company_id", "active", "other_light"}:
                setattr(account, column.name, getattr(home, column.name))
        set_main(account, customer)
    _bring_people(work, home, account, customer)
    _said(work, account, home, customer, linked=True)
    return customer


def part(work: Work, account_id: int, customer_id: int, *, expected_version: int) -> ErpCustomer:
    """Undo ``join``: the customer goes home. Sites that documents name stay, and so do people."""
    account, customer = _both(work, account_id, customer_id, expected_version)
    if customer.account_id != account.id or customer.home_id == account.id:
        raise Conflict(Message("Nobody has linked %(no)s to it.", no=customer.erp_id))
    home = work.session.get_one(Account, customer.home_id)
    _leave(work, account, customer)
    if not queries.erp_customers_of(work, account.id):
        account.erp_id, account.active = None, True
    customer.account_id = home.id
    home.active = True
    if not any(row.main for row in queries.erp_customers_of(work, home.id) if row is not customer):
        set_main(home, customer)
    for kind in (ShipTo, Contact):
        ids = list(
            work.session.scalars(
                sa.select(kind.id).where(
                    kind.account_id == account.id, kind.erp_customer_id == customer.id
                )
            )
        )
        named = referenced(work, kind.__tablename__, ids)
        work.session.execute(sa.delete(kind).where(kind.id.in_(set(ids) - named)))
        values = {"erp_customer_id": None} | ({"from_erp": False} if kind is Contact else {})
        work.session.execute(sa.update(kind).where(kind.id.in_(named)).values(**values))
    _said(work, account, home, customer, linked=False)
    return customer


def make_main(
    work: Work, account_id: int, customer_id: int, *, expected_version: int
) -> ErpCustomer:
    """Show this number and its credit for the account, and prefer it for new orders."""
    account, customer = _both(work, account_id, customer_id, expected_version)
    mine = queries.erp_customers_of(work, account.id)
    if customer not in mine:
        raise not_found(Message("This ERP customer"))
    for row in mine:
        row.main = False
    set_main(account, customer)
    work.session.flush()  # flush: the others' light is read from the rows
    weigh(work, {account.id})
    work.publish(
        events.MainErpCustomer(subject_id=account.id, account_id=account.id, erp_id=customer.erp_id)
    )
    return customer


def around(work: Work, account_id: int) -> tuple[Sequence[ErpCustomer], Sequence[ErpCustomer]]:
    """The account's customers, the main one first, and those whose home it was: one look."""
    query = sa.select(ErpCustomer).where(
        sa.or_(ErpCustomer.account_id == account_id, ErpCustomer.home_id == account_id)
    )
    order = (ErpCustomer.main.desc(), ErpCustomer.connection_code, ErpCustomer.erp_id)
    rows = work.session.scalars(query.order_by(*order)).all()
    own = [row for row in rows if row.account_id == account_id]
    return own, [row for row in rows if row.account_id != account_id]


def _both(
    work: Work, account_id: int, customer_id: int, expected_version: int
) -> tuple[Account, ErpCustomer]:
    work.actor.must(Right.QUOTE)
    account = queries.by_id(work, account_id)
    check_version(account, expected_version, now=work.now)
    customer = work.session.get(ErpCustomer, customer_id, with_for_update=True)
    if customer is None:
        raise not_found(Message("This ERP customer"))
    account.changed_at, account.changed_by = work.now, work.actor.name
    return account, customer


def _leave(work: Work, account: Account, customer: ErpCustomer) -> None:
    """The account goes on with another of its customers as main, or rests with its number."""
    rest = [row for row in queries.erp_customers_of(work, account.id) if row is not customer]
    if not rest:
        account.active = False
    elif customer.main:
        set_main(account, rest[0])
    customer.main = False


def _bring_people(work: Work, home: Account, account: Account, customer: ErpCustomer) -> None:
    """Its sites and contacts, as copies: documents of its home go on naming the originals."""
    unsaid = home.erp_id == customer.erp_id  # what names no customer is the main one's
    sites = work.session.scalars(sa.select(ShipTo).where(ShipTo.account_id == home.id)).all()
    people = work.session.scalars(
        sa.select(Contact).where(Contact.account_id == home.id, Contact.from_erp)
    ).all()
    rows: list[ShipTo | Contact] = [*sites, *people]
    for row in rows:
        if row.erp_customer_id == customer.id or (row.erp_customer_id is None and unsaid):
            row.erp_customer_id = customer.id
            copied = {
                name: getattr(row, name)
                for name in row.__table__.c.keys()  # noqa: SIM118 - a collection of columns
                if name not in {"id", "account_id"}
            }
            work.session.add(type(row)(account_id=account.id, **copied))


def _said(
    work: Work, account: Account, home: Account, customer: ErpCustomer, *, linked: bool
) -> None:
    work.session.flush()  # flush: the others' light is read from the rows
    weigh(work, {account.id, home.id})
    for one, other in ((account, home), (home, account)):
        work.publish(
            events.ErpCustomerLinked(
                subject_id=one.id,
                account_id=one.id,
                erp_id=customer.erp_id,
                other=other.name,
                linked=linked,
                here=one is account,
            )
        )
