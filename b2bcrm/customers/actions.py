"""What people do with accounts: create prospects, edit what is ours, log touches.

What the ERP owns is not edited here: the refusal says so. Not here: pulls (intake).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from b2bcrm.customers import events, queries
from b2bcrm.customers.linking import FIGURES, adopt, set_main
from b2bcrm.customers.models import Account, Contact, CustomerPart, ErpCustomer, Touch, TouchKind
from b2bcrm.kernel.actor import Right
from b2bcrm.kernel.database import Base
from b2bcrm.kernel.errors import Conflict, Invalid, NotAllowed, Refused, not_found
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.versions import check_version
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.sync.connections import of_company

OURS = frozenset({"owner_id", "language", "welcomes_early"})
"""Fields that people own on every account."""
PROSPECTS = OURS | frozenset(
    {
        "name",
        "short_name",
        "tax_id",
        "country",
        "city",
        "address",
        "currency",
        "price_list",
        "payment_terms",
        "incoterm",
        "incoterm_place",
        "customer_class",
        "welcomes_early",
    }
)
"""Fields that people own until the ERP knows the customer."""
_ERP_OWNED = Message("This is kept in the ERP; change it there.")


def create_prospect(
    work: Work,
    *,
    name: str,
    country: str,
    currency: str,
    price_list: str,
    contact_name: str = "",
    contact_email: str = "",
    **more: str,
) -> Account:
    """An account that the ERP does not know yet; it can be quoted like any other.

    ``more`` are further fields of ``PROSPECTS``. The person who creates it becomes its owner.
    """
    work.actor.must(Right.QUOTE)
    if not more.keys() <= PROSPECTS:
        raise TypeError(f"not a prospect's field: {sorted(more.keys() - PROSPECTS)}")
    company_id = work.session.scalar(sa.select(Company.id).order_by(Company.id).limit(1))
    if company_id is None:
        raise Conflict(Message("There is no company yet; set one up first."))
    account = Account(
        company_id=company_id,
        name=name,
        country=country,
        currency=currency,
        price_list=price_list,
        owner_id=work.actor.user_id,
        changed_at=work.now,
        changed_by=work.actor.name,
        **more,
    )
    work.session.add(account)
    work.session.flush()  # flush: the contact and the event need the account's id
    if contact_name:
        work.session.add(Contact(account_id=account.id, name=contact_name, email=contact_email))
    work.publish(
        events.ProspectCreated(
            subject_id=account.id, account_id=account.id, account_name=account.name
        )
    )
    return account


def change_account(
    work: Work, account_id: int, *, expected_version: int, changes: Mapping[str, Any]
) -> Account:
    """Edit fields of ``PROSPECTS``; for a customer of the ERP only those of ``OURS``.

    Unchanged values are let through, so that a whole form may be sent back.
    """
    work.actor.must(Right.QUOTE)
    account = _load(work, account_id, expected_version)
    if not changes.keys() <= PROSPECTS:
        raise TypeError(f"not an account's field: {sorted(changes.keys() - PROSPECTS)}")
    differing = {key: value for key, value in changes.items() if getattr(account, key) != value}
    locked = differing.keys() - OURS if account.erp_id is not None else frozenset[str]()
    if locked:
        raise Refused(_ERP_OWNED, code="erp_owned", fields=dict.fromkeys(locked, _ERP_OWNED))
    if differing:
        for key, value in differing.items():
            setattr(account, key, value)
        _changed(work, account)
        work.publish(events.AccountChanged(subject_id=account.id, account_id=account.id))
    return account


def link_to_erp(
    work: Work, account_id: int, *, expected_version: int, erp_id: str, take_over: bool = False
) -> Account:
    """A prospect gets the number under which the ERP knows it; the next pull fills in the rest.

    A customer that was pulled already is an account of its own: with ``take_over`` its facts
    are taken over and it goes, see ``linking``; else the number is refused as taken.
    """
    work.actor.must(Right.QUOTE)
    account = _load(work, account_id, expected_version)
    if account.erp_id is not None:
        raise Conflict(Message("The ERP knows this account as %(no)s already.", no=account.erp_id))
    connection = of_company(work, account.company_id)
    _link(work, account, connection, erp_id, take_over=take_over)
    _changed(work, account)
    work.publish(events.AccountLinked(subject_id=account.id, account_id=account.id, erp_id=erp_id))
    return account


def entered_in_erp(work: Work, account_id: int, *, connection: str, erp_id: str) -> None:
    """An ERP has entered the account as its customer; one that a pull brought first is taken over.

    Refused (``erp_id_taken``) where somebody has used that one meanwhile: a person links the two.
    """
    account = queries.by_id(work, account_id)
    customer = queries.erp_customers(work, connection, [erp_id]).get(erp_id)
    if customer is None or customer.account_id != account.id:
        _link(work, account, connection, erp_id, take_over=True)
        work.publish(
            events.AccountLinked(subject_id=account.id, account_id=account.id, erp_id=erp_id)
        )


def _link(work: Work, account: Account, connection: str, erp_id: str, *, take_over: bool) -> None:
    customer = queries.erp_customers(work, connection, [erp_id]).get(erp_id)
    if customer is None:
        customer = ErpCustomer(
            connection_code=connection,
            erp_id=erp_id,
            company_id=account.company_id,
            account_id=account.id,
            home_id=account.id,
            main=False,
            name=account.name,
            currency=account.currency,
            payment_terms=account.payment_terms,
            **{name: getattr(account, name) for name in FIGURES},
        )
        work.session.add(customer)
    elif not take_over:
        other = work.session.get_one(Account, customer.account_id)
        raise Refused(
            Message("%(no)s is the ERP number of %(account)s.", no=erp_id, account=other.name),
            code="erp_id_taken",
        )
    else:
        adopt(work, account, work.session.get_one(Account, customer.account_id))
    if not any(row.main for row in queries.erp_customers_of(work, account.id)):
        set_main(account, customer)


def add_contact(
    work: Work,
    account_id: int,
    *,
    name: str,
    email: str = "",
    phone: str = "",
    role: str = "",
    language: str = "",
) -> Contact:
    """A person whom the ERP does not know."""
    _staff(work)
    account = queries.by_id(work, account_id)
    contact = Contact(
        account_id=account.id, name=name, email=email, phone=phone, role=role, language=language
    )
    work.session.add(contact)
    work.session.flush()  # flush: callers need the contact's id
    work.publish(
        events.ContactAdded(subject_id=account.id, account_id=account.id, contact=contact.name)
    )
    return contact


def change_contact(
    work: Work, account_id: int, contact_id: int, *, changes: Mapping[str, str]
) -> Contact:
    """Edit a person of ours; one of the ERP's may only be given a language."""
    _staff(work)
    contact = queries.contact(work, account_id, contact_id)
    differing = {key: value for key, value in changes.items() if getattr(contact, key) != value}
    if contact.from_erp and differing.keys() - {"language"}:
        raise Refused(
            Message("This contact is kept in the ERP; change it there."), code="erp_owned"
        )
    if differing:
        for key, value in differing.items():
            setattr(contact, key, value)
        work.publish(
            events.ContactChanged(
                subject_id=account_id, account_id=account_id, contact=contact.name
            )
        )
    return contact


def remove_contact(work: Work, account_id: int, contact_id: int) -> None:
    """Remove a person of ours whom nothing names."""
    _staff(work)
    contact = queries.contact(work, account_id, contact_id)
    if contact.from_erp:
        raise Refused(
            Message("This contact is kept in the ERP; change it there."), code="erp_owned"
        )
    if referenced_contacts(work, [contact.id]):
        raise Refused(
            Message("Documents name this contact, so it cannot be removed."), code="in_use"
        )
    work.session.delete(contact)
    work.publish(
        events.ContactRemoved(subject_id=account_id, account_id=account_id, contact=contact.name)
    )


def referenced(work: Work, table_name: str, ids: list[int]) -> frozenset[int]:
    """Which rows of a table are named by a row of any other table, whatever the feature."""
    found = [
        sa.select(column).where(column.in_(ids))
        for table in Base.metadata.tables.values()
        for column in table.columns
        for key in column.foreign_keys
        if key.target_fullname == f"{table_name}.id"
    ]
    if not found or not ids:
        return frozenset()
    return frozenset(work.session.scalars(sa.union(*found)))


def referenced_contacts(work: Work, ids: list[int]) -> frozenset[int]:
    """Which contacts are named by an order, quote, inquiry, case, touch or login."""
    return referenced(work, "contact", ids)


def log_touch(
    work: Work,
    account_id: int,
    *,
    kind: TouchKind,
    subject: str,
    text: str = "",
    inbound: bool = False,
    at: dt.datetime | None = None,
    contact_id: int | None = None,
    order_id: int | None = None,
    quote_id: int | None = None,
    case_id: int | None = None,
) -> Touch:
    """Keep that we were in contact, tied to what it was about. ``at`` defaults to now.

    NotFound if the contact, order, quote or case is another account's; Invalid for the future.
    """
    _staff(work)
    account = queries.by_id(work, account_id)
    if at is not None and at > work.now:
        sentence = Message("This is in the future.")
        raise Invalid(sentence, code="touch_future", fields={"at": sentence})
    if contact_id is not None:
        queries.contact(work, account_id, contact_id)
    ties = {"order": order_id, "quote": quote_id, "case": case_id}
    for table_name, row_id in ties.items():
        _must_be_of(work, table_name, row_id, account.id)
    touch = Touch(
        account_id=account.id,
        contact_id=contact_id,
        user_id=work.actor.user_id,
        order_id=order_id,
        quote_id=quote_id,
        case_id=case_id,
        kind=kind,
        inbound=inbound,
        at=at or work.now,
        subject=subject,
        text=text,
    )
    work.session.add(touch)
    work.session.flush()  # flush: the event names the touch
    work.publish(
        events.TouchLogged(
            subject_id=account.id,
            account_id=account.id,
            order_id=order_id,
            touch_id=touch.id,
            kind=kind.value,
            touch_subject=subject,
        )
    )
    return touch


def set_customer_part(work: Work, account_id: int, *, item_id: int, part_no: str) -> None:
    """The customer's own number for an item; an empty one removes it.

    A number that the ERP sent is changed there.
    """
    work.actor.must(Right.QUOTE)
    account = queries.by_id(work, account_id)
    item = Base.metadata.tables["item"]
    item_no = work.session.scalar(sa.select(item.c.no).where(item.c.id == item_id))
    if item_no is None:
        raise not_found(Message("This item"))
    query = sa.select(CustomerPart).where(
        CustomerPart.account_id == account.id, CustomerPart.item_id == item_id
    )
    row = work.session.scalar(query)
    part_no = part_no.strip()
    if (row.part_no if row else "") == part_no:
        return
    if row is not None and row.from_erp:
        raise Refused(_ERP_OWNED, code="erp_owned", fields={"part_no": _ERP_OWNED})
    if row is None:
        work.session.add(CustomerPart(account_id=account.id, item_id=item_id, part_no=part_no))
    elif part_no:
        row.part_no = part_no
    else:
        work.session.delete(row)
    work.publish(
        events.CustomerPartSet(
            subject_id=account.id, account_id=account.id, item_no=item_no, part_no=part_no
        )
    )


def _staff(work: Work) -> None:
    if work.actor.is_portal:
        raise NotAllowed(Message("Your role does not allow this."))


def _load(work: Work, account_id: int, expected_version: int) -> Account:
    account = queries.by_id(work, account_id)
    check_version(account, expected_version, now=work.now)
    return account


def _changed(work: Work, account: Account) -> None:
    account.changed_at, account.changed_by = work.now, work.actor.name


def _must_be_of(work: Work, table_name: str, row_id: int | None, account_id: int) -> None:
    if row_id is None:
        return
    table = Base.metadata.tables[table_name]
    query = sa.select(table.c.id).where(table.c.id == row_id, table.c.account_id == account_id)
    if work.session.scalar(query) is None:
        raise not_found(_TIES[table_name])


_TIES = {
    "order": Message("This order"),
    "quote": Message("This quote"),
    "case": Message("This case"),
}
