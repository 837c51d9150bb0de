"""Our own side of every document: companies, sites, calendars and exchange rates.

One deployment serves one group of companies. Rows come from set-up or the ERP; features refer
to them by ``company_id`` and ``site_id``.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.columns import Rate
from b2bcrm.kernel.database import Base, id_column


class Company(Base):
    """A legal entity of the group; ``erp_company`` is how the ERP calls it."""

    __tablename__ = "company"

    id: Mapped[int] = id_column()
    code: Mapped[str] = mapped_column(sa.String(20), unique=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    name_zh_hant: Mapped[str] = mapped_column(sa.String(200), default="")
    name_zh_hans: Mapped[str] = mapped_column(sa.String(200), default="")
    address: Mapped[str] = mapped_column(sa.String(300), default="")
    phone: Mapped[str] = mapped_column(sa.String(40), default="")
    email: Mapped[str] = mapped_column(sa.String(200), default="")
    tax_id: Mapped[str] = mapped_column(sa.String(30), default="")
    currency: Mapped[str] = mapped_column(sa.String(3))
    erp_company: Mapped[str] = mapped_column(sa.String(20))


class Site(Base):
    """A plant or warehouse with its zone and calendar."""

    __tablename__ = "site"

    id: Mapped[int] = id_column()
    company_id: Mapped[int] = mapped_column(sa.ForeignKey("company.id"))
    code: Mapped[str] = mapped_column(sa.String(20), unique=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    country: Mapped[str] = mapped_column(sa.String(2))
    zone: Mapped[str] = mapped_column(sa.String(40))
    calendar_code: Mapped[str] = mapped_column(sa.String(20))


class CalendarRow(Base):
    """A stored work calendar; see ``kernel.calendar.WorkCalendar`` for the meaning."""

    __tablename__ = "calendar"

    code: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    zone: Mapped[str] = mapped_column(sa.String(40))
    weekdays: Mapped[list[int]] = mapped_column(sa.JSON)
    holidays: Mapped[list[str]] = mapped_column(sa.JSON)
    extra_days: Mapped[list[str]] = mapped_column(sa.JSON)
    hours: Mapped[list[list[str]]] = mapped_column(sa.JSON)

    def value(self) -> WorkCalendar:
        """The pure calendar of this row."""
        return WorkCalendar(
            code=self.code,
            zone=self.zone,
            weekdays=frozenset(self.weekdays),
            holidays=frozenset(map(dt.date.fromisoformat, self.holidays)),
            extra_days=frozenset(map(dt.date.fromisoformat, self.extra_days)),
            hours=tuple(
                (dt.time.fromisoformat(a), dt.time.fromisoformat(b)) for a, b in self.hours
            ),
        )


class ExchangeRate(Base):
    """Units of the base currency for one unit of ``currency``, valid from a date."""

    __tablename__ = "exchange_rate"

    currency: Mapped[str] = mapped_column(sa.String(3), primary_key=True)
    valid_from: Mapped[dt.date] = mapped_column(primary_key=True)
    rate: Mapped[Decimal] = mapped_column(Rate)


def calendar_of(session: Session, code: str) -> WorkCalendar:
    """The calendar named ``code``; Monday to Friday without holidays if it is not stored."""
    row = session.get(CalendarRow, code)
    return WorkCalendar(code=code) if row is None else row.value()


def rates_on(session: Session, day: dt.date) -> dict[str, Decimal]:
    """Base-currency rate per currency, as valid on ``day``."""
    query = (
        sa.select(ExchangeRate.currency, ExchangeRate.rate)
        .where(ExchangeRate.valid_from <= day)
        .order_by(ExchangeRate.valid_from)
    )
    return dict(session.execute(query).all())
