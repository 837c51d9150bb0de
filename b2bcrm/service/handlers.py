"""Deliveries that follow from a case: mails to the service desk and to the customer.

Each reads in one Work, sends with none open, and needs no trace on the case: the outbox row
says whether it went. Internal notes have no handler.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from b2bcrm.customers.models import Account
from b2bcrm.documents.mails import compose
from b2bcrm.files.queries import of_subject
from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order
from b2bcrm.ports.mail import Mail, Mailer
from b2bcrm.service import queries
from b2bcrm.service.events import CaseAnswered, CaseOpened, CaseSolved
from b2bcrm.service.lifecycle import KIND_WORDS
from b2bcrm.service.models import Case


@dataclass(frozen=True)
class CaseMail:
    """What the mails share: ``base_url`` is the public address that links begin with."""

    mailer: Mailer
    base_url: str

    def send(self, message: Mail, *, again: bool) -> None:
        """Hand it over; a repeat carries the same message id, so ``again`` changes nothing."""
        del again
        self.mailer.send(message)

    def record(self, work: Work, event: Event, reply: None) -> None:
        """Nothing to write down."""

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """The outbox row shows it to the ERP administrator."""


@dataclass(frozen=True)
class CaseOpenedMail(CaseMail):
    """Tells the service desk of a case that a customer opened."""

    name: ClassVar[str] = "mail.case_opened"

    def prepare(self, work: Work, event: Event) -> Mail | None:
        """None if our own people opened it, or the company has no address."""
        assert isinstance(event, CaseOpened)  # noqa: S101 - routed by its name
        if not event.by_customer:
            return None
        case = queries.by_id(work, event.subject_id)
        desk = work.session.get_one(Company, case.company_id).email
        if not desk:
            return None
        account = work.session.get_one(Account, case.account_id)
        facts = [
            (Message("Customer"), account.name),
            (Message("Case"), case.no),
            (Message("Kind"), KIND_WORDS[case.kind]),
            (Message("Order"), _order_no(work, case)),
        ]
        return compose(
            "note_to_owner",
            "en",
            to=(desk,),
            message_id=f"case-{case.id}-opened",
            headline=Message("New case %(no)s: %(title)s", no=case.no, title=case.subject),
            facts=[(label, value) for label, value in facts if value],
            text="",
            url=f"{self.base_url}/service/{case.no}",
        )


@dataclass(frozen=True)
class CaseAnswerMail(CaseMail):
    """Carries our answer or question to the customer."""

    name: ClassVar[str] = "mail.case_answer"

    def prepare(self, work: Work, event: Event) -> Mail | None:
        """None if nobody at the customer has an address."""
        assert isinstance(event, CaseAnswered)  # noqa: S101 - routed by its name
        return _to_customer(work, event, "case_answer", self.base_url, asking=event.asking)


@dataclass(frozen=True)
class CaseSolvedMail(CaseMail):
    """Carries the solution to the customer and asks him to confirm it."""

    name: ClassVar[str] = "mail.case_solved"

    def prepare(self, work: Work, event: Event) -> Mail | None:
        """None if nobody at the customer has an address."""
        assert isinstance(event, CaseSolved)  # noqa: S101 - routed by its name
        return _to_customer(work, event, "case_solved", self.base_url)


def _to_customer(
    work: Work,
    event: CaseAnswered | CaseSolved,
    template: str,
    base_url: str,
    *,
    asking: bool = False,
) -> Mail | None:
    case = queries.by_id(work, event.subject_id)
    reader = queries.reader_of(work.session, case)
    if reader is None:
        return None
    company = work.session.get_one(Company, case.company_id)
    files = of_subject(work, queries.MESSAGE_FILES, event.message_id)
    return compose(
        template,
        reader.locale,
        to=(reader.email,),
        message_id=f"case-{case.id}-message-{event.message_id}",
        reply_to=company.email,
        name=reader.name,
        no=case.no,
        title=case.subject,
        order_no=_order_no(work, case),
        text=queries.message_text(work.session, event.message_id),
        files=[f.name for f in files if not f.internal],
        asking=asking,
        url=f"{base_url}/portal/cases/{case.no}",
        firm=company.name,
    )


def _order_no(work: Work, case: Case) -> str:
    order = work.session.get(Order, case.order_id) if case.order_id else None
    return "" if order is None else order.no
