"""Ship-to sites and contacts of pulled customers: each follows its own ERP customer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa

from b2bcrm.customers.actions import referenced, referenced_contacts
from b2bcrm.customers.models import Contact, ErpCustomer, ShipTo
from b2bcrm.kernel.database import Base
from b2bcrm.kernel.work import Work
from b2bcrm.ports import erp

Values = dict[str, Any]
Owned = TypeVar("Owned", ShipTo, Contact)
SHIP_TO = "ship_to"


def _belongings(
    work: Work, kind: type[Owned], people: Sequence[tuple[ErpCustomer, erp.Customer]]
) -> list[tuple[ErpCustomer, Owned]]:
    """Rows of these customers' accounts with the customer that each belongs to.

    What says no customer belongs to the main one; people whom we added ourselves are no
    customer's, but one whom the ERP comes to know is found by his address.
    """
    by_id = {row.id: row for row, _record in people}
    mains = {row.account_id: row for row, _record in people if row.main}
    accounts = {row.account_id for row, _record in people}
    rows = work.session.scalars(
        sa.select(kind).where(kind.account_id.in_(accounts)).order_by(kind.id)
    )
    found = []
    for row in rows:
        whose = row.erp_customer_id
        customer = mains.get(row.account_id) if whose is None else by_id.get(whose)
        if customer is not None and customer.account_id == row.account_id:
            found.append((customer, row))
    return found


def sync_ship_tos(work: Work, people: Sequence[tuple[ErpCustomer, erp.Customer]]) -> int:
    """The ERP's sites; one it no longer has goes, unless a document names it."""
    session = work.session
    wanted: dict[tuple[int, int, str], Values] = {
        (customer.account_id, customer.id, address.code): {
            "erp_customer_id": customer.id,
            "name": address.name,
            "street": address.street,
            "city": address.city,
            "country": address.country,
            "receiving_days": address.receiving_days,
            "transit_days": address.transit_days,
        }
        for customer, record in people
        for address in record.addresses
        if address.kind == SHIP_TO
    }
    stored = {
        (row.account_id, customer.id, row.code): row
        for customer, row in _belongings(work, ShipTo, people)
    }
    changed = update_rows(stored, wanted)
    new = [
        {"account_id": account_id, "code": code, **values}
        for (account_id, customer_id, code), values in wanted.items()
        if (account_id, customer_id, code) not in stored
    ]
    if new:
        session.execute(sa.insert(ShipTo), new)
    absent = [row.id for key, row in stored.items() if key not in wanted]
    unused = sorted(set(absent) - referenced(work, "ship_to", absent))
    if unused:
        session.execute(sa.delete(ShipTo).where(ShipTo.id.in_(unused)))
    return changed + len(new) + len(unused)


def _person(name: str, email: str) -> str:
    """What makes two contacts of an account the same person: the address, else the name."""
    return email.strip().lower() or name.strip()


def sync_contacts(work: Work, people: Sequence[tuple[ErpCustomer, erp.Customer]]) -> int:
    """The ERP's contacts; one it no longer has goes, or becomes ours if a document names it."""
    session = work.session
    wanted: dict[tuple[int, int, str], Values] = {
        (customer.account_id, customer.id, _person(info.name, info.email)): {
            "erp_customer_id": customer.id,
            "name": info.name,
            "email": info.email,
            "phone": info.phone,
            "role": info.role,
            "from_erp": True,
        }
        for customer, record in people
        for info in record.contacts
    }
    stored: dict[tuple[int, int, str], Contact] = {}
    rows = _belongings(work, Contact, people)
    for customer, row in sorted(rows, key=lambda pair: not pair[1].from_erp):
        stored.setdefault((row.account_id, customer.id, _person(row.name, row.email)), row)
    changed = update_rows(stored, wanted)
    new = [
        {"account_id": account_id, **values}
        for (account_id, customer_id, person), values in wanted.items()
        if (account_id, customer_id, person) not in stored
    ]
    if new:
        session.execute(sa.insert(Contact), new)
    absent = [row for key, row in stored.items() if row.from_erp and key not in wanted]
    named = referenced_contacts(work, [row.id for row in absent])
    for row in absent:
        if row.id in named:
            row.from_erp, row.erp_customer_id = False, None
        else:
            session.delete(row)
    return changed + len(new) + len(absent)


def update_rows(stored: Mapping[Any, Base], wanted: Mapping[Any, Values]) -> int:
    """Set what differs on rows that are stored; how many rows differed."""
    changed = 0
    for key, row in stored.items():
        values = wanted.get(key, {})
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        for name, value in differing.items():
            setattr(row, name, value)
        # Whose it is may be learned after the first pull; that alone is no change.
        changed += bool(differing.keys() - {"erp_customer_id"})
    return changed
