"""Setting up our own side: a company with its first site and the country's public holidays.

Used by ``./crm company add`` and by the demo. Prices, customers and items come from the ERP.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
import sqlalchemy as sa

from b2bcrm.kernel.errors import Conflict, Invalid
from b2bcrm.kernel.organization import CalendarRow, Company, ExchangeRate, Site
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work

YEARS_BACK, YEARS_AHEAD = 2, 3
OFFICE_HOURS = [["08:30", "12:00"], ["13:00", "17:30"]]
FOREVER = dt.date(2000, 1, 1)


def add_company(
    work: Work,
    *,
    code: str,
    name: str,
    currency: str,
    country: str,
    zone: str,
    site: str,
    site_name: str = "",
    erp_company: str = "",
    name_zh_hant: str = "",
    name_zh_hans: str = "",
    address: str = "",
    phone: str = "",
    email: str = "",
    tax_id: str = "",
) -> Company:
    """A company and its site, named as the ERP names them unless ``erp_company`` says otherwise.

    The first company's currency becomes the base of exchange rates. Raises Invalid for a country
    or zone that nobody knows, Conflict for a code that is taken.
    """
    _must_be_free(work, code, site)
    row = Company(
        code=code,
        name=name,
        name_zh_hant=name_zh_hant,
        name_zh_hans=name_zh_hans,
        address=address,
        phone=phone,
        email=email,
        tax_id=tax_id,
        currency=currency,
        erp_company=erp_company or code,
    )
    calendar = country_calendar(country, zone, work.today.year)
    if work.session.get(CalendarRow, calendar.code) is None:
        work.session.add(calendar)
    if work.session.scalar(sa.select(sa.func.count()).select_from(ExchangeRate)) == 0:
        work.session.add(ExchangeRate(currency=currency, valid_from=FOREVER, rate=Decimal(1)))
    work.session.add(row)
    work.session.flush()  # flush: the site needs the company's id
    work.session.add(
        Site(
            company_id=row.id,
            code=site,
            name=site_name or site,
            country=country,
            zone=zone,
            calendar_code=calendar.code,
        )
    )
    work.session.flush()  # flush: callers look the site up
    return row


def _must_be_free(work: Work, code: str, site: str) -> None:
    for column, value in ((Company.code, code), (Site.code, site)):
        if work.session.scalar(sa.select(column).where(column == value)) is not None:
            raise Conflict(Message("%(code)s exists already.", code=value))


def country_calendar(country: str, zone: str, year: int) -> CalendarRow:
    """Working days of a country around ``year``, Monday to Friday, named by its ISO code.

    Days off in lieu and the weekend days that are worked for them (China, Taiwan) are those the
    government has published so far.
    """
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Invalid(Message("The time zone %(zone)s is not known.", zone=zone)) from None
    years = range(year - YEARS_BACK, year + YEARS_AHEAD + 1)
    try:
        found = holidays.country_holidays(country, years=years)
    except NotImplementedError:
        raise Invalid(Message("The country %(code)s is not known.", code=country)) from None
    worked = {day for day in getattr(found, "weekend_workdays", ()) if day.year in years}
    return CalendarRow(
        code=country,
        zone=zone,
        weekdays=[0, 1, 2, 3, 4],
        holidays=sorted(day.isoformat() for day in found),
        extra_days=sorted(day.isoformat() for day in worked),
        hours=OFFICE_HOURS,
    )
