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

from b2bcrm.customers import queries
from b2bcrm.customers.belongings import sync_contacts, sync_ship_tos, update_rows
from b2bcrm.customers.events import AccountLinked
from b2bcrm.customers.linking import weigh
from b2bcrm.customers.models import Account, CustomerPart, ErpCustomer
from b2bcrm.kernel.database import Base
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import LOCALES, Message
from b2bcrm.kernel.work import Work
from b2bcrm.ports import erp
from b2bcrm.sync.appliers import Applied
from b2bcrm.sync.connections import MAIN

Values = dict[str, Any]
Live = dict[str, tuple[int, erp.Customer]]
"""By ERP number: our company, and the record."""
BILL_TO = "bill_to"


def apply_customers(
    work: Work, records: Sequence[erp.Customer], *, connection: str = MAIN
) -> Applied:
    """Upsert by the ERP's number; a prospect with the same tax number and country becomes the
    customer, anything else that is new an account of its own.

    A customer that the ERP deleted stays, inactive: its orders remain.
    """
    session = work.session
    companies: dict[str, int] = dict(
        session.execute(sa.select(Company.erp_company, Company.id).order_by(Company.id)).all()
    )
    only = next(iter(companies.values()), None)
    parked: list[tuple[str, Message]] = []
    live: Live = {}
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
    known = queries.erp_customers(work, connection, live)
    changed = _introduce(work, connection, {k: v for k, v in live.items() if k not in known})
    changed += _refresh(work, known, live)
    changed += _retire(work, connection, gone)
    people = [
        (row, live[erp_id][1])
        for erp_id, row in queries.erp_customers(work, connection, live).items()
    ]
    changed += sync_ship_tos(work, people)
    changed += sync_contacts(work, people)
    return Applied(changed, tuple(parked))


def _introduce(work: Work, connection: str, live: Live) -> int:
    """Customers seen for the first time: a prospect's, or a new account each."""
    if not live:
        return 0
    homes = _prospects(work, live)
    for erp_id, account_id in homes.items():
        facts = sa.update(Account).where(Account.id == account_id)
        work.session.execute(
            facts.values(
                **_account_values(*live[erp_id]), erp_id=erp_id, version=Account.version
            ).execution_options(synchronize_session=False)
        )
        work.publish(
            AccountLinked(
                subject_id=account_id, account_id=account_id, erp_id=erp_id, by_tax_id=True
            )
        )
    new = [
        {
            "erp_id": erp_id,
            **_account_values(*found),
            "language": _language(found[1]),
            "credit_as_of": work.now,
            "version": 1,
        }
        for erp_id, found in live.items()
        if erp_id not in homes
    ]
    if new:
        made = work.session.execute(sa.insert(Account).returning(Account.erp_id, Account.id), new)
        homes |= {erp_id: account_id for erp_id, account_id in made if erp_id}
    rows = [
        {
            "connection_code": connection,
            "erp_id": erp_id,
            "account_id": homes[erp_id],
            "home_id": homes[erp_id],
            "main": True,
            "credit_as_of": work.now,
            **_customer_values(*found),
        }
        for erp_id, found in live.items()
    ]
    work.session.execute(sa.insert(ErpCustomer), rows)
    work.session.expire_all()
    return len(rows)


def _prospects(work: Work, live: Live) -> dict[str, int]:
    """Prospects whose tax number and country are a customer's and nobody else's, by ERP number."""
    by_tax = {
        (record.tax_id, record.country): erp_id
        for erp_id, (_company, record) in live.items()
        if record.tax_id
    }
    if not by_tax:
        return {}
    rows = work.session.execute(
        sa.select(Account.id, Account.tax_id, Account.country).where(
            Account.erp_id.is_(None), Account.tax_id.in_([tax for tax, _country in by_tax])
        )
    )
    found: dict[str, list[int]] = defaultdict(list)
    for account_id, tax_id, country in rows:
        if erp_id := by_tax.get((tax_id, country)):
            found[erp_id].append(account_id)
    return {erp_id: ids[0] for erp_id, ids in found.items() if len(ids) == 1}


def _refresh(work: Work, known: Mapping[str, ErpCustomer], live: Live) -> int:
    """Facts and credit of customers that we know; the main one's are its account's, too."""
    session = work.session
    mains = {row.account_id: erp_id for erp_id, row in known.items() if row.main}
    table = Account.__table__
    stored = {
        row["id"]: row
        for row in session.execute(sa.select(table).where(table.c.id.in_(mains))).mappings()
    }
    changed, moved, differing = set(), set(), []
    for erp_id, row in known.items():
        wanted = _customer_values(*live[erp_id])
        if update_rows({0: row}, {0: wanted}):
            changed.add(erp_id)
            if not row.main:
                moved.add(row.account_id)
        row.credit_as_of = work.now
    for account_id, erp_id in mains.items():
        values = _account_values(*live[erp_id])
        if any(stored[account_id][name] != value for name, value in values.items()):
            differing.append({"row_id": account_id, **values})
            changed.add(erp_id)
    if differing:
        names = [name for name in differing[0] if name != "row_id"]
        session.execute(
            sa.update(table)  # type: ignore[arg-type]
            .where(table.c.id == sa.bindparam("row_id"))
            .values({name: sa.bindparam(name) for name in names}),
            differing,
        )
    session.execute(
        sa.update(Account)
        .where(Account.id.in_(mains))
        .values(credit_as_of=work.now, version=Account.version)
        .execution_options(synchronize_session=False)
    )
    session.flush()  # flush: the others' light and what follows read the rows
    session.expire_all()
    weigh(work, moved)
    return len(changed)


def _retire(work: Work, connection: str, gone: set[str]) -> int:
    """Customers that the ERP deleted; an account without a living one is inactive."""
    rows = [row for row in queries.erp_customers(work, connection, gone).values() if row.active]
    for row in rows:
        row.active = False
    if rows:
        work.session.flush()  # flush: whether any lives is asked of the database
        living = sa.exists().where(ErpCustomer.account_id == Account.id, ErpCustomer.active)
        work.session.execute(
            sa.update(Account)
            .where(Account.id.in_({row.account_id for row in rows}), ~living)
            .values(active=False, version=Account.version)
        )
    return len(rows)


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


def _customer_values(company_id: int, record: erp.Customer) -> Values:
    return {
        "company_id": company_id,
        "name": record.name,
        "currency": record.currency,
        "payment_terms": record.payment_terms,
        "credit_limit": record.credit_limit,
        "credit_used": record.credit_used,
        "overdue_amount": record.overdue_amount,
        "credit_hold": record.credit_hold,
        "active": True,
    }


def _language(record: erp.Customer) -> str:
    return record.language if record.language in LOCALES else "en"


def apply_customer_parts(
    work: Work, records: Sequence[erp.Item], *, connection: str = MAIN
) -> Applied:
    """The customers' own numbers that an item carries; numbers we added ourselves stay.

    Where several ERP customers of an account have one, the main one's counts. A number of a
    customer whom we do not know yet is parked with its item.
    """
    session = work.session
    live = {record.erp_id: record for record in records if not record.deleted}
    item = Base.metadata.tables["item"]
    item_ids: dict[str, int] = dict(
        session.execute(sa.select(item.c.no, item.c.id).where(item.c.no.in_(live))).all()
    )
    customers = {erp_id for record in live.values() for erp_id in record.customer_part_nos}
    rows_by_no = queries.erp_customers(work, connection, customers)
    parked: list[tuple[str, Message]] = []
    wanted: dict[tuple[int, int], Values] = {}
    for item_no, record in live.items():
        item_id = item_ids.get(item_no)
        if item_id is None:
            continue
        for erp_id, part_no in record.customer_part_nos.items():
            customer = rows_by_no.get(erp_id)
            if customer is None:
                unknown = Message("The customer %(customer)s is not known.", customer=erp_id)
                parked.append((item_no, unknown))
            elif part_no and (customer.main or (customer.account_id, item_id) not in wanted):
                wanted[customer.account_id, item_id] = {"part_no": part_no, "from_erp": True}
    rows = session.scalars(
        sa.select(CustomerPart).where(CustomerPart.item_id.in_(item_ids.values()))
    )
    stored = {(row.account_id, row.item_id): row for row in rows}
    changed = update_rows(stored, wanted)
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
