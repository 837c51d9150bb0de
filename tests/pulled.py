"""A database filled from the twin the way the worker fills it: through the feature's appliers."""

from __future__ import annotations

from b2bcrm.catalog import intake as catalog
from b2bcrm.customers import intake as customers
from b2bcrm.kernel.organization import CalendarRow, Company, ExchangeRate, Site
from b2bcrm.kernel.work import Work
from b2bcrm.ports.erp import Entity
from b2bcrm.sync.appliers import Applied
from connectors.erp.twin.company import COMPANIES, SITES
from tests.factories import D, dt


def found_company(work: Work) -> None:
    """The twin's companies and sites, as set-up writes them."""
    for row in COMPANIES:
        work.session.add(
            Company(
                code=row["code"],
                name=row["name"],
                currency=row["currency"],
                erp_company=row["code"],
            )
        )
    work.session.flush()
    companies = {c.code: c.id for c in work.session.query(Company)}
    for site in SITES:
        work.session.add(
            Site(
                company_id=companies[site["company"]],
                code=site["code"],
                name=site["name"],
                country=site["country"],
                zone=site["zone"],
                calendar_code=site["country"],
            )
        )
    for country in ("TW", "CN"):
        work.session.add(
            CalendarRow(
                code=country,
                zone="Asia/Taipei",
                weekdays=[0, 1, 2, 3, 4],
                holidays=[],
                extra_days=[],
                hours=[["08:30", "12:00"], ["13:00", "17:30"]],
            )
        )
    for currency in ("TWD", "CNY", "EUR", "USD", "JPY"):
        day = dt.date(2024, 1, 1)
        work.session.add(ExchangeRate(currency=currency, valid_from=day, rate=D(1)))
    work.session.flush()


def everything(gateway, entity: Entity) -> list:
    """All records of an entity, page by page."""
    rows, cursor = [], None
    while True:
        page = gateway.list(entity, cursor=cursor)
        rows += page.records
        cursor = page.next_cursor
        if cursor is None:
            return rows


def pull_masters(work: Work, gateway) -> Applied:
    """Customers and items: what orders refer to."""
    found_company(work)
    customers.apply_customers(work, everything(gateway, Entity.CUSTOMER))
    applied = catalog.apply_items(work, everything(gateway, Entity.ITEM))
    work.session.flush()
    return applied
