"""Deliveries that follow from fulfillment's events: whom a moved promise, a proposal or a new
morning concerns.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

import sqlalchemy as sa

from b2bcrm.customers.models import Account
from b2bcrm.documents.environment import known_locale
from b2bcrm.documents.mails import compose
from b2bcrm.documents.mornings import (
    OLD_DATA,
    KeyFigure,
    MorningContent,
    Unit,
    morning_file_name,
    morning_pdf,
)
from b2bcrm.documents.papers import PDF
from b2bcrm.fulfillment.actions.mornings import READERS
from b2bcrm.fulfillment.actions.promises import asks_customer
from b2bcrm.fulfillment.events import (
    MorningCame,
    NoticeSettled,
    OrderInCare,
    PromiseAnswered,
    PromiseAsked,
    PromiseDecided,
    PromiseMoved,
    ScenarioProposed,
)
from b2bcrm.fulfillment.models import (
    OrderCare,
    OrderProjection,
    PromiseNotice,
    PromiseRequest,
    RequestState,
)
from b2bcrm.fulfillment.planning.measures import measures_of
from b2bcrm.fulfillment.queries.in_charge import in_charge
from b2bcrm.fulfillment.queries.mornings import morning
from b2bcrm.fulfillment.queries.notices import promise_notice
from b2bcrm.fulfillment.queries.proposals import proposal
from b2bcrm.kernel.actor import Role
from b2bcrm.kernel.errors import CrmError
from b2bcrm.kernel.events import Event
from b2bcrm.kernel.money import digits
from b2bcrm.kernel.organization import Company
from b2bcrm.kernel.words import Message, show_date, show_decimal
from b2bcrm.kernel.work import Work
from b2bcrm.orders.models import Order
from b2bcrm.orders.queries import connection_of
from b2bcrm.ports.mail import Attachment, Mail, Mailer
from b2bcrm.sync.connections import must_be_silent
from b2bcrm.users.models import User


@dataclass(frozen=True)
class _Told:
    """A delivery that tells people something, and writes nothing down.

    ``base_url`` is the public address that links begin with.
    """

    mailer: Mailer
    base_url: str

    def record(self, work: Work, event: Event, reply: None) -> None:
        """Nothing to write down."""

    def failed(self, work: Work, event: Event, error: CrmError, *, parked: bool) -> None:
        """The outbox row shows it to the ERP administrator."""


@dataclass(frozen=True)
class _ByMail(_Told):
    """The same by mails that are ready to be sent."""

    def send(self, message: Mail | tuple[Mail, ...], *, again: bool) -> None:
        """Hand over; a repeat carries the same message ids, so ``again`` changes nothing."""
        del again
        for mail in message if isinstance(message, tuple) else (message,):
            self.mailer.send(mail)


@dataclass(frozen=True)
class MailPromiseMoved(_ByMail):
    """Tells the order's contact the new date of a line, not our internal reason."""

    name: ClassVar[str] = "mail.promise_moved"

    def prepare(self, work: Work, event: Event) -> Mail | None:
        """None if nobody at the customer has an address, or notices are not switched on yet."""
        assert isinstance(event, PromiseMoved)  # noqa: S101 - routed by its name
        order = work.session.get_one(Order, event.subject_id)
        if must_be_silent(
            work, connection_of(work, order), stream=f"order:{order.id}", handler=self.name
        ):
            return None
        return promise_notice(
            work,
            order,
            event.line_no,
            promised_on=event.promised_on,
            previous_on=event.previous_on,
            asks=asks_customer(event.previous_on, event.promised_on, event.reason_code),
            base_url=self.base_url,
        )


@dataclass(frozen=True)
class MailPromiseAnswered(_ByMail):
    """Tells the person in charge of the order what the customer chose about a later day."""

    name: ClassVar[str] = "mail.promise_answered"

    def prepare(self, work: Work, event: Event) -> Mail | None:
        """None if nobody in charge has a login. A reply goes to who answered."""
        assert isinstance(event, PromiseAnswered)  # noqa: S101 - routed by its name
        order = work.session.get_one(Order, event.subject_id)
        reader = in_charge(work, order)
        if reader is None:
            return None
        customer = work.session.get(User, event.by_id) if event.by_id else None
        account = work.session.get_one(Account, order.account_id)
        return compose(
            "note_to_owner",
            known_locale(reader.locale),
            to=(reader.email,),
            message_id=f"{event.name}-{event.notice_id}",
            reply_to=customer.email if customer is not None else "",
            headline=event.sentence(),
            facts=((Message("Customer"), account.name), (Message("Order"), order.no)),
            text="",
            url=f"{self.base_url}/orders/{order.no}",
        )


@dataclass(frozen=True)
class MailAnswerSettled(_ByMail):
    """Tells the customer what became of the pieces that he wanted sent ahead."""

    name: ClassVar[str] = "mail.answer_settled"

    def prepare(self, work: Work, event: Event) -> Mail | None:
        """None where he was answered by a person, or as for every mail to a customer."""
        assert isinstance(event, NoticeSettled)  # noqa: S101 - routed by its name
        row = work.session.get_one(PromiseNotice, event.notice_id)
        user = work.session.get(User, row.by_id) if row.by_id else None
        if event.told is None or user is None or not user.active:
            return None
        order = work.session.get_one(Order, event.subject_id)
        stream = f"order:{order.id}"
        if must_be_silent(work, connection_of(work, order), stream=stream, handler=self.name):
            return None
        company = work.session.get_one(Company, order.company_id)
        return compose(
            "answer_settled",
            known_locale(user.locale),
            to=(user.email,),
            message_id=f"{event.name}-{event.notice_id}-{row.settled_at}",
            reply_to=company.email,
            name=user.name,
            order_no=order.no,
            told=event.told,
            promised_on=row.promised_on,
            url=f"{self.base_url}/portal/orders/{order.no}",
            firm=company.name,
        )


@dataclass(frozen=True)
class MailApprovers(_ByMail):
    """Tells every sales manager, each in his language, which later day waits for one of them."""

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


@dataclass(frozen=True)
class MailAsker(_ByMail):
    """Tells who asked for a later day what a sales manager decided, and why."""

    name: ClassVar[str] = "mail.asker"

    def prepare(self, work: Work, event: Event) -> Mail | None:
        """None where he has left."""
        assert isinstance(event, PromiseDecided)  # noqa: S101 - routed by its name
        row = work.session.get_one(PromiseRequest, event.request_id)
        user = work.session.get(User, row.asked_by_id) if row.asked_by_id else None
        if user is None or not user.active:
            return None
        account = work.session.get_one(Account, event.account_id)
        return compose(
            "note_to_owner",
            known_locale(user.locale),
            to=(user.email,),
            message_id=f"{event.name}-{event.request_id}",
            headline=event.sentence(),
            facts=((Message("Customer"), account.name), (Message("Order"), event.order_no)),
            text="",
            url=f"{self.base_url}/orders/{event.order_no}",
        )


@dataclass(frozen=True)
class MailPlanners(_ByMail):
    """Tells every planner, each in his language, which changes in the ERP are asked for."""

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


@dataclass(frozen=True)
class MailInCare(_ByMail):
    """Tells a person that an order is in his charge now."""

    name: ClassVar[str] = "mail.in_care"

    def prepare(self, work: Work, event: Event) -> Mail | None:
        """None for who took it himself, and for who has left or is not in charge any more."""
        assert isinstance(event, OrderInCare)  # noqa: S101 - routed by its name
        user = work.session.get(User, event.user_id) if event.user_id else None
        if user is None or user.id == event.by_id or not user.active:
            return None
        row = work.session.get(OrderCare, event.subject_id)
        if row is None or row.user_id != user.id:
            return None
        order = work.session.get_one(Order, event.subject_id)
        view = work.session.get(OrderProjection, order.id)
        facts: list[tuple[Message, object]] = [
            (Message("Customer"), work.session.get_one(Account, order.account_id).name)
        ]
        if view is not None:
            facts += [
                (Message("Promised"), view.promised_on or "–"),
                (Message("Projected"), view.projected_on or "–"),
                (Message("Why"), view.cause or view.status_reason),
                (Message("Next step"), view.next_step or "–"),
            ]
        locale = known_locale(user.locale)
        return compose(
            "note_to_owner",
            locale,
            to=(user.email,),
            message_id=f"{event.name}-{order.id}-{user.id}-{row.at:%Y%m%d%H%M%S}",
            headline=event.sentence(),
            facts=[
                (word, show_date(said, locale) if isinstance(said, dt.date) else said)
                for word, said in facts
            ],
            text="",
            url=f"{self.base_url}/orders/{order.no}",
        )


@dataclass(frozen=True)
class Morning:
    """What ``mail.morning`` sends."""

    to: str
    content: MorningContent
    message_id: str


@dataclass(frozen=True)
class MailMorning(_Told):
    """Sends one reader the morning report in his language: what matters in the mail, all as PDF."""

    name: ClassVar[str] = "mail.morning"

    def prepare(self, work: Work, event: Event) -> Morning | None:
        """The board as of now; None if the day is over or the reader no longer one."""
        assert isinstance(event, MorningCame)  # noqa: S101 - routed by its name
        user = work.session.get_one(User, event.subject_id)
        if event.day != work.today or not user.active or user.role not in READERS:
            return None
        content = morning(work, known_locale(user.locale), self.base_url)
        if content is None:
            return None
        return Morning(user.email, content, f"{event.name}-{user.id}-{event.day.isoformat()}")

    def send(self, message: Morning, *, again: bool) -> None:
        """Draw it and hand it over; a repeat carries the same message id."""
        del again
        content = message.content
        paper = Attachment(morning_file_name(content), PDF, morning_pdf(content))
        mail = compose(
            "note_to_owner",
            content.language,
            to=(message.to,),
            message_id=message.message_id,
            attachments=(paper,),
            headline=Message("Morning report, %(day)s", day=content.day),
            facts=tuple((figure.label, _said(figure, content)) for figure in content.figures),
            text=OLD_DATA if content.too_old else "",
            url=f"{self.base_url}/fulfillment",
        )
        self.mailer.send(mail)


def _said(figure: KeyFigure, content: MorningContent) -> Message | str:
    """A key figure in words, with what it was before."""
    now, before = (_amount(value, figure.unit, content) for value in (figure.now, figure.before))
    return Message("%(now)s (before: %(before)s)", now=now, before=before) if before else now or "–"


def _amount(value: Decimal | None, unit: Unit, content: MorningContent) -> Message | str:
    if value is None:
        return ""
    if unit is Unit.PERCENT:
        return Message("%(share)s %%", share=value)
    places = digits(content.currency) if unit is Unit.MONEY else None
    text = show_decimal(value, places)
    return f"{content.currency} {text}" if unit is Unit.MONEY else text
