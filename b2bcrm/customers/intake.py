"""The ERP's customers become accounts with contacts, ship-to sites, credit and part numbers.

Owned by the ERP: names, addresses, terms, credit, its contacts and its part numbers. Owned by
us and never overwritten: owner, language after the first pull, contacts we added. Applying the
same page twice changes nothing the second time. The account's version is left alone, so that a
pull never makes a person's open form stale: the two own different fields.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from b2bcrm.customers.actions import referenced, referenced_contacts
from b2bcrm.customers.events import AccountLinked
from b2bcrm.customers.models import Account, Contact, CustomerPart, ShipTo
from b2bcrm.kernel.database import Base
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import LOCALES, Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports import erp
from b2bcrm.sync.appliers import Applied

Values = dict[str, Any]
BILL_TO, SHIP_TO = "bill_to", "ship_to"


def apply_customers(work: Work, records: Sequence[erp.Customer]) -> Applied:
    """Upsert by ERP number; a prospect with the same tax number and country becomes the customer.

    A customer that the ERP deleted stays, inactive: its orders remain.
    """
    session = work.session
    companies: dict[str, int] = dict(
        session.execute(sa.select(Company.erp_company, Company.id).order_by(Company.id)).all()
    )
    only = next(iter(companies.values()), None)
    parked: list[tuple[str, Message]] = []
    live: dict[str, tuple[int, erp.Customer]] = {}
    gone: set[str] = set()
    for record in records:
        company_id = companies.get(record.company) if record.company else only
        if record.deleted:
            gone.add(record.erp_id)
        elif company_id is None:
            reason = Message("The ERP company %(company)s is not known.", company=record.company)
            parked.append((record.erp_id, reason))
        else:
            live[record.erp_id] = (company_id, record)
    changed = _adopt_prospects(work, live)
    changed += _upsert_accounts(work, live)
    if gone:
        retire = sa.update(Account).where(Account.erp_id.in_(gone), Account.active)
        changed += len(session.scalars(retire.values(active=False).returning(Account.id)).all())
    ids = dict(
        session.execute(sa.select(Account.erp_id, Account.id).where(Account.erp_id.in_(live))).all()
    )
    people = {ids[erp_id]: record for erp_id, (_company, record) in live.items()}
    changed += _sync_ship_tos(work, people)
    changed += _sync_contacts(work, people)
    return Applied(changed, tuple(parked))


def _adopt_prospects(work: Work, live: Mapping[str, tuple[int, erp.Customer]]) -> int:
    """Give a prospect its ERP number when tax number and country are the same and unique."""
    by_tax = {
        (record.tax_id, record.country): erp_id
        for erp_id, (_company, record) in live.items()
        if record.tax_id
    }
    if not by_tax:
        return 0
    session = work.session
    prospects = session.execute(
        sa.select(Account.id, Account.tax_id, Account.country).where(
            Account.erp_id.is_(None), Account.tax_id.in_([tax for tax, _country in by_tax])
        )
    ).all()
    if not prospects:
        return 0
    known = set(session.scalars(sa.select(Account.erp_id).where(Account.erp_id.in_(live))))
    candidates: dict[str, list[int]] = defaultdict(list)
    for account_id, tax_id, country in prospects:
        if erp_id := by_tax.get((tax_id, country)):
            candidates[erp_id].append(account_id)
    adopted = 0
    for erp_id, ids in candidates.items():
        if erp_id in known or len(ids) > 1:
            continue
        session.execute(sa.update(Account).where(Account.id == ids[0]).values(erp_id=erp_id))
        work.publish(
            AccountLinked(subject_id=ids[0], account_id=ids[0], erp_id=erp_id, by_tax_id=True)
        )
        adopted += 1
    return adopted


def _account_values(company_id: int, record: erp.Customer) -> Values:
    bill_to = next((a for a in record.addresses if a.kind == BILL_TO), None) or next(
        iter(record.addresses), None
    )
    return {
        "company_id": company_id,
        "name": record.name,
        "short_name": record.short_name,
        "tax_id": record.tax_id,
        "country": record.country,
        "city": bill_to.city if bill_to else "",
        "address": bill_to.street if bill_to else "",
        "currency": record.currency,
        "price_list": record.price_list,
        "payment_terms": record.payment_terms,
        "incoterm": record.incoterm,
        "incoterm_place": record.incoterm_place,
        "customer_class": record.customer_class,
        "credit_limit": record.credit_limit,
        "credit_used": record.credit_used,
        "overdue_amount": record.overdue_amount,
        "credit_hold": record.credit_hold,
        "partial_delivery": record.partial_delivery,
        "sales_rep": record.sales_rep,
        "active": True,
    }


def _upsert_accounts(work: Work, live: Mapping[str, tuple[int, erp.Customer]]) -> int:
    if not live:
        return 0
    session = work.session
    wanted = {erp_id: _account_values(*found) for erp_id, found in live.items()}
    names = list(next(iter(wanted.values())))
    table = Account.__table__
    query = sa.select(Account.id, Account.erp_id, *(table.c[name] for name in names))
    stored = {
        row[1]: (row[0], dict(zip(names, row[2:], strict=True)))
        for row in session.execute(query.where(Account.erp_id.in_(wanted)))
    }
    new = [
        {
            "erp_id": erp_id,
            **values,
            "language": _language(live[erp_id][1]),
            "credit_as_of": work.now,
            "version": 1,
        }
        for erp_id, values in wanted.items()
        if erp_id not in stored
    ]
    differing = [
        {"row_id": stored[erp_id][0], **values}
        for erp_id, values in wanted.items()
        if erp_id in stored and stored[erp_id][1] != values
    ]
    if new:
        session.execute(sa.insert(Account), new)
    if differing:
        session.execute(
            sa.update(table)  # type: ignore[arg-type]
            .where(table.c.id == sa.bindparam("row_id"))
            .values({name: sa.bindparam(name) for name in names}),
            differing,
        )
    session.execute(
        sa.update(Account)
        .where(Account.id.in_([row_id for row_id, _values in stored.values()]))
        .values(credit_as_of=work.now, version=Account.version)
        .execution_options(synchronize_session=False)
    )
    session.expire_all()
    return len(new) + len(differing)


def _language(record: erp.Customer) -> str:
    return record.language if record.language in LOCALES else "en"


def _sync_ship_tos(work: Work, people: Mapping[int, erp.Customer]) -> int:
    session = work.session
    wanted: dict[tuple[int, str], Values] = {
        (account_id, address.code): {
            "name": address.name,
            "street": address.street,
            "city": address.city,
            "country": address.country,
            "receiving_days": address.receiving_days,
            "transit_days": address.transit_days,
        }
        for account_id, record in people.items()
        for address in record.addresses
        if address.kind == SHIP_TO
    }
    rows = session.scalars(sa.select(ShipTo).where(ShipTo.account_id.in_(people)))
    stored = {(row.account_id, row.code): row for row in rows}
    changed = _update_rows(stored, wanted)
    new = [
        {"account_id": account_id, "code": code, **values}
        for (account_id, code), values in wanted.items()
        if (account_id, code) not in stored
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


def _sync_contacts(work: Work, people: Mapping[int, erp.Customer]) -> int:
    """The ERP's contacts; one it no longer has goes, or becomes ours if a document names it."""
    session = work.session
    wanted: dict[tuple[int, str], Values] = {
        (account_id, _person(info.name, info.email)): {
            "name": info.name,
            "email": info.email,
            "phone": info.phone,
            "role": info.role,
            "from_erp": True,
        }
        for account_id, record in people.items()
        for info in record.contacts
    }
    query = sa.select(Contact).where(Contact.account_id.in_(people))
    stored: dict[tuple[int, str], Contact] = {}
    for row in session.scalars(query.order_by(Contact.from_erp.desc(), Contact.id)):
        stored.setdefault((row.account_id, _person(row.name, row.email)), row)
    changed = _update_rows(stored, wanted)
    new = [
        {"account_id": account_id, **values}
        for (account_id, person), values in wanted.items()
        if (account_id, person) not in stored
    ]
    if new:
        session.execute(sa.insert(Contact), new)
    absent = [row for key, row in stored.items() if row.from_erp and key not in wanted]
    named = referenced_contacts(work, [row.id for row in absent])
    for row in absent:
        if row.id in named:
            row.from_erp = False
        else:
            session.delete(row)
    return changed + len(new) + len(absent)


def _update_rows(stored: Mapping[Any, Base], wanted: Mapping[Any, Values]) -> int:
    """Set what differs on rows that are stored; how many rows differed."""
    changed = 0
    for key, row in stored.items():
        values = wanted.get(key, {})
        differing = {name: value for name, value in values.items() if getattr(row, name) != value}
        for name, value in differing.items():
            setattr(row, name, value)
        changed += bool(differing)
    return changed


def apply_customer_parts(work: Work, records: Sequence[erp.Item]) -> Applied:
    """The customers' own numbers that an item carries; numbers we added ourselves stay.

    A number of a customer whom we do not know yet is parked with its item.
    """
    session = work.session
    live = {record.erp_id: record for record in records if not record.deleted}
    item = Base.metadata.tables["item"]
    item_ids: dict[str, int] = dict(
        session.execute(sa.select(item.c.no, item.c.id).where(item.c.no.in_(live))).all()
    )
    customers = {erp_id for record in live.values() for erp_id in record.customer_part_nos}
    account_ids: dict[str | None, int] = dict(
        session.execute(
            sa.select(Account.erp_id, Account.id).where(Account.erp_id.in_(customers))
        ).all()
    )
    parked: list[tuple[str, Message]] = []
    wanted: dict[tuple[int, int], Values] = {}
    for item_no, record in live.items():
        item_id = item_ids.get(item_no)
        if item_id is None:
            continue
        for erp_id, part_no in record.customer_part_nos.items():
            account_id = account_ids.get(erp_id)
            if account_id is None:
                unknown = Message("The customer %(customer)s is not known.", customer=erp_id)
                parked.append((item_no, unknown))
            elif part_no:
                wanted[account_id, item_id] = {"part_no": part_no, "from_erp": True}
    rows = session.scalars(
        sa.select(CustomerPart).where(CustomerPart.item_id.in_(item_ids.values()))
    )
    stored = {(row.account_id, row.item_id): row for row in rows}
    changed = _update_rows(stored, wanted)
    new = [
        {"account_id": account_id, "item_id": item_id, **values}
        for (account_id, item_id), values in wanted.items()
        if (account_id, item_id) not in stored
    ]
    if new:
        session.execute(sa.insert(CustomerPart), new)
    absent = [row.id for key, row in stored.items() if row.from_erp and key not in wanted]
    if absent:
        session.execute(sa.delete(CustomerPart).where(CustomerPart.id.in_(absent)))
    return Applied(changed + len(new) + len(absent), tuple(dict(parked).items()))
