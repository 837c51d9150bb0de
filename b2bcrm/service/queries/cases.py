"""Finding cases and what belongs to them: calendar, contact, possible owners, reader of mails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from b2bcrm.customers.models import Account, Contact
from b2bcrm.kernel.actor import RIGHTS, STAFF_ROLES, Actor, Right
from b2bcrm.kernel.calendar import WorkCalendar
from b2bcrm.kernel.errors import Invalid, not_found
from b2bcrm.kernel.organization import CalendarRow, Site
from b2bcrm.kernel.words import LOCALES, Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order
from b2bcrm.service import clocks
from b2bcrm.service.models import Case
from b2bcrm.users.models import User

SERVICE_CALENDAR = "SERVICE"
SERVING_ROLES = frozenset(role for role in STAFF_ROLES if Right.SERVE in RIGHTS[role])


def visible_to(actor: Actor) -> sa.Select[Case]:
    """Where every query on cases starts: a buyer sees his account's only."""
    query = sa.select(Case)
    if actor.is_portal:
        query = query.where(Case.account_id == actor.account_id)
    return query


def by_id(work: Work, case_id: int) -> Case:
    """The case with its pauses; NotFound if absent or another account's."""
    return _one(work, Case.id == case_id)


def by_no(work: Work, no: str) -> Case:
    """The case numbered ``no`` with its pauses; NotFound if absent or another account's."""
    return _one(work, Case.no == no)


def _one(work: Work, where: sa.ColumnElement[bool]) -> Case:
    query = visible_to(work.actor).where(where).options(selectinload(Case.pauses))
    case = work.session.scalar(query)
    if case is None:
        raise not_found(Message("The case"))
    return case


class Calendars:
    """Service calendars per site, read in one statement.

    The stored calendar named SERVICE serves all sites; without it a site's own working days
    count, each whole.
    """

    def __init__(self, session: Session) -> None:
        query = sa.select(CalendarRow, Site.id).outerjoin(
            Site, Site.calendar_code == CalendarRow.code
        )
        rows = [(row.value(), site_id) for row, site_id in session.execute(query)]
        self.common = next((c for c, _site in rows if c.code == SERVICE_CALENDAR), None)
        self.by_site = {
            site_id: clocks.service_days(calendar) for calendar, site_id in rows if site_id
        }
        self.otherwise = clocks.service_days(WorkCalendar(SERVICE_CALENDAR))

    def of_site(self, site_id: int | None) -> WorkCalendar:
        """The service calendar of a site; Monday to Friday where nothing is stored."""
        if self.common is not None or site_id is None:
            return self.common or self.otherwise
        return self.by_site.get(site_id, self.otherwise)


def service_calendar(session: Session, site_id: int | None) -> WorkCalendar:
    """The service calendar of one site."""
    return calendars(session).of_site(site_id)


def calendar_of_case(session: Session, case: Case) -> WorkCalendar:
    """The service calendar of the site that delivered what the case is about."""
    site_id = None
    if case.order_id is not None:
        site_id = session.scalar(sa.select(Order.site_id).where(Order.id == case.order_id))
    return service_calendar(session, site_id)


def calendars(session: Session) -> Calendars:
    """The service calendars, read once per Work."""
    found: Calendars | None = session.info.get(Calendars)
    if found is None:
        found = session.info[Calendars] = Calendars(session)
    return found


def contact_for(work: Work, account_id: int, contact_id: int | None) -> int | None:
    """The contact of a new case: the customer's own by his e-mail, else the one staff named."""
    query = sa.select(Contact.id).where(Contact.account_id == account_id)
    if work.actor.is_portal:
        mail = sa.select(User.email).where(User.id == work.actor.user_id).scalar_subquery()
        return work.session.scalar(query.where(sa.func.lower(Contact.email) == sa.func.lower(mail)))
    if contact_id is None:
        return None
    found = work.session.scalar(query.where(Contact.id == contact_id))
    if found is None:
        text = Message("This person is not a contact of the account.")
        raise Invalid(text, fields={"contact_id": text})
    return found


def contacts_of(work: Work, account_id: int) -> Sequence[tuple[int, str]]:
    """Contacts of an account, to choose from."""
    query = sa.select(Contact.id, Contact.name).where(Contact.account_id == account_id)
    return work.session.execute(query.order_by(Contact.name)).all()


def possible_owners(work: Work) -> Sequence[tuple[int, str]]:
    """Staff who may own a case, by name."""
    query = (
        sa.select(User.id, User.name)
        .where(User.active, User.role.in_(SERVING_ROLES))
        .order_by(User.name)
    )
    return work.session.execute(query).all()


@dataclass(frozen=True)
class Reader:
    """Who at the customer gets our mails about a case, and in which language."""

    name: str
    email: str
    locale: str


def reader_of(session: Session, case: Case) -> Reader | None:
    """The case's contact, else who opened it on the portal; None if nobody has an address."""
    account = session.get_one(Account, case.account_id)
    contact = session.get(Contact, case.contact_id) if case.contact_id else None
    if contact is not None and contact.email:
        language = contact.language or account.language
        return Reader(contact.name, contact.email, locale_of(language))
    user = session.get(User, case.opened_by_id) if case.opened_by_id else None
    if user is not None and user.account_id == case.account_id:
        return Reader(user.name, user.email, locale_of(user.locale))
    first = session.execute(
        sa.select(Contact.name, Contact.email, Contact.language)
        .where(Contact.account_id == case.account_id, Contact.email != "")
        .order_by(Contact.id)
        .limit(1)
    ).first()
    if first is None:
        return None
    return Reader(first.name, first.email, locale_of(first.language or account.language))


def locale_of(language: str) -> str:
    """Our locale for a customer's language; English where we have none."""
    code = language.replace("-", "_")
    return code if code in LOCALES else "en"
