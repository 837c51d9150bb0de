"""Setting up a company of one's own: calendar, site, base currency."""

from __future__ import annotations

import datetime as dt

import pytest
import sqlalchemy as sa

from b2bcrm.kernel.errors import Conflict, Invalid
from b2bcrm.kernel.founding import add_company, country_calendar
from b2bcrm.kernel.organization import CalendarRow, ExchangeRate, Site, calendar_of
from b2bcrm.kernel.work import Work

FACTS = {
    "code": "ACME",
    "name": "Acme Works Ltd.",
    "currency": "CNY",
    "country": "CN",
    "zone": "Asia/Shanghai",
    "site": "SH1",
}


def test_a_company_gets_a_site_a_calendar_and_the_base_currency(work: Work) -> None:
    company = add_company(work, **FACTS)
    site = work.session.scalars(sa.select(Site).where(Site.code == "SH1")).one()
    assert site.company_id == company.id
    calendar = calendar_of(work.session, site.calendar_code)
    assert not calendar.is_working(dt.date(2026, 10, 1))
    assert calendar.is_working(dt.date(2026, 2, 14))  # a Saturday worked for the new year's week
    rate = work.session.scalars(sa.select(ExchangeRate)).one()
    assert (rate.currency, rate.rate) == ("CNY", 1)


def test_a_second_company_shares_calendar_and_base(work: Work) -> None:
    add_company(work, **FACTS)
    add_company(work, **FACTS | {"code": "BETA", "site": "SH2", "currency": "USD"})
    assert work.session.scalar(sa.select(sa.func.count()).select_from(CalendarRow)) == 1
    assert work.session.scalars(sa.select(ExchangeRate.currency)).all() == ["CNY"]


@pytest.mark.parametrize("taken", [{"site": "SH2"}, {"code": "BETA"}])
def test_a_code_is_given_once(work: Work, taken: dict[str, str]) -> None:
    add_company(work, **FACTS)
    with pytest.raises(Conflict):
        add_company(work, **FACTS | taken)


@pytest.mark.parametrize(("country", "zone"), [("XX", "Asia/Taipei"), ("TW", "Asia/Nowhere")])
def test_unknown_countries_and_zones_are_refused(country: str, zone: str) -> None:
    with pytest.raises(Invalid):
        country_calendar(country, zone, 2026)
