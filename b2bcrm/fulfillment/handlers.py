"""Deliveries that follow from fulfillment's events: whom a moved promise or a proposal concerns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa

from b2bcrm.customers.models import Account, Contact
from b2bcrm.documents.environment import known_locale
from b2bcrm.documents.mails import compose
from b2bcrm.fulfillment.events import PromiseAsked, PromiseMoved, ScenarioProposed
from b2bcrm.fulfillment.models import PromiseRequest, RequestState
from b2bcrm.fulfillment.planning.measures import measures_of
from b2bcrm.fulfillment.queries.proposals import proposal
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order
from b2bcrm.orders.queries import connection_of
from b2bcrm.ports.mail import Mail, Mailer
from b2bcrm.sync.connections import must_be_silent
from b2bcrm.users.models import User


@dataclass(frozen=True)
class MailPromiseMoved:
    """Tells the order's contact the new date of a line, not our internal reason.

    ``base_url`` is the public address that links begin with.
    """

    mailer: Mailer
    base_url: str
    name: ClassVar[str] = "mail.promise_moved"

    def prepare(self, work: Work, event: Event) -> Mail | None:
        """None if nobody at the customer has an address, or notices are not switched on yet."""
        assert isinstance(event, PromiseMoved)  # noqa: S101 - routed by its name
        order = work.session.get_one(Order, event.subject_id)
        if must_be_silent(
            work, connection_of(work, order), stream=f"order:{order.id}", handler=self.name
        ):
            return None
        account = work.session.get_one(Account, order.account_id)
        contact = work.session.scalar(
            sa.select(Contact)
            .where(Contact.account_id == account.id, Contact.email != "")
            .order_by(Contact.id != (order.contact_id or 0), Contact.id)
            .limit(1)
        )
        if contact is None:
            return None
        company = work.session.get_one(Company, order.company_id)
        return compose(
            "promise_moved",
            known_locale(contact.language or account.language),
            to=(contact.email,),
            message_id=(
                f"promise-{order.id}-{event.line_no}-{event.promised_on.isoformat()}"
                f"-{(event.previous_on or event.promised_on).isoformat()}"
            ),
            reply_to=company.email,
            name=contact.name,
            order_no=order.no,
            customer_po=order.customer_po,
            line_no=event.line_no,
            promised_on=event.promised_on,
            previous_on=event.previous_on,
            url=f"{self.base_url}/portal/orders/{order.no}",
            firm=company.name,
        )

    def send(self, message: Mail, *, again: bool) -> None:
        """Hand it over; a repeat carries the same message id, so ``again`` changes nothing."""
        del again
        self.mailer.send(message)

    def record(self, work: Work, event: Event, reply: None) -> None:
        """Nothing to write down."""

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """The outbox row shows it to the ERP administrator."""


@dataclass(frozen=True)
class MailApprovers:
    """Tells every sales manager, each in his language, which later day waits for one of them."""

    mailer: Mailer
    base_url: str
    name: ClassVar[str] = "mail.approvers"

    def prepare(self, work: Work, event: Event) -> tuple[Mail, ...] | None:
        """One mail per sales manager; None once somebody has decided, or if there is none."""
        assert isinstance(event, PromiseAsked)  # noqa: S101 - routed by its name
        row = work.session.get_one(PromiseRequest, event.request_id)
        if row.state is not RequestState.OPEN:
            return None
        query = sa.select(User).where(User.role == Role.SALES_MANAGER, User.active)
        account = work.session.get_one(Account, event.account_id)
        mails = [
            compose(
                "note_to_owner",
                known_locale(user.locale),
                to=(user.email,),
                message_id=f"{event.name}-{event.request_id}-{user.id}",
                headline=event.sentence(),
                facts=((Message("Customer"), account.name), (Message("Order"), event.order_no)),
                text=row.text,
                url=f"{self.base_url}/orders/{event.order_no}",
            )
            for user in work.session.scalars(query.order_by(User.id))
        ]
        return tuple(mails) or None

    def send(self, message: tuple[Mail, ...], *, again: bool) -> None:
        """Hand them over; a repeat carries the same message ids, so ``again`` changes nothing."""
        del again
        for mail in message:
            self.mailer.send(mail)

    def record(self, work: Work, event: Event, reply: None) -> None:
        """Nothing to write down."""

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """The outbox row shows it to the ERP administrator."""


@dataclass(frozen=True)
class MailPlanners:
    """Tells every planner, each in his language, which changes in the ERP are asked for."""

    mailer: Mailer
    base_url: str
    name: ClassVar[str] = "mail.planners"

    def prepare(self, work: Work, event: Event) -> tuple[Mail, ...] | None:
        """One mail per planner but the one who asks; None if there is no other."""
        assert isinstance(event, ScenarioProposed)  # noqa: S101 - routed by its name
        row = proposal(work, event.subject_id)
        measures = measures_of(task.measure for task in row.tasks)
        query = sa.select(User).where(User.role == Role.PLANNER, User.active, User.id != row.by_id)
        mails = [
            compose(
                "note_to_owner",
                known_locale(user.locale),
                to=(user.email,),
                message_id=f"{event.name}-{event.subject_id}-{user.id}",
                headline=event.sentence(),
                facts=(
                    (Message("Proposed by"), row.by_name),
                    *((Message("Wanted"), one.sentence()) for one in measures),
                ),
                text="",
                url=f"{self.base_url}/fulfillment/proposals/{row.id}",
            )
            for user in work.session.scalars(query.order_by(User.id))
        ]
        return tuple(mails) or None

    def send(self, message: tuple[Mail, ...], *, again: bool) -> None:
        """Hand them over; a repeat carries the same message ids, so ``again`` changes nothing."""
        del again
        for mail in message:
            self.mailer.send(mail)

    def record(self, work: Work, event: Event, reply: None) -> None:
        """Nothing to write down."""

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """The outbox row shows it to the ERP administrator."""
